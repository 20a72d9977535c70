"""When a thousand tablets find the network within the same minute, most are asked to come a little later.

A tablet that is told so waits and loses nothing; a dispatcher whose page waits behind all of them loses his patience.
So some tablets at a time are let in, each for its whole exchange, and share a few threads. Whoever finds no room is
given an appointment, told by `Retry-After`: one after the other, as fast as tablets are being served.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil
from time import monotonic

AT_ONCE = 3  # requests in work together; more only wait for each other inside one process
INSIDE = 6  # tablets let in together; each asks for one thing after the other
IDLE_S = 0.3  # after which a tablet that asks for nothing gives its room to others; coming back, it goes first
EXCHANGE = 7  # requests of a tablet that comes back: session, commands, the day, a picture in parts, the day again
SOONEST_S, LATEST_S = 1.0, 300.0
LEARNT = 0.05  # of how long answers take, from each answer
MOST_BOOKED = 10_000


class Crowded(Exception):
    """Come back `after` so many whole seconds."""

    def __init__(self, after: float) -> None:
        self.after = max(1, ceil(after))
        super().__init__(f"after {self.after} s")


class Door:
    """Lets callers in, a few together. For one event loop; `clock` tells seconds."""

    def __init__(
        self, at_once: int = AT_ONCE, inside: int = INSIDE, clock: Callable[[], float] = monotonic
    ) -> None:  # fmt: skip
        self._at_once, self._most, self._now = at_once, inside, clock
        self._places = asyncio.Semaphore(at_once)
        self._inside: dict[int, float] = {}  # caller → when last heard of
        self._asking: Counter[int] = Counter()  # caller → requests under way, waiting for a place or in work
        self._booked: dict[int, float] = {}  # caller → appointment
        self._pace_s = 0.01  # between two answers while all threads are taken
        self._next = 0.0  # the last appointment given to somebody who came anew
        self._next_again = 0.0  # to somebody who came in time and found no room

    @asynccontextmanager
    async def place(self, caller: int) -> AsyncIterator[None]:
        """A place for one request of a caller. Raises Crowded."""
        self._let_in(caller)
        self._asking[caller] += 1
        try:
            async with self._places:
                began = self._now()
                yield
                self._pace_s += LEARNT * ((self._now() - began) / self._at_once - self._pace_s)
        finally:
            self._inside[caller] = self._now()
            self._asking[caller] -= 1
            if not self._asking[caller]:
                del self._asking[caller]

    def _let_in(self, caller: int) -> None:
        now = self._now()
        if caller in self._inside:
            self._inside[caller] = now
            return
        for gone in [one for one, heard in self._inside.items() if heard < now - IDLE_S and one not in self._asking]:
            del self._inside[gone]
            self._booked[gone] = now
        # those with an appointment have half of the room for themselves
        room = self._most - len(self._inside)
        if caller in self._booked:
            if room <= 0:
                raise Crowded(self._again(caller, now) - now)
            del self._booked[caller]
        elif room <= (self._most // 2 if self._next > now else 0):
            raise Crowded(self._appointment(caller, now) - now)
        self._inside[caller] = now

    def _again(self, caller: int, now: float) -> float:
        """An appointment that finds no room becomes one at the end of the line of those who came in time: were they
        all to ask again each second, the asking alone would keep everybody waiting."""
        if self._booked[caller] <= now:
            self._next_again = max(self._next_again, now + SOONEST_S) + EXCHANGE * self._pace_s
            self._booked[caller] = self._next_again
        return self._booked[caller]

    def _appointment(self, caller: int, now: float) -> float:
        if len(self._booked) >= MOST_BOOKED:
            self._booked = {one: at for one, at in self._booked.items() if at > now - LATEST_S}
        self._next = min(max(self._next, now + SOONEST_S) + EXCHANGE * self._pace_s, now + LATEST_S)
        self._booked[caller] = self._next
        return self._next
