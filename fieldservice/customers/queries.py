"""What can be asked about customers."""

from collections.abc import Sequence

from sqlalchemy import Text, cast, select

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
    pattern = f"%{words.strip().replace('%', '').replace('_', '')[:60]}%"
    return session.scalars(select(Customer).where(cast(Customer.names, Text).ilike(pattern)).order_by(Customer.id).limit(limit)).all()
