"""What is kept of a visit beside its steps: findings, follow-up work, corrected times, arrival, consent to location."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.workorders.models import Visit, WorkOrder

LIVE = ("found", "tolerated")  # the reading still is as it was found


class Finding(Stateful, Base):
    """A reading out of tolerance, or a required check that failed. Its events are told of the visit that found it."""

    __tablename__ = "finding"
    lifecycle = Lifecycle(
        "finding",
        "found",
        table("""
        found → corrected | tolerated | followed_up | withdrawn
        tolerated → found | corrected | followed_up | withdrawn
        """),
        reason_for=frozenset({"tolerated"}),
    )
    subject_type = Visit.subject_type
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    field: Mapped[str] = mapped_column(String(60))  # of the order's checklist, which also has the limits
    content: Mapped[dict[str, Any]]  # the answer as it was found, as forms stores it
    note: Mapped[str] = mapped_column(String(500), default="")  # why it stays so
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_finding_order", "work_order_id", "field"),
        Index("ix_finding_asset", "asset_id", "raised_at"),
    )

    @property
    def subject_id(self) -> Any:
        """The visit: it is what a finding's events are about."""
        return self.visit_id


class FollowUp(Base):
    """Work that a visit found necessary, as an order of its own."""

    __tablename__ = "follow_up"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), unique=True)  # the new one
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("finding.id"), unique=True)
    words: Mapped[str] = mapped_column(String(300))
    urgency: Mapped[str] = mapped_column(String(8))  # soon, normal
    at: Mapped[datetime]
    visit: Mapped[Visit] = relationship()
    work_order: Mapped[WorkOrder] = relationship()


class TimeCorrection(Base):
    """Minutes as the technician says they were, beside what the steps recorded."""

    __tablename__ = "time_correction"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    kind: Mapped[str] = mapped_column(String(8))  # travel, work, waiting
    minutes: Mapped[int]
    recorded: Mapped[int | None]  # by the steps, when it was corrected
    reason: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("visit_id", "kind"),
        CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes"),
    )


class Arrival(Base):
    """How the technician checked in. The position itself is kept for a month, the distance for good (N-14)."""

    __tablename__ = "arrival"
    id: Mapped[Id]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), unique=True)
    check_in: Mapped[str] = mapped_column(String(8))  # geofence, hand
    reason: Mapped[str] = mapped_column(String(300), default="")  # why by hand
    distance_m: Mapped[int | None]  # to the site
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy_m: Mapped[int | None]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_arrival_at", "at"),)


class LocationConsent(Base):
    """A technician's consent to be located on duty: which text, since when, until when. Never deleted (N-14)."""

    __tablename__ = "location_consent"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    version: Mapped[int]  # of the text that was shown
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
