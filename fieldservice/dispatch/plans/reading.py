"""What a plan is made from: work, people and stock of some stations over some days, as plain values.

The number of statements does not depend on how much there is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, load_only

from fieldservice.dispatch.lending.rates import hour_rates
from fieldservice.foundation.db import among, session, touching
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import Point, travel
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.foundation.time import day_span
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.stations import roster
from fieldservice.stations.queries import stations_by_id
from fieldservice.stations.roster import Member
from fieldservice.workorders.days import AROUND, stops_of, strict_lenders, vans_with
from fieldservice.workorders.eligibility import OFFER, OVER_OFFERS
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_supply import needs_of
from fieldservice.workorders.placement import Job, Span, Stop, place_of
from fieldservice.workorders.wishes import NONE, wishes_of

MOST_JOBS = 2_000
MOST_TECHNICIANS = 400
MOVABLE = ("scheduled", "dispatched", "accepted")
FACTS = load_only(
    WorkOrder.number, WorkOrder.titles, WorkOrder.customer_id, WorkOrder.priority, WorkOrder.station_id,
    WorkOrder.request_id, WorkOrder.duration_min, WorkOrder.skills, WorkOrder.certificates, WorkOrder.latitude,
    WorkOrder.longitude, WorkOrder.precision, WorkOrder.version, WorkOrder.state, raiseload=True,
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """The visit of an order as it is planned; a declined one has no time that counts."""

    visit_id: int
    version: int
    technician_id: int
    span: Span
    told: Span  # the window the customer was told
    declined: bool = False
    freed: bool = False  # the technician will be absent: somebody else goes, at the told time if that can be


@dataclass(frozen=True)
class Absent:
    """Somebody who is to count as away, though nothing is booked yet."""

    technician_id: int
    span: Span
    cause: str


@dataclass(frozen=True)
class Work:
    """An order that waits, or whose visit may still be moved."""

    order_id: int
    order_version: int
    titles: Mapping[str, str]
    job: Job
    arrival_due: datetime | None = None
    restore_due: datetime | None = None
    visit: Standing | None = None

    @property
    def stands(self) -> bool:
        """Whether somebody is to go at a time already."""
        return self.visit is not None and not self.visit.declined


@dataclass(frozen=True)
class Material:
    """Everything read, at one moment."""

    at: datetime
    start: datetime
    end: datetime
    works: tuple[Work, ...]
    members: tuple[Member, ...]
    stops: Mapping[int, Sequence[Stop]]  # by technician; visits that may be moved among them
    vans: Mapping[int, Mapping[int, Decimal]]  # technician → part → what nobody was promised
    strict: Collection[int]  # home stations that lend by the roster only
    stores: Mapping[int, Point]  # station → where it is
    areas: tuple[SlowArea, ...] = ()  # that hold at some time of it
    rates: Mapping[int, int] = field(default_factory=dict)  # station → its hour of a technician, where it borrows


def read(station_ids: Sequence[int], first: date, days: int, at: datetime, absent: Absent | None = None) -> Material:
    """Read all of it. Raises Invalid where it is more than can be planned at once.

    With somebody `absent` only what was planned counts as work, and all of it that falls into the absence is freed.
    """
    start, end = day_span(first, days)
    members = _members(station_ids, start, end)
    ids = [member.id for member in members]
    visits = _movable(station_ids, ids, max(start, at), end)
    freed = _freed(station_ids, absent) if absent is not None else {}
    visits = [*freed.values(), *(visit for visit in visits if visit.id not in freed)]
    orders = _waiting(station_ids, {visit.work_order_id for visit in visits}) if absent is None else []
    if len(visits) + len(orders) > MOST_JOBS or len(members) > MOST_TECHNICIANS:
        text = _l("This is too much to plan at once. Choose fewer stations or days.")
        raise Invalid({"stations": [text]}, code="too_much")
    everything = [*(visit.work_order for visit in visits), *orders]
    works = _works(everything, [*visits, *_declined(orders)], freed)
    parts = {need.part_id for work in works for need in work.job.needs}
    homes = {member.station_id for member in members}
    hosts = {lent.station_id for member in members for lent in member.lent}
    stations = stations_by_id({*station_ids, *homes, *hosts})
    return Material(
        at=at,
        start=start,
        end=end,
        works=works,
        members=tuple(members),
        stops=_stops(ids, Span(start - AROUND, end + AROUND), absent, freed),
        vans=vans_with(ids, parts),
        strict=strict_lenders() if homes != set(station_ids) or len(homes) > 1 else (),
        stores={one.id: Point(one.latitude, one.longitude) for one in stations.values()},
        areas=tuple(area for area in travel.DEFAULT.slow_areas() if area.holds_between(start, end)),
        rates=hour_rates(hosts),
    )


def free_for(material: Material, order: WorkOrder, visit: Visit | None = None) -> Material:
    """The same as if nobody had planned the order: its visit's time is free, and so is time that was offered for it;
    for an urgent one all time that was only offered. The order is work, whenever its visit is."""
    urgent = order.priority in OVER_OFFERS

    def is_free(stop: Stop) -> bool:
        if stop.cause == OFFER:
            return urgent or stop.offered_to == order.id
        return visit is not None and stop.visit_id == visit.id

    known = next((work for work in material.works if work.order_id == order.id), None)
    mine = known or _works([order], ())[0]
    if visit is not None:
        mine = replace(mine, visit=None, job=replace(mine.job, duration=visit.ends_at - visit.starts_at))
    return replace(
        material,
        works=(*(work for work in material.works if work.order_id != order.id), mine),
        stops={who: [stop for stop in stops if not is_free(stop)] for who, stops in material.stops.items()},
    )


def _members(station_ids: Sequence[int], start: datetime, end: datetime) -> list[Member]:
    around = (start - timedelta(days=1), end + timedelta(days=1))
    here = roster.members_of(station_ids, *around, MOST_TECHNICIANS + 1)
    lent = roster.lent_to(station_ids, start, end) - {member.id for member in here}
    return here + list(roster.members_by_id(lent, *around).values())


def _movable(station_ids: Sequence[int], technician_ids: Sequence[int], start: datetime, end: datetime) -> list[Visit]:
    """Visits of these stations by these people to which nobody has set off, and need not have."""
    rows = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order).options(FACTS))
        .where(among(Visit.station_id, station_ids), Visit.state.in_(MOVABLE))
        .where(Visit.starts_at >= start, Visit.starts_at < end, among(Visit.technician_id, technician_ids))
        .order_by(Visit.starts_at, Visit.id)
        .limit(MOST_JOBS + 1)
    )
    return [visit for visit in session.scalars(rows) if visit.starts_at - timedelta(minutes=visit.travel_min) > start]


def _freed(station_ids: Sequence[int], absent: Absent) -> dict[int, Visit]:
    """Visits that fall into an absence and were not begun, by id; also those whose time has come."""
    rows = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order).options(FACTS))
        .where(Visit.technician_id == absent.technician_id, *touching(Visit, *absent.span))
        .where(Visit.state.in_(MOVABLE), among(Visit.station_id, station_ids))
        .order_by(Visit.starts_at, Visit.id)
    )
    return {visit.id: visit for visit in session.scalars(rows)}


def _stops(
    ids: Sequence[int], span: Span, absent: Absent | None, freed: Collection[int]
) -> Mapping[int, Sequence[Stop]]:
    """Taken time; whoever is to be absent has that time taken in place of the visits in it."""
    stops = stops_of(ids, *span)
    if absent is not None:
        left = [one for one in stops.get(absent.technician_id, ()) if one.visit_id not in freed]
        away = Stop(*absent.span, cause=absent.cause)
        stops[absent.technician_id] = sorted([*left, away], key=lambda one: one.starts_at)
    return stops


def _waiting(station_ids: Sequence[int], planned: Collection[int]) -> list[WorkOrder]:
    rows = select(WorkOrder).options(FACTS)
    rows = rows.where(among(WorkOrder.station_id, station_ids), WorkOrder.state == "ready")
    found = session.scalars(rows.order_by(WorkOrder.priority, WorkOrder.id).limit(MOST_JOBS + 1))
    return [order for order in found if order.id not in planned]


def _declined(orders: Sequence[WorkOrder]) -> list[Visit]:
    """Visits whose technician said no: they go to somebody else rather than staying behind."""
    rows = select(Visit).where(among(Visit.work_order_id, [order.id for order in orders]), Visit.state == "declined")
    return list(session.scalars(rows.order_by(Visit.id)))


def _works(orders: Sequence[WorkOrder], visits: Iterable[Visit], freed: Collection[int] = ()) -> tuple[Work, ...]:
    needs = needs_of(orders)
    wished = wishes_of({order.customer_id for order in orders})
    due = _due({order.request_id for order in orders if order.request_id is not None})
    standing = {visit.work_order_id: _standing(visit, visit.id in freed) for visit in visits}
    found = []
    for order in orders:
        visit = standing.get(order.id)
        minutes = timedelta(minutes=order.duration_min)
        wishes = wished.get(order.customer_id or 0, NONE)
        job = Job(
            number=order.number,
            station_id=order.station_id,
            priority=order.priority,
            duration=visit.span.ends_at - visit.span.starts_at if visit is not None else minutes,
            place=place_of(order.latitude, order.longitude, order.precision),
            skills=order.skills,
            certificates=tuple(order.certificates),
            needs=needs.get(order.id, ()),
            prefers=wishes.preferred,
            requires=wishes.required,
            excludes=wishes.excluded,
        )
        promised = due.get(order.request_id or 0, {})
        arrival, restore = promised.get("arrival"), promised.get("restore")
        found.append(Work(order.id, order.version, order.titles, job, arrival, restore, visit))
    return tuple(found)


def _standing(visit: Visit, freed: bool) -> Standing:
    return Standing(
        visit_id=visit.id,
        version=visit.version,
        technician_id=visit.technician_id,
        span=Span(visit.starts_at, visit.ends_at),
        told=Span(visit.window_starts_at, visit.window_ends_at),
        declined=visit.state == "declined",
        freed=freed,
    )


def _due(request_ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    """request → what was promised and is still open → until when"""
    found: dict[int, dict[str, datetime]] = {}
    if not request_ids:
        return found
    rows = select(Clock.subject_id, Clock.kind, Clock.due_at).where(
        Clock.subject_type == "service_request", among(Clock.subject_id, request_ids),
        Clock.kind.in_(("arrival", "restore")), Clock.stopped_at.is_(None),
    )  # fmt: skip
    for request_id, kind, due_at in session.execute(rows):
        found.setdefault(request_id, {})[kind] = due_at
    return found
