"""What can be asked about single service requests, and what else was reported alike."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import joinedload

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import serial_key
from fieldservice.customers.models import Site
from fieldservice.foundation.access import READS_ALL_WORK, Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.tokens import read_link_token
from fieldservice.intake.models import ServiceRequest
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES

OPEN = ("new", "triaged", "remote", "converted", "restored", "reopened")
TO_TRIAGE = ("new", "reopened")
NOT_COUNTED = ("cancelled", "duplicate")
SAME_FAULT = timedelta(days=30)
MOST_ALIKE = 400  # earlier requests looked at for a page of the inbox


def by_number(number: str) -> Select[ServiceRequest]:
    """The request of a number, whoever asks; nothing for what is no number."""
    number = number.strip().upper()
    known = re.fullmatch(r"SR-[0-9]{4}-[0-9]{6,9}", number)
    return select(ServiceRequest).where(ServiceRequest.number == number if known else false())


def request_by_number(number: str, person: Person) -> ServiceRequest:
    """A request the person may see, with what pages show of it. Raises NotFound."""
    statement = by_number(number).options(
        joinedload(ServiceRequest.station), joinedload(ServiceRequest.customer), joinedload(ServiceRequest.site),
        joinedload(ServiceRequest.asset),
    )  # fmt: skip
    found: ServiceRequest | None = session.scalar(scoped(statement, ServiceRequest, person, *READS_ALL_WORK))
    if found is None:
        raise NotFound()
    return found


def request_by_link(token: str) -> ServiceRequest:
    """The request behind its private link. Raises NotFound."""
    number = read_link_token("track", token[:200])
    found = session.scalar(by_number(number)) if number else None
    if found is None:
        raise NotFound()
    return found


def site_of(asset: Asset | None) -> Site | None:
    """Where a machine stands."""
    return session.get(Site, asset.site_id) if asset is not None else None


def stations_of(person: Person) -> list[Station]:
    """Open stations whose requests the person reads."""
    covered = person.stations(*READS_ALL_WORK)
    statement = select(Station).where(Station.state.in_(SERVES)).order_by(Station.code)
    return list(session.scalars(statement if covered is None else statement.where(Station.id.in_(sorted(covered)))))


# The same thing twice -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Similar:
    """What else was reported: still open (likely the same), or closed within 30 days (the fault is back)."""

    duplicates: list[ServiceRequest]
    same_fault: list[ServiceRequest]


def similar(request: ServiceRequest) -> Similar:
    """Earlier requests about the same machine, or by the same phone where a machine is not known."""
    return similar_of([request])[request.id]


def similar_of(requests: Sequence[ServiceRequest]) -> dict[int, Similar]:
    """The same for many, in one query."""
    assets = {one.asset_id for one in requests if one.asset_id is not None}
    phones = {one.contact_phone for one in requests if one.contact_phone}
    rows: Sequence[ServiceRequest] = ()
    if assets or phones:
        since = min(one.received_at for one in requests) - SAME_FAULT
        earlier = select(ServiceRequest).where(
            or_(ServiceRequest.asset_id.in_(assets), ServiceRequest.contact_phone.in_(phones)),
            ServiceRequest.received_at >= since,
            ServiceRequest.state.not_in(NOT_COUNTED),
        )
        rows = session.scalars(
            earlier.order_by(ServiceRequest.received_at.desc(), ServiceRequest.id.desc()).limit(MOST_ALIKE)
        ).all()
    return {one.id: _similar(one, rows) for one in requests}


def _similar(request: ServiceRequest, rows: Sequence[ServiceRequest]) -> Similar:
    same = [row for row in rows if _earlier(row, request) and _alike(row, request)]
    return Similar([row for row in same if row.state in OPEN], [row for row in same if row.state not in OPEN])


def _earlier(one: ServiceRequest, than: ServiceRequest) -> bool:
    first, second = (one.received_at, one.id), (than.received_at, than.id)
    return first < second and than.received_at - one.received_at <= SAME_FAULT


def _alike(one: ServiceRequest, other: ServiceRequest) -> bool:
    """One machine; or one caller, where one of them did not tell the machine."""
    if one.asset_id is not None and other.asset_id is not None:
        return one.asset_id == other.asset_id
    told = [bool(row.asset_id or row.serial_given) for row in (one, other)]
    if all(told) and (one.asset_id or other.asset_id or serial_key(one.serial_given) != serial_key(other.serial_given)):
        return False  # a known machine and an unknown serial, or two serials
    return bool(one.contact_phone) and one.contact_phone == other.contact_phone
