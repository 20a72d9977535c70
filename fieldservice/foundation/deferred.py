"""Deferred jobs: work a transaction asks for and that happens after its commit, each effect once.

The asking is a row of the business transaction, so nothing is asked for that was rolled back and
nothing is lost that was committed. The row's last start is its token: a run that was overtaken (its
process was believed dead) finds another token when it wants to commit, and its effect is dropped.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id, ReadOnly, is_sqlite, session, write, writing
from fieldservice.foundation.time import now

ATTEMPTS = 6
MOST_STARTS = 30  # a job that takes its process down with it every time is given up as well
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
KEEP_DONE = timedelta(days=7)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """What a job's slow work leaves to do.

    `effect` runs in one write transaction together with the job's done mark. `after` runs once that
    is committed; a killed process may skip it, so it only tidies what is tidied again elsewhere.
    """

    effect: Callable[[], object] | None = None
    after: Callable[[], object] | None = None


@dataclass(frozen=True)
class Task:
    """A kind of job. `work` runs outside any transaction and may run more than once."""

    name: str
    work: Callable[..., Done | None]
    attempts: int = ATTEMPTS
    give_up: Callable[..., object] | None = None  # inside the transaction that marks the job failed


_tasks: dict[str, Task] = {}


def task(
    name: str, *, attempts: int = ATTEMPTS, give_up: Callable[..., object] | None = None
) -> Callable[[Callable[..., Done | None]], Task]:
    """Declare a function as a kind of job; its name is stored, so it outlives renamed functions."""

    def declare(work: Callable[..., Done | None]) -> Task:
        if name in _tasks:
            raise ValueError(f"two tasks are named {name}")
        _tasks[name] = Task(name, work, attempts, give_up)
        return _tasks[name]

    return declare


class DeferredJob(Base):
    """One asked job. `starts` counts every start, `failures` only runs that ended in an error."""

    __tablename__ = "deferred_job"
    id: Mapped[Id]
    task: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(120))
    arguments: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(12), default="queued")
    run_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    starts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(400))
    __table_args__ = (
        UniqueConstraint("task", "key"),
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        Index("ix_deferred_job_due", "status", "run_at", "id"),
    )


@dataclass(frozen=True)
class Claim:
    """A job taken for one run; `start` is the token of that run."""

    job_id: int
    start: int
    task: str
    key: str
    arguments: dict[str, Any]


def defer(wanted: Task, key: str, arguments: Mapping[str, Any] | None = None, at: datetime | None = None) -> None:
    """Ask for a job after this transaction's commit (or at `at`). The same task and key ask only once."""
    if not writing():
        raise ReadOnly("a job is asked for inside foundation.db.write, with the facts it follows from")
    asked = now()
    values = {
        "task": wanted.name,
        "key": key,
        "arguments": dict(arguments or {}),
        "status": "queued",
        "run_at": at or asked,
        "asked_at": asked,
        "starts": 0,
        "failures": 0,
    }
    insert: Any = sqlite.insert if is_sqlite() else postgresql.insert
    session.execute(insert(DeferredJob).values(values).on_conflict_do_nothing(index_elements=["task", "key"]))


# The runner's side --------------------------------------------------------------------------------


def recover(running_here: Collection[int] = ()) -> None:
    """Queue again the jobs that count as running but do not run here: their process or its database died."""
    lost = update(DeferredJob).where(DeferredJob.status == "running", DeferredJob.id.not_in(running_here))
    queued = lost.values(status="queued", run_at=now()).execution_options(synchronize_session=False)
    session.execute(queued)


def resume() -> None:
    """At start: find what a killed process left, and try at once what waits after a failure.

    A start often follows a repair; and it may set the clock of a demo back before jobs asked for.
    """
    recover()
    late = update(DeferredJob).where(
        DeferredJob.status == "queued",
        DeferredJob.run_at > now(),
        or_(DeferredJob.failures > 0, DeferredJob.run_at == DeferredJob.asked_at),
    )
    session.execute(late.values(run_at=now()).execution_options(synchronize_session=False))


def due(limit: int) -> bool:
    """Whether a job waits; a read, so that an idle system never takes the write lock."""
    return limit > 0 and session.scalar(_due(1)) is not None


def claim(limit: int) -> list[Claim]:
    """Take up to `limit` due jobs, oldest first; inside `write`."""
    claims = []
    rows = session.scalars(_due(limit).with_for_update(skip_locked=True)).all()
    for job in rows:
        if job.starts >= MOST_STARTS:
            _give_up(job, "it never ended")
            continue
        job.status, job.starts = "running", job.starts + 1
        claims.append(Claim(job.id, job.starts, job.task, job.key, dict(job.arguments)))
    return claims


def _due(limit: int) -> Any:
    waiting = select(DeferredJob).where(DeferredJob.status == "queued", DeferredJob.run_at <= now())
    return waiting.order_by(DeferredJob.run_at, DeferredJob.id).limit(limit)


def run(claimed: Claim, stopping: Callable[[], bool] = lambda: False) -> None:
    """Do one claimed job: slow work, then its effect and the done mark in one transaction.

    An error while the process is `stopping` is not the job's fault: the next start finds it running.
    """
    try:
        wanted = _tasks.get(claimed.task)
        if wanted is None:
            raise LookupError(f"no task is named {claimed.task}")
        outcome = wanted.work(**claimed.arguments) or Done()
        session.rollback()  # what the work read ends here
        if write(lambda: _finish(claimed, outcome)) and outcome.after is not None:
            outcome.after()
    except Exception as raised:
        error = raised
        session.rollback()
        if stopping():
            return
        log.warning("job %s %s failed", claimed.task, claimed.key, exc_info=True)
        write(lambda: _fail(claimed, error))


def _own(claimed: Claim) -> DeferredJob | None:
    """The job's row while this run still owns it."""
    mine = (DeferredJob.id == claimed.job_id, DeferredJob.starts == claimed.start, DeferredJob.status == "running")
    return session.scalar(select(DeferredJob).where(*mine).with_for_update())


def _finish(claimed: Claim, outcome: Done) -> bool:
    job = _own(claimed)
    if job is None:
        log.warning("job %s %s was overtaken; its effect is dropped", claimed.task, claimed.key)
        return False
    if outcome.effect is not None:
        outcome.effect()
    job.status, job.finished_at, job.error = "done", now(), None
    return True


def _fail(claimed: Claim, error: Exception) -> None:
    job = _own(claimed)
    if job is None:
        return
    job.failures += 1
    job.error = f"{type(error).__name__}: {error}"[:400]
    wanted = _tasks.get(job.task)
    if job.failures >= (wanted.attempts if wanted else ATTEMPTS):
        _give_up(job, job.error)
    else:
        job.status, job.run_at = "queued", now() + back_off(job.failures)


def _give_up(job: DeferredJob, error: str) -> None:
    job.status, job.finished_at, job.error = "failed", now(), error
    log.error("job %s %s is given up: %s", job.task, job.key, error)
    wanted = _tasks.get(job.task)
    if wanted is not None and wanted.give_up is not None:
        wanted.give_up(**job.arguments)


def back_off(failures: int) -> timedelta:
    """5 s, 20 s, 80 s … at most an hour."""
    longer: int = 4 ** min(failures - 1, 10)
    return min(FIRST_PAUSE * longer, LONGEST_PAUSE)


# Looking after ------------------------------------------------------------------------------------


def failed_jobs(limit: int = 50) -> Sequence[DeferredJob]:
    """Jobs given up, newest first."""
    gone = select(DeferredJob).where(DeferredJob.status == "failed")
    return session.scalars(gone.order_by(DeferredJob.id.desc()).limit(limit)).all()


def retry(job: DeferredJob) -> None:
    """Try a failed job again, with all its attempts; inside `write`."""
    job.status, job.run_at, job.failures, job.finished_at = "queued", now(), 0, None


def forget_done() -> None:
    """Delete jobs done long ago; their keys may then be asked again."""
    old = delete(DeferredJob).where(DeferredJob.status == "done", DeferredJob.finished_at < now() - KEEP_DONE)
    write(lambda: session.execute(old))
