"""Taking many reports at once, as an import does: what `receiving.report_fault` does for one, in a few statements.

Nobody is told and no picture comes along. `tests/intake/test_many.py` holds the two to the same rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from fieldservice.assets.models import Asset
from fieldservice.contracts import promises
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.foundation.db import reserved_ids, session
from fieldservice.foundation.numbers import next_numbers
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import local
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.receiving import Place, facts_of, new_request, where_of
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import record_many
from fieldservice.stations.queries import Coverage

T = TypeVar("T", Asset, Site, Customer)


@dataclass(frozen=True)
class Report:
    """A report that was checked already (`report.read`)."""

    channel: str
    contact_name: str
    contact_phone: str
    contact_email: str
    description: str
    severity: str
    language: str
    place: Place
    serial: str
    asset_id: int | None
    external_id: str
    received_at: datetime | None


def report_many(reports: Sequence[Report], *, at: datetime) -> list[ServiceRequest]:
    """Requests with stations and promises. Raises Invalid for words or codes that cannot be used."""
    assets = _by_id(Asset, {one.asset_id for one in reports})
    sites = _by_id(Site, {asset.site_id for asset in assets.values()})
    people = _people({one.contact_phone for one in reports} - {""})
    customers = _by_id(Customer, {asset.customer_id for asset in assets.values()})
    numbers, stations = _numbers(reports, at), _Stations()
    made, facts = [], []
    for one, number in zip(reports, numbers, strict=True):
        asset = assets.get(one.asset_id) if one.asset_id is not None else None
        site = sites.get(asset.site_id) if asset is not None else None
        contact, customer = _who(people.get(one.contact_phone, ()), asset, customers)
        where = where_of(one.place, site)
        request = new_request(
            number=number, channel=one.channel, external_id=one.external_id, contact_name=one.contact_name,
            contact_phone=one.contact_phone, contact_email=one.contact_email, description=one.description,
            severity=one.severity, language=one.language, serial=one.serial, asset=asset, site=site, contact=contact,
            customer=customer, where=where, station_id=stations.of(where.division_code, where.point),
            received=one.received_at or at,
        )  # fmt: skip
        made.append(request)
        facts.append(facts_of(request, where))
    for request, row_id in zip(made, reserved_ids(ServiceRequest, len(made)), strict=False):
        request.id = row_id
    session.add_all(made)
    session.flush()
    clocks.insert_many([clock for request in made for clock in promises.give(request, at=at, fresh=True)])
    told = list(zip(made, facts, strict=True))
    record_many("service_request.received", told, at=[request.received_at for request in made])
    return made


def _by_id(model: type[T], ids: Collection[int | None]) -> dict[int, T]:
    wanted = {one for one in ids if one is not None}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}


def _people(phones: Collection[str]) -> dict[str, list[tuple[Contact, Customer]]]:
    """Active contacts by phone with their companies, in one query."""
    found: dict[str, list[tuple[Contact, Customer]]] = {}
    if not phones:
        return found
    rows = session.execute(
        select(Contact, Customer).join(Customer, Customer.id == Contact.customer_id)
        .where(Contact.phone.in_(phones), Contact.state == "active").order_by(Contact.id)
    )  # fmt: skip
    for contact, customer in rows:
        found.setdefault(contact.phone, []).append((contact, customer))
    return found


def _who(
    people: Sequence[tuple[Contact, Customer]], asset: Asset | None, customers: Mapping[int, Customer]
) -> tuple[Contact | None, Customer | None]:
    """By the machine, else by a phone that only one customer's people have."""
    if asset is not None:
        owner: Customer | None = customers[asset.customer_id]
    else:
        owner = people[0][1] if len({company.id for _person, company in people}) == 1 else None
    contact = next((person for person, company in people if owner is not None and company.id == owner.id), None)
    return contact, owner


def _numbers(reports: Sequence[Report], at: datetime) -> list[str]:
    """A number for each, of the year it was received in."""
    years: dict[int, list[int]] = {}
    for place, one in enumerate(reports):
        years.setdefault(local(one.received_at or at).year, []).append(place)
    numbers = [""] * len(reports)
    for places in years.values():
        taken = next_numbers("SR", len(places), reports[places[0]].received_at or at)
        for place, number in zip(places, taken, strict=True):
            numbers[place] = number
    return numbers


class _Stations:
    """Stations by place; the same place is asked once."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self.known: dict[tuple[str | None, Point | None], int] = {}

    def of(self, division_code: str | None, point: Point | None) -> int:
        key = (division_code, point)
        if key not in self.known:
            self.known[key] = self.coverage.find(division_code, point).id
        return self.known[key]
