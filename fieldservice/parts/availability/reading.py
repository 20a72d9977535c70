"""What lies where, what is promised of it and what comes: of many parts in many places, in four queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import day_span
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.phased import NOTHING, Demand, Lot, Pool
from fieldservice.parts.models import StockBalance, StockBatch
from fieldservice.parts.supply import models as supply
from fieldservice.parts.supply.models import SupplyOrder, SupplyOrderLine
from fieldservice.parts.transfers import models as transfers
from fieldservice.parts.transfers.models import Transfer, TransferLine

Key = tuple[int, int]  # (part id, location id)
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
    found: defaultdict[Key, Shelf] = defaultdict(Shelf)
    if not parts or not places:
        return found
    for part, place, on_hand, expires_on in _lying(parts, places):
        shelf = found[part, place]
        shelf.on_hand += on_hand
        until = None if expires_on is None else day_span(expires_on)[1] - SOON
        if until is None or until >= at:
            shelf.lots.append(Lot(on_hand, at, until))
    for number, part, place, quantity, need_at in _promised(parts, places):
        if number not in without:
            shelf = found[part, place]
            shelf.reserved += quantity
            shelf.promised.append(Demand(quantity, max(need_at, at)))
    for kind, part, place, left, expected in (*_in_transfer(parts, places), *_ordered(parts, places)):
        shelf = found[part, place]
        if kind == "transfer":
            shelf.in_transit += left
        else:
            shelf.on_order += left
        shelf.lots.append(Lot(left, max(expected, at + SOON)))
    return found


def _lying(parts: list[int], places: list[int]) -> Iterable[Any]:
    return session.execute(
        select(StockBalance.part_id, StockBalance.location_id, StockBalance.on_hand, StockBatch.expires_on)
        .outerjoin(StockBatch, StockBatch.id == StockBalance.batch_id)
        .where(among(StockBalance.part_id, parts), among(StockBalance.location_id, places))
        .where(StockBalance.condition == "good", StockBalance.on_hand > 0)
        .order_by(StockBalance.id)
    )


def _promised(parts: list[int], places: list[int]) -> Iterable[Any]:
    """Oldest first: who ordered first is served first."""
    mine = (Reservation.id, Reservation.part_id, Reservation.location_id, Reservation.quantity, Reservation.need_at)
    return session.execute(
        select(*mine)
        .where(among(Reservation.part_id, parts), among(Reservation.location_id, places))
        .where(Reservation.state.in_(HOLDING))
        .order_by(Reservation.id)
    )


def _in_transfer(parts: list[int], places: list[int]) -> Iterable[Any]:
    left = TransferLine.quantity - TransferLine.received
    rows = session.execute(
        select(TransferLine.part_id, Transfer.to_id, left, Transfer.expected_at)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(among(TransferLine.part_id, parts), among(Transfer.to_id, places))
        .where(Transfer.state.in_(transfers.COMING), left > 0)
    )
    return [("transfer", *row) for row in rows]


def _ordered(parts: list[int], places: list[int]) -> Iterable[Any]:
    left = SupplyOrderLine.quantity - SupplyOrderLine.received
    rows = session.execute(
        select(SupplyOrderLine.part_id, SupplyOrder.location_id, left, SupplyOrder.due_at)
        .join(SupplyOrder, SupplyOrder.id == SupplyOrderLine.order_id)
        .where(among(SupplyOrderLine.part_id, parts), among(SupplyOrder.location_id, places))
        .where(SupplyOrder.state.in_(supply.COMING), left > 0)
    )
    return [("supply", *row) for row in rows]
