"""Taking a report: a request with its station, promises and acknowledgement, made once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from fieldservice.assets.models import Asset
from fieldservice.contracts import promises
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.customers.queries import find_by_phone
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.words import has_word
from fieldservice.intake import notices
from fieldservice.intake.models import ReportReceipt, ServiceRequest
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.stations.queries import find_station

MOST_WORDS = 4000
KEEP_RECEIPTS = timedelta(days=7)  # a form sent again later than this is a new report


@dataclass(frozen=True)
class Place:
    """Where the machine is, as far as it is known. `doubt`: what the address names although another was picked."""

    address: str = ""
    division_code: str | None = None
    point: Point | None = None
    precision: str = "none"
    doubt: str | None = None


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
    contact: Contact | None = None,
    photos: Sequence[files.Received] = (),
    external_id: str | None = None,
    received_at: datetime | None = None,
    receipt_key: str | None = None,
    tell: bool = True,
) -> ServiceRequest:
    """Take a report: a request with its station, promises and acknowledgement.

    The machine brings customer and site; a phone known at one customer only brings that customer. A known
    `receipt_key` (the form's) or `external_id` (an import's) gives the first request back, so that a double
    submit makes one. Raises Invalid for words or codes that cannot be used, Conflict when no station is open.
    """
    for key in filter(None, (receipt_key, external_id)):
        take_turns(f"report:{key}")  # the same form twice at once: the second one waits, then finds the first
    known = _known(receipt_key, external_id)
    if known is not None:
        return known
    site = session.get(Site, asset.site_id) if asset is not None else None
    contact, customer = _who(contact_phone, asset, customer, contact)
    where = where_of(place, site)
    received = received_at or at
    request = new_request(
        number=next_number("SR", received), channel=channel, external_id=external_id, contact_name=contact_name,
        contact_phone=contact_phone, contact_email=contact_email, description=description, severity=severity,
        language=language, serial=serial, asset=asset, site=site, contact=contact, customer=customer, where=where,
        station_id=find_station(where.division_code, where.point).id, received=received,
    )  # fmt: skip
    session.add(request)
    session.flush()
    if receipt_key is not None:
        session.add(ReportReceipt(key=_receipt(receipt_key), request_id=request.id, at=at))
    for photo in photos:
        files.attach(photo, request, at=at)
    given = promises.give(request, at=at, fresh=True)
    clocks.insert_many(given)
    record("service_request.received", request, facts_of(request, where), at=received)
    if tell:
        notices.acknowledge(request, given, at)
        notices.tell_team_of_urgent(request, given, at)
    return request


def new_request(
    *, number: str, channel: str, external_id: str | None, contact_name: str, contact_phone: str, contact_email: str,
    description: str, severity: str, language: str, serial: str, asset: Asset | None, site: Site | None,
    contact: Contact | None, customer: Customer | None, where: Place, station_id: int, received: datetime,
) -> ServiceRequest:  # fmt: skip
    """The row of a report. Raises Invalid for words or codes that cannot be used."""
    if not has_word("severity", severity):
        raise Invalid({"severity": [_l("Say how bad it is.")]})
    request = ServiceRequest(
        number=number, station_id=station_id, channel=channel, external_id=external_id,
        customer_id=customer.id if customer else None, contact_id=contact.id if contact else None,
        site_id=site.id if site else None, asset_id=asset.id if asset else None,
        contact_name=plain_text(contact_name, 80, field="name"), contact_phone=contact_phone,
        contact_email=contact_email, serial_given=plain_text(serial, 40, field="serial"),
        description=plain_text(description, MOST_WORDS, field="description"),
        address=plain_text(where.address, 200, field="address"), division_code=where.division_code,
        latitude=where.point.latitude if where.point else None,
        longitude=where.point.longitude if where.point else None, precision=where.precision, severity=severity,
        priority=promises.priority_for(severity), language=language, received_at=received,
    )  # fmt: skip
    request.customer = customer  # its tier decides the promises: not to be asked for again
    return request


def forget_receipts(at: datetime) -> None:
    """Drop what remembered forms sent days ago."""
    session.execute(delete(ReportReceipt).where(ReportReceipt.at < at - KEEP_RECEIPTS))


def _known(receipt_key: str | None, external_id: str | None) -> ServiceRequest | None:
    found: ServiceRequest | None = None
    if receipt_key is not None:
        receipts = select(ReportReceipt.request_id).where(ReportReceipt.key == _receipt(receipt_key))
        found = session.scalar(select(ServiceRequest).where(ServiceRequest.id.in_(receipts)))
    if found is None and external_id is not None:
        found = session.scalar(select(ServiceRequest).where(ServiceRequest.external_id == external_id))
    return found


def _receipt(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _who(
    phone: str, asset: Asset | None, customer: Customer | None, contact: Contact | None
) -> tuple[Contact | None, Customer | None]:
    """The person and the company: as given, by the machine, else by a phone that only one customer's people have."""
    owner = contact.customer_id if contact else customer.id if customer else asset.customer_id if asset else None
    people = find_by_phone(phone) if phone and contact is None else ()
    if owner is None and len({company.id for _person, company in people}) == 1:
        owner = people[0][1].id
    contact = contact or next((person for person, company in people if company.id == owner), None)
    return contact, session.get(Customer, owner) if owner is not None else None


def where_of(place: Place, site: Site | None) -> Place:
    """A position holds; else the machine's site does, unless the address lies in another division (it was moved)."""
    if site is None:
        return place
    here = replace(place, address=place.address or site.address)
    home = divisions.by_code(site.division_code)
    if place.precision == "point":
        return here
    if place.division_code and not (home and divisions.within(home.code, place.division_code)):
        return place
    point = Point(site.latitude, site.longitude) if site.latitude is not None and site.longitude is not None else None
    if point is None and home is None:
        return here
    return Place(here.address, home.code if home else None, point, site.precision)


def facts_of(request: ServiceRequest, where: Place) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "channel": request.channel, "severity": request.severity, "priority": request.priority,
        "asset": request.asset_id, "precision": request.precision,
    }  # fmt: skip
    if request.serial_given and request.asset_id is None:
        facts["serial_unknown"] = True
    if where.doubt:
        facts["address_names"] = where.doubt
    return facts
