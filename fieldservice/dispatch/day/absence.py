"""Somebody falls ill: one action asks for a plan without him, one more carries it out and books the absence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch.day.reading import NIGHT, UNDER_WAY, WAITING
from fieldservice.dispatch.plans import services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.dispatch.plans.reading import Absent
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import among, session, touching
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.time import local, now
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import held_time
from fieldservice.workorders.eligibility import Refusal
from fieldservice.workorders.models import AWAY, Booking, Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.queries import LARGEST_ID, PLANNERS


def technician_by_id(technician_id: int, somebody: Person) -> Technician:
    """A technician of a station whose work the person plans. Raises NotFound."""
    found = session.get(Technician, technician_id) if 0 < technician_id < LARGEST_ID else None
    if found is None or not somebody.covers(found.station_id, *PLANNERS):
        raise NotFound()
    return found


def fall_ill(
    technician: Technician, span: Span, cause: str, somebody: Person | None, *, run: bool = True,
    at: datetime | None = None,
) -> DispatchPlan:  # fmt: skip
    """Ask for a plan in which the technician is away and all others stay where they are, unless they are needed.

    Nothing changes until it is applied. Raises Conflict `at_work` when he is on the way or at work then, Conflict
    `absence` when he is away already, Forbidden when one of his visits is of a station the person does not plan.
    """
    at = at or now()
    span = Span(max(span.starts_at, at.replace(second=0, microsecond=0)), span.ends_at)
    days = _days(span, cause)
    _require_free(technician, span, at)
    ids = {technician.station_id, *_stations_of(technician, span)}
    stations = session.scalars(select(Station).where(among(Station.id, sorted(ids)))).all()
    first = local(span.starts_at).date()
    absent = Absent(technician.id, span, cause)
    return services.ask(somebody, stations, first, days=days, objective="changes", run=run, absent=absent, at=at)


@dataclass(frozen=True)
class Consequences:
    """Numbers of the orders that would need somebody else, and why the absence cannot be planned, if it cannot."""

    work_orders: Sequence[str]
    hindrance: str | LazyString = ""


def consequences(
    technician: Technician, span: Span, cause: str, somebody: Person, at: datetime | None = None
) -> Consequences:
    """What would come of it, before anybody asks for a plan. Raises Invalid as `fall_ill` does; writes nothing."""
    at = at or now()
    span = Span(max(span.starts_at, at.replace(second=0, microsecond=0)), span.ends_at)
    _days(span, cause)
    numbers = session.scalars(_waiting(technician, span, WorkOrder.number).order_by(Visit.starts_at)).all()
    try:
        _require_free(technician, span, at)
    except Conflict as refused:
        return Consequences(numbers, refused.message)
    if not all(somebody.covers(station, *PLANNERS) for station in _stations_of(technician, span)):
        text = _l(
            "One of these visits is of a station whose work you do not plan. Ask its dispatcher to move it first."
        )
        return Consequences(numbers, text)
    return Consequences(numbers)


def _days(span: Span, cause: str) -> int:
    """How many days the plan is about. Raises Invalid."""
    if cause not in AWAY:
        raise Invalid({"cause": [_l("Choose one of the options.")]})
    if span.ends_at <= span.starts_at:
        raise Invalid({"to": [_l("The end must lie after the start, and in the future.")]})
    last = local(span.ends_at - timedelta(seconds=1)).date()  # who is back at midnight misses no part of that day
    days = (last - local(span.starts_at).date()).days + 1
    if days > services.MOST_DAYS:
        raise Invalid({"to": [_l("Replace somebody for seven days at most; enter the rest as a second absence.")]})
    return days


def _require_free(technician: Technician, span: Span, at: datetime) -> None:
    rows = select(WorkOrder.number).join(Visit, Visit.work_order_id == WorkOrder.id)
    # work that takes longer than planned is still work
    then = [Visit.starts_at > at - NIGHT, Visit.starts_at < span.ends_at]
    then += touching(Visit, *span) if span.starts_at > at else []
    begun = rows.where(Visit.technician_id == technician.id, Visit.state.in_(UNDER_WAY), *then)
    if numbers := session.scalars(begun.order_by(Visit.starts_at)).all():
        text = _l(
            "The technician is on the way to, or at work on, %(orders)s. End or cancel that visit first, or let the "
            "absence begin after it.",
            orders=", ".join(numbers),
        )
        raise Conflict(text, code="at_work", work_orders=list(numbers))
    held = select(Booking).where(Booking.technician_id == technician.id, Booking.state == "held")
    away = session.scalar(held.where(Booking.away(), Booking.touching(*span)).limit(1))
    if away is not None:
        facts = {"cause": away.cause, "starts_at": away.starts_at, "ends_at": away.ends_at}
        raise held_time.conflict(Refusal("absence", facts))


def _stations_of(technician: Technician, span: Span) -> list[int]:
    """Stations whose visits he has then: he may be lent."""
    return list(session.scalars(_waiting(technician, span, Visit.station_id).distinct()))


def _waiting(technician: Technician, span: Span, told: Any) -> Any:
    """Something of each visit that he has then and that has not begun."""
    rows = select(told).select_from(Visit).join(WorkOrder, WorkOrder.id == Visit.work_order_id)
    return rows.where(Visit.state.in_(WAITING), Visit.technician_id == technician.id, *touching(Visit, *span))
