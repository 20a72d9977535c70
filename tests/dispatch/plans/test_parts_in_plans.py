"""G-02, T-05: parts, people and time are one promise. What a plan says of parts can be booked, and no piece is promised
twice. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Plan
from fieldservice.dispatch.planning.objectives import OBJECTIVES, Goals
from fieldservice.dispatch.planning.settling import settle
from fieldservice.dispatch.plans.compiling import World, compiled
from fieldservice.dispatch.plans.reading import Material, Standing, Work
from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.foundation.time import day_span
from fieldservice.stations.roster import Member
from fieldservice.workorders.collecting import on_the_way, ready_at
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Job, Need, Place, Span, Stop, Supply, TechnicianDay
from fieldservice.workorders.slots import travel_min
from tests.workorders.cast import DAY, FAR, HOME, NEAR, WUXI, at, job, seal, shift

ONE = Decimal(1)
OWN, CENTRAL = 1, 2
STORE = Point(31.47, 120.38)
SEAL = 7
MORNING = at(8)


def hours(number: int) -> datetime:
    """So many hours after the beginning of the day."""
    return at(0) + timedelta(hours=number)


def later(hour: int, minute: int = 0, quantity: int = 1, **facts: object) -> Supply:
    known = {"kind": "central", "names": {}, "place": CENTRAL, "there": Decimal(2), **facts}
    return Supply(hours(hour) + timedelta(minutes=minute), Decimal(quantity), **known)  # type: ignore[arg-type]


def work(number: int, *needs: Need, visit: Standing | None = None, **facts: object) -> Work:
    known = {"number": f"WO-{number}", "skills": {}, "priority": "P3", "duration": timedelta(hours=1), **facts}
    return Work(number, 1, {}, job(needs=needs, **known), visit=visit)


def material(
    works: Sequence[Work], members: Sequence[Member], vans: Mapping[int, Mapping[int, Decimal]] | None = None,
    now: datetime = MORNING, stops: Mapping[int, Sequence[Stop]] | None = None, days: int = 1,
) -> Material:  # fmt: skip
    stores = {WUXI: STORE, 2: FAR}
    return Material(now, *day_span(DAY, days), tuple(works), tuple(members), stops or {}, vans or {}, (), stores)


def member(number: int = 1, **facts: object) -> Member:
    known = {"duties": (shift(8, 20),), **facts}
    return Member(number, WUXI, HOME, **known)  # type: ignore[arg-type]


Tour = list[tuple[Work, Span, int]]


def tours(found: Material, objective: str = "promises") -> tuple[World, dict[int, Tour]]:
    """Each technician's visits in order, with the seconds of the way there, collecting counted."""
    world = compiled(found, Goals(OBJECTIVES[objective]))
    best = settle(world.problem, plan(world.problem, effort=Effort(2)).plan)
    assert best.valid
    driven: dict[int, Tour] = {}
    for day, (route, timed) in enumerate(zip(best.plan.routes, best.routes, strict=True)):
        collecting = world.problem.days[day].collect if timed is not None and timed.collects else 0
        for number, start, leg in zip(route, timed.starts if timed else (), timed.legs if timed else ()):
            mine = world.works[number]
            assert mine is not None
            span = Span(world.moment(start), world.moment(start) + mine.job.duration)
            driven.setdefault(world.shifts[day].member.id, []).append((mine, span, leg + collecting))
            collecting = 0
    return world, driven


# Work whose parts come during the day --------------------------------------------------------------


def test_T_05_a_part_that_comes_at_one_goes_to_an_afternoon_visit() -> None:
    found = material([work(1, seal(later=(later(13),), store=OWN))], [member()])
    [(mine, span, seconds)] = tours(found)[1][1]
    way = timedelta(minutes=int(travel_minutes(STORE, NEAR)) + 1)
    assert at(13) + timedelta(minutes=10) + way <= span.starts_at < at(14)
    assert booked(found, mine, 1, span, []) is None
    assert seconds >= 60 * (travel_minutes(HOME, STORE) + 10 + travel_minutes(STORE, NEAR))


def test_who_has_the_part_in_the_van_waits_for_nothing() -> None:
    found = material([work(1, seal(later=(later(13),), store=OWN))], [member(), member(2)], {2: {SEAL: ONE}})
    _world, driven = tours(found)
    assert list(driven) == [2]
    assert driven[2][0][1].starts_at < at(9)


def test_a_part_that_comes_after_work_waits_for_tomorrow() -> None:
    two = (shift(8, 17), shift(8, 17, day=DAY + timedelta(days=1)))
    found = material([work(1, seal(later=(later(16, 30),), store=OWN))], [member(duties=two)], days=2)
    [(_mine, span, _seconds)] = tours(found)[1][1]
    assert span.starts_at >= hours(32)


def test_what_has_to_be_sent_for_leaves_time_to_look_at_the_plan() -> None:
    """Its way begins when the plan is applied; what is on its way already comes when it comes."""
    starts = []
    for kind in ("central", "station"):
        found = material([work(1, seal(later=(later(13, kind=kind),), store=OWN))], [member()])
        starts.append(tours(found)[1][1][0][1].starts_at)
    assert starts[0] - starts[1] == timedelta(minutes=15)


def test_a_visit_that_stands_waits_where_its_parts_are_to_come() -> None:
    """Its part comes at one by a transfer that is held for it; the plan leaves it where it is."""
    held = Supply(at(13), ONE, "station", {}, held=True, place=OWN)
    start = Span(at(14), at(15))
    visit = Standing(1, 1, 1, start, Span(at(14), at(16)))
    stops = {1: (Stop(*start, place=Place(NEAR), visit_id=1),)}
    found = material([work(1, seal(later=(held,), store=OWN), visit=visit), work(2)], [member()], stops=stops)
    _world, driven = tours(found)
    assert {mine.order_id: span.starts_at for mine, span, _seconds in driven[1]}[1] == at(14)


def test_a_visit_whose_parts_are_collected_before_another_keeps_its_time() -> None:
    """From 12:00 to 13:25 the technician works elsewhere; the part has come at eleven and is collected before that."""
    held = Supply(at(11), ONE, "station", {}, held=True, place=OWN)
    spans = {1: Span(at(13, 30), at(14, 30)), 2: Span(at(12), at(13, 25))}
    visits = {one: Standing(one, 1, 1, span, Span(span.starts_at, span.starts_at)) for one, span in spans.items()}
    stops = {1: tuple(Stop(*spans[one], place=Place(NEAR), visit_id=one) for one in (2, 1))}
    works = [
        work(1, seal(later=(held,), store=OWN), visit=visits[1]),
        work(2, visit=visits[2], duration=timedelta(minutes=85)),
    ]
    _world, driven = tours(material(works, [member()], stops=stops))
    assert {mine.order_id: span for mine, span, _seconds in driven[1]} == spans


# Whose piece it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "held",
    [
        {"at_station": 1, "held": ONE},
        {"in_vans": {1: ONE}},
        {"later": (Supply(at(7), ONE, "station", {}, held=True, place=OWN),)},
    ],
    ids=["in the store", "in a van", "on its way"],
)
def test_T_05_what_is_held_for_an_order_is_of_no_use_to_another(held: dict[str, object]) -> None:
    """The other one is more urgent, and has to do without."""
    mine, other = work(1, seal(store=OWN, **held)), work(2, seal(store=OWN), priority="P1")
    _world, driven = tours(material([mine, other], [member()]))
    assert [one.order_id for one, _span, _seconds in driven.get(1, [])] == [1]


def test_a_piece_in_a_van_is_used_on_one_day_alone() -> None:
    two = (shift(8, 17), shift(8, 17, day=DAY + timedelta(days=1)))
    works = [work(number, seal(store=OWN), duration=timedelta(hours=5)) for number in (1, 2)]
    found = material(works, [member(duties=two)], {1: {SEAL: ONE}}, days=2)
    world, driven = tours(found)
    assert len(driven[1]) == 1
    twice = check(world.problem, Plan.of([[0], [1]]))
    assert [fault.rule for fault in twice.faults] == ["part"]


def test_a_piece_that_two_stations_could_have_goes_to_one_of_them() -> None:
    """T-05: the central store has one; it is in either store before anybody begins tomorrow."""
    coming = later(13, there=ONE)
    tomorrow = (shift(8, 17, day=DAY + timedelta(days=1)),)
    mine = work(1, seal(later=(coming,), store=OWN))
    other = work(2, seal(later=(coming,), store=3), station_id=2)
    people = [member(duties=tomorrow), replace(member(2, duties=tomorrow), station_id=2)]
    _world, driven = tours(material([mine, other], people, days=2))
    assert [one.order_id for tour in driven.values() for one, _span, _seconds in tour] == [1]
    plenty = [replace(one, job=replace(one.job, needs=(replace(one.job.needs[0], later=(later(13),)),)))
              for one in (mine, other)]  # fmt: skip
    assert len(tours(material(plenty, people, days=2))[1]) == 2


def test_another_stations_technician_does_not_collect_at_his_own_store() -> None:
    """Its store has a seal that is not the order's to have."""
    mine = work(1, seal(store=OWN))
    other = work(2, seal(at_station=1, store=3), station_id=2, duration=timedelta(hours=20))
    _world, driven = tours(material([mine, other], [replace(member(), station_id=2)]))
    assert not driven


# Whatever there is ---------------------------------------------------------------------------------


@st.composite
def companies(draw: st.DrawFn) -> Material:
    """Two technicians, six jobs of which most need a seal; some are held, some lie there, some come."""
    people = [
        member(number, duties=(shift(8, 20), shift(8, 20, day=DAY + timedelta(days=1))))
        for number in range(1, draw(st.integers(1, 2)) + 1)
    ]
    free = draw(st.integers(0, 2))
    since = sorted(draw(st.lists(st.integers(9, 30), max_size=2)))
    coming = tuple(later(hour, kind=draw(st.sampled_from(["central", "station"])), place=OWN) for hour in since)
    vans = {one.id: {SEAL: Decimal(draw(st.integers(0, 1)))} for one in people}
    works = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        need = seal(at_station=free, later=coming, store=OWN)
        match draw(st.sampled_from(["none", "free", "free", "free", "store", "van", "coming"])):
            case "none":
                needs: tuple[Need, ...] = ()
            case "free":
                needs = (need,)
            case "store":
                needs = (replace(need, at_station=need.at_station + 1, held=ONE),)
            case "van":
                needs = (replace(need, in_vans={draw(st.sampled_from(people)).id: ONE}),)
            case "coming":
                held = Supply(at(draw(st.integers(9, 15))), ONE, "station", {}, held=True, place=OWN)
                needs = (replace(need, later=tuple(sorted((held, *coming), key=lambda one: one.ready_at))),)
        place = Point(HOME.latitude + draw(st.floats(-0.1, 0.1)), HOME.longitude + draw(st.floats(-0.1, 0.1)))
        works.append(
            work(
                number, *needs, place=Place(place), priority=draw(st.sampled_from(["P1", "P3"])),
                duration=timedelta(minutes=draw(st.integers(1, 60)) * 5),
            )
        )  # fmt: skip
    return material(works, people, vans, now=at(draw(st.integers(6, 12))), days=2)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(companies(), st.sampled_from(sorted(OBJECTIVES)))
def test_booking_asks_for_no_more_minutes_and_no_piece_is_promised_twice(found: Material, objective: str) -> None:
    _world, driven = tours(found, objective)
    for technician, tour in driven.items():
        for at_, (mine, span, seconds) in enumerate(tour):
            stops = [Stop(*other, place=one.job.place) for number, (one, other, _s) in enumerate(tour) if number != at_]
            asked = booked(found, mine, technician, span, stops)
            told = asked is None or span.starts_at.hour in (3, 4, 5, 6) or bool(at_)  # a break, or another way
            assert told or asked * 60 <= seconds + 60
    assert_enough(found, driven)


def booked(found: Material, mine: Work, technician: int, span: Span, stops: Sequence[Stop]) -> int | None:
    """The minutes booking asks for; None where they count waiting at the store. Fails where it refuses."""
    person = next(one for one in found.members if one.id == technician)
    asked: Job = replace(mine.job, store=STORE, asked_at=found.at)
    day = TechnicianDay(person, tuple(stops), found.vans.get(technician, {}))
    assert [one.rule for one in refusals(asked, day, *span)] == []
    way = on_the_way(asked, day, span, travel_minutes)
    assert way is None or way.fits
    waits = way is not None and way.last and (ready_at(asked, day) or found.at) > way.leaves_at
    return None if waits else travel_min(asked, day, span, travel_minutes)


def assert_enough(found: Material, driven: Mapping[int, Tour]) -> None:
    """The visits one after another, each taking a piece: its own, one of the van, one that has come to the store."""
    vans = {who: van.get(SEAL, Decimal(0)) for who, van in found.vans.items()}
    some = next((one.job.needs[0] for one in found.works if one.job.needs), None)
    if some is None:
        return
    store = [found.at] * int(some.at_station - some.held)
    store += [one.ready_at for one in some.later if not one.held]
    visits = sorted((span, who, mine) for who, tour in driven.items() for mine, span, _seconds in tour)
    for span, who, mine in visits:
        for need in mine.job.needs:
            own = need.held + need.in_vans.get(who, Decimal(0)) + sum(one.quantity for one in need.later if one.held)
            if own >= need.quantity:
                continue
            if vans[who] > 0:
                vans[who] -= 1
                continue
            assert store, f"{mine.job.number} has no piece"
            assert store[0] <= span.starts_at, f"{mine.job.number} has no piece yet"
            store.pop(0)
