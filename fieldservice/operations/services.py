"""What can be done about backups: ask for one, cancel it, and note one that a command made."""

from datetime import datetime
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session, take_turns, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.jobs import defer
from fieldservice.foundation.time import now
from fieldservice.operations.models import RUNNING, BackupRun
from fieldservice.operations.runs import run_backup


def ask_for_backup(*, cause: str, at: datetime) -> BackupRun:
    """Have one made soon, by a job. Raises Conflict while another one is under way."""
    take_turns("backup")
    running = session.scalar(select(BackupRun).where(BackupRun.outcome.in_(RUNNING)).limit(1))
    if running is not None:
        raise Conflict(_l("A backup is under way already. Wait for it, or cancel it."), code="backup_running")
    run = BackupRun(cause=cause, asked_at=at, outcome="queued")
    session.add(run)
    session.flush()
    defer(run_backup, f"run:{run.id}", {"run_id": run.id})
    return run


def ask_nightly() -> None:
    """The schedule's turn: ask, unless one is under way. Also forgets what a cut-off process left open."""
    try:
        write(lambda: ask_for_backup(cause="nightly", at=now()))
    except Conflict as under_way:
        if under_way.code != "backup_running":
            raise


def cancel_backup(run: BackupRun, *, at: datetime) -> None:
    """Stop a backup that waits or runs; nothing of it stays. Once tested or done there is nothing to cancel."""
    if run.outcome == "queued":
        run.outcome, run.finished_at, run.cancel_asked = "cancelled", at, True
    elif run.outcome in RUNNING:
        run.cancel_asked = True
    else:
        raise Conflict(_l("This backup has ended already."), code="backup_ended")


def note_command(*, file: Path, size: int, sha256: str, rows: int, started: datetime, at: datetime) -> None:
    """A backup made by the command counts as a backup."""
    session.add(BackupRun(
        cause="command", asked_at=started, started_at=started, finished_at=at, outcome="done", done=rows, total=rows,
        file=str(file)[-200:], bytes=size, sha256=sha256,
    ))  # fmt: skip
