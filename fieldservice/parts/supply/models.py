"""Supply orders and their lines."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockLocation

COMING = ("sent", "acknowledged", "part_received")  # the supplier knows of it


class SupplyOrder(Stateful, Base):
    """What a supplier shall bring to one of our places."""

    __tablename__ = "supply_order"
    subject_type = "supply_order"
    lifecycle = Lifecycle(
        "supply_order",
        "draft",
        table("""
        draft → approved | cancelled
        approved → sent | cancelled
        sent → acknowledged | part_received | received | cancelled
        acknowledged → part_received | received | cancelled
        part_received → received | closed
        received → closed
        """),
        reason_for=frozenset({"cancelled"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))  # where the goods go
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    due_at: Mapped[datetime]  # as the supplier promised it, else by his lead time
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(40))
    sent_at: Mapped[datetime | None]
    lines: Mapped[list["SupplyOrderLine"]] = relationship(order_by="SupplyOrderLine.id", cascade="all, delete-orphan")
    supplier: Mapped[Supplier] = relationship()
    location: Mapped[StockLocation] = relationship()
    __table_args__ = (Index("ix_supply_order_list", "station_id", "state", "id"),)


class SupplyOrderLine(Base):
    """So much of a part at a price; what arrived may be less."""

    __tablename__ = "supply_order_line"
    subject_type = "supply_order_line"
    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("supply_order.id", ondelete="CASCADE"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    quantity: Mapped[Decimal]
    received: Mapped[Decimal] = mapped_column(default=Decimal(0))
    price: Mapped[int]  # minor units for one
    part: Mapped[Part] = relationship()
    __table_args__ = (
        UniqueConstraint("order_id", "part_id"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("received >= 0 AND received <= quantity", name="received"),
    )
