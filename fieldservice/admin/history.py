"""A record's edits as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation.db import session
from fieldservice.mechanisms.records import Kind, RecordChange, changes_of, kind_of
from fieldservice.mechanisms.records.fields import Reference


@dataclass(frozen=True)
class Edit:
    """One edit: who, when, and each field's value before and after in words."""

    id: int
    who: str
    at: datetime
    made: bool  # the record was made by it
    undoes: bool
    undone: bool
    imported: int | None
    fields: list[tuple[str, str, str]]
    latest: bool


def history_of(kind: Kind, record_id: int) -> list[Edit]:
    """The newest edits first; names in one query each."""
    changes = changes_of(kind, record_id)
    people, names = _people(changes), _names(kind, changes)
    undone = {change.undoes_id for change in changes} - {None}
    found = []
    for place, change in enumerate(changes):
        found.append(
            Edit(
                change.id, people.get(change.actor, _("the system")), change.at, change.before is None,
                change.undoes_id is not None, change.id in undone, change.import_run_id,
                _fields(kind, change, names) if change.before is not None else [], place == 0,
            )
        )  # fmt: skip
    return found


def _people(changes: Sequence[RecordChange]) -> dict[str, str]:
    ids = {int(change.actor[5:]) for change in changes if change.actor.startswith("user:")}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids))) if ids else ()
    return {f"user:{row.id}": row.name for row in rows}


def _names(kind: Kind, changes: Sequence[RecordChange]) -> dict[str, dict[int, tuple[str, str]]]:
    found = {}
    for one in kind.fields:
        if isinstance(one, Reference):
            ids = {held.get(one.name) for change in changes for held in (change.before or {}, change.after or {})}
            found[one.name] = kind_of(one.to).labels(ids - {None})
    return found


def _fields(kind: Kind, change: RecordChange, names: dict[str, Any]) -> list[tuple[str, str, str]]:
    def shown(one: Any, value: Any) -> str:
        if isinstance(one, Reference):
            return str(names[one.name].get(value, ("", ""))[1] or "–")
        return one.show(value) or "–"

    before, after = change.before or {}, change.after or {}
    known = {one.name: one for one in kind.fields}
    return [
        (str(known[name].label), shown(known[name], before.get(name)), shown(known[name], after.get(name)))
        for name in {**before, **after}
        if name in known
    ]
