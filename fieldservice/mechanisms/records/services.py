"""What can be done with records: write what was planned, and take an edit back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.mechanisms.events import record, record_many
from fieldservice.mechanisms.records.drafts import Draft
from fieldservice.mechanisms.records.kinds import Kind
from fieldservice.mechanisms.records.models import ImportRun, RecordChange
from fieldservice.mechanisms.subjects import Ref


def apply(kind: Kind, drafts: Sequence[Draft], *, at: datetime, run: ImportRun | None = None) -> None:
    """Write planned drafts, with a line of history each. Refused ones and those that change nothing are left."""
    new = [draft for draft in drafts if draft.action == "create"]
    old = [draft for draft in drafts if draft.action == "change"]
    for draft, row in zip(new, kind.create([draft.values for draft in new], at) if new else (), strict=True):
        draft.row = row
    for draft in old:
        kind.change(draft.row, draft.changed, at)
    session.flush()
    if old:
        record_many(
            f"{kind.model.subject_type}.changed",
            [(draft.row, {"fields": sorted(draft.changed)}) for draft in old],
            at=at,
        )
    by, run_id = actor(), run.id if run is not None else None
    rows = [
        {
            "kind": kind.code, "record_id": draft.row.id, "import_run_id": run_id, "actor": by, "at": at,
            "before": draft.before if draft.action == "change" else None,
            "after": draft.changed if draft.action == "change" else kind.values(draft.row),
        }
        for draft in [*new, *old]
    ]  # fmt: skip
    if rows:
        session.execute(insert(RecordChange.__table__), rows)  # type: ignore[arg-type]  # a mapped class has a table


def changes_of(kind: Kind, record_id: int, limit: int = 50) -> Sequence[RecordChange]:
    """The newest edits of a record, newest first."""
    mine = select(RecordChange).where(RecordChange.kind == kind.code, RecordChange.record_id == record_id)
    return session.scalars(mine.order_by(RecordChange.id.desc()).limit(limit)).all()


def undo_change(kind: Kind, change: RecordChange, *, at: datetime) -> Any:
    """Take an edit back, unless the same fields were changed again since. Raises Conflict.

    A record that the edit made is removed; the database refuses where something points at it already.
    """
    if session.scalar(select(RecordChange.id).where(RecordChange.undoes_id == change.id)) is not None:
        raise Conflict(_l("This edit was taken back already."), code="undone_already")
    try:
        row = kind.by_id(change.record_id)
    except NotFound:
        raise Conflict(_l("This record is no longer there."), code="record_gone") from None
    now_holds = {name: value for name, value in kind.values(row).items() if name in (change.after or {})}
    if now_holds != change.after:
        raise Conflict(_l("This was changed again since. Take the later edit back first."), code="changed_since")
    undone = RecordChange(
        kind=kind.code, record_id=change.record_id, import_run_id=None, actor=actor(), at=at, before=change.after,
        after=change.before, undoes_id=change.id,
    )  # fmt: skip
    if change.before is None:
        _remove(kind, row)
        record(f"{kind.model.subject_type}.removed", Ref(kind.model.subject_type, change.record_id), at=at)
        row = None
    else:
        kind.change(row, change.before, at)
        record(f"{kind.model.subject_type}.changed", row, {"fields": sorted(change.before), "undo": True}, at=at)
    session.add(undone)
    session.flush()
    return row


def _remove(kind: Kind, row: Any) -> None:
    try:
        with session.begin_nested():
            kind.remove(row)
            session.flush()
    except IntegrityError:
        raise Conflict(
            _l("Something was built on this record already, so it stays. Close it instead."), code="record_used"
        ) from None
