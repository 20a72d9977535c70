"""A run of the backup, with its restore test."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id

RUNNING = ("queued", "running", "testing")


class BackupRun(Base):
    """One backup. `outcome` and `restore_outcome` are codes of words.yaml; `detail` is a code or a short name."""

    __tablename__ = "backup_run"
    id: Mapped[Id]
    cause: Mapped[str] = mapped_column(String(12))  # nightly | asked | command
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(12), default="queued")
    detail: Mapped[str | None] = mapped_column(String(200))
    done: Mapped[int] = mapped_column(default=0)  # rows so far
    total: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    file: Mapped[str | None] = mapped_column(String(200))  # a name in the backup folder, or a whole path
    bytes: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    restore_tested_at: Mapped[datetime | None]
    restore_outcome: Mapped[str | None] = mapped_column(String(12))  # passed | failed
    restore_detail: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        CheckConstraint("cause IN ('nightly', 'asked', 'command')", name="cause"),
        CheckConstraint(
            "outcome IN ('queued', 'running', 'testing', 'done', 'failed', 'cancelled', 'cut_off')", name="outcome"
        ),
        CheckConstraint("restore_outcome IN ('passed', 'failed')", name="restore_outcome"),
        Index("ix_backup_run_outcome", "outcome", "id"),
    )
