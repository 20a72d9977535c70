"""The parts of times that a customer may choose from: held as long as the times are, where they lie.

Whoever ordered before keeps what was promised (`availability.services.reserve`); nothing is sent for before a time is
chosen. Planning the order takes over what is held, and gives the rest back (`promised_parts.secure`); what nobody chose
ends by itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.parts import queries as stock
from fieldservice.parts.availability import phased
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.bringing import to_store
from fieldservice.parts.availability.models import HOLDING
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.models import Part, StockLocation
from fieldservice.workorders.models import Booking, WorkOrder
from fieldservice.workorders.part_supply import HERE, planned_parts
from fieldservice.workorders.placement import Job

NOTHING = Decimal(0)


def chosen_late(job: Job, held_for: timedelta) -> Job:
    """The job as it is for whoever chooses at the last moment: what has to be sent for comes so much later."""
    needs = tuple(
        replace(
            need,
            later=tuple(
                one if one.kind == HERE else one._replace(ready_at=one.ready_at + held_for) for one in need.later
            ),
        )
        for need in job.needs
    )
    return replace(job, needs=needs) if needs else job


def hold(order: WorkOrder, offers: Sequence[Booking], until: datetime, at: datetime) -> frozenset[int]:
    """Hold what the order still needs for these times; technicians who would have all that the work depends on.

    In the van of each technician who has enough there, else once for all of them at the station's store or where it is
    brought from. Their rows are locked.
    """
    people = {one.technician_id for one in offers}
    wanted = planned_parts([order.id])
    short = {part: quantity for (_order, part), (quantity, _binding) in wanted.items()}
    for one in promises.open_for(order):
        if one.state in HOLDING and one.part_id in short and one.expires_at is None:
            short[one.part_id] -= one.quantity
    short = {part: quantity for part, quantity in short.items() if quantity > 0}
    if not short or not offers:
        return frozenset(people)
    parts, first = stock.parts_by_id(short), min(one.starts_at for one in offers)
    lacking: defaultdict[int, set[int]] = defaultdict(set)  # part → technicians without it in the van
    vans = {who: van for who in sorted(people) if (van := stock.van_of(who)) is not None}
    for part_id, quantity in sorted(short.items()):
        for who in sorted(people):
            van = vans.get(who)
            if van is None or not _reserve(order, parts[part_id], van, quantity, first, until, at):
                lacking[part_id].add(who)
    elsewhere = {part: short[part] for part in lacking}
    missing = _hold_elsewhere(order, elsewhere, parts, first, until, at)
    needed = {part for (_order, part), (_quantity, binding) in wanted.items() if binding}
    return frozenset(people.difference(*(lacking[part] for part in missing & needed)))


def give_back(order: WorkOrder, at: datetime) -> None:
    """Nothing is held any more for times that are not offered any more."""
    for one in promises.open_for(order):
        if one.expires_at is not None:
            promises.release(one, at=at)


def _hold_elsewhere(
    order: WorkOrder, wanted: Mapping[int, Decimal], parts: Mapping[int, Part], first: datetime, until: datetime,
    at: datetime,
) -> set[int]:  # fmt: skip
    """Parts of which there is not enough: what lies in the store, then what can be brought there, the soonest first.

    What is brought is promised for when it would be in the store if somebody chose at the last moment.
    """
    store = session.get(StockLocation, stock.warehouses_of([order.station_id]).get(order.station_id, 0))
    if store is None or not wanted:
        return set(wanted)
    missing: set[int] = set()
    lying = shelves(wanted, [store.id], at)
    left = dict(wanted)
    for part_id, quantity in sorted(wanted.items()):
        free = min(quantity, phased.free_at(lying[part_id, store.id].pool, max(at, first)))
        left[part_id] -= free if _reserve(order, parts[part_id], store, free, first, until, at) else NOTHING
    for part_id, sources in sorted(to_store(order.station, {p: q for p, q in left.items() if q > 0}, at).items()):
        for one in sources:
            much = min(one.quantity, left[part_id])
            ready = one.ready_at if one.location.id == store.id else one.ready_at + (until - at)
            if _reserve(order, parts[part_id], one.location, much, ready, until, at):
                left[part_id] -= much
    missing = {part_id for part_id, quantity in left.items() if quantity > 0}
    return missing


def _reserve(
    order: WorkOrder, part: Part, place: StockLocation, quantity: Decimal, need_at: datetime, until: datetime,
    at: datetime,
) -> bool:  # fmt: skip
    """All of it or nothing."""
    if quantity <= 0:
        return False
    try:
        promises.reserve(
            part, place, quantity, need_at=need_at, about=order, at=at, priority=order.priority or "", expires_at=until
        )
    except Conflict:
        return False
    return True
