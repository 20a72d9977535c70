"""Who is on the phone: customer, person, machines and requests, found by whatever the caller says first (J-13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import case, select
from sqlalchemy.orm import joinedload

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import assets_of, find_by_serial
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.customers.queries import customer_by_id, find_by_name, find_by_phone
from fieldservice.foundation import formats
from fieldservice.foundation.access import READS_ALL_WORK, Person, scoped
from fieldservice.foundation.db import session
from fieldservice.intake.inbox import next_promises
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import OPEN
from fieldservice.mechanisms.clocks import ClockView

MACHINES, REQUESTS = 12, 8


@dataclass(frozen=True)
class Caller:
    """Who is on the phone, as far as we know.

    `several` are companies to choose from; `phone` or `serial` is what `who` was read as.
    """

    who: str = ""
    phone: str = ""
    serial: str = ""
    customer: Customer | None = None
    contact: Contact | None = None
    asset: Asset | None = None
    several: Sequence[Customer] = ()
    assets: Sequence[Asset] = ()
    sites: Mapping[int, Site] = field(default_factory=dict)
    requests: Sequence[ServiceRequest] = ()
    clocks: Mapping[int, ClockView] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """What the caller speaks; Chinese unless known otherwise."""
        own = self.contact.language if self.contact else None
        return own or (self.customer.language if self.customer else "zh")


def find_caller(who: str, person: Person, customer_id: str = "") -> Caller:
    """Look up a phone number, a serial number or a company's name; `customer_id` is the choice among several.

    Requests are those that the person reading may see.
    """
    found = _read(" ".join(who.split())[:80])
    chosen = customer_by_id(int(customer_id)) if customer_id.isdecimal() and len(customer_id) < 19 else None
    if chosen is not None and (found.customer is None or found.customer.id != chosen.id):
        found = replace(found, customer=chosen, contact=None, several=())
    return _with_history(found, person) if found.customer is not None else found


def _read(who: str) -> Caller:
    if not who:
        return Caller()
    try:
        phone = formats.check_phone(who)
    except formats.FormatError:
        phone = ""  # so it is a serial or a name
    if phone:
        people = find_by_phone(phone)
        companies = list({company.id: company for _person, company in people}.values())
        if len(companies) == 1:
            return Caller(who, phone, customer=companies[0], contact=people[0][0])
        return Caller(who, phone, several=companies)
    asset = find_by_serial(who)
    if asset is not None:
        return Caller(who, serial=asset.serial, customer=session.get(Customer, asset.customer_id), asset=asset)
    named = find_by_name(who)
    if len(named) == 1:
        return Caller(who, customer=named[0])
    return Caller(who, serial=who[:40] if not named and any(map(str.isdigit, who)) else "", several=named)


def _with_history(found: Caller, person: Person) -> Caller:
    """Machines, with the one in question first; requests, with the open ones first."""
    assert found.customer is not None
    owner = found.customer.id
    machines = [one for one in assets_of(owner) if found.asset is None or one.id != found.asset.id]
    machines = [*([found.asset] if found.asset else []), *machines][:MACHINES]
    sites = session.scalars(select(Site).where(Site.id.in_({one.site_id for one in machines})))
    theirs = select(ServiceRequest).where(ServiceRequest.customer_id == owner).options(joinedload(ServiceRequest.asset))
    theirs = scoped(theirs, ServiceRequest, person, *READS_ALL_WORK)
    first = (case((ServiceRequest.state.in_(OPEN), 0), else_=1), ServiceRequest.id.desc())
    requests = session.scalars(theirs.order_by(*first).limit(REQUESTS)).all()
    return replace(
        found, assets=machines, sites={site.id: site for site in sites}, requests=requests,
        clocks=next_promises([one.id for one in requests]),
    )  # fmt: skip
