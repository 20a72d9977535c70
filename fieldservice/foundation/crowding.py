"""When a thousand tablets find the network within the same minute, most are asked to come a little later.

A tablet that is told so waits and loses nothing; a dispatcher whose page waits behind all of them loses his patience.
So tablets get some of the threads and a short queue. Whoever would wait too long is given an appointment instead: a
`Retry-After` of his own, spaced as fast as tablets are being served, so that they do not come back all at once either.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil
from time import monotonic

AT_ONCE = 4  # tablets' requests in work together; more only wait for each other inside one process
PATIENCE_S = 0.4  # nobody is let into a queue that is longer
EXCHANGE = 6  # requests of a tablet that comes back: session, commands, the day, a picture in parts
SOONEST_S, LATEST_S = 1.0, 120.0
LEARNT = 0.05  # of how long answers take, from each answer


class Crowded(Exception):
    """Come back `after` so many whole seconds."""

    def __init__(self, after: int) -> None:
        self.after = after
        super().__init__(f"after {after} s")


class Door:
    """Lets requests in, a few at once. For one event loop; `clock` tells seconds."""

    def __init__(self, at_once: int = AT_ONCE, clock: Callable[[], float] = monotonic) -> None:
        self._at_once, self._now = at_once, clock
        self._places = asyncio.Semaphore(at_once)
        self._here = 0
        self._pace_s = 0.01  # between two answers while all places are taken
        self._next = 0.0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one request, after a short wait. Raises Crowded."""
        if (self._here + 1 - self._at_once) * self._pace_s > PATIENCE_S:
            raise Crowded(self._appointment())
        self._here += 1
        try:
            async with self._places:
                began = self._now()
                yield
                self._pace_s += LEARNT * ((self._now() - began) / self._at_once - self._pace_s)
        finally:
            self._here -= 1

    def _appointment(self) -> int:
        now = self._now()
        self._next = max(self._next, now + SOONEST_S) + EXCHANGE * self._pace_s
        return ceil(min(self._next - now, LATEST_S))
