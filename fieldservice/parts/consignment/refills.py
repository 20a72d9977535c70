"""Refilling a customer's place: proposed before it runs out, confirmed, sent, delivered against a signature.

The promise runs from confirmation to the signed proof of delivery (T-06) and never pauses. A part of it signed for is
no promise kept, whatever comes later.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.numbers import next_number
from fieldservice.mechanisms import clocks, files, policies, tasks
from fieldservice.mechanisms.files import Received
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.limits import Limit
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import asking
from fieldservice.parts.consignment import lines, outlook
from fieldservice.parts.consignment.models import ConsignmentLine, RefillOrder
from fieldservice.parts.models import StockLocation
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.services import Arrived
from fieldservice.stations.models import Station

WITHIN = "consignment.refill_within"  # from confirmation to the signed proof of delivery
policies.register_defaults(WITHIN, Limit.parse("24 h"))
CLOCK = "delivery"
ANSWER = timedelta(hours=4)  # for the station to confirm a proposal
OWN = ("station", "neighbour", "central")  # sources that are stores of ours, not somebody's van
MOST_NAME = 80


@dataclass(frozen=True)
class Way:
    """A store of ours that has some of it free now, and how long it takes from there."""

    place: StockLocation
    free: Decimal
    length: timedelta


@dataclass(frozen=True)
class Proof:
    """Who signed for it, and what shows it: the signed note (a picture), or the customer's own account."""

    received_by: str
    note: Received | None = None
    by_account: bool = False


def propose(line: ConsignmentLine, quantity: Decimal, *, at: datetime) -> RefillOrder:
    """So much should go there; the station is asked. The open one is given back where there is one."""
    ledger.check_quantity(quantity, line.part)
    line = lines.held(line)
    known = lines.open_refill(line)
    if known is not None:
        return known
    if line.state != "active":
        raise Conflict(_l("This agreement has ended. Nothing is refilled any more."), code="ended")
    refill = RefillOrder(
        number=next_number("RF", at), line=line, station_id=line.station_id, quantity=quantity,
        runs_out_on=line.runs_out_on, proposed_by=actor(), proposed_at=at,
    )  # fmt: skip
    session.add(refill)
    session.flush()
    ask(refill, at)
    return refill


def ask(refill: RefillOrder, at: datetime) -> None:
    """A task to the station: confirm it before the stock runs out."""
    line = refill.line
    told = {
        "number": refill.number, "part": line.part.number, "place": line.location.code,
        "quantity": decimal_text(refill.quantity), "day": refill.runs_out_on.isoformat(),
    }  # fmt: skip
    tasks.open_task(
        "refill_due", refill, owner_role="storekeeper", due_at=at + ANSWER, at=at, facts=told,
        key=_task_key(refill, at),
    )  # fmt: skip


def ways_of(refill: RefillOrder, at: datetime) -> list[Way]:
    """Stores that have some of it free now, the nearest first."""
    station = session.get_one(Station, refill.station_id)
    found = asking.ask(refill.line.part, station, refill.quantity, at, at)
    ways = [
        Way(one.way.location, one.free, one.way.length)
        for one in found.places
        if one.way.kind in OWN and one.free > 0 and one.part.id == refill.line.part_id
    ]
    return sorted(ways, key=lambda way: (way.length, way.place.id))


def confirm(
    refill: RefillOrder, *, at: datetime, quantity: Decimal | None = None, source: StockLocation | None = None
) -> RefillOrder:  # fmt: skip
    """The station promises it: kept at the nearest store that has it (or at `source`), due within 24 hours.

    Confirming again changes nothing. Raises Conflict `nobody_has_it` (fact: free) when no store has so much free,
    `part_short`, `move_forbidden`; Invalid for a senseless quantity.
    """
    refill = held(refill)
    if refill.state in ("confirmed", "shipped", "part_delivered", "delivered"):
        return refill
    line = refill.line
    wanted = refill.quantity if quantity is None else quantity
    ledger.check_quantity(wanted, line.part)
    limit = _limit(refill)
    due_at = at + timedelta(minutes=limit.minutes)
    transfer = transfers.open_transfer(
        source or _nearest(refill, wanted, at), line.location, [(line.part, wanted)], expected_at=due_at, at=at
    )
    transfers.approve(transfer, at=at)
    clock = clocks.start(refill, CLOCK, limit, started_at=at, priority="P3")
    refill.quantity, refill.transfer = wanted, transfer
    refill.confirmed_at, refill.due_at = clock.started_at, clock.due_at
    move(refill, "confirmed", at=at, quantity=decimal_text(wanted), transfer=transfer.number)
    _answered(refill, at)
    outlook.reckon(line, at)
    return refill


def ship(refill: RefillOrder, *, at: datetime) -> RefillOrder:
    """It leaves the store; the refill follows its transfer (`handlers`). Twice is once."""
    refill = held(refill)
    if refill.state != "confirmed" or refill.transfer is None:
        if refill.state in ("shipped", "part_delivered", "delivered"):
            return refill
        raise Conflict(_l("Confirm this refill first."), code="not_confirmed")
    transfers.ship(refill.transfer, at=at)
    return refill


def deliver(refill: RefillOrder, quantity: Decimal | None, proof: Proof, *, at: datetime) -> RefillOrder:
    """So much of it (None: all that is still on its way) is signed for.

    The first proof decides the promise: kept when all of it is there in time, else not. Signing again for what was
    delivered changes nothing. Raises Invalid without a name or without what shows it, for nothing and for more than
    was sent; Conflict `not_shipped`.
    """
    refill = held(refill)
    if refill.state == "delivered":
        return refill
    if refill.state not in ("shipped", "part_delivered") or refill.transfer is None:
        raise Conflict(_l("It has not left the store yet. Send it first."), code="not_shipped")
    name = plain_text(proof.received_by, MOST_NAME, field="received_by")
    wrong: dict[str, list[object]] = {}
    if not name:
        wrong["received_by"] = [_l("Write who received it.")]
    if proof.note is None and not proof.by_account:
        wrong["note"] = [_l("Add a picture of the signed delivery note.")]
    if wrong:
        raise Invalid(wrong, code="proof_needed")
    came = refill.quantity - refill.delivered if quantity is None else quantity
    ledger.check_quantity(came, refill.line.part)
    if came > refill.quantity - refill.delivered:
        raise Invalid({"quantity": [_l("More arrived than was sent. Count again.")]})
    _receive(refill.transfer, came, refill.delivered, at)
    refill.delivered += came
    _decide(refill, at)
    refill.received_by, refill.proof = name, "account" if proof.by_account else "note"
    if proof.note is not None:
        files.attach(proof.note, refill, at=at)
    whole = refill.delivered == refill.quantity
    if whole or refill.state == "shipped":
        move(refill, "delivered" if whole else "part_delivered", at=at, quantity=decimal_text(came), kept=refill.kept)
    outlook.reckon(refill.line, at)
    return refill


def cancel(refill: RefillOrder, reason: str, *, at: datetime) -> None:
    """It is not sent after all; a promise that was made is taken out of count, with the reason. Twice is once.

    Raises Conflict `move_forbidden` once it is on its way, Invalid without a reason.
    """
    refill = held(refill)
    if refill.state == "cancelled":
        return
    sent = refill.transfer
    move(refill, "cancelled", at=at, reason=plain_text(reason, 300, field="reason"))
    refill.transfer = None
    session.flush()
    if sent is not None and sent.state in ("draft", "approved"):
        transfers.cancel(sent, at=at)
    clocks.void(refill, CLOCK, at=at, reason="cancelled")
    _answered(refill, at)
    outlook.reckon(refill.line, at)


def held(refill: RefillOrder) -> RefillOrder:
    """The refill as it is now; its line is held before it, and both until the transaction ends."""
    lines.held(refill.line)
    mine = select(RefillOrder).where(RefillOrder.id == refill.id).with_for_update(of=RefillOrder)
    return session.scalars(mine.execution_options(populate_existing=True)).one()


def back_to_proposed(refill: RefillOrder, at: datetime) -> None:
    """The store that should send it does not. The customer's promise stands: its clock runs on."""
    refill = held(refill)
    if refill.state == "confirmed":
        refill.transfer = None
        move(refill, "proposed", at=at)
        ask(refill, at)


def lost(refill: RefillOrder, at: datetime) -> None:
    """What is still on its way will not arrive: the promise is broken, and the next one may be proposed."""
    refill = held(refill)
    if refill.state in ("shipped", "part_delivered"):
        move(refill, "not_arrived", at=at)
        clocks.miss(refill, CLOCK, at=at)
        refill.kept = False
        outlook.reckon(refill.line, at)


# Inside -------------------------------------------------------------------------------------------


def _limit(refill: RefillOrder) -> Limit:
    """What holds for this customer; never longer than what everybody is promised."""
    customer = session.scalar(
        select(Customer)
        .join(Site, Site.customer_id == Customer.id)
        .where(Site.id == refill.line.location.site_id)
    )  # fmt: skip
    found = policies.effective(
        WITHIN, station_id=refill.station_id, customer_id=customer.id if customer else None,
        tier=customer.tier if customer else None,
    )  # fmt: skip
    limit: Limit = found.value
    return limit


def _nearest(refill: RefillOrder, wanted: Decimal, at: datetime) -> StockLocation:
    ways = ways_of(refill, at)
    found = next((way.place for way in ways if way.free >= wanted), None)
    if found is None:
        most = max((way.free for way in ways), default=Decimal(0))
        raise Conflict(
            _l("No store has so much of it free; one has %(most)s. Bring less, or order it from the supplier first.",
               most=decimal_text(most)),
            code="nobody_has_it", free=decimal_text(most),
        )  # fmt: skip
    return found


def _receive(transfer: Transfer, came: Decimal, signed: Decimal, at: datetime) -> None:
    """Into the customer's place; what the transfer's own page received and nobody signed for yet is there already."""
    [line] = transfer.lines
    more = came - (line.received - signed)
    if transfer.state in ("shipped", "part_received") and more > 0:
        transfers.receive(transfer, {line.id: Arrived(more)}, at=at)


def _decide(refill: RefillOrder, at: datetime) -> None:
    """The first proof of delivery says whether the promise was kept."""
    if refill.delivered_at is not None:
        return
    refill.delivered_at = at
    if refill.delivered == refill.quantity:
        clock = clocks.stop(refill, CLOCK, at)
        refill.kept = clock is not None and clock.state == "kept"
    else:
        clocks.miss(refill, CLOCK, at=at)
        refill.kept = False


def _answered(refill: RefillOrder, at: datetime) -> None:
    """Whatever the station was asked about it is answered."""
    for task in tasks.tasks_about(refill):
        if task.state == "open" and task.title == "refill_due":
            tasks.finish(task, at=at, result=refill.state)


def _task_key(refill: RefillOrder, at: datetime) -> str:
    return f"refill_due:{refill.id}:{at.isoformat()}"
