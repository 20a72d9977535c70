"""How the installation is, in words: each line is ok, attention or trouble, and says what to do."""

import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from sqlalchemy import func, select, text

from fieldservice.foundation.db import is_sqlite, session
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.display import datetime_short, minutes
from fieldservice.foundation.jobs import last_turns, leader_of
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.foundation.words import word
from fieldservice.operations import queries
from fieldservice.operations.dump import database_bytes

LEVELS = ("ok", "attention", "trouble")
GIB = 1024**3


@dataclass(frozen=True)
class Line:
    """One thing looked at. `todo` is what to do about it, empty when nothing is."""

    code: str
    level: str
    title: str
    says: str
    todo: str = ""


def lines() -> list[Line]:
    """Everything, in the order of how much hangs on it."""
    checks = (
        _database, _disk, _background, _jobs, _relay, _outbox, _failed_messages, _backup, _restore_test, _clock,
    )  # fmt: skip
    return [line for check in checks if (line := check()) is not None]


def worst(shown: list[Line]) -> str:
    return max((line.level for line in shown), key=LEVELS.index, default="ok")


def level_of(value: Any, attention: Any, trouble: Any) -> str:
    """Values from `attention` on, and from `trouble` on."""
    return "trouble" if value >= trouble else "attention" if value >= attention else "ok"


def size_text(size: float) -> str:
    """12.3 MB"""
    units = ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    unit = units[0]
    return f"{format_decimal(round(size, 1 if unit != 'B' else 0))} {unit}"


def _database() -> Line:
    began = time.perf_counter()
    session.execute(text("SELECT count(*) FROM alembic_version")).scalar()
    took = (time.perf_counter() - began) * 1000
    engine = "SQLite" if is_sqlite() else "PostgreSQL"
    level = level_of(took, 100, 1000)
    says = _(
        "%(engine)s answers in %(took)s ms and holds %(size)s.", engine=engine,
        took=format_decimal(round(took, 1)), size=size_text(database_bytes(session.connection())),
    )  # fmt: skip
    todo = _("The database answers slowly. Look at the load of its machine and its disk.") if level != "ok" else ""
    return Line("database", level, _("Database"), says, todo)


def _disk() -> Line:
    folders = [settings().instance_path, _existing(settings().backup_folder)]
    usages = [shutil.disk_usage(folder) for folder in folders]
    free = min(usage.free for usage in usages)
    share = min(usage.free / usage.total for usage in usages)
    level = "trouble" if free < GIB else "attention" if free < 5 * GIB or share < 0.1 else "ok"
    says = _("%(size)s are free (%(share)s %%).", size=size_text(free), share=round(share * 100))
    todo = _("Make room, or point the backup folder to another disk; photos and backups need it.")
    return Line("disk", level, _("Disk"), says, todo if level != "ok" else "")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _background() -> Line:
    leader = leader_of(current_app._get_current_object())  # type: ignore[attr-defined]  # the app behind the proxy
    title = _("Background work")
    if leader is None or not leader.alive():
        says = _("It does not run in this process.")
        return Line(
            "background", "trouble", title, says, _("Restart the server. Until then nothing is sent or warned.")
        )
    failing = sorted(name for name, turn in last_turns().items() if turn.failures)
    if failing:
        says = _("These schedules failed last time: %(names)s.", names=", ".join(word("schedule", n) for n in failing))
        return Line("background", "attention", title, says, _("They are tried again by themselves. The log says why."))
    return Line("background", "ok", title, _("Every schedule ran without an error."))


def _jobs() -> Line:
    gone = select(DeferredJob.id).where(DeferredJob.status == "failed").limit(queries.MOST).subquery()
    failed = session.scalar(select(func.count()).select_from(gone)) or 0
    if not failed:
        return Line("jobs", "ok", _("Jobs"), _("No job was given up."))
    says = ngettext("%(num)s job was given up.", "%(num)s jobs were given up.", failed)
    return Line("jobs", "attention", _("Jobs"), says, _("Mend the cause, then try them again below."))


def _relay() -> Line:
    lag = queries.relay_lag()
    level = level_of(lag, timedelta(seconds=10), timedelta(minutes=2))
    if level == "ok":
        return Line("relay", "ok", _("Live updates"), _("Every event reaches the pages within seconds."))
    says = _("The oldest untold event is %(age)s old.", age=minutes(lag))
    return Line(
        "relay",
        level,
        _("Live updates"),
        says,
        _("Pages show old states until they are loaded again. Restart the server."),
    )


def _outbox() -> Line:
    age = queries.outbox_age()
    level = level_of(age, timedelta(minutes=10), timedelta(hours=1))
    if level == "ok":
        return Line("outbox", "ok", _("Messages on their way"), _("No message waits longer than it should."))
    says = _("The oldest message has waited %(age)s.", age=minutes(age))
    return Line("outbox", level, _("Messages on their way"), says, _("Check the mail server and the SMS gateway."))


def _failed_messages() -> Line:
    failed = queries.failed_message_count()
    title = _("Messages given up")
    if not failed:
        return Line("failed_messages", "ok", title, _("Every message left."))
    says = ngettext("%(num)s message did not leave.", "%(num)s messages did not leave.", failed)
    return Line(
        "failed_messages", "attention", title, says, _("Mend the address or the gateway, then send them again below.")
    )


def _backup() -> Line:
    last = queries.last_backup()
    title = _("Last backup")
    if last is None or last.finished_at is None:
        return Line("backup", "trouble", title, _("There is none yet."), _("Press “Back up now”."))
    level = level_of(now() - last.finished_at, timedelta(hours=26), timedelta(hours=50))
    says = _("%(moment)s, %(size)s.", moment=datetime_short(last.finished_at), size=size_text(last.bytes or 0))
    newest = queries.backup_runs(1)[0]
    if newest.outcome in ("failed", "cut_off"):
        says += _(" The one after it failed (%(detail)s).", detail=newest.detail or newest.outcome)
        level = "attention" if level == "ok" else level
    todo = _("Look at disk and backup folder, then press “Back up now”.") if level != "ok" else ""
    return Line("backup", level, title, says, todo)


def _restore_test() -> Line:
    last = queries.last_restore_test()
    title = _("Last restore test")
    if last is None or last.restore_tested_at is None:
        todo = _("Press “Back up now”: each backup is restored into a scratch database and checked.")
        return Line("restore_test", "attention", title, _("No backup was tested yet."), todo)
    moment = datetime_short(last.restore_tested_at)
    if last.restore_outcome != "passed":
        says = _("%(moment)s: failed (%(detail)s).", moment=moment, detail=last.restore_detail or "")
        return Line(
            "restore_test", "trouble", title, says, _("Do not rely on this backup. Run `verify`, then back up again.")
        )
    says = _("%(moment)s: every row came back and was checked.", moment=moment)
    level = level_of(now() - last.restore_tested_at, timedelta(days=2), timedelta(days=8))
    return Line("restore_test", level, title, says, _("Press “Back up now” to test again.") if level != "ok" else "")


def _clock() -> Line | None:
    """On one machine there is one clock; a database elsewhere has its own."""
    if is_sqlite():
        return None
    theirs = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0
    skew = abs(time.time() - float(theirs))
    level = level_of(skew, 2, 30)
    says = _("Server and database differ by %(seconds)s s.", seconds=format_decimal(round(skew, 1)))
    return Line(
        "clock", level, _("Clocks"), says, _("Switch on time synchronisation (NTP) on both.") if level != "ok" else ""
    )
