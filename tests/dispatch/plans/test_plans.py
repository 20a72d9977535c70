"""Plans on both databases: what is planned can be applied, all of it or nothing; races, scope, bad input."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, select

from fieldservice.dispatch.plans import running, services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import clock, local, now
from fieldservice.mechanisms import messages, policies
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.transfers.models import Transfer
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.wishes import TechnicianWish
from tests.conftest import make_user
from tests.dispatch.plans.planned import changes, planned
from tests.workorders.cast import DAY, FAR, HOME
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_request,
    make_station,
    make_technician,
    need_part,
    stock,
    team,
)


def test_waiting_work_is_placed_and_applied(scene: Scene) -> None:
    plan = planned([scene.station])
    assert plan.state == "ready"
    (change,) = plan.outcome["changes"]
    assert (change["kind"], change["to"]["technician"]) == ("placed", scene.lu.id)
    assert change["to"]["starts_at"] == "2026-11-25T02:45:00+00:00"  # 15 minutes away
    assert [one["late_after"] for one in change["promises"]] == [0, 0]
    assert (plan.outcome["before"]["placed"], plan.outcome["after"]["placed"]) == (0, 1)
    assert plan.score is not None
    assert plan.before is not None
    assert plan.score < plan.before
    assert session.query(Visit).count() == 0, "a plan changes nothing until it is applied"
    (visit,) = write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    assert (visit.state, visit.technician_id) == ("scheduled", scene.lu.id)
    assert visit.starts_at.isoformat() == change["to"]["starts_at"]
    assert session.get_one(WorkOrder, scene.order.id).state == "scheduled"
    assert (plan.state, plan.applied) == ("applied", [1])


def test_the_same_seed_gives_the_same_plan(scene: Scene) -> None:
    write(lambda: _company(scene.station, random.Random(4), orders=14))
    first, again = (planned([scene.station], effort=16) for _ in range(2))
    assert first.outcome["changes"] == again.outcome["changes"]
    assert first.outcome["after"] == again.outcome["after"]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_planned_can_always_be_applied(scene: Scene, seed: int) -> None:
    """The engine and the rules of booking agree: absences, parts, on call, held work, other stations' orders."""
    dice = random.Random(seed)
    stations = write(lambda: _company(scene.station, dice, orders=18))
    days = dice.choice([1, 2])
    plan = planned(stations, days=days, objective=dice.choice(["promises", "travel", "balance"]), effort=16)
    assert plan.state == "ready"
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    for change in plan.outcome["changes"]:
        order = session.query(WorkOrder).filter_by(number=change["work_order"]).one()
        states = ("ready",) if change["kind"] == "dropped" else ("scheduled", "dispatched")
        assert order.state in states, change
    again = planned(stations, days=days, objective=plan.objective, effort=16)
    assert again.score is not None
    assert again.before is not None
    assert again.score <= again.before
    assert not [one for one in again.outcome["changes"] if one["kind"] == "dropped"], "what was planned stands"


def test_G_02_a_plan_sends_whom_the_customer_asked_for(scene: Scene) -> None:
    """Lu stands nearer; Ma is asked for by name, then he alone may come, then he may not."""
    ma = write(lambda: make_technician(scene.station, "马俊", "Ma Jun", home=FAR))

    def wish(what: str) -> None:
        session.query(TechnicianWish).delete()
        session.add(TechnicianWish(customer_id=scene.customer.id, technician_id=ma.id, wish=what))

    for what, goes in (("preferred", ma.id), ("required", ma.id), ("excluded", scene.lu.id)):
        write(lambda what=what: wish(what))  # type: ignore[misc]
        weights = {"preference": 20.0}
        (change,) = planned([scene.station], weights=weights).outcome["changes"]
        assert change["to"]["technician"] == goes, what


def test_a_stale_plan_is_refused_whole(scene: Scene) -> None:
    """D-07: one of two orders was booked by hand meanwhile; the other is not planned either."""
    write(lambda: make_order(scene.station))
    plan = planned([scene.station])
    assert len(plan.outcome["changes"]) == 2
    write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(15)))
    with pytest.raises(Conflict) as refused:
        write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    assert refused.value.code == "plan_outdated"
    (changed,) = refused.value.facts["changed"]
    assert changed["work_order"] == scene.order.number
    assert (changed["technician"], changed["starts_at"]) == (scene.lu.id, "2026-11-25T07:00:00+00:00")
    assert session.query(Visit).count() == 1
    assert session.get_one(DispatchPlan, plan.id).state == "ready"
    user = make_user("dispatcher", scene.station.id)
    anew = write(lambda: services.ask_again(session.get_one(DispatchPlan, plan.id), user.as_person()))
    running.run_here(anew.id)
    write(lambda: services.apply(session.get_one(DispatchPlan, anew.id)))
    assert session.query(Visit).count() == 2


def test_time_taken_meanwhile_refuses_the_plan(scene: Scene) -> None:
    """Nothing of the plan changed, but the technician is on leave now: the rule is named, with the order."""
    plan = planned([scene.station])
    write(lambda: booking.book_absence(session.merge(scene.lu), "leave", local_at(8), local_at(18)))
    with pytest.raises(Conflict) as refused:
        write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    assert (refused.value.code, refused.value.facts["work_order"]) == ("absence", scene.order.number)
    assert session.query(Visit).count() == 0


def test_a_part_of_a_plan(scene: Scene) -> None:
    other = write(lambda: make_order(scene.station)).number
    plan = planned([scene.station])
    number = next(one["number"] for one in plan.outcome["changes"] if one["work_order"] == other)
    (visit,) = write(lambda: services.apply(session.get_one(DispatchPlan, plan.id), [number]))
    assert visit.work_order.number == other
    assert session.get_one(DispatchPlan, plan.id).applied == [number]
    assert session.query(Visit).count() == 1


@pytest.mark.parametrize("numbers", [[], [0], [99], [1, 99]])
def test_changes_the_plan_does_not_have(scene: Scene, numbers: list[int]) -> None:
    plan = planned([scene.station])
    with pytest.raises(Invalid):
        write(lambda: services.apply(session.get_one(DispatchPlan, plan.id), numbers))
    assert session.get_one(DispatchPlan, plan.id).state == "ready"


def test_a_plan_is_applied_once(scene: Scene) -> None:
    plan = planned([scene.station])
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    for act in (services.apply, services.discard):
        with pytest.raises(Conflict):
            write(lambda act=act: act(session.get_one(DispatchPlan, plan.id)))  # type: ignore[misc]
    assert session.query(Visit).count() == 1


def test_two_visits_change_places(scene: Scene) -> None:
    """Each takes the time the other gives up: one after the other neither would fit."""
    second = write(lambda: make_technician(scene.station, "马俊", "Ma Jun"))
    other = write(lambda: make_order(scene.station))
    first = write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(13)))
    last = write(lambda: booking.schedule_visit(session.merge(other), session.merge(second), local_at(13)))
    plan = planned([scene.station])
    plan = write(lambda: _with_changes(plan.id, [(first, second.id), (last, scene.lu.id)]))
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    assert (session.get_one(Visit, first.id).technician_id, session.get_one(Visit, last.id).technician_id) == (
        second.id,
        scene.lu.id,
    )
    held = {one.visit_id: one.technician_id for one in session.query(Booking).filter_by(state="held")}
    assert held == {first.id: second.id, last.id: scene.lu.id}


def test_who_was_sent_is_sent_again_and_the_told_window_stays(scene: Scene) -> None:
    write(lambda: make_technician(scene.station, "马俊", "Ma Jun"))
    visit = write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(13)))
    write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    told = (visit.window_starts_at, visit.window_ends_at)
    write(lambda: _fall_ill(scene.lu))
    plan = planned([scene.station])
    assert changes(plan)[scene.order.number][0] == "moved"
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    after = session.get_one(Visit, visit.id, populate_existing=True)
    assert (after.state, (after.window_starts_at, after.window_ends_at)) == ("dispatched", told)


def test_nobody_is_told_of_a_plan_that_is_only_looked_at(scene: Scene) -> None:
    before = session.query(messages.models.Message).count()
    plan = planned([scene.station])
    write(lambda: services.discard(session.get_one(DispatchPlan, plan.id)))
    assert session.query(messages.models.Message).count() == before
    assert session.get_one(DispatchPlan, plan.id).state == "discarded"


# What is left alone -------------------------------------------------------------------------------


def test_whoever_is_on_the_way_stays(scene: Scene) -> None:
    """D-05: work that began, or begins before anybody could be told, is not touched."""
    visit = write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(13)))
    write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    for to in ("accepted", "en_route"):
        write(lambda to=to: move(session.get_one(Visit, visit.id), to))  # type: ignore[misc]
    far = write(lambda: make_order(scene.station, place=FAR, duration_min=60)).number
    plan = planned([scene.station])
    assert scene.order.number not in changes(plan)
    kind, technician, time = changes(plan)[far]
    assert (kind, technician) == ("placed", scene.lu.id)
    assert time is not None
    assert time >= "08:00"  # 15:00 and the way, after the visit that stands


def test_who_is_absent_is_not_planned(scene: Scene) -> None:
    write(lambda: booking.book_absence(session.merge(scene.lu), "training", local_at(10), local_at(15)))
    ((_kind, technician, time),) = changes(planned([scene.station])).values()
    assert (technician, time) == (scene.lu.id, "07:15")  # 15:15


def test_parts_are_collected_once_and_never_twice(scene: Scene) -> None:
    """T-05: one seal at the station serves one of two orders; the other names the missing part."""

    def want() -> tuple[str, str]:
        one, other = make_order(scene.station), make_order(scene.station)
        part = need_part(one)
        other.items.append(type(one.items[0])(kind="part", part_id=part.id, quantity=1, required=True, opened_at=now()))
        stock(part, scene.station, 1)
        return one.number, other.number

    wanting = set(write(want))
    plan = planned([scene.station])
    left = {one["work_order"]: one for one in plan.outcome["unplaced"]}
    assert len(wanting & changes(plan).keys()) == 1
    (missing,) = wanting & left.keys()
    assert left[missing]["rules"]["part"] >= 1
    assert left[missing]["smallest_change"]["kind"] == "part"


@pytest.mark.parametrize(("hours", "minutes", "day"), [(0, 30, 0), (4, 120, 1)], ids=["this afternoon", "tomorrow"])
def test_T_05_work_waits_until_its_parts_are_there(scene: Scene, hours: int, minutes: int, day: int) -> None:
    """The neighbour's seal is in the store two hours from now; asked at half past two, that is too late for today."""
    clock.advance(hours=hours)

    def want() -> str:
        order = make_order(scene.station, duration_min=minutes)
        part = need_part(order)
        stock(part, scene.station, 0)
        neighbour = make_station("SZYQ", FAR, "苏州园区站", "Suzhou Yuanqu")
        neighbour.functions = ["service", "spare_part"]
        policies.set_override("parts.shared_with_visits", "station", neighbour.id, True, at=now())
        stock(part, neighbour, 1)
        return order.number

    number = write(want)
    plan = planned([scene.station], days=2)
    assert number in changes(plan)
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    visit = session.scalars(select(Visit).join(WorkOrder).where(WorkOrder.number == number)).one()
    assert local(visit.starts_at).date() == DAY + timedelta(days=day)
    sent = session.scalars(select(Transfer)).one()
    assert sent.expected_at <= visit.starts_at
    held = session.scalars(select(Reservation).where(Reservation.for_id == visit.work_order_id)).all()
    assert [(one.state, one.location_id) for one in held if one.for_type == "work_order"] == [("reserved", sent.to_id)]


def test_left_out_work_says_why_and_what_would_help(scene: Scene) -> None:
    """D-06: nobody has the skill; overtime of so many minutes would do for the other."""

    def want() -> tuple[str, str]:
        skilled = make_order(scene.station, skills={"spindle": 2})
        long = make_order(scene.station, duration_min=460)
        return skilled.number, long.number

    skilled, long = write(want)
    left = {one["work_order"]: one for one in planned([scene.station]).outcome["unplaced"]}
    assert left[skilled]["rules"] == {"skill": 2}
    assert all(set(one["words"]) == {"zh", "en"} and one["words"]["zh"] for one in left[skilled]["reasons"])
    assert left[skilled]["smallest_change"]["kind"] == "eligible"
    assert left[long]["smallest_change"]["kind"] in ("overtime", "free")


# Asking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish",
    [
        {"first": DAY - timedelta(days=1)}, {"first": DAY + timedelta(days=200)}, {"days": 0}, {"days": 8},
        {"objective": "profit"}, {"seed": -1}, {"effort": 10**6}, {"weights": {"travel": 99}}, {"weights": {"luck": 1}},
    ],
)  # fmt: skip
def test_wishes_that_cannot_be_meant(scene: Scene, wish: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        planned([scene.station], **wish)
    assert session.query(DispatchPlan).count() == 0


def test_only_who_plans_all_stations(scene: Scene) -> None:
    other = write(lambda: make_station("SZYQ", FAR))
    person = make_user("dispatcher", scene.station.id).as_person()
    with pytest.raises(Forbidden):
        write(lambda: services.ask(person, [scene.station, other], DAY, run=False))
    plan = planned([scene.station, other])
    with pytest.raises(NotFound):
        services.plan_by_id(plan.id, person)
    assert services.recent(person) == []
    both = make_user("director", None).as_person()
    assert both.has("director")
    with pytest.raises(NotFound):
        services.plan_by_id(plan.id, both)  # looks at everything, plans nothing


def test_lists_leave_what_came_out_unread(scene: Scene) -> None:
    """A plan of a city is large; beside others only its figures are shown."""
    planned([scene.station])
    person = make_user("dispatcher", scene.station.id).as_person()
    session.expunge_all()
    (plan,) = services.recent(person)
    assert "outcome" in inspect(plan).unloaded
    assert (plan.figures["after"]["placed"], plan.figures["changes"]) == (1, 1)


def test_a_double_click_asks_once(scene: Scene) -> None:
    person = make_user("dispatcher", scene.station.id).as_person()
    first, again = (write(lambda: services.ask(person, [scene.station], DAY)).id for _ in range(2))
    assert first == again
    other = write(lambda: services.ask(person, [scene.station], DAY, objective="travel")).id
    assert other != first


def test_a_run_is_called_off_or_taken_as_it_is(scene: Scene) -> None:
    for how, state in (("cancel", "cancelled"), ("enough", "ready")):
        plan = write(lambda: services.ask(None, [scene.station], DAY, run=False))
        write(lambda how=how, plan=plan: services.stop(session.get_one(DispatchPlan, plan.id), how))  # type: ignore[misc]
        running.run_here(plan.id)
        assert session.get_one(DispatchPlan, plan.id).state == state
        with pytest.raises(Conflict):
            write(lambda plan=plan: services.stop(session.get_one(DispatchPlan, plan.id), "enough"))  # type: ignore[misc]


def test_a_killed_run_begins_anew(scene: Scene) -> None:
    """The process died between two steps: the job is found and computes the plan after all."""
    plan = write(lambda: services.ask(None, [scene.station], DAY, run=False))
    write(lambda: move(session.get_one(DispatchPlan, plan.id), "computing"))
    running.run_here(plan.id)
    assert session.get_one(DispatchPlan, plan.id).state == "ready"
    running.run_here(plan.id)  # and once more: nothing is left to do
    assert session.get_one(DispatchPlan, plan.id).state == "ready"


def test_a_run_given_up_is_said(scene: Scene) -> None:
    plan = write(lambda: services.ask(None, [scene.station], DAY, run=False))
    write(lambda: running.interrupt(plan.id))
    assert session.get_one(DispatchPlan, plan.id).state == "interrupted"


def test_an_empty_day(scene: Scene) -> None:
    """Nobody on duty, nothing to do: a plan without changes, no error."""
    empty = write(lambda: make_station("NJXX", FAR))
    plan = planned([empty], first=DAY + timedelta(days=30))
    assert (plan.state, plan.outcome["changes"], plan.jobs) == ("ready", [], 0)


def test_a_manager_sets_what_matters(scene: Scene) -> None:
    """D-09: weights are seen and set by station; what is typed wins over both."""
    assert services.mixed("promises", scene.station.id)["travel"] == 1.0
    write(lambda: services.set_weights(scene.station, {"travel": 3.0}))
    assert services.mixed("promises", scene.station.id)["travel"] == 3.0
    assert services.mixed("promises", scene.station.id, {"travel": 0.5})["travel"] == 0.5
    with pytest.raises(Invalid):
        write(lambda: services.set_weights(scene.station, {"travel": 21.0}))
    write(lambda: services.set_weights(scene.station, None))
    assert services.mixed("promises", scene.station.id)["travel"] == 1.0


def test_workers_compute_it(app: Any) -> None:
    """The way it runs in production: in a process of its own."""
    from tests.workorders.scene import make_scene

    scene = make_scene()
    plan = planned([scene.station])
    assert (plan.state, len(plan.outcome["changes"])) == ("ready", 1)


def test_the_clock_is_read_once(scene: Scene) -> None:
    """A plan made late in the day begins after now, never before."""
    clock.advance(hours=6)  # 16:30
    plan = planned([scene.station], days=2)
    (change,) = plan.outcome["changes"]
    assert change["to"]["starts_at"] >= "2026-11-25T08:45"


# Inside -------------------------------------------------------------------------------------------


def _company(station: Station, dice: random.Random, orders: int) -> Sequence[Station]:
    """A second station, people of several kinds, work that waits and work that stands."""
    second = make_station("SZYQ", FAR, "苏州园区站", "Suzhou Yuanqu")
    for one in (station, second):
        one.functions = ["service", "spare_part"]
        policies.set_override("parts.shared_with_visits", "station", one.id, True, at=now())
    people = [
        *team(station, 3, skills={"gearbox": 3, "spindle": 1}, home=_near(dice)),
        *team(second, 2, skills={"gearbox": 2}, home=_near(dice)),
        make_technician(station, "韩冰", "Han Bing", hours=(18, 26), on_call=True),
    ]
    for _at in range(orders):
        where = dice.choice([station, second])
        request = make_request(where, priority=dice.choice(["P1", "P2", "P3"])) if dice.random() < 0.5 else None
        order = make_order(
            where, request=request, place=dice.choice([_near(dice), _near(dice), None]),
            skills=dice.choice([{}, {"gearbox": 2}, {"spindle": 1}]), duration_min=dice.choice([30, 60, 90, 125, 180]),
        )  # fmt: skip
        if dice.random() < 0.25:
            part = need_part(order, number=f"P{order.id}")
            stock_at = dice.random()
            if stock_at < 0.6:
                stock(part, where, 1)
            elif stock_at < 0.9:  # it can be brought from the other station
                for one in (station, second):
                    stock(part, one, int(one is not where))
        if dice.random() < 0.4:
            _try_to_book(order, dice.choice(people), dice)
    for person in dice.sample(people, 2):
        start = local_at(dice.randrange(9, 16))
        try:
            booking.book_absence(person, "training", start, start + timedelta(hours=2))
        except Conflict:
            continue
    return [station, second] if dice.random() < 0.6 else [station]


def _try_to_book(order: WorkOrder, technician: Technician, dice: random.Random) -> None:
    with session.begin_nested():
        try:
            visit = booking.schedule_visit(order, technician, now() + timedelta(minutes=5 * dice.randrange(2, 80)))
        except Conflict:
            return
    if dice.random() < 0.4:
        booking.send_visit(visit)


def _near(dice: random.Random) -> Point:
    return Point(HOME.latitude + dice.uniform(-0.15, 0.15), HOME.longitude + dice.uniform(-0.15, 0.15))


def _fall_ill(technician: Technician) -> None:
    session.merge(technician).skills[0].level = 1


def _with_changes(plan_id: int, moves: list[tuple[Visit, int]]) -> DispatchPlan:
    """A plan that says just that."""
    plan = session.get_one(DispatchPlan, plan_id)
    told = [
        {
            "number": at, "kind": "moved", "order_id": visit.work_order_id, "order_version": 0, "visit_id": visit.id,
            "visit_version": session.get_one(Visit, visit.id).version,
            "to": {
                "technician": technician, "starts_at": visit.starts_at.isoformat(),
                "ends_at": visit.ends_at.isoformat(),
            },
        }
        for at, (visit, technician) in enumerate(moves, start=1)
    ]  # fmt: skip
    plan.outcome = {**plan.outcome, "changes": told}
    return plan
