"""What is recorded at the machine: answers, parts, codes, the customer's summary, the signature; and what is missing.

Facts are true whenever they are told: once the technician has arrived they are taken, also after the end
(a photo sent late). Moves are in visits.py.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts import queries as stock
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part, StockBatch, StockLocation, StockMove
from fieldservice.workorders import catalogue, lines, needs, old_parts, promised_parts
from fieldservice.workorders.models import Answer, PartUse, Visit, WorkItem, WorkOrder
from fieldservice.workorders.onsite import raised
from fieldservice.workorders.onsite.callers import caller_of

AT_WORK = ("on_site", "in_progress", "paused")
ENDED = ("completed", "partially_completed", "cannot_complete")
CORRECTIVE = ("corrective_immediate", "corrective_deferred", "competitor_rescue")
CODES = ("failure_mode", "failure_mechanism", "failure_cause", "detection", "activity")  # words.yaml namespaces
UNKNOWN = "UNK"
MOST_SERIAL, MOST_NAME, MOST_NOTE, MOST_NEED = 60, 80, 1000, 300


def answer(visit: Visit, field_code: str, value: Any, at: datetime, note: str = "") -> Answer:
    """Record a checklist answer; a later one replaces it.

    A reading out of tolerance, or a required check that failed, is taken and raises a finding: the technician tests
    again, or `note` says why. Raises Invalid for a value that does not fit its field.
    """
    at_machine(visit)
    order = visit.work_order
    field = catalogue.checklist_of(order).field(field_code)
    given = forms.check_answer(field, value)
    out = given.out_of_tolerance or raised.failed(field, given)
    row = session.scalar(select(Answer).where(Answer.visit_id == visit.id, Answer.field == field_code))
    if row is None:
        row = Answer(visit_id=visit.id, work_order_id=order.id, field=field_code)
        session.add(row)
    row.content, row.out_of_tolerance = given.stored(), out
    row.note, row.at = forms.plain_text(note, 500, field="note"), at
    record("visit.answered", visit, {"field": field_code, "out_of_tolerance": out}, at=at)
    raised.weigh(visit, row, at)
    return row


# Parts --------------------------------------------------------------------------------------------


def use_part(
    visit: Visit, part: Part, quantity: Decimal, at: datetime, *, location: StockLocation | None = None,
    serial: str | None = None, removed_serial: str | None = None, batch: str | None = None,
    command_id: str | None = None, by: int | None = None,
) -> PartUse:  # fmt: skip
    """Fit a part: the van (or the named warehouse) is deducted, and a planned part of that kind is done.

    `removed_serial` is of the piece that came out, `command_id` the tablet's name for this use; `by` the technician who
    fitted it, where the job was given to a colleague since: it is his van that has less now.

    Raises Conflict `part_short` when less is there, Invalid for a place or quantity that cannot be meant.
    """
    at_machine(visit)
    source = location or stock.van_of(by or visit.technician_id)
    if source is None or not _may_take_from(visit, source, by or visit.technician_id):
        raise Invalid({"location": [_l("Take parts from your van or from a station of this order.")]})
    number = forms.plain_text(serial or "", MOST_SERIAL, field="serial") or None
    removed = forms.plain_text(removed_serial or "", MOST_SERIAL, field="removed_serial") or None
    lot = forms.plain_text(batch or "", MOST_SERIAL, field="batch") or None
    ledger.check_quantity(quantity, part)
    promised_parts.consume(visit, part, source, quantity, at)
    posted = ledger.post_move(
        part=part, quantity=quantity, cause="use", source=source, about=visit, serial=number, at=at,
        serials=(number,) if number and part.serial_tracked else (), unnamed=True,
        batch=_batch_there(part, lot, source), asset_id=visit.work_order.asset_id,
    )  # fmt: skip
    session.flush()
    use = PartUse(
        visit_id=visit.id, work_order_id=visit.work_order_id, part_id=part.id, quantity=quantity, move_id=posted.id,
        serial=number, removed_serial=removed, batch=lot, command_id=command_id, at=at,
    )  # fmt: skip
    session.add(use)
    session.flush()
    old_parts.expect(visit, use, part, source, by or visit.technician_id)
    _settle_planned(visit, part.id, at)
    return use


def _batch_there(part: Part, number: str | None, source: StockLocation) -> StockBatch | None:
    """The batch that was read off the label, where the ledger knows it in that place; else the ledger chooses."""
    batch = ledger.known_batch(part, number) if number and part.batch_tracked else None
    return batch if batch is not None and stock.lies_there(batch, source) else None


def return_part(use: PartUse, at: datetime) -> None:
    """The part was not needed after all: it goes back to where it came from."""
    visit = session.get_one(Visit, use.visit_id)
    at_machine(visit)
    ledger.reverse(session.get_one(StockMove, use.move_id), at=at)
    lines.drop_choice(use)
    old_parts.take_back(use, at)
    session.delete(use)
    session.flush()
    _settle_planned(visit, use.part_id, at)


def need(
    visit: Visit, at: datetime, *, part: Part | None = None, quantity: Decimal | None = None, words: str = "",
    command_id: str | None = None,
) -> WorkItem:  # fmt: skip
    """Something is missing for the next visit: the order cannot complete before it is there.

    A part of the catalogue with its quantity, or plain words for what is in no catalogue.
    """
    at_machine(visit)
    said = forms.plain_text(words, MOST_NEED, field="words")
    if part is None and not said:
        raise Invalid({"words": [_l("Say what is missing.")]})
    wanted = (quantity if quantity is not None else Decimal(1)) if part is not None else None
    if wanted is not None and part is not None:
        ledger.check_quantity(wanted, part)
    item = WorkItem(
        kind="part" if part is not None else "follow_up", part_id=part.id if part is not None else None,
        quantity=wanted, words=said, required=True, opened_visit_id=visit.id, opened_at=at, command_id=command_id,
    )  # fmt: skip
    visit.work_order.items.append(item)
    session.flush()
    needs.ask(visit, item, part, at)
    record("visit.needed", visit, {"item": item.id, "part": part.number if part else None}, at=at, note=said or None)
    return item


def withdraw_need(visit: Visit, item: WorkItem, at: datetime) -> None:
    """It is not missing after all. Only what this visit asked for can be withdrawn, and only while it is open."""
    if item.opened_visit_id != visit.id or item.done_at is not None or visit.state in ENDED:
        raise Invalid({"returns": [_l("This is settled already. Look at the list again.")]}, code="already_returned")
    needs.not_needed(item, at)
    part = session.get(Part, item.part_id) if item.part_id is not None else None
    visit.work_order.items.remove(item)
    session.delete(item)
    session.flush()
    record("visit.need_withdrawn", visit, {"item": item.id, "part": part.number if part else None}, at=at)


def _may_take_from(visit: Visit, source: StockLocation, technician_id: int) -> bool:
    own = source.kind == "van" and source.technician_id == technician_id
    return own or (source.kind == "warehouse" and source.station_id in (visit.station_id, visit.home_station_id))


def _settle_planned(visit: Visit, part_id: int, at: datetime) -> None:
    """Planned parts are done, oldest first, as far as what was fitted at all visits of the order reaches."""
    fitted = session.scalar(
        select(func.sum(PartUse.quantity)).where(
            PartUse.work_order_id == visit.work_order_id, PartUse.part_id == part_id
        )
    ) or Decimal(0)
    for item in visit.work_order.items:
        if item.kind != "part" or item.part_id != part_id:
            continue
        needed = item.quantity or Decimal(1)
        if fitted >= needed and item.done_at is None:
            item.done_at, item.done_visit_id = at, visit.id
            if item.opened_visit_id is not None:
                needs.arrived(item, at)
        elif fitted < needed:
            item.done_at = item.done_visit_id = None
        fitted = max(Decimal(0), fitted - needed)
    session.flush()


# The fault, in codes and in words -------------------------------------------------------------------


def choose_pattern(visit: Visit, code: str, at: datetime) -> None:
    """One fault pattern fills all failure codes (N-11), and the customer's summary unless somebody wrote one."""
    at_machine(visit)
    pattern, order = catalogue.pattern(code), visit.work_order
    if not order.summary or order.summary in _remedy_of(order.pattern).values():
        caller = caller_of(order)
        order.summary = pattern.remedy[caller.language if caller is not None else "zh"]
    order.pattern = pattern.code
    order.failure_mode, order.failure_mechanism = pattern.mode, pattern.mechanism
    order.failure_cause, order.detection, order.activity = pattern.cause, pattern.detection, pattern.activity
    order.unknown_reason = None
    record("visit.coded", visit, {"pattern": pattern.code}, at=at)


def _remedy_of(code: str | None) -> Mapping[str, str]:
    """What that pattern says to the customer; empty when it is not known any more."""
    if code is None:
        return {}
    try:
        return catalogue.pattern(code).remedy
    except Invalid:
        return {}


def set_failure(visit: Visit, codes: Mapping[str, Any], at: datetime, unknown_reason: str = "") -> None:
    """Set failure codes one by one. Raises Invalid for a code that does not exist, or UNK without a reason."""
    at_machine(visit)
    reason = forms.plain_text(unknown_reason, 300, field="unknown_reason")
    errors = {
        str(name)[:60]: [_l("Choose one of the codes offered.")]
        for name, code in codes.items()
        if name not in CODES or not isinstance(code, str) or not catalogue.is_code(name, code)
    }
    if codes.get("failure_mode") == UNKNOWN and not reason:
        errors["unknown_reason"] = [_l("Say in a few words why the cause is unknown.")]
    if not codes:
        errors["failure"] = [_l("Choose the fault pattern, or the failure codes one by one.")]
    if errors:
        raise Invalid(errors)
    order = visit.work_order
    for name, code in codes.items():
        setattr(order, name, code)
    order.pattern = None
    order.unknown_reason = reason or (order.unknown_reason if order.failure_mode == UNKNOWN else None)
    record("visit.coded", visit, dict(codes), at=at)


def set_summary(visit: Visit, summary: str, at: datetime, technical_note: str | None = None) -> None:
    """What was found and done: in the customer's plain words, and (apart) for colleagues (S-13)."""
    at_machine(visit)
    visit.work_order.summary = forms.plain_text(summary, 2000, field="summary")
    if technical_note is not None:
        visit.work_order.technical_note = forms.plain_text(technical_note, 4000, field="technical_note")
    record("visit.summarised", visit, {}, at=at)


def sign(visit: Visit, at: datetime, *, file: StoredFile | None = None, name: str = "") -> None:
    """The customer signed on the tablet; the picture may still be on its way. The name is kept erasable."""
    at_machine(visit)
    words = forms.plain_text(name, MOST_NAME, field="name")
    record("visit.signed", visit, {"file": file.id if file else None}, at=at, note=words or None)


def note(visit: Visit, words: str, at: datetime) -> None:
    """Something the office should know; at any time, also before setting off."""
    text = forms.plain_text(words, MOST_NOTE, field="words")
    if not text:
        raise Invalid({"words": [_l("Write a few words first.")]})
    record("visit.noted", visit, {}, at=at, note=text)


# What is missing ------------------------------------------------------------------------------------


def missing_for(visit: Visit, outcome: str) -> dict[str, list[Any]]:
    """What still stands between this visit and that end, all at once; the tablet shows the same before it asks."""
    order, missing = visit.work_order, {}
    if outcome != "cannot_complete" and not order.summary.strip():
        missing["summary"] = [_l("Write for the customer, in plain words, what was found and done.")]
    if outcome != "completed":
        return missing
    if order.kind in CORRECTIVE and not coded(order):
        missing["failure"] = [_l("Choose the fault pattern, or the failure codes one by one.")]
    if without := unanswered(order):
        missing["checklist"] = [_l("Answer the required items: %(items)s.", items=", ".join(without))]
    if still := open_required(order):
        missing["open_items"] = [_l("Tick off what is still open: %(items)s.", items=", ".join(still))]
    if waiting := lines.pending(order):
        names = ", ".join(pick(line.part.names) for line in waiting if line.part is not None)
        missing["approval"] = [
            _l("Let the customer approve first what he pays under warranty: %(items)s.", items=names)
        ]
    return missing


def coded(order: WorkOrder) -> bool:
    """Mode, mechanism and cause are known, or their being unknown has a reason (N-11)."""
    if order.failure_mode == UNKNOWN:
        return bool(order.unknown_reason)
    return bool(order.failure_mode and order.failure_mechanism and order.failure_cause)


def unanswered(order: WorkOrder) -> list[str]:
    """Labels of required fields that no visit of the order answered. A failed check is an answer once it says why."""
    rows = session.scalars(select(Answer).where(Answer.work_order_id == order.id).order_by(Answer.at, Answer.id))
    last = {row.field: row for row in rows}
    given = {code: forms.Answer.from_stored(row.content) for code, row in last.items()}
    explained = {code for code, row in last.items() if row.note and given[code].value is False}
    form = catalogue.checklist_of(order)
    missing = [code for code in forms.missing_required(form, given) if code not in explained]
    return [catalogue.label_of(form.field(code)) for code in missing]


def open_required(order: WorkOrder) -> list[str]:
    """What must still be done before the order is complete, in words; parts by their number."""
    still = [item for item in order.items if item.required and item.done_at is None]
    parts = stock.parts_by_id(item.part_id for item in still if item.part_id is not None)
    return [parts[item.part_id].number if item.part_id in parts else item.words for item in still]


_HAD_IT: ContextVar[bool] = ContextVar("had_it", default=False)


@contextmanager
def told_by_whoever_had_it(had_it: bool) -> Iterator[None]:
    """What is recorded inside comes from a technician who had the job before: he was at the machine, whatever the state
    says that the job has since."""
    before = _HAD_IT.set(had_it)
    try:
        yield
    finally:
        _HAD_IT.reset(before)


def at_machine(visit: Visit) -> None:
    """Raises Conflict `not_at_work` before the technician has arrived."""
    if visit.state not in AT_WORK + ENDED and not _HAD_IT.get():
        raise Conflict(
            _l("This can be recorded once you have arrived. Press Arrived first."),
            code="not_at_work",
            state=visit.state,
        )
