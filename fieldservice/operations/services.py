"""What can be done about backups: ask for one, cancel it, and write down what became of it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session, take_turns, write
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.foundation.jobs import defer
from fieldservice.foundation.time import local, now
from fieldservice.foundation.web import settings
from fieldservice.operations import rotation
from fieldservice.operations.models import RUNNING, BackupRun

NAME = "fieldservice-%Y%m%d-%H%M%S.zip"  # local time; rotation touches nothing else in the folder


def ask_for_backup(*, cause: str, at: datetime) -> BackupRun:
    """Have one made soon, by a job. Raises Conflict while another one is under way."""
    take_turns("backup")
    running = session.scalar(select(BackupRun).where(BackupRun.outcome.in_(RUNNING)).limit(1))
    if running is not None:
        raise Conflict(_l("A backup is under way already. Wait for it, or cancel it."), code="backup_running")
    run = BackupRun(cause=cause, asked_at=at, outcome="queued")
    session.add(run)
    session.flush()
    from fieldservice.operations.runs import run_backup  # the job calls these services

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


def run_by_id(run_id: int) -> BackupRun:
    """Raises NotFound."""
    run = session.get(BackupRun, run_id) if 0 < run_id < 2**53 else None
    if run is None:
        raise NotFound()
    return run


def file_of(run: BackupRun) -> Path:
    """Where a finished backup of ours lies. Raises NotFound when it was rotated away or made elsewhere."""
    folder = settings().backup_folder
    if run.outcome != "done" or not run.file or Path(run.file).name != run.file or not (folder / run.file).is_file():
        raise NotFound(_l("This backup file is no longer here."))
    return folder / run.file


def new_file() -> Path:
    """A name for a backup that begins now; a second one in the same second gets the next."""
    folder, moment = settings().backup_folder, local(now())
    path = folder / moment.strftime(NAME)
    number = 2
    while path.exists():
        path = folder / moment.strftime(NAME).replace(".zip", f"-{number}.zip")
        number += 1
    return path


def rotate() -> list[str]:
    """Delete what the rotation does not keep; the newest tested one always stays. Gives the deleted names."""
    folder = settings().backup_folder
    dated = {path: moment for path in folder.glob("fieldservice-*.zip") if (moment := _moment_of(path))}
    keep = rotation.kept(dated.values())
    newest_tested = session.scalar(
        select(BackupRun.file).where(BackupRun.restore_outcome == "passed").order_by(BackupRun.id.desc()).limit(1)
    )
    gone = [path for path, moment in dated.items() if moment not in keep and path.name != newest_tested]
    for path in gone:
        path.unlink(missing_ok=True)
    return sorted(path.name for path in gone)


def _moment_of(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name, NAME)  # noqa: DTZ007 - a local time, compared with its like only
    except ValueError:
        return None


def update(run_id: int, **values: Any) -> BackupRun:
    """Write down how far a run is; inside write."""
    run = run_by_id(run_id)
    for name, value in values.items():
        setattr(run, name, value)
    return run
