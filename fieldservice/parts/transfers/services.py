"""Sending parts from one of our places to another: ask, approve, ship, receive – all of it, part of it, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability import waiting
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.models import Part, SerialUnit, StockLocation, StockMove, StockMovePiece
from fieldservice.parts.transfers import neighbours
from fieldservice.parts.transfers.models import Transfer, TransferLine

MOST_LINES = 200
ENDS = ("central", "warehouse", "van", "customer")  # kinds of places parts are sent from and to
LONGEST = timedelta(days=90)


@dataclass(frozen=True)
class Arrived:
    """What came of a line; `serials` where pieces have numbers and not all came."""

    quantity: Decimal
    serials: Sequence[str] = field(default=())


def open_transfer(
    source: StockLocation, target: StockLocation, wanted: Sequence[tuple[Part, Decimal]], *, expected_at: datetime,
    at: datetime, carrier: str = "", tracking: str = "",
) -> Transfer:  # fmt: skip
    """Ask for parts to be sent. Several lines of one part become one.

    Raises Invalid for places parts are not sent between, a senseless time, or no lines.
    """
    if source.id == target.id or any(place.kind not in ENDS or place.state == "closed" for place in (source, target)):
        raise Invalid({"to": [_l("Choose two different stores or vans.")]})
    if not at <= expected_at <= at + LONGEST:
        raise Invalid({"expected_at": [_l("Say when it arrives: from now on, at most 90 days ahead.")]})
    totals: dict[int, tuple[Part, Decimal]] = {}
    for part, quantity in wanted:
        ledger.check_quantity(quantity, part)
        totals[part.id] = (part, quantity + (totals[part.id][1] if part.id in totals else 0))
    if not 0 < len(totals) <= MOST_LINES:
        raise Invalid({"lines": [_l("Name at least one part, at most %(most)s.", most=MOST_LINES)]})
    transfer = Transfer(
        number=next_number("TR", at), from_id=source.id, to_id=target.id, station_id=source.station_id,
        to_station_id=target.station_id, carrier=plain_text(carrier, 60, field="carrier"),
        tracking=plain_text(tracking, 60, field="tracking"), expected_at=expected_at, asked_by=actor(), asked_at=at,
        lines=[TransferLine(part=part, quantity=quantity) for part, quantity in totals.values()],
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    return transfer


def approve(transfer: Transfer, *, at: datetime) -> None:
    """The source keeps it for this transfer from now on, and the target may promise it for when it arrives. Of one that
    a station was asked for, the time it took to answer comes on top, and who waits for it is promised it.

    Raises Conflict `part_short` when a line is not free there, `move_forbidden`.
    """
    move(transfer, "approved", at=at)
    _keep(transfer, at)
    if transfer.answer_by is not None:
        transfer.expected_at += max(timedelta(0), at - transfer.asked_at)
        session.flush()
    neighbours.answered(transfer, "approved", at=at)
    waiting.comes(transfer, transfer.to_id, [line.part_id for line in transfer.lines], transfer.expected_at, at)


def cancel(transfer: Transfer, *, at: datetime, unwanted: bool = False) -> None:
    """It is not sent; `unwanted` where whoever it was for does not need it any more. Raises Conflict `move_forbidden`
    once it is on its way."""
    move(transfer, "cancelled", at=at, unwanted=unwanted)
    promises.release_for(transfer, at=at)
    neighbours.answered(transfer, "cancelled", at=at)
    _tell_target(transfer, at)
    waiting.let_down(transfer, at)


def withdraw_unwanted(event: Event) -> None:
    """Nobody waits any more for what a station is asked for: it need not answer, and keeps nothing. What it agreed to
    already comes into stock."""
    freed = session.get_one(Reservation, event.subject_id)
    if event.facts.get("from") != "requested" or freed.waits_type != Transfer.subject_type:
        return
    held = select(Transfer).where(Transfer.id == freed.waits_id).with_for_update()
    transfer = session.scalars(held.execution_options(populate_existing=True)).one()
    if transfer.state == "asked" and not waiting.tied_to(transfer):
        cancel(transfer, at=event.at, unwanted=True)


def ship(transfer: Transfer, *, at: datetime, serials: Mapping[int, Sequence[str]] | None = None) -> None:
    """It leaves: from the shelf into the target station's transit place. `serials` by line, of numbered pieces.

    Raises Conflict `move_forbidden`, `part_short`, `serial_needed` and what `post_move` raises.
    """
    move(transfer, "shipped", at=at)
    transfer.shipped_at = at
    way = ledger.place_of(transfer.to_station_id, "transit")
    for line in _ordered(transfer):
        promises.consume(line.part, transfer.source, line.quantity, about=transfer, at=at)
        ledger.post_move(
            part=line.part, quantity=line.quantity, cause="transfer", at=at, source=transfer.source, target=way,
            about=transfer, serials=(serials or {}).get(line.id, ()),
        )  # fmt: skip


def receive(transfer: Transfer, arrived: Mapping[int, Arrived] | None = None, *, at: datetime) -> None:
    """It is here: all that is still on its way, or what `arrived` says by line. The rest stays on its way.

    Raises Invalid for more than was sent or nothing at all, Conflict `move_forbidden`, `serial_elsewhere`.
    """
    came = (
        arrived if arrived is not None else {line.id: Arrived(line.quantity - line.received) for line in transfer.lines}
    )
    lines = [line for line in _ordered(transfer) if line.id in came and came[line.id].quantity > 0]
    if not lines:
        raise Invalid({"lines": [_l("Say what arrived.")]})
    for line in lines:
        if came[line.id].quantity > line.quantity - line.received:
            raise Invalid({"lines": [_l("More arrived than was sent: %(part)s.", part=line.part.number)]})
    whole = all(line.received + came.get(line.id, NOTHING).quantity == line.quantity for line in transfer.lines)
    if whole or transfer.state != "part_received":
        move(transfer, "received" if whole else "part_received", at=at)
    transfer.received_at = at
    way = ledger.place_of(transfer.to_station_id, "transit")
    for line in lines:
        told = came[line.id]
        ledger.post_move(
            part=line.part, quantity=told.quantity, cause="transfer", at=at, source=way, target=transfer.target,
            about=transfer, serials=told.serials or _on_the_way(transfer, line, told.quantity),
        )  # fmt: skip
        line.received += told.quantity
    session.flush()


def give_up(transfer: Transfer, reason: str, *, at: datetime) -> None:
    """What is still on its way will not arrive: it leaves our stock. Raises Invalid `reason_needed`."""
    move(transfer, "not_arrived", at=at, reason=reason)
    way = ledger.place_of(transfer.to_station_id, "transit")
    for line in _ordered(transfer):
        left = line.quantity - line.received
        if left > 0:
            ledger.post_move(
                part=line.part, quantity=left, cause="loss", at=at, source=way, about=transfer,
                serials=_on_the_way(transfer, line, left),
            )  # fmt: skip
    _tell_target(transfer, at)


NOTHING = Arrived(Decimal(0))


def _keep(transfer: Transfer, at: datetime) -> None:
    """Reserve its lines at the source, unless they are kept since the station was asked."""
    held = promises.open_for(transfer)
    if held and all(one.state in HOLDING for one in held):
        return
    for one in held:
        promises.release(one, at=at)
    for line in _ordered(transfer):
        promises.reserve(line.part, transfer.source, line.quantity, need_at=at, about=transfer, at=at)


def _ordered(transfer: Transfer) -> list[TransferLine]:
    """In the order in which balances are locked."""
    return sorted(transfer.lines, key=lambda line: line.part_id)


def _on_the_way(transfer: Transfer, line: TransferLine, quantity: Decimal) -> list[str]:
    """Numbered pieces of this line that are still on their way, where all of them are meant; else they are named."""
    if not line.part.serial_tracked:
        return []
    way = ledger.place_of(transfer.to_station_id, "transit")
    sent = (
        select(SerialUnit.serial)
        .join(StockMovePiece, StockMovePiece.unit_id == SerialUnit.id)
        .join(StockMove, StockMove.id == StockMovePiece.move_id)
        .where(StockMove.for_type == transfer.subject_type, StockMove.for_id == transfer.id)
        .where(SerialUnit.part_id == line.part_id, SerialUnit.location_id == way.id)
        .order_by(SerialUnit.serial)
    )
    found = list(session.scalars(sent.distinct()))
    return found if len(found) == quantity else []


def _tell_target(transfer: Transfer, at: datetime) -> None:
    """Promises that rested on it cannot be kept any more."""
    for line in _ordered(transfer):
        promises.after_leaving(line.part_id, transfer.to_id, at)
