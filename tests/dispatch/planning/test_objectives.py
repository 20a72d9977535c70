"""What goals are worth: named mixes, and what being late costs."""

import pytest

from fieldservice.dispatch.planning.objectives import UNSERVED, lateness


@pytest.mark.parametrize(
    ("hours", "cost"), [(0, 0), (1, 1_800), (3, 5_400), (4, 5_436), (24, 6_156), (48, 7_000), (480, 7_000)]
)
def test_later_is_dearer_and_never_as_dear_as_nobody_coming(hours: int, cost: float) -> None:
    assert lateness(3_600 * hours) == pytest.approx(cost)
    assert lateness(3_600 * hours) < UNSERVED
