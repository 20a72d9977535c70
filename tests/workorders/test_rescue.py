"""Rescue of another maker's machine: whose make it is, the manager's half hour, nobody sent before, one decision."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import select

from fieldservice.assets import brands
from fieldservice.assets.models import Brand
from fieldservice.contracts import promises
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.tasks import Task, tasks_for
from fieldservice.portal import queries as portal
from fieldservice.workorders import booking, catalogue, findings, sheets, triage, visits
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.rescue.models import Rescue
from fieldservice.workorders.rescue.services import Decision, Told
from fieldservice.workorders.service_report.parts import part_in
from tests import factories as make
from tests.conftest import make_user
from tests.mechanisms.people_and_things import person, threads

RESCUE = "competitor_rescue"
GOODWILL = Decision(approved=True, coverage="goodwill")
REFUSED = Decision(approved=False, reason="没有这种控制器的人。")
WEEK = 168 * 60  # minutes


@pytest.fixture
def reported(app: Flask) -> int:
    """A fault of a machine of another make, out of warranty; our own brand is listed. Gives the request's id."""

    def build() -> int:
        station = make.station()
        make.technician(station, skills={"electrical": 1, "hydraulics": 2, "gearbox": 1})
        session.add(Brand(name="臻护", also="Zhenhu; ZH", own=True))
        machine = make.asset(make.site(make.customer()), brand="SEW", warranty_until=None)
        return make.request(machine).id

    return write(build)


def request_of(request_id: int) -> ServiceRequest:
    return session.get_one(ServiceRequest, request_id)


def asked(request_id: int, **facts: Any) -> WorkOrder:
    given: dict[str, Any] = {
        "priority": "P1",
        "work_type": RESCUE,
        "at": now(),
        "told": Told(their_minutes=WEEK),
        **facts,
    }
    order_id = write(lambda: triage.triage_request(request_of(request_id), **given).id)
    return session.get_one(WorkOrder, order_id)


def rescue_of(order: WorkOrder) -> Rescue:
    return session.scalars(select(Rescue).where(Rescue.work_order_id == order.id)).one()


def decided(order: WorkOrder, decision: Decision) -> WorkOrder:
    write(lambda: rescues.decide(session.get_one(WorkOrder, order.id), decision, now()))
    return session.get_one(WorkOrder, order.id)


def planned(order: WorkOrder) -> Visit:
    def work() -> int:
        technician = session.scalars(select(make.Technician)).first()
        return make.visit(session.get_one(WorkOrder, order.id), technician, sent=False).id  # type: ignore[arg-type]

    return session.get_one(Visit, write(work))


def told(template: str) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.template == template)))


# Whose make -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "brand", "own", "foreign"),
    [
        ((("臻护", "Zhenhu; ZH", True),), "臻护", True, False),
        ((("臻护", "Zhenhu; ZH", True),), "ZHENHU", True, False),
        ((("臻护", "Zhenhu; ZH", True),), "z-h", True, False),
        ((("臻护", "Zhenhu; ZH", True),), "SEW", False, True),
        ((("臻护", "Zhenhu; ZH", True),), "", False, False),
        ((("臻护", "Zhenhu; ZH", True), ("岩硕", "", False)), "岩硕", False, True),
        ((("岩硕", "", False),), "岩硕", False, True),
        ((("岩硕", "", False),), "SEW", False, False),  # nobody said which are ours
        ((), "SEW", False, False),
    ],
)
def test_x01_whose_make_a_machine_is(app: Flask, rows: Any, brand: str, own: bool, foreign: bool) -> None:
    write(lambda: session.add_all([Brand(name=name, also=also, own=ours) for name, also, ours in rows]))
    assert (brands.is_own(brand), brands.is_another_makers(brand)) == (own, foreign)


@pytest.mark.parametrize(
    ("brand", "typed", "wrong"),
    [
        ("SEW", "", None), ("SEW", "anything", None), ("", "Haas", None), (None, "Haas", None),
        ("臻护", "", "work_type"), ("", "", "brand"), (None, "  ", "brand"), (None, "zhenhu", "brand"),
        (None, "长" * 81, "brand"),
    ],
)  # fmt: skip
def test_x01_a_rescue_is_asked_for_other_makes_only(
    reported: int, brand: str | None, typed: str, wrong: str | None
) -> None:
    def prepare() -> None:
        found = request_of(reported)
        if brand is None:
            found.asset_id = None
        else:
            assert found.asset is not None
            found.asset.brand = brand

    write(prepare)
    if wrong is None:
        assert rescue_of(asked(reported, told=Told(typed))).brand == (brand or typed)
        return
    with pytest.raises(Invalid) as refusal:
        asked(reported, told=Told(typed))
    assert set(refusal.value.errors) == {wrong}
    assert session.scalar(select(Rescue.id)) is None


@pytest.mark.parametrize("minutes", [0, -60, 366 * 24 * 60 + 1])
def test_x02_their_time_must_be_meant(reported: int, minutes: int) -> None:
    with pytest.raises(Invalid) as refusal:
        asked(reported, told=Told(their_minutes=minutes))
    assert set(refusal.value.errors) == {"their_hours"}


# Asking ---------------------------------------------------------------------------------------------


def test_x01_a_rescue_starts_unapproved_with_a_clock_a_task_and_the_24_hours(reported: int, clock: Clock) -> None:
    received = request_of(reported).received_at
    clock.advance(minutes=9)
    order = asked(reported)
    rescue = rescue_of(order)
    assert (rescue.state, rescue.brand, rescue.their_minutes, order.kind) == ("awaiting", "SEW", WEEK, RESCUE)
    (approval,) = clocks.of(order)
    assert (approval.kind, approval.calendar, approval.told) == ("approval", "wall", False)
    assert approval.due_at == now() + timedelta(minutes=30), "from the asking"
    restore = next(one for one in clocks.of(request_of(reported)) if one.kind == "restore")
    assert restore.due_at == received + timedelta(hours=24), "from the report, not from the approval"
    (task,) = session.scalars(select(Task).where(Task.title == "approve_rescue"))
    assert (task.owner_role, task.supervisor_role, task.due_at) == ("station_manager", "director", approval.due_at)
    assert order.coverage == "billable"
    assert "Not decided" in sheets.coverage_text(order) or "待定" in sheets.coverage_text(order)


def test_x01_the_24_hours_hold_even_where_nothing_was_promised_yet(reported: int) -> None:
    def forget() -> None:
        clocks.void(request_of(reported), "restore", at=now(), reason="test")

    write(forget)
    asked(reported)
    restore = [one for one in clocks.of(request_of(reported)) if one.kind == "restore" and one.is_open]
    assert [one.due_at for one in restore] == [request_of(reported).received_at + timedelta(hours=24)]


def test_x01_a_rescue_is_no_planned_work(reported: int) -> None:
    with pytest.raises(Invalid) as refusal:
        asked(reported, priority="P4", reason="later")
    assert "priority" in refusal.value.errors


@pytest.mark.parametrize(
    ("industry", "skills"),
    [
        ("lubricants", {"electrical": 1, "hydraulics": 2, "gearbox": 1}),
        ("cnc", {"electrical": 1, "cnc_control": 2, "servo": 1}),
        ("coatings", {"electrical": 1, "spray_equipment": 2}), ("general", {"electrical": 1, "hydraulics": 1}),
    ],
)  # fmt: skip
def test_x01_skills_follow_the_industry(reported: int, industry: str, skills: dict[str, int]) -> None:
    def set_industry() -> None:
        machine = request_of(reported).asset
        assert machine is not None
        machine.industry = industry

    write(set_industry)
    assert asked(reported).skills == skills


def test_x01_orders_of_the_former_version_keep_their_checklist(sqlite_app: Flask) -> None:
    former, present = catalogue.work_type(RESCUE, 1).form, catalogue.work_type(RESCUE).form
    assert "consent" in {field.code for field in former.fields}
    assert {field.code: field.type for field in present.fields if field.required} == {
        "lockout": "check", "waiver": "photo", "nameplate": "photo", "diagnosis": "text", "restored": "choice",
    }  # fmt: skip


def test_x01_a_station_may_only_be_quicker(reported: int) -> None:
    station_id = request_of(reported).station_id
    write(lambda: policies.set_override(promises.RESCUE_APPROVAL, "station", station_id, "15 min", at=now()))
    assert clocks.of(asked(reported))[0].limit_minutes == 15
    with pytest.raises(Invalid):
        write(lambda: policies.set_override(promises.RESCUE_APPROVAL, "station", station_id, "45 min", at=now()))


# Nobody is sent before ------------------------------------------------------------------------------


def test_x01_it_is_planned_while_it_waits_and_sent_once_approved(reported: int) -> None:
    order = asked(reported)
    visit = planned(order)
    with pytest.raises(Conflict) as refusal:
        write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    assert refusal.value.code == "approval"
    assert session.get_one(Visit, visit.id).state == "scheduled"
    assert told("visit_planned") == [], "a customer is not told of somebody who may not come"
    assert portal.order_and_visit(request_of(reported))[1] is None
    decided(order, GOODWILL)
    write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    assert session.get_one(Visit, visit.id).state == "dispatched"
    assert len(told("visit_planned")) == 1
    assert len(told("rescue_approved")) == 1
    assert portal.order_and_visit(request_of(reported))[1] is not None


def test_x01_other_work_needs_no_approval(reported: int) -> None:
    order = asked(reported, work_type="gearbox_seal_change", told=None)
    with pytest.raises(Conflict) as refusal:
        decided(order, GOODWILL)
    assert refusal.value.code == "no_rescue"
    assert clocks.of(order) == []


# Deciding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "coverage", "estimate"),
    [
        (GOODWILL, "goodwill", None),
        (Decision(approved=True, coverage="goodwill", estimate=500_00), "goodwill", None),
        (Decision(approved=True, coverage="paid", estimate=4_800_00), "billable", 4_800_00),
    ],
)
def test_x01_the_manager_says_who_pays(reported: int, decision: Decision, coverage: str, estimate: int | None) -> None:
    order = decided(asked(reported), decision)
    rescue = rescue_of(order)
    assert (rescue.state, order.coverage, rescue.estimate) == ("approved", coverage, estimate)
    assert "SEW" in rescue.waiver, "the usual text"
    assert clocks.of(order)[0].state == "kept"
    (task,) = session.scalars(select(Task).where(Task.title == "approve_rescue"))
    assert (task.state, task.result) == ("done", "approved")
    template = "rescue_approved_paid" if estimate else "rescue_approved"
    assert len(told(template)) == 1
    assert "SEW" in sheets.coverage_text(order)


@pytest.mark.parametrize(
    ("decision", "wrong"),
    [
        (Decision(approved=True), {"coverage"}),
        (Decision(approved=True, coverage="warranty"), {"coverage"}),
        (Decision(approved=True, coverage="paid"), {"estimate"}),
        (Decision(approved=True, coverage="paid", estimate=0), {"estimate"}),
        (Decision(approved=True, coverage="goodwill", waiver="  "), {"waiver"}),
        (Decision(approved=True, coverage="x", waiver=""), {"coverage", "waiver"}),
        (Decision(approved=False, reason=" "), {"reason"}),
        (Decision(approved=False, reason="长" * 301), {"reason"}),
    ],
)
def test_x01_what_is_missing_is_said_and_nothing_is_decided(reported: int, decision: Decision, wrong: set[str]) -> None:
    order = asked(reported)
    with pytest.raises(Invalid) as refusal:
        decided(order, decision)
    session.rollback()
    assert set(refusal.value.errors) == wrong
    assert rescue_of(order).state == "awaiting"


def test_x01_a_refusal_cancels_the_order_frees_the_visit_and_is_told_kindly(reported: int) -> None:
    order = asked(reported)
    visit = planned(order)
    order = decided(order, REFUSED)
    assert (order.state, rescue_of(order).state, rescue_of(order).reason) == ("cancelled", "refused", REFUSED.reason)
    assert session.get_one(Visit, visit.id).state == "cancelled"
    assert [one.state for one in session.scalars(select(Booking).where(Booking.visit_id == visit.id))] == ["released"]
    assert request_of(reported).state == "cancelled"
    (message,) = told("rescue_refused")
    assert REFUSED.reason not in str(message.facts), "the reason stays with us"
    assert told("visit_called_off") == []


def test_x01_the_second_manager_gets_what_happened(reported: int, app: Flask) -> None:
    order = asked(reported)
    ids = [make_user("station_manager", order.station_id, name=name).id for name in ("沈文", "韩静")]
    outcomes: list[Any] = []

    def decide_as(user_id: int, decision: Decision) -> None:
        g.actor = f"user:{user_id}"
        try:
            outcomes.append(decided(order, decision).coverage)
        finally:
            g.pop("actor")

    decide_as(ids[0], GOODWILL)
    decide_as(ids[0], GOODWILL)  # a double click
    assert outcomes == ["goodwill", "goodwill"]
    with pytest.raises(Conflict) as refusal:
        decide_as(ids[1], Decision(approved=True, coverage="paid", estimate=100_00))
    assert refusal.value.code == "decided"
    assert "沈文" in str(refusal.value.message)
    assert len(told("rescue_approved")) == 1
    assert session.get_one(WorkOrder, order.id).coverage == "goodwill"


def test_x01_of_two_managers_at_once_one_wins(app: Flask, reported: int) -> None:
    order_id = asked(reported).id
    visit = planned(session.get_one(WorkOrder, order_id))

    def decide(number: int) -> Any:
        g.actor = f"user:{900 + number}"
        wanted = REFUSED if number % 2 else Decision(approved=True, coverage="goodwill")
        try:
            return write(lambda: rescues.decide(session.get_one(WorkOrder, order_id), wanted, now()).state)
        except DomainError as error:
            return error.code

    outcomes = threads(app, decide, 4)
    states = [one for one in outcomes if one in ("approved", "refused")]
    assert len(states) == 1, outcomes
    assert outcomes.count("decided") == 3, outcomes
    session.rollback()
    order = session.get_one(WorkOrder, order_id)
    assert order.state == ("scheduled" if states == ["approved"] else "cancelled")
    assert session.get_one(Visit, visit.id).state == ("scheduled" if states == ["approved"] else "cancelled")


def test_x01_a_cancelled_order_needs_no_decision(reported: int) -> None:
    order = asked(reported)
    write(lambda: intake.cancel(request_of(reported), "原厂来了。", now()))
    assert (rescue_of(order).state, clocks.of(order)[0].state) == ("withdrawn", "void")
    (task,) = session.scalars(select(Task).where(Task.title == "approve_rescue"))
    assert task.state == "cancelled"
    with pytest.raises(Conflict) as refusal:
        decided(order, GOODWILL)
    assert refusal.value.code == "decided"


# The half hour --------------------------------------------------------------------------------------


def test_x01_an_overdue_approval_goes_to_the_director_and_a_late_one_takes_it_back(reported: int, clock: Clock) -> None:
    order = asked(reported)
    clock.advance(minutes=27)
    write(lambda: clocks.tick(now()))
    assert clocks.of(order)[0].warned == 90
    clock.advance(minutes=4)
    write(lambda: clocks.tick(now()))
    director = person(director=None)
    titles = {task.title for task in tasks_for(director)}
    assert {"approval_overdue", "approve_rescue"} <= titles
    decided(order, GOODWILL)
    assert clocks.of(order)[0].state == "breached"
    assert {task.title for task in tasks_for(director)} & {"approval_overdue", "approve_rescue"} == set()


# On site and afterwards -----------------------------------------------------------------------------


def test_x01_the_signed_waiver_is_needed_to_finish_and_stands_in_the_report(reported: int, clock: Clock) -> None:
    order = decided(asked(reported), GOODWILL)
    visit_id = planned(order).id

    def go() -> None:
        visit = session.get_one(Visit, visit_id)
        booking.send_visit(visit)
        for step in (visits.accept, visits.set_off, visits.arrive, visits.start):
            clock.advance(minutes=5)
            step(visit, now())

    write(go)
    assert len(findings.unanswered(session.get_one(WorkOrder, order.id))) == 5
    report = part_in("zh", session.get_one(WorkOrder, order.id), photos=[], signature="")
    facts = [f"{label} {fact} {more}" for label, fact, more in report.facts]
    assert any("风险告知书" in fact and "SEW" in fact for fact in facts)
    assert any("友情支援" in fact for fact in facts)
