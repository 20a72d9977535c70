"""Levels of parts at places, and the runs that reckon them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.models import Part, StockLocation

BUSY = ("asked", "computing")


class StockLevelRun(Stateful, Base):
    """One reckoning of all levels; they share one price of money."""

    __tablename__ = "stock_level_run"
    subject_type = "stock_level_run"
    lifecycle = Lifecycle(
        "stock_level_run",
        "asked",
        table("""
        asked → computing | cancelled | interrupted
        computing → ready | cancelled | interrupted
        """),
    )
    id: Mapped[Id]
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    share: Mapped[float] = mapped_column(default=0.0)  # 0…1 of the work
    stop: Mapped[bool] = mapped_column(default=False)  # somebody called it off
    levels: Mapped[int] = mapped_column(default=0)  # how many it reckoned
    changed: Mapped[int] = mapped_column(default=0)  # … that are another number of pieces than before
    months: Mapped[int] = mapped_column(default=0)  # of history
    rate_of_money: Mapped[float | None]  # lines a month that one minor unit must fill
    achieved: Mapped[float | None]  # share of lines it would have filled; None: too little history
    learned: Mapped[dict[str, Any]] = mapped_column(default=dict)  # `running.py`: calibration, complete jobs


class StockLevel(Base):
    """How much of a part belongs in a place, and why."""

    __tablename__ = "stock_level"
    subject_type = "stock_level"
    id: Mapped[Id]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    level: Mapped[Decimal]  # order up to this
    reorder_at: Mapped[Decimal]  # order when there and coming is less than this
    least: Mapped[Decimal | None]  # typed: order below it
    most: Mapped[Decimal | None]  # typed: never order above it
    typed_by: Mapped[str | None] = mapped_column(String(40))
    typed_at: Mapped[datetime | None]
    floor: Mapped[float | None]  # chance of being enough that the criticality demands
    explanation: Mapped[dict[str, Any]]  # as `reckoning.py` tells it; {} until reckoned
    computed_at: Mapped[datetime | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("stock_level_run.id"), index=True)
    part: Mapped[Part] = relationship()
    location: Mapped[StockLocation] = relationship()
    __table_args__ = (
        UniqueConstraint("location_id", "part_id"),
        Index("ix_stock_level_station", "station_id", "id"),
        CheckConstraint("level >= 0 AND reorder_at >= 0", name="never_negative"),
        CheckConstraint("least IS NULL OR least >= 0", name="least"),
        CheckConstraint("most IS NULL OR most >= 0", name="most"),
        CheckConstraint("least IS NULL OR most IS NULL OR least <= most", name="limits"),
    )
