"""Receiving goods: open a delivery, scan its lines, post it; quality releases or rejects what waits in quarantine."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.time import local
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import pieces
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services as promises
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockBatch, StockLocation
from fieldservice.parts.receipts.models import GoodsReceipt, GoodsReceiptLine
from fieldservice.parts.supply import services as supply

MOST_LINES = 500
INTO = ("central", "warehouse", "customer")  # kinds of places where goods arrive


@dataclass(frozen=True)
class Arrived:
    """One line as it was entered or scanned."""

    part: Part
    quantity: Decimal
    batch: str = ""
    expires_on: date | None = None
    certificate: str = ""
    serials: tuple[str, ...] = ()


def open_receipt(supplier: Supplier, note: str, location: StockLocation, *, at: datetime) -> GoodsReceipt:
    """Begin to receive a delivery; the same note of the same supplier gives the receipt that was begun already.

    Raises Conflict `already_received` (fact: receipt) where it was posted, Invalid for an empty note or a place where
    no goods arrive.
    """
    number = plain_text(note, 60, field="delivery_note")
    if not number:
        raise Invalid({"delivery_note": [_l("Write the number of the delivery note.")]})
    if location.kind not in INTO or location.state == "closed":
        raise Invalid({"location": [_l("Choose a store where goods arrive.")]})
    take_turns(f"goods_receipt:{supplier.id}:{number}")
    mine = (GoodsReceipt.supplier_id == supplier.id, GoodsReceipt.delivery_note == number)
    known = session.scalar(select(GoodsReceipt).where(*mine))
    if known is not None:
        if known.state == "draft" and known.location_id == location.id:
            return known
        raise Conflict(
            _l("This delivery note was received already: %(number)s.", number=known.number),
            code="already_received",
            receipt=known.number,
        )
    receipt = GoodsReceipt(
        number=next_number("GR", at), station_id=location.station_id, location_id=location.id, supplier_id=supplier.id,
        delivery_note=number, opened_by=actor(), opened_at=at,
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    record("goods_receipt.draft", receipt, {"supplier": supplier.code}, at=at)
    return receipt


def add_line(receipt: GoodsReceipt, arrived: Arrived, *, at: datetime) -> GoodsReceiptLine:
    """Put a line on a delivery that is not posted yet. Raises Invalid for what cannot be meant, Conflict
    `serial_twice` for a piece that stands on it already, `batch_expired` for goods past their day."""
    receipt = _held(receipt)
    if len(receipt.lines) >= MOST_LINES:
        raise Invalid({"part": [_l("Use at most %(most)s entries.", most=MOST_LINES)]})
    ledger.check_quantity(arrived.quantity, arrived.part)
    batch = plain_text(arrived.batch, 60, field="batch")
    expires_on = _expiry(arrived, batch, at)
    serials = pieces.plain_serials(arrived.serials)
    if arrived.part.serial_tracked and len(serials) != arrived.quantity:
        raise Invalid({"serials": [_l("Scan the serial number of every piece.")]}, code="serial_needed")
    if serials and not arrived.part.serial_tracked:
        raise Invalid({"serials": [_l("Pieces of this part have no serial numbers.")]})
    there = {serial for line in receipt.lines if line.part_id == arrived.part.id for serial in line.serials}
    if twice := sorted(there & set(serials)):
        raise Conflict(
            _l("%(serial)s stands on this delivery already.", serial=twice[0]), code="serial_twice", serial=twice[0]
        )  # fmt: skip
    line = GoodsReceiptLine(
        station_id=receipt.station_id, part=arrived.part, quantity=arrived.quantity, batch=batch,
        expires_on=expires_on, serials=serials,
        certificate=plain_text(arrived.certificate, 80, field="certificate"),
    )  # fmt: skip
    receipt.lines.append(line)
    session.flush()
    return line


def drop_line(receipt: GoodsReceipt, line_id: int) -> None:
    """Take a line off a delivery that is not posted yet; nothing happens where it is gone."""
    receipt = _held(receipt)
    receipt.lines = [line for line in receipt.lines if line.id != line_id]
    session.flush()


def post_receipt(receipt: GoodsReceipt, *, at: datetime) -> GoodsReceipt:
    """Put everything into stock, at once or not at all. What needs a certificate and has none goes to the station's
    quarantine (O-04). Open orders to this supplier are filled, the oldest first. Posting again changes nothing."""
    receipt = _held(receipt, posted=True)
    if receipt.state == "posted":
        return receipt
    if not receipt.lines:
        raise Invalid({"lines": [_l("Scan or enter what arrived first.")]}, code="empty")
    expected = supply.expected_of(receipt.supplier_id, receipt.location_id)
    too_much: dict[str, Decimal] = {}
    for line in sorted(receipt.lines, key=lambda one: (one.part_id, one.id)):
        beyond = supply.fill(expected, line.part, line.quantity)
        too_much[line.part.number] = too_much.get(line.part.number, Decimal(0)) + beyond
        _post(receipt, line, at)
    supply.settle(expected, too_much, at=at)
    receipt.posted_at = at
    move(receipt, "posted", at=at, lines=len(receipt.lines))
    return receipt


def cancel_receipt(receipt: GoodsReceipt, *, at: datetime) -> None:
    """It was begun by mistake; its delivery note may come again."""
    receipt = _held(receipt)
    receipt.delivery_note = None
    move(receipt, "cancelled", at=at)


def release(line: GoodsReceiptLine, certificate: str, *, at: datetime) -> None:
    """Quality has the certificate: the goods go from quarantine to where they were meant to lie."""
    number = plain_text(certificate, 80, field="certificate")
    if not number:
        raise Invalid({"certificate": [_l("Write the number of the certificate.")]})
    batch = _settle(line, at)
    if batch is not None:
        batch.certificate = number
    line.certificate = number
    _carry(line, batch, "release", line.receipt.location, at, ledger.GOOD)
    move(line, "released", at=at, certificate=number)


def reject(line: GoodsReceiptLine, reason: str, *, at: datetime) -> None:
    """Quality refuses the goods: they are defective from now on, and lie with what goes back."""
    batch = _settle(line, at)
    target = ledger.place_of(line.station_id, "defective")
    _carry(line, batch, "reject", target, at, ledger.DEFECTIVE)
    move(line, "rejected", reason=plain_text(reason, 300, field="reason"), at=at)


def _expiry(arrived: Arrived, batch: str, at: datetime) -> date | None:
    part, expires_on = arrived.part, arrived.expires_on
    if part.batch_tracked and not batch:
        raise Invalid({"batch": [_l("Write the batch number on the label.")]}, code="batch_needed")
    if batch and not part.batch_tracked:
        raise Invalid({"batch": [_l("This part has no batches.")]})
    if part.batch_tracked and part.shelf_life_days and expires_on is None:
        known = ledger.known_batch(part, batch)
        expires_on = known.expires_on if known is not None else None
        if expires_on is None:
            raise Invalid({"expires_on": [_l("Write the expiry date on the label.")]})
    if pieces.is_over(expires_on, at):
        raise Conflict(
            _l("This batch has expired. Send it back to the supplier."), code="batch_expired", batch=batch
        )  # fmt: skip
    if expires_on is not None and expires_on > local(at).date() + timedelta(days=36_525):
        raise Invalid({"expires_on": [_l("Write the expiry date on the label.")]})
    return expires_on


def _post(receipt: GoodsReceipt, line: GoodsReceiptLine, at: datetime) -> None:
    part = line.part
    if pieces.is_over(line.expires_on, at):
        raise Conflict(
            _l("This batch has expired. Send it back to the supplier."), code="batch_expired", batch=line.batch
        )  # fmt: skip
    batch = (
        ledger.batch_of(part, line.batch, at=at, expires_on=line.expires_on, certificate=line.certificate)
        if line.batch
        else None
    )
    proven = bool(line.certificate or (batch is not None and batch.certificate))
    waits = part.certificate_needed and not proven
    place = ledger.place_of(receipt.station_id, "quarantine") if waits else receipt.location
    posted = ledger.receive(
        part, place, line.quantity, at=at, batch=batch, serials=line.serials, about=receipt
    )  # fmt: skip
    line.move_id = posted.id
    move(line, "quarantined" if waits else "received", at=at)
    if waits:  # it does not come to the shelf any more, and does not lie there yet
        promises.after_leaving(part.id, receipt.location_id, at)


def _settle(line: GoodsReceiptLine, at: datetime) -> StockBatch | None:
    """Raises Conflict where somebody decided already."""
    mine = select(GoodsReceiptLine).where(GoodsReceiptLine.id == line.id).with_for_update()
    line = session.scalars(mine.execution_options(populate_existing=True)).one()
    if line.state != "quarantined":
        raise Conflict(_l("This was decided already. Look at the delivery again."), code="decided_already")
    line.decided_by, line.decided_at = actor(), at
    return ledger.known_batch(line.part, line.batch) if line.batch else None


def _carry(
    line: GoodsReceiptLine, batch: StockBatch | None, cause: str, target: StockLocation, at: datetime, becomes: str
) -> None:
    ledger.post_move(
        part=line.part, quantity=line.quantity, cause=cause, at=at, target=target, about=line.receipt, batch=batch,
        source=ledger.place_of(line.station_id, "quarantine"), serials=line.serials, becomes=becomes,
    )  # fmt: skip


def _held(receipt: GoodsReceipt, *, posted: bool = False) -> GoodsReceipt:
    """The receipt as it is now, held until the transaction ends. Raises Conflict unless it is still a draft."""
    session.flush()
    mine = select(GoodsReceipt).where(GoodsReceipt.id == receipt.id).with_for_update()
    receipt = session.scalars(mine.execution_options(populate_existing=True)).one()
    session.expire(receipt, ["lines"])
    if receipt.state != "draft" and not (posted and receipt.state == "posted"):
        raise Conflict(
            _l("This delivery is settled already. Look at it again."), code="receipt_settled", state=receipt.state
        )  # fmt: skip
    return receipt
