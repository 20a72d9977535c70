"""Technicians' time: held by visits and absences, released when they fall through. It never overlaps.

The database refuses an overlap too (migration 0002); here the technician's row is locked first, so that
the second of two dispatchers waits, looks again and is told what is in the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, func, or_, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders.eligibility import OFFER, Refusal
from fieldservice.workorders.models import AWAY, Booking, Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.refusals import sentence

MOST_OFFERS = 20


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
        .outerjoin(WorkOrder, WorkOrder.id == func.coalesce(Visit.work_order_id, Booking.work_order_id))
        .where(Booking.technician_id == technician_id, Booking.counts(now()))
        .where(Booking.touching(starts_at, ends_at))
    )
    if without_visit is not None:
        rows = rows.where(Booking.visit_id.is_distinct_from(without_visit))
    row = session.execute(rows.order_by(Booking.starts_at).limit(1)).first()
    if row is None:
        return None
    facts = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    if row.cause not in ("visit", OFFER):
        return conflict(Refusal("absence", {**facts, "cause": row.cause}))
    number = row.number if named_at in (None, row.station_id) else ""
    offered = {"offered": True} if row.cause == OFFER else {}
    return conflict(Refusal("overlap", {**facts, "order": number or "", **offered}))


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


def offer(
    order: WorkOrder, technician: Technician, span: Span, terms: Mapping[str, Any], expires_at: datetime
) -> Booking:
    """Hold time for the order's customer to choose from. The technician is locked, and nothing is in the way."""
    booking = Booking(
        technician_id=technician.id, station_id=technician.station_id, cause=OFFER, starts_at=span.starts_at,
        ends_at=span.ends_at, work_order_id=order.id, expires_at=expires_at, terms=dict(terms),
    )  # fmt: skip
    session.add(booking)
    session.flush()
    return booking


def offers_of(order: WorkOrder, at: datetime) -> Sequence[Booking]:
    """Times that the order's customer may choose from now, by their start."""
    rows = select(Booking).where(Booking.work_order_id == order.id, Booking.counts(at))
    return session.scalars(rows.order_by(Booking.starts_at, Booking.id).limit(MOST_OFFERS)).all()


def withdraw_offers(order_id: int, at: datetime) -> None:
    """No time is held for the order's customer any more: others are wanted, or it is over."""
    _take_back(Booking.work_order_id == order_id, at)


def give_back(offers: Iterable[Booking], at: datetime) -> None:
    """These times are not offered after all."""
    for one in offers:
        move(one, "released", at=at)
    session.flush()


def make_room(technician_id: int, span: Span, at: datetime, *, order_id: int | None, goes_first: bool) -> None:
    """Give back what was offered for too long, and all that is offered for the order itself, which is being planned.
    Whoever `goes_first` takes any time that nobody has said yes to. The technician is locked."""
    here = and_(Booking.technician_id == technician_id, Booking.touching(*span))
    gone = here if goes_first else and_(here, Booking.expires_at <= at)
    _take_back(gone if order_id is None else or_(Booking.work_order_id == order_id, gone), at)


def _take_back(which: ColumnElement[bool], at: datetime) -> None:
    rows = select(Booking).where(Booking.cause == OFFER, Booking.state == "held", which).order_by(Booking.id)
    locked = rows.with_for_update().execution_options(populate_existing=True)
    for booking in session.scalars(locked):
        move(booking, "released", at=at)
    session.flush()


def release_lapsed(at: datetime, limit: int) -> int:
    """Give back time that nobody chose. Returns how many offers that were."""
    rows = select(Booking).where(Booking.work_order_id.is_not(None), Booking.state == "held")
    rows = rows.where(Booking.expires_at <= at).order_by(Booking.id).limit(limit)
    found = session.scalars(rows.with_for_update(skip_locked=True)).all()
    for booking in found:
        move(booking, "released", at=at)
    return len(found)


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
    if cause not in AWAY:
        raise Invalid({"cause": [_l("Choose one of the options.")]})
    if ends_at <= starts_at:
        raise Invalid({"ends_at": [_l("The end must lie after the start.")]})
    lock(technician.id)
    make_room(technician.id, Span(starts_at, ends_at), at or now(), order_id=None, goes_first=True)
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
        return decimal_text(fact) if isinstance(fact, Decimal) else fact

    return {name: one(fact) for name, fact in facts.items()}
