"""A plan that somebody asked for: what was asked, how far it is, and what came out."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, defer, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table

LISTED = ("before", "after", "urgent", "refused")


class DispatchPlan(Stateful, Base):
    """A what-if over some days of some stations. `outcome` holds what `plans/outcome.py` tells of it."""

    __tablename__ = "dispatch_plan"
    subject_type = "dispatch_plan"
    lifecycle = Lifecycle(
        "dispatch_plan",
        "asked",
        table("""
        asked → computing | cancelled | interrupted
        computing → ready | cancelled | interrupted
        ready → applied | discarded
        """),
    )
    id: Mapped[Id]
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))  # the first of them: whose feed tells of it
    station_ids: Mapped[list[Any]]
    first_day: Mapped[date]
    days: Mapped[int]
    objective: Mapped[str] = mapped_column(String(20))
    weights: Mapped[dict[str, Any]]  # by goal, as they were mixed
    seed: Mapped[int]
    effort: Mapped[int]  # neighbourhoods; 0: by size
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    applied: Mapped[list[Any]]  # numbers of the changes that were carried out
    share: Mapped[float] = mapped_column(Float, default=0.0)  # 0…1 of the effort
    stop: Mapped[str] = mapped_column(String(8), default="")  # asked meanwhile: '', enough, cancel
    score: Mapped[float | None]  # seconds of travel the plan is worth; the best so far while computing
    before: Mapped[float | None]  # what stood is worth that
    jobs: Mapped[int] = mapped_column(default=0)
    placed: Mapped[int] = mapped_column(default=0)
    figures: Mapped[dict[str, Any]]  # of the outcome, for lists: before, after, changes; urgent, refused
    outcome: Mapped[dict[str, Any]]  # all of it, large; {} until ready
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_dispatch_plan_station", "station_id", "id"),)

    def keep(self, outcome: dict[str, Any]) -> None:
        """What came out, and of it what lists show."""
        told = {name: outcome[name] for name in LISTED if name in outcome}
        self.outcome, self.figures = outcome, {**told, "changes": len(outcome.get("changes", ()))}


WITHOUT_DETAIL = defer(DispatchPlan.outcome)  # for lists
