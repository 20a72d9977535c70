"""The job behind a backup: make it in a child process, restore it into a scratch database, rotate.

The restore test is done by the very commands an operator would use: `restore` into an empty database (counts are
compared while loading), then `verify`. On PostgreSQL the scratch database is one beside ours where we may
create it, else a SQLite file.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.jobs import Done, task
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.operations import shelf
from fieldservice.operations.archive import fingerprint
from fieldservice.operations.children import Cancelled, ChildFailed, ask, call, environment_of

TELL_EVERY = 1.0  # seconds between notes of progress
SCRATCH = "restore-test-"
log = logging.getLogger(__name__)


def _given_up(run_id: int) -> None:
    shelf.update(run_id, outcome="cut_off", finished_at=now())


@task("operations.backup", attempts=2, give_up=_given_up)
def run_backup(run_id: int) -> Done | None:
    """Make the backup of a run, test and note it. A run cut off by a kill begins again."""
    if shelf.run_by_id(run_id).outcome not in ("queued", "running", "testing"):
        return None
    write(lambda: shelf.update(run_id, outcome="running", started_at=now(), done=0))
    target = shelf.new_file()
    try:
        made = _make(run_id, target)
    except Cancelled:
        return Done(effect=lambda: shelf.update(run_id, outcome="cancelled", finished_at=now()))
    except (ChildFailed, OSError) as error:
        code = error.code if isinstance(error, ChildFailed) else type(error).__name__
        log.error("backup %s failed: %s", run_id, code)
        return Done(effect=lambda: shelf.update(run_id, outcome="failed", detail=code[:200], finished_at=now()))
    facts = {"file": target.name, "bytes": target.stat().st_size, "sha256": fingerprint(target), "detail": None}
    write(lambda: shelf.update(run_id, outcome="testing", done=made["rows"], total=made["rows"], **facts))
    outcome, detail = _tested(target)

    def end() -> None:
        shelf.update(
            run_id, outcome="done", finished_at=now(), restore_tested_at=now(), restore_outcome=outcome,
            restore_detail=detail,
        )  # fmt: skip

    return Done(effect=end, after=shelf.rotate)


def _make(run_id: int, target: Path) -> dict[str, Any]:
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if monotonic() - told < TELL_EVERY:
            return
        told = monotonic()
        if write(lambda: shelf.update(run_id, done=done, total=total)).cancel_asked:
            raise Cancelled

    session.rollback()  # hold no reading transaction while the child works
    result = call(["backup", str(target)], _environment(db.engine.url, settings().instance_path), tell)
    if shelf.run_by_id(run_id).cancel_asked:
        target.unlink(missing_ok=True)
        raise Cancelled
    session.rollback()
    return result


def _environment(url: URL | str, instance: Path) -> dict[str, str]:
    return environment_of(settings(), url, instance)


def _tested(archive: Path) -> tuple[str, str | None]:
    """Restore into a scratch database and verify it: ('passed' | 'failed', code of what was wrong)."""
    for left in settings().instance_path.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=settings().instance_path) as folder:
        try:
            with _scratch_database(Path(folder)) as url:
                environment = _environment(url, Path(folder))
                call(["restore", str(archive)], environment, lambda done, total: None)
                checks = json.loads(ask(["verify", "--json"], environment) or "[]")
        except (ChildFailed, ValueError, OSError) as error:
            code = error.code if isinstance(error, ChildFailed) else type(error).__name__
            log.error("the restore test of %s failed: %s", archive.name, code)
            return "failed", code[:200]
    wrong = [check["code"] for check in checks if not check["sound"]]
    return ("failed", ", ".join(wrong)[:200]) if wrong or not checks else ("passed", None)


@contextmanager
def _scratch_database(folder: Path) -> Iterator[URL | str]:
    url = db.engine.url
    file = f"sqlite:///{folder / 'scratch.db'}"
    if url.get_backend_name() != "postgresql":
        yield file
        return
    name = f"{url.database}_restore_test"
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    quoted = server.dialect.identifier_preparer.quote_identifier(name)
    with server.connect() as connection:
        may = connection.scalar(text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"))
        if may:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted}")
            connection.exec_driver_sql(f"CREATE DATABASE {quoted}")
    if not may:
        yield file
        return
    try:
        yield url.set(database=name)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted}")
