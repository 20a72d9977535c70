"""Service requests: what a customer reports, in the customer's own words."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.db import Base, Id
from fieldservice.foundation.errors import Forbidden
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Station


class ServiceRequest(Stateful, Base):
    """A reported fault (or wish) with its promises; ends when the customer is content."""

    __tablename__ = "service_request"
    subject_type = "service_request"
    lifecycle = Lifecycle(
        "service_request",
        "new",
        table("""
        new → triaged | duplicate | cancelled
        triaged → remote | converted | cancelled
        remote → converted | restored
        converted → restored | cancelled
        restored → resolved
        resolved → closed | reopened
        closed → reopened
        reopened → triaged
        """),
        reason_for=frozenset({"cancelled", "reopened"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    channel: Mapped[str] = mapped_column(String(12))
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)  # match key of imports
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    contact_name: Mapped[str] = mapped_column(String(80))
    contact_phone: Mapped[str] = mapped_column(String(32))
    contact_email: Mapped[str] = mapped_column(String(255), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    division_code: Mapped[str | None] = mapped_column(String(6))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    precision: Mapped[str] = mapped_column(String(12), default="none")
    serial_given: Mapped[str] = mapped_column(String(40), default="")  # as typed; the asset may be unknown
    description: Mapped[str] = mapped_column(Text)  # the customer's words, never changed
    severity: Mapped[str] = mapped_column(String(12))
    priority: Mapped[str] = mapped_column(String(2))
    priority_reason: Mapped[str] = mapped_column(String(300), default="")
    language: Mapped[str] = mapped_column(String(2))
    level: Mapped[str] = mapped_column(String(16), default="internal_flow")  # five levels, DOMAIN §1
    is_test: Mapped[bool] = mapped_column(default=False)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("service_request.id"))
    received_at: Mapped[datetime]
    triaged_at: Mapped[datetime | None]
    restored_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    signed_off_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_service_request_inbox", "station_id", "state", "id"),
        Index("ix_service_request_state", "state", "id"),
        Index("ix_service_request_asset", "asset_id", "received_at"),
        Index("ix_service_request_phone", "contact_phone", "received_at"),
        Index("ix_service_request_customer", "customer_id", "id"),
        Index("ix_service_request_closed", "station_id", "closed_at"),
    )
    station: Mapped[Station] = relationship()
    customer: Mapped[Customer | None] = relationship()
    site: Mapped[Site | None] = relationship()
    asset: Mapped[Asset | None] = relationship()

    @property
    def tier(self) -> str | None:
        """The customer's tier; None for somebody we do not know yet."""
        return self.customer.tier if self.customer is not None else None


class ThreadMessage(Base):
    """What the customer and we write to each other about a request."""

    __tablename__ = "thread_message"
    id: Mapped[Id]
    request_id: Mapped[int] = mapped_column(ForeignKey("service_request.id"))
    author: Mapped[str] = mapped_column(String(8))  # customer, staff
    user_id: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    __table_args__ = (Index("ix_thread_message_request", "request_id", "id"),)


class ReportReceipt(Base):
    """Remembers a submitted report form, so that a double submit makes one request."""

    __tablename__ = "report_receipt"
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[int] = mapped_column(ForeignKey("service_request.id"))
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("key"), Index("ix_report_receipt_at", "at"))


@event.listens_for(ServiceRequest.description, "set", propagate=True)
def _keep_the_words(target: ServiceRequest, value: Any, old: Any, _initiator: Any) -> None:
    if target.id is not None and value != old:
        raise Forbidden(code="words_are_immutable")
