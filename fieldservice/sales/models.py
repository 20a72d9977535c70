"""Opportunities."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.customers.models import Customer
from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.stations.models import Station
from fieldservice.workorders.models import WorkOrder


class Opportunity(Stateful, Base):
    """A chance to do business, followed by the account managers of its station.

    Whoever it is about is the customer, or, where nobody is known yet, the contact of the origin's report: that
    person's name and telephone number stay there, so that erasing them leaves nothing here.
    """

    __tablename__ = "opportunity"
    subject_type = "opportunity"
    lifecycle = Lifecycle(
        "opportunity",
        "new",
        table("""
        new → qualified | lost
        qualified → quoted | lost
        quoted → won | lost
        """),
        reason_for=frozenset({"lost"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    origin: Mapped[str] = mapped_column(String(12))  # rescue
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), unique=True)  # one order opens one only
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    value: Mapped[int | None]  # estimated, minor units of CNY
    reason: Mapped[str] = mapped_column(String(300), default="")  # why it was lost
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]  # won or lost
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_opportunity_list", "station_id", "state", "id"),
        Index("ix_opportunity_decided", "decided_at"),
        CheckConstraint("value >= 0", name="value"),
    )
    station: Mapped[Station] = relationship()
    customer: Mapped[Customer | None] = relationship()
    work_order: Mapped[WorkOrder] = relationship()
