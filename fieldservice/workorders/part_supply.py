"""Open planned parts of orders: what is there for them, and what can be brought to their station in time.

Several orders that want the same part each see all of it: what one is booked with, the next does not find any more.
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
from fieldservice.parts.availability.reading import free_stock, holdings, waiting_for_more
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
    """By order. At most seven queries, and nine more for every station that is short of something."""
    at = at or now()
    stations = {order.id: order.station_id for order in orders}
    wanted = planned_parts(stations)
    if not wanted:
        return {}
    parts = stock.parts_by_id(part_id for _order, part_id in wanted)
    held = holdings(WorkOrder.subject_type, stations)
    kept, in_vans = _kept(held, at), _in_vans(held)
    left = {
        key: quantity - _all(kept[key]) - sum(in_vans[key].values(), NOTHING)
        for key, (quantity, _binding) in wanted.items()
    }
    free = _free(stations, left, at)
    needs: dict[int, tuple[Need, ...]] = {}
    for (order_id, part_id), (quantity, binding) in wanted.items():
        part = parts[part_id]
        supplies = sorted((*kept[order_id, part_id], *free[stations[order_id], part_id]), key=lambda one: one.ready_at)
        there = _all([one for one in supplies if one.ready_at <= at])
        later = tuple(one for one in supplies if one.ready_at > at)
        vans = in_vans[order_id, part_id]
        need = Need(part_id, part.number, part.names, quantity, there, binding, later, vans)
        needs[order_id] = (*needs.get(order_id, ()), need)
    return needs


def _kept(held: Iterable[Reservation], at: datetime) -> defaultdict[OrderPart, list[Supply]]:
    """What is held for the orders in stores. Where less lies than is promised, it counts from when it is promised."""
    kept: defaultdict[OrderPart, list[Supply]] = defaultdict(list)
    stored = [one for one in held if one.location.technician_id is None]
    waiting = waiting_for_more({(one.part_id, one.location_id) for one in stored if one.state == "reserved"})
    for one in stored:
        coming = one.state == "reserved" and (one.part_id, one.location_id) in waiting
        ready_at = max(at, one.need_at) if coming else at
        kept[one.for_id, one.part_id].append(Supply(ready_at, one.quantity, HERE, one.location.names))
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
    stations: Mapping[int, int], left: Mapping[OrderPart, Decimal], at: datetime
) -> defaultdict[tuple[int, int], list[Supply]]:
    """(station, part) → what nobody was promised: in its store, and where that is too little, what can be brought."""
    total: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for (order_id, part_id), quantity in left.items():
        total[stations[order_id], part_id] += max(quantity, NOTHING)
    stores = stock.warehouses_of({station for station, _part in total})
    lying = free_stock((part for _station, part in total), stores.values())
    free: defaultdict[tuple[int, int], list[Supply]] = defaultdict(list)
    short: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for (station, part), quantity in total.items():
        there = lying.get((part, stores.get(station, 0)), NOTHING)
        if there >= quantity or station not in stores:
            free[station, part].append(Supply(at, there, HERE, {}))
        else:
            short[station][part] = quantity
    known = stations_by_id(short)
    for station, wanted in short.items():
        for part, coming in to_store(known[station], wanted, at).items():
            free[station, part] += [Supply(one.ready_at, one.quantity, one.kind, one.location.names) for one in coming]
    return free


def _all(supplies: Collection[Supply]) -> Decimal:
    return sum((one.quantity for one in supplies), NOTHING)
