"""The comparison: how much stock our levels need for a share of lines, and how much the usual min/max rules need.

    compare(demand of (parts, months), lead=3)

1. Of every part the months up to `learn` (27 of 51 for the car parts) are the past; the rest is scored. A level of a
   month is set from the months before it alone, by us and by every rule (`rules.RULES`), anew each month.
2. The shelf is simulated month by month (`simulation.py`: review every month, order up to the level, `lead` months,
   what is missing is owed). A line is one part's demand in one month; it is filled when all of it is on the shelf.
3. We sweep the price of money, a rule its one knob. Every setting gives a share of lines and a mean stock; between two
   settings next to each other both are read off a straight line. The least stock that reaches the share counts. `None`
   where no setting does.
4. A rule leaves a part nobody asked for at zero, for ever. So besides as published (`pieces` 0) each rule is tried
   with at least 1, 2 and 3 pieces of every part.
5. Calibration is apart from that: for an asked share, the price of money of each month is the one that would have
   kept it from month 13 until the month before, made up for what was missed so far (`calibration.py`); told is what
   share came of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels import calibration
from fieldservice.parts.levels.demand import Floats, Ints
from fieldservice.parts.levels.rules import RULES
from fieldservice.parts.levels.simulation import kept
from fieldservice.parts.levels.stock import Shelf

SHARES = (0.95, 0.98)
PIECES = (0, 1, 2, 3)
SCORED, FEWEST = 24, 14  # months scored; months learned on before the first of them at the least


@dataclass(frozen=True)
class Point:
    """One setting: the share of lines it filled with a mean stock."""

    share: float
    stock: float


@dataclass(frozen=True)
class Best:
    """The rule that needs least, with at least so many pieces of every part; no name where none reaches the share."""

    pieces: int
    rule: str | None
    stock: float | None
    nearest: str  # the rule that reaches the largest share of all, at whatever stock
    reached: Point  # that share, and the least stock it takes there


@dataclass(frozen=True)
class Needed:
    """Stock for a share of lines."""

    share: float
    ours: float | None
    best: tuple[Best, ...]  # by pieces

    def ratio(self, pieces: int) -> float | None:
        """Our stock ÷ that of the best rule with at least so many pieces of every part."""
        theirs = next(one.stock for one in self.best if one.pieces == pieces)
        return None if self.ours is None or theirs is None else self.ours / theirs


@dataclass(frozen=True)
class Calibrated:
    """What came of an asked share."""

    asked: float
    achieved: float
    stock: float


@dataclass(frozen=True)
class Comparison:
    """The whole comparison."""

    parts: int
    learned: int  # months
    scored: int
    lead: int
    lines: int  # scored
    needed: tuple[Needed, ...]
    calibrated: tuple[Calibrated, ...]


def needed(points: Sequence[Point], share: float) -> float | None:
    """The least stock at which a sweep reaches a share."""
    best, before = None, None
    for point in sorted(points, key=lambda one: (one.stock, one.share)):
        if point.share >= share:
            best = point
            break
        if before is None or point.share >= before.share:
            before = point
    if best is None or before is None:
        return None if best is None else best.stock
    part = (share - before.share) / (best.share - before.share)
    return before.stock + part * (best.stock - before.stock)


def sweep(levels: NDArray[np.floating], demand: Floats, lead: Ints) -> list[Point]:
    """What each of several settings, (settings, parts, months), does."""
    found = [kept(one, demand, lead) for one in levels]
    return [Point(one.share(), float(one.stock.mean())) for one in found]


def rule_levels(name: str, demand: Floats, learn: int, lead: int) -> NDArray[np.float32]:
    """Levels of a rule for every month from `learn` on, (knobs, parts, months)."""
    months = range(learn, demand.shape[1])
    return np.stack([RULES[name](demand[:, :month], lead + 1).astype(np.float32) for month in months], axis=2)


def compare(demand: Floats, lead: int, learn: int | None = None, shares: Sequence[float] = SHARES) -> Comparison:
    """Ours against eight rules on demand of (parts, months) without gaps, every part costing the same.

    Raises ValueError where there are too few months to learn from.
    """
    months = demand.shape[1]
    learn = months - SCORED if learn is None else learn
    if learn < FEWEST or learn >= months:
        raise ValueError(f"{learn} of {months} months to learn from; at least {FEWEST}, and one to score")
    leads, later = np.full(len(demand), lead), demand[:, learn:]
    shelf = Shelf(demand, leads.astype(np.float64), np.ones(len(demand)))
    rolling = calibration.roll(shelf)
    ours = sweep(rolling.levels[:, :, learn - rolling.first :], later, leads)
    rules: dict[tuple[str, int], list[Point]] = {}
    for name in RULES:
        levels = rule_levels(name, demand, learn, lead)
        for pieces in PIECES:
            rules[name, pieces] = sweep(np.maximum(levels, pieces), later, leads)
    asked = [(share, kept(rolling.asked(share, learn), later, leads)) for share in shares]
    return Comparison(
        parts=len(demand),
        learned=learn,
        scored=months - learn,
        lead=lead,
        lines=int((later > 0).sum()),
        needed=tuple(
            Needed(share, needed(ours, share), tuple(_best(rules, share, pieces) for pieces in PIECES))
            for share in shares
        ),
        calibrated=tuple(Calibrated(share, one.share(), float(one.stock.mean())) for share, one in asked),
    )


def _best(rules: dict[tuple[str, int], list[Point]], share: float, pieces: int) -> Best:
    swept = {name: points for (name, some), points in rules.items() if some == pieces}
    stocks = {name: stock for name, points in swept.items() if (stock := needed(points, share)) is not None}
    name = min(stocks, key=lambda one: stocks[one]) if stocks else None
    _most, _least, nearest, reached = max(
        (point.share, -point.stock, rule, point) for rule, points in swept.items() for point in points
    )
    return Best(pieces, name, stocks[name] if name else None, nearest, reached)
