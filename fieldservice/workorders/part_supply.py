"""Open planned parts of orders: what is there for them, and what can be brought to their station in time.

Several orders that want the same part each see all that is free of it: what one is booked with, the next does not find
any more. What is held for an order only that order sees.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import now
from fieldservice.parts import queries as stock
from fieldservice.parts.availability.bringing import to_store
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.reading import arrivals_of, free_stock, holdings, waiting_for_more
from fieldservice.stations.queries import stations_by_id
from fieldservice.workorders.models import WorkItem, WorkOrder
from fieldservice.workorders.placement import Need, Supply

NOTHING = Decimal(0)
HERE = "station"
OrderPart = tuple[int, int]  # (order id, part id)


def planned_parts(order_ids: Collection[int]) -> dict[tuple[int, int], tuple[Decimal, bool]]:
    """(order, part) → how much is still wanted, and whether the work depends on it; one query."""
    wanted: dict[tuple[int, int], tuple[Decimal, bool]] = {}
    if not order_ids:
        return wanted
    items = session.execute(
        select(WorkItem.work_order_id, WorkItem.part_id, WorkItem.quantity, WorkItem.required)
        .where(among(WorkItem.work_order_id, order_ids), WorkItem.kind == "part", WorkItem.part_id.is_not(None))
        .where(WorkItem.done_at.is_(None))
        .order_by(WorkItem.id)
    ).all()
    for order_id, part_id, quantity, required in items:
        assert part_id is not None
        more, binding = wanted.get((order_id, part_id), (Decimal(0), False))
        wanted[order_id, part_id] = (more + (quantity or Decimal(1)), binding or required)
    return wanted


def needs_of(orders: Collection[WorkOrder], at: datetime | None = None) -> dict[int, tuple[Need, ...]]:
    """By order. At most eight queries, and nine more for every station that is short of something."""
    return needs_by({order.id: order.station_id for order in orders}, at)


def needs_by(stations: Mapping[int, int], at: datetime | None = None) -> dict[int, tuple[Need, ...]]:
    """The same of orders by id, with the station of each."""
    at = at or now()
    wanted = planned_parts(stations)
    if not wanted:
        return {}
    parts = stock.parts_by_id(part_id for _order, part_id in wanted)
    held = holdings(WorkOrder.subject_type, stations)
    stores = stock.warehouses_of(set(stations.values()))
    homes = {order: stores.get(station, 0) for order, station in stations.items()}
    kept, in_vans = _kept(held, homes, at), _in_vans(held)
    left = {
        key: quantity - _all(kept[key]) - sum(in_vans[key].values(), NOTHING)
        for key, (quantity, _binding) in wanted.items()
    }
    free = _free(stations, left, stores, at)
    needs: dict[int, tuple[Need, ...]] = {}
    for (order_id, part_id), (quantity, binding) in wanted.items():
        part = parts[part_id]
        supplies = sorted((*kept[order_id, part_id], *free[stations[order_id], part_id]), key=lambda one: one.ready_at)
        there = _all([one for one in supplies if one.ready_at <= at])
        later = tuple(one for one in supplies if one.ready_at > at)
        vans = in_vans[order_id, part_id]
        mine = _all([one for one in supplies if one.held and one.ready_at <= at])
        store = stores.get(stations[order_id], 0)
        need = Need(part_id, part.number, part.names, quantity, there, binding, later, vans, mine, store)
        needs[order_id] = (*needs.get(order_id, ()), need)
    return needs


def _kept(held: Iterable[Reservation], homes: Mapping[int, int], at: datetime) -> defaultdict[OrderPart, list[Supply]]:
    """What is held for the orders in stores. What an offered time holds in another place than the order's own store
    counts from when it would be brought. Where less lies than is promised, it counts from when enough has come for
    it and all older promises; where that is not known, from when it is promised for."""
    kept: defaultdict[OrderPart, list[Supply]] = defaultdict(list)
    stored = [one for one in held if one.location.technician_id is None]
    waiting = waiting_for_more({(one.part_id, one.location_id) for one in stored if one.state == "reserved"})
    coming = [one for one in stored if one.state == "reserved" and (one.part_id, one.location_id) in waiting]
    arriving = arrivals_of(coming, at)
    for one in stored:
        away = one.expires_at is not None and one.location_id != homes[one.for_id]
        ready_at = max(at, (not away and arriving.get(one.id)) or one.need_at) if away or one in coming else at
        kept[one.for_id, one.part_id].append(
            Supply(ready_at, one.quantity, HERE, one.location.names, held=True, place=one.location_id)
        )
    return kept


def _in_vans(held: Iterable[Reservation]) -> defaultdict[OrderPart, dict[int, Decimal]]:
    """What is held for the orders in vans, by technician: of use to that one alone."""
    found: defaultdict[OrderPart, dict[int, Decimal]] = defaultdict(dict)
    for one in held:
        if one.location.technician_id is not None:
            mine = found[one.for_id, one.part_id]
            mine[one.location.technician_id] = mine.get(one.location.technician_id, NOTHING) + one.quantity
    return found


def _free(
    stations: Mapping[int, int], left: Mapping[OrderPart, Decimal], stores: Mapping[int, int], at: datetime
) -> defaultdict[tuple[int, int], list[Supply]]:
    """(station, part) → what nobody was promised: in its store, and where that is too little, what can be brought."""
    total: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for (order_id, part_id), quantity in left.items():
        total[stations[order_id], part_id] += max(quantity, NOTHING)
    lying = free_stock((part for _station, part in total), stores.values())
    free: defaultdict[tuple[int, int], list[Supply]] = defaultdict(list)
    short: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for (station, part), quantity in total.items():
        there = lying.get((part, stores.get(station, 0)), NOTHING)
        if there >= quantity or station not in stores:
            free[station, part].append(Supply(at, there, HERE, {}, place=stores.get(station, 0), there=there))
        else:
            short[station][part] = quantity
    known = stations_by_id(short)
    for station, wanted in short.items():
        for part, coming in to_store(known[station], wanted, at).items():
            free[station, part] += [
                Supply(one.ready_at, one.quantity, one.kind, one.location.names, False, one.location.id, one.there)
                for one in coming
            ]
    return free


def _all(supplies: Collection[Supply]) -> Decimal:
    return sum((one.quantity for one in supplies), NOTHING)
