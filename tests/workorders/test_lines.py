"""Lines of an order: who pays each and why, extra work the customer approves, what is missing for the next visit."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import Event, history, notes_of
from fieldservice.mechanisms.tasks import Task
from fieldservice.workorders import lines, order_parts, sheets, visits
from fieldservice.workorders.coverage import COVERAGES, RULES, Cover, Line, cost_of, decide
from fieldservice.workorders.models import ExtraWork, LineChoice, PartUse, WorkItem, WorkOrder
from fieldservice.workorders.wording import PHRASES, REASONS, wording
from tests.workorders.cast import DAY
from tests.workorders.on_tour import OIL, SEAL, fitting, make_tour
from tests.workorders.test_tablet_commands import Tablet

UNTIL = date(2026, 12, 31)
IN, OUT = date(2026, 11, 25), date(2027, 1, 2)
WARRANTY, BILLABLE = Cover("warranty", UNTIL), Cover("billable", UNTIL)


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    return Tablet(sqlite_app, make_tour())


def at_work(tablet: Tablet) -> Tablet:
    tablet.go("accepted", "en_route", "on_site", "in_progress")
    return tablet


def wears(tablet: Tablet, number: str = SEAL) -> None:
    write(lambda: setattr(tablet.tour.part(number), "wears", True))


def told(tablet: Tablet) -> list[tuple[str, str, str, int]]:
    """kind, coverage, reason, what the customer pays"""
    return [
        (one.kind, one.decision.coverage, one.decision.reason, one.pays) for one in lines.lines_of(tablet.tour.order)
    ]


def extra(tablet: Tablet, decision: str = "approved", **facts: Any) -> dict[str, Any]:
    given = {
        "extra": "extra-1", "words": "换联轴器护罩", "decision": decision, "name": "何建平",
        "lines": [{"words": "护罩", "part": None, "quantity": 1, "price": 32000}],
    }  # fmt: skip
    if decision == "approved":
        given["upload"] = "approval-1"
    return tablet.send("extra", **{**given, **facts})


# The table of rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cover", "line", "coverage", "reason", "pending"),
    [
        (WARRANTY, Line("part", IN), "warranty", "in_warranty", False),
        (WARRANTY, Line("labour", UNTIL), "warranty", "in_warranty", False),
        (WARRANTY, Line("travel", OUT), "warranty", "reported_in_warranty", False),
        (Cover("warranty"), Line("part", IN), "warranty", "warranty", False),
        (WARRANTY, Line("part", IN, wears=True), "billable", "wears", True),
        (WARRANTY, Line("part", IN, wears=True, approved=True), "billable", "approved", False),
        (WARRANTY, Line("part", IN, wears=True, chosen="goodwill"), "goodwill", "chosen", False),
        (WARRANTY, Line("labour", IN, chosen="billable"), "billable", "chosen", True),
        (WARRANTY, Line("part", IN, chosen="goodwill", approved=True), "billable", "approved", False),
        (Cover("goodwill", UNTIL), Line("part", IN, wears=True), "goodwill", "goodwill", False),
        (Cover("contract"), Line("part", IN, wears=True), "contract", "contract", False),
        (Cover("contract"), Line("part", IN, chosen="billable"), "billable", "chosen", True),
        (BILLABLE, Line("part", OUT), "billable", "warranty_over", False),
        (BILLABLE, Line("part", IN), "billable", "agreed", False),
        (BILLABLE, Line("part", IN, chosen="warranty"), "warranty", "chosen", False),
        (Cover("billable"), Line("part", IN), "billable", "no_warranty", False),
        (Cover("billable", machine_known=False), Line("part", IN), "billable", "machine_unknown", False),
        (Cover("billable", UNTIL, other_maker=True), Line("part", IN), "billable", "other_maker", False),
    ],
)
def test_I_19_who_pays_and_why(cover: Cover, line: Line, coverage: str, reason: str, pending: bool) -> None:
    found = decide(cover, line)
    assert (found.coverage, found.reason, found.pending) == (coverage, reason, pending)


def test_every_reason_has_a_sentence_and_every_rule_a_coverage(sqlite_app: Flask) -> None:
    assert {reason for reason, _coverage, _holds in RULES} == set(REASONS)
    assert {coverage for _reason, coverage, _holds in RULES} <= set(COVERAGES)
    with sqlite_app.test_request_context():
        for lang in ("zh", "en"):
            said = wording(lang)
            assert all(said[name] for name in PHRASES)
            assert said["why_in_warranty"].count("%(day)s") == 1
        assert (wording("zh")["heading"], wording("en")["heading"]) == ("服务报告", "Service report")


@pytest.mark.parametrize(("minutes", "rate", "cost"), [(60, 28000, 28000), (107, 28000, 49933), (1, 30, 1), (1, 29, 0)])
def test_hours_are_priced_half_up_as_on_the_tablet(minutes: int, rate: int, cost: int) -> None:
    assert cost_of(minutes, rate) == cost


# Lines of an order ------------------------------------------------------------------------------------------


def test_parts_labour_and_travel_under_warranty_cost_nothing(tablet: Tablet, clock: Clock) -> None:
    tablet.go("accepted", "en_route")
    clock.fix(at_local(DAY, 10, 50))
    tablet.go("on_site", "in_progress")
    tablet.send("part", part=SEAL, quantity=1)
    clock.fix(at_local(DAY, 12, 20))
    tablet.send("move", to="cannot_complete", reason="no_access")
    assert [kind for kind, *_rest in told(tablet)] == ["part", "labour", "travel"]
    assert {row[1:] for row in told(tablet)} == {("warranty", "in_warranty", 0)}
    assert [one.worth for one in lines.lines_of(tablet.tour.order)] == [26800, 42000, 5333]  # 90 and 20 minutes


def test_corrected_times_are_what_is_priced(tablet: Tablet, clock: Clock) -> None:
    """The steps say 40 minutes on the road and 90 at work; the technician says 25 and 60."""
    tablet.go("accepted", "en_route")
    clock.advance(minutes=40)
    tablet.go("on_site", "in_progress")
    clock.advance(minutes=90)
    tablet.tour.record_all()
    assert tablet.send("move", to="completed")["status"] == "accepted"
    before = {one.kind: one.quantity for one in lines.lines_of(tablet.tour.order)}
    assert (before["travel"], before["labour"]) == (40, 90)
    assert tablet.send("time", kind="travel", minutes=25, reason="途中吃饭")["status"] == "accepted"
    assert tablet.send("time", kind="work", minutes=60, reason="等客户断电 30 分钟")["status"] == "accepted"
    after = {one.kind: one.quantity for one in lines.lines_of(tablet.tour.order)}
    assert (after["travel"], after["labour"]) == (25, 60)


def test_a_station_sets_its_own_rates(lite: Tablet, clock: Clock) -> None:
    write(lambda: policies.set_override("labour_rate", "station", lite.tour.station_id, 60_00, at=now()))
    write(lambda: setattr(lite.tour.order, "coverage", "billable"))
    at_work(lite)
    clock.fix(at_local(DAY, 11, 30))
    lite.send("move", to="cannot_complete", reason="no_access")
    assert told(lite) == [("labour", "billable", "agreed", 60_00)]


def test_the_technician_changes_a_line_with_a_reason_the_customer_reads(tablet: Tablet) -> None:
    at_work(tablet)
    write(lambda: setattr(tablet.tour.order, "coverage", "billable"))
    use = tablet.command("part", part=SEAL, quantity=1)
    assert tablet.post(use)[0]["status"] == "accepted"
    given = tablet.command("coverage", line=use["id"], coverage="goodwill", reason="上次安装的密封件，我们承担")
    assert [one["status"] for one in tablet.post(given, given)] == ["accepted", "accepted"]  # a replay does no harm
    assert told(tablet) == [("part", "goodwill", "chosen", 0)]
    assert session.scalar(select(func.count(LineChoice.id))) == 1
    [paid] = sheets.paid_lines(tablet.tour.order)
    assert paid.reason == "上次安装的密封件，我们承担"
    again = tablet.send(
        "coverage", line=f"use-{session.scalar(select(PartUse.id))}", coverage="warranty", reason="质保"
    )
    assert again["status"] == "accepted"
    assert told(tablet) == [("part", "warranty", "chosen", 0)]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"line": "use-999", "coverage": "goodwill", "reason": "x"}, "invalid"),
        ({"line": "labour-999", "coverage": "goodwill", "reason": "x"}, "invalid"),
        ({"line": "use-١", "coverage": "goodwill", "reason": "x"}, "invalid"),
        ({"line": "labour", "coverage": "goodwill", "reason": "x"}, "invalid"),
        ({"line": "use-" + "9" * 30, "coverage": "goodwill", "reason": "x"}, "invalid"),
        ({"line": "%s", "coverage": "goodwill", "reason": " "}, "invalid"),
        ({"line": "%s", "coverage": "free", "reason": "x"}, "malformed"),
        ({"line": "%s", "coverage": "billable", "reason": "易损件"}, "approval_needed"),
    ],
)
def test_I_19_what_is_no_line_and_paid_work_without_approval_is_refused(
    lite: Tablet, payload: dict[str, str], code: str
) -> None:
    at_work(lite)
    given = {**payload, "line": payload["line"] if payload["line"] != "%s" else f"labour-{lite.tour.visit_id}"}
    result = lite.send("coverage", **given)
    assert (result["status"], result["code"]) == ("rejected", code)
    assert result["detail"]


def test_I_19_one_warranty_and_one_paid_line_bills_only_the_paid_one(tablet: Tablet) -> None:
    at_work(tablet)
    tablet.send("part", part=SEAL, quantity=1)
    assert extra(tablet)["status"] == "accepted"
    assert told(tablet) == [("part", "warranty", "in_warranty", 0), ("extra", "billable", "approved", 32000)]
    sheet = sheets.paid_lines(tablet.tour.order)
    assert sum(one.pays for one in sheet) == 32000


def test_I_19_a_wear_part_under_warranty_waits_for_the_customer(tablet: Tablet) -> None:
    wears(tablet)
    at_work(tablet)
    tablet.send("part", part=SEAL, quantity=1)
    assert told(tablet) == [("part", "billable", "wears", 0)]
    done = finish(tablet)
    assert (done["status"], done["code"]) == ("rejected", "not_finished")
    assert "approval" in done["errors"]
    extra(tablet, lines=[{"words": "油封", "part": SEAL, "quantity": 1, "price": 25000}])
    assert told(tablet) == [("part", "billable", "approved", 0), ("extra", "billable", "approved", 25000)]
    assert finish(tablet)["status"] == "accepted"


def test_an_approval_covers_as_many_as_were_approved(lite: Tablet) -> None:
    wears(lite)
    at_work(lite)
    extra(lite, lines=[{"words": "油封", "part": SEAL, "quantity": 1, "price": 25000}])
    for _each in range(2):
        lite.send("part", part=SEAL, quantity=1)
    assert [row[2] for row in told(lite)] == ["approved", "wears", "approved"]


def finish(tablet: Tablet) -> dict[str, Any]:
    order = tablet.tour.order
    form = visits_fields(order)
    tablet.post(*(tablet.command("answer", field=field.code, value=fitting(field)) for field in form))
    tablet.send("failure", pattern="gearbox_output_seal_leak")
    return tablet.send("move", to="completed", restored=True)


def visits_fields(order: WorkOrder) -> list[Any]:
    from fieldservice.workorders import catalogue

    return list(catalogue.checklist_of(order).fields)


# Extra work ---------------------------------------------------------------------------------------------------


def test_declined_extra_work_is_kept_and_costs_nothing(tablet: Tablet) -> None:
    at_work(tablet)
    assert extra(tablet, "declined", upload=None)["status"] == "accepted"
    assert told(tablet) == []
    [asked] = sheets.extras_asked(tablet.tour.order)
    assert (asked.words, asked.total, asked.approved, asked.name) == ("换联轴器护罩", 32000, False, "何建平")


def test_who_approved_is_erasable_and_in_the_history(lite: Tablet) -> None:
    at_work(lite)
    extra(lite)
    found = [event for event in history(lite.tour.visit) if event.kind == "visit.extra_approved"]
    assert notes_of(found)[found[0].id] == "何建平"
    assert "何建平" not in str(found[0].facts) + str(session.scalar(select(ExtraWork.lines)))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"upload": None}, "invalid"),
        ({"name": ""}, "invalid"),
        ({"words": " "}, "invalid"),
        ({"lines": []}, "malformed"),
        ({"lines": [{"words": "a", "quantity": 0, "price": 1}]}, "invalid"),
        ({"lines": [{"words": "a", "quantity": -1, "price": 1}]}, "invalid"),
        ({"lines": [{"words": " ", "quantity": 1, "price": 1}]}, "invalid"),
        ({"lines": [{"words": "a", "quantity": 1, "price": -1}]}, "malformed"),
        ({"lines": [{"words": "a", "quantity": "NaN", "price": 1}]}, "malformed"),
        ({"lines": [{"words": "a", "quantity": 1e30, "price": 1}]}, "invalid"),
        ({"lines": [{"words": "a", "quantity": "1e-300", "price": 1}]}, "invalid"),
        ({"lines": [{"words": "a", "part": "NO-SUCH", "quantity": 1, "price": 1}]}, "invalid"),
        ({"lines": [{"words": "a", "quantity": 1, "price": 1}] * 21}, "malformed"),
        ({"decision": "perhaps"}, "malformed"),
        ({"extra": "x" * 41}, "malformed"),
    ],
)
def test_extra_work_that_cannot_be_meant_is_refused_with_a_sentence(
    lite: Tablet, facts: dict[str, Any], code: str
) -> None:
    at_work(lite)
    result = extra(lite, **facts)
    assert (result["status"], result["code"]) == ("rejected", code), result
    assert result["detail"]
    assert session.scalar(select(func.count(ExtraWork.id))) == 0


def test_the_customer_decides_once(lite: Tablet) -> None:
    at_work(lite)
    given = lite.command(
        "extra", extra="e-1", words="护罩", decision="declined", lines=[{"words": "护罩", "quantity": 2, "price": 100}]
    )
    assert [one["status"] for one in lite.post(given, given)] == ["accepted", "accepted"]
    assert extra(lite, extra="e-1")["code"] == "extra_decided"
    assert session.scalar(select(func.count(ExtraWork.id))) == 1


def test_nothing_is_decided_before_arrival(lite: Tablet) -> None:
    for kind, payload in (
        ("need", {"words": "吊车"}),
        ("coverage", {"line": f"labour-{lite.tour.visit_id}", "coverage": "goodwill", "reason": "x"}),
        (
            "extra",
            {"extra": "e", "words": "x", "decision": "declined", "lines": [{"words": "x", "quantity": 1, "price": 1}]},
        ),
    ):
        assert lite.send(kind, **payload)["code"] == "not_at_work", kind


# What is missing ------------------------------------------------------------------------------------------------


def test_what_is_missing_keeps_the_order_open_and_waits_for_the_next_visit(tablet: Tablet) -> None:
    at_work(tablet)
    tablet.send("need", part=OIL, quantity=5, words="下次带桶装油")
    tablet.send("need", words="2 吨吊车")
    required = [(item.kind, item.words) for item in tablet.tour.order.items if item.required]
    assert required == [("part", "下次带桶装油"), ("follow_up", "2 吨吊车")]
    assert finish(tablet)["code"] == "not_finished"
    assert tablet.send("move", to="partially_completed", restored=False)["status"] == "accepted"
    assert tablet.tour.order.state == "ready"
    [short] = [line for line in order_parts.part_lines(tablet.tour.order) if line.is_short]
    assert (short.part.number, short.words) == (OIL, "下次带桶装油")
    asked = session.scalars(select(Task).where(Task.title == "part_needed").order_by(Task.id)).all()
    assert [(task.owner_role, task.facts["what"]) for task in asked] == [
        ("storekeeper", f"{OIL} ×5 · 下次带桶装油"), ("storekeeper", "2 吨吊车"),
    ]  # fmt: skip


def test_what_is_missing_can_be_taken_back_once(tablet: Tablet) -> None:
    at_work(tablet)
    asked = tablet.command("need", words="吊车")
    tablet.post(asked)
    back = tablet.command("need", returns=asked["id"])
    assert [one["status"] for one in tablet.post(back, back)] == ["accepted", "accepted"]
    assert [item for item in tablet.tour.order.items if item.required] == []
    assert session.scalar(select(Task.state).where(Task.title == "part_needed")) == "cancelled"
    assert tablet.send("need", returns=asked["id"])["code"] == "already_returned"


def test_what_was_missing_and_came_is_nobodys_task_any_more(lite: Tablet) -> None:
    at_work(lite)
    lite.send("need", part=SEAL, quantity=1)
    for _planned_and_needed in range(2):
        lite.send("part", part=SEAL, quantity=1)
    assert session.scalar(select(Task.state).where(Task.title == "part_needed")) == "done"
    assert [item for item in lite.tour.order.items if item.required and item.done_at is None] == []


def test_what_others_asked_for_is_not_withdrawn(lite: Tablet) -> None:
    at_work(lite)
    theirs = lite.tour.order.items[0].id
    assert lite.send("need", returns=f"item-{theirs}")["code"] == "already_returned"
    assert session.get(WorkItem, theirs) is not None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"words": " "},
        {"part": "NO-SUCH"},
        {"part": SEAL, "quantity": 0},
        {"part": SEAL, "quantity": 1.5},
        {"part": SEAL, "quantity": "x"},
    ],
)
def test_a_need_that_says_nothing_is_refused(lite: Tablet, payload: dict[str, Any]) -> None:
    at_work(lite)
    assert lite.send("need", **payload)["status"] == "rejected"


# Serials and batches ----------------------------------------------------------------------------------------------


def test_serials_of_both_pieces_and_the_batch_are_kept(tablet: Tablet) -> None:
    write(lambda: setattr(tablet.tour.part(), "serial_tracked", True))
    at_work(tablet)
    marks = {"serial": "N-1", "removed_serial": "O-1", "batch": "B-7"}
    assert tablet.send("part", part=SEAL, quantity=1, **marks)["status"] == "accepted"
    use = session.scalars(select(PartUse)).one()
    assert (use.serial, use.removed_serial, use.batch) == ("N-1", "O-1", "B-7")
    [line] = lines.lines_of(tablet.tour.order)
    assert sheets.marks_of(line) == f"{SEAL} · 序列号 N-1 · 拆下序列号 O-1 · 批号 B-7"
    assert tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["used"][0]["removed_serial"] == "O-1"


def test_a_missing_serial_is_flagged_and_nothing_lost(lite: Tablet) -> None:
    write(lambda: setattr(lite.tour.part(), "serial_tracked", True))
    at_work(lite)
    result = lite.send("part", part=SEAL, quantity=1)
    assert (result["status"], result["code"]) == ("accepted_with_flag", "serial_missing")
    assert lite.tour.in_van() == Decimal(1)


def test_a_part_taken_back_leaves_no_line(lite: Tablet) -> None:
    at_work(lite)
    use = lite.command("part", part=SEAL, quantity=1)
    lite.post(use, lite.command("coverage", line=use["id"], coverage="goodwill", reason="x"))
    assert lite.send("part", returns=use["id"])["status"] == "accepted"
    assert told(lite) == []
    assert session.scalar(select(func.count(LineChoice.id))) == 0


def test_a_use_from_before_is_still_taken_back_by_its_command(lite: Tablet) -> None:
    at_work(lite)
    use = lite.command("part", part=SEAL, quantity=1)
    lite.post(use)
    write(lambda: setattr(session.scalars(select(PartUse)).one(), "command_id", None))
    assert lite.send("part", returns=use["id"])["status"] == "accepted"
    assert lite.tour.in_van() == Decimal(2)


# Pages ----------------------------------------------------------------------------------------------------------------


def test_the_snapshot_carries_what_the_tablet_decides_by(lite: Tablet) -> None:
    at_work(lite)
    lite.send("part", part=SEAL, quantity=1)
    lite.send("need", words="吊车")
    extra(lite)
    content = lite.get("/api/v1/tablet/snapshot?lang=zh").json
    [visit] = content["visits"]
    assert visit["cover"] == {
        "until": str(DAY + timedelta(days=120)), "known": True, "other_maker": False, "labour_rate": 28000,
        "travel_rate": 16000, "goodwill_limit": 50000,
    }  # fmt: skip
    assert [one["words"] for one in visit["needs"]] == ["吊车"]
    assert visit["open_items"] == []
    assert (visit["extras"][0]["decision"], visit["extras"][0]["name"]) == ("approved", "何建平")
    assert set(content["catalogue"]["report"]) == {"zh", "en"}
    assert visit["names"]["en"]["technician"] == "Lu Jianguo"


def test_events_tell_of_it(lite: Tablet) -> None:
    at_work(lite)
    extra(lite)
    lite.send("need", part=SEAL, quantity=1)
    texts = [line.text for line in sheets.history_of([lite.tour.visit])]
    assert any("320" in text for text in texts)
    assert session.scalar(select(func.count(Event.id)).where(Event.kind == "visit.needed")) == 1
    assert visits.need is not None
