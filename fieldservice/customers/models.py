"""Customers, contacts and sites."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from fieldservice.customers.naming import core
from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Customer(Stateful, Base):
    """A company we serve."""

    __tablename__ = "customer"
    subject_type = "customer"
    lifecycle = Lifecycle(
        "customer",
        "prospect",
        table("""
        prospect → active | closed
        active → dormant | closed
        dormant → active | closed
        """),
        reason_for=frozenset({"closed"}),
    )
    id: Mapped[Id]
    station_id: Mapped[int | None] = mapped_column(index=True)  # the station that cares for it
    code: Mapped[str | None] = mapped_column(String(40), unique=True)  # the number the company's own books give it
    names: Mapped[dict[str, Any]]  # {zh, en}
    name_core: Mapped[str] = mapped_column(String(120), default="", index=True)  # naming.core of the name
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    credit_code: Mapped[str | None] = mapped_column(String(18), unique=True)
    tier: Mapped[str] = mapped_column(String(10), default="standard")
    industry: Mapped[str] = mapped_column(String(20), default="general")
    language: Mapped[str] = mapped_column(String(2), default="zh")

    @validates("names")
    def _keep_core(self, _name: str, names: dict[str, Any]) -> dict[str, Any]:
        self.name_core = core(names)
        return names


class Contact(Stateful, Base):
    """A person at a customer."""

    __tablename__ = "contact"
    subject_type = "contact"
    lifecycle = Lifecycle("contact", "active", table("active → left | anonymised\nleft → anonymised"))
    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(16), default="requester")  # requester, buyer, approver
    department: Mapped[str] = mapped_column(String(80), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")  # normalised: digits, or +country digits
    email: Mapped[str] = mapped_column(String(255), default="")
    language: Mapped[str | None] = mapped_column(String(2))
    __table_args__ = (Index("ix_contact_phone", "phone"),)


class Site(Stateful, Base):
    """Where machines stand."""

    __tablename__ = "site"
    subject_type = "site"
    lifecycle = Lifecycle("site", "active", table("active → suspended | closed\nsuspended → active | closed"))
    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    address: Mapped[str] = mapped_column(String(200))
    division_code: Mapped[str | None] = mapped_column(String(6))
    latitude: Mapped[float | None]  # WGS-84
    longitude: Mapped[float | None]
    precision: Mapped[str] = mapped_column(String(12), default="none")  # point, county, prefecture, province, none
    datum: Mapped[str] = mapped_column(String(8), default="WGS-84")  # of the input, before conversion
    access_rules: Mapped[dict[str, Any]]  # {zh, en}: gate, protective equipment
    environment: Mapped[dict[str, Any]]  # F-01: altitude_m, temperature …
    note: Mapped[str] = mapped_column(Text, default="")
