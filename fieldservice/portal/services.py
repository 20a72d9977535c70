"""What a customer can do from the private page of a request. No account is needed: the link is the key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch.offers import finding
from fieldservice.dispatch.offers import services as offers
from fieldservice.dispatch.offers.services import Offered
from fieldservice.dispatch.offers.windows import Choice
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms.events import record
from fieldservice.portal.queries import order_and_visit
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder

TWICE = timedelta(minutes=2)


def confirm_visit(request: ServiceRequest, visit: Visit, at: datetime) -> None:
    """The customer will be there; saying it twice changes nothing."""
    if visit.state not in booking.OPEN_STATES:
        raise Conflict(_l("This visit is over or was changed. Look at the new time below."), code="visit_changed")
    if visit.confirmed_at is None:
        visit.confirmed_at = at
        record("visit.confirmed", visit, {"request": request.number}, at=at, by="customer")


def find_times(request: ServiceRequest, day: str, at: datetime) -> list[Choice]:
    """Free times from that day on (empty: today). Reads and computes: not for a write transaction. Raises Invalid."""
    order, visit = _to_plan(request)
    offers.require_choice(order, visit, at, by_customer=True)
    return finding.find(order, visit, offers.require_day(day, at), at)


def hold_times(request: ServiceRequest, found: Sequence[Choice], at: datetime) -> list[Offered]:
    """Hold the best of them for this customer; fewer than wanted, or none, where others were faster."""
    order, visit = _to_plan(request)
    offers.require_choice(order, visit, at, by_customer=True)
    return offers.hold(order, visit, found, at)


def choose_time(request: ServiceRequest, offer_id: int, at: datetime) -> None:
    """The customer takes one of the times that are held for her (S-03); choosing it twice changes nothing."""
    order, visit = _to_plan(request)
    # whoever chooses on a page that marks what is later than promised agrees to that
    offers.choose(order, visit, offer_id, at, agrees=True, by_customer=True)


def _to_plan(request: ServiceRequest) -> tuple[WorkOrder, Visit | None]:
    order, visit = order_and_visit(request)
    if order is None:
        raise Conflict(_l("There is no visit at the moment. Look at the page again."), code="no_visit")
    return order, visit if visit is not None and visit.state in booking.OPEN_STATES else None


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
