"""A rescue: what makes an order on another maker's machine different from a repair of ours."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.workorders.models import WorkOrder

KIND = "competitor_rescue"  # of work, words.yaml work_kind


class Rescue(Stateful, Base):
    """The manager's decision about one order, and what the maker told. Its events are told of the order."""

    __tablename__ = "rescue"
    lifecycle = Lifecycle(
        "rescue", "awaiting", table("awaiting → approved | refused | withdrawn"), reason_for=frozenset({"refused"})
    )
    subject_type = WorkOrder.subject_type
    id: Mapped[Id]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    brand: Mapped[str] = mapped_column(String(80))  # whose make the machine is: the competitor
    their_minutes: Mapped[int | None] = mapped_column(Integer)  # until the maker would come, as quoted to the customer
    asked_by: Mapped[str] = mapped_column(String(40))  # actors, as events name them
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None]
    estimate: Mapped[int | None]  # minor units of CNY, where the customer pays
    waiver: Mapped[str] = mapped_column(Text, default="")  # what the customer signs before the work
    reason: Mapped[str] = mapped_column(String(300), default="")  # why it was refused
    __table_args__ = (
        Index("ix_rescue_station", "station_id", "state"),
        CheckConstraint("their_minutes > 0", name="their_minutes"),
        CheckConstraint("estimate > 0", name="estimate"),
    )
    work_order: Mapped[WorkOrder] = relationship()

    @property
    def subject_id(self) -> Any:
        """The order: it is what a rescue's events are about."""
        return self.work_order_id
