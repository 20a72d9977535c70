"""What can be asked about service requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import assets_of, find_by_serial
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.customers.queries import find_by_phone
from fieldservice.foundation import formats
from fieldservice.foundation.access import READS_ALL_WORK, Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import read_link_token
from fieldservice.foundation.words import has_word
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import Clock, ClockView
from fieldservice.stations.models import Station

OPEN = ("new", "triaged", "remote", "converted", "restored", "reopened")
TO_TRIAGE = ("new", "reopened")
SAME_FAULT = timedelta(days=30)
PAGE = 40


def by_number(number: str) -> Select[tuple[ServiceRequest]]:
    """The request of a number, whoever asks."""
    return select(ServiceRequest).where(ServiceRequest.number == number[:20])


def request_by_number(number: str, person: Person) -> ServiceRequest:
    """A request the person may see, with what pages show of it. Raises NotFound."""
    statement = by_number(number).options(
        joinedload(ServiceRequest.station), joinedload(ServiceRequest.customer), joinedload(ServiceRequest.site),
        joinedload(ServiceRequest.asset),
    )  # fmt: skip
    found = session.scalar(scoped(statement, ServiceRequest, person, *READS_ALL_WORK))
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
    statement = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code)
    return list(session.scalars(statement if covered is None else statement.where(Station.id.in_(sorted(covered)))))


# The same thing twice ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Similar:
    """What else was reported: still open (likely the same), or closed within 30 days (the fault is back)."""

    duplicates: list[ServiceRequest]
    same_fault: list[ServiceRequest]


def similar(request: ServiceRequest) -> Similar:
    """Earlier requests about the same machine, or by the same phone where no machine is known."""
    found = similar_of([request]).get(request.id)
    return found or Similar([], [])


def similar_of(requests: Sequence[ServiceRequest]) -> dict[int, Similar]:
    """The same for many, in one query."""
    assets = {one.asset_id for one in requests if one.asset_id is not None}
    phones = {one.contact_phone for one in requests if one.asset_id is None and one.contact_phone}
    if not assets and not phones:
        return {}
    since = min(one.received_at for one in requests) - SAME_FAULT
    rows = session.scalars(
        select(ServiceRequest)
        .where(
            or_(ServiceRequest.asset_id.in_(assets), and_(ServiceRequest.asset_id.is_(None), ServiceRequest.contact_phone.in_(phones))),
            ServiceRequest.received_at >= since, ServiceRequest.state.not_in(("cancelled", "duplicate")),
        )
        .order_by(ServiceRequest.received_at.desc()).limit(400)
    ).all()  # fmt: skip
    return {one.id: _similar(one, rows) for one in requests}


def _similar(request: ServiceRequest, rows: Sequence[ServiceRequest]) -> Similar:
    same = [
        row for row in rows
        if row.id != request.id and row.received_at <= request.received_at and request.received_at - row.received_at <= SAME_FAULT
        and (row.asset_id == request.asset_id if request.asset_id is not None else row.asset_id is None and row.contact_phone == request.contact_phone)
    ]  # fmt: skip
    return Similar([row for row in same if row.state in OPEN], [row for row in same if row.state not in OPEN])


# The caller -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Caller:
    """Who is on the phone, as far as we know."""

    customer: Customer | None = None
    contact: Contact | None = None
    assets: Sequence[Asset] = ()
    sites: Mapping[int, Site] = field(default_factory=dict)
    requests: Sequence[ServiceRequest] = ()
    clocks: Mapping[int, ClockView] = field(default_factory=dict)
    asked: bool = False


def caller(phone: str, serial: str) -> Caller:
    """The customer of a phone number or a machine's serial, with machines and recent requests (J-13)."""
    phone, serial = phone.strip()[:40], serial.strip()[:40]
    if not phone and not serial:
        return Caller()
    customer: Customer | None = None
    contact: Contact | None = None
    asset = find_by_serial(serial) if serial else None
    if phone:
        try:
            people = find_by_phone(formats.check_phone(phone))
        except formats.FormatError:
            people = ()  # the form says what is wrong with the number
        if people:
            contact, customer = people[0]
    if customer is None and asset is not None:
        customer = session.get(Customer, asset.customer_id)
    if customer is None:
        return Caller(asked=True)
    machines = list(assets_of(customer.id))
    if asset is not None and asset.customer_id == customer.id:
        machines = [asset, *(one for one in machines if one.id != asset.id)]
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.customer_id == customer.id))}
    recent = session.scalars(
        select(ServiceRequest).where(ServiceRequest.customer_id == customer.id).order_by(ServiceRequest.id.desc()).limit(8)
        .options(joinedload(ServiceRequest.asset))
    ).all()  # fmt: skip
    return Caller(customer, contact, machines[:12], sites, recent, _urgent([one.id for one in recent]), True)


def _urgent(ids: list[int]) -> dict[int, ClockView]:
    found = clocks.of_many(ServiceRequest.subject_type, ids)
    first = {key: clocks.most_urgent(rows) for key, rows in found.items()}
    return {key: clocks.view(clock, now()) for key, clock in first.items() if clock is not None}


# The inbox ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What the inbox is narrowed to."""

    status: str = "triage"  # triage, open, all, or a state
    station: str = ""
    priority: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Self:
        """From a query string; raises Invalid for what cannot be meant."""
        given = {name: args.get(name, default)[:80].strip() for name, default in cls().__dict__.items()}
        given["status"] = given["status"] or "triage"
        if given["status"] not in ("triage", "open", "all") and given["status"] not in ServiceRequest.lifecycle.states:
            raise Invalid({"status": [_l("Choose one of the states offered.")]})
        if given["priority"] and not has_word("priority", given["priority"]):
            raise Invalid({"priority": [_l("Choose P1, P2, P3 or P4.")]})
        return cls(**given)


@dataclass(frozen=True)
class Row:
    """A line of the inbox."""

    request: ServiceRequest
    clock: ClockView | None
    duplicates: int
    same_fault: int


@dataclass(frozen=True)
class Listed:
    """A page of the inbox."""

    rows: list[Row]
    more: str | None
    counts: dict[str, int]


def narrowed(person: Person, filters: Filters) -> Select[Any]:
    """Requests the person may see, under the filters."""
    statement = scoped(select(ServiceRequest), ServiceRequest, person, *READS_ALL_WORK)
    states = {"triage": TO_TRIAGE, "open": OPEN}.get(filters.status)
    if states is not None:
        statement = statement.where(ServiceRequest.state.in_(states))
    elif filters.status != "all":
        statement = statement.where(ServiceRequest.state == filters.status)
    if filters.station:
        statement = statement.where(ServiceRequest.station_id.in_(select(Station.id).where(Station.code == filters.station)))
    if filters.priority:
        statement = statement.where(ServiceRequest.priority == filters.priority)
    if filters.q:
        words = f"%{filters.q.replace('%', '').replace('_', '')}%"
        statement = statement.where(
            or_(
                ServiceRequest.number.ilike(words), ServiceRequest.description.ilike(words), ServiceRequest.contact_name.ilike(words),
                ServiceRequest.contact_phone.like(words), ServiceRequest.serial_given.ilike(words),
            )
        )  # fmt: skip
    return statement


def inbox(person: Person, filters: Filters) -> Listed:
    """Most urgent first: by priority, then by what falls due, then by age; a fixed number of queries."""
    due = (
        select(func.min(Clock.due_at))
        .where(Clock.subject_type == ServiceRequest.subject_type, Clock.subject_id == ServiceRequest.id, Clock.stopped_at.is_(None))
        .scalar_subquery()
    )
    late = case((due.is_(None), 1), else_=0)
    order = (ServiceRequest.priority, late, func.coalesce(due, ServiceRequest.received_at), ServiceRequest.id)
    statement = narrowed(person, filters).options(
        joinedload(ServiceRequest.customer), joinedload(ServiceRequest.asset), joinedload(ServiceRequest.station)
    )
    if filters.after.isdigit() and len(filters.after) < 19:
        last = select(*order).where(ServiceRequest.id == int(filters.after))
        key = session.execute(last).first()
        if key is not None:
            statement = statement.where(tuple_(*order) > tuple_(*key))
    found = list(session.scalars(statement.order_by(*order).limit(PAGE + 1)))
    more = str(found[PAGE - 1].id) if len(found) > PAGE else None
    found = found[:PAGE]
    urgent, alike = _urgent([one.id for one in found]), similar_of(found)
    rows = [
        Row(one, urgent.get(one.id), len(alike[one.id].duplicates) if one.id in alike else 0, len(alike[one.id].same_fault) if one.id in alike else 0)
        for one in found
    ]
    return Listed(rows, more, _counts(person, filters))


def _counts(person: Person, filters: Filters) -> dict[str, int]:
    """How many wait for triage and how many are open, under the same station and priority."""
    base = narrowed(person, Filters("open", filters.station, filters.priority)).with_only_columns(
        func.sum(case((ServiceRequest.state.in_(TO_TRIAGE), 1), else_=0)), func.count()
    )
    waiting, open_ = session.execute(base).one()
    return {"triage": int(waiting or 0), "open": open_}
