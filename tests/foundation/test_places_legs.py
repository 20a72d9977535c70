"""One drive at a certain moment: minutes, the soonest arrival and the latest departure agree, whatever the hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point, daytime, travel
from fieldservice.foundation.places.daytime import Daytime
from fieldservice.foundation.places.legs import Leg, leg
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.foundation.time import clock

CHINA, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HERE, THERE = Point(31.5, 120.3), Point(31.6, 120.4)
MINUTE = timedelta(minutes=1)
WEDNESDAY = datetime(2026, 11, 25, tzinfo=CHINA)
AROUND = (Point(31.4, 120.2), Point(31.4, 120.5), Point(31.7, 120.5), Point(31.7, 120.2))

factors = st.lists(st.floats(0.5, 3.0), min_size=24, max_size=24).map(tuple)
tables = st.one_of(st.none(), st.just(daytime.default()), st.builds(Daytime, factors, factors))
moments = st.integers(0, 3 * 24 * 60).map(lambda minutes: WEDNESDAY + minutes * MINUTE)
lengths = st.floats(0, 300)


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    before = clock.zone
    clock.zone = CHINA
    yield
    clock.zone = before


@st.composite
def legs(draw: st.DrawFn) -> Leg:
    areas = []
    for _area in range(draw(st.integers(0, 2))):
        start = draw(moments)
        until = start + draw(st.integers(1, 600)) * MINUTE
        areas.append(SlowArea(AROUND, draw(st.floats(1.1, 4.0)), until, start, "Snow"))
    return Leg(HERE, THERE, draw(lengths), tuple(areas), draw(tables))


@pytest.mark.parametrize(
    ("arrives", "minutes"),
    [("04:00", 27), ("10:30", 32), ("14:00", 30), ("18:00", 38), ("09:10", 36)],  # 0.9, 1.05, 1.0, 1.25, both
)
def test_a_drive_takes_longer_in_the_rush_hours(arrives: str, minutes: int) -> None:
    at = datetime.fromisoformat(f"2026-11-25T{arrives}+08:00")
    way = Leg(HERE, THERE, 30.0, hours=daytime.default())
    assert way.minutes(at) == minutes
    assert way.latest(at) == at - minutes * MINUTE
    assert Leg(HERE, THERE, 30.0).minutes(at) == 30


@given(legs(), moments)
@example(Leg(HERE, THERE, 45.0, hours=daytime.default()), WEDNESDAY.replace(hour=9, minute=20))
def test_who_leaves_at_the_latest_moment_arrives_in_time_and_later_does_not(way: Leg, by: datetime) -> None:
    latest = way.latest(by)
    assert way.soonest(latest) <= by
    assert way.soonest(latest + MINUTE) > by


@given(legs(), moments)
def test_the_soonest_arrival_is_the_first_to_which_there_is_time(way: Leg, leaves: datetime) -> None:
    arrives = way.soonest(leaves)
    assert arrives - way.minutes(arrives) * MINUTE >= leaves
    tried = leaves
    while tried < arrives:
        assert tried - way.minutes(tried) * MINUTE < leaves
        tried += MINUTE


@given(legs(), moments, st.integers(1, 600))
def test_leaving_later_never_arrives_earlier(way: Leg, leaves: datetime, wait: int) -> None:
    assert leaves <= way.soonest(leaves) <= way.soonest(leaves + wait * MINUTE)
    assert way.latest(leaves) <= way.latest(leaves + wait * MINUTE)


@given(legs(), moments)
def test_an_area_never_makes_a_drive_quicker(way: Leg, leaves: datetime) -> None:
    free = Leg(way.origin, way.to, way.ordinary, hours=way.hours)
    assert way.minutes(leaves) >= free.minutes(leaves)
    assert way.soonest(leaves) >= free.soonest(leaves)
    assert way.latest(leaves) <= free.latest(leaves)


def test_clocks_that_are_put_forward_lose_no_minute() -> None:
    clock.zone = BERLIN
    way = Leg(HERE, THERE, 45.0, hours=daytime.default())
    for minutes in range(240):
        leaves = datetime(2026, 3, 29, tzinfo=UTC) + minutes * MINUTE
        assert way.latest(way.soonest(leaves)) >= leaves


def test_a_month_is_the_longest_drive_by_the_hour() -> None:
    assert Leg(HERE, THERE, 1e9, hours=daytime.default()).minutes(WEDNESDAY) > 0


def test_the_installation_says_whether_the_hour_counts(rush_hours: None) -> None:
    assert leg(HERE, THERE, 30.0).hours == daytime.default()
    travel.DEFAULT.hours = None
    assert leg(HERE, THERE, 30.0).hours is None
