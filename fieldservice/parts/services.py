"""What can be done with parts: moves are posted, never changed, and balances follow them."""

from datetime import datetime
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.models import Part, StockBalance, StockLocation, StockMove

GOOD = "good"
MOST = Decimal(100_000)  # one move of more is a slip of the finger
SMALLEST = Decimal("0.001")  # what a balance can hold


def list_part(
    *, number: str, names: dict[str, str], unit: str, price: int, criticality: str = "C", industry: str = "general",
    serial_tracked: bool = False, batch_tracked: bool = False, wears: bool = False,
) -> Part:  # fmt: skip
    """Put a part into the catalogue, ready to be used."""
    part = Part(
        number=number, names=names, unit=unit, price=price, criticality=criticality, industry=industry,
        serial_tracked=serial_tracked, batch_tracked=batch_tracked, wears=wears,
    )  # fmt: skip
    session.add(part)
    session.flush()
    move(part, "active")
    return part


def open_location(
    *, kind: str, station_id: int, names: dict[str, str], technician_id: int | None = None
) -> StockLocation:
    """Open a place where parts lie: a station's warehouse or a technician's van."""
    location = StockLocation(kind=kind, station_id=station_id, names=names, technician_id=technician_id)
    session.add(location)
    session.flush()
    return location


def post_move(
    *,
    part: Part,
    quantity: Decimal,
    cause: str,
    at: datetime,
    source: StockLocation | None = None,
    target: StockLocation | None = None,
    about: Subject | None = None,
    serial: str | None = None,
    condition: str = GOOD,
    reverses: StockMove | None = None,
) -> StockMove:
    """Move `quantity` from `source` to `target`; an empty side is outside our stock.

    The balance is taken by a conditional update, so two people never take the same piece. Raises
    Conflict `part_short` (fact: on_hand) when less is there, Invalid for a senseless quantity.
    """
    check_quantity(quantity)
    if source is not None:
        _take(part, source, quantity, condition)
    if target is not None:
        _put(part, target, quantity, condition)
    place = source or target
    if place is None:
        raise ValueError("a move needs a side inside our stock")
    posted = StockMove(
        part_id=part.id,
        from_id=source.id if source else None,
        to_id=target.id if target else None,
        quantity=quantity,
        condition=condition,
        cause=cause,
        for_type=about.subject_type if about else None,
        for_id=about.id if about else None,
        station_id=place.station_id,
        serial=serial,
        actor=actor(),
        at=at,
        reverses_id=reverses.id if reverses else None,
    )
    session.add(posted)
    record("stock.moved", posted, {"part": part.number, "quantity": str(quantity), "cause": cause}, at=at)
    return posted


def receive(part: Part, location: StockLocation, quantity: Decimal, *, at: datetime) -> StockMove:
    """Goods arrive."""
    return post_move(part=part, quantity=quantity, cause="receipt", target=location, at=at)


def reverse(posted: StockMove, *, at: datetime) -> StockMove:
    """Take a move back by its opposite. A second reversal of the same move is refused by the database."""
    part = session.get_one(Part, posted.part_id)
    source = session.get_one(StockLocation, posted.to_id) if posted.to_id else None
    target = session.get_one(StockLocation, posted.from_id) if posted.from_id else None
    return post_move(
        part=part, quantity=posted.quantity, cause="reversal", source=source, target=target, at=at,
        condition=posted.condition, serial=posted.serial, reverses=posted,
    )  # fmt: skip


def check_quantity(quantity: Decimal) -> None:
    """Raises Invalid for a quantity nobody can mean."""
    if not quantity.is_finite() or not Decimal(0) < quantity <= MOST:
        raise Invalid({"quantity": [_l("Enter a quantity greater than zero.")]})
    if quantity != quantity.quantize(SMALLEST):
        raise Invalid({"quantity": [_l("Use at most %(most)s decimals.", most=3)]})


def _take(part: Part, source: StockLocation, quantity: Decimal, condition: str) -> None:
    key = (StockBalance.part_id == part.id, StockBalance.location_id == source.id, StockBalance.condition == condition)
    taken = session.execute(
        update(StockBalance)
        .where(*key, StockBalance.on_hand >= quantity)
        .values(on_hand=StockBalance.on_hand - quantity)
    )
    assert isinstance(taken, CursorResult)
    if taken.rowcount == 0:
        there = session.scalar(select(StockBalance.on_hand).where(*key)) or Decimal(0)
        raise Conflict(
            _l("There is not enough of this part in that place. Choose another place or a smaller quantity."),
            code="part_short",
            part=part.number,
            on_hand=f"{there.normalize():f}",
        )


def _put(part: Part, target: StockLocation, quantity: Decimal, condition: str) -> None:
    key = (StockBalance.part_id == part.id, StockBalance.location_id == target.id, StockBalance.condition == condition)
    add = update(StockBalance).where(*key).values(on_hand=StockBalance.on_hand + quantity)
    added = session.execute(add)
    assert isinstance(added, CursorResult)
    if added.rowcount:
        return
    try:
        with session.begin_nested():
            session.add(StockBalance(part_id=part.id, location_id=target.id, condition=condition, on_hand=quantity))
    except IntegrityError:  # somebody opened the balance at the same moment
        session.execute(add)
