"""What a technician does at a visit, from accepting to finishing, and what is recorded there.

Every service takes the time at which it happened: a tablet may tell it later. Each ends by settling
the order, whose state is derived from its visits.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.intake import services as intake
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import queries as stock
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.workorders import booking, catalogue, orders
from fieldservice.workorders.models import Answer, PartUse, Visit, WorkItem, WorkOrder

AT_WORK = ("on_site", "in_progress", "paused")
ENDED = ("completed", "partially_completed", "cannot_complete")
CORRECTIVE = ("corrective_immediate", "corrective_deferred", "competitor_rescue")
END_REASONS = ("no_access", "wrong_part", "needs_quote", "unsafe", "other")
CODES = {
    "failure_mode": "failure_mode",
    "failure_mechanism": "failure_mechanism",
    "failure_cause": "failure_cause",
    "detection": "detection",
    "activity": "activity",
}
UNKNOWN = "UNK"


# On the way ---------------------------------------------------------------------------------------


def accept(visit: Visit, at: datetime) -> None:
    """The technician takes the job."""
    move(visit, "accepted", at=at)
    visit.accepted_at = at
    orders.settle(visit.work_order, at)


def decline(visit: Visit, reason: str, at: datetime) -> None:
    """The technician cannot take it; the time is free again and the order waits for another plan."""
    move(visit, "declined", reason=reason, at=at)
    booking.release(visit)
    orders.settle(visit.work_order, at)


def set_off(visit: Visit, at: datetime) -> None:
    """On the way. The customer is given an arrival time where the place is known well enough."""
    move(visit, "en_route", at=at)
    visit.en_route_at = at
    if visit.work_order.precision == "point":
        visit.eta_at = at + timedelta(minutes=visit.travel_min)
    orders.settle(visit.work_order, at)


def arrive(visit: Visit, at: datetime) -> None:
    """At the machine: the arrival promise is kept or broken now (T-04)."""
    move(visit, "on_site", at=at)
    visit.on_site_at = at
    if visit.work_order.request is not None:
        intake.note_arrival(visit.work_order.request, at)
    orders.settle(visit.work_order, at)


# At work ------------------------------------------------------------------------------------------


def start(visit: Visit, at: datetime) -> None:
    """Work begins."""
    move(visit, "in_progress", at=at)
    visit.started_at = visit.started_at or at
    orders.settle(visit.work_order, at)


def pause(visit: Visit, reason: str, at: datetime) -> None:
    """Work stands still: waiting for a part, a release, the customer."""
    move(visit, "paused", reason=reason, at=at)
    visit.paused_at = at
    orders.settle(visit.work_order, at)


def resume(visit: Visit, at: datetime) -> None:
    """Work goes on."""
    _close_pause(visit, at)
    move(visit, "in_progress", at=at)
    orders.settle(visit.work_order, at)


def answer(visit: Visit, field_code: str, value: Any, at: datetime, note: str = "") -> Answer:
    """Record a checklist answer; a later one replaces it. Raises Invalid for a value that does not fit its field."""
    _at_machine(visit)
    order = visit.work_order
    given = forms.check_answer(catalogue.checklist_of(order).field(field_code), value)
    row = session.scalar(select(Answer).where(Answer.visit_id == visit.id, Answer.field == field_code))
    if row is None:
        row = Answer(visit_id=visit.id, work_order_id=order.id, field=field_code)
        session.add(row)
    row.content, row.out_of_tolerance = given.stored(), given.out_of_tolerance
    row.note, row.at = forms.plain_text(note, 500, field="note"), at
    record("visit.answered", visit, {"field": field_code, "out_of_tolerance": given.out_of_tolerance}, at=at)
    return row


def use_part(
    visit: Visit, part: Part, quantity: Decimal, at: datetime, *, location: StockLocation | None = None,
    serial: str | None = None,
) -> PartUse:  # fmt: skip
    """Fit a part: the van (or the named place) is deducted, and a planned part of that kind is done."""
    _at_machine(visit)
    source = location or stock.van_of(visit.technician_id)
    if source is None or (source.technician_id != visit.technician_id and source.station_id not in _stations(visit)):
        raise Invalid({"location": [_l("Take parts from your van or from a station of this order.")]})
    posted = ledger.post_move(
        part=part, quantity=quantity, cause="use", source=source, about=visit, serial=serial, at=at
    )  # fmt: skip
    session.flush()
    use = PartUse(
        visit_id=visit.id, work_order_id=visit.work_order_id, part_id=part.id, quantity=quantity, move_id=posted.id,
        serial=serial, at=at,
    )  # fmt: skip
    session.add(use)
    for item in visit.work_order.items:
        if item.kind == "part" and item.part_id == part.id and item.done_at is None:
            item.done_at, item.done_visit_id = at, visit.id
            break
    session.flush()
    return use


def return_part(use: PartUse, at: datetime) -> None:
    """The part was not needed after all: it goes back to where it came from."""
    visit = session.get_one(Visit, use.visit_id)
    _at_machine(visit)
    ledger.reverse(session.get_one(StockMove, use.move_id), at=at)
    for item in visit.work_order.items:
        if item.part_id == use.part_id and item.done_visit_id == visit.id:
            item.done_at = item.done_visit_id = None
            break
    session.delete(use)
    session.flush()


def choose_pattern(visit: Visit, code: str, at: datetime) -> None:
    """One fault pattern fills all failure codes, and the customer's summary where none is written yet (N-11)."""
    _at_machine(visit)
    pattern, order = catalogue.pattern(code), visit.work_order
    order.pattern = pattern.code
    order.failure_mode, order.failure_mechanism = pattern.mode, pattern.mechanism
    order.failure_cause, order.detection, order.activity = pattern.cause, pattern.detection, pattern.activity
    order.unknown_reason = None
    if not order.summary:
        spoken = order.request.language if order.request else "zh"
        order.summary = pattern.remedy[spoken]
    record("visit.coded", visit, {"pattern": pattern.code}, at=at)


def set_failure(visit: Visit, codes: Mapping[str, str], at: datetime, unknown_reason: str = "") -> None:
    """Set failure codes one by one. Raises Invalid for a code that does not exist, or UNK without a reason."""
    _at_machine(visit)
    order, errors = visit.work_order, {}
    for name, code in codes.items():
        if name not in CODES or not catalogue.is_code(CODES[name], code):
            errors[name] = [_l("Choose one of the codes offered.")]
    if codes.get("failure_mode") == UNKNOWN and not unknown_reason.strip():
        errors["unknown_reason"] = [_l("Say in a few words why the cause is unknown.")]
    if errors:
        raise Invalid(errors)
    for name, code in codes.items():
        setattr(order, name, code)
    order.pattern = None
    order.unknown_reason = forms.plain_text(unknown_reason, 300, field="unknown_reason") or None
    record("visit.coded", visit, dict(codes), at=at)


def set_summary(visit: Visit, summary: str, at: datetime, technical_note: str | None = None) -> None:
    """What was found and done: in the customer's plain words, and (apart) for colleagues (S-13)."""
    _at_machine(visit)
    visit.work_order.summary = forms.plain_text(summary, 2000, field="summary")
    if technical_note is not None:
        visit.work_order.technical_note = forms.plain_text(technical_note, 4000, field="technical_note")
    record("visit.summarised", visit, {}, at=at)


def sign(visit: Visit, file: StoredFile, at: datetime) -> None:
    """The customer signed on the tablet."""
    record("visit.signed", visit, {"file": file.id}, at=at)


# The end ------------------------------------------------------------------------------------------


def finish(
    visit: Visit, *, outcome: str, restored: bool, at: datetime, reason: str | None = None,
    open_items: Sequence[str] = (), done_items: Sequence[int] = (),
) -> None:  # fmt: skip
    """End the work, saying whether the machine runs again.

    `outcome` is completed, partially_completed or cannot_complete. What is missing is told all at once
    (Invalid): the plain summary, failure codes of a repair, required answers, open items. A partial end
    carries `open_items` (and everything required that is still open) to the next visit.
    """
    if outcome not in ENDED:
        raise Invalid({"outcome": [_l("Say whether the work is completed, partly done or impossible.")]})
    order = visit.work_order
    _tick_off(visit, done_items, at)
    if outcome == "cannot_complete" and reason not in END_REASONS:
        raise Invalid({"reason": [_l("Choose why the work could not be completed.")]})
    missing = missing_for(visit, outcome)
    if outcome == "partially_completed" and not open_items and not _open_required(order) and not _unanswered(visit):
        missing["open_items"] = [_l("Say what is left to do.")]
    if missing:
        raise Invalid(missing, code="not_finished")
    _close_pause(visit, at)
    move(visit, outcome, reason=reason, at=at, restored=restored)
    visit.finished_at, visit.restored = at, restored
    visit.end_reason = reason if outcome == "cannot_complete" else None
    for words in open_items:
        order.items.append(
            WorkItem(
                kind="follow_up", words=forms.plain_text(words, 300, field="open_items"), required=True,
                opened_visit_id=visit.id, opened_at=at,
            )
        )  # fmt: skip
    session.flush()
    booking.end_early(visit, at)
    if restored and order.restored_at is None:
        order.restored_at = at
        if order.request is not None:
            intake.note_restored(order.request, at)
    orders.settle(order, at)


def missing_for(visit: Visit, outcome: str) -> dict[str, list[Any]]:
    """What still stands between this visit and that end; the tablet shows it before it is asked."""
    order, missing = visit.work_order, {}
    if outcome != "cannot_complete" and not order.summary.strip():
        missing["summary"] = [_l("Write for the customer, in plain words, what was found and done.")]
    if outcome != "completed":
        return missing
    if order.kind in CORRECTIVE and not (order.failure_mode and order.failure_mechanism and order.failure_cause):
        missing["failure"] = [_l("Choose the fault pattern, or the failure codes one by one.")]
    if unanswered := _unanswered(visit):
        missing["checklist"] = [_l("Answer the required items: %(items)s.", items=", ".join(unanswered))]
    if still := _open_required(order):
        missing["open_items"] = [_l("Tick off what an earlier visit left open: %(items)s.", items=", ".join(still))]
    return missing


def _unanswered(visit: Visit) -> list[str]:
    rows = session.scalars(select(Answer).where(Answer.work_order_id == visit.work_order_id).order_by(Answer.at))
    given = {row.field: forms.Answer.from_stored(row.content) for row in rows}
    form = catalogue.checklist_of(visit.work_order)
    return [catalogue.label_of(form.field(code)) for code in forms.missing_required(form, given)]


def _open_required(order: WorkOrder) -> list[str]:
    return [item.words for item in order.items if item.required and item.done_at is None]


def _tick_off(visit: Visit, item_ids: Sequence[int], at: datetime) -> None:
    by_id = {item.id: item for item in visit.work_order.items}
    for item_id in item_ids:
        item = by_id.get(item_id)
        if item is None:
            raise Invalid({"done_items": [_l("This item does not belong to the order. Load the visit again.")]})
        if item.done_at is None:
            item.done_at, item.done_visit_id = at, visit.id


def _close_pause(visit: Visit, at: datetime) -> None:
    if visit.paused_at is not None:
        visit.paused_min += max(0, round((at - visit.paused_at).total_seconds() / 60))
        visit.paused_at = None


def _at_machine(visit: Visit) -> None:
    if visit.state not in AT_WORK:
        raise Conflict(
            _l("This can be recorded between arrival and finish only."), code="not_at_work", state=visit.state
        )


def _stations(visit: Visit) -> tuple[int, int]:
    return visit.station_id, visit.home_station_id
