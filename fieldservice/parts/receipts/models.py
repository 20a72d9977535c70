"""Goods receipts and their lines."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockLocation


class GoodsReceipt(Stateful, Base):
    """One delivery. A supplier's delivery note is received once, however often it is sent."""

    __tablename__ = "goods_receipt"
    subject_type = "goods_receipt"
    lifecycle = Lifecycle("goods_receipt", "draft", table("draft → posted | cancelled"))
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))  # where the goods go
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    delivery_note: Mapped[str | None] = mapped_column(String(60))  # None once cancelled, so that it may come again
    opened_by: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    posted_at: Mapped[datetime | None]
    lines: Mapped[list["GoodsReceiptLine"]] = relationship(
        order_by="GoodsReceiptLine.id", cascade="all, delete-orphan", back_populates="receipt"
    )
    location: Mapped[StockLocation] = relationship()
    supplier: Mapped[Supplier] = relationship()
    __table_args__ = (
        UniqueConstraint("supplier_id", "delivery_note"),
        Index("ix_goods_receipt_list", "station_id", "state", "id"),
    )


class GoodsReceiptLine(Stateful, Base):
    """So much of a part, of one batch. What needs a certificate and has none waits in quarantine (O-04)."""

    __tablename__ = "goods_receipt_line"
    subject_type = "goods_receipt_line"
    lifecycle = Lifecycle(
        "goods_receipt_line",
        "draft",
        table("""
        draft → received | quarantined
        quarantined → released | rejected
        """),
        reason_for=frozenset({"rejected"}),
    )
    id: Mapped[Id]
    receipt_id: Mapped[int] = mapped_column(ForeignKey("goods_receipt.id", ondelete="CASCADE"), index=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    quantity: Mapped[Decimal]
    batch: Mapped[str] = mapped_column(String(60), default="")
    expires_on: Mapped[date | None]
    certificate: Mapped[str] = mapped_column(String(80), default="")
    serials: Mapped[list[str]] = mapped_column(default=list)
    move_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"))  # that brought it in
    decided_by: Mapped[str | None] = mapped_column(String(40))  # who released or rejected it
    decided_at: Mapped[datetime | None]
    receipt: Mapped[GoodsReceipt] = relationship(back_populates="lines")
    part: Mapped[Part] = relationship()
    __table_args__ = (
        Index("ix_goods_receipt_line_list", "station_id", "state", "id"),
        CheckConstraint("quantity > 0", name="positive"),
    )
