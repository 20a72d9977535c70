"""Deferred jobs: asked for in a transaction, run after it, each effect once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation import deferred
from fieldservice.foundation.db import ReadOnly, session, write
from fieldservice.foundation.deferred import DeferredJob, Done
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms.events import Event, record
from fieldservice.mechanisms.subjects import Ref

SUBJECT = Ref("test", 1)


@pytest.fixture(autouse=True)
def _own_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_tasks", {})


def make_task(work: Any = None, **options: Any) -> deferred.Task:
    """A task whose effect is one event, unless its work says otherwise."""
    return deferred.task("test.job", **options)(
        work or (lambda **facts: Done(lambda: record("job.done", SUBJECT, facts)))
    )


def run_due(limit: int = 10) -> int:
    claims = write(lambda: deferred.claim(limit))
    for claimed in claims:
        deferred.run(claimed)
    return len(claims)


def effects() -> int:
    session.rollback()
    return session.scalar(select(func.count(Event.id)).where(Event.kind == "job.done")) or 0


def the_job() -> DeferredJob:
    session.rollback()
    return session.scalars(select(DeferredJob)).one()


def test_a_job_runs_after_the_commit_with_its_arguments(app: Flask) -> None:
    wanted = make_task()
    write(lambda: deferred.defer(wanted, "one", {"number": 7}))
    assert run_due() == 1
    event = session.scalars(select(Event).where(Event.kind == "job.done")).one()
    assert event.facts == {"number": 7}
    assert the_job().status == "done"
    assert run_due() == 0


def test_a_rolled_back_transaction_asks_for_nothing(app: Flask) -> None:
    wanted = make_task()

    def fails() -> None:
        deferred.defer(wanted, "one")
        raise LookupError

    with pytest.raises(LookupError):
        write(fails)
    assert not deferred.due(1)


def test_jobs_are_asked_for_inside_write_only(app: Flask) -> None:
    with pytest.raises(ReadOnly):
        deferred.defer(make_task(), "one")


def test_the_same_key_asks_once_even_after_it_was_done(app: Flask) -> None:
    wanted = make_task()
    write(lambda: (deferred.defer(wanted, "one"), deferred.defer(wanted, "one")))
    run_due()
    write(lambda: deferred.defer(wanted, "one"))
    assert run_due() == 0
    assert effects() == 1


def test_a_job_can_wait_for_its_time(app: Flask, clock: Clock) -> None:
    wanted = make_task()
    write(lambda: deferred.defer(wanted, "one", at=clock.now() + timedelta(hours=1)))
    assert run_due() == 0
    clock.advance(hours=1)
    assert run_due() == 1


def test_an_overtaken_run_has_no_effect(app: Flask) -> None:
    """A killed process's job is found again; should the dead one have lived, only one effect is committed."""
    wanted = make_task()
    write(lambda: deferred.defer(wanted, "one"))
    [slow] = write(lambda: deferred.claim(10))
    write(deferred.recover)
    assert run_due() == 1
    deferred.run(slow)
    assert effects() == 1
    assert the_job().status == "done"


def test_a_running_job_is_not_found_again_while_it_runs_here(app: Flask) -> None:
    write(lambda: deferred.defer(make_task(), "one"))
    [claimed] = write(lambda: deferred.claim(10))
    write(lambda: deferred.recover({claimed.job_id}))
    assert the_job().status == "running"
    assert run_due() == 0


def test_effect_and_done_mark_commit_together(app: Flask) -> None:
    def half() -> None:
        record("job.done", SUBJECT)
        raise OSError("disk full")

    write(lambda: deferred.defer(make_task(lambda: Done(half)), "one"))
    run_due()
    assert effects() == 0
    job = the_job()
    assert (job.status, job.failures, job.error) == ("queued", 1, "OSError: disk full")


def test_failures_back_off_and_end_visibly(app: Flask, clock: Clock) -> None:
    given_up: list[int] = []

    def fails(number: int) -> Done:
        raise ConnectionError(f"no gateway {number}")

    wanted = make_task(fails, attempts=3, give_up=lambda number: given_up.append(number))
    write(lambda: deferred.defer(wanted, "one", {"number": 4}))
    run_due()
    for pause in (5, 20):
        clock.advance(seconds=pause - 1)
        assert run_due() == 0
        clock.advance(seconds=1)
        assert run_due() == 1
    assert [job.error for job in deferred.failed_jobs()] == ["ConnectionError: no gateway 4"]
    assert given_up == [4]
    clock.advance(days=2)
    assert run_due() == 0


@pytest.mark.parametrize(("failures", "pause"), [(1, 5), (2, 20), (3, 80), (4, 320), (5, 1280), (6, 3600), (90, 3600)])
def test_back_off(failures: int, pause: int) -> None:
    assert deferred.back_off(failures) == timedelta(seconds=pause)


def test_a_failed_job_can_be_tried_again(app: Flask) -> None:
    broken = [True]

    def mended() -> Done:
        if broken.pop():
            raise OSError
        return Done(lambda: record("job.done", SUBJECT))

    broken.insert(0, False)
    write(lambda: deferred.defer(make_task(mended, attempts=1), "one"))
    run_due()
    [job] = deferred.failed_jobs()
    write(lambda: deferred.retry(session.get_one(DeferredJob, job.id)))
    run_due()
    assert effects() == 1
    assert not deferred.failed_jobs()


def test_a_start_tries_waiting_jobs_at_once(app: Flask) -> None:
    broken = [True]

    def mended() -> None:
        if broken:
            raise OSError

    write(lambda: deferred.defer(make_task(mended), "one"))
    run_due()
    broken.clear()
    assert run_due() == 0  # it waits
    write(deferred.resume)
    assert run_due() == 1
    assert the_job().status == "done"


def test_a_start_keeps_jobs_waiting_for_their_time(app: Flask, clock: Clock) -> None:
    write(lambda: deferred.defer(make_task(), "one", at=clock.now() + timedelta(hours=1)))
    write(deferred.resume)
    assert run_due() == 0


def test_a_job_that_kills_its_process_every_time_is_given_up(app: Flask) -> None:
    given_up: list[bool] = []
    write(lambda: deferred.defer(make_task(give_up=lambda: given_up.append(True)), "one"))
    for _ in range(deferred.MOST_STARTS):
        assert write(lambda: deferred.claim(1))
        write(deferred.recover)
    assert not write(lambda: deferred.claim(1))
    assert the_job().status == "failed"
    assert given_up == [True]


def test_an_error_of_a_stopping_process_is_not_the_jobs_fault(app: Flask) -> None:
    def cut_off() -> Done:
        raise OSError

    write(lambda: deferred.defer(make_task(cut_off), "one"))
    [claimed] = write(lambda: deferred.claim(1))
    deferred.run(claimed, stopping=lambda: True)
    assert (the_job().status, the_job().failures) == ("running", 0)


def test_tidying_that_fails_does_not_undo_the_effect(app: Flask) -> None:
    def untidy() -> None:
        raise OSError

    write(lambda: deferred.defer(make_task(lambda: Done(lambda: record("job.done", SUBJECT), untidy)), "one"))
    run_due()
    assert effects() == 1
    assert the_job().status == "done"


def test_a_job_of_a_forgotten_task_fails_visibly(app: Flask) -> None:
    write(lambda: deferred.defer(make_task(), "one"))
    deferred._tasks.clear()
    run_due()
    assert the_job().error == "LookupError: no task is named test.job"


def test_old_done_jobs_are_forgotten_and_failed_ones_kept(app: Flask, clock: Clock) -> None:
    fine = make_task()
    write(lambda: deferred.defer(fine, "one"))
    run_due()
    clock.advance(days=8)
    write(lambda: deferred.defer(fine, "two"))
    run_due()
    deferred.forget_done()
    assert the_job().key == "two"
