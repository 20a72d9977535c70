"""Available-to-promise by date, of one part in one place; pure.

Whoever was promised a part keeps it: a new promise for a time holds only if every older one can still be kept at its
own time. So what lies there for somebody next week can be promised today when more arrives before next week
(time-phased available-to-promise, as in APICS/ASCM's dictionary: "discrete" and "cumulative" ATP with look-ahead).

Quantities are in the part's unit, times are aware. Demands take the lot that expires first (docs/decisions/0029).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from heapq import heappop, heappush

NOTHING = Decimal(0)
STEP = Decimal("0.001")  # the smallest quantity a balance holds


@dataclass(frozen=True)
class Lot:
    """So much that is there from a time on, and may be used until another; `until` None: it keeps."""

    quantity: Decimal
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Demand:
    """So much that is promised for a time. One whose time is over is wanted now."""

    quantity: Decimal
    at: datetime


@dataclass(frozen=True)
class Pool:
    """What is or comes to one place, and what is promised of it, oldest first."""

    lots: Sequence[Lot]
    promised: Sequence[Demand] = ()

    @cached_property
    def kept(self) -> Sequence[Demand]:
        """The promises at the times at which they can be kept. One that cannot be kept at its own time takes what comes
        next, the oldest first; one that nothing known can serve holds nothing back."""
        if unmet(self.lots, self.promised) == 0:
            return self.promised
        kept: list[Demand] = []
        for demand in self.promised:
            moment = _earliest(self.lots, kept, demand.quantity, demand.at)
            if moment is not None:
                kept.append(Demand(demand.quantity, moment))
        return kept


def fits(pool: Pool, quantity: Decimal, at: datetime) -> bool:
    """Whether `quantity` can be promised for `at` without breaking an older promise."""
    return unmet(pool.lots, [*pool.kept, Demand(quantity, at)]) == 0


def earliest(pool: Pool, quantity: Decimal, after: datetime) -> datetime | None:
    """The first time from `after` on for which `quantity` can be promised; None when never with what is known."""
    return _earliest(pool.lots, pool.kept, quantity, after)


def free_at(pool: Pool, at: datetime) -> Decimal:
    """The most that can still be promised for `at`."""
    if all(lot.until is None for lot in pool.lots):
        return _lowest_from(pool, at)
    low, high = NOTHING, sum((lot.quantity for lot in pool.lots if lot.since <= at), NOTHING)
    if fits(pool, high, at):
        return high
    while high - low > STEP:
        middle = ((low + high) / 2).quantize(STEP)
        low, high = (middle, high) if fits(pool, middle, at) else (low, middle)
    return low


def unmet(lots: Iterable[Lot], demands: Iterable[Demand]) -> Decimal:
    """How much of the demands cannot be served at their times, each taking what expires first.

    That order leaves the least unserved: of the lots that are there, the one that is lost first is of least use to
    those who come later.
    """
    coming = sorted(lots, key=lambda lot: lot.since, reverse=True)
    there: list[tuple[bool, float, int]] = []  # (keeps, until, which of `left`): what expires first on top
    left: list[Decimal] = []
    missing = NOTHING
    for demand in sorted(demands, key=lambda demand: demand.at):
        while coming and coming[-1].since <= demand.at:
            lot = coming.pop()
            heappush(there, (lot.until is None, lot.until.timestamp() if lot.until else 0.0, len(left)))
            left.append(lot.quantity)
        wanted = demand.quantity
        while wanted > 0 and there:
            keeps, until, index = there[0]
            if left[index] <= 0 or (not keeps and until < demand.at.timestamp()):
                heappop(there)
                continue
            taken = min(wanted, left[index])
            left[index] -= taken
            wanted -= taken
        missing += wanted
    return missing


def _earliest(lots: Sequence[Lot], kept: Sequence[Demand], quantity: Decimal, after: datetime) -> datetime | None:
    # what can be promised grows only when something arrives
    moments = sorted({after, *(lot.since for lot in lots if lot.since > after)})
    return next((moment for moment in moments if unmet(lots, [*kept, Demand(quantity, moment)]) == 0), None)


def _lowest_from(pool: Pool, at: datetime) -> Decimal:
    """The lowest level from `at` on, of what has come less what was promised."""
    changes = sorted(
        [(lot.since, 0, lot.quantity) for lot in pool.lots] + [(one.at, 1, -one.quantity) for one in pool.kept]
    )
    level = sum((change for moment, _kind, change in changes if moment <= at), NOTHING)
    lowest = level
    for moment, _kind, change in changes:
        if moment > at:
            level += change
            lowest = min(lowest, level)
    return lowest
