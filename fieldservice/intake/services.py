"""What can be done with a service request, from report to closing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.assets.models import Asset
from fieldservice.contracts import promises
from fieldservice.customers.models import Customer, Site
from fieldservice.foundation import formats
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.places import Point
from fieldservice.foundation.words import has_word
from fieldservice.intake.models import ReportReceipt, ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks, files, messages
from fieldservice.mechanisms.calendars import standard_calendar
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages.models import Channel
from fieldservice.stations.queries import find_station

messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")

REOPEN_WITHIN = timedelta(days=30)
SILENCE = 3 * 480  # business minutes without a word that close a resolved request
MOST_WORDS = 4000


@dataclass(frozen=True)
class Place:
    """Where the machine is, as far as it is known."""

    address: str = ""
    division_code: str | None = None
    point: Point | None = None
    precision: str = "none"


def report_fault(
    *,
    channel: str,
    contact_name: str,
    contact_phone: str,
    description: str,
    severity: str,
    language: str,
    place: Place,
    at: datetime,
    contact_email: str = "",
    serial: str = "",
    asset: Asset | None = None,
    customer: Customer | None = None,
    photos: Sequence[files.Received] = (),
    external_id: str | None = None,
    received_at: datetime | None = None,
    receipt_key: str | None = None,
    tell: bool = True,
) -> ServiceRequest:
    """Take a report: a request with its station, promises and acknowledgement.

    A known `receipt_key` (the form's) or `external_id` (an import's) gives the first request back, so that
    a double submit makes one. Raises Invalid for words or codes that cannot be used.
    """
    known = _known(receipt_key, external_id)
    if known is not None:
        return known
    if not has_word("severity", severity):
        raise Invalid({"severity": [_l("Say how bad it is.")]})
    received = received_at or at
    site = session.get(Site, asset.site_id) if asset is not None else None
    customer = customer or (session.get(Customer, asset.customer_id) if asset is not None else None)
    place = _place_of(site) if site is not None and place.point is None else place
    station = find_station(place.division_code, place.point)
    request = ServiceRequest(
        number=next_number("SR", received), station_id=station.id, channel=channel, external_id=external_id,
        customer_id=customer.id if customer else None, site_id=site.id if site else None,
        asset_id=asset.id if asset else None, contact_name=plain_text(contact_name, 80, field="name"),
        contact_phone=contact_phone, contact_email=contact_email, address=plain_text(place.address, 200, field="address"),
        division_code=place.division_code, latitude=place.point.latitude if place.point else None,
        longitude=place.point.longitude if place.point else None, precision=place.precision,
        serial_given=plain_text(serial, 40, field="serial"),
        description=plain_text(description, MOST_WORDS, field="description"), severity=severity,
        priority=promises.priority_for(severity), language=language, received_at=received,
    )  # fmt: skip
    session.add(request)
    session.flush()
    if receipt_key is not None:
        session.add(ReportReceipt(key=_receipt(receipt_key), request_id=request.id, at=at))
        session.flush()
    for photo in photos:
        files.attach(photo, request, at=at)
    given = promises.give(request, at=at)
    record(
        "service_request.received", request,
        {"channel": channel, "severity": severity, "priority": request.priority, "asset": request.asset_id}, at=received,
    )  # fmt: skip
    if tell:
        _acknowledge(request, given, at)
    return request


def _known(receipt_key: str | None, external_id: str | None) -> ServiceRequest | None:
    if receipt_key is not None:
        found = session.scalar(
            select(ServiceRequest).join(ReportReceipt, ReportReceipt.request_id == ServiceRequest.id)
            .where(ReportReceipt.key == _receipt(receipt_key))
        )  # fmt: skip
        if found is not None:
            return found
    if external_id is not None:
        return session.scalar(select(ServiceRequest).where(ServiceRequest.external_id == external_id))
    return None


def _receipt(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _place_of(site: Site) -> Place:
    point = Point(site.latitude, site.longitude) if site.latitude is not None and site.longitude is not None else None
    return Place(site.address, site.division_code, point, site.precision)


def _acknowledge(request: ServiceRequest, given: Sequence[clocks.Clock], at: datetime) -> None:
    due = {clock.kind: clock.quoted_at or clock.due_at for clock in given}
    last = due.get("restore") or due.get("arrival") or due["first_answer"]
    _tell(request, "report_received", {"due_at": last}, f"report_received:{request.id}", at)


def _tell(request: ServiceRequest, template: str, facts: dict[str, Any], key: str, at: datetime) -> None:
    """By SMS to a mobile phone, else by e-mail, else not at all."""
    channel: Channel = "sms" if formats.is_mobile(request.contact_phone) else "email"
    to = request.contact_phone if channel == "sms" else request.contact_email
    if to:
        messages.queue(
            template, to=to, channel=channel, language=request.language, facts={"number": request.number, **facts},
            subject=request, key=key, at=at,
        )  # fmt: skip


# The way of a request -------------------------------------------------------------------------------


def note_first_answer(request: ServiceRequest, at: datetime) -> None:
    """A person answered: message, logged call or triage."""
    clocks.stop(request, "first_answer", at)


def note_arrival(request: ServiceRequest, at: datetime) -> None:
    """Somebody is on site."""
    clocks.stop(request, "arrival", at)


def note_restored(request: ServiceRequest, at: datetime) -> None:
    """The function is back, by repair, workaround or loan unit: the 24-hour promise is decided."""
    if request.state not in ("remote", "converted"):
        return
    request.restored_at = at
    clocks.stop(request, "restore", at)
    move(request, "restored", at=at)
    _tell(request, "machine_restored", {}, f"machine_restored:{request.id}:{at.isoformat()}", at)


def resolve(request: ServiceRequest, at: datetime) -> None:
    """The cause is removed; the customer is asked to confirm."""
    if request.state == "converted":
        note_restored(request, at)
    if request.state != "restored":
        return
    request.resolved_at = at
    move(request, "resolved", at=at)


def close(request: ServiceRequest, at: datetime, *, signed_off: bool = False) -> None:
    """By sign-off, or by three business days of silence."""
    move(request, "closed", at=at, signed_off=signed_off)
    request.closed_at = at
    request.signed_off_at = at if signed_off else request.signed_off_at
    clocks.void(request, at=at, reason="closed")


def close_silent(at: datetime, limit: int = 200) -> int:
    """Close resolved requests whose customers said nothing for three business days."""
    calendar = standard_calendar(at - timedelta(days=14))
    waiting = select(ServiceRequest).where(ServiceRequest.state == "resolved").order_by(ServiceRequest.id).limit(limit)
    closed = 0
    for request in session.scalars(waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)):
        since = request.resolved_at or at
        if calendar.add(since, SILENCE) <= at:
            close(request, at)
            closed += 1
    return closed


def reopen(request: ServiceRequest, reason: str, at: datetime) -> None:
    """The fault is back within 30 days: promises run anew. Raises Conflict later than that."""
    ended = request.closed_at or request.resolved_at
    if ended is not None and at - ended > REOPEN_WITHIN:
        raise Conflict(_l("More than 30 days have passed. Please report the fault anew."), code="too_late_to_reopen")
    move(request, "reopened", reason=plain_text(reason, 300, field="reason"), at=at)
    request.restored_at = request.resolved_at = request.closed_at = request.signed_off_at = None
    for kind, limit in promises.effective(
        request.priority, customer_id=request.customer_id, tier=request.tier, station_id=request.station_id
    ).items():
        clocks.start(request, kind, limit, started_at=at, priority=request.priority)


def cancel(request: ServiceRequest, reason: str, at: datetime) -> None:
    """Not needed any more; its promises no longer count."""
    move(request, "cancelled", reason=plain_text(reason, 300, field="reason"), at=at)
    clocks.void(request, at=at, reason="cancelled")


def mark_duplicate(request: ServiceRequest, of: ServiceRequest, at: datetime) -> None:
    """The same fault was reported already; only the first one counts."""
    if of.id == request.id:
        raise Invalid({"duplicate_of": [_l("Choose another request.")]})
    move(request, "duplicate", at=at, of=of.number)
    request.duplicate_of_id = of.id
    clocks.void(request, at=at, reason="duplicate")


def help_remotely(request: ServiceRequest, at: datetime) -> None:
    """Somebody tries to help by phone or message before anybody drives."""
    if request.state == "new":
        move(request, "triaged", at=at)
        request.triaged_at = at
    note_first_answer(request, at)
    move(request, "remote", at=at)


def write_message(
    request: ServiceRequest, *, author: str, words: str, at: datetime, user_id: int | None = None
) -> ThreadMessage:
    """One line of the conversation; the first one of ours is the first answer."""
    text = plain_text(words, 2000, field="words")
    if not text:
        raise Invalid({"words": [_l("Write a few words first.")]})
    message = ThreadMessage(request_id=request.id, author=author, user_id=user_id, words=text, at=at)
    session.add(message)
    session.flush()
    record("service_request.message", request, {"message": message.id, "author": author}, at=at)
    if author == "staff":
        note_first_answer(request, at)
    return message
