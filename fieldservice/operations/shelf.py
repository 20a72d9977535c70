"""The folder of backups, and what is written down about each of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.time import local, now
from fieldservice.foundation.web import settings
from fieldservice.operations import rotation
from fieldservice.operations.models import BackupRun

NAME = "fieldservice-%Y%m%d-%H%M%S.zip"  # local time; rotation touches nothing else in the folder


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
