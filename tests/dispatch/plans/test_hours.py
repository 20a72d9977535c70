"""What a plan reckons by the hour of the day can be applied: booking never asks for more. Plain values."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.objectives import OBJECTIVES, Goals
from fieldservice.dispatch.planning.settling import settle
from fieldservice.dispatch.plans.compiling import World, compiled
from fieldservice.dispatch.plans.reading import Material, Work
from fieldservice.foundation.places import Point, daytime, travel, travel_minutes
from fieldservice.foundation.places.daytime import Daytime
from fieldservice.foundation.places.legs import leg
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.foundation.time import day_span
from fieldservice.stations.roster import Member
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Place, Span, Stop, TechnicianDay
from fieldservice.workorders.slots import travel_min
from tests.workorders.cast import DAY, HOME, WUXI, at, job, shift

factors = st.lists(st.sampled_from([0.7, 0.9, 1.0, 1.05, 1.1, 1.25, 2.0]), min_size=24, max_size=24).map(tuple)
tables = st.one_of(st.just(daytime.default()), st.builds(Daytime, factors, factors))
RUSH = Daytime((1.0,) * 17 + (2.0,) * 2 + (1.0,) * 5, (1.0,) * 24)


@contextmanager
def driving(hours: Daytime | None) -> Iterator[None]:
    before = travel.DEFAULT.hours
    travel.DEFAULT.hours = hours
    try:
        yield
    finally:  # one failure must not become a hundred
        travel.DEFAULT.hours = before


def point(draw: st.DrawFn) -> Point:
    return Point(HOME.latitude + draw(st.floats(-0.2, 0.2)), HOME.longitude + draw(st.floats(-0.2, 0.2)))


@st.composite
def materials(draw: st.DrawFn) -> Material:
    start, end = day_span(DAY, 1)
    members = tuple(
        Member(number, WUXI, point(draw), duties=(shift(draw(st.integers(6, 9)), draw(st.integers(19, 22))),))
        for number in range(1, draw(st.integers(1, 2)) + 1)
    )
    works = tuple(
        Work(
            number,
            1,
            {},
            job(
                number=f"WO-{number}", place=Place(point(draw)), skills={},
                priority=draw(st.sampled_from(["P1", "P3"])), duration=timedelta(minutes=draw(st.integers(1, 36)) * 5),
            ),
            arrival_due=draw(st.none() | st.integers(7, 18).map(at)),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    )  # fmt: skip
    corners = (Point(31.4, 120.3), Point(31.4, 120.5), Point(31.6, 120.5), Point(31.6, 120.3))
    snow = SlowArea(corners, draw(st.floats(1.1, 4.0)), at(draw(st.integers(11, 19))), at(8), "Snow")
    areas = (snow,) if draw(st.booleans()) else ()
    now = at(draw(st.integers(5, 17)), draw(st.integers(0, 59)))
    return Material(now, start, end, works, members, {}, {}, (), {WUXI: HOME}, areas)


def planned(material: Material, goals: Goals) -> tuple[World, dict[int, list[tuple[Work, Span, int]]]]:
    """Each technician's visits in order, with the seconds of the drive there."""
    world = compiled(material, goals)
    found = settle(world.problem, plan(world.problem, effort=Effort(2)).plan)
    assert found.valid
    tours: dict[int, list[tuple[Work, Span, int]]] = {}
    for day, (route, timed) in enumerate(zip(found.plan.routes, found.routes, strict=True)):
        for number, start, driven in zip(route, timed.starts if timed else (), timed.legs if timed else ()):
            work = world.works[number]
            assert work is not None
            span = Span(world.moment(start), world.moment(start) + work.job.duration)
            tours.setdefault(world.shifts[day].member.id, []).append((work, span, driven))
    return world, tours


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(materials(), tables, st.sampled_from(sorted(OBJECTIVES)))
def test_booking_never_asks_for_more_than_the_plan_reckoned_with(
    material: Material, hours: Daytime, objective: str
) -> None:
    with driving(hours):
        _world, tours = planned(material, Goals(OBJECTIVES[objective]))
        for member in material.members:
            tour = tours.get(member.id, [])
            stops = [Stop(*span, place=work.job.place, visit_id=work.order_id) for work, span, _driven in tour]
            for at_, (work, span, driven) in enumerate(tour):
                day = TechnicianDay(member, (*stops[:at_], *stops[at_ + 1 :]), areas=material.areas)
                assert [one.rule for one in refusals(work.job, day, *span)] == []
                free_at, origin = (
                    (tour[at_ - 1][1].ends_at, tour[at_ - 1][0].job.place.point)
                    if at_
                    else (max(member.duties[0].starts_at, material.at), member.home)
                )
                assert origin is not None
                assert work.job.place.point is not None
                way = leg(origin, work.job.place.point, travel_minutes(origin, work.job.place.point), material.areas)
                assert way.soonest(free_at) <= span.starts_at
                noon = free_at < at(14) and span.starts_at > at(11)  # a break may divide the drive
                asked = travel_min(work.job, day, span, travel_minutes)
                # Setting off a minute earlier may take a minute less, right where the hours change: 27 min for who
                # leaves at 14:46, 28 for who leaves at 14:47. Either is there in time, as the rules above have said.
                assert noon or (asked is not None and asked * 60 <= driven + 60)


@pytest.mark.parametrize(("hour", "minutes"), [(14, 30), (17, 60)])
def test_a_plan_waits_for_the_rush_hour(hour: int, minutes: int) -> None:
    """The same drive of half an hour, at an ordinary hour and where everything takes twice as long."""
    there = Point(HOME.latitude + 0.098, HOME.longitude + 0.049)
    work = Work(1, 1, {}, job(place=Place(there), skills={}, duration=timedelta(hours=1)))
    member = Member(1, WUXI, HOME, duties=(shift(8, 22),))
    assert 29 < travel_minutes(HOME, there) <= 30
    with driving(RUSH):
        material = Material(at(hour), *day_span(DAY, 1), (work,), (member,), {}, {}, (), {WUXI: HOME})
        _world, tours = planned(material, Goals(OBJECTIVES["promises"]))
        [(_work, span, driven)] = tours[1]
        day = TechnicianDay(member)
        assert driven == minutes * 60
        assert span.starts_at == at(hour) + timedelta(minutes=minutes)
        assert not refusals(work.job, day, *span)
