"""What can be done with parts: moves are posted, never changed, and balances follow them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.exc import IntegrityError

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import is_sqlite, session, take_turns
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import pieces
from fieldservice.parts.models import WHOLE, Part, StockBalance, StockBatch, StockLocation, StockMove
from fieldservice.parts.pieces import Asked, Carried
from fieldservice.stations.models import Station

GOOD, DEFECTIVE = "good", "defective"
MOST = Decimal(100_000)  # one move of more is a slip of the finger
SMALLEST = Decimal("0.001")  # what a balance can hold
LETTERS = {"warehouse": "W", "van": "V", "customer": "K", "transit": "T", "quarantine": "Q"}  # of a place's code
NEEDED_NAMES: Mapping[str, Mapping[str, str]] = {  # of places that a station gets when it first needs them
    "quarantine": {"zh": "{zh}隔离区", "en": "{en} quarantine"},
    "defective": {"zh": "{zh}不良品区", "en": "{en} defective goods"},
    "transit": {"zh": "{zh}在途", "en": "{en} in transit"},
}


def list_part(
    *, number: str, names: dict[str, str], unit: str, price: int, criticality: str = "C", industry: str = "general",
    **more: Any,
) -> Part:  # fmt: skip
    """Put a part into the catalogue, ready to be used. `more` are other columns of Part."""
    part = Part(
        number=number, names=names, unit=unit, price=price, criticality=criticality, industry=industry, **more
    )  # fmt: skip
    session.add(part)
    session.flush()
    move(part, "active")
    return part


# Places -------------------------------------------------------------------------------------------


def open_location(
    *, kind: str, station_id: int, names: dict[str, str], technician_id: int | None = None, site_id: int | None = None,
    code: str | None = None,
) -> StockLocation:  # fmt: skip
    """Open a place where parts lie. Its code is made of its kind and number where none is given."""
    location = StockLocation(
        kind=kind, station_id=station_id, names=names, technician_id=technician_id, site_id=site_id, code=code
    )
    session.add(location)
    session.flush()
    if code is None:
        location.code = f"{LETTERS.get(kind, 'P')}{location.id}"
        session.flush()
    return location


def place_of(station_id: int, kind: str) -> StockLocation:
    """The station's quarantine, place of defective goods, or transit; opened when it is first needed."""
    wanted = (
        select(StockLocation)
        .where(StockLocation.station_id == station_id, StockLocation.kind == kind, StockLocation.state != "closed")
        .order_by(StockLocation.id)
        .limit(1)
    )
    found = session.scalar(wanted)
    if found is not None:
        return found
    take_turns(f"place:{kind}:{station_id}")
    station = session.get_one(Station, station_id)
    names = {spoken: text.format(**station.names) for spoken, text in NEEDED_NAMES[kind].items()}
    return session.scalar(wanted) or open_location(kind=kind, station_id=station_id, names=names)


# Batches ------------------------------------------------------------------------------------------


def known_batch(part: Part, number: str) -> StockBatch | None:
    """The batch of this number, if it was ever received."""
    return session.scalar(select(StockBatch).where(StockBatch.part_id == part.id, StockBatch.number == number))


def batch_of(
    part: Part, number: str, *, at: datetime, expires_on: date | None = None, certificate: str = ""
) -> StockBatch:  # fmt: skip
    """The batch of this number, made when it first comes. A certificate may be added, an expiry never changes.

    Raises Conflict `batch_differs` where the batch is known with another expiry.
    """
    take_turns(f"batch:{part.id}:{number}")
    batch = known_batch(part, number)
    if batch is None:
        batch = StockBatch(
            part_id=part.id, number=number, expires_on=expires_on, certificate=certificate, first_seen_at=at
        )
        session.add(batch)
        session.flush()
        record("stock_batch.received", batch, {"part": part.number, "batch": number}, at=at)
        return batch
    if expires_on is not None and batch.expires_on not in (None, expires_on):
        raise Conflict(
            _l("This batch is known with another expiry date. Read the label again."),
            code="batch_differs",
            batch=number,
        )
    batch.expires_on = batch.expires_on or expires_on
    batch.certificate = certificate or batch.certificate
    session.flush()
    return batch


# Moves --------------------------------------------------------------------------------------------


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
    serials: Sequence[str] = (),
    batch: StockBatch | None = None,
    condition: str = GOOD,
    becomes: str | None = None,
    unnamed: bool = False,
    asset_id: int | None = None,
) -> StockMove:
    """Move `quantity` from `source` to `target`; an empty side is outside our stock.

    Batches are chosen by earliest expiry unless one is named. Pieces of a part with serial numbers are named in
    `serials`; `unnamed` lets them go without, where they are gone already and nobody read the label. `serial` is what
    somebody read off one piece, whatever the part. `becomes` is the condition in which they arrive, where it differs;
    `asset_id` the machine they are fitted in. Balances are taken by conditional updates, so two people never take the
    same piece, and what is set aside in a tray is not taken.

    Raises Conflict `part_short` (fact: on_hand) when less is there, `batch_expired`, `serial_elsewhere`,
    `serial_known`, `serial_needed`; Invalid for a senseless quantity or number.
    """
    check_quantity(quantity, part)
    _lock(part, source, target)
    asked = Asked(part, quantity, cause, condition, at, source, target, batch, serials, unnamed)
    carried = pieces.choose(asked)
    told = serial if serial is not None or len(serials) != 1 else serials[0]
    return _post(asked, carried, about=about, serial=told, becomes=becomes, asset_id=asset_id)


def receive(
    part: Part, location: StockLocation, quantity: Decimal, *, at: datetime, batch: StockBatch | None = None,
    serials: Sequence[str] = (), about: Subject | None = None,
) -> StockMove:  # fmt: skip
    """Goods arrive."""
    return post_move(
        part=part, quantity=quantity, cause="receipt", target=location, at=at, batch=batch, serials=serials, about=about
    )  # fmt: skip


def reverse(posted: StockMove, *, at: datetime) -> StockMove:
    """Take a move back by its opposite, of the same batches and pieces. A second reversal of the same move is refused
    by the database."""
    part = session.get_one(Part, posted.part_id)
    source = session.get_one(StockLocation, posted.to_id) if posted.to_id else None
    target = session.get_one(StockLocation, posted.from_id) if posted.from_id else None
    _lock(part, source, target)
    asked = Asked(part, posted.quantity, "reversal", posted.becomes or posted.condition, at, source, target)
    carried = pieces.carried_by(posted.id, posted.quantity)
    becomes = posted.condition if posted.becomes else None
    for one in carried:
        if one.unit is not None and pieces.last_move_of(one.unit) != posted.id:
            raise Conflict(
                _l("%(serial)s was moved on since. Take the later move back first.", serial=one.unit.serial),
                code="serial_elsewhere", serial=one.unit.serial, state=one.unit.state,
            )  # fmt: skip
    return _post(asked, carried, serial=posted.serial, becomes=becomes, reverses=posted)


def check_quantity(quantity: Decimal, part: Part | None = None) -> None:
    """Raises Invalid for a quantity nobody can mean; of pieces and sets, for less than a whole one."""
    if not quantity.is_finite() or not Decimal(0) < quantity <= MOST:
        raise Invalid({"quantity": [_l("Enter a quantity greater than zero.")]})
    if part is not None and part.unit in WHOLE and quantity != quantity.to_integral_value():
        raise Invalid({"quantity": [_l("Enter whole pieces.")]})
    if quantity != quantity.quantize(SMALLEST):
        raise Invalid({"quantity": [_l("Use at most %(most)s decimals.", most=3)]})


def _post(
    asked: Asked, carried: Sequence[Carried], *, about: Subject | None = None, serial: str | None = None,
    becomes: str | None = None, reverses: StockMove | None = None, asset_id: int | None = None,
) -> StockMove:  # fmt: skip
    part, source, target, at = asked.part, asked.source, asked.target, asked.at
    place = source or target
    if place is None:
        raise ValueError("a move needs a side inside our stock")
    arrives = becomes or asked.condition
    for batch_id, quantity in by_batch(carried):
        if source is not None:
            _take(part, source, quantity, asked.condition, batch_id)
        if target is not None:
            _put(part, target, quantity, arrives, batch_id)
    posted = StockMove(
        part_id=part.id,
        from_id=source.id if source else None,
        to_id=target.id if target else None,
        quantity=asked.quantity,
        condition=asked.condition,
        becomes=becomes if becomes != asked.condition else None,
        cause=asked.cause,
        for_type=about.subject_type if about else None,
        for_id=about.id if about else None,
        station_id=place.station_id,
        serial=serial,
        actor=actor(),
        at=at,
        reverses_id=reverses.id if reverses else None,
    )
    session.add(posted)
    facts = {"part": part.number, "quantity": decimal_text(asked.quantity), "cause": asked.cause}
    record("stock.moved", posted, facts, at=at)
    pieces.settle(
        posted.id, carried, target=target, condition=arrives, cause=asked.cause, at=at, asset_id=asset_id
    )  # fmt: skip
    return posted


def by_batch(carried: Sequence[Carried]) -> list[tuple[int | None, Decimal]]:
    """What is carried of each batch, in the order in which balances are locked."""
    totals: dict[int | None, Decimal] = {}
    for one in carried:
        totals[one.batch_id] = totals.get(one.batch_id, Decimal(0)) + one.quantity
    return sorted(totals.items(), key=lambda pair: pair[0] or 0)


def _lock(part: Part, source: StockLocation | None, target: StockLocation | None) -> None:
    """Balances are locked by (location, part), so that two moves between the same places never wait for each other."""
    if source is None or target is None or is_sqlite():
        return
    session.execute(
        select(StockBalance.id)
        .where(StockBalance.part_id == part.id, StockBalance.location_id.in_((source.id, target.id)))
        .order_by(StockBalance.location_id, StockBalance.id)
        .with_for_update()
    )


def _key(part: Part, place: StockLocation, condition: str, batch_id: int | None) -> tuple[Any, ...]:
    of_batch = StockBalance.batch_id.is_(None) if batch_id is None else StockBalance.batch_id == batch_id
    return (
        StockBalance.part_id == part.id,
        StockBalance.location_id == place.id,
        StockBalance.condition == condition,
        of_batch,
    )


def _take(part: Part, source: StockLocation, quantity: Decimal, condition: str, batch_id: int | None) -> None:
    key = _key(part, source, condition, batch_id)
    taken = session.execute(
        update(StockBalance)
        .where(*key, StockBalance.on_hand - StockBalance.set_aside >= quantity)
        .values(on_hand=StockBalance.on_hand - quantity)
    )
    assert isinstance(taken, CursorResult)
    if taken.rowcount == 0:
        free = select(func.sum(StockBalance.on_hand - StockBalance.set_aside)).where(*key[:-1])
        raise pieces.short(part, Decimal(session.scalar(free) or 0))


def set_aside(part: Part, place: StockLocation, quantity: Decimal, batch_id: int | None) -> None:
    """So much of what lies there is taken by nobody else; a negative quantity gives it free again.

    Raises Conflict `part_short` when less is free.
    """
    key = _key(part, place, GOOD, batch_id)
    held = session.execute(
        update(StockBalance)
        .where(*key, StockBalance.on_hand - StockBalance.set_aside >= quantity)
        .values(set_aside=StockBalance.set_aside + quantity)
    )
    assert isinstance(held, CursorResult)
    if held.rowcount == 0:
        free = select(func.sum(StockBalance.on_hand - StockBalance.set_aside)).where(*key[:-1])
        raise pieces.short(part, Decimal(session.scalar(free) or 0))


def _put(part: Part, target: StockLocation, quantity: Decimal, condition: str, batch_id: int | None) -> None:
    key = _key(part, target, condition, batch_id)
    add = update(StockBalance).where(*key).values(on_hand=StockBalance.on_hand + quantity)
    added = session.execute(add)
    assert isinstance(added, CursorResult)
    if added.rowcount:
        return
    try:
        with session.begin_nested():
            session.add(
                StockBalance(
                    part_id=part.id, location_id=target.id, condition=condition, batch_id=batch_id, on_hand=quantity
                )
            )
    except IntegrityError:  # somebody opened the balance at the same moment
        session.execute(add)
