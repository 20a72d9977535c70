"""Embedded mode: one process, its schedules, pulses and job threads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from threading import Event as Flag

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from fieldservice.foundation import deferred, leader
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.deferred import DeferredJob, Done
from fieldservice.foundation.jobs import AlreadyRunning, Leader, defer, every, run_leader, task
from fieldservice.foundation.single import OnlyOne
from fieldservice.mechanisms.events import Event, record
from fieldservice.mechanisms.subjects import Ref
from tests.waiting import wait_until

SUBJECT = Ref("test", 1)


@pytest.fixture(autouse=True)
def _own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_tasks", {})
    monkeypatch.setattr(leader, "schedules", {})


@pytest.fixture
def running(app: Flask) -> Iterator[list[Leader]]:
    """Leaders that the test started; all stopped at its end."""
    started: list[Leader] = []
    yield started
    for one in started:
        one.stop()


def status_of(key: str) -> str | None:
    session.rollback()
    return session.scalar(select(DeferredJob.status).where(DeferredJob.key == key))


@pytest.fixture
def woken_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found by looking now and then; only commits wake the pulses."""
    monkeypatch.setattr(leader, "IDLE", 300.0)


def test_a_deferred_job_is_picked_up_after_the_commit(app: Flask, running: list[Leader], woken_only: None) -> None:
    wanted = task("test.job")(lambda: Done(lambda: record("job.done", SUBJECT)))
    running.append(run_leader(app))
    write(lambda: defer(wanted, "one"))
    wait_until(lambda: status_of("one") == "done")
    assert len(session.scalars(select(Event).where(Event.kind == "job.done")).all()) == 1


def test_jobs_left_by_a_killed_process_are_found_at_start(app: Flask, running: list[Leader]) -> None:
    wanted = task("test.job")(lambda: None)
    write(lambda: defer(wanted, "one"))
    write(lambda: deferred.claim(1))  # and then its process was killed
    running.append(run_leader(app))
    wait_until(lambda: status_of("one") == "done")


def test_more_jobs_than_threads_all_run(app: Flask, running: list[Leader], woken_only: None) -> None:
    wanted = task("test.job")(lambda: None)
    write(lambda: [defer(wanted, str(number)) for number in range(12)])
    running.append(run_leader(app))
    undone = select(DeferredJob.id).where(DeferredJob.status != "done")
    wait_until(lambda: session.rollback() or not session.scalars(undone).all())


def test_a_stop_cuts_a_long_job_off_and_the_next_start_finds_it(app: Flask, running: list[Leader]) -> None:
    begun, go_on = Flag(), Flag()

    def long() -> Done:
        begun.set()
        go_on.wait(30)
        return Done(lambda: record("job.done", SUBJECT))

    write(lambda: defer(task("test.job")(long), "one"))
    first = run_leader(app)
    assert begun.wait(20)
    first.stop()
    assert status_of("one") == "running"
    running.append(run_leader(app))
    go_on.set()
    wait_until(lambda: status_of("one") == "done")
    session.rollback()
    assert len(session.scalars(select(Event).where(Event.kind == "job.done")).all()) == 1


def test_a_pulse_runs_on_after_an_error_and_at_once_while_there_is_more(app: Flask, running: list[Leader]) -> None:
    turns: list[str] = []

    def work() -> bool:
        turns.append(current_app.name)
        if len(turns) == 1:
            raise OSError("away")
        return len(turns) < 50

    every(timedelta(milliseconds=50), work)
    running.append(run_leader(app))
    wait_until(lambda: len(turns) > 50)


def test_schedules_run_by_interval(app: Flask, running: list[Leader]) -> None:
    turn = Flag()
    every(timedelta(seconds=1), turn.set, "tick")
    running.append(run_leader(app))
    assert turn.wait(20)


def test_a_daily_schedule_is_local(app: Flask, running: list[Leader]) -> None:
    every(time(3, 30), lambda: None, "nightly")
    running.append(run_leader(app))
    [job] = running[0]._scheduler.get_jobs()
    assert (job.next_run_time.hour, job.next_run_time.minute) == (3, 30)
    assert str(job.next_run_time.tzinfo) == "Asia/Shanghai"


def test_a_second_process_is_refused_with_a_sentence(app: Flask, running: list[Leader]) -> None:
    running.append(run_leader(app))
    with pytest.raises(AlreadyRunning, match=f"Process {os.getpid()} already runs .* FIELDSERVICE_BACKGROUND=0"):
        run_leader(app)
    running.pop().stop()
    running.append(run_leader(app))  # the lock was given back


def test_on_postgresql_a_second_instance_folder_is_refused_too(app: Flask, tmp_path: Path) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("a SQLite file belongs to one instance folder")
    first, second = OnlyOne(tmp_path), OnlyOne(tmp_path / "other")
    (tmp_path / "other").mkdir()
    first.take(db.engine)
    with pytest.raises(AlreadyRunning, match="Another server"):
        second.take(db.engine)
    first.give_back()
    second.take(db.engine)
    second.give_back()


def test_the_kernel_gives_the_lock_of_a_killed_process_back(sqlite_app: Flask, tmp_path: Path) -> None:
    holding = (
        "import sys,time;from pathlib import Path;from sqlalchemy import create_engine;"
        "from fieldservice.foundation.single import OnlyOne;"
        "OnlyOne(Path(sys.argv[1])).take(create_engine('sqlite://'));print('held',flush=True);time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", holding, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=f"Process {process.pid} "):
            OnlyOne(tmp_path).take(db.engine)
        process.kill()
    lock = OnlyOne(tmp_path)
    lock.take(db.engine)
    lock.give_back()


def test_importing_the_server_starts_nothing(sqlite_app: Flask) -> None:
    """Commands import wsgi too."""
    code = "import threading, wsgi; print([t.name for t in threading.enumerate()])"
    root = Path(__file__).parents[2]
    environ = {**os.environ, "FIELDSERVICE_INSTANCE_PATH": sqlite_app.instance_path}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environ, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "['MainThread']"
