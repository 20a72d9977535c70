"""The main job through the services: a report becomes a promise, and the promise is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from fieldservice.assets.models import Asset
from fieldservice.feedback import services as feedback
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.insight import figures
from fieldservice.insight.verify import verify
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import log_new_events
from fieldservice.mechanisms.messages import Message
from fieldservice.mechanisms.metrics import Period, Scope, measure
from fieldservice.parts.models import Part
from fieldservice.parts.queries import stock_of, van_of
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, catalogue, suggestions, triage, visits
from fieldservice.workorders.models import WorkOrder
from tests.company import make_company
from tests.workorders.cast import DAY

PATTERN = "gearbox_output_seal_leak"


@pytest.fixture
def company(app: Flask) -> dict[str, int]:
    """A station, a technician with a van, a customer with a gearbox."""
    return write(make_company)


def report(company: dict[str, int], **facts: object) -> int:
    """A report by the company's customer; gives the request's id."""
    given = {
        "channel": "portal",
        "contact_name": "何工",
        "contact_phone": "13912340608",
        "description": "减速机输出轴往下滴油",
        "severity": "line_stop",
        "language": "zh",
        "place": intake.Place(),
        "at": now(),
        **facts,
    }
    return write(lambda: intake.report_fault(asset=session.get_one(Asset, company["asset"]), **given).id)  # type: ignore[arg-type]


def plan(request_id: int, company: dict[str, int]) -> int:
    """Triage and book; gives the order's id."""

    def work() -> int:
        request = session.get_one(ServiceRequest, request_id)
        order = triage.triage_request(request, priority="P1", work_type="gearbox_seal_change", at=now())
        technician = session.get_one(Technician, company["technician"])
        visit = booking.schedule_visit(order, technician, at_local(DAY, 11, 30))
        booking.send_visit(visit)
        return order.id

    return write(work)


def finish(order_id: int, clock: Clock) -> None:
    """The technician does the visit, part and checklist included."""
    order = session.get_one(WorkOrder, order_id)
    visit_id = order.visits[-1].id
    steps = [visits.accept, visits.set_off, visits.arrive, visits.start]
    for step in steps:
        write(lambda step=step: step(session.get_one(type(order.visits[-1]), visit_id), now()))  # type: ignore[misc]
        clock.advance(minutes=15)

    def record() -> None:
        visit = session.get_one(type(order.visits[-1]), visit_id)
        for field in catalogue.checklist_of(visit.work_order).fields:
            visits.answer(visit, field.code, _value(field), now())
        visits.choose_pattern(visit, PATTERN, now())
        number, _quantity = catalogue.work_type("gearbox_seal_change").parts[0]
        part = session.scalars(session.query(Part).filter_by(number=number).statement).one()  # type: ignore[attr-defined]
        visits.use_part(visit, part, Decimal(1), now())
        visits.finish(visit, outcome="completed", restored=True, at=now())

    write(record)


def _value(field: object) -> object:
    kind = field.type  # type: ignore[attr-defined]
    if kind == "check":
        return True
    if kind == "number":
        low, high = field.low, field.high  # type: ignore[attr-defined]
        return float(field.nominal or low or high)  # type: ignore[attr-defined]
    if kind == "choice":
        return field.options[0].code  # type: ignore[attr-defined]
    return [1] if kind == "photo" else "ok"


def test_a_report_becomes_a_kept_promise(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    request = session.get_one(ServiceRequest, request_id)
    assert {one.kind for one in clocks.of(request)} == {"first_answer", "arrival", "restore"}
    assert clocks.of(request)[1].limit_minutes == 120  # VIP: half of four hours
    clock.advance(minutes=9)
    order_id = plan(request_id, company)
    clock.fix(at_local(DAY, 11, 25))
    finish(order_id, clock)
    request, order = session.get_one(ServiceRequest, request_id), session.get_one(WorkOrder, order_id)
    assert (request.state, order.state) == ("resolved", "completed")
    assert {one.kind: one.state for one in clocks.of(request)} == dict.fromkeys(
        ("first_answer", "arrival", "restore"), "kept"
    )
    assert order.coverage == "warranty"
    van = van_of(company["technician"])
    assert van is not None
    assert Decimal(4) in stock_of([1, 2, 3, 4], [van.id]).values()

    write(lambda: intake.close(session.get_one(ServiceRequest, request_id), now(), signed_off=True))
    scores = dict.fromkeys(feedback.dimensions(), 5)
    write(lambda: feedback.answer(session.get_one(ServiceRequest, request_id), scores, now()))
    assert session.get_one(WorkOrder, order_id).state == "closed"
    clock.advance(days=1)
    period = Period.last_days(7)
    assert measure("promise_kept", period, Scope()).value == 100
    assert measure("resolve_24h", period, Scope()).value == 100
    assert measure("first_response", period, Scope()).value == 9
    assert (measure("top_box", period, Scope()).numerator, measure("top_box", period, Scope()).denominator) == (5, 5)
    clock.advance(days=31)
    assert measure("first_time_fix", Period.last_days(28), Scope()).value == 100
    write(lambda: log_new_events(1000))
    assert [check.code for check in verify() if not check.sound] == []
    assert timedelta(days=30) == figures.WATCH
    told = {message.template for message in session.query(Message)}  # type: ignore[attr-defined]
    assert {"report_received", "machine_restored"} <= told


def test_S_13_no_plain_summary_no_finish(company: dict[str, int], clock: Clock) -> None:
    order_id = plan(report(company), company)
    clock.fix(at_local(DAY, 11, 25))
    visit_id = session.get_one(WorkOrder, order_id).visits[0].id
    kind = type(session.get_one(WorkOrder, order_id).visits[0])
    for step in (visits.accept, visits.set_off, visits.arrive, visits.start):
        write(lambda step=step: step(session.get_one(kind, visit_id), now()))  # type: ignore[misc]
    with pytest.raises(Invalid) as refused:
        write(lambda: visits.finish(session.get_one(kind, visit_id), outcome="completed", restored=True, at=now()))
    assert {"summary", "failure", "checklist"} <= set(refused.value.errors)


def test_G_15_severity_outranks_tier_and_lowering_needs_a_reason(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company, severity="safety")
    request = session.get_one(ServiceRequest, request_id)
    assert request.priority == "P1"
    with pytest.raises(Invalid) as refused:
        write(
            lambda: triage.triage_request(
                session.get_one(ServiceRequest, request_id), priority="P3", work_type="gearbox_seal_change", at=now()
            )
        )
    assert "reason" in refused.value.errors


def test_triage_never_lengthens_a_promise(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    before = {one.kind: one.due_at for one in clocks.of(session.get_one(ServiceRequest, request_id))}
    write(lambda: triage.triage_request(
        session.get_one(ServiceRequest, request_id), priority="P3", work_type="gearbox_seal_change",
        reason="备用机运行", at=now(),
    ))  # fmt: skip
    after = {one.kind: one.due_at for one in clocks.of(session.get_one(ServiceRequest, request_id))}
    assert after == before


def test_a_second_triage_is_told_what_happened(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    plan(request_id, company)
    with pytest.raises(Conflict):
        plan(request_id, company)


def test_a_form_sent_twice_makes_one_request(company: dict[str, int], clock: Clock) -> None:
    assert report(company, receipt_key="abc") == report(company, receipt_key="abc")


def test_suggestions_name_the_technician(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    order_id = write(lambda: triage.triage_request(
        session.get_one(ServiceRequest, request_id), priority="P1", work_type="gearbox_seal_change", at=now()
    ).id)  # fmt: skip
    found = suggestions.suggest(session.get_one(WorkOrder, order_id), start=now(), end=now() + timedelta(days=2))
    assert [one.member.id for one in found.suggestions][:1] == [company["technician"]]


def test_reopened_within_30_days_only(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    order_id = plan(request_id, company)
    clock.fix(at_local(DAY, 11, 25))
    finish(order_id, clock)
    write(lambda: intake.close(session.get_one(ServiceRequest, request_id), now(), signed_off=True))
    clock.advance(days=31)
    with pytest.raises(Conflict):
        write(lambda: intake.reopen(session.get_one(ServiceRequest, request_id), "又漏油", now()))
    clock.advance(days=-2)
    write(lambda: intake.reopen(session.get_one(ServiceRequest, request_id), "又漏油", now()))
    assert session.get_one(ServiceRequest, request_id).state == "reopened"
