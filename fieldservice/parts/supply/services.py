"""Ordering parts from suppliers: draft, approve, send, hear when it comes, receive by goods receipts, close."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.time import local
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability import waiting
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.supply.models import COMING, SupplyOrder, SupplyOrderLine

INTO = ("central", "warehouse", "customer")  # kinds of places where goods arrive
MOST_LINES = 200
LONGEST = timedelta(days=730)  # ahead, for a supplier's date
A_MINUTE = timedelta(minutes=1)
CURRENCY = "CNY"  # of orders; an order has one sum
FREE_VALUE = "parts.order_value_without_manager"  # minor units; what an order is worth at most without a manager's word
policies.register_defaults(FREE_VALUE, 500_000, worth=policies.PLAIN)


def open_order(supplier: Supplier, location: StockLocation, *, at: datetime) -> SupplyOrder:
    """Begin to order. Raises Invalid for a place where no goods arrive or a supplier who delivers no more."""
    if location.kind not in INTO or location.state == "closed":
        raise Invalid({"location": [_l("Choose a store where goods arrive.")]})
    if supplier.state != "active":
        raise Invalid({"supplier": [_l("Choose the supplier.")]})
    order = SupplyOrder(
        number=next_number("PO", at), supplier=supplier, location=location, station_id=location.station_id, due_at=at,
        asked_by=actor(), asked_at=at,
    )  # fmt: skip
    session.add(order)
    session.flush()
    record("supply_order.draft", order, {"supplier": supplier.code}, at=at)
    return order


def put_line(order: SupplyOrder, part: Part, quantity: Decimal, *, at: datetime) -> SupplyOrderLine:
    """Order so much of a part, at the price of the supplier's offer of today; said again, it is the new quantity.

    Raises Invalid where he offers none, asks for more at least or for whole packs; Conflict `order_settled`.
    """
    order = _held(order, "draft")
    ledger.check_quantity(quantity, part)
    offer = offer_of(part, order.supplier_id, at)
    if offer is None:
        raise _not_offered()
    if offer.currency != CURRENCY:
        raise Invalid({"part": [_l("This offer is in another currency. Enter it in %(money)s first.", money=CURRENCY)]})
    least = in_packs(offer, quantity)
    if least != quantity:
        told = _l("By least quantity and packs, order %(quantity)s.", quantity=decimal_text(least))
        raise Invalid({"quantity": [told]})
    line = next((one for one in order.lines if one.part_id == part.id), None)
    if line is None:
        if len(order.lines) >= MOST_LINES:
            raise Invalid({"part": [_l("Use at most %(most)s entries.", most=MOST_LINES)]})
        line = SupplyOrderLine(part=part, quantity=quantity, price=offer.price)
        order.lines.append(line)
    line.quantity, line.price = quantity, offer.price
    order.due_at = max(order.due_at, at + timedelta(days=offer.lead_days))
    session.flush()
    return line


def order_for(
    supplier: Supplier, location: StockLocation, part: Part, quantity: Decimal, *, at: datetime
) -> SupplyOrder:  # fmt: skip
    """So much more of a part on the draft for this supplier and place, in his packs; a new draft where there is none.

    What a line of orders' needs alone has left of its last pack is used first. Raises Invalid as `put_line`.
    """
    take_turns(f"supply:{supplier.id}:{location.id}")
    mine = select(SupplyOrder).where(SupplyOrder.supplier_id == supplier.id, SupplyOrder.location_id == location.id)
    order = session.scalar(mine.where(SupplyOrder.state == "draft").order_by(SupplyOrder.id.desc()).limit(1))
    order = open_order(supplier, location, at=at) if order is None else _held(order, "draft")
    offer = offer_of(part, supplier.id, at)
    if offer is None:
        raise _not_offered()
    known = next((line.quantity for line in order.lines if line.part_id == part.id), Decimal(0))
    needed = sum((one.quantity for one in waiting.waiting_for(order) if one.part_id == part.id), Decimal(0))
    before = needed if needed and in_packs(offer, needed) == known else known
    put_line(order, part, in_packs(offer, before + quantity), at=at)
    return order


def drop_line(order: SupplyOrder, line_id: int, *, at: datetime) -> None:
    """Take a line off a draft; nothing happens where it is gone. Raises Conflict `order_settled`."""
    order = _held(order, "draft")
    gone = [line.part_id for line in order.lines if line.id == line_id]
    order.lines = [line for line in order.lines if line.id != line_id]
    session.flush()
    for part_id in gone:
        waiting.let_down(order, at, part_id=part_id)


def worth(order: SupplyOrder) -> int:
    """What it costs, in minor units, rounded up."""
    exact = sum((line.quantity * line.price for line in order.lines), Decimal(0))
    return int(exact.to_integral_value(ROUND_CEILING))


def needs_manager(order: SupplyOrder) -> bool:
    """Whether it is worth more than its station's storekeepers may order by themselves."""
    return worth(order) > int(policies.effective(FREE_VALUE, station_id=order.station_id).value)


def approve(order: SupplyOrder, *, at: datetime, by_manager: bool) -> None:
    """It may be sent. Raises Conflict `manager_needed` above the policy's value, `order_settled`; Invalid if empty."""
    order = _held(order, "draft")
    if not order.lines:
        raise Invalid({"lines": [_l("Put at least one part on the order.")]})
    if not by_manager and needs_manager(order):
        raise Conflict(
            _l("This order is worth more than a storekeeper may approve. Ask the station manager."),
            code="manager_needed",
        )
    order.approved_by = actor()
    move(order, "approved", at=at, lines=len(order.lines), worth=worth(order))


def send(order: SupplyOrder, *, at: datetime) -> None:
    """Somebody gave it to the supplier; from now on it may be promised for its date. Raises Conflict."""
    order = _held(order, "approved")
    days = [offer.lead_days for line in order.lines if (offer := offer_of(line.part, order.supplier_id, at))]
    if days:
        order.due_at = at + timedelta(days=max(days))
    order.sent_at = at
    move(order, "sent", at=at, due_at=order.due_at.isoformat())
    _help_waiting(order, at)


def acknowledge(order: SupplyOrder, due_at: datetime, *, at: datetime) -> None:
    """The supplier says when it comes; said again, he has another date. Promises that rest on it are looked at.

    Raises Invalid for a date that is over or too far, Conflict `order_settled` where nothing is to come.
    """
    order = _held(order, *COMING)
    if not local(at).date() <= local(due_at).date() <= (local(at) + LONGEST).date():
        raise Invalid({"due_at": [_l("Choose a day from today on, at most two years ahead.")]})
    before, order.due_at = order.due_at, due_at
    if order.state == "sent":
        move(order, "acknowledged", at=at, due_at=due_at.isoformat())
    else:
        record("supply_order.redated", order, {"from": before.isoformat(), "to": due_at.isoformat()}, at=at)
    session.flush()
    if due_at > before:
        waiting.later(order, due_at, at)
        _look_after_promises(order, at)
    else:
        _help_waiting(order, at)


def cancel(order: SupplyOrder, reason: str, *, at: datetime) -> None:
    """It is not wanted or not delivered. What rested on it is looked at. Raises Conflict, Invalid `reason_needed`."""
    order = _held(order, "draft", "approved", "sent", "acknowledged")
    expected = order.state in COMING
    move(order, "cancelled", at=at, reason=plain_text(reason, 300, field="reason"))
    session.flush()
    waiting.let_down(order, at)
    if expected:
        _look_after_promises(order, at)


def close(order: SupplyOrder, *, at: datetime) -> None:
    """Nothing more comes of it. Raises Conflict `order_settled`."""
    order = _held(order, "received", "part_received")
    missing = [line.part.number for line in order.lines if line.received < line.quantity]
    move(order, "closed", at=at, missing=missing)
    session.flush()
    if missing:
        waiting.let_down(order, at)
        _look_after_promises(order, at)


# Arrivals -------------------------------------------------------------------------------------------


def expected_of(supplier_id: int, location_id: int) -> Sequence[SupplyOrder]:
    """Orders that a delivery of this supplier at this place may fill, the oldest first, held until the end of the
    transaction: no other delivery fills them meanwhile."""
    wanted = select(SupplyOrder).where(SupplyOrder.supplier_id == supplier_id, SupplyOrder.location_id == location_id)
    wanted = wanted.where(SupplyOrder.state.in_(COMING)).order_by(SupplyOrder.id).with_for_update()
    found = session.scalars(wanted.execution_options(populate_existing=True)).all()
    _read_lines(found)
    return found


def fill(orders: Sequence[SupplyOrder], part: Part, quantity: Decimal) -> Decimal:
    """So much arrived: open lines take it, the oldest first. Gives what nobody had ordered.

    Called before the arrival is posted, so that it does not count as coming and as there at once.
    """
    left = quantity
    for line in (one for order in orders for one in order.lines if one.part_id == part.id):
        taken = min(left, line.quantity - line.received)
        line.received += taken
        left -= taken
    session.flush()
    return left


def settle(orders: Sequence[SupplyOrder], too_much: dict[str, Decimal], *, at: datetime) -> None:
    """States after a delivery. What came beyond the orders (part number → quantity) is in stock, and is said."""
    for order in orders:
        if all(line.received == line.quantity for line in order.lines):
            move(order, "received", at=at)
        elif order.state != "part_received" and any(line.received > 0 for line in order.lines):
            move(order, "part_received", at=at)
    last = {line.part.number: order for order in orders for line in order.lines}
    for number, quantity in sorted(too_much.items()):
        if number in last and quantity > 0:
            told = {"part": number, "quantity": decimal_text(quantity)}
            record("supply_order.too_much_came", last[number], told, at=at)


# What an offer asks for -----------------------------------------------------------------------------


def offer_of(part: Part, supplier_id: int, at: datetime) -> SupplierOffer | None:
    """The supplier's offer of a part that holds on this day; of several the one that began last."""
    offers = [offer for offer, supplier in catalogue.offers_of(part, local(at).date()) if supplier.id == supplier_id]
    return max(offers, key=lambda offer: (offer.valid_from, offer.id), default=None)


def in_packs(offer: SupplierOffer, quantity: Decimal) -> Decimal:
    """The least quantity that is enough and that the supplier takes: not below his minimum, whole packs."""
    wanted = max(quantity, offer.minimum)
    return (wanted / offer.pack).to_integral_value(ROUND_CEILING) * offer.pack


def _held(order: SupplyOrder, *states: str) -> SupplyOrder:
    """The order as it is now, held until the transaction ends. Raises Conflict unless it is in one of these states."""
    session.flush()
    mine = select(SupplyOrder).where(SupplyOrder.id == order.id).with_for_update()
    order = session.scalars(mine.execution_options(populate_existing=True)).one()
    _read_lines([order])
    if order.state not in states:
        raise Conflict(
            _l("Somebody went on with this order meanwhile. Look at it again."), code="order_settled", state=order.state
        )  # fmt: skip
    return order


def _read_lines(orders: Sequence[SupplyOrder]) -> None:
    """Lines as they are now: what was read before the orders were held may be old."""
    mine = select(SupplyOrderLine).where(SupplyOrderLine.order_id.in_([order.id for order in orders]))
    session.scalars(mine.execution_options(populate_existing=True)).all()
    for order in orders:
        session.expire(order, ["lines"])


def _look_after_promises(order: SupplyOrder, at: datetime) -> None:
    """It comes later or not at all: whoever cannot have what was promised is told now."""
    for line in sorted(order.lines, key=lambda one: one.part_id):
        promises.after_leaving(line.part_id, order.location_id, at)


def _help_waiting(order: SupplyOrder, at: datetime) -> None:
    """It comes, or comes sooner: whoever waits for it there is promised it."""
    waiting.comes(order, order.location_id, [line.part_id for line in order.lines], order.due_at, at)


def _not_offered() -> Invalid:
    return Invalid({"part": [_l("This supplier does not offer this part today. Look at its page for who does.")]})
