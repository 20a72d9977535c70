"""What people decide about orders, and what follows from their visits: hold, cancel, give up, close, reopen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import history, notes_of
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders import booking, orders
from fieldservice.workorders.models import Booking, Visit, WorkItem, WorkOrder
from tests import factories as make
from tests.mechanisms.people_and_things import threads

Act = Callable[[WorkOrder], Any]
ON_THE_WAY = ("accepted", "en_route")
AT_THE_MACHINE = (*ON_THE_WAY, "on_site", "in_progress")


@pytest.fixture
def planned(app: Flask) -> int:
    """An order with a visit that was sent; gives its id."""

    def build() -> int:
        station = make.station()
        machine = make.asset(make.site(make.customer()))
        order = make.order(machine=machine)
        make.visit(order, make.technician(station))
        return order.id

    return write(build)


def do(order_id: int, act: Act) -> WorkOrder:
    write(lambda: act(session.get_one(WorkOrder, order_id)))
    return session.get_one(WorkOrder, order_id)


def walk(*states: str, **facts: Any) -> Act:
    """Moves the last visit through these states as visits.py does, and settles the order after each."""

    def act(order: WorkOrder) -> None:
        visit = order.visits[-1]
        for state in states:
            needs_reason = state in Visit.lifecycle.reason_for
            for name, value in facts.items():
                setattr(visit, name, value)
            if state in ("completed", "partially_completed", "cannot_complete"):
                visit.finished_at = now()
            move(visit, state, reason="other" if needs_reason else None)
            orders.settle(order, now())

    return act


def state_of(order_id: int) -> tuple[str, str]:
    order = session.get_one(WorkOrder, order_id)
    assert order.request is not None
    return order.state, order.request.state


# Derived ------------------------------------------------------------------------------------------


def test_the_state_follows_the_visit(planned: int) -> None:
    assert state_of(planned) == ("dispatched", "converted")
    assert do(planned, walk("accepted", "en_route")).state == "dispatched"
    assert do(planned, walk("on_site")).state == "in_progress"
    assert do(planned, walk("in_progress", "paused")).state == "in_progress"
    done = do(planned, walk("completed"))
    assert (done.state, done.completed_at, done.restored_at) == ("completed", now(), now())
    assert state_of(planned) == ("completed", "resolved")


def test_a_visit_told_at_once_takes_every_step_of_the_table(planned: int) -> None:
    """A tablet that was offline: the visit is over before the order heard that it began."""

    def late(order: WorkOrder) -> None:
        for state in (*AT_THE_MACHINE, "completed"):
            move(order.visits[0], state)
        order.visits[0].finished_at = now()
        orders.settle(order, now())

    order = do(planned, late)
    kinds = [event.kind for event in history(order)]
    assert kinds[-2:] == ["work_order.in_progress", "work_order.completed"]


def test_a_partial_visit_leaves_the_order_ready_until_the_next_one_finishes_it(planned: int) -> None:
    def leave_something(order: WorkOrder) -> None:
        order.items.append(WorkItem(kind="follow_up", words="换联轴器", required=True, opened_at=now()))
        walk(*AT_THE_MACHINE, "partially_completed")(order)

    assert do(planned, leave_something).state == "ready"
    assert state_of(planned)[1] == "converted"

    def again(order: WorkOrder) -> None:
        booking.schedule_visit(order, order.visits[0].technician, now() + timedelta(days=1))
        booking.send_visit(order.visits[-1])
        order.items[-1].done_at = now()
        walk(*AT_THE_MACHINE, "completed")(order)

    assert do(planned, again).state == "completed"
    assert state_of(planned)[1] == "resolved"


@pytest.mark.parametrize("end", ["missed", "cancelled", "declined"])
def test_a_visit_that_falls_through_leaves_the_order_ready(planned: int, end: str) -> None:
    assert do(planned, walk(end)).state == "ready"


def test_an_impossible_visit_needs_a_decision_and_may_be_planned_again(planned: int) -> None:
    order = do(planned, walk(*AT_THE_MACHINE, "cannot_complete", end_reason="needs_quote"))
    assert state_of(planned) == ("cannot_complete", "converted")
    assert list(notes_of(history(order)).values())[-1] == "needs_quote"
    assert orders.allowed(order) == ["closed", "ready"]
    again = do(planned, lambda one: orders.decide(one, "ready", now()))
    assert (again.state, again.completed_at) == ("ready", None)

    def plan_and_drop(order: WorkOrder) -> None:
        booking.cancel_visit(booking.schedule_visit(order, order.visits[0].technician, now() + timedelta(days=1)), "x")

    assert do(planned, plan_and_drop).state == "ready"  # the old visit is history


def test_settling_twice_records_nothing_more(planned: int) -> None:
    do(planned, walk("accepted"))
    before = len(history(session.get_one(WorkOrder, planned)))
    do(planned, lambda order: orders.settle(order, now()))
    assert len(history(session.get_one(WorkOrder, planned))) == before


# Decided ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["scheduled", "dispatched", "in_progress", "completed"])
def test_derived_states_are_never_typed(planned: int, to: str) -> None:
    with pytest.raises(Conflict) as refused:
        do(planned, lambda order: orders.decide(order, to, now()))
    assert refused.value.code == "derived_state"
    assert refused.value.facts["allowed"] == ["cancelled"]


def test_hold_needs_a_reason_and_a_ready_order(planned: int) -> None:
    with pytest.raises(Conflict):
        do(planned, lambda order: orders.hold(order, "等备件", now()))
    do(planned, walk("missed"))
    with pytest.raises(Invalid) as refused:
        do(planned, lambda order: orders.hold(order, "  ", now()))
    assert refused.value.code == "reason_needed"
    assert do(planned, lambda order: orders.hold(order, "等停机许可", now())).state == "on_hold"
    assert do(planned, lambda order: orders.release(order, now())).state == "ready"


def test_work_under_way_is_held_only_while_the_technician_pauses(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE))
    with pytest.raises(Conflict) as refused:
        do(planned, lambda order: orders.hold(order, "等备件", now()))
    assert refused.value.code == "at_work"
    do(planned, walk("paused"))
    assert orders.allowed(session.get_one(WorkOrder, planned)) == ["on_hold"]
    assert do(planned, lambda order: orders.hold(order, "等备件", now())).state == "on_hold"
    assert do(planned, walk("in_progress")).state == "in_progress"


def test_work_that_ended_while_on_hold_is_completed(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE, "paused"))
    do(planned, lambda order: orders.hold(order, "等备件", now()))
    assert do(planned, walk("completed")).state == "completed"
    assert state_of(planned)[1] == "resolved"


def test_release_with_a_paused_visit_goes_back_to_work(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE, "paused"))
    do(planned, lambda order: orders.hold(order, "等备件", now()))
    assert do(planned, lambda order: orders.release(order, now())).state == "in_progress"


def test_a_cancelled_order_frees_the_technician_and_ends_the_request(planned: int) -> None:
    order = do(planned, lambda one: orders.cancel(one, "客户自己修好了", now()))
    assert state_of(planned) == ("cancelled", "cancelled")
    assert [visit.state for visit in order.visits] == ["cancelled"]
    assert session.scalars(select(Booking.state)).all() == ["released"]
    assert order.request is not None
    assert {clock.state for clock in clocks.of(order.request) if clock.kind != "first_answer"} == {"void"}


@pytest.mark.parametrize(
    "states",
    [("accepted", "en_route", "on_site"), (*AT_THE_MACHINE, "paused"), (*AT_THE_MACHINE, "partially_completed")],
)
def test_nobody_cancels_once_somebody_was_on_site(planned: int, states: tuple[str, ...]) -> None:
    order = do(planned, walk(*states))
    before = state_of(planned)
    assert "cancelled" not in orders.allowed(order)
    with pytest.raises(Conflict) as refused:
        do(planned, lambda one: orders.cancel(one, "不要了", now()))
    assert refused.value.code == "on_site"
    assert state_of(planned) == before


def test_what_is_left_of_the_work_may_be_given_up(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE, "partially_completed"))
    with pytest.raises(Invalid):
        do(planned, lambda order: orders.decide(order, "cannot_complete", now()))
    order = do(planned, lambda one: orders.decide(one, "cannot_complete", now(), "客户另购新机"))
    assert (order.state, order.completed_at) == ("cannot_complete", now())


def test_nobody_gives_up_while_a_visit_is_planned(planned: int) -> None:
    with pytest.raises(Conflict) as refused:
        do(planned, lambda order: orders.give_up(order, "x", now()))
    assert refused.value.code == "at_work"


def test_a_cancelled_request_cancels_its_order(planned: int) -> None:
    do(planned, lambda order: intake.cancel(order.request, "重复报修", now()))
    assert state_of(planned) == ("cancelled", "cancelled")
    assert list(notes_of(history(session.get_one(WorkOrder, planned))).values()) == ["重复报修"]


def test_a_request_is_not_cancelled_under_the_hands_of_a_technician(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE))
    with pytest.raises(Conflict) as refused:
        do(planned, lambda order: intake.cancel(order.request, "x", now()))
    assert refused.value.code == "on_site"
    assert state_of(planned) == ("in_progress", "converted")


# The end, and again -------------------------------------------------------------------------------


def test_closing_the_request_closes_the_order(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE, "completed"))
    order = do(planned, lambda one: intake.close(one.request, now(), signed_off=True))
    assert (state_of(planned), order.closed_at) == (("closed", "closed"), now())


def test_closing_the_order_closes_a_resolved_request(planned: int) -> None:
    do(planned, walk(*AT_THE_MACHINE, "completed"))
    do(planned, lambda order: orders.decide(order, "closed", now()))
    assert state_of(planned) == ("closed", "closed")


def test_a_reopened_request_gets_an_order_of_its_own(planned: int, clock: Clock) -> None:
    do(planned, walk(*AT_THE_MACHINE, "completed"))
    do(planned, lambda order: intake.close(order.request, now()))
    clock.advance(days=29)
    do(planned, lambda order: intake.reopen(order.request, "又漏油", now()))
    second = write(lambda: make.order(session.scalars(select(ServiceRequest)).one()).id)
    assert second != planned
    assert session.get_one(WorkOrder, planned).state == "closed"
    assert state_of(second) == ("ready", "converted")


def test_a_request_with_other_open_work_is_not_resolved(planned: int) -> None:
    def second(order: WorkOrder) -> None:
        other = WorkOrder(
            number="WO-2026-900000", station_id=order.station_id, request_id=order.request_id, titles={"zh": "x"},
            work_type=order.work_type, work_type_version=1, kind=order.kind, priority="P1", duration_min=60,
            skills={}, certificates=[], created_at=now(), state="ready",
        )  # fmt: skip
        session.add(other)

    do(planned, second)
    do(planned, walk(*AT_THE_MACHINE, "completed"))
    assert state_of(planned) == ("completed", "converted")


# At once ------------------------------------------------------------------------------------------


def test_an_arrival_and_a_cancellation_at_once_never_both_happen(planned: int, app: Flask) -> None:
    """Whoever comes second hears that it is too late; nobody stands on site for a cancelled order."""
    do(planned, walk(*ON_THE_WAY))

    def press(number: int) -> str:
        act = (lambda order: orders.cancel(order, "不要了", now())) if number % 2 else walk("on_site")
        try:
            write(lambda: act(session.get_one(WorkOrder, planned)))
        except Conflict as refused:
            return refused.code
        return "done"

    answers = threads(app, press, 2)
    assert answers.count("done") == 1
    order = session.get_one(WorkOrder, planned)
    session.refresh(order)
    expected = ("in_progress", "on_site") if answers[0] == "done" else ("cancelled", "cancelled")
    assert (order.state, order.visits[0].state) == expected
    assert set(answers) <= {"done", "on_site", "move_forbidden"}
