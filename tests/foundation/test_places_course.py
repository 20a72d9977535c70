"""Driving through hours of unequal pace, as plain numbers: there and back agree, one by one and all at once."""

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldservice.foundation.places import daytime
from fieldservice.foundation.places.course import Course, course
from fieldservice.foundation.places.legs import Leg
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.time import clock

HERE = Point(31.5, 120.3)
BERLIN = ZoneInfo("Europe/Berlin")
moments = st.integers(-600, 3_000).map(lambda minute: minute * 60)
ways = st.integers(0, 40_000)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    begins = sorted(draw(st.sets(st.integers(0, 86_400), min_size=1, max_size=8)))
    return course(begins, [draw(st.floats(0.4, 4.0)) for _moment in begins])


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    before = clock.zone
    clock.zone = BERLIN
    yield
    clock.zone = before


@given(courses(), moments, ways)
def test_the_latest_departure_is_the_last_that_arrives_in_time(hours: Course, moment: int, way: int) -> None:
    latest = hours.latest_departure(moment, way)
    assert hours.arrival(latest, way) <= moment
    assert hours.arrival(latest + 1, way) > moment
    assert hours.by(hours.when(way)) == pytest.approx(way, abs=1e-6)


@given(courses(), moments, moments, ways, ways)
def test_later_and_longer_is_later(hours: Course, one: int, other: int, way: int, more: int) -> None:
    first, last = sorted((one, other))
    assert first <= hours.arrival(first, way) <= hours.arrival(last, way) <= hours.arrival(last, way + more)


@given(courses(), st.lists(st.tuples(moments, ways), min_size=1, max_size=20))
def test_many_drives_are_those_of_each(hours: Course, drives: list[tuple[int, int]]) -> None:
    leaves, lengths = (np.array(column, dtype=np.int64) for column in zip(*drives))
    assert hours.arrivals(leaves, lengths).tolist() == [hours.arrival(*one) for one in drives]
    never = np.array([2**40], dtype=np.int64)
    assert hours.arrivals(never, lengths[:1])[0] >= 2**40
    assert pickle.loads(pickle.dumps(hours)) == hours  # plans are computed in other processes


@given(st.integers(0, 14 * 1440), st.integers(0, 600), st.integers(0, 3 * 1440))
@example(0, 45, 24 * 60 + 90)  # the night in which clocks are put forward
def test_plans_and_booking_drive_by_the_same_hours(origin: int, minutes: int, leaves: int) -> None:
    begins = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=origin)
    left = begins + timedelta(minutes=leaves)
    planned = daytime.default().course(begins, 4).arrival(leaves * 60, minutes * 60)
    booked = Leg(HERE, HERE, float(minutes), hours=daytime.default()).soonest(left)
    assert begins + timedelta(seconds=planned) == booked


@given(st.integers(0, 14 * 1440), st.floats(0, 600))
def test_what_a_drive_is_at_an_ordinary_hour(leaves: int, minutes: float) -> None:
    left = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=leaves)
    arrives = daytime.default().arrival(left, minutes)
    assert daytime.default().ordinary(left, arrives) == pytest.approx(minutes, abs=1e-6)


@pytest.mark.parametrize(
    ("begins", "factors"), [([], []), ([0], [1.0, 2.0]), ([0, 0], [1.0, 2.0]), ([60, 0], [1.0, 2.0]), ([0], [0.0])]
)
def test_senseless_courses_are_refused(begins: list[float], factors: list[float]) -> None:
    with pytest.raises(ValueError, match="moment"):
        course(begins, factors)
