"""Transfers and their lines."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.models import Part, StockLocation

UNANSWERED = text("state = 'asked'")
COMING = ("approved", "shipped", "part_received")  # something is still on its way or will be


class Transfer(Stateful, Base):
    """So many parts go from one place to another. What was shipped lies in the target station's transit place."""

    __tablename__ = "transfer"
    subject_type = "transfer"
    lifecycle = Lifecycle(
        "transfer",
        "draft",
        table("""
        draft → asked | approved | refused | cancelled
        asked → approved | refused | expired | cancelled
        approved → shipped | cancelled
        shipped → received | part_received | not_arrived
        part_received → received | not_arrived
        received | not_arrived → closed
        """),
        reason_for=frozenset({"not_arrived", "refused"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # of the place it leaves
    to_station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    carrier: Mapped[str] = mapped_column(String(60), default="")
    tracking: Mapped[str] = mapped_column(String(60), default="")
    expected_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    answer_by: Mapped[datetime | None]  # of one that another station is asked for
    lines: Mapped[list["TransferLine"]] = relationship(order_by="TransferLine.id", cascade="all, delete-orphan")
    source: Mapped[StockLocation] = relationship(foreign_keys=[from_id])
    target: Mapped[StockLocation] = relationship(foreign_keys=[to_id])
    __table_args__ = (
        Index("ix_transfer_from", "station_id", "state", "id"),
        Index("ix_transfer_to", "to_station_id", "state", "id"),
        Index("ix_transfer_asked", "answer_by", postgresql_where=UNANSWERED, sqlite_where=UNANSWERED),
        CheckConstraint("from_id <> to_id", name="elsewhere"),
    )


class TransferLine(Base):
    """So much of a part; what arrived may be less."""

    __tablename__ = "transfer_line"
    subject_type = "transfer_line"
    id: Mapped[Id]
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id", ondelete="CASCADE"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    quantity: Mapped[Decimal]
    received: Mapped[Decimal] = mapped_column(default=Decimal(0))
    part: Mapped[Part] = relationship()
    __table_args__ = (
        UniqueConstraint("transfer_id", "part_id"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("received >= 0 AND received <= quantity", name="received"),
    )
