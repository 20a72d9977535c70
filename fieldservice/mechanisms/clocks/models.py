"""A clock and its pauses."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id, UtcDateTime
from fieldservice.mechanisms.clocks.core import Moments
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table
from fieldservice.mechanisms.limits import CalendarCode, Limit

OPEN = text("stopped_at IS NULL")


class Clock(Stateful, Base):
    """A time limit on a subject. Its events are told on the subject's timeline.

    A clock without `pausable` is a promise: pauses are recorded beside it, its due time stays.
    """

    __tablename__ = "clock"
    lifecycle = Lifecycle(
        "clock",
        "running",
        # breached → kept: the fact was in time, only its report came late (a tablet without network)
        table("""
        running → kept | breached | void
        breached → kept | void
        """),
    )
    id: Mapped[Id]
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    station_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(24))  # first_answer, arrival, restore, delivery, step …
    priority: Mapped[str] = mapped_column(String(2))
    calendar: Mapped[CalendarCode] = mapped_column(String(8))
    limit_minutes: Mapped[int] = mapped_column(Integer)
    origin: Mapped[str] = mapped_column(String(80))
    pausable: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    marks: Mapped[list[Any]]  # ISO moments of 50, 75 and 90 %, in the clock's own calendar
    warned: Mapped[int] = mapped_column(Integer, default=0)  # the last share told
    next_check_at: Mapped[datetime | None]  # the scan reads one range of this; empty while nothing is to be told
    quoted_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]  # promised to the customer at
    paused_at: Mapped[datetime | None]  # since when a pause is open
    stopped_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_clock_open",
            "subject_type",
            "subject_id",
            "kind",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index("ix_clock_subject", "subject_type", "subject_id"),
        Index("ix_clock_check", "state", "next_check_at"),
        Index("ix_clock_due", "state", "due_at"),
        Index("ix_clock_station_due", "station_id", "state", "due_at"),
        Index("ix_clock_queue", "station_id", "priority", "kind", "stopped_at"),
    )

    @property
    def limit(self) -> Limit:
        """The limit with its calendar and origin."""
        return Limit(self.limit_minutes, self.calendar, self.origin)

    @property
    def moments(self) -> Moments:
        """When 50, 75, 90 and 100 % have passed."""
        return (*map(datetime.fromisoformat, self.marks), self.due_at)

    @moments.setter
    def moments(self, values: Moments) -> None:
        self.marks = [moment.isoformat() for moment in values[:-1]]
        self.due_at = values[-1]

    @property
    def is_open(self) -> bool:
        """Whether the promised thing is still to happen (a breached clock runs on until it does)."""
        return self.stopped_at is None

    @property
    def told(self) -> bool:
        return self.told_at is not None


class ClockPause(Base):
    """Time the customer or circumstances held us up. Needs a reason, evidence and word to the customer."""

    __tablename__ = "clock_pause"
    id: Mapped[Id]
    clock_id: Mapped[int] = mapped_column(ForeignKey("clock.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[str] = mapped_column(Text)
    customer_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
