"""Heavy work in processes of its own: pictures, addresses, plans. Pure functions over plain values.

Two workers at most, each started when first needed and then kept. One pool per worker, so that ending
a call that takes too long ends nobody else's.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from queue import Empty, LifoQueue
from threading import Lock
from time import monotonic
from typing import TypeVar, TypeVarTuple

from flask import has_app_context
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.computing import begin
from fieldservice.foundation.db import writing
from fieldservice.foundation.errors import DomainError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
WORKERS = 2


class ComputeTimeout(DomainError):
    """Heavy work took longer than its caller would wait; it was ended."""

    status, code = 503, "busy"
    default_message = _l("This takes longer than expected just now. Please try again in a minute.")


class _Worker:
    """A process that does one call at a time; it is started by the first call and replaced when ended."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def call(self, function: Callable[[*Ts], T], arguments: tuple[*Ts], timeout: float) -> T:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy our threads' locks
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=begin)
        try:
            future = self._pool.submit(function, *arguments)
            if future not in wait_for([future], timeout).done:
                self.end()
                raise ComputeTimeout(function=function.__name__, seconds=timeout)
            return future.result()
        except BrokenProcessPool:
            self.end()
            raise

    def end(self) -> None:
        """Kill the process, whatever it does."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # Python has no public way to end a worker before 3.14.
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


_idle: LifoQueue[_Worker] = LifoQueue()
_made: list[_Worker] = []
_making = Lock()


def compute(function: Callable[[*Ts], T], *arguments: *Ts, timeout: float = 60.0) -> T:
    """Run a module's function in a worker and give its result; waits at most `timeout` seconds in all.

    Arguments and result must be picklable. Raises what the function raises, ComputeTimeout, or
    BrokenProcessPool when the worker died. Refused inside `write`: nobody else could write meanwhile.
    """
    if _inside_write():
        raise RuntimeError("compute inside foundation.db.write would hold the write lock; compute first, then write")
    deadline = monotonic() + timeout
    worker = _borrow(timeout)
    try:
        return worker.call(function, arguments, max(0.0, deadline - monotonic()))
    finally:
        _idle.put(worker)


def _inside_write() -> bool:
    return has_app_context() and writing()


def _borrow(timeout: float) -> _Worker:
    with _making:
        if _idle.empty() and len(_made) < WORKERS:
            _made.append(_Worker())
            return _made[-1]
    try:
        return _idle.get(timeout=timeout)
    except Empty as error:
        raise ComputeTimeout(seconds=timeout) from error


def end_workers() -> None:
    """End all workers, busy ones too; the next call starts new ones."""
    with _making:
        for worker in _made:
            worker.end()
