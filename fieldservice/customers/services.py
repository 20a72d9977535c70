"""What can be done with customers, their people and sites."""

from collections.abc import Mapping
from datetime import datetime

from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.foundation.db import session
from fieldservice.foundation.places import Point
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move


def win_customer(
    *, names: Mapping[str, str], at: datetime, tier: str = "standard", industry: str = "general", language: str = "zh",
    station_id: int | None = None, credit_code: str | None = None,
) -> Customer:  # fmt: skip
    """A company becomes a customer, cared for by a station."""
    customer = Customer(
        names=dict(names), tier=tier, industry=industry, language=language, station_id=station_id,
        credit_code=credit_code,
    )  # fmt: skip
    session.add(customer)
    session.flush()
    move(customer, "active", at=at)
    return customer


def add_contact(
    customer: Customer, *, name: str, at: datetime, role: str = "requester", department: str = "", phone: str = "",
    email: str = "", language: str | None = None,
) -> Contact:  # fmt: skip
    """Somebody at the customer; `phone` as `formats.check_phone` gives it."""
    contact = Contact(
        customer_id=customer.id, name=name, role=role, department=department, phone=phone, email=email,
        language=language,
    )  # fmt: skip
    session.add(contact)
    session.flush()
    record("contact.added", contact, {"customer": customer.id, "role": role}, station_id=customer.station_id, at=at)
    return contact


def add_site(
    customer: Customer, *, names: Mapping[str, str], address: str, at: datetime, division_code: str | None = None,
    point: Point | None = None, precision: str = "none", access_rules: Mapping[str, str] | None = None,
) -> Site:  # fmt: skip
    """A place where the customer's machines stand."""
    site = Site(
        customer_id=customer.id, names=dict(names), address=address, division_code=division_code,
        latitude=point.latitude if point else None, longitude=point.longitude if point else None,
        precision=precision, access_rules=dict(access_rules or {}), environment={},
    )  # fmt: skip
    session.add(site)
    session.flush()
    record("site.added", site, {"customer": customer.id}, station_id=customer.station_id, at=at)
    return site
