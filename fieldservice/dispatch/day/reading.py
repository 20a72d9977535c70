"""What estimates are made from: a technician's visits and absences of the day."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from fieldservice.dispatch.day.estimating import AT_WORK, AWAY, ENDED, Stop, Ways
from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import Point, travel, travel_minutes
from fieldservice.foundation.time import day_span, local
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.stations.models import Technician
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.placement import Span, place_of

WAITING = ("scheduled", "dispatched", "accepted")
UNDER_WAY = ("en_route", *AT_WORK)
NIGHT = timedelta(hours=12)  # work begun so long before midnight may still go on


def visits_today(technician_id: int, at: datetime, *, lock: bool = False) -> Sequence[Visit]:
    """Visits of the local day that wait, are under way or are done; and those of the night before under way."""
    rows = _today(at).where(Visit.technician_id == technician_id).order_by(Visit.id)
    if lock:  # two who notice at once come one after the other
        rows = rows.with_for_update(of=Visit).execution_options(populate_existing=True)
    return [one for one in session.scalars(rows) if _counts(one, at)]


def days_of(technician_ids: Collection[int], at: datetime) -> dict[int, list[Visit]]:
    """`visits_today` of many technicians, by technician; one statement."""
    grouped: dict[int, list[Visit]] = {}
    for visit in session.scalars(_today(at).where(among(Visit.technician_id, sorted(technician_ids)))):
        if _counts(visit, at):
            grouped.setdefault(visit.technician_id, []).append(visit)
    return grouped


def absences_of(technician_ids: Collection[int], at: datetime) -> dict[int, list[Stop]]:
    """Absences of the day, by technician; one statement."""
    begins, ends = day_span(local(at).date())
    rows = session.execute(
        select(Booking.technician_id, Booking.starts_at, Booking.ends_at).where(
            among(Booking.technician_id, sorted(technician_ids)), Booking.state == "held", Booking.away(),
            Booking.starts_at < ends, Booking.ends_at > begins,
        )
    )  # fmt: skip
    grouped: dict[int, list[Stop]] = {}
    for row in rows:
        grouped.setdefault(row.technician_id, []).append(Stop(None, AWAY, Span(row.starts_at, row.ends_at)))
    return grouped


def stops_today(visits: Iterable[Visit], technician_id: int, at: datetime) -> list[Stop]:
    """These visits, and the absences of the day, as the estimating takes them."""
    return [*map(stop_seen, visits), *absences_of([technician_id], at).get(technician_id, ())]


def stop_seen(visit: Visit) -> Stop:
    """A visit with its order, as the estimating takes it."""
    order = visit.work_order
    return stop_of(visit, place_of(order.latitude, order.longitude, order.precision).point)


def stop_of(visit: Any, place: Point | None) -> Stop:
    """A visit, or a row with its columns, as the estimating takes it."""
    return Stop(
        visit_id=visit.id,
        state=visit.state,
        span=Span(visit.starts_at, visit.ends_at),
        place=place,
        travel=timedelta(minutes=visit.travel_min),
        en_route_at=visit.en_route_at,
        on_site_at=visit.on_site_at,
        started_at=visit.started_at,
        finished_at=visit.finished_at,
        paused_at=visit.paused_at if visit.state == "paused" else None,
        paused=timedelta(minutes=visit.paused_min),
    )


def ways_of(technician_id: int) -> Ways:
    """How long a technician's drives take now. Where he lives is read only when slow areas ask for it."""
    areas = tuple(travel.DEFAULT.slow_areas())
    who = session.get(Technician, technician_id) if areas else None
    home = Point(who.latitude, who.longitude) if who is not None else None
    return Ways(travel_minutes, areas, home)


def arrivals_due(request_ids: Collection[int]) -> dict[int, datetime]:
    """When people were promised to see somebody, by request; open promises only."""
    if not request_ids:
        return {}
    rows = select(Clock.subject_id, Clock.due_at).where(
        Clock.subject_type == "service_request", among(Clock.subject_id, sorted(request_ids)), Clock.kind == "arrival",
        Clock.stopped_at.is_(None),
    )  # fmt: skip
    return dict(session.execute(rows).all())


# Inside -------------------------------------------------------------------------------------------


def _today(at: datetime) -> Any:
    begins, ends = day_span(local(at).date())
    return (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order))
        .where(Visit.starts_at >= begins - NIGHT, Visit.starts_at < ends)
        .where(Visit.state.in_((*WAITING, *UNDER_WAY, *ENDED)))
    )


def _counts(visit: Visit, at: datetime) -> bool:
    """Of the night before only what is under way."""
    return visit.starts_at >= day_span(local(at).date())[0] or visit.state in UNDER_WAY
