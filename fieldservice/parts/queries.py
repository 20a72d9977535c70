"""What can be asked about parts and stock."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, Text, and_, cast, func, or_, select, union_all

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.models import (
    Part,
    SerialUnit,
    StockBalance,
    StockBatch,
    StockLocation,
    StockMove,
    StockMovePiece,
)

Stock = Mapping[tuple[int, int], Decimal]  # (part id, location id) → on hand


def part_by_number(number: str) -> Part:
    """The part of the catalogue. Raises NotFound."""
    part = session.scalar(select(Part).where(Part.number == number))
    if part is None:
        raise NotFound()
    return part


def parts_by_number(numbers: Iterable[str]) -> dict[str, Part]:
    """Many parts in one query; unknown numbers are left out."""
    wanted = set(numbers)
    return (
        {part.number: part for part in session.scalars(select(Part).where(Part.number.in_(wanted)))} if wanted else {}
    )


def parts_by_id(ids: Iterable[int]) -> dict[int, Part]:
    wanted = set(ids)
    return {part.id: part for part in session.scalars(select(Part).where(Part.id.in_(wanted)))} if wanted else {}


def find_parts(words: str, limit: int = 20) -> Sequence[Part]:
    """Parts whose number or name holds the words, in either language."""
    pattern = f"%{words.strip().replace('%', '').replace('_', '')[:60]}%"
    named = or_(Part.number.ilike(pattern), cast(Part.names, Text).ilike(pattern))
    return session.scalars(select(Part).where(Part.state == "active", named).order_by(Part.number).limit(limit)).all()


def van_of(technician_id: int) -> StockLocation | None:
    """The stock in a technician's van."""
    return session.scalar(select(StockLocation).where(StockLocation.technician_id == technician_id))


def vans_of(technician_ids: Iterable[int]) -> dict[int, int]:
    """technician → location id of the van, in one query."""
    wanted = set(technician_ids)
    rows = session.execute(
        select(StockLocation.technician_id, StockLocation.id).where(StockLocation.technician_id.in_(wanted))
    )
    return {technician: location for technician, location in rows if technician is not None}


def warehouses_of(station_ids: Iterable[int]) -> dict[int, int]:
    """station → location id of its warehouse, in one query."""
    rows = session.execute(
        select(StockLocation.station_id, StockLocation.id)
        .where(StockLocation.kind == "warehouse", StockLocation.station_id.in_(set(station_ids)))
        .order_by(StockLocation.id.desc())
    )
    return {station: location for station, location in rows}  # noqa: C416 - rows are no pairs to the type checker


def stock_of(part_ids: Iterable[int], location_ids: Iterable[int]) -> Stock:
    """Good stock of many parts in many places, all batches together, in one query."""
    parts, places = set(part_ids), set(location_ids)
    if not parts or not places:
        return {}
    rows = session.execute(
        select(StockBalance.part_id, StockBalance.location_id, func.sum(StockBalance.on_hand))
        .where(StockBalance.part_id.in_(parts), StockBalance.location_id.in_(places), StockBalance.condition == "good")
        .group_by(StockBalance.part_id, StockBalance.location_id)
    )
    return {(part, place): on_hand for part, place, on_hand in rows}


def stock_in(station_ids: Collection[int] | None, part_ids: Collection[int]) -> dict[int, Decimal]:
    """part id → good stock in all places of these stations (None: of all stations), in one query."""
    if not part_ids:
        return {}
    wanted = (
        select(StockBalance.part_id, func.sum(StockBalance.on_hand))
        .join(StockLocation, StockLocation.id == StockBalance.location_id)
        .where(StockBalance.part_id.in_(part_ids), StockBalance.condition == "good")
        .where(StockLocation.kind.not_in(("quarantine", "defective")))
        .group_by(StockBalance.part_id)
    )
    if station_ids is not None:
        wanted = wanted.where(StockLocation.station_id.in_(station_ids))
    return {part: on_hand for part, on_hand in session.execute(wanted)}  # noqa: C416 - rows are no pairs to the type checker


def place_by_code(code: str, person: Person, *roles: str) -> StockLocation:
    """A place of the person's stations that is not closed, by the code on its label. Raises NotFound."""
    wanted = select(StockLocation).where(StockLocation.code == code[:40], StockLocation.state != "closed")
    found: StockLocation | None = session.scalar(scoped(wanted, StockLocation, person, *roles))
    if found is None:
        raise NotFound()
    return found


def places_of(person: Person, *roles: str, kinds: Collection[str] = (), limit: int = 500) -> Sequence[StockLocation]:
    """Places of the person's stations that are not closed."""
    wanted = scoped(select(StockLocation), StockLocation, person, *roles).where(StockLocation.state != "closed")
    if kinds:
        wanted = wanted.where(StockLocation.kind.in_(kinds))
    return session.scalars(wanted.order_by(StockLocation.station_id, StockLocation.id).limit(limit)).all()


def contents_of(location_id: int, limit: int = 500) -> Sequence[tuple[Part, Decimal]]:
    """What lies in one place, all batches together."""
    lying = (
        select(StockBalance.part_id, func.sum(StockBalance.on_hand).label("on_hand"))
        .where(StockBalance.location_id == location_id, StockBalance.condition == "good", StockBalance.on_hand > 0)
        .group_by(StockBalance.part_id)
        .subquery()
    )
    rows = session.execute(
        select(Part, lying.c.on_hand).join(lying, lying.c.part_id == Part.id).order_by(Part.number).limit(limit)
    )
    return [(part, on_hand) for part, on_hand in rows]


def lies_there(batch: StockBatch, place: StockLocation) -> bool:
    """Whether good stock of a batch lies in a place."""
    mine = (StockBalance.batch_id == batch.id, StockBalance.location_id == place.id, StockBalance.condition == "good")
    return session.scalar(select(StockBalance.id).where(*mine, StockBalance.on_hand > 0)) is not None


# Is it sound? -------------------------------------------------------------------------------------

Astray = tuple[int, int, str]  # part id, location id, condition


def unbalanced(limit: int = 100) -> list[Astray]:
    """(part, location, condition) where what is kept differs from the replay of its moves: the balance of all batches,
    of one batch, or the place of a numbered piece. Empty when all is well."""
    found: set[Astray] = set()
    for look in (_totals_astray, _batches_astray, _pieces_astray):
        if len(found) < limit:
            found.update(look(limit))
    return sorted(found)[:limit]


def _sides(quantity: Any, *more: Any) -> tuple[Select[Any], Select[Any]]:
    """What moves brought and took, by place and condition."""
    arrived = func.coalesce(StockMove.becomes, StockMove.condition).label("condition")
    into = select(StockMove.part_id, StockMove.to_id.label("place"), arrived, quantity.label("n"), *more)
    out = select(
        StockMove.part_id, StockMove.from_id.label("place"), StockMove.condition, (-quantity).label("n"), *more
    )
    return into.where(StockMove.to_id.is_not(None)), out.where(StockMove.from_id.is_not(None))


def _totals_astray(limit: int) -> Iterator[Astray]:
    held = select(
        StockBalance.part_id, StockBalance.location_id.label("place"), StockBalance.condition,
        (-StockBalance.on_hand).label("n"),
    )  # fmt: skip
    every = union_all(*_sides(StockMove.quantity), held).subquery()
    key = (every.c.part_id, every.c.place, every.c.condition)
    yield from _differing(key, every.c.n, limit)


def _batches_astray(limit: int) -> Iterator[Astray]:
    carried = [
        side.join(StockMovePiece, StockMovePiece.move_id == StockMove.id).where(StockMovePiece.batch_id.is_not(None))
        for side in _sides(StockMovePiece.quantity, StockMovePiece.batch_id)
    ]
    held = select(
        StockBalance.part_id, StockBalance.location_id.label("place"), StockBalance.condition,
        (-StockBalance.on_hand).label("n"), StockBalance.batch_id,
    ).where(StockBalance.batch_id.is_not(None))  # fmt: skip
    every = union_all(*carried, held).subquery()
    yield from _differing((every.c.part_id, every.c.place, every.c.condition, every.c.batch_id), every.c.n, limit)


def _differing(key: tuple[Any, ...], quantity: Any, limit: int) -> Iterator[Astray]:
    rows = session.execute(select(*key).group_by(*key).having(func.sum(quantity) != 0).limit(limit))
    for part, place, condition, *_batch in rows:
        yield part, place, condition


def _pieces_astray(limit: int) -> Iterator[Astray]:
    """Pieces that are not where their last move took them, or whose state says something else than their place."""
    last = (
        select(StockMovePiece.unit_id, func.max(StockMovePiece.move_id).label("move_id"))
        .where(StockMovePiece.unit_id.is_not(None))
        .group_by(StockMovePiece.unit_id)
        .subquery()
    )
    here, in_stock = SerialUnit.location_id, SerialUnit.state == "in_stock"
    rows = session.execute(
        select(SerialUnit.part_id, func.coalesce(here, StockMove.to_id, 0), SerialUnit.condition)
        .outerjoin(last, last.c.unit_id == SerialUnit.id)
        .outerjoin(StockMove, StockMove.id == last.c.move_id)
        .where(
            or_(
                func.coalesce(here, 0) != func.coalesce(StockMove.to_id, 0),
                and_(in_stock, here.is_(None)),
                and_(~in_stock, here.is_not(None)),
            )
        )
        .limit(limit)
    )
    yield from ((part, place, condition) for part, place, condition in rows)
