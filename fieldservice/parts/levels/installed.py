"""The installed base: machines in the field ask for parts, so more machines ask for more.

Every part has a rate by machine and month for each model it is fitted in, found over the whole company. So the fleet of
a territory makes us *expect* so many pieces a month, in each past month and today. Two things follow:

- a part with a history of its own: what was asked of it came from the machines of those months, so its demand is
  multiplied by what is expected today ÷ what was expected on average then (`growth`);
- a young part, whose own months say little (phase-in): it begins with what is expected today (`begins`), else with its
  class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels.demand import CHANCE_FADES, Floats, Ints

YOUNG = 12  # known months below which a part's own say less than its machines
SMALLEST, LARGEST = 0.0, 4.0  # growth of a fleet that is believed


@dataclass(frozen=True, eq=False)
class Fleet:
    """What machines make us expect, by group of lines (a part in a territory)."""

    past: Floats  # (groups, months): pieces a month, the newest month last
    now: Floats  # (groups,): the same, today


def growth(fleet: Fleet, group: Ints, history: NDArray[np.floating]) -> Floats:
    """How many times as much as before is expected of each line, (lines,); `group` −1: nobody knows, so 1.

    Months count as they count for the demand: known ones only, older ones less. Without machines in those months
    nothing can be said, and 1 stands.
    """
    found = np.ones(len(group))
    rows = np.flatnonzero(group >= 0)
    if rows.size:
        fades = CHANCE_FADES ** np.arange(history.shape[1] - 1, -1, -1)
        counted = ~np.isnan(history[rows]) * fades
        weight = counted.sum(axis=1)
        before = (counted * fleet.past[group[rows]]).sum(axis=1) / np.maximum(weight, 1e-12)
        ratio = np.clip(fleet.now[group[rows]] / np.maximum(before, 1e-12), SMALLEST, LARGEST)
        found[rows] = np.where((weight > 0) & (before > 1e-9), ratio, 1.0)
    return found


def young(history: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Lines whose own months say little."""
    known: Ints = (~np.isnan(history)).sum(axis=1)
    return known < YOUNG


def begins(fleet: Fleet, group: Ints, share: Floats, history: NDArray[np.floating]) -> Floats:
    """Pieces a month that machines make us expect of each young line, (lines,); NaN for others. A line has a `share`
    of its territory's: a van one part of what all vans of its station use."""
    found = np.full(len(group), np.nan)
    rows = np.flatnonzero((group >= 0) & young(history))
    found[rows] = fleet.now[group[rows]] * share[rows]
    return found
