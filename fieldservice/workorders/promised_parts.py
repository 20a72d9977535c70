"""The parts of a visit are promised with its time: kept in the technician's van or the station's store until fitted.

What is short stays open and shows as missing; nobody is kept from planning the visit for it, since rules about required
parts have spoken before. Whoever loses a part to somebody more urgent, or to a move, is told.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import local
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.events import Event
from fieldservice.parts import queries as stock
from fieldservice.parts.availability import phased
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.bringing import to_store
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_supply import planned_parts

NOTHING = Decimal(0)
WITHIN = timedelta(hours=4)  # so soon somebody looks for another source
AGAIN = ("visit.missed", "visit.declined")  # somebody else goes, or on another day


# What happens --------------------------------------------------------------------------------------


def follow_plan(event: Event) -> None:
    """A visit has a time, another one, or none any more."""
    visit = session.get_one(Visit, event.subject_id)
    if event.kind == "visit.cancelled":
        promises.release_for(visit.work_order, at=event.at)
    elif event.kind in AGAIN:  # nothing is held for nobody, but what was asked for still comes
        for one in promises.open_for(visit.work_order):
            if not _asked_for(one):
                promises.release(one, at=event.at)
    else:
        secure(visit, event.at)


def release_all(event: Event) -> None:
    """The order needs nothing any more."""
    promises.release_for(session.get_one(WorkOrder, event.subject_id), at=event.at)


def drop_surplus(event: Event) -> None:
    """A part is not needed after all: what was asked for beyond what is still planned of it is not wanted any more."""
    order = session.get_one(Visit, event.subject_id).work_order
    mine = [one for one in promises.open_for(order) if one.part.number == event.facts["part"]]
    if not mine:
        return
    wanted, _binding = planned_parts([order.id]).get((order.id, mine[0].part_id), (NOTHING, False))
    surplus = sum((one.quantity for one in mine), NOTHING) - wanted
    for one in reversed(mine):
        if _asked_for(one) and one.quantity <= surplus:
            surplus -= one.quantity
            promises.release(one, at=event.at)


def tell_loss(event: Event) -> None:
    """A promise cannot be kept: the dispatcher looks for another source, or another day."""
    lost = session.get_one(Reservation, event.subject_id)
    if lost.for_type != WorkOrder.subject_type:
        return
    order = session.get_one(WorkOrder, lost.for_id)
    tasks.open_task(
        "part_lost", order, due_at=event.at + WITHIN, at=event.at, owner_role="dispatcher",
        facts={"number": order.number, "part": pick(lost.part.names), "quantity": decimal_text(lost.quantity)},
        key=_key(lost.id),
    )  # fmt: skip


def tell_late(event: Event) -> None:
    """What was ordered for it comes later: the dispatcher looks whether the visit can stand."""
    late = session.get_one(Reservation, event.subject_id)
    if late.for_type != WorkOrder.subject_type:
        return
    order = session.get_one(WorkOrder, late.for_id)
    day = local(late.need_at).date().isoformat()
    tasks.open_task(
        "part_late", order, due_at=event.at + WITHIN, at=event.at, owner_role="dispatcher",
        facts={"number": order.number, "part": pick(late.part.names), "source": event.facts["source"], "day": day},
        key=f"part-late-{late.id}-{day}",
    )  # fmt: skip


def tell_found(event: Event) -> None:
    """It is promised again, or not wanted any more."""
    if event.facts.get("from") == "requested":
        tasks.cancel_keyed(_key(event.subject_id), at=event.at)


def _key(reservation_id: int) -> str:
    return f"part-lost-{reservation_id}"


# What is done about it -----------------------------------------------------------------------------


def secure(visit: Visit, at: datetime) -> None:
    """Promise what the order's open planned parts still need: from the technician's van, from the station's store, and
    what is short there from another of our places that gets it to the store in time.

    What is held in another technician's van is given back. The most urgent take by rule what others hold.
    """
    order = visit.work_order
    wanted = planned_parts([order.id])
    if not wanted:
        return
    places = _places(visit, order)
    held = _kept(order, {part: quantity for (_order, part), (quantity, _binding) in wanted.items()}, places, at)
    short = {
        part: quantity - held[part] for (_order, part), (quantity, _binding) in wanted.items() if quantity > held[part]
    }
    parts = stock.parts_by_id(short)
    lying = shelves(short, [place.id for place in places], at)
    for part_id in sorted(short):
        left = short[part_id]
        for place in places:
            free = phased.free_at(lying[part_id, place.id].pool, max(at, visit.starts_at))
            left -= _promise(order, parts[part_id], place, min(left, free), visit, at)
        short[part_id] = left
    sent = _send_for(visit, {part: left for part, left in short.items() if left > 0}, parts, at)
    for part_id in sorted(short):
        left = short[part_id] - sent[part_id]
        if left > 0 and order.priority:
            _take(order, parts[part_id], places, left, visit, at)


def _send_for(
    visit: Visit, wanted: Mapping[int, Decimal], parts: Mapping[int, Part], at: datetime
) -> defaultdict[int, Decimal]:
    """Have it brought to the station's store in time from where nobody was promised it, and promise what comes.

    part → how much is on its way. What another of our places cannot give after all stays short.
    """
    sent: defaultdict[int, Decimal] = defaultdict(Decimal)
    order = visit.work_order
    store = _store(order)
    if store is None or not wanted:
        return sent
    for part_id, sources in to_store(order.station, wanted, at).items():
        for one in sources:
            quantity = min(one.quantity, wanted[part_id] - sent[part_id])
            if one.location.id == store.id or one.ready_at > visit.starts_at or quantity <= 0:
                continue
            try:
                with session.begin_nested():
                    bring(parts[part_id], quantity, one.location, store, order, arrives=one.ready_at,
                          need_at=visit.starts_at, at=at)  # fmt: skip
            except Conflict:
                continue  # somebody was faster
            sent[part_id] += quantity
    return sent


def bring(
    part: Part, quantity: Decimal, source: StockLocation, store: StockLocation, order: WorkOrder, *,
    arrives: datetime, need_at: datetime, at: datetime,
) -> tuple[Reservation, Transfer]:  # fmt: skip
    """Send it from one of our places to the store, and promise it to the order for when it is there. The promise is
    tied to what brings it, so that whoever looks after the visit is told when it is late.

    Raises Conflict `part_short` where it is not free any more.
    """
    transfer = transfers.open_transfer(source, store, [(part, quantity)], expected_at=arrives, at=at)
    transfers.approve(transfer, at=at)
    held = promises.reserve(
        part, store, quantity, need_at=max(need_at, arrives), about=order, at=at, priority=order.priority or ""
    )  # fmt: skip
    held.waits_type, held.waits_id = transfer.subject_type, transfer.id
    session.flush()
    return held, transfer


def _asked_for(one: Reservation) -> bool:
    """Wanted, and somebody is asked for it, or it is to be ordered."""
    return one.state == "requested" and one.waits_id is not None


def consume(visit: Visit, part: Part, place: StockLocation, quantity: Decimal, at: datetime) -> None:
    """So much of it is fitted: what was promised to the order there is used up first."""
    promises.consume(part, place, quantity, about=visit.work_order, at=at)


def _places(visit: Visit, order: WorkOrder) -> list[StockLocation]:
    """The technician's van, then the station's store."""
    return [place for place in (stock.van_of(visit.technician_id), _store(order)) if place is not None]


def _store(order: WorkOrder) -> StockLocation | None:
    return session.get(StockLocation, stock.warehouses_of([order.station_id]).get(order.station_id, 0))


def _kept(
    order: WorkOrder, wanted: Mapping[int, Decimal], places: Sequence[StockLocation], at: datetime
) -> defaultdict[int, Decimal]:
    """part → what is held for the order where it can be used, or on its way there; what is held elsewhere is given
    back. Of what was held while times were offered, the van's first: as much as is wanted stays for good."""
    order_of = {place.id: number for number, place in enumerate(places)}
    kept = defaultdict[int, Decimal](Decimal)
    held = promises.open_for(order)
    for one in sorted(held, key=lambda one: (one.expires_at is not None, order_of.get(one.location_id, 0), one.id)):
        offered = one.expires_at is not None
        usable = one.location_id in order_of and (one.state in HOLDING or one.waits_id is not None)
        if not usable or (offered and kept[one.part_id] >= wanted.get(one.part_id, NOTHING)):
            promises.release(one, at=at)
            continue
        kept[one.part_id] += one.quantity
        one.expires_at = None
    session.flush()
    return kept


def _promise(
    order: WorkOrder, part: Part, place: StockLocation, quantity: Decimal, visit: Visit, at: datetime
) -> Decimal:
    """How much could be promised there: all of it, or nothing where somebody was faster."""
    if quantity <= 0:
        return NOTHING
    try:
        promises.reserve(
            part, place, quantity, need_at=visit.starts_at, about=order, at=at, priority=order.priority or ""
        )  # fmt: skip
    except Conflict:
        return NOTHING
    return quantity


def _take(
    order: WorkOrder, part: Part, places: Iterable[StockLocation], left: Decimal, visit: Visit, at: datetime
) -> None:
    """From those this priority may take from, at the first place that has enough of theirs."""
    for place in places:
        try:
            promises.take_by_rule(
                part, place, left, need_at=visit.starts_at, about=order, at=at, priority=order.priority or "",
                station_id=order.station_id,
            )  # fmt: skip
        except Conflict:
            continue
        return
