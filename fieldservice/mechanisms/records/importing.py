"""Import of whole tables: tried first, then written batch by batch; repeatable, cancelled at will, taken back.

Each batch commits by itself, so an import that was broken off goes on where it stopped when it is repeated: rows
that are there already change nothing. A wrong row is refused with its reasons and never stops the others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from config import LANGUAGES
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records.drafts import Draft, plan
from fieldservice.mechanisms.records.fields import Reference
from fieldservice.mechanisms.records.kinds import Kind
from fieldservice.mechanisms.records.models import ImportRun, RecordChange
from fieldservice.mechanisms.records.services import apply, undo_change
from fieldservice.mechanisms.records.tables import Row, open_table, read_header

BATCH = 500  # rows a transaction: others wait for the write lock about half a second
MOST_NOTES = 1000  # told one by one; all are counted
Note = tuple[int, str, str, str]  # line, key, 'error' or 'warning', text


@dataclass
class Outcome:
    """How an import went, or would go."""

    rows: int = 0
    create: int = 0
    change: int = 0
    same: int = 0
    refused: int = 0
    warned: int = 0
    notes: list[Note] = field(default_factory=list)
    cancelled: bool = False

    def add(self, drafts: Sequence[Draft]) -> None:
        """Count a batch that is kept."""
        for draft in drafts:
            self.rows += 1
            setattr(self, draft.action, getattr(self, draft.action) + 1)
            self.warned += bool(draft.warnings) and draft.action != "refused"
            self._note(draft, "error", draft.errors)
            self._note(draft, "warning", draft.warnings)

    def _note(self, draft: Draft, tone: str, said: dict[str, list[Any]]) -> None:
        for column, texts in said.items():
            if len(self.notes) < MOST_NOTES:
                sentence = " ".join(map(str, texts))
                text = sentence if column.startswith("_") else f"{column}: {sentence}"
                self.notes.append((draft.line, draft.key, tone, text))

    def counts(self) -> dict[str, int]:
        names = ("rows", "create", "change", "same", "refused", "warned")
        return {name: getattr(self, name) for name in names}


Progress = Callable[[Outcome, float], bool]  # counts and share of the file; True asks to stop


def import_table(
    kind: Kind, path: Path, *, person: Person | None = None, dry_run: bool = False, run_id: int | None = None,
    progress: Progress = lambda _done, _share: False,
) -> Outcome:  # fmt: skip
    """Read the file row by row. Raises Invalid for a file that is no such table."""
    done = Outcome()
    coming: set[str] = set()
    with open_table(path) as table:
        columns = read_header(table.header, labels_of(kind), needed_of(kind))
        for batch in _batches(kind, columns, table.rows):
            share = batch[-1][0].share
            drafts = [_draft(row, columns) for row, _key in batch]
            if dry_run:
                plan(kind, drafts, person, coming=coming)
                _foresee(kind, batch, drafts, coming)
            else:
                _write_batch(kind, drafts, person, run_id)
            done.add(drafts)
            session.expunge_all()
            session.rollback()
            if progress(done, min(1.0, share)):
                done.cancelled = True
                break
    return done


def labels_of(kind: Kind) -> dict[str, list[str]]:
    """Every column with its labels in both languages, as a header may write it."""
    found: dict[str, list[str]] = {column: [] for column in kind.columns}
    for spoken in LANGUAGES:
        with force_locale(spoken):
            for one in kind.fields:
                for column in one.columns:
                    found[column].append(str(one.column_label(column)))
    return found


def needed_of(kind: Kind) -> list[str]:
    """Columns without which no row says what it means: the single key, where there is only one way of naming."""
    if kind.only_new:
        return [one.columns[0] for one in kind.fields if one.required]
    if len(kind.keys) > 1:
        return []
    needed = [kind.field(name) for name in kind.keys[0] if kind.field(name).required]
    return [one.columns[0] for one in needed if len(one.columns) == 1]


def _draft(row: Row, columns: Sequence[str]) -> Draft:
    draft = Draft(line=row.line, texts=dict(zip(columns, row.cells, strict=False)))
    if row.broken or len(row.cells) != len(columns):
        draft.refuse("_row", _l("This row has other columns than the header."))
    return draft


def _write_batch(kind: Kind, drafts: list[Draft], person: Person | None, run_id: int | None) -> None:
    """One batch in one transaction; where a rule or a race decided against it, row by row."""
    try:
        write(lambda: _plan_and_apply(kind, drafts, person, run_id))
    except DomainError:
        for draft in drafts:
            try:
                write(lambda one=draft: _plan_and_apply(kind, [one], person, run_id))  # type: ignore[misc]  # mypy cannot infer lambdas with defaults
            except DomainError as error:
                draft.action = "refused"
                draft.refuse("_row", error.message)


def _plan_and_apply(kind: Kind, drafts: Sequence[Draft], person: Person | None, run_id: int | None) -> None:
    for draft in drafts:  # a retried transaction judges anew
        draft.values, draft.row, draft.changed, draft.before = {}, None, {}, {}
        draft.warnings = {}
        draft.errors = {
            name: said for name, said in draft.errors.items() if name == "_row" and draft.action == "refused"
        }
    plan(kind, drafts, person)
    apply(kind, drafts, at=now(), run=session.get(ImportRun, run_id) if run_id is not None else None)


def _foresee(kind: Kind, batch: Sequence[tuple[Row, str]], drafts: Sequence[Draft], coming: set[str]) -> None:
    """What a dry run would have made counts as there for its later rows."""
    for (_row, key), draft in zip(batch, drafts, strict=True):
        if draft.action == "create" and key:
            if key in coming:
                draft.action = "same" if kind.only_new else "change"
            coming.add(key)


def _batches(kind: Kind, columns: Sequence[str], rows: Iterator[Row]) -> Iterator[list[tuple[Row, str]]]:
    """Batches in which no row names what an earlier row of the same batch makes."""
    own = [columns.index(one.name) for one in kind.fields if _points_home(kind, one.name) and one.name in columns]
    keys = [
        [columns.index(column) for name in key for column in kind.field(name).columns[:1] if column in columns]
        for key in kind.keys
    ]
    batch: list[tuple[Row, str]] = []
    made: set[str] = set()
    for row in rows:
        key = next((found for places in keys if (found := _key(kind, row, places))), "")
        names_earlier = any(kind.plain_key(row.cells[place]) in made for place in own if place < len(row.cells))
        if batch and (len(batch) >= BATCH or (key and key in made) or names_earlier):
            yield batch
            batch, made = [], set()
        batch.append((row, key))
        made.add(key)
    if batch:
        yield batch


def _points_home(kind: Kind, name: str) -> bool:
    one = kind.field(name)
    return isinstance(one, Reference) and one.to == kind.code


def _key(kind: Kind, row: Row, places: Sequence[int]) -> str:
    cells = [kind.plain_key(row.cells[place]) if place < len(row.cells) else "" for place in places]
    return "\x1f".join(cells) if cells and all(cells) else ""


# Taking back ----------------------------------------------------------------------------------------


@dataclass
class TakenBack:
    """How the undo of an import went: what stays was changed or used since."""

    undone: int = 0
    kept: int = 0


def undo_import(
    kind: Kind, run_id: int, *, progress: Callable[[TakenBack, float], bool] = lambda _done, _share: False
) -> TakenBack:
    """Take every edit of an import back, newest first, in batches; repeatable when it was broken off."""
    done, before = TakenBack(), 2**62
    total = max(1, len(session.scalars(_left(run_id, before)).all()))
    while True:
        ids = session.scalars(_left(run_id, before).limit(BATCH)).all()
        if not ids:
            return done
        batch = write(lambda ids=ids: _undo_batch(kind, ids, now()))  # type: ignore[misc]  # mypy cannot infer lambdas with defaults
        done.undone += batch.undone
        done.kept += batch.kept
        before = ids[-1]
        session.expunge_all()
        if progress(done, min(1.0, (done.undone + done.kept) / total)):
            return done


def _left(run_id: int, before: int) -> Any:
    undone = select(RecordChange.undoes_id).where(RecordChange.undoes_id.is_not(None))
    mine = select(RecordChange.id).where(RecordChange.import_run_id == run_id, RecordChange.id < before)
    return mine.where(RecordChange.id.not_in(undone)).order_by(RecordChange.id.desc())


def _undo_batch(kind: Kind, ids: Sequence[int], at: datetime) -> TakenBack:
    batch = TakenBack()
    for change in session.scalars(
        select(RecordChange).where(RecordChange.id.in_(ids)).order_by(RecordChange.id.desc())
    ).all():
        try:
            undo_change(kind, change, at=at)
            batch.undone += 1
        except Conflict:
            batch.kept += 1
    return batch
