"""A message on its way."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table

Channel = Literal["email", "sms", "robot"]


class Message(Stateful, Base):
    """What we tell somebody. Its events are told on the subject's timeline, without address or text.

    `claimed_until` is set while a worker sends; a killed worker's claim runs out and the message is taken again.
    """

    __tablename__ = "message"
    lifecycle = Lifecycle("message", "queued", table("queued → sent | failed\nfailed → queued"))
    id: Mapped[Id]
    template: Mapped[str] = mapped_column(String(60))
    channel: Mapped[Channel] = mapped_column(String(8))
    to: Mapped[str] = mapped_column(String(254))  # personal: erased with the person
    language: Mapped[str] = mapped_column(String(2))
    facts: Mapped[dict[str, Any]]
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    station_id: Mapped[int | None]
    key: Mapped[str] = mapped_column(String(160), unique=True)  # the same cause tells once
    queued_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]  # the job reads one range of this; empty when nothing is to be sent
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(40))  # a code such as smtp_550, never the server's words
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'sms', 'robot')", name="channel"),
        Index("ix_message_due", "state", "next_try_at", "id"),
        Index("ix_message_subject", "subject_type", "subject_id", "id"),
    )
