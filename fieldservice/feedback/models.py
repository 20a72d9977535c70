"""Surveys: five dimensions on one screen, asked after the work."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class Survey(Stateful, Base):
    """One invitation to rate a finished request (S-06, at most one per contact in 30 days)."""

    __tablename__ = "survey"
    subject_type = "survey"
    lifecycle = Lifecycle(
        "survey",
        "scheduled",
        table("""
        scheduled → sent | suppressed
        suppressed → sent
        sent → answered | expired
        """),
    )
    id: Mapped[Id]
    request_id: Mapped[int] = mapped_column(ForeignKey("service_request.id"), unique=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    contact_phone: Mapped[str] = mapped_column(String(32), default="")
    language: Mapped[str] = mapped_column(String(2))
    scheduled_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    scores: Mapped[dict[str, Any]]  # {dimension: 1…5}
    words: Mapped[str] = mapped_column(Text, default="")
    low_reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("ix_survey_station", "station_id", "answered_at"),
        Index("ix_survey_phone", "contact_phone", "sent_at"),
    )
