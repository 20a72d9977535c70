"""Heavy work in processes of its own."""

import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from flask import Flask

from fieldservice.foundation import compute as computing
from fieldservice.foundation.compute import ComputeTimeout, compute, end_workers
from fieldservice.foundation.db import write
from tests.waiting import wait_until


@pytest.fixture(autouse=True, scope="module")
def _workers_end() -> Iterator[None]:
    yield
    end_workers()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_function_runs_in_another_process_that_is_kept() -> None:
    first = compute(os.getpid)
    assert first != os.getpid()
    assert compute(os.getpid) == first
    assert compute(math.factorial, 5) == 120


def test_workers_are_polite_to_the_threads_that_serve_people() -> None:
    assert compute(os.getpriority, os.PRIO_PROCESS, 0) > os.getpriority(os.PRIO_PROCESS, 0)


def test_the_functions_own_error_comes_back() -> None:
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative input"):
        compute(math.sqrt, -1.0)


def test_what_takes_too_long_is_ended_and_the_next_call_works() -> None:
    pid = compute(os.getpid)
    with pytest.raises(ComputeTimeout):
        compute(time.sleep, 60.0, timeout=0.2)
    wait_until(lambda: not alive(pid), what="the worker ends")
    assert compute(os.getpid) != pid


def test_a_worker_that_dies_is_replaced() -> None:
    with pytest.raises(BrokenProcessPool):
        compute(os._exit, 3)
    assert compute(math.factorial, 4) == 24


def test_two_calls_run_side_by_side_and_never_three() -> None:
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(compute, _pid_after_a_while, timeout=60.0) for _ in range(6)]
        assert len({call.result() for call in calls}) == computing.WORKERS


def _pid_after_a_while() -> int:
    time.sleep(0.2)  # long enough for a second call to need the second worker
    return os.getpid()


def test_nobody_waits_for_a_busy_worker_longer_than_said() -> None:
    with ThreadPoolExecutor(computing.WORKERS) as threads:
        busy = [threads.submit(compute, time.sleep, 3.0) for _ in range(computing.WORKERS)]
        wait_until(lambda: computing._idle.empty() and len(computing._made) == computing.WORKERS)
        with pytest.raises(ComputeTimeout):
            compute(os.getpid, timeout=0.05)
        for call in busy:
            call.result()


def test_heavy_work_is_refused_inside_a_write_transaction(sqlite_app: Flask) -> None:
    with pytest.raises(RuntimeError, match="write lock"):
        write(lambda: compute(os.getpid))
