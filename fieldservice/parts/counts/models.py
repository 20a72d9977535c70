"""Counts of a place and their lines."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.models import Part, StockBatch, StockLocation


class StockCount(Stateful, Base):
    """One count of one place. Moves go on meanwhile: a line is compared with what lay there when it was counted."""

    __tablename__ = "stock_count"
    subject_type = "stock_count"
    lifecycle = Lifecycle(
        "stock_count",
        "counting",
        table("""
        counting → awaiting | posted | cancelled
        awaiting → posted | counting | cancelled
        """),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"), index=True)
    whole: Mapped[bool] = mapped_column(default=False)  # everything in the place, not chosen parts alone
    opened_by: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(40))  # the manager, where differences were large
    posted_at: Mapped[datetime | None]
    lines: Mapped[list["StockCountLine"]] = relationship(
        order_by="StockCountLine.id", cascade="all, delete-orphan", back_populates="count"
    )
    location: Mapped[StockLocation] = relationship()
    __table_args__ = (Index("ix_stock_count_list", "station_id", "state", "id"),)


class StockCountLine(Base):
    """One part (of one batch) on a sheet: what lay there by the ledger when it was counted, and what was found."""

    __tablename__ = "stock_count_line"
    subject_type = "stock_count_line"
    id: Mapped[Id]
    count_id: Mapped[int] = mapped_column(ForeignKey("stock_count.id", ondelete="CASCADE"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("stock_batch.id"))
    expected: Mapped[Decimal | None]  # by the ledger at the moment of counting
    counted: Mapped[Decimal | None]  # None: not counted yet
    serials: Mapped[list[str]] = mapped_column(default=list)  # that were found
    missing: Mapped[list[str]] = mapped_column(default=list)  # that should have been there
    counted_by: Mapped[str | None] = mapped_column(String(40))
    counted_at: Mapped[datetime | None]
    move_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"))  # that made up for the difference
    count: Mapped[StockCount] = relationship(back_populates="lines")
    part: Mapped[Part] = relationship()
    batch: Mapped[StockBatch | None] = relationship()
    __table_args__ = (
        Index("ix_stock_count_line_count", "count_id", "part_id"),
        CheckConstraint("counted >= 0", name="never_negative"),
    )
