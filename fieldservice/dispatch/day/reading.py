"""What estimates are made from: a technician's visits and absences of the day."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from fieldservice.dispatch.day.estimating import AT_WORK, AWAY, ENDED, Stop
from fieldservice.foundation.db import session
from fieldservice.foundation.time import day_span, local
from fieldservice.workorders.eligibility import Span, place_of
from fieldservice.workorders.models import Booking, Visit, WorkOrder

WAITING = ("scheduled", "dispatched", "accepted")
UNDER_WAY = ("en_route", *AT_WORK)
NIGHT = timedelta(hours=12)  # work begun so long before midnight may still go on


def visits_today(technician_id: int, at: datetime, *, lock: bool = False) -> Sequence[Visit]:
    """Visits of the local day that wait, are under way or are done; and those of the night before under way."""
    begins, ends = day_span(local(at).date())
    rows = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order))
        .where(Visit.technician_id == technician_id, Visit.starts_at >= begins - NIGHT, Visit.starts_at < ends)
        .where(Visit.state.in_((*WAITING, *UNDER_WAY, *ENDED)))
        .order_by(Visit.id)
    )
    if lock:  # two who notice at once come one after the other
        rows = rows.with_for_update(of=Visit).execution_options(populate_existing=True)
    return [one for one in session.scalars(rows) if one.starts_at >= begins or one.state in UNDER_WAY]


def stops_today(visits: Iterable[Visit], technician_id: int, at: datetime) -> list[Stop]:
    """These visits, and the absences of the day, as the estimating takes them."""
    begins, ends = day_span(local(at).date())
    absences = session.execute(
        select(Booking.starts_at, Booking.ends_at).where(
            Booking.technician_id == technician_id, Booking.state == "held", Booking.away(),
            Booking.starts_at < ends, Booking.ends_at > begins,
        )
    )  # fmt: skip
    return [*map(_stop, visits), *(Stop(None, AWAY, Span(row.starts_at, row.ends_at)) for row in absences)]


def _stop(visit: Visit) -> Stop:
    order = visit.work_order
    return Stop(
        visit_id=visit.id,
        state=visit.state,
        span=Span(visit.starts_at, visit.ends_at),
        place=place_of(order.latitude, order.longitude, order.precision).point,
        travel=timedelta(minutes=visit.travel_min),
        en_route_at=visit.en_route_at,
        on_site_at=visit.on_site_at,
        started_at=visit.started_at,
        finished_at=visit.finished_at,
        paused_at=visit.paused_at if visit.state == "paused" else None,
        paused=timedelta(minutes=visit.paused_min),
    )
