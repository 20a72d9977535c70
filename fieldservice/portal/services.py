"""What a customer can do from the private page of a request. No account is needed: the link is the key."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import record
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit

CUT_OFF = timedelta(hours=1)  # a visit that begins sooner is changed by phone (S-03)


def confirm_visit(request: ServiceRequest, visit: Visit, at: datetime) -> None:
    """The customer will be there; saying it twice changes nothing."""
    if visit.state not in booking.OPEN_STATES:
        raise Conflict(_l("This visit is over or was changed. Look at the new time below."), code="visit_changed")
    if visit.confirmed_at is None:
        visit.confirmed_at = at
        record("visit.confirmed", visit, {"request": request.number}, at=at, by="customer")


def choose_time(request: ServiceRequest, visit: Visit, technician_id: int, starts_at: datetime, at: datetime) -> None:
    """The customer takes another free time (S-03).

    An arrival promise that the chosen time cannot keep no longer counts, since the customer moved it;
    the restore promise stays as it is.
    """
    if visit.starts_at - at < CUT_OFF:
        raise Conflict(_l("The visit begins within the hour. Please call us to change it."), code="too_late_to_change")
    technician = session.get(Technician, technician_id)
    if technician is None or starts_at <= at:
        raise Invalid({"slot": [_l("Choose one of the times shown.")]})
    booking.reschedule_visit(visit, starts_at=starts_at, technician=technician, at=at)
    visit.confirmed_at = at
    for clock in clocks.of(request):
        if clock.kind == "arrival" and clock.is_open and clock.due_at < starts_at:
            clocks.void(request, "arrival", at=at, reason="moved by the customer")
    record("visit.moved_by_customer", visit, {"request": request.number}, at=at, by="customer")
