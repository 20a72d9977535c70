"""When each schedule last ran and how that ended: in memory for all, as a row for the slow ones.

What runs every few seconds would write thousands of rows a day to say what the next turn says again; what runs
nightly must be known after a restart too.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from sqlalchemy import String, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now

log = logging.getLogger(__name__)


class ScheduleRun(Base):
    """The last turn of a schedule. `failures` counts those in a row up to it."""

    __tablename__ = "schedule_run"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(200))  # the kind of error, never its text


@dataclass(frozen=True)
class Turn:
    """The last turn. `runs` and `failed` count since this process began, `failures` those in a row."""

    started_at: datetime
    finished_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    runs: int = 0
    failed: int = 0


_turns: dict[str, Turn] = {}
_guard = Lock()


@contextmanager
def noted(name: str, *, lasting: bool) -> Iterator[None]:
    """Note begin, end and outcome of a turn; an error passes through. `lasting` notes it as a row as well."""
    with _guard:
        before = _turns.get(name, Turn(now()))
        begun = _turns[name] = replace(before, started_at=now(), finished_at=None, runs=before.runs + 1)
    try:
        yield
    except Exception as error:
        code = error.code if isinstance(error, DomainError) else type(error).__name__
        _end(name, replace(begun, failures=begun.failures + 1, failed=begun.failed + 1, error=code[:200]), lasting)
        raise
    _end(name, replace(begun, failures=0, error=None), lasting)


def _end(name: str, turn: Turn, lasting: bool) -> None:
    ended = replace(turn, finished_at=now())
    with _guard:
        _turns[name] = ended
    if not lasting:
        return
    try:
        write(lambda: session.merge(ScheduleRun(
            name=name, started_at=ended.started_at, finished_at=ended.finished_at, failures=ended.failures,
            error=ended.error,
        )))  # fmt: skip
    except SQLAlchemyError:  # the turn counts even when the database cannot be told
        log.warning("the turn of '%s' could not be written down", name, exc_info=True)


def last_turns() -> dict[str, Turn]:
    """By name of the schedule; of this process where it ran one, else what was written down before."""
    rows = session.scalars(select(ScheduleRun).limit(200)).all()
    written = {row.name: Turn(row.started_at, row.finished_at, row.failures, row.error) for row in rows}
    return {**written, **turns_here()}


def turns_here() -> dict[str, Turn]:
    """What this process knows, without asking the database."""
    with _guard:
        return dict(_turns)
