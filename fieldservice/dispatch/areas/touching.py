"""Planned visits that an area makes late, by the rules of booking. The number of statements does not grow."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import travel_minutes
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.stations import roster
from fieldservice.workorders.days import AROUND, stops_of
from fieldservice.workorders.eligibility import Case, Job, Span, TechnicianDay, late_arrivals, place_of
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.slots import travel_min

PLANNED = ("scheduled", "dispatched", "accepted")
MOST_VISITS = 2_000


@dataclass(frozen=True)
class Touched:
    """A visit whose technician comes too late by so many minutes, if nobody does anything."""

    visit: Visit
    missing_min: int
    travel_min: int  # from the stop before, through the area


def touched(
    area: SlowArea, others: Sequence[SlowArea], stations: Collection[int] | None, at: datetime
) -> list[Touched]:
    """Visits that begin from now on and before the area's end, of these stations (None: of all), by start."""
    visits = _visits(max(at, area.starts_at), area.until, stations)
    if not visits:
        return []
    people = {visit.technician_id for visit in visits}
    span = (visits[0].starts_at - AROUND, visits[-1].starts_at + AROUND)
    members, stops = roster.members_by_id(people, *span), stops_of(sorted(people), *span)
    found: list[Touched] = []
    for visit in visits:
        own = tuple(stop for stop in stops.get(visit.technician_id, ()) if stop.visit_id != visit.id)
        day = TechnicianDay(members[visit.technician_id], own, areas=(*others, area))
        found += _late(visit, day, tuple(others))
    return found


def _late(visit: Visit, day: TechnicianDay, others: tuple[SlowArea, ...]) -> Iterator[Touched]:
    order = visit.work_order
    span = Span(visit.starts_at, visit.ends_at)
    place = place_of(order.latitude, order.longitude, order.precision)
    job = Job(order.number, order.station_id, order.priority, span.ends_at - span.starts_at, place)
    late = _earliest(Case(job, day, span, travel_minutes))
    if late > span.starts_at and late > _earliest(Case(job, replace(day, areas=others), span, travel_minutes)):
        minutes = travel_min(job, day, span, travel_minutes) or 0
        yield Touched(visit, ceil((late - span.starts_at) / timedelta(minutes=1)), minutes)


def _earliest(case: Case) -> datetime:
    """When the technician can be there; the planned start where that is kept."""
    return max((refusal.facts["earliest"] for refusal in late_arrivals(case)), default=case.span.starts_at)


def _visits(start: datetime, end: datetime, stations: Collection[int] | None) -> Sequence[Visit]:
    rows = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order))
        .where(Visit.state.in_(PLANNED), Visit.starts_at > start, Visit.starts_at < end)
    )
    if stations is not None:
        rows = rows.where(among(Visit.station_id, sorted(stations)))
    return session.scalars(rows.order_by(Visit.starts_at, Visit.id).limit(MOST_VISITS)).all()
