"""What changed on a record, and imports of whole tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table


class ImportRun(Stateful, Base):
    """One table that was handed in: tried first, then imported, and taken back within a day."""

    __tablename__ = "import_run"
    subject_type = "import_run"
    lifecycle = Lifecycle(
        "import_run",
        "checking",
        table("""
        checking → checked | failed | cancelled
        checked → importing | cancelled
        importing → imported | failed | cancelled
        imported → undoing
        cancelled → undoing
        failed → undoing
        undoing → undone | failed
        """),
    )
    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(120))
    user_id: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]  # of the import itself
    share: Mapped[float] = mapped_column(default=0.0)  # of the file that was read
    counts: Mapped[dict[str, Any]]  # rows, create, change, same, refused, warned
    notes: Mapped[list[Any]]  # [line, key, 'error' | 'warning', text], the first ones
    stop_asked: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(String(400), default="")
    __table_args__ = (Index("ix_import_run_kind", "kind", "id"),)


class RecordChange(Base):
    """One edit of one record: the values of the changed fields before and after. A new record has no before."""

    __tablename__ = "record_change"
    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int]
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    actor: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("record_change.id"), unique=True)
    __table_args__ = (
        Index("ix_record_change_record", "kind", "record_id", "id"),
        Index("ix_record_change_import", "import_run_id", "id"),
    )
