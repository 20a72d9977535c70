"""What can be asked about parts and stock."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Text, cast, func, or_, select, union_all

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.models import Part, StockBalance, StockLocation, StockMove

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
    """Good stock of many parts in many places, in one query."""
    parts, places = set(part_ids), set(location_ids)
    if not parts or not places:
        return {}
    rows = session.execute(
        select(StockBalance.part_id, StockBalance.location_id, StockBalance.on_hand).where(
            StockBalance.part_id.in_(parts), StockBalance.location_id.in_(places), StockBalance.condition == "good"
        )
    )
    return {(part, place): on_hand for part, place, on_hand in rows}


def contents_of(location_id: int, limit: int = 500) -> Sequence[tuple[Part, Decimal]]:
    """What lies in one place."""
    rows = session.execute(
        select(Part, StockBalance.on_hand)
        .join(StockBalance, StockBalance.part_id == Part.id)
        .where(StockBalance.location_id == location_id, StockBalance.condition == "good", StockBalance.on_hand > 0)
        .order_by(Part.number)
        .limit(limit)
    )
    return [(part, on_hand) for part, on_hand in rows]


def unbalanced(limit: int = 100) -> list[tuple[int, int, str]]:
    """(part, location, condition) whose balance differs from the replay of its moves; empty when all is well."""
    into = select(StockMove.part_id, StockMove.to_id.label("place"), StockMove.condition, StockMove.quantity.label("n"))
    out = select(
        StockMove.part_id, StockMove.from_id.label("place"), StockMove.condition, (-StockMove.quantity).label("n")
    )
    held = select(
        StockBalance.part_id,
        StockBalance.location_id.label("place"),
        StockBalance.condition,
        (-StockBalance.on_hand).label("n"),
    )
    every = union_all(
        into.where(StockMove.to_id.is_not(None)), out.where(StockMove.from_id.is_not(None)), held
    ).subquery()
    rows = session.execute(
        select(every.c.part_id, every.c.place, every.c.condition)
        .group_by(every.c.part_id, every.c.place, every.c.condition)
        .having(func.sum(every.c.n) != 0)
        .limit(limit)
    )
    return [(part, place, condition) for part, place, condition in rows]
