"""Machines ask for parts: growth of a fleet, and what a young part begins with."""

import numpy as np
import pytest

from fieldservice.parts.levels.demand import CHANCE_FADES
from fieldservice.parts.levels.installed import LARGEST, YOUNG, Fleet, begins, growth, young

NAN = float("nan")
NOBODY = np.array([-1])
ONE = np.array([0])


@pytest.mark.parametrize(
    ("past", "now", "history", "factor"),
    [
        ([10.0] * 4, 10.0, [1.0, 0.0, 2.0, 1.0], 1.0),  # as many as ever
        ([10.0] * 4, 20.0, [1.0, 0.0, 2.0, 1.0], 2.0),  # the fleet doubled
        ([10.0] * 4, 5.0, [1.0, 0.0, 2.0, 1.0], 0.5),  # … and shrank by half
        ([10.0] * 4, 0.0, [1.0, 0.0, 2.0, 1.0], 0.0),  # the last machine is gone
        ([0.0, 0.0, 10.0, 10.0], 20.0, [NAN, NAN, 2.0, 1.0], 2.0),  # months nobody knows do not count
        ([0.0] * 4, 20.0, [1.0, 0.0, 2.0, 1.0], 1.0),  # no machines then: nothing can be said
        ([1.0] * 4, 50.0, [1.0, 0.0, 2.0, 1.0], LARGEST),  # more than is believed
        ([10.0] * 4, 20.0, [NAN] * 4, 1.0),  # nothing to multiply
    ],
)
def test_demand_grows_and_shrinks_with_the_machines(
    past: list[float], now: float, history: list[float], factor: float
) -> None:
    fleet = Fleet(np.array([past]), np.array([now]))
    assert growth(fleet, ONE, np.array([history])) == pytest.approx([factor])
    assert growth(fleet, NOBODY, np.array([history])) == pytest.approx([1.0])


def test_older_months_count_less() -> None:
    fleet = Fleet(np.array([[10.0, 30.0]]), np.array([30.0]))
    before = (30.0 + CHANCE_FADES * 10.0) / (1.0 + CHANCE_FADES)
    assert growth(fleet, ONE, np.array([[1.0, 1.0]])) == pytest.approx([30.0 / before])


def test_a_young_part_begins_with_its_share_of_the_territory_and_an_old_one_with_itself() -> None:
    history = np.zeros((4, 24))
    history[[0, 1, 3]] = NAN
    history[1, -YOUNG:] = 0.0
    history[3, -YOUNG + 1 :] = 0.0
    assert list(young(history)) == [True, False, False, True]
    fleet = Fleet(np.zeros((1, 24)), np.array([6.0]))
    found = begins(fleet, np.array([0, 0, 0, 0]), np.array([1.0, 1.0, 1.0, 0.25]), history)
    assert found == pytest.approx([6.0, NAN, NAN, 1.5], nan_ok=True)
