"""Technicians' time: held by visits and absences, released when they fall through. It never overlaps.

The database refuses an overlap too (migration 0002); here the technician's row is locked first, so that
the second of two dispatchers waits, looks again and is told what is in the way.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.words import has_word
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders.eligibility import Refusal
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.refusals import sentence


def lock(*technician_ids: int) -> None:
    """Nobody else books these technicians until we are done; in one order, so that two of us never wait crosswise."""
    rows = select(Technician.id).where(Technician.id.in_(technician_ids)).order_by(Technician.id)
    session.execute(rows.with_for_update()).all()


def in_the_way(
    technician_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    without_visit: int | None = None,
    named_at: int | None = None,
) -> Conflict | None:
    """The refusal of the first held booking that touches [starts_at, ends_at), if there is one.

    An order is named to its own station (`named_at`; None: to everybody) alone.
    """
    rows = (
        select(Booking.cause, Booking.starts_at, Booking.ends_at, WorkOrder.number, WorkOrder.station_id)
        .outerjoin(Visit, Visit.id == Booking.visit_id)
        .outerjoin(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .where(Booking.technician_id == technician_id, Booking.state == "held")
        .where(Booking.touching(starts_at, ends_at))
    )
    if without_visit is not None:
        rows = rows.where(Booking.visit_id.is_distinct_from(without_visit))
    row = session.execute(rows.order_by(Booking.starts_at).limit(1)).first()
    if row is None:
        return None
    facts = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    if row.cause != "visit":
        return conflict(Refusal("absence", {**facts, "cause": row.cause}))
    number = row.number if named_at in (None, row.station_id) else ""
    return conflict(Refusal("overlap", {**facts, "order": number or ""}))


def hold(visit: Visit) -> Booking:
    """Take the visit's time of its technician, at the technician's home station. The technician is locked."""
    booking = Booking(
        technician_id=visit.technician_id,
        station_id=visit.home_station_id,
        visit_id=visit.id,
        cause="visit",
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
    )
    session.add(booking)
    session.flush()
    return booking


def release(visit: Visit, at: datetime | None = None) -> None:
    """Give the time back: the visit fell through, or moves elsewhere."""
    for booking in session.scalars(select(Booking).where(Booking.visit_id == visit.id, Booking.state == "held")):
        move(booking, "released", at=at)
    session.flush()


def end_early(visit: Visit, at: datetime) -> None:
    """The work was finished before its time: what is left can be booked again."""
    for booking in session.scalars(select(Booking).where(Booking.visit_id == visit.id, Booking.state == "held")):
        if booking.starts_at < at < booking.ends_at:
            booking.ends_at = at
    session.flush()


def book_absence(
    technician: Technician, cause: str, starts_at: datetime, ends_at: datetime, *, at: datetime | None = None
) -> Booking:
    """Leave, training or travel. Raises Conflict `overlap` naming the visit that has to be moved first."""
    if cause == "visit" or not has_word("booking_cause", cause):
        raise Invalid({"cause": [_l("Choose one of the options.")]})
    if ends_at <= starts_at:
        raise Invalid({"ends_at": [_l("The end must lie after the start.")]})
    lock(technician.id)
    if clash := in_the_way(technician.id, starts_at, ends_at):
        raise clash
    booking = Booking(
        technician_id=technician.id, station_id=technician.station_id, cause=cause, starts_at=starts_at, ends_at=ends_at
    )
    session.add(booking)
    facts = {"technician": technician.id, "cause": cause, "starts_at": starts_at, "ends_at": ends_at}
    record("booking.held", booking, plain(facts), at=at or now())
    return booking


def end_absence(booking: Booking, *, at: datetime | None = None) -> None:
    """The absence is called off."""
    move(booking, "released", at=at)


def conflict(refusal: Refusal) -> Conflict:
    """A refusal as the error the edges know: its rule is the code, its sentence the message."""
    # worded when it is shown: whoever loses a race and tries again never reads it
    return Conflict(LazyString(sentence, refusal), code=refusal.rule, **plain(refusal.facts))


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON carries them."""

    def one(fact: Any) -> Any:
        if isinstance(fact, date):
            return fact.isoformat()
        return f"{fact.normalize():f}" if isinstance(fact, Decimal) else fact

    return {name: one(fact) for name, fact in facts.items()}
