"""Parts, where they lie, and the ledger of their moves."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Part(Stateful, Base):
    """A spare part or consumable."""

    __tablename__ = "part"
    subject_type = "part"
    lifecycle = Lifecycle("part", "draft", table("draft → active\nactive → superseded | obsolete"))
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[dict[str, Any]]  # {zh, en}
    unit: Mapped[str] = mapped_column(String(8))
    price: Mapped[int]  # minor units
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    criticality: Mapped[str] = mapped_column(String(8), default="C")  # A, B, C, safety
    industry: Mapped[str] = mapped_column(String(20), default="general")
    serial_tracked: Mapped[bool] = mapped_column(default=False)  # each piece has a serial number
    batch_tracked: Mapped[bool] = mapped_column(default=False)  # delivered in batches that have a number
    gtin: Mapped[str] = mapped_column(String(14), default="")  # GS1 number on the maker's label, fourteen digits
    wears: Mapped[bool] = mapped_column(default=False)  # a wear part, which no warranty covers


class StockLocation(Stateful, Base):
    """A place where parts lie: a station's warehouse or a technician's van."""

    __tablename__ = "stock_location"
    subject_type = "stock_location"
    lifecycle = Lifecycle(
        "stock_location",
        "active",
        table("""
        active → counting | closed
        counting → active | closed
        """),
    )
    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(12))  # warehouse, van, customer, quarantine, transit
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"), unique=True)
    names: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_stock_location_station", "station_id", "kind"),)


class StockBalance(Base):
    """What lies where. Changed by posted moves alone; equals their replay."""

    __tablename__ = "stock_balance"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    condition: Mapped[str] = mapped_column(String(12), default="good")  # good, defective
    on_hand: Mapped[Decimal]
    __table_args__ = (
        UniqueConstraint("location_id", "part_id", "condition"),
        Index("ix_stock_balance_part", "part_id"),
        CheckConstraint("on_hand >= 0", name="never_negative"),
    )


class StockMove(Base):
    """A posted move; never changed, only reversed by another. An empty side is outside our stock."""

    __tablename__ = "stock_move"
    subject_type = "stock_move"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    from_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("stock_location.id"))
    quantity: Mapped[Decimal]
    condition: Mapped[str] = mapped_column(String(12), default="good")
    cause: Mapped[str] = mapped_column(String(20))  # receipt, use, return, transfer, count, reversal
    for_type: Mapped[str | None] = mapped_column(String(40))  # what it was for: visit, …
    for_id: Mapped[int | None]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    serial: Mapped[str | None] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"), unique=True)
    __table_args__ = (
        Index("ix_stock_move_part", "part_id", "id"),
        Index("ix_stock_move_subject", "for_type", "for_id"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("from_id IS NOT NULL OR to_id IS NOT NULL", name="somewhere"),
    )
