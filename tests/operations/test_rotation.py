"""What the rotation keeps."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.operations.rotation import kept

START = datetime(2026, 1, 1, 2, 10)  # noqa: DTZ001 - local times, as the names of backups carry
moments = st.lists(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), max_size=60)  # noqa: DTZ001


def day(number: int, hour: int = 2) -> datetime:
    return START + timedelta(days=number, hours=hour - 2)


@pytest.mark.parametrize(
    ("have", "keep"),
    [
        ([], []),
        ([day(0)], [day(0)]),
        ([day(0, 1), day(0, 5)], [day(0, 5)]),  # of a day the newest
        ([day(number) for number in range(7)], [day(number) for number in range(7)]),
        # 2026-01-01 is a Thursday: of 20 days the last seven, Sundays 4 and 11; no older month
        ([day(number) for number in range(20)], [day(3), day(10), *(day(number) for number in range(13, 20))]),
        ([day(0), day(40), day(80)], [day(0), day(40), day(80)]),  # gaps take no places
    ],
)
def test_table(have: list[datetime], keep: list[datetime]) -> None:
    assert sorted(kept(have)) == sorted(keep)


@given(moments)
def test_keeps_some_of_what_is_there_and_always_the_newest(have: list[datetime]) -> None:
    keep = kept(have)
    assert keep <= set(have)
    assert len(keep) <= 7 + 4 + 6
    assert not have or max(have) in keep


@given(moments)
def test_once_is_enough(have: list[datetime]) -> None:
    assert kept(kept(have)) == kept(have)


@given(moments, st.integers(1, 8))
def test_more_places_never_keep_less(have: list[datetime], more: int) -> None:
    assert kept(have) <= kept(have, 7 + more, 4 + more, 6 + more)


@given(st.integers(1, 500))
def test_rotating_every_night_comes_to_the_same_as_once_at_the_end(nights: int) -> None:
    every_night: set[datetime] = set()
    for number in range(nights):
        every_night = kept(every_night | {day(number)})
    assert every_night == kept(day(number) for number in range(nights))
