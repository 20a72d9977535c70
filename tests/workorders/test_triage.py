"""A request becomes work: priority with its reason, promises never lengthened, one of two dispatchers wins."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from fieldservice.contracts import promises
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.time import Clock, now, today
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, files, templates
from fieldservice.mechanisms.events import history
from fieldservice.workorders import catalogue, triage
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.triage import NeededPart, triage_request
from tests import factories as make
from tests.mechanisms.people_and_things import threads

SEAL = "gearbox_seal_change"
WORDS = "减速机输出轴往下滴油，早班开机后就这样。"


@pytest.fixture
def reported(app: Flask) -> int:
    """A VIP's request about a gearbox under warranty; gives its id."""

    def build() -> int:
        make.station()
        return make.request(make.asset(make.site(make.customer())), description=WORDS).id

    return write(build)


def request_of(request_id: int) -> ServiceRequest:
    return session.get_one(ServiceRequest, request_id)


def triaged(request_id: int, **facts: Any) -> WorkOrder:
    given: dict[str, Any] = {"priority": "P1", "work_type": SEAL, "at": now(), **facts}
    order_id = write(lambda: triage_request(request_of(request_id), **given).id)
    return session.get_one(WorkOrder, order_id)


def due(request_id: int) -> dict[str, Any]:
    return {clock.kind: clock.due_at for clock in clocks.of(request_of(request_id))}


# What the work type brings --------------------------------------------------------------------------


def test_the_work_type_brings_duration_skills_checklist_and_usual_parts(reported: int) -> None:
    kind = catalogue.work_type(SEAL)
    for number, _quantity in kind.parts:
        write(lambda number=number: make.part(number))  # type: ignore[misc]
    order = triaged(reported)
    assert (order.duration_min, order.skills, order.certificates) == (
        kind.duration_min,
        dict(kind.skills),
        list(kind.certificates),
    )
    assert [(item.words.split()[0], item.quantity, item.required) for item in order.items] == [
        (number, quantity, False) for number, quantity in kind.parts
    ]
    assert catalogue.checklist_of(order).fields == kind.form.fields
    assert (order.state, order.kind, order.coverage, order.title) == (
        "ready",
        kind.kind,
        "warranty",
        "2# 轧机减速机 · 减速机换油封",
    )
    assert (order.precision, order.asset_id, order.site_id) == (
        "point",
        request_of(reported).asset_id,
        request_of(reported).site_id,
    )


def test_the_checklist_of_an_order_stays_the_one_it_was_given(reported: int) -> None:
    order = triaged(reported)
    before, newest = catalogue.checklist_of(order).fields, catalogue.work_type(SEAL).version
    content = templates.get("work_type", SEAL).content
    write(lambda: templates.save("work_type", SEAL, {**content, "checklist": content["checklist"][:1]}, at=now()))
    assert order.work_type_version == newest
    assert catalogue.checklist_of(order).fields == before
    assert len(catalogue.work_type(SEAL).form.fields) == 1


def test_usual_parts_that_nobody_stocks_here_are_left_out(reported: int) -> None:
    assert triaged(reported).items == []


def test_chosen_skills_and_parts_replace_the_usual_ones(reported: int) -> None:
    write(lambda: make.part("OS-TC-180"))
    order = triaged(reported, skills={"hydraulics": 3}, parts=[NeededPart("OS-TC-180", Decimal("1.5"), required=True)])
    assert order.skills == {"hydraulics": 3}
    assert [(item.quantity, item.required, item.words) for item in order.items] == [
        (Decimal("1.5"), True, "OS-TC-180 骨架油封")
    ]


def test_no_skills_may_be_chosen_too(reported: int) -> None:
    assert triaged(reported, skills={}, parts=[]).skills == {}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"priority": "P5"}, "priority"),
        ({"priority": ""}, "priority"),
        ({"work_type": "magic"}, "work_type"),
        ({"skills": {"magic": 1}}, "required_skills"),
        ({"skills": {"gearbox": 4}}, "required_skills"),
        ({"skills": {"gearbox": 0}}, "required_skills"),
        ({"parts": [("NO-SUCH", Decimal(1))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal(0))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal(-1))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal("NaN"))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal("Infinity"))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal("0.0001"))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal("1e9"))]}, "parts"),
        ({"parts": [("OS-TC-180", Decimal(1))] * 41}, "parts"),
        ({"reason": "x" * 301}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"priority": "P4", "reason": "约定", "planned_for": today}, "day"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(reported: int, facts: dict[str, Any], field: str) -> None:
    write(lambda: make.part("OS-TC-180"))
    before = due(reported)
    if callable(facts.get("planned_for")):
        facts = {**facts, "planned_for": facts["planned_for"]() - timedelta(days=1)}
    with pytest.raises(Invalid) as refused:
        triaged(reported, **facts)
    assert field in refused.value.errors
    assert (request_of(reported).state, due(reported)) == ("new", before)
    assert session.scalar(select(func.count(WorkOrder.id))) == 0


# Priority and promises ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "priority", "needs_reason"),
    [
        (severity, priority, priority > sets)
        for severity, sets in (("safety", "P1"), ("line_stop", "P1"), ("degraded", "P2"), ("minor", "P3"))
        for priority in ("P1", "P2", "P3", "P4")
    ],
)
def test_G_15_only_lowering_below_what_severity_sets_needs_a_reason(
    app: Flask, severity: str, priority: str, needs_reason: bool
) -> None:
    def build() -> int:
        make.station()
        return make.request(severity=severity).id

    request_id = write(build)
    assert triage.below_severity(request_of(request_id), priority) == needs_reason
    if needs_reason:
        with pytest.raises(Invalid) as refused:
            triaged(request_id, priority=priority, reason=" ")
        assert "reason" in refused.value.errors
    order = triaged(request_id, priority=priority, reason="备用机运行" if needs_reason else "")
    assert (order.priority, request_of(request_id).priority) == (priority, priority)


@pytest.mark.parametrize("tier", ["vip", "key", "standard", "basic"])
def test_G_15_nobodys_tier_changes_the_priority_of_a_severity(app: Flask, tier: str) -> None:
    def build() -> list[int]:
        make.station()
        machine = make.asset(make.site(make.customer(tier=tier)))
        return [make.request(machine, severity=severity).id for severity in ("safety", "minor")]

    urgent, minor = write(build)
    assert (request_of(urgent).priority, request_of(minor).priority) == ("P1", "P3")


@pytest.mark.parametrize("priority", ["P1", "P2", "P3", "P4"])
@pytest.mark.parametrize("severity", ["safety", "degraded", "minor"])
def test_triage_shortens_promises_and_never_lengthens_them(
    app: Flask, clock: Clock, severity: str, priority: str
) -> None:
    def build() -> int:
        make.station()
        return make.request(make.asset(make.site(make.customer(tier="basic"))), severity=severity).id

    request_id = write(build)
    before = due(request_id)
    clock.advance(minutes=5)
    triaged(request_id, priority=priority, reason="已与客户说好")
    after = due(request_id)
    assert set(after) == set(before)
    assert all(after[kind] <= before[kind] for kind in before)
    if priority < promises.priority_for(severity):
        assert after["arrival"] < before["arrival"]


def test_planned_work_is_due_on_the_agreed_day(app: Flask) -> None:
    def build() -> int:
        make.station()
        return make.request(severity="minor").id

    request_id = write(build)
    before = due(request_id)
    triaged(request_id, priority="P4", reason="停机检修时做", planned_for=today() + timedelta(days=9))
    assert due(request_id)["restore"] == before["restore"]  # an agreed day later than the promise lengthens nothing


def test_triage_is_the_first_answer(reported: int, clock: Clock) -> None:
    clock.advance(minutes=9)
    triaged(reported)
    answer = next(one for one in clocks.of(request_of(reported)) if one.kind == "first_answer")
    assert (answer.state, answer.stopped_at) == ("kept", now())
    assert request_of(reported).triaged_at == now()


# What stays -----------------------------------------------------------------------------------------


def test_Q_08_the_customers_words_are_never_changed(reported: int) -> None:
    triaged(reported)

    def rewrite() -> None:
        request_of(reported).description = "油封老化"

    with pytest.raises(Forbidden) as refused:
        write(rewrite)
    assert (refused.value.code, refused.value.status) == ("words_are_immutable", 403)
    assert request_of(reported).description == WORDS


def test_the_order_keeps_the_files_of_the_report(reported: int) -> None:
    picture = BytesIO()
    Image.new("RGB", (32, 24), "teal").save(picture, "JPEG")
    picture.seek(0)
    received = files.receive(picture, "漏油.jpg")
    file_id = write(lambda: files.attach(received, request_of(reported)).id)
    order = triaged(reported)
    request = request_of(reported)
    assert order.request is request
    assert [file.id for file in files.files_of([order, request])["service_request", request.id]] == [file_id]


def test_what_was_decided_stands_in_the_history(reported: int) -> None:
    order = triaged(reported, priority="P2", reason="备用机运行")
    told = history(request_of(reported))
    assert [event.kind for event in told if event.kind.startswith("service_request")][-2:] == [
        "service_request.triaged", "service_request.converted",
    ]  # fmt: skip
    assert told[-1].facts["work_order"] == order.number
    assert [event.kind for event in history(order)] == ["work_order.created", "work_order.ready"]
    assert history(order)[0].facts == {"request": request_of(reported).number, "work_type": SEAL, "priority": "P2"}


# When and who ---------------------------------------------------------------------------------------


def test_triage_after_remote_help_failed(reported: int) -> None:
    write(lambda: intake.help_remotely(request_of(reported), now()))
    assert triaged(reported).state == "ready"
    assert request_of(reported).state == "converted"


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda request: intake.cancel(request, "误报", now()), "cancelled"),
        (lambda request: triage_request(request, priority="P1", work_type=SEAL, at=now()), "converted"),
    ],
)
def test_a_request_that_was_handled_is_not_triaged_again(
    reported: int, act: Callable[[ServiceRequest], Any], state: str
) -> None:
    write(lambda: act(request_of(reported)))
    orders = session.scalar(select(func.count(WorkOrder.id)))
    with pytest.raises(Conflict) as refused:
        triaged(reported)
    assert refused.value.facts["state"] == state
    assert refused.value.status == 409
    assert session.scalar(select(func.count(WorkOrder.id))) == orders


def test_of_dispatchers_triaging_at_once_one_wins_and_the_others_hear_what_happened(reported: int, app: Flask) -> None:
    def press(number: int) -> str:
        try:
            return write(
                lambda: (
                    triage_request(
                        request_of(reported), priority=f"P{1 + number % 2}", work_type=SEAL, reason="x", at=now()
                    ).number
                )
            )
        except Conflict as refused:
            return str(refused.facts.get("state", refused.code))

    answers = sorted(threads(app, press, 4))
    assert answers[:1] == [session.scalars(select(WorkOrder.number)).one()]
    assert answers[1:] == ["converted"] * 3
    assert request_of(reported).state == "converted"


def test_numbers_of_orders_have_no_gaps_after_a_refusal(reported: int) -> None:
    with pytest.raises(Invalid):
        triaged(reported, parts=[("NO-SUCH", Decimal(1))])
    assert triaged(reported).number.endswith("-000001")
