"""A part as its page shows it: where it lies, batches, numbered pieces, moves. Other stations' stock as sums alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import session
from fieldservice.parts import pieces
from fieldservice.parts.availability.reading import Shelf, shelves
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.catalogue.queries import InKit, Replacement
from fieldservice.parts.models import (
    Part,
    SerialUnit,
    StockBalance,
    StockBatch,
    StockLocation,
    StockMove,
    StockMovePiece,
)

READERS = (
    "storekeeper", "station_manager", "dispatcher", "technician", "engineer", "quality", "director", "finance", "sales",
    "agent", "admin",
)  # fmt: skip
MOST_PLACES, MOST_UNITS, MOST_MOVES = 200, 100, 25
MOST_ALL = 5_000  # places of all stations


@dataclass(frozen=True)
class Lying:
    """The four quantities of a part in a place, in one condition; `place` None: all other stations together."""

    place: StockLocation | None
    condition: str
    on_hand: Decimal
    reserved: Decimal
    in_transit: Decimal
    on_order: Decimal

    @property
    def free(self) -> Decimal:
        return self.on_hand - self.reserved


@dataclass(frozen=True)
class OfBatch:
    """So much of a batch in the person's places."""

    batch: StockBatch
    on_hand: Decimal
    over: bool  # it has expired


@dataclass(frozen=True)
class Posted:
    """A move with the names of its sides; an empty one is outside our stock or another station's place."""

    move: StockMove
    source: StockLocation | None
    target: StockLocation | None


@dataclass(frozen=True)
class Sheet:
    """Everything on the page."""

    part: Part
    usable: Part
    chain: Sequence[Part]
    lying: Sequence[Lying]
    elsewhere: Lying | None
    batches: Sequence[OfBatch]
    units: Sequence[tuple[SerialUnit, StockLocation | None]]
    moves: Sequence[Posted]
    more: int | None  # moves go on before this id
    substitutes: Sequence[Replacement]
    kits: Sequence[InKit]
    offers: Sequence[tuple[SupplierOffer, Supplier]]


def sheet_of(part: Part, person: Person, *, at: datetime, on: date, serial: str = "", before: int = 0) -> Sheet:
    """The page of a part. `serial` shows one piece and its moves alone, `before` earlier moves."""
    units = _units(part, person, serial)
    moves = _moves(part, person, units[0][0].id if serial and units else None, before)
    lying, elsewhere = _lying(part, person, at)
    return Sheet(
        part=part, usable=catalogue.usable(part), chain=catalogue.chain_of(part), lying=lying, elsewhere=elsewhere,
        batches=batches_of(part, person, at), units=units, moves=moves[:MOST_MOVES],
        more=moves[MOST_MOVES - 1].move.id if len(moves) > MOST_MOVES else None,
        substitutes=catalogue.substitutes_of(part), kits=catalogue.kits_with(part),
        offers=catalogue.offers_of(part, on),
    )  # fmt: skip


def _lying(part: Part, person: Person, at: datetime) -> tuple[list[Lying], Lying | None]:
    """Where it lies, is promised or comes: each of the person's places, and all others together."""
    mine = in_scope(StockLocation, person, *READERS)
    everywhere = session.execute(
        select(StockLocation.id, mine).where(StockLocation.state != "closed").order_by(StockLocation.id).limit(MOST_ALL)
    ).all()
    own = {number for number, is_mine in everywhere if is_mine}
    shelves_of = shelves([part.id], [number for number, _mine in everywhere], at)
    places = _places({place for _part, place in shelves_of if place in own})
    told = {(place, "good"): shelf for (_part, place), shelf in shelves_of.items()}
    lying = [_told(places[place], "good", [shelf]) for (place, _good), shelf in sorted(told.items()) if place in own]
    others = [shelf for (place, _good), shelf in told.items() if place not in own]
    return lying[:MOST_PLACES] + _defective(part, own), _told(None, "good", others) if others else None


def _told(place: StockLocation | None, condition: str, several: Sequence[Shelf]) -> Lying:
    quantities = ([one.on_hand, one.reserved, one.in_transit, one.on_order] for one in several)
    return Lying(place, condition, *(sum(each, Decimal(0)) for each in zip(*quantities, strict=True)))


def _defective(part: Part, own: Collection[int]) -> list[Lying]:
    rows = session.execute(
        select(StockBalance.location_id, func.sum(StockBalance.on_hand))
        .where(StockBalance.part_id == part.id, StockBalance.condition == "defective", StockBalance.on_hand > 0)
        .where(StockBalance.location_id.in_(own))
        .group_by(StockBalance.location_id)
        .order_by(StockBalance.location_id)
        .limit(MOST_PLACES)
    ).all()
    places, nothing = _places({place for place, _quantity in rows}), Decimal(0)
    return [Lying(places[place], "defective", quantity, nothing, nothing, nothing) for place, quantity in rows]


def _places(ids: set[int]) -> dict[int, StockLocation]:
    found = session.scalars(select(StockLocation).where(StockLocation.id.in_(ids))) if ids else ()
    return {place.id: place for place in found}


def batches_of(part: Part, person: Person, at: datetime) -> list[OfBatch]:
    """What lies in the person's places by batch, the earliest expiry first."""
    rows = session.execute(
        select(StockBatch, func.sum(StockBalance.on_hand))
        .join(StockBalance, StockBalance.batch_id == StockBatch.id)
        .join(StockLocation, StockLocation.id == StockBalance.location_id)
        .where(StockBatch.part_id == part.id, in_scope(StockLocation, person, *READERS), StockBalance.on_hand > 0)
        .group_by(StockBatch.id)
        .order_by(StockBatch.expires_on.is_(None), StockBatch.expires_on, StockBatch.id)
        .limit(MOST_PLACES)
    )
    return [OfBatch(batch, on_hand, pieces.is_over(batch.expires_on, at)) for batch, on_hand in rows]


def _units(part: Part, person: Person, serial: str) -> list[tuple[SerialUnit, StockLocation | None]]:
    """Pieces that lie in the person's places; one that is named also when his stations moved it last."""
    wanted = (
        select(SerialUnit, StockLocation)
        .outerjoin(StockLocation, StockLocation.id == SerialUnit.location_id)
        .where(SerialUnit.part_id == part.id)
        .order_by(SerialUnit.serial)
        .limit(MOST_UNITS)
    )
    mine = in_scope(StockLocation, person, *READERS)
    if not serial:
        return [(unit, place) for unit, place in session.execute(wanted.where(mine))]
    moved = (
        select(StockMovePiece.unit_id)
        .join(StockMove, StockMove.id == StockMovePiece.move_id)
        .where(in_scope(StockMove, person, *READERS), StockMovePiece.unit_id == SerialUnit.id)
    )
    named = wanted.where(SerialUnit.serial == serial.strip()[:60], mine | moved.exists())
    return [(unit, place) for unit, place in session.execute(named)]


def _moves(part: Part, person: Person, unit_id: int | None, before: int) -> list[Posted]:
    source, target = aliased(StockLocation), aliased(StockLocation)
    wanted = (
        select(StockMove, source, target)
        .outerjoin(source, (source.id == StockMove.from_id) & in_scope(source, person, *READERS))
        .outerjoin(target, (target.id == StockMove.to_id) & in_scope(target, person, *READERS))
        .where(StockMove.part_id == part.id, in_scope(StockMove, person, *READERS))
        .order_by(StockMove.id.desc())
        .limit(MOST_MOVES + 1)
    )
    if before:
        wanted = wanted.where(StockMove.id < before)
    if unit_id is not None:
        carried = select(StockMovePiece.move_id).where(StockMovePiece.unit_id == unit_id)
        wanted = wanted.where(StockMove.id.in_(carried))
    return [Posted(*row) for row in session.execute(wanted)]
