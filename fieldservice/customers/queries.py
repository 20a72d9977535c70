"""What can be asked about customers."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select

from fieldservice.customers.models import Contact, Customer
from fieldservice.foundation.db import session


def find_by_phone(phone: str, limit: int = 5) -> Sequence[tuple[Contact, Customer]]:
    """Who calls: contacts with this (normalised) phone and their customers (J-13)."""
    rows = session.execute(
        select(Contact, Customer).join(Customer, Customer.id == Contact.customer_id)
        .where(Contact.phone == phone, Contact.state == "active").order_by(Contact.id).limit(limit)
    )  # fmt: skip
    return [(contact, customer) for contact, customer in rows]


def find_by_name(words: str, limit: int = 10) -> Sequence[Customer]:
    """Customers whose name holds the words, in either language."""
    plain = re.sub(r"[\x00-\x1f]", " ", words).strip()[:60]
    if not plain:
        return []
    return session.scalars(select(Customer).where(named_like(plain)).order_by(Customer.id).limit(limit)).all()


def named_like(words: str) -> ColumnElement[bool]:
    """The condition that a customer's name holds the words, in either language and case."""
    return or_(*(Customer.names[language].as_string().icontains(words, autoescape=True) for language in ("zh", "en")))


def customer_by_id(customer_id: int) -> Customer | None:
    """The customer of an id, however senseless the number."""
    return session.get(Customer, customer_id) if 0 < customer_id < 2**63 else None
