"""Which batches and which numbered pieces a move carries: chosen before it, settled with it.

Batches: earliest expiry first, never one that has expired where goods are to be used. Numbered pieces are named; pieces
that lay there before numbers were kept have none, and get theirs when they leave.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, nulls_last, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import local
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.models import Part, SerialUnit, StockBalance, StockBatch, StockLocation, StockMovePiece

TO_BE_USED = ("use", "transfer")  # causes for which expired goods are refused
SET_ASIDE = ("quarantine", "defective")  # kinds of places where expired goods may be taken
LEFT_AS = {
    "use": "fitted",
    "scrap": "scrapped",
    "count": "missing",
    "loss": "missing",
}  # cause → state of a piece that left our stock
MOST_SERIALS = 1000
ANY = object()  # whatever batch comes first


@dataclass(frozen=True)
class Carried:
    """Part of a move's quantity: of one batch, or one numbered piece, or neither."""

    batch_id: int | None
    unit: SerialUnit | None
    quantity: Decimal


@dataclass(frozen=True)
class Asked:
    """What a move is asked to carry. `unnamed`: pieces may go without their number, since they are gone already."""

    part: Part
    quantity: Decimal
    cause: str
    condition: str
    at: datetime
    source: StockLocation | None
    target: StockLocation | None
    batch: StockBatch | None = None
    serials: Sequence[str] = ()
    unnamed: bool = False


def choose(asked: Asked) -> list[Carried]:
    """Batches and pieces that make up the quantity. Raises Conflict `part_short`, `batch_expired`, `serial_elsewhere`,
    `serial_known`, `serial_needed`; Invalid for numbers nobody can mean."""
    if not asked.part.serial_tracked and not asked.part.batch_tracked:
        return [Carried(None, None, asked.quantity)]
    units = _units(asked) if asked.part.serial_tracked else []
    carried = [Carried(unit.batch_id, unit, Decimal(1)) for unit in units]
    rest = asked.quantity - len(units)
    if rest <= 0:
        return carried
    if asked.source is None or not asked.part.batch_tracked:
        return [*carried, Carried(asked.batch.id if asked.batch is not None else None, None, rest)]
    return carried + _batches(asked, rest, Counter(unit.batch_id for unit in units))


# Batches ------------------------------------------------------------------------------------------


def _batches(asked: Asked, rest: Decimal, named: Counter[int | None]) -> list[Carried]:
    """Earliest expiry first; what has no batch comes last, what has expired only where it is set aside."""
    assert asked.source is not None
    rows = session.execute(
        select(StockBalance.batch_id, StockBalance.on_hand - StockBalance.set_aside, StockBatch.expires_on)
        .outerjoin(StockBatch, StockBatch.id == StockBalance.batch_id)
        .where(StockBalance.part_id == asked.part.id, StockBalance.location_id == asked.source.id)
        .where(StockBalance.condition == asked.condition, StockBalance.on_hand > StockBalance.set_aside)
        .order_by(StockBalance.batch_id.is_(None), nulls_last(StockBatch.expires_on), StockBatch.id)
        .with_for_update(of=StockBalance)
    )
    may_be_expired = asked.cause not in TO_BE_USED or (asked.target is not None and asked.target.kind in SET_ASIDE)
    # what is counted was counted of one batch, or of what has none
    meant: Any = asked.batch.id if asked.batch is not None else None if asked.cause == "count" else ANY
    carried, expired, lies = [], Decimal(0), Decimal(0)
    for batch_id, free, expires_on in rows:
        left = free - named[batch_id]
        lies += left
        if meant is not ANY and batch_id != meant:
            continue
        if not may_be_expired and is_over(expires_on, asked.at):
            expired += left
            continue
        taken = min(left, rest)
        if taken > 0:
            carried.append(Carried(batch_id, None, taken))
            rest -= taken
    if rest > 0 and expired >= rest:
        raise Conflict(
            _l("What lies there has expired and must not be used. Take another batch, or put this one aside."),
            code="batch_expired",
            part=asked.part.number,
        )
    if rest > 0:
        raise short(asked.part, lies)
    return carried


def is_over(expires_on: date | None, at: datetime) -> bool:
    """Whether a batch has expired: the day told is the last one on which it may be used."""
    return expires_on is not None and expires_on < local(at).date()


def short(part: Part, there: Decimal) -> Conflict:
    """The refusal of more than lies there."""
    return Conflict(
        _l("There is not enough of this part in that place. Choose another place or a smaller quantity."),
        code="part_short",
        part=part.number,
        on_hand=decimal_text(there),
    )


# Numbered pieces ----------------------------------------------------------------------------------


def plain_serials(serials: Sequence[str]) -> list[str]:
    """Serial numbers as they are kept. Raises Invalid for an empty or too long one, or a double scan."""
    plain = [serial.strip() for serial in serials]
    if len(plain) > MOST_SERIALS or any(not 0 < len(serial) <= 60 or not serial.isprintable() for serial in plain):
        raise Invalid({"serials": [_l("Write each serial number once, at most 60 characters long.")]})
    twice = [serial for serial, times in Counter(plain).items() if times > 1]
    if twice:
        said = _l("%(serial)s was scanned twice. Take it off the list once.", serial=twice[0])
        raise Invalid({"serials": [said]}, code="serial_twice")
    return plain


def _units(asked: Asked) -> list[SerialUnit]:
    named = plain_serials(asked.serials)
    if len(named) > asked.quantity:
        raise Invalid({"serials": [_l("There are more serial numbers than pieces.")]}, code="serial_count")
    known = {
        unit.serial: unit
        for unit in session.scalars(
            select(SerialUnit)
            .where(SerialUnit.part_id == asked.part.id, SerialUnit.serial.in_(named))
            .order_by(SerialUnit.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if asked.source is None:
        return _arriving(asked, named, known)
    return _leaving(asked, asked.source, named, known)


def _arriving(asked: Asked, named: Sequence[str], known: dict[str, SerialUnit]) -> list[SerialUnit]:
    if len(named) < asked.quantity and not asked.unnamed:
        raise _needed(asked)
    for unit in known.values():
        if not SerialUnit.lifecycle.allows(unit.state, "in_stock"):
            raise Conflict(
                _l("%(serial)s is known already. Read the label again.", serial=unit.serial),
                code="serial_known", serial=unit.serial, state=unit.state,
            )  # fmt: skip
    batch_id = asked.batch.id if asked.batch is not None else None
    return [known.get(serial) or _new(asked, serial, batch_id) for serial in named]


def _leaving(
    asked: Asked, source: StockLocation, named: Sequence[str], known: dict[str, SerialUnit]
) -> list[SerialUnit]:
    here = (SerialUnit.location_id == source.id, SerialUnit.part_id == asked.part.id)
    of_condition = (*here, SerialUnit.condition == asked.condition)
    for unit in known.values():
        if unit.location_id != source.id or unit.condition != asked.condition:
            raise Conflict(
                _l("%(serial)s does not lie in that place. Read the label again.", serial=unit.serial),
                code="serial_elsewhere", serial=unit.serial, state=unit.state,
            )  # fmt: skip
    lies = on_hand(asked.part.id, source.id, asked.condition)
    if len(named) < asked.quantity == lies:  # everything goes, so the others are known
        locked = select(SerialUnit).where(*of_condition).order_by(SerialUnit.id).with_for_update()
        everything = session.scalars(locked.execution_options(populate_existing=True)).all()
        known |= {unit.serial: unit for unit in everything}
        named = [*named, *(unit.serial for unit in everything if unit.serial not in named)]
    numbered = session.scalar(select(func.count(SerialUnit.id)).where(*of_condition)) or 0
    nameless = max(Decimal(0), lies - numbered)
    new = [serial for serial in named if serial not in known]
    if len(new) > nameless:
        raise Conflict(
            _l("%(serial)s is not known in that place. Read the label again.", serial=new[0]),
            code="serial_elsewhere", serial=new[0],
        )  # fmt: skip
    if asked.quantity - len(named) > nameless - len(new) and not asked.unnamed:
        raise _needed(asked)
    return [known.get(serial) or _new(asked, serial, None, source.id) for serial in named]


def _needed(asked: Asked) -> Conflict:
    return Conflict(
        _l("Each piece of this part has a serial number. Scan the number of every piece."),
        code="serial_needed",
        part=asked.part.number,
    )


def _new(asked: Asked, serial: str, batch_id: int | None, location_id: int | None = None) -> SerialUnit:
    unit = SerialUnit(
        part_id=asked.part.id, serial=serial, batch_id=batch_id, condition=asked.condition, location_id=location_id
    )
    session.add(unit)
    session.flush()
    return unit


def last_move_of(unit: SerialUnit) -> int | None:
    """Id of the newest move that carried a piece. The piece is held until the transaction ends."""
    session.scalar(select(SerialUnit.id).where(SerialUnit.id == unit.id).with_for_update())
    return session.scalar(select(func.max(StockMovePiece.move_id)).where(StockMovePiece.unit_id == unit.id))


def on_hand(part_id: int, location_id: int, condition: str) -> Decimal:
    """What lies in a place, of all batches together."""
    total = session.scalar(
        select(func.sum(StockBalance.on_hand)).where(
            StockBalance.part_id == part_id,
            StockBalance.location_id == location_id,
            StockBalance.condition == condition,
        )
    )
    return Decimal(total or 0)


def settle(
    move_id: int, carried: Sequence[Carried], *, target: StockLocation | None, condition: str, cause: str, at: datetime,
    asset_id: int | None = None,
) -> None:  # fmt: skip
    """Write what a move carried, and let its pieces be where it took them."""
    for one in carried:
        if one.batch_id is not None or one.unit is not None:
            session.add(
                StockMovePiece(
                    move_id=move_id, batch_id=one.batch_id, unit_id=one.unit.id if one.unit is not None else None,
                    quantity=one.quantity,
                )
            )  # fmt: skip
        if one.unit is not None:
            state = "in_stock" if target is not None else LEFT_AS.get(cause, "sent_back")
            one.unit.location_id = target.id if target is not None else None
            one.unit.condition = condition
            one.unit.asset_id = asset_id if state == "fitted" else None
            if one.unit.state != state:
                move(one.unit, state, at=at)
    session.flush()


def carried_by(move_id: int, quantity: Decimal) -> list[Carried]:
    """What a posted move carried, for its reversal."""
    rows: Sequence[Any] = session.execute(
        select(StockMovePiece, SerialUnit)
        .outerjoin(SerialUnit, SerialUnit.id == StockMovePiece.unit_id)
        .where(StockMovePiece.move_id == move_id)
        .order_by(StockMovePiece.id)
    ).all()
    carried = [Carried(piece.batch_id, unit, piece.quantity) for piece, unit in rows]
    rest = quantity - sum((one.quantity for one in carried), Decimal(0))
    return [*carried, Carried(None, None, rest)] if rest > 0 else carried
