"""Planned visits that an area makes late: by the rules of booking, and today also by what is estimated of the day, in
which one late visit makes the next one late. The number of statements does not grow.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from fieldservice.dispatch.day import reading
from fieldservice.dispatch.day.estimating import CHANGED, Stop, Ways, estimates
from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.foundation.time import day_span, local
from fieldservice.stations import roster
from fieldservice.workorders.days import AROUND, stops_of
from fieldservice.workorders.eligibility import Case, late_arrivals
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Job, Span, TechnicianDay, place_of
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
    """Visits that begin before the area's end and have not begun, of these stations (None: of all), by start."""
    found = {one.visit.id: one for one in _estimated(area, others, stations, at)}
    found |= {one.visit.id: one for one in _by_rule(area, others, stations, at)}
    return sorted(found.values(), key=lambda one: (one.visit.starts_at, one.visit.id))


# By the rules of booking --------------------------------------------------------------------------


def _by_rule(
    area: SlowArea, others: Sequence[SlowArea], stations: Collection[int] | None, at: datetime
) -> list[Touched]:
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


# By what is estimated of today --------------------------------------------------------------------


def _estimated(
    area: SlowArea, others: Sequence[SlowArea], stations: Collection[int] | None, at: datetime
) -> Iterator[Touched]:
    """Of today alone, and only of days on which somebody's way leads by the area."""
    days = reading.days_of(_under_way(stations, at), at)
    members = roster.members_by_id(days.keys(), *day_span(local(at).date()))
    away = reading.absences_of(days.keys(), at)
    for technician_id, visits in days.items():
        home = members[technician_id].home
        stops = [*map(reading.stop_seen, visits), *away.get(technician_id, ())]
        if not _leads_by(area, home, stops):
            continue
        spans = [estimates(stops, at, Ways(travel_minutes, each, home)) for each in ((*others, area), tuple(others))]
        seen = (one for one in visits if one.id in spans[0] and (stations is None or one.station_id in stations))
        for visit in seen:
            slowed, usual = spans[0][visit.id].starts_at, spans[1][visit.id].starts_at
            if visit.state in PLANNED and slowed - max(usual, visit.starts_at) >= CHANGED:
                minutes = ceil((slowed - visit.starts_at) / timedelta(minutes=1))
                yield Touched(visit, minutes, visit.travel_min)


def _under_way(stations: Collection[int] | None, at: datetime) -> Sequence[int]:
    """Technicians who still have something to do today."""
    begins, ends = day_span(local(at).date())
    rows = select(Visit.technician_id).where(
        Visit.state.in_(PLANNED), Visit.starts_at >= begins, Visit.starts_at < ends
    )
    if stations is not None:
        rows = rows.where(among(Visit.station_id, sorted(stations)))
    return session.scalars(rows.distinct().limit(MOST_VISITS)).all()


def _leads_by(area: SlowArea, home: Point, stops: Sequence[Stop]) -> bool:
    places = [home, *(one.place for one in sorted(stops, key=lambda one: one.span.starts_at) if one.place is not None)]
    return any(area.near(one, other) for one, other in pairwise(places))
