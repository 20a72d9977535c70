"""Available-to-promise by date, of one part in one place; pure.

Whoever was promised a part keeps it: a new promise for a time holds only if every older one can still be kept at its
own time. So what lies there for somebody next week can be promised today when more arrives before next week
(time-phased available-to-promise, as in APICS/ASCM's dictionary: "discrete" and "cumulative" ATP with look-ahead).

Quantities are in the part's unit, times are aware. Demands take the lot that expires first (docs/decisions/0029).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from typing import NamedTuple

NOTHING = Decimal(0)
STEP = Decimal("0.001")  # the smallest quantity a balance holds


class Lot(NamedTuple):
    """So much that is there from a time on, and may be used until another; `until` None: it keeps."""

    quantity: Decimal
    since: datetime
    until: datetime | None = None


class Demand(NamedTuple):
    """So much that is promised for a time. One whose time is over is wanted now."""

    quantity: Decimal
    at: datetime


class Pool:
    """What is or comes to one place, and what is promised of it, oldest first. Never changed once it is made."""

    __slots__ = ("_kept", "keeps", "lots", "promised")

    def __init__(self, lots: Sequence[Lot], promised: Sequence[Demand] = ()) -> None:
        self.lots, self.promised = lots, promised
        self.keeps = all(lot.until is None for lot in lots)  # nothing of it expires
        self._kept: Sequence[Demand] | None = None

    @property
    def kept(self) -> Sequence[Demand]:
        """The promises at the times at which they can be kept. One that cannot be kept at its own time takes what comes
        next, the oldest first; one that nothing known can serve holds nothing back."""
        if self._kept is None:
            self._kept = self._keep()
        return self._kept

    def _keep(self) -> Sequence[Demand]:
        if not self.promised or unmet(self.lots, self.promised) == 0:
            return self.promised
        kept: list[Demand] = []
        for demand in self.promised:
            moment = _earliest(self.lots, kept, demand.quantity, demand.at)
            if moment is not None:
                kept.append(Demand(demand.quantity, moment))
        return kept


def fits(pool: Pool, quantity: Decimal, at: datetime) -> bool:
    """Whether `quantity` can be promised for `at` without breaking an older promise."""
    if pool.keeps:
        return quantity <= max(NOTHING, _lowest_from(pool, at))
    return unmet(pool.lots, [*pool.kept, Demand(quantity, at)]) == 0


def earliest(pool: Pool, quantity: Decimal, after: datetime) -> datetime | None:
    """The first time from `after` on for which `quantity` can be promised; None when never with what is known."""
    return next((moment for moment in _moments(pool.lots, after) if fits(pool, quantity, moment)), None)


def free_at(pool: Pool, at: datetime) -> Decimal:
    """The most that can still be promised for `at`."""
    if pool.keeps:
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
    return next(
        (moment for moment in _moments(lots, after) if unmet(lots, [*kept, Demand(quantity, moment)]) == 0), None
    )


def _moments(lots: Sequence[Lot], after: datetime) -> Sequence[datetime]:
    """When something arrives: what can be promised grows only then."""
    later = {lot.since for lot in lots if lot.since > after}
    return [after, *sorted(later)] if later else [after]


def _lowest_from(pool: Pool, at: datetime) -> Decimal:
    """The lowest level from `at` on, of what has come less what was promised."""
    if not pool.kept:
        return sum((lot.quantity for lot in pool.lots if lot.since <= at), NOTHING)
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
