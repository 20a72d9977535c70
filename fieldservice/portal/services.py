"""What a customer can do from the private page of a request. No account is needed: the link is the key."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import record
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit

CUT_OFF = timedelta(hours=1)  # a visit that begins sooner is changed by phone (S-03)
OFFERED_DAYS = 4  # today and the next three
TWICE = timedelta(minutes=2)


def confirm_visit(request: ServiceRequest, visit: Visit, at: datetime) -> None:
    """The customer will be there; saying it twice changes nothing."""
    if visit.state not in booking.OPEN_STATES:
        raise Conflict(_l("This visit is over or was changed. Look at the new time below."), code="visit_changed")
    if visit.confirmed_at is None:
        visit.confirmed_at = at
        record("visit.confirmed", visit, {"request": request.number}, at=at, by="customer")


def choose_time(request: ServiceRequest, visit: Visit, technician_id: int, starts_at: datetime, at: datetime) -> None:
    """The customer takes another free time (S-03); sending the same choice twice changes nothing.

    An arrival promise that the chosen time cannot keep no longer counts, since the customer moved it;
    one that we had planned to break ourselves stays, and so does the restore promise.
    """
    if (technician_id, starts_at) == (visit.technician_id, visit.starts_at):
        return
    if visit.starts_at - at < CUT_OFF:
        raise Conflict(_l("The visit begins within the hour. Please call us to change it."), code="too_late_to_change")
    technician = session.get(Technician, technician_id)
    if technician is None or not at < starts_at < at + timedelta(days=OFFERED_DAYS):
        raise Invalid({"slot": [_l("Choose one of the times shown.")]})
    planned = visit.starts_at
    booking.reschedule_visit(visit, starts_at=starts_at, technician=technician, at=at)
    visit.confirmed_at = at
    arrivals = [clock for clock in clocks.of(request) if clock.kind == "arrival" and clock.is_open]
    if any(planned <= clock.due_at < starts_at for clock in arrivals):
        clocks.void(request, "arrival", at=at, reason="moved by the customer")
    record("visit.moved_by_customer", visit, {"request": request.number}, at=at, by="customer")


def write_message(request: ServiceRequest, words: str, at: datetime) -> None:
    """A line to the station; the same words again within two minutes are a second press of the button."""
    last = session.scalar(
        select(ThreadMessage).where(ThreadMessage.request_id == request.id).order_by(ThreadMessage.id.desc()).limit(1)
    )
    repeated = last is not None and last.author == "customer" and last.words == words.strip() and at - last.at < TWICE
    if not repeated:
        intake.write_message(request, author="customer", words=words, at=at)


def sign_off(request: ServiceRequest, at: datetime) -> None:
    """All is well: the request is closed. Signing a closed request changes nothing."""
    if request.state != "closed":
        intake.close(request, at, signed_off=True)


def reopen(request: ServiceRequest, reason: str, at: datetime) -> None:
    """The fault is back; a request that is open again stays so."""
    if request.state != "reopened":
        intake.reopen(request, reason, at)
