"""Quoted times: what we say a wait will be, so that at least 95 % come true (DOMAIN 'Quoted wait').

Pure: minutes in, minutes out. History is the finished cases of one queue (station × priority × promise).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean, median

FEWEST = 30  # closed cases; below, the limit itself is quoted
KEPT = 0.95  # share of quoted times that must come true
ABOVE_MEDIAN = 10.0  # minutes: the real wait is about ten minutes shorter than shown [S5]
SURPLUS_FLAG = 0.30  # a mean surplus above this share of the quote says that the estimate must be improved


@dataclass(frozen=True)
class Quote:
    """What is quoted, in minutes from the start, and how it came about."""

    minutes: float
    cases: int
    surplus: float | None  # mean share of the quote that was not needed; None without history

    @property
    def flagged(self) -> bool:
        """Whether quotes are so far above what happens that they say too little."""
        return self.surplus is not None and self.surplus > SURPLUS_FLAG


def quote(limit: float, history: Sequence[float]) -> Quote:
    """min(limit, the quantile that keeps 95 % of the history, and at least ten minutes above its median)."""
    if len(history) < FEWEST:
        return Quote(limit, len(history), None)
    ordered = sorted(history)
    # one case more than 95 % of n + 1 makes the share hold for the next case too (split conformal rule)
    place = min(len(ordered), ceil(KEPT * (len(ordered) + 1)))
    minutes = min(limit, max(ordered[place - 1], median(ordered) + ABOVE_MEDIAN))
    surplus = mean(max(0.0, minutes - waited) for waited in ordered) / minutes if minutes > 0 else 0.0
    return Quote(minutes, len(ordered), surplus)
