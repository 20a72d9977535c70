"""What one more piece buys: how many more lines are filled, against how long it would lie there.

A *line* is the demand of one part in one month; it is filled when all of it comes from the shelf at once. With a
level of s pieces, ordered up to at every review, the last month before an order arrives decides. Its line is filled
when everything asked for in review + lead time is at most s, so one more piece fills a line with the chance

    gain(s) = P(all = s + 1, the last month asks for something)
            = P(all = s + 1) − P(quiet) × P(all but the last = s + 1)

and lies on the shelf at the end of a review with the chance P(all ≤ s). A piece is worth its money as long as some
piece not below it brings `gain ≥ ask × P(all ≤ s)`, where `ask` is the price of money × the part's price.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.spread import Spread, lumps

BLOCK, TIDY = 16_384, 6  # lines at a time; steps after which finished ones are put aside
FAR, FEW = 40.0, 50.0  # standard deviations and pieces above the mean where nobody looks any more
LEAST_ASK = 1e-12


@dataclass(frozen=True, eq=False)
class Cycle:
    """What review + lead time ask for, in lumps: all of it, and all but the last month. All (lines,)."""

    whole: Spread
    before: Spread
    quiet: Floats  # the chance that the last month asks for nothing
    lump: Floats  # pieces counted as one
    mean: Floats  # pieces asked for in all of it
    variance: Floats

    @classmethod
    def of(cls, demand: Demand, months: Floats, doubt: Floats | float = 0.0) -> "Cycle":
        """The cycle of so many months (review + lead time), the lead time being in doubt by so many.

        Raises ValueError where what is asked for is not finite: recursions would not end.
        """
        mean, variance = demand.over(months, doubt)
        if not np.isfinite(variance).all():
            raise ValueError("what is asked for must be finite")
        lump = lumps(mean, variance)
        before = demand.over(np.maximum(months - 1.0, 0.0), doubt)
        spreads = (Spread.of(mean, variance, lump), Spread.of(*before, lump))
        return cls(*spreads, 1.0 - demand.chance, lump, mean, variance)

    def some(self, rows: Ints) -> "Cycle":
        """Of these lines alone."""
        kept = (one[rows] for one in (self.quiet, self.lump, self.mean, self.variance))
        return Cycle(self.whole.some(rows), self.before.some(rows), *kept)

    def __len__(self) -> int:
        return len(self.quiet)

    @cached_property
    def order(self) -> Ints:
        """Lines that need about as many steps next to each other."""
        return np.argsort(self.mean, kind="stable")

    def blocks(self, among: NDArray[np.bool_] | None = None) -> list[Ints]:
        """Lines (of those among which to look) in the order of their mean, so many at a time as fit into a cache."""
        order = self.order if among is None else self.order[among[self.order]]
        return [order[at : at + BLOCK] for at in range(0, len(order), BLOCK)]


class _Walk:
    """Amounts looked at one after the other, for many lines at once."""

    def __init__(self, cycle: Cycle) -> None:
        begins = cycle.whole.begins
        self.rows = np.arange(len(cycle))
        self.cycle = cycle
        self.amount = begins.astype(np.float64)
        self.here, self.there = cycle.whole.chance_of(begins), cycle.before.chance_of(begins)
        self.enough = self.here.copy()  # P(all ≤ amount)
        self.look()

    def look(self) -> None:
        """What is one above."""
        self.above = self.cycle.whole.next(self.here, self.amount)
        self.above_before = self.cycle.before.next(self.there, self.amount)
        self.gain = self.above - self.cycle.quiet * self.above_before

    def step(self) -> None:
        """Go there."""
        self.here, self.there = self.above, self.above_before
        self.enough = np.minimum(self.enough + self.here, 1.0)
        self.amount = self.amount + 1.0
        self.look()

    def keep(self, rows: Ints) -> None:
        """Go on with these alone (numbers among those still walking)."""
        self.rows, self.cycle = self.rows[rows], self.cycle.some(rows)
        for name in ("amount", "here", "there", "enough", "above", "above_before", "gain"):
            setattr(self, name, getattr(self, name)[rows])


def worthwhile(cycle: Cycle, ask: Floats) -> Ints:
    """The level in pieces at which the next piece stops being worth its money.

    `ask` is (lines,) or, for several prices of money in one pass, (lines, prices); the result has its shape.
    """
    found = np.zeros(ask.shape, dtype=np.int64)
    asks = np.maximum(ask[:, None] if ask.ndim == 1 else ask, LEAST_ASK)
    for rows in cycle.blocks():
        found[rows] = _worthwhile(cycle.some(rows), asks[rows]).reshape(len(rows), *ask.shape[1:])
    return found


def _worthwhile(cycle: Cycle, ask: Floats) -> Ints:
    ask = ask * cycle.lump[:, None]
    level, walk = np.zeros(ask.shape), _Walk(cycle)
    spread = cycle.whole
    last = spread.mean + FAR * np.sqrt(spread.mean / (1.0 - spread.q)) + FEW
    lowest, current = ask.min(axis=1), level.copy()
    steps = 0
    while len(walk.rows):
        good = walk.gain[:, None] >= ask * walk.enough[:, None]
        current = np.where(good, walk.amount[:, None] + 1.0, current)
        # above the mean the chance of an amount falls, and the gain is no larger than it: nothing better is to come
        over = (walk.amount >= walk.cycle.whole.mean) & (walk.above < lowest * walk.enough) | (walk.amount > last)
        steps += 1
        if steps % TIDY == 0 or over.all():
            level[walk.rows] = current
            going = np.flatnonzero(~over)
            walk.keep(going)
            ask, lowest, last, current = ask[going], lowest[going], last[going], current[going]
        walk.step()
    pieces: Ints = (level * cycle.lump[:, None]).astype(np.int64)
    return pieces


def enough_for(cycle: Cycle, chance: Floats) -> Ints:
    """The smallest level in pieces that is enough for the whole cycle with this chance (0 … 0.9999), per line."""
    level = np.zeros(len(cycle), dtype=np.int64)
    for rows in cycle.blocks(chance > 0.0):
        some = cycle.some(rows)
        walk, wanted, found = _Walk(some), chance[rows], np.zeros(len(rows))
        while len(walk.rows):
            found[walk.rows] = walk.amount
            going = np.flatnonzero(walk.enough < wanted)
            wanted = wanted[going]
            walk.keep(going)
            walk.step()
        level[rows] = (found * some.lump).astype(np.int64)
    return level


def at_level(cycle: Cycle, level: Ints) -> tuple[Floats, Floats]:
    """What a level does: the chance that it is enough for the whole cycle, and the lines a month that one more piece
    would fill."""
    enough, gain = np.zeros(len(cycle)), np.zeros(len(cycle))
    for rows in cycle.blocks():
        some = cycle.some(rows)
        wanted, walk = np.floor(level[rows] / some.lump), _Walk(some)
        steps = 0
        while len(walk.rows):
            here = np.flatnonzero(walk.amount == wanted)
            enough[rows[walk.rows[here]]], gain[rows[walk.rows[here]]] = walk.enough[here], walk.gain[here]
            steps += 1
            over = walk.amount >= wanted
            if steps % TIDY == 0 or over.all():
                going = np.flatnonzero(~over)
                wanted = wanted[going]
                walk.keep(going)
            walk.step()
    return enough, np.maximum(gain, 0.0) / cycle.lump
