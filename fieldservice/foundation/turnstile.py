"""Who writes next, where one at a time may: first come, first served, and told at once.

SQLite lets one writer in and has others ask again after a pause that grows to a tenth of a second, in no order. The
threads of one process wait here instead; other processes still do as SQLite does.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turnstile:
    """One thread at a time gets through. Whoever leaves hands over to the one that waited longest: with a plain lock
    the thread that is running takes it again before another wakes up."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Inside, nobody else is. After `patience_s` without a turn we go on all the same: what is behind the turnstile
        has a lock of its own and says that it is busy."""
        mine = self._has_turn()
        try:
            yield
        finally:
            if mine:
                self._hand_over()

    def _has_turn(self) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            place = Lock()
            place.acquire()
            self._waiting.append(place)
        if place.acquire(timeout=self._patience_s):
            return True
        with self._guard:
            if place not in self._waiting:
                return True  # handed over just now
            self._waiting.remove(place)
            return False

    def _hand_over(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
