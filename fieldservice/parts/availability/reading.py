"""What lies where, what is promised of it and what comes: of many parts in many places, in one query."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Executable,
    Select,
    any_,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import UtcDateTime, among, is_sqlite, session
from fieldservice.foundation.time import day_span
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.phased import NOTHING, Demand, Lot, Pool, earliest
from fieldservice.parts.models import StockBalance, StockBatch, StockLocation
from fieldservice.parts.supply import models as supply
from fieldservice.parts.supply.models import SupplyOrder, SupplyOrderLine
from fieldservice.parts.transfers import models as transfers
from fieldservice.parts.transfers.models import Transfer, TransferLine

Key = tuple[int, int]  # (part id, location id)
Here = Callable[[Any, Any], tuple[ColumnElement[bool], ...]]  # columns of part and place → those asked for
IDS = ARRAY(BigInteger)
NO_DAY = cast(None, Date())
_balance, _batch, _held = StockBalance.__table__.c, StockBatch.__table__.c, Reservation.__table__.c
_sent, _transfer = TransferLine.__table__.c, Transfer.__table__.c
_bought, _order = SupplyOrderLine.__table__.c, SupplyOrder.__table__.c
SOON = timedelta(minutes=1)  # what should be here already is not: it counts as coming next


@dataclass
class Shelf:
    """One part in one place: the four quantities, and the pool that promises are made from."""

    on_hand: Decimal = NOTHING
    reserved: Decimal = NOTHING
    in_transit: Decimal = NOTHING
    on_order: Decimal = NOTHING
    lots: list[Lot] = field(default_factory=list)
    promised: list[Demand] = field(default_factory=list)

    @property
    def pool(self) -> Pool:
        return Pool(self.lots, self.promised)


def shelves(
    part_ids: Iterable[int], location_ids: Iterable[int], at: datetime, *, without: Iterable[int] = ()
) -> Mapping[Key, Shelf]:
    """Of the good stock, as it is at `at`; a shelf nobody has anything on is an empty one.

    `without` are reservations that count as if they were not there.
    """
    parts, places = sorted(set(part_ids)), sorted(set(location_ids))
    if not parts or not places:
        return defaultdict(Shelf)
    return _shelves(_rows(parts, places), at, without)


def _shelves(rows: Iterable[Any], at: datetime, without: Iterable[int] = ()) -> Mapping[Key, Shelf]:
    found: defaultdict[Key, Shelf] = defaultdict(Shelf)
    for kind, number, part, place, quantity, moment, expires_on in rows:
        shelf = found[part, place]
        match kind:
            case "lies":
                shelf.on_hand += quantity
                until = None if expires_on is None else day_span(expires_on)[1] - SOON
                if until is None or until >= at:
                    shelf.lots.append(Lot(quantity, at, until))
            case "promised" if number not in without:
                shelf.reserved += quantity
                shelf.promised.append(Demand(quantity, max(moment, at)))
            case "transfer":
                shelf.in_transit += quantity
                shelf.lots.append(Lot(quantity, max(moment, at + SOON)))
            case "supply":
                shelf.on_order += quantity
                shelf.lots.append(Lot(quantity, max(moment, at + SOON)))
    return found


def _rows(parts: list[int], places: list[int]) -> Iterable[Any]:
    """(kind, id, part, place, quantity, moment, last day) of all four, in one statement: whoever promises holds others
    up meanwhile, and each statement more is a way to the database and back. Promises come oldest first."""
    session.flush()  # what was changed in this transaction counts, too
    connection = session.connection()
    return connection.execute(_four(is_sqlite(connection)), {"parts": parts, "places": places})


@cache
def _four(sqlite: bool) -> Executable:
    """Made once: to put it together anew took longer than the database needs to answer it."""

    def here(part: Any, place: Any) -> tuple[ColumnElement[bool], ...]:
        if sqlite:
            return part.in_(bindparam("parts", expanding=True)), place.in_(bindparam("places", expanding=True))
        return part == any_(bindparam("parts", type_=IDS)), place == any_(bindparam("places", type_=IDS))

    four = (_lying(here), _promised(here), _in_transfer(here), _ordered(here))
    return union_all(*four).order_by("kind", "number")


def _lying(here: Here) -> Select[*tuple[Any, ...]]:
    mine = (_balance.id.label("number"), _balance.part_id, _balance.location_id, _balance.on_hand)
    return (
        select(literal("lies").label("kind"), *mine, cast(None, UtcDateTime()), _batch.expires_on)
        .select_from(StockBalance.__table__.outerjoin(StockBatch.__table__, _batch.id == _balance.batch_id))
        .where(*here(_balance.part_id, _balance.location_id))
        .where(_balance.condition == "good", _balance.on_hand > 0)
    )


def _promised(here: Here) -> Select[*tuple[Any, ...]]:
    mine = (_held.id, _held.part_id, _held.location_id, _held.quantity, _held.need_at)
    return (
        select(literal("promised"), *mine, NO_DAY)
        .where(*here(_held.part_id, _held.location_id))
        .where(_held.state.in_(HOLDING))
    )


def _in_transfer(here: Here) -> Select[*tuple[Any, ...]]:
    left = _sent.quantity - _sent.received
    return (
        select(literal("transfer"), _sent.id, _sent.part_id, _transfer.to_id, left, _transfer.expected_at, NO_DAY)
        .join_from(TransferLine.__table__, Transfer.__table__, _transfer.id == _sent.transfer_id)
        .where(*here(_sent.part_id, _transfer.to_id))
        .where(_transfer.state.in_(transfers.COMING), left > 0)
    )


def _ordered(here: Here) -> Select[*tuple[Any, ...]]:
    left = _bought.quantity - _bought.received
    return (
        select(literal("supply"), _bought.id, _bought.part_id, _order.location_id, left, _order.due_at, NO_DAY)
        .join_from(SupplyOrderLine.__table__, SupplyOrder.__table__, _order.id == _bought.order_id)
        .where(*here(_bought.part_id, _order.location_id))
        .where(_order.state.in_(supply.COMING), left > 0)
    )


def free_stock(part_ids: Iterable[int], location_ids: Iterable[int]) -> dict[Key, Decimal]:
    """What lies there and is promised to nobody, whenever it is needed; one query. Where nothing is free, no entry."""
    parts, places = sorted(set(part_ids)), sorted(set(location_ids))
    if not parts or not places:
        return {}
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .where(Reservation.part_id == StockBalance.part_id, Reservation.location_id == StockBalance.location_id)
        .where(Reservation.state.in_(HOLDING))
        .scalar_subquery()
    )
    rows = session.execute(
        select(StockBalance.part_id, StockBalance.location_id, func.sum(StockBalance.on_hand), func.max(held))
        .where(among(StockBalance.part_id, parts), among(StockBalance.location_id, places))
        .where(StockBalance.condition == "good", StockBalance.on_hand > 0)
        .group_by(StockBalance.part_id, StockBalance.location_id)
    )
    return {(part, place): on_hand - reserved for part, place, on_hand, reserved in rows if on_hand > reserved}


def free_in_vans(part_ids: Iterable[int], station_ids: Iterable[int]) -> dict[Key, Decimal]:
    """(part, station) → what lies in its vans and is promised to nobody; two queries."""
    parts, stations = sorted(set(part_ids)), sorted(set(station_ids))
    if not parts or not stations:
        return {}
    here = (StockLocation.station_id.in_(stations), StockLocation.kind == "van")
    lying = session.execute(
        select(StockBalance.part_id, StockLocation.station_id, func.sum(StockBalance.on_hand))
        .join(StockLocation, StockLocation.id == StockBalance.location_id)
        .where(among(StockBalance.part_id, parts), StockBalance.condition == "good", StockBalance.on_hand > 0, *here)
        .group_by(StockBalance.part_id, StockLocation.station_id)
    )
    held = session.execute(
        select(Reservation.part_id, StockLocation.station_id, func.sum(Reservation.quantity))
        .join(StockLocation, StockLocation.id == Reservation.location_id)
        .where(among(Reservation.part_id, parts), Reservation.state.in_(HOLDING), *here)
        .group_by(Reservation.part_id, StockLocation.station_id)
    )
    reserved = {(part, station): quantity for part, station, quantity in held}
    return {(part, station): on_hand - reserved.get((part, station), NOTHING) for part, station, on_hand in lying}


def holdings(subject_type: str, ids: Iterable[int]) -> Sequence[Reservation]:
    """What is promised to these, wherever it lies, with its place; one query."""
    wanted = sorted(set(ids))
    if not wanted:
        return ()
    return session.scalars(
        select(Reservation)
        .options(joinedload(Reservation.location, innerjoin=True))
        .where(Reservation.for_type == subject_type, among(Reservation.for_id, wanted))
        .where(Reservation.state.in_(HOLDING))
        .order_by(Reservation.id)
    ).all()


def arrivals_of(reservations: Collection[Reservation], at: datetime) -> dict[int, datetime]:
    """id → when enough of it has come for this reservation and every older one; no entry where nothing known suffices.

    One query, however many there are.
    """
    if not reservations:
        return {}
    rows = list(_rows(sorted({one.part_id for one in reservations}), sorted({one.location_id for one in reservations})))
    found: dict[int, datetime] = {}
    for one in reservations:
        mine = [row for row in rows if (row[2], row[3]) == (one.part_id, one.location_id)]
        older = [row for row in mine if row[0] != "promised" or row[1] < one.id]
        moment = earliest(_shelves(older, at)[one.part_id, one.location_id].pool, one.quantity, at)
        if moment is not None:
            found[one.id] = moment
    return found


def waiting_for_more(keys: Collection[Key]) -> set[Key]:
    """Of these shelves those on which less lies than is promised: some of it still has to come; one query."""
    if not keys:
        return set()
    lying = (
        select(func.coalesce(func.sum(StockBalance.on_hand), 0))
        .where(StockBalance.part_id == Reservation.part_id, StockBalance.location_id == Reservation.location_id)
        .where(StockBalance.condition == "good")
        .scalar_subquery()
    )
    rows = session.execute(
        select(Reservation.part_id, Reservation.location_id, func.sum(Reservation.quantity), func.max(lying))
        .where(among(Reservation.part_id, {part for part, _place in keys}))
        .where(among(Reservation.location_id, {place for _part, place in keys}))
        .where(Reservation.state.in_(HOLDING))
        .group_by(Reservation.part_id, Reservation.location_id)
    )
    return {(part, place) for part, place, promised, there in rows if promised > there} & set(keys)
