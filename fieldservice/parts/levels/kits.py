"""Jobs rather than lines: a filled line counts as much as the chance that the rest of its kit is there too.

A job needs a kit of one to eight parts, and is done at the first visit when all of them are there. One more piece of a
part helps a job only where the others do not fail it. So a line's worth is that chance, averaged over the jobs that
use the part; levels are set with it, which changes the chances, until nothing moves.
"""

from dataclasses import dataclass, replace

import numpy as np

from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.stock import Levels, Shelf, demand_of, relevel

ROUNDS = 12  # levels settle in three to five; prices between two levels may swap for ever


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
    demand = demand_of(shelf) if demand is None else demand
    levels = relevel(replace(shelf, worth=None), rate_of_money, demand)
    for _round in range(ROUNDS):
        following = relevel(replace(shelf, worth=kits.worth(levels.enough)), rate_of_money, demand)
        if (following.level == levels.level).all():
            return following
        levels = following
    return levels
