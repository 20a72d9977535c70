"""Planning visits: book, move, reassign, send, cancel, miss. Every change settles the order.

A visit belongs to the order's station; the technician's time is held at the technician's home station
(DESIGN §3), so a lent technician cannot be booked twice and both dispatchers see the visit.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Conflict, Invalid, PreconditionFailed
from fieldservice.foundation.places import travel_minutes
from fieldservice.foundation.time import now
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import held_time, orders
from fieldservice.workorders.days import job_of, technician_day
from fieldservice.workorders.eligibility import OVER_OFFERS, refusals
from fieldservice.workorders.held_time import book_absence, end_absence, end_early, release
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span, Stop
from fieldservice.workorders.rescue.services import require_approved
from fieldservice.workorders.slots import round_down, travel_min

__all__ = [
    "CHANGEABLE", "OPEN_STATES", "arrival_due_of", "book_absence", "cancel_visit", "end_absence", "end_early",
    "miss_visit", "place", "recall_visit", "release", "replan", "require_changeable", "require_plannable",
    "reschedule_visit", "schedule_visit", "send_visit", "span_for", "window_of",
]  # fmt: skip

WINDOW = timedelta(hours=2)  # what a customer is told: from … to …
WINDOW_STEP = timedelta(minutes=30)
SHORTEST_WINDOW = timedelta(minutes=30)
LATE_ENTRY = timedelta(minutes=15)  # a start so little ago was still meant as "now"
FURTHEST = timedelta(days=400)
DURATIONS = range(5, 1441)
CHANGEABLE = ("scheduled", "dispatched", "accepted", "declined")  # time and technician may still change
OPEN_STATES = ("proposed", "scheduled", "dispatched", "accepted", "en_route", "on_site", "in_progress", "paused")


def schedule_visit(
    order: WorkOrder,
    technician: Technician,
    starts_at: datetime,
    *,
    duration_min: int | None = None,
    coming: Sequence[Stop] = (),
    told: Span | None = None,
    at: datetime | None = None,
) -> Visit:
    """Book a technician for an order. `coming` is what the technician gets next in the same transaction, `told` a
    window that was agreed with the customer.

    Raises Conflict with the refusing rule as code (skill, certificate, shift, absence, overlap, travel,
    station, part), `already_booked` when the order has an open visit, `not_ready` when it cannot be
    planned, and Invalid for a start or duration that cannot be meant.
    """
    at = at or now()
    span = span_for(starts_at, order.duration_min if duration_min is None else duration_min, at)
    lock_rows(order)
    require_plannable(order)
    visit = Visit(work_order_id=order.id, station_id=order.station_id, home_station_id=technician.station_id)
    place(visit, order, technician, span, window=told or True, coming=coming)
    session.add(visit)
    session.flush()
    held_time.hold(visit)
    record("visit.scheduled", visit, _facts(visit), at=at)
    session.expire(order, ["visits"])
    orders.settle(order, at)
    return visit


def reschedule_visit(
    visit: Visit,
    *,
    starts_at: datetime | None = None,
    technician: Technician | None = None,
    duration_min: int | None = None,
    told: Span | None = None,
    at: datetime | None = None,
) -> Visit:
    """Another time or technician, by the same rules as booking; a visit already sent has to be sent again.

    The window told to the customer (and a confirmation) stays while the start lies in it, unless another one was
    agreed (`told`).
    """
    at = at or now()
    _lock(visit)
    require_changeable(visit)
    order = visit.work_order
    # rows are locked in one order everywhere: visit, order, technicians
    lock_rows(order)
    technician = technician or session.get_one(Technician, visit.technician_id)
    planned = round((visit.ends_at - visit.starts_at).total_seconds() / 60)
    length = planned if duration_min is None else duration_min
    start = starts_at or visit.starts_at
    span = span_for(start, length, visit.starts_at if start == visit.starts_at else at)
    held_time.lock(visit.technician_id, technician.id)
    held_time.release(visit, at)
    replan(visit, order, technician, span, at, told=told)
    orders.settle(order, at)
    return visit


def replan(
    visit: Visit,
    order: WorkOrder,
    technician: Technician,
    span: Span,
    at: datetime,
    coming: Sequence[Stop] = (),
    *,
    told: Span | None = None,
) -> None:
    """Give a visit whose time was released to somebody at a time, by every rule; rows are locked by the caller.

    `coming` is what the technician gets next in the same transaction, `told` a window agreed with the customer.
    """
    before = {"technician": visit.technician_id, "starts_at": visit.starts_at.isoformat()}
    stays = visit.window_starts_at <= span.starts_at <= visit.window_ends_at
    place(visit, order, technician, span, window=told or not stays, coming=coming)
    visit.home_station_id = technician.station_id
    held_time.hold(visit)
    if visit.state != "scheduled":
        move(visit, "scheduled", at=at)
    visit.dispatched_at = visit.accepted_at = visit.eta_at = None
    record("visit.rescheduled", visit, {**_facts(visit), "before": before}, at=at)


def send_visit(visit: Visit, at: datetime | None = None) -> None:
    """Hand the visit to the technician's tablet. Raises Conflict `approval` for a rescue that nobody approved."""
    at = at or now()
    require_approved(visit.work_order)
    move(visit, "dispatched", at=at, technician=visit.technician_id)
    visit.dispatched_at = at
    orders.settle(visit.work_order, at)


def recall_visit(visit: Visit, at: datetime | None = None) -> None:
    """Take a visit back that was sent by mistake and not accepted yet."""
    at = at or now()
    _lock(visit)
    if visit.state != "dispatched":
        raise Conflict(
            _l("The technician has answered already; this visit can no longer be taken back."),
            code="move_forbidden",
            state=visit.state,
            allowed=["dispatched"],
        )
    move(visit, "scheduled", at=at, technician=visit.technician_id)
    visit.dispatched_at = None
    orders.settle(visit.work_order, at)


def cancel_visit(visit: Visit, reason: str, at: datetime | None = None) -> None:
    """The visit will not happen; the time is free and the order waits for another plan."""
    at = at or now()
    move(visit, "cancelled", reason=reason, at=at, technician=visit.technician_id)
    held_time.release(visit, at)
    orders.settle(visit.work_order, at)


def miss_visit(visit: Visit, reason: str, at: datetime | None = None) -> None:
    """Nobody came, or nobody was let in."""
    at = at or now()
    move(visit, "missed", reason=reason, at=at, technician=visit.technician_id)
    held_time.release(visit, at)
    orders.settle(visit.work_order, at)


def window_of(starts_at: datetime, arrival_due: datetime | None) -> Span:
    """The two hours told to the customer; they end with the promise to arrive, where the start keeps it."""
    begins = round_down(starts_at, WINDOW_STEP)
    ends = begins + WINDOW
    if arrival_due is not None and starts_at <= arrival_due:
        ends = min(ends, max(arrival_due, starts_at + SHORTEST_WINDOW))
    return Span(begins, ends)


# Inside -------------------------------------------------------------------------------------------


def _lock(visit: Visit) -> None:
    """Hold the visit. Raises PreconditionFailed when somebody changed it since it was read."""
    read = visit.version
    lock_rows(visit)
    if visit.version != read:
        raise PreconditionFailed()


def require_changeable(visit: Visit) -> None:
    """Time and technician may still change. Raises Conflict `move_forbidden`."""
    if visit.state not in CHANGEABLE:
        raise Conflict(
            _l("The technician is already on the way or done; this visit can no longer be moved."),
            code="move_forbidden",
            state=visit.state,
            allowed=sorted(CHANGEABLE),
        )


def place(
    visit: Visit,
    order: WorkOrder,
    technician: Technician,
    span: Span,
    *,
    window: Span | bool = True,
    coming: Sequence[Stop] = (),
) -> None:
    """Check every rule with the technician locked, then set who and when. The visit's own time is not in its way.

    `window` is what the customer is told: one that was agreed, the one that follows from the start, or what was told.
    """
    held_time.lock(technician.id)
    first = order.priority in OVER_OFFERS
    held_time.make_room(technician.id, span, now(), order_id=order.id, goes_first=first)
    if clash := held_time.in_the_way(technician.id, *span, without_visit=visit.id, named_at=order.station_id):
        raise clash  # asked before the rules: it is what contenders lose by
    job = job_of(order, round((span.ends_at - span.starts_at).total_seconds() / 60))
    day = technician_day(technician.id, *span, job=job, without_visit=visit.id)
    if coming:
        day = replace(day, stops=tuple(sorted((*day.stops, *coming), key=lambda stop: stop.starts_at)))
    if found := refusals(job, day, *span):
        raise held_time.conflict(found[0])
    visit.technician_id = technician.id
    visit.starts_at, visit.ends_at = span
    visit.travel_min = travel_min(job, day, span, travel_minutes) or 0
    if window:
        agreed = window if isinstance(window, Span) else window_of(span.starts_at, arrival_due_of(order))
        visit.window_starts_at, visit.window_ends_at = agreed
        visit.confirmed_at = None


def span_for(starts_at: datetime, minutes: int, at: datetime) -> Span:
    """The time of a visit. Raises Invalid for a start or length that cannot be meant."""
    if minutes not in DURATIONS:
        raise Invalid({"duration_min": [_l("Enter a duration between 5 minutes and 24 hours.")]})
    if not at - LATE_ENTRY <= starts_at <= at + FURTHEST:
        raise Invalid({"starts_at": [_l("Choose a start from now on, within a year.")]})
    return Span(starts_at, starts_at + timedelta(minutes=minutes))


def require_plannable(order: WorkOrder) -> None:
    """The order is ready and nobody else has planned it meanwhile. Raises Conflict."""
    rows = select(Visit.id, Visit.technician_id, Visit.starts_at).where(Visit.work_order_id == order.id)
    known = session.execute(rows.where(Visit.state.in_(OPEN_STATES)).order_by(Visit.id).limit(1)).first()
    if known is not None:
        raise Conflict(
            _l("This order was planned a moment ago. Look at the visit, and move it if need be."),
            code="already_booked",
            visit=known.id,
            technician=known.technician_id,
            starts_at=known.starts_at.isoformat(),
        )
    if order.state != "ready":
        raise Conflict(
            _l("This order cannot be planned in its present state. Release or reopen it first."),
            code="not_ready",
            state=order.state,
            allowed=["ready"],
        )


def arrival_due_of(order: WorkOrder) -> datetime | None:
    """When the customer was promised to see somebody, while that is open."""
    if order.request is None:
        return None
    return next((one.due_at for one in clocks.of(order.request) if one.kind == "arrival" and one.is_open), None)


def _facts(visit: Visit) -> dict[str, Any]:
    return held_time.plain(
        {
            "work_order": visit.work_order_id,
            "technician": visit.technician_id,
            "home_station": visit.home_station_id,
            "starts_at": visit.starts_at,
            "ends_at": visit.ends_at,
            "window_starts_at": visit.window_starts_at,
            "window_ends_at": visit.window_ends_at,
        }
    )
