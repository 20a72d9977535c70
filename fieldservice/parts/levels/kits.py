"""Jobs rather than lines: a filled line counts as much as the chance that the rest of its kit is there too.

A job needs a kit of one to eight parts, and is done at the first visit when all of them are there. One more piece of a
part helps a job only where the others do not fail it. So a line's worth is that chance, averaged over the jobs that
use the part; levels are set with it, which changes the chances, until nothing moves.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.stock import Levels, Shelf, demand_of, relevel

ROUNDS = 12  # levels settle in three to five; prices between two levels may swap for ever
FACTORS = np.geomspace(1.0, 64.0, 19)  # how much dearer a line of a kit may be taken than one that stands for itself


@dataclass(frozen=True, eq=False)
class Kits:
    """What jobs need: pairs of a job and a line of the shelf, and how often each job comes."""

    job: Ints  # (pairs,): numbered from 0
    line: Ints  # (pairs,): in the shelf
    often: Floats  # (jobs,): any unit

    def complete(self, enough: Floats) -> Floats:
        """The chance that the whole kit is there, (jobs,), from that of each line of the shelf."""
        logarithms = np.bincount(self.job, np.log(np.maximum(enough[self.line], 1e-300)), minlength=len(self.often))
        return np.exp(logarithms)

    def share(self, enough: Floats) -> float:
        """Jobs whose kit is complete, of all."""
        return float((self.complete(enough) * self.often).sum() / self.often.sum())

    def worth(self, enough: Floats) -> Floats:
        """What a filled line counts, (lines,): 1 where no job uses it, for then it stands for itself."""
        others = self.complete(enough)[self.job] / np.maximum(enough[self.line], 1e-300)
        weight = np.bincount(self.line, self.often[self.job], minlength=len(enough))
        helped = np.bincount(self.line, self.often[self.job] * np.minimum(others, 1.0), minlength=len(enough))
        return np.where(weight > 0, helped / np.maximum(weight, 1e-300), 1.0)


def relevel_for(shelf: Shelf, kits: Kits, rate_of_money: float, demand: Demand | None = None) -> Levels:
    """Levels at one price of money per completed job: as `stock.relevel`, with every line worth what it completes."""
    return _settled(shelf, kits.worth, rate_of_money, demand_of(shelf) if demand is None else demand)


@dataclass(frozen=True, eq=False)
class ForJobs:
    """What lines must count so that jobs are complete, and what came of it."""

    levels: Levels
    worth: Floats  # (lines,): at least 1, since a line of a kit is also asked for alone
    factor: float  # how much a completed job counts in lines
    before: float  # share of complete jobs if lines alone counted
    complete: float  # … and as it is


def relevel_until(
    shelf: Shelf, kits: Kits, rate_of_money: float, goal: float, demand: Demand | None = None
) -> ForJobs:  # fmt: skip
    """As `relevel_for`, a completed job counting for more and more lines until the asked share of jobs is complete.

    Stock only grows by it. Where no factor reaches the goal the largest one stands, and `complete` says what it did.
    """
    demand = demand_of(shelf) if demand is None else demand
    found = relevel(replace(shelf, worth=None), rate_of_money, demand)
    before, needed = kits.share(found.enough), np.isin(np.arange(len(found.level)), kits.line)
    made = ForJobs(found, np.ones(len(found.level)), 1.0, before, before)
    for factor in FACTORS if before < goal else ():

        def worth(enough: Floats, factor: float = float(factor)) -> Floats:
            return np.where(needed, np.maximum(1.0, factor * kits.worth(enough)), 1.0)

        found = _settled(shelf, worth, rate_of_money, demand)
        made = ForJobs(found, worth(found.enough), float(factor), before, kits.share(found.enough))
        if made.complete >= goal:
            break
    return made


def _settled(shelf: Shelf, worth: Callable[[Floats], Floats], rate_of_money: float, demand: Demand) -> Levels:
    """Level, see what lines are worth with these levels, and level again, until nothing moves."""
    levels = relevel(replace(shelf, worth=None), rate_of_money, demand)
    for _round in range(ROUNDS):
        following = relevel(replace(shelf, worth=worth(levels.enough)), rate_of_money, demand)
        if (following.level == levels.level).all():
            return following
        levels = following
    return levels
