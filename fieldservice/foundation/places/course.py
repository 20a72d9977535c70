"""How far somebody comes who drives through hours of unequal pace: plain numbers, for the clock and for plans alike.

Moments are seconds since an origin of the caller's choice; a drive is as many seconds long as it takes at an ordinary
hour. At any moment a vehicle moves at the pace of that moment, so who sets out later never arrives earlier.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MINUTE = 60
NOISE = 1e-6  # seconds that reckoning one way or another may differ by
FAR = 2.0**41  # seconds; beyond any moment, even those that stand for never
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """Parallel numbers: from each moment of `clock` on, driving takes `factors` times as long as usual.

    The first factor holds before the first moment too, and the last one for ever. Make it with `course`.
    """

    clock: tuple[float, ...]  # rising
    driven: tuple[float, ...]  # ordinary seconds driven by then
    factors: tuple[float, ...]

    def by(self, moment: float) -> float:
        """Ordinary seconds driven by then."""
        at = max(0, bisect_right(self.clock, moment) - 1)
        return self.driven[at] + (moment - self.clock[at]) / self.factors[at]

    def when(self, driven: float) -> float:
        """By when so many ordinary seconds are driven: the inverse of `by`."""
        at = max(0, bisect_right(self.driven, driven) - 1)
        return self.clock[at] + (driven - self.driven[at]) * self.factors[at]

    def arrival(self, leaves: int, ordinary: float) -> int:
        """When a drive ends that starts then: at the next whole minute."""
        if ordinary <= NOISE:
            return leaves
        return -int(-(self.when(self.by(leaves) + ordinary) - NOISE) // MINUTE) * MINUTE

    def latest_departure(self, arrives: int, ordinary: float) -> int:
        """The last whole second at which to set out and arrive by then: the inverse of `arrival`."""
        if ordinary <= NOISE:
            return arrives
        return int((self.when(self.by(arrives // MINUTE * MINUTE) - ordinary) + NOISE) // 1)

    @property
    def most(self) -> float:
        """The largest factor."""
        return max(self.factors)

    def by_all(self, moments: Whole) -> Floats:
        """`by`, for many moments."""
        return np.interp(moments, *self._lines)

    def arrivals(self, leaves: Whole, ordinary: Whole) -> Whole:
        """`arrival`, for many drives."""
        return self.arrivals_by(self.by_all(leaves) + ordinary, leaves, ordinary)

    def arrivals_by(self, driven: Floats, leaves: Whole, ordinary: Whole | Floats) -> Whole:
        """When so much is driven, by those who have an `ordinary` way left at all; the others are where they were."""
        clock, along = self._lines
        moments = np.ceil((np.interp(driven, along, clock) - NOISE) / MINUTE) * MINUTE
        found: Whole = np.where(ordinary <= NOISE, leaves, moments.astype(np.int64))
        return found

    @cached_property
    def _lines(self) -> tuple[Floats, Floats]:
        """(clock, driven) with far ends, since numpy stops at the ends."""
        clock = [self.clock[0] - FAR, *self.clock, self.clock[-1] + FAR]
        return np.array(clock), np.array([self.by(moment) for moment in clock])


def course(clock: Sequence[float], factors: Sequence[float]) -> Course:
    """From moments in order and the factor that holds from each on. Raises ValueError for other than that."""
    if not clock or len(clock) != len(factors) or not all(factor > 0 for factor in factors):
        raise ValueError("each moment has a positive factor")
    driven = [0.0]
    for begins, ends, factor in zip(clock, clock[1:], factors):
        if ends <= begins:
            raise ValueError("moments rise")
        driven.append(driven[-1] + (ends - begins) / factor)
    return Course(tuple(clock), tuple(driven), tuple(factors))
