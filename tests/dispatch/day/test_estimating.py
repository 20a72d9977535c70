"""When the rest of a day will happen: a table of cases, and what holds for every day (B4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.day.estimating import AWAY, Stop, Ways, estimates
from fieldservice.foundation.places import Point, daytime, travel
from fieldservice.foundation.places.daytime import Daytime
from fieldservice.workorders.placement import Span
from tests.workorders.cast import at

PLACES = [Point(31.49, 120.37), Point(31.52, 120.40), Point(31.30, 120.75), None]
EIGHT = at(8)


def minutes(one: Point, other: Point) -> float:
    return 0.0 if one == other else 30.0


def stop(
    number: int | None, start: tuple[int, int], end: tuple[int, int], state: str = "scheduled", **at_: Any
) -> Stop:
    moments = {name: at(*value) if isinstance(value, tuple) else value for name, value in at_.items()}
    return Stop(number, state, Span(at(*start), at(*end)), **moments)


def expected(stops: list[Stop], now: tuple[int, int]) -> dict[int, tuple[str, str]]:
    found = estimates(stops, at(*now), Ways(minutes))
    return {one: (f"{span.starts_at + LOCAL:%H:%M}", f"{span.ends_at + LOCAL:%H:%M}") for one, span in found.items()}


LOCAL = timedelta(hours=8)
HALF_HOUR = {"travel": timedelta(minutes=30)}
FIRST, SECOND, THIRD = ((9, 0), (11, 0)), ((11, 30), (12, 30)), ((14, 0), (15, 0))


@pytest.mark.parametrize(
    ("stops", "now", "told"),
    [
        pytest.param([stop(1, *FIRST)], (8, 0), {1: ("09:00", "11:00")}, id="on time"),
        pytest.param([stop(1, *FIRST, **HALF_HOUR)], (9, 0), {1: ("09:30", "11:30")}, id="not set off"),
        pytest.param(
            [stop(1, *FIRST, "in_progress", started_at=(9, 40)), stop(2, *SECOND, **HALF_HOUR), stop(3, *THIRD)],
            (10, 0),
            {1: ("09:40", "11:40"), 2: ("12:10", "13:10"), 3: ("14:00", "15:00")},
            id="begun late, the afternoon catches up",
        ),
        pytest.param(
            [stop(1, *FIRST, "in_progress", started_at=(9, 0)), stop(2, *SECOND, **HALF_HOUR)],
            (12, 0),
            {1: ("09:00", "12:00"), 2: ("12:30", "13:30")},
            id="takes longer",
        ),
        pytest.param(
            [stop(1, *FIRST, "paused", started_at=(9, 0), paused_at=(10, 0), paused=timedelta(minutes=10))],
            (10, 20),
            {1: ("09:00", "11:30")},
            id="a pause is no work",
        ),
        pytest.param(
            [stop(1, *FIRST, "completed", finished_at=(10, 0)), stop(2, *SECOND, **HALF_HOUR)],
            (10, 0),
            {2: ("11:30", "12:30")},
            id="done early: nobody comes before the time that was told",
        ),
        pytest.param(
            [stop(1, *FIRST, "en_route", en_route_at=(9, 20), **HALF_HOUR), stop(2, *SECOND, **HALF_HOUR)],
            (9, 30),
            {1: ("09:50", "11:50"), 2: ("12:20", "13:20")},
            id="set off late",
        ),
        pytest.param(
            [stop(None, (11, 0), (13, 0), AWAY), stop(2, (12, 0), (13, 0))],
            (10, 0),
            {2: ("13:00", "14:00")},
            id="after an absence",
        ),
        pytest.param(
            [stop(1, *FIRST), stop(2, *SECOND, "in_progress", started_at=(11, 0))],
            (11, 0),
            {2: ("11:00", "12:00"), 1: ("12:00", "14:00")},
            id="in another order than planned",
        ),
        pytest.param(
            [
                stop(1, *FIRST, "completed", finished_at=(11, 30), place=PLACES[0]),
                stop(2, *SECOND, place=PLACES[1]),
                stop(3, *THIRD, place=PLACES[2]),
            ],
            (11, 30),
            {2: ("12:00", "13:00"), 3: ("14:00", "15:00")},
            id="the way between known places",
        ),
    ],
)
def test_B4_cases(stops: list[Stop], now: tuple[int, int], told: dict[int, tuple[str, str]]) -> None:
    assert expected(stops, now) == told
    assert expected(stops[::-1], now) == told, "in whatever order they are read"


# What always holds --------------------------------------------------------------------------------


@st.composite
def days(draw: st.DrawFn, *, begun: bool = True) -> list[Stop]:
    """Visits one after the other, the first of them done or under way."""
    moment, stops = EIGHT, []
    far = draw(st.integers(0, 4)) if begun else 0
    for number in range(draw(st.integers(1, 6))):
        start = moment + timedelta(minutes=draw(st.integers(0, 90)))
        moment = start + timedelta(minutes=draw(st.integers(5, 180)))
        state = "scheduled"
        if number < far:
            ended = number < far - 1
            state = "completed" if ended else draw(st.sampled_from(["en_route", "on_site", "in_progress", "paused"]))
        stops.append(_stop(draw, number + 1, state, Span(start, moment)))
    return stops


def _stop(draw: st.DrawFn, number: int, state: str, span: Span) -> Stop:
    delay = timedelta(minutes=draw(st.integers(-10, 120)))
    begun, way = span.starts_at + delay, timedelta(minutes=draw(st.integers(0, 60)))
    place = draw(st.sampled_from(PLACES))
    moments = {
        "scheduled": {},
        "en_route": {"en_route_at": begun},
        "on_site": {"on_site_at": begun},
        "in_progress": {"on_site_at": begun, "started_at": begun},
        "paused": {"started_at": begun, "paused_at": begun + timedelta(minutes=5)},
        "completed": {"started_at": begun, "finished_at": begun + timedelta(minutes=draw(st.integers(1, 240)))},
    }[state]
    return Stop(number, state, span, place, way, **moments)


nows = st.integers(-60, 900).map(lambda minute: EIGHT + timedelta(minutes=minute))


tables = st.sampled_from([None, daytime.default()])


@contextmanager
def driving(hours: Daytime | None) -> Iterator[None]:
    before = travel.DEFAULT.hours
    travel.DEFAULT.hours = hours
    yield
    travel.DEFAULT.hours = before


@given(days(), nows, tables)
def test_estimates_never_run_backwards_and_never_before_the_schedule(
    stops: list[Stop], now: datetime, hours: Daytime | None
) -> None:
    with driving(hours):
        found = estimates(stops, now, Ways(minutes))
    assert found.keys() == {one.visit_id for one in stops if one.state != "completed"}
    coming = [one for one in stops if one.state == "scheduled"]
    for one in coming:
        span = found[one.visit_id or 0]
        assert span.starts_at >= max(one.span.starts_at, now)
        assert span.ends_at - span.starts_at == one.span.ends_at - one.span.starts_at
    spans = [found[one.visit_id or 0] for one in stops if one.state != "completed"]
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(spans))


@given(days(), nows, st.integers(0, 240), tables)
def test_a_later_now_never_makes_an_estimate_earlier(
    stops: list[Stop], now: datetime, more: int, hours: Daytime | None
) -> None:
    later = now + timedelta(minutes=more)
    with driving(hours):
        first, then = estimates(stops, now, Ways(minutes)), estimates(stops, later, Ways(minutes))
    for one, span in first.items():
        assert then[one].starts_at >= span.starts_at
        assert then[one].ends_at >= span.ends_at


@given(days(begun=False), tables)
def test_without_delay_estimates_are_the_schedule(stops: list[Stop], hours: Daytime | None) -> None:
    now = stops[0].span.starts_at - timedelta(minutes=60)
    with driving(hours):
        assert estimates(stops, now, Ways(minutes)) == {one.visit_id: one.span for one in stops}


@pytest.mark.parametrize(
    ("left", "arrives"),
    [((14, 0), "14:30"), ((16, 0), "16:33"), ((17, 30), "18:08"), ((20, 0), "20:32"), ((22, 0), "22:27")],
)
def test_who_drives_later_than_planned_takes_as_long_as_that_hour_says(left: tuple[int, int], arrives: str) -> None:
    """Planned for two o'clock, half an hour from home; and from a visit that took longer, to a known place."""
    late = [stop(1, (14, 0), (15, 0), "en_route", en_route_at=left, **HALF_HOUR)]
    before = stop(2, (12, 0), (13, 30), "completed", finished_at=left, place=PLACES[0])
    with driving(daytime.default()):
        assert expected(late, left)[1][0] == arrives
        for place in PLACES[1], None:
            after = [before, stop(3, (14, 0), (15, 0), place=place, **HALF_HOUR)]
            assert expected(after, left)[3][0] == arrives
