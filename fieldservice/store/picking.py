"""The pick list: which parts leave the store with whom and when, in about a dozen queries however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import and_, nulls_last, or_, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import day_span, local
from fieldservice.parts import pieces
from fieldservice.parts import queries as stock
from fieldservice.parts.availability import waiting
from fieldservice.parts.availability.models import OPEN, Reservation
from fieldservice.parts.availability.phased import STEP
from fieldservice.parts.availability.reading import free_stock, shelves
from fieldservice.parts.catalogue.models import Substitute
from fieldservice.parts.models import Part, StockBalance, StockBatch, StockLocation
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_supply import planned_parts

WAITING = ("scheduled", "dispatched", "accepted")  # states of visits whose technician has not set off
MOST_VISITS = 300
DAYS = 2  # today and tomorrow
NOTHING = Decimal(0)
How = Literal["ready", "picked", "coming", "elsewhere", "van", "free", "missing"]
Lot = tuple[str, date | None, Decimal]  # batch number, last day of use, quantity


@dataclass
class Line:
    """So much of a part for an order. `how`: lies there to be picked, is picked, is promised of what comes
    (`arrives_at`), is kept in another place, is in the van already; or nothing holds it: then it lies free there,
    or is missing."""

    order: WorkOrder
    part: Part
    quantity: Decimal
    how: How
    reservation: Reservation | None = None
    lots: Sequence[Lot] = ()
    arrives_at: datetime | None = None
    in_store: Decimal = NOTHING  # free there for this line, of one that nothing holds
    asked: Sequence[waiting.Source] = ()  # what is to bring it, of one that is not promised yet


@dataclass
class Tour:
    """What a technician takes along on one day. `departs_at`: the first of his visits minus the drive to it."""

    technician: Technician
    day: date
    departs_at: datetime
    visits: list[Visit]
    van: StockLocation | None
    lines: list[Line] = field(default_factory=list)

    def of(self, *how: How) -> list[Line]:
        return [line for line in self.lines if line.how in how]

    @property
    def done(self) -> int:
        """Lines nothing is left to do about before he leaves, but to hand them out."""
        return len(self.of("picked", "van"))


def pick_list(station: Station, days: int, at: datetime) -> list[Tour]:
    """Tours of the station's visits today and on the days after, by departure, that need any parts."""
    first, end = day_span(local(at).date(), days)
    visits = _visits(station, first, end)
    if not visits:
        return []
    tours = _tours(visits)
    orders = {visit.work_order_id: visit.work_order for visit in reversed(visits)}
    places = stores_of(station.id)
    lines = _lines(orders, places, tours)
    for tour in tours:
        numbers = dict.fromkeys(visit.work_order_id for visit in tour.visits)
        tour.lines = [line for number in numbers for line in lines.pop(number, ())]
    with_parts = [tour for tour in tours if tour.lines]
    _lay_out(with_parts, places, at)
    _tell_free(with_parts, places)
    return with_parts


def stores_of(station_id: int) -> Sequence[StockLocation]:
    """The places of a station that parts are picked from."""
    wanted = select(StockLocation).where(StockLocation.station_id == station_id, StockLocation.state != "closed")
    kinds = StockLocation.kind.in_(("warehouse", "central"))
    return session.scalars(wanted.where(kinds).order_by(StockLocation.kind.desc(), StockLocation.id)).all()


def _visits(station: Station, first: datetime, end: datetime) -> Sequence[Visit]:
    return session.scalars(
        select(Visit)
        .where(Visit.station_id == station.id, Visit.state.in_(WAITING))
        .where(Visit.starts_at >= first, Visit.starts_at < end)
        .options(joinedload(Visit.technician), joinedload(Visit.work_order).joinedload(WorkOrder.customer))
        .order_by(Visit.starts_at, Visit.id)
        .limit(MOST_VISITS)
    ).all()


def _tours(visits: Sequence[Visit]) -> list[Tour]:
    vans = _vans({visit.technician_id for visit in visits})
    found: dict[tuple[int, date], Tour] = {}
    for visit in visits:
        day, leaves = local(visit.starts_at).date(), visit.starts_at - timedelta(minutes=visit.travel_min)
        key = (visit.technician_id, day)
        if key not in found:
            found[key] = Tour(visit.technician, day, leaves, [], vans.get(visit.technician_id))
        found[key].visits.append(visit)
    return sorted(found.values(), key=lambda tour: (tour.departs_at, tour.technician.id))


def _vans(technicians: Iterable[int]) -> dict[int, StockLocation]:
    rows = session.scalars(
        select(StockLocation).where(among(StockLocation.technician_id, sorted(technicians)))
        .where(StockLocation.state != "closed")
    )  # fmt: skip
    return {place.technician_id: place for place in rows if place.technician_id is not None}


# Lines ----------------------------------------------------------------------------------------------


def _lines(
    orders: Mapping[int, WorkOrder], places: Sequence[StockLocation], tours: Sequence[Tour]
) -> dict[int, list[Line]]:
    """order → what is held for it, and what it still lacks."""
    here = {place.id for place in places}
    van_of = {visit.work_order_id: tour.van for tour in reversed(tours) for visit in tour.visits}
    lines: defaultdict[int, list[Line]] = defaultdict(list)
    held: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    wanting: list[Reservation] = []
    for one in _reservations(orders):
        if one.state == "requested":
            wanting.append(one)
            continue  # it holds nothing: its part counts as missing
        van = van_of.get(one.for_id)
        how: How = "van" if van is not None and one.location_id == van.id else "elsewhere"
        if one.location_id in here:
            how = "picked" if one.state == "picked" else "ready"
        lines[one.for_id].append(Line(orders[one.for_id], one.part, one.quantity, how, one))
        held[one.for_id, one.part_id] += one.quantity
    sources = waiting.sources_of(wanting)
    for order_id, part, quantity in _missing(orders, held):
        mine = [one for one in wanting if (one.for_id, one.part_id) == (order_id, part.id) and one.id in sources]
        asked = [sources[one.id] for one in mine]
        lines[order_id].append(Line(orders[order_id], part, quantity, "missing", asked=asked))
    return lines


def _reservations(orders: Iterable[int]) -> Sequence[Reservation]:
    return session.scalars(
        select(Reservation)
        .where(Reservation.for_type == WorkOrder.subject_type, among(Reservation.for_id, sorted(orders)))
        .where(Reservation.state.in_(OPEN))
        .options(joinedload(Reservation.part), joinedload(Reservation.location))
        .order_by(Reservation.id)
    ).all()


def _missing(
    orders: Iterable[int], held: Mapping[tuple[int, int], Decimal]
) -> list[tuple[int, Part, Decimal]]:  # fmt: skip
    """(order, part, how much) that is planned and not held, not even of a part that takes its place."""
    planned = {key: quantity for key, (quantity, _binding) in planned_parts(list(orders)).items()}
    spare = {key: quantity - planned.get(key, NOTHING) for key, quantity in held.items()}
    lacking = {key: quantity - held.get(key, NOTHING) for key, quantity in planned.items()}
    parts = stock.parts_by_id(part for (_order, part), quantity in lacking.items() if quantity > 0)
    instead = instead_of(parts.values()) if parts else {}
    missing = []
    for (order, part), quantity in sorted(lacking.items()):
        for other, ratio in instead.get(part, ()):
            quantity -= max(NOTHING, spare.get((order, other), NOTHING)) / ratio
        if quantity > 0:
            missing.append((order, parts[part], quantity.quantize(STEP)))
    return missing


def instead_of(parts: Iterable[Part]) -> dict[int, list[tuple[int, Decimal]]]:
    """part → (other part, units of it for one): its successor and its substitutes; one query."""
    found: dict[int, list[tuple[int, Decimal]]] = {}
    for part in parts:
        found[part.id] = [(part.superseded_by_id, Decimal(1))] if part.superseded_by_id is not None else []
    ids = list(found)
    rows = session.scalars(
        select(Substitute).where(
            or_(among(Substitute.part_id, ids), and_(among(Substitute.other_id, ids), Substitute.both_ways))
        )
    )
    for row in rows:
        if row.part_id in found:
            found[row.part_id].append((row.other_id, row.ratio))
        if row.both_ways and row.other_id in found:
            found[row.other_id].append((row.part_id, 1 / row.ratio))
    return found


def _tell_free(tours: Sequence[Tour], places: Sequence[StockLocation]) -> None:
    """Of lines nothing holds: what is free at the store, to who leaves first."""
    lacking = [line for tour in tours for line in tour.lines if line.how == "missing"]
    free: defaultdict[int, Decimal] = defaultdict(Decimal)
    for (part, _place), quantity in free_stock([line.part.id for line in lacking], [one.id for one in places]).items():
        free[part] += quantity
    for line in lacking:
        line.in_store = free[line.part.id]
        if line.in_store >= line.quantity:
            line.how = "free"
            free[line.part.id] -= line.quantity


# What lies there --------------------------------------------------------------------------------------


@dataclass
class _Shelf:
    """Batches of a part in a place, earliest expiry first: [batch id, number, last day, what is left of it]."""

    lots: list[list[Any]] = field(default_factory=list)
    names: dict[int | None, tuple[str, date | None]] = field(default_factory=dict)

    def take(self, quantity: Decimal) -> list[Lot] | None:
        """What a line of so much will be made of; None where not all of it lies there."""
        if sum((lot[3] for lot in self.lots), NOTHING) < quantity:
            return None
        taken: list[Lot] = []
        for lot in self.lots:
            some = min(quantity, lot[3])
            if some > 0:
                lot[3], quantity = lot[3] - some, quantity - some
                taken.append((lot[1], lot[2], some))
        return taken


def _lay_out(tours: Sequence[Tour], places: Sequence[StockLocation], at: datetime) -> None:
    """Who leaves first is served first from what lies there; the others wait for what comes."""
    lines = [line for tour in tours for line in tour.lines if line.how in ("ready", "picked")]
    lying = _lying({line.part.id for line in lines}, [place.id for place in places], at)
    waiting: list[Line] = []
    for line in lines:
        assert line.reservation is not None
        shelf = lying[line.part.id, line.reservation.location_id]
        if line.how == "picked":
            line.lots = [(*shelf.names.get(batch, ("", None)), Decimal(many)) for batch, many in line.reservation.lots]
            continue
        lots = shelf.take(line.quantity)
        if lots is None:
            line.how = "coming"
            waiting.append(line)
        else:
            line.lots = lots
    if waiting:
        _tell_arrival(waiting, at)


def _lying(parts: set[int], places: Sequence[int], at: datetime) -> defaultdict[tuple[int, int], _Shelf]:
    found: defaultdict[tuple[int, int], _Shelf] = defaultdict(_Shelf)
    if not parts:
        return found
    rows = session.execute(
        select(
            StockBalance.part_id, StockBalance.location_id, StockBalance.batch_id, StockBatch.number,
            StockBatch.expires_on, StockBalance.on_hand - StockBalance.set_aside,
        )
        .outerjoin(StockBatch, StockBatch.id == StockBalance.batch_id)
        .where(among(StockBalance.part_id, sorted(parts)), among(StockBalance.location_id, places))
        .where(StockBalance.condition == "good", StockBalance.on_hand > 0)
        .order_by(StockBalance.batch_id.is_(None), nulls_last(StockBatch.expires_on), StockBatch.id)
    )  # fmt: skip
    for part, place, batch_id, number, expires_on, free in rows:
        shelf = found[part, place]
        shelf.names[batch_id] = (number or "", expires_on)
        if free > 0 and not pieces.is_over(expires_on, at):
            shelf.lots.append([batch_id, number or "", expires_on, free])
    return found


def _tell_arrival(lines: Sequence[Line], at: datetime) -> None:
    """When the next of it comes: a reader sees at a glance whether that is before the departure."""
    keys = [(line.part.id, line.reservation.location_id) for line in lines if line.reservation is not None]
    known = shelves({part for part, _place in keys}, {place for _part, place in keys}, at)
    for line, key in zip(lines, keys, strict=True):
        later = [lot.since for lot in known[key].lots if lot.since > at]
        line.arrives_at = min(later) if later else None
