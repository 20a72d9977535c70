"""The whole desk of a station's store: the pick list, what is on its way, and what waits for somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.mechanisms.metrics import MetricResult, Period, Scope, measure
from fieldservice.parts.consignment.queries import due_at
from fieldservice.parts.counts.models import StockCount
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.parts.receipts.models import GoodsReceipt, GoodsReceiptLine
from fieldservice.parts.returns.models import OPEN as OPEN_OLD
from fieldservice.parts.returns.models import OldPart
from fieldservice.parts.supply import models as supply
from fieldservice.parts.supply.models import SupplyOrder, SupplyOrderLine
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.queries import between
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES
from fieldservice.store.picking import DAYS, Tour, pick_list
from fieldservice.store.topping import TopUp, proposals

READERS = ("storekeeper", "station_manager", "dispatcher", "admin")
LISTED = 20  # of each kind; the pages behind show the rest
KEPT_DAYS = 28


@dataclass(frozen=True)
class ToReturn:
    """Defective pieces in one of the station's places: they go back to their supplier, or are scrapped."""

    part: Part
    place: StockLocation
    quantity: Decimal


@dataclass(frozen=True)
class Desk:
    """Everything on the page."""

    station: Station
    kept: MetricResult  # promises to customers, of the last four weeks
    tours: Sequence[Tour]
    top_ups: Sequence[TopUp]
    coming: Sequence[Transfer]
    leaving: Sequence[Transfer]
    supplies: Sequence[SupplyOrder]
    receipts: Sequence[GoodsReceipt]
    quarantined: Sequence[GoodsReceiptLine]
    counts: Sequence[StockCount]
    returns: Sequence[ToReturn]
    at_customers: tuple[int, int]  # lines that need a refill, refills under way
    old_parts: Mapping[str, int]  # by state; `overdue` of those that are to come back

    @property
    def blocked(self) -> int:
        """Orders of the list that miss a part."""
        return len({line.order.id for tour in self.tours for line in tour.of("missing")})

    @property
    def unkept(self) -> int:
        """Lines that lie free at the store, and anybody may take."""
        return sum(len(tour.of("free")) for tour in self.tours)

    @property
    def to_pick(self) -> int:
        return sum(len(tour.of("ready")) for tour in self.tours)


def stations_of(person: Person) -> Sequence[Station]:
    """Stations whose store the person sees, by code."""
    covered = person.stations(*READERS)
    return [one for one in open_stations() if covered is None or one.id in covered]


def open_stations() -> Sequence[Station]:
    """Every station that serves, by code."""
    return session.scalars(select(Station).where(Station.state.in_(SERVES)).order_by(Station.code)).all()


def desk_of(station: Station, at: datetime) -> Desk:
    """As it is now."""
    tours = pick_list(station, DAYS, at)
    coming, leaving = between(station.id, LISTED)
    return Desk(
        station=station, kept=measure("promise_kept", Period.last_days(KEPT_DAYS), Scope.of(station.id)), tours=tours,
        top_ups=proposals(tours, at), coming=coming, leaving=leaving, supplies=_supplies(station.id),
        receipts=_receipts(station.id), quarantined=_quarantined(station.id), counts=_counts(station.id),
        returns=_returns(station.id), at_customers=due_at(station.id, local(at).date()),
        old_parts=_old_parts(station.id, at),
    )  # fmt: skip


def _supplies(station_id: int) -> Sequence[SupplyOrder]:
    wanted = select(SupplyOrder).where(SupplyOrder.station_id == station_id, SupplyOrder.state.in_(supply.COMING))
    lines = selectinload(SupplyOrder.lines).joinedload(SupplyOrderLine.part)
    return session.scalars(
        wanted.options(joinedload(SupplyOrder.supplier), lines).order_by(SupplyOrder.due_at, SupplyOrder.id)
        .limit(LISTED)
    ).all()  # fmt: skip


def _receipts(station_id: int) -> Sequence[GoodsReceipt]:
    wanted = select(GoodsReceipt).where(GoodsReceipt.station_id == station_id, GoodsReceipt.state == "draft")
    return session.scalars(
        wanted.options(joinedload(GoodsReceipt.supplier)).order_by(GoodsReceipt.id).limit(LISTED)
    ).all()


def _quarantined(station_id: int) -> Sequence[GoodsReceiptLine]:
    waiting = select(GoodsReceiptLine).where(GoodsReceiptLine.station_id == station_id)
    return session.scalars(
        waiting.where(GoodsReceiptLine.state == "quarantined")
        .options(joinedload(GoodsReceiptLine.part), joinedload(GoodsReceiptLine.receipt))
        .order_by(GoodsReceiptLine.id)
        .limit(LISTED)
    ).all()


def _counts(station_id: int) -> Sequence[StockCount]:
    wanted = select(StockCount).where(StockCount.station_id == station_id)
    under_way = wanted.where(StockCount.state.in_(("counting", "awaiting"))).options(joinedload(StockCount.location))
    return session.scalars(under_way.order_by(StockCount.id).limit(LISTED)).all()


def _returns(station_id: int) -> Sequence[ToReturn]:
    rows = session.execute(
        select(Part, StockLocation, func.sum(StockBalance.on_hand))
        .join(StockBalance, StockBalance.part_id == Part.id)
        .join(StockLocation, StockLocation.id == StockBalance.location_id)
        .where(StockLocation.station_id == station_id, StockBalance.condition == "defective", StockBalance.on_hand > 0)
        .group_by(Part.id, StockLocation.id)
        .order_by(StockLocation.id, Part.number)
        .limit(LISTED)
    )
    return [ToReturn(*row) for row in rows]


def _old_parts(station_id: int, at: datetime) -> Mapping[str, int]:
    late = func.count().filter(OldPart.state == "expected", OldPart.due_at < at)
    wanted: Any = select(OldPart.state, func.count(), late).where(OldPart.station_id == station_id)
    rows: Sequence[Any] = session.execute(wanted.where(OldPart.state.in_(OPEN_OLD)).group_by(OldPart.state)).all()
    return {**{state: many for state, many, _late in rows}, "overdue": sum(row[2] for row in rows)}
