"""Imports and their undo as background jobs: progress is kept on the run, where its page reads it."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from flask import g
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import func, select

from fieldservice.accounts.models import User
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import Done, defer, task
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records import ImportRun, RecordChange, kind_of
from fieldservice.mechanisms.records.importing import Outcome, import_table, undo_import

MOST_BYTES = 200 * 1024 * 1024
UNDO_WITHIN = timedelta(hours=24)
KEEP_FILES = timedelta(days=7)
TOLD_EVERY = 0.5  # seconds between two notes of progress


def folder() -> Path:
    """Where uploaded tables wait; nobody but us reads them."""
    path = settings().instance_path / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def file_of(run_id: int) -> Path:
    return folder() / f"{run_id}.table"


def give_up(run_id: int) -> None:
    """The job failed for good: said on its page."""
    run = session.get_one(ImportRun, run_id)
    if run.lifecycle.allows(run.state, "failed"):
        run.error = run.error or "interrupted"
        move(run, "failed")


@task("records.check", attempts=3, give_up=give_up)
def check(run_id: int) -> Done | None:
    """Try the whole table and keep nothing of it."""
    return _work(run_id, "checking", lambda run, person, tell: _import(run, person, tell, dry_run=True))


@task("records.import", attempts=3, give_up=give_up)
def carry_out(run_id: int) -> Done | None:
    """Write the table. A repeated run finds what it wrote before and goes on behind it."""
    return _work(run_id, "importing", lambda run, person, tell: _import(run, person, tell, dry_run=False))


@task("records.undo", attempts=3, give_up=give_up)
def take_back(run_id: int) -> Done | None:
    """Take the edits of an import back."""

    def undo(run: ImportRun, _person: Person | None, _tell: Any) -> Callable[[], None]:
        done = undo_import(kind_of(run.kind), run_id, progress=lambda taken, share: _note_share(run_id, share))
        return lambda: _finish_undo(run_id, done.undone, done.kept)

    return _work(run_id, "undoing", undo)


def ask(run: ImportRun, wanted: Any) -> None:
    """Queue a job of a run; inside `write`."""
    defer(wanted, f"import:{run.id}", {"run_id": run.id})


def _work(run_id: int, state: str, work: Callable[[ImportRun, Person | None, Any], Callable[[], None]]) -> Done | None:
    run = session.get(ImportRun, run_id)
    if run is None or run.state != state:
        return None
    person, language = _person(run.user_id), run.language
    session.expunge(run)
    g.person, g.language = person, language
    try:
        with force_locale(language):
            try:
                effect = work(run, person, _teller(run_id))
            except DomainError as refused:
                said = _sentence(refused)
                return Done(effect=lambda: _fail(run_id, said))
            return Done(effect=effect)
    finally:
        g.pop("person", None)
        g.pop("language", None)


def _person(user_id: int | None) -> Person | None:
    user = session.get(User, user_id) if user_id is not None else None
    return user.as_person() if user is not None else None


def _import(run: ImportRun, person: Person | None, tell: Any, *, dry_run: bool) -> Callable[[], None]:
    done = import_table(
        kind_of(run.kind), file_of(run.id), person=person, dry_run=dry_run, run_id=None if dry_run else run.id,
        progress=tell,
    )  # fmt: skip
    return lambda: _finish(run.id, done, dry_run)


def _teller(run_id: int) -> Callable[[Outcome, float], bool]:
    told = monotonic()

    def tell(done: Outcome, share: float) -> bool:
        nonlocal told
        if monotonic() - told < TOLD_EVERY:
            return False
        told = monotonic()
        return write(lambda: _note(run_id, done, share))

    return tell


def _note(run_id: int, done: Outcome, share: float) -> bool:
    run = session.get_one(ImportRun, run_id)
    run.share, run.counts, run.notes = share, done.counts(), [list(one) for one in done.notes[:50]]
    return run.stop_asked


def _note_share(run_id: int, share: float) -> bool:
    write(lambda: setattr(session.get_one(ImportRun, run_id), "share", share))
    return False


def _finish(run_id: int, done: Outcome, dry_run: bool) -> None:
    run = session.get_one(ImportRun, run_id)
    run.share, run.counts, run.notes = (
        (run.share if done.cancelled else 1.0),
        done.counts(),
        list(map(list, done.notes)),
    )
    run.stop_asked = False
    if not dry_run:
        run.counts = {**run.counts, **_written(run_id)}
        run.finished_at = now()
    move(run, "cancelled" if done.cancelled else "checked" if dry_run else "imported")


def _written(run_id: int) -> dict[str, int]:
    """What the run wrote, whatever broke it off in between."""
    new = RecordChange.before.is_(None)
    rows = session.execute(select(new, func.count()).where(RecordChange.import_run_id == run_id).group_by(new))
    counts = {bool(fresh): int(number) for fresh, number in rows}
    return {"create": counts.get(True, 0), "change": counts.get(False, 0)}


def _finish_undo(run_id: int, undone: int, kept: int) -> None:
    run = session.get_one(ImportRun, run_id)
    run.share, run.counts = 1.0, {**run.counts, "undone": undone, "kept": kept}
    move(run, "undone")


def _fail(run_id: int, said: str) -> None:
    run = session.get_one(ImportRun, run_id)
    run.error = said[:400]
    move(run, "failed")


def _sentence(refused: DomainError) -> str:
    if isinstance(refused, Invalid):
        return " ".join(str(text) for texts in refused.errors.values() for text in texts)
    return str(refused.message)


def sweep() -> None:
    """Uploaded tables are thrown away after a week; what they changed stays in the history."""
    limit = (now() - KEEP_FILES).timestamp()
    for path in folder().glob("*.table*"):
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)


def keep(stream: Any, run_id: int) -> None:
    """Keep an uploaded table. Raises Invalid for an empty or too large one."""
    target = file_of(run_id)
    size = 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > MOST_BYTES:
                break
            file.write(chunk)
    if not 0 < size <= MOST_BYTES:
        target.unlink()
        raise Invalid({"file": [_("Choose a CSV or XLSX file of at most %(most)s MB.", most=MOST_BYTES >> 20)]})
