"""Embedded mode: the one process that runs schedules, relay and deferred jobs (DESIGN §5).

Started by the server's lifespan alone; imports and commands never start it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from fieldservice.foundation import compute, deferred, turns
from fieldservice.foundation.db import db, write
from fieldservice.foundation.single import OnlyOne
from fieldservice.foundation.time import clock
from fieldservice.foundation.web import settings
from fieldservice.foundation.workers import JobThreads

JOB_PAUSE = timedelta(milliseconds=100)  # between looks for deferred jobs
LONGEST_PAUSE = 30.0  # seconds between tries of a pulse that keeps failing
STOP_WITHIN = 3.0  # seconds that running work gets at a stop
SCHEDULE_THREADS = 4
SLOW = timedelta(minutes=5)
SHORTEST_SCHEDULE = timedelta(seconds=1)
IDLE = 1.0  # seconds between looks of a pulse when this process commits nothing
EXTENSION = "fieldservice.leader"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """When a piece of work runs: every so long, or daily at a local time."""

    name: str
    when: timedelta | time
    work: Callable[[], object]


schedules: dict[str, Schedule] = {}


def every(when: timedelta | time, work: Callable[[], object], name: str | None = None) -> None:
    """Have the leader call `work` every `when` (or daily at that local time), in an app context of its own.

    Never twice at once; missed turns are made up for by one. Below a second the work is a pulse: it has
    its own thread, is called when this process has committed something, but not more often than that,
    and every second anyway for what others commit; it is called again at once while it returns True.
    """
    name = name or f"{work.__module__.removeprefix('fieldservice.')}.{getattr(work, '__name__', 'work')}"
    schedules[name] = Schedule(name, when, work)


def _is_slow(schedule: Schedule) -> bool:
    """Whether its last turn is worth a row: what runs every few seconds has run again soon after any start."""
    return isinstance(schedule.when, time) or schedule.when >= SLOW


def leader_of(app: Flask) -> "Leader | None":
    """The background work of this process, while it runs."""
    found: Leader | None = app.extensions.get(EXTENSION)
    return found


class Leader:
    """The background work of this installation, from `start` to `stop`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopping = Event()
        self._jobs = JobThreads(app, self._stopping, self._wake)
        self._threads: list[Thread] = []
        self._wakes: list[Event] = []
        # Turns follow the real clock: a demo clock that runs elsewhere moves facts, not schedules.
        self._scheduler = BackgroundScheduler(
            timezone=clock.zone,
            executors={"default": {"type": "threadpool", "max_workers": SCHEDULE_THREADS}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
        )

    def start(self) -> None:
        """Take the lock, find the jobs a killed process left, and begin. Raises AlreadyRunning."""
        with self._app.app_context():
            self._lock = OnlyOne(settings().instance_path)
            self._lock.take(db.engine)
            try:
                write(deferred.resume)
            except BaseException:
                self._lock.give_back()
                raise
        event.listen(Session, "after_commit", self._wake)
        self._threads += self._jobs.start()
        for schedule in (Schedule("deferred jobs", JOB_PAUSE, self._jobs.take), *schedules.values()):
            self._add(schedule)
        self._scheduler.start()
        self._app.extensions[EXTENSION] = self

    def alive(self) -> bool:
        """Whether schedules, pulses and job threads all still run."""
        return not self._stopping.is_set() and self._scheduler.running and all(map(Thread.is_alive, self._threads))

    def next_turn(self, name: str) -> datetime | None:
        """When a schedule is due next, by the real clock; None for pulses, which are due whenever something happens."""
        job = self._scheduler.get_job(name)
        return job.next_run_time if job is not None else None

    def stop(self) -> None:
        """End within a few seconds. Work cut off is found again by the next start."""
        self._stopping.set()
        self._app.extensions.pop(EXTENSION, None)
        event.remove(Session, "after_commit", self._wake)
        self._wake()
        self._scheduler.shutdown(wait=False)
        self._jobs.stop()
        compute.end_workers()
        deadline = monotonic() + STOP_WITHIN
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        self._lock.give_back()

    def _add(self, schedule: Schedule) -> None:
        if isinstance(schedule.when, time):
            turn: dict[str, Any] = {"trigger": "cron", "hour": schedule.when.hour, "minute": schedule.when.minute}
        elif schedule.when < SHORTEST_SCHEDULE:
            wake = Event()
            self._wakes.append(wake)
            seconds = schedule.when.total_seconds()
            thread = Thread(target=self._pulse, args=(schedule, seconds, wake), name=schedule.name, daemon=True)
            thread.start()
            self._threads.append(thread)
            return
        else:
            turn = {"trigger": "interval", "seconds": schedule.when.total_seconds()}
        self._scheduler.add_job(self._call, args=(schedule,), id=schedule.name, name=schedule.name, **turn)

    def _call(self, schedule: Schedule) -> object:
        """One turn. Its error is logged and given back: it must not end the thread of the next turn."""
        try:
            with self._app.app_context(), turns.noted(schedule.name, lasting=_is_slow(schedule)):
                return schedule.work()
        except Exception as error:
            if not self._stopping.is_set():
                log.exception("background work '%s' failed", schedule.name)
            return error

    def _wake(self, _session: object = None) -> None:
        for wake in self._wakes:
            wake.set()

    def _pulse(self, schedule: Schedule, pause: float, wake: Event) -> None:
        failures = 0
        while not self._stopping.is_set():
            result = self._call(schedule)
            failures = min(failures + 1, 10) if isinstance(result, Exception) else 0
            if result is True:
                continue
            self._stopping.wait(min(pause * 2**failures, LONGEST_PAUSE))
            wake.wait(IDLE)
            wake.clear()
