"""Quoted times: what we say a wait will be, so that at least 95 % come true (DOMAIN 'Quoted wait', E-03).

Pure: minutes in, minutes out. History is the finished cases of one queue (station × priority × promise).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from statistics import fmean, median

FEWEST = 30  # closed cases; below, the limit itself is quoted
KEPT = Fraction(95, 100)  # share of quoted times that must come true
ABOVE_MEDIAN = 10.0  # minutes: the real wait is about ten minutes shorter than shown [S5]
SURPLUS_FLAG = 0.30  # a mean surplus above this share of the quote says that the estimate must be improved


@dataclass(frozen=True)
class Quote:
    """What is quoted, in minutes from the start, and how it fares over its own history."""

    minutes: float
    cases: int
    surplus: float | None = None  # mean of quoted − actual in minutes; None for want of cases
    kept: float | None = None  # share of the history that this quote would have kept; None likewise

    @property
    def flagged(self) -> bool:
        """Whether quotes are so far above what happens that they say too little (ISO 10001, accuracy)."""
        return self.surplus is not None and self.surplus > SURPLUS_FLAG * self.minutes


def quote(limit: float, history: Sequence[float]) -> Quote:
    """min(limit, the quantile that keeps 95 % of the history, and at least ten minutes above its median)."""
    if len(history) < FEWEST:
        return Quote(limit, len(history))
    ordered = sorted(history)
    # one case more than 95 % of n + 1 makes the share hold for the next case too (split conformal rule)
    place = min(len(ordered), ceil(KEPT * (len(ordered) + 1)))
    minutes = min(limit, max(ordered[place - 1], median(ordered) + ABOVE_MEDIAN))
    return Quote(
        minutes,
        len(ordered),
        fmean(minutes - waited for waited in ordered),
        sum(waited <= minutes for waited in ordered) / len(ordered),
    )
