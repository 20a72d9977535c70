"""The threads that run deferred jobs in embedded mode."""

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic

from flask import Flask

from fieldservice.foundation import deferred
from fieldservice.foundation.db import write

THREADS = 4  # for waiting on mail servers, gateways and `compute`; nothing heavy runs in them
RECLAIM_EVERY = 60.0  # seconds between looks for jobs whose end could not be written
log = logging.getLogger(__name__)


class JobThreads:
    """Takes due jobs, never more than there are free threads, and runs them."""

    def __init__(self, app: Flask, stopping: Event, freed: Callable[[], None]) -> None:
        self._app, self._stopping, self._freed = app, stopping, freed
        self._claims: SimpleQueue[deferred.Claim | None] = SimpleQueue()
        self._running: set[int] = set()
        self._guard = Lock()
        self._reclaimed_at = monotonic()

    def start(self) -> list[Thread]:
        """Daemon threads: a stuck job must not hold up the end of the process; the next start finds it."""
        threads = [Thread(target=self._work, name=f"job-{number}", daemon=True) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def stop(self) -> None:
        for _ in range(THREADS):
            self._claims.put(None)

    def take(self) -> bool:
        """Claim due jobs for the free threads; True when more may wait. Runs in one pulse."""
        with self._guard:
            running = set(self._running)
        if monotonic() - self._reclaimed_at > RECLAIM_EVERY:
            self._reclaimed_at = monotonic()
            write(lambda: deferred.recover(running))
        free = THREADS - len(running)
        if not deferred.due(free):
            return False
        claims = write(lambda: deferred.claim(free))
        with self._guard:
            self._running.update(claimed.job_id for claimed in claims)
        for claimed in claims:
            self._claims.put(claimed)
        return False

    def _work(self) -> None:
        while (claimed := self._claims.get()) is not None and not self._stopping.is_set():
            try:
                with self._app.app_context():
                    deferred.run(claimed, self._stopping.is_set)
            except Exception:
                # Its end could not be written (the database is away); `take` finds it running nowhere.
                log.exception("job %s %s lost its database", claimed.task, claimed.key)
            finally:
                with self._guard:
                    self._running.discard(claimed.job_id)
                self._freed()  # others may wait for this thread
