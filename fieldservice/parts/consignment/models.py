"""Agreements on stock at customers, what was read there, and the orders that refill it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers.models import Transfer

NEVER = date(9999, 12, 31)  # a stock nobody uses runs out then
OPEN = ("proposed", "confirmed", "shipped", "part_delivered")
STILL_OPEN = text("state IN ('proposed', 'confirmed', 'shipped', 'part_delivered')")


class ConsignmentLine(Stateful, Base):
    """A part that lies at a customer for his use: how long his stock lasted before us, and how long ours shall last.

    What is known of it (`stock` … `reckoned_at`) is kept, so that lists show what runs out first; it is reckoned anew
    with each reading, each delivery and each night.
    """

    __tablename__ = "consignment_line"
    subject_type = "consignment_line"
    lifecycle = Lifecycle("consignment_line", "active", table("active → ended\nended → active"))
    id: Mapped[Id]
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    baseline_days: Mapped[int]  # how long the customer's own stock lasted before us
    target_days: Mapped[int]  # of use lie there after a refill
    safety_days: Mapped[int] = mapped_column(default=1)  # left when a refill should have arrived
    price: Mapped[int | None]  # minor units, agreed; None: the part's own
    billing: Mapped[str] = mapped_column(String(12), default="use")  # words.yaml stock_billing
    active_from: Mapped[date]
    active_to: Mapped[date | None]  # the last day
    stock: Mapped[Decimal] = mapped_column(default=Decimal(0))  # by the ledger, less what was used since, as reckoned
    daily_use: Mapped[float] = mapped_column(default=0.0)
    deviation: Mapped[float] = mapped_column(default=0.0)
    days_left: Mapped[float | None]  # None: nothing is used
    runs_out_on: Mapped[date] = mapped_column(default=NEVER)
    contact_on: Mapped[date] = mapped_column(default=NEVER)  # a refill is due from then on
    reorder_at: Mapped[Decimal] = mapped_column(default=Decimal(0))
    released: Mapped[int] = mapped_column(default=0)  # minor units (T-07)
    read_on: Mapped[date | None]
    reckoned_at: Mapped[datetime | None]
    location: Mapped[StockLocation] = relationship()
    part: Mapped[Part] = relationship()
    __table_args__ = (
        UniqueConstraint("location_id", "part_id"),
        Index("ix_consignment_line_list", "station_id", "state", "runs_out_on", "id"),
        CheckConstraint("baseline_days >= 0 AND target_days > 0 AND safety_days >= 0", name="days"),
        CheckConstraint("price IS NULL OR price >= 0", name="price"),
        CheckConstraint("active_to IS NULL OR active_to >= active_from", name="active"),
    )

    @property
    def unit_price(self) -> int:
        """What one unit is worth, in minor units."""
        return self.part.price if self.price is None else self.price


class ConsignmentReading(Stateful, Base):
    """What lay there on a day. What is missing against the ledger was used; more than that needs to be looked at."""

    __tablename__ = "consignment_reading"
    subject_type = "consignment_reading"
    lifecycle = Lifecycle(
        "consignment_reading",
        "posted",
        table("""
        posted → awaiting
        awaiting → posted | refused
        refused → posted | awaiting
        """),
    )
    id: Mapped[Id]
    line_id: Mapped[int] = mapped_column(ForeignKey("consignment_line.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    on_day: Mapped[date]
    counted: Mapped[Decimal]
    expected: Mapped[Decimal]  # by the ledger in the moment of reading
    used: Mapped[Decimal]  # since the reading before, by the customer and on visits
    source: Mapped[str] = mapped_column(String(12))  # words.yaml reading_source
    read_by: Mapped[str] = mapped_column(String(40))
    read_at: Mapped[datetime]
    move_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"))  # of the use, or of what was found
    line: Mapped[ConsignmentLine] = relationship()
    __table_args__ = (
        UniqueConstraint("line_id", "on_day"),
        Index("ix_consignment_reading_state", "station_id", "state", "id"),
        CheckConstraint("counted >= 0 AND used >= 0", name="never_negative"),
    )


class RefillOrder(Stateful, Base):
    """So much of a part goes to a customer's place, within the promised time from its confirmation (T-06).

    `kept` is told with the first proof of delivery: all of it there, signed for, in time. A part of it is not.
    """

    __tablename__ = "refill_order"
    subject_type = "refill_order"
    lifecycle = Lifecycle(
        "refill_order",
        "proposed",
        table("""
        proposed → confirmed | cancelled
        confirmed → shipped | proposed | cancelled
        shipped → delivered | part_delivered | not_arrived
        part_delivered → delivered | not_arrived
        """),
        reason_for=frozenset({"cancelled"}),
    )
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("consignment_line.id"))
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    quantity: Mapped[Decimal]
    delivered: Mapped[Decimal] = mapped_column(default=Decimal(0))
    runs_out_on: Mapped[date]  # as it was reckoned when this was proposed
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), unique=True)
    proposed_by: Mapped[str] = mapped_column(String(40))
    proposed_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]  # the first proof of delivery
    received_by: Mapped[str] = mapped_column(String(80), default="")  # who signed; a person's name
    proof: Mapped[str] = mapped_column(String(12), default="")  # words.yaml delivery_proof
    kept: Mapped[bool | None]
    line: Mapped[ConsignmentLine] = relationship()
    transfer: Mapped[Transfer | None] = relationship()
    __table_args__ = (
        Index("uq_refill_order_open", "line_id", unique=True, postgresql_where=STILL_OPEN, sqlite_where=STILL_OPEN),
        Index("ix_refill_order_line", "line_id", "id"),
        Index("ix_refill_order_list", "station_id", "state", "id"),
        Index("ix_refill_order_delivered", "station_id", "delivered_at"),
        CheckConstraint("quantity > 0", name="positive"),
        CheckConstraint("delivered >= 0 AND delivered <= quantity", name="delivered"),
    )
