"""Reading what the rules of eligibility need: the job of an order, and technicians' days, many in few queries."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import Point, travel
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.parts import queries as stock
from fieldservice.parts.availability.reading import free_stock
from fieldservice.stations import roster
from fieldservice.stations.roster import Member
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.part_supply import needs_of
from fieldservice.workorders.placement import Job, Place, Stop, TechnicianDay, place_of
from fieldservice.workorders.wishes import NONE, wishes_of

LENDING = "technician_lending"
FREE, ROSTERED = "free", "rostered"  # whoever dispatches both stations decides; or only by a shift rostered there
policies.register_defaults(LENDING, FREE, worth=policies.PLAIN)
AROUND = timedelta(hours=18)  # how far beside a time its neighbours are looked for


def job_of(order: WorkOrder, duration_min: int | None = None, asked_at: datetime | None = None) -> Job:
    """An order as a job to be placed, with what lies at the station of its open planned parts or can be brought there,
    and whom its customer wishes."""
    asked = asked_at or now()
    wishes = wishes_of([order.customer_id]).get(order.customer_id or 0, NONE)
    needs = needs_of([order], asked).get(order.id, ())
    return Job(
        number=order.number,
        station_id=order.station_id,
        priority=order.priority,
        duration=timedelta(minutes=duration_min or order.duration_min),
        place=place_of(order.latitude, order.longitude, order.precision),
        skills=order.skills,
        certificates=tuple(order.certificates),
        needs=needs,
        prefers=wishes.preferred,
        requires=wishes.required,
        excludes=wishes.excluded,
        store=Point(order.station.latitude, order.station.longitude) if needs else None,
        asked_at=asked,
    )


def technician_days(
    members: Iterable[Member], start: datetime, end: datetime, *, job: Job, without_visit: int | None = None
) -> list[TechnicianDay]:
    """Members with their taken time around [start, end) and the job's parts in their vans; at most five queries.

    `without_visit` leaves out a visit that is about to be moved. Orders of other stations stay unnamed.
    """
    team = list(members)
    stops = stops_of(
        [member.id for member in team], start - AROUND, end + AROUND, station_id=job.station_id, without=without_visit
    )
    vans = vans_with([member.id for member in team], [need.part_id for need in job.needs])
    strict = strict_lenders() if any(member.station_id != job.station_id for member in team) else frozenset()
    areas = tuple(travel.DEFAULT.slow_areas())
    return [
        TechnicianDay(
            member=member,
            stops=tuple(stops.get(member.id, ())),
            van=vans.get(member.id, {}),
            lends=member.station_id not in strict,
            areas=areas,
        )
        for member in team
    ]


def technician_day(
    technician_id: int, start: datetime, end: datetime, *, job: Job, without_visit: int | None = None
) -> TechnicianDay:
    """One technician's day around [start, end)."""
    members = roster.members_by_id([technician_id], start - AROUND, end + AROUND)
    return technician_days(members.values(), start, end, job=job, without_visit=without_visit)[0]


def stops_of(
    technician_ids: Collection[int],
    start: datetime,
    end: datetime,
    *,
    station_id: int | None = None,
    without: int | None = None,
) -> dict[int, list[Stop]]:
    """Held bookings touching [start, end) by technician, by start; one query."""
    grouped: dict[int, list[Stop]] = {}
    if not technician_ids:
        return grouped
    rows = session.execute(
        select(
            Booking.technician_id, Booking.starts_at, Booking.ends_at, Booking.cause, Booking.visit_id,
            Booking.work_order_id, WorkOrder.number,
            WorkOrder.station_id, WorkOrder.latitude, WorkOrder.longitude, WorkOrder.precision,
        )
        .outerjoin(Visit, Visit.id == Booking.visit_id)
        .outerjoin(WorkOrder, WorkOrder.id == func.coalesce(Visit.work_order_id, Booking.work_order_id))
        .where(among(Booking.technician_id, technician_ids), Booking.counts(now()))
        .where(Booking.touching(start, end))
        .order_by(Booking.starts_at)
    )  # fmt: skip
    for row in rows:
        if row.visit_id is not None and row.visit_id == without:
            continue
        place = place_of(row.latitude, row.longitude, row.precision) if row.number else Place()
        label = row.number if row.number and station_id in (None, row.station_id) else ""
        stop = Stop(row.starts_at, row.ends_at, row.cause, place, label, row.visit_id, row.work_order_id)
        grouped.setdefault(row.technician_id, []).append(stop)
    return grouped


def vans_with(technician_ids: Collection[int], part_ids: Collection[int]) -> dict[int, Mapping[int, Decimal]]:
    """technician → part → how much of it is free in the van, of these parts alone; two queries."""
    if not part_ids or not technician_ids:
        return {}
    vans = stock.vans_of(technician_ids)
    lying = free_stock(part_ids, vans.values())
    return {
        technician: {part: lying[part, place] for part in part_ids if (part, place) in lying}
        for technician, place in vans.items()
    }


def strict_lenders() -> frozenset[int]:
    """Home stations that lend by the roster only."""
    return policies.stations_with(LENDING, ROSTERED)
