"""Reservations: so much of a part in one place is promised to somebody for a time."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.models import Part, StockLocation

HOLDING = ("reserved", "picked")  # states in which it holds something back
OPEN = ("requested", *HOLDING)
WAITING = text("waits_id IS NOT NULL")
STILL_OPEN = text("state IN ('requested', 'reserved', 'picked')")


class Reservation(Stateful, Base):
    """A promise of a part. `requested`: wanted, but nothing holds it: it was taken for somebody more urgent, or what
    it stood on is gone. Older ones go first, so the id says who ordered first."""

    __tablename__ = "reservation"
    subject_type = "reservation"
    lifecycle = Lifecycle(
        "reservation",
        "requested",
        table("""
        requested → reserved | released | expired
        reserved → requested | picked | issued | released | expired
        picked → reserved | issued | released
        """),
    )
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    quantity: Mapped[Decimal]
    need_at: Mapped[datetime]
    for_type: Mapped[str] = mapped_column(String(40))  # whom it is for: work_order, …
    for_id: Mapped[int]
    priority: Mapped[str] = mapped_column(String(4), default="")  # of whoever it is for; decides who may take from whom
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # of the place
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # None: until it is issued or released
    lots: Mapped[list[Any]] = mapped_column(default=list)  # of a picked one: [batch id or None, quantity as text]
    taken_for_id: Mapped[int | None] = mapped_column(ForeignKey("reservation.id"))  # the one it was taken for, by rule
    waits_type: Mapped[str | None] = mapped_column(String(40))  # the transfer or supply order that is to bring it
    waits_id: Mapped[int | None]
    part: Mapped[Part] = relationship()
    location: Mapped[StockLocation] = relationship()
    __table_args__ = (
        Index(
            "ix_reservation_open", "part_id", "location_id", postgresql_where=STILL_OPEN, sqlite_where=STILL_OPEN
        ),
        Index("ix_reservation_subject", "for_type", "for_id"),
        Index("ix_reservation_waits", "waits_type", "waits_id", postgresql_where=WAITING, sqlite_where=WAITING),
        Index("ix_reservation_expiry", "expires_at", postgresql_where=STILL_OPEN, sqlite_where=STILL_OPEN),
        CheckConstraint("quantity > 0", name="positive"),
    )  # fmt: skip
