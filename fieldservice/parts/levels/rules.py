"""Eight usual rules for min/max levels, each with one knob, as they are published: what our levels are compared with.

Every rule orders up to its level at each review, so max = min + 1: with orders that cost nothing, any larger max
needs more stock for the same lines. A rule gets the months before the level and the months that the level must cover
(review + lead), and answers with a level for every value of its knob. Knobs go on until more would be absurd; nothing
is bounded to make a rule look worse.
"""

from collections.abc import Callable
from math import sqrt
from typing import Literal

import numpy as np

from fieldservice.parts.levels.demand import Floats

Rule = Callable[[Floats, int], Floats]  # past (parts, months), horizon → levels (knobs, parts)

SAFETY = np.concatenate([np.arange(0.0, 6.0, 0.1), np.arange(6.0, 20.0, 0.5), np.arange(20.0, 81.0, 5.0)])
NINES = 1.0 - 10.0 ** -np.arange(0.1, 14.0, 0.1)  # chances of being enough: 20 % … 99.999999999999 %
SHARES = np.concatenate([np.arange(0.30, 0.95, 0.05), np.arange(0.95, 1.0001, 0.005)])
TIMES = np.concatenate([np.arange(1.1, 4.0, 0.1), np.arange(4.0, 30.0, 1.0)])  # the largest, where no share is enough
ALPHA = 0.1  # smoothing of the Croston family: the usual 0.05 … 0.2
DRAWS, RECENT, YEAR = 500, 24, 12


def _up(levels: Floats) -> Floats:
    whole: Floats = np.ceil(levels - 1e-9)
    return whole


def normal(past: Floats, horizon: int) -> Floats:
    """Mean + z × deviation of the last year: h·m + z·s·√h (Silver, Pyke and Thomas 2017)."""
    year = past[:, -YEAR:]
    mean, deviation = year.mean(axis=1), year.std(axis=1, ddof=1)
    return _up(horizon * mean + SAFETY[:, None] * deviation * sqrt(horizon))


def poisson(past: Floats, horizon: int) -> Floats:
    """The amount that is enough with a chance, demand being Poisson with the mean of the last year."""
    mean = horizon * past[:, -YEAR:].mean(axis=1)
    levels, chance = np.zeros((len(NINES), len(past))), np.exp(-mean)
    enough, amount = chance.copy(), 0
    while (short := enough[None, :] < NINES[:, None]).any() and amount < 10 * mean.max(initial=1.0) + 100:
        amount += 1
        chance = chance * mean / amount
        enough = enough + chance
        levels[short] = amount
    return levels


def largest(past: Floats, horizon: int) -> Floats:
    """A multiple of the most that any `horizon` months on end of the last year asked for."""
    multiples = np.concatenate([np.arange(0.2, 1.1, 0.1), TIMES])
    return _up(multiples[:, None] * _sums(past[:, -max(YEAR, horizon) :], horizon).max(axis=1))


def empirical(past: Floats, horizon: int) -> Floats:
    """The share of sums of `horizon` months on end, over two years, that is to be enough (Porras and Dekker 2008);
    beyond all of them, multiples of the largest."""
    return _shares(_sums(past[:, -max(RECENT, horizon) :], horizon))


def bootstrap(past: Floats, horizon: int) -> Floats:
    """The same of 500 sums of months drawn from two years (Bookbinder and Lordahl 1989)."""
    recent = past[:, -RECENT:]
    dice = np.random.default_rng(20261127)
    drawn = np.zeros((len(past), DRAWS))
    for _month in range(horizon):
        drawn += np.take_along_axis(recent, dice.integers(0, recent.shape[1], (len(past), DRAWS)), axis=1)
    return _shares(drawn)


def _shares(sums: Floats) -> Floats:
    within = np.quantile(sums, np.minimum(SHARES, 1.0), axis=1)
    return _up(np.concatenate([within, TIMES[:, None] * sums.max(axis=1)]))


def _sums(past: Floats, horizon: int) -> Floats:
    """Sums of `horizon` months on end, (parts, sums)."""
    total = np.cumsum(np.pad(past, ((0, 0), (1, 0))), axis=1)
    return total[:, horizon:] - total[:, :-horizon]


Kind = Literal["croston", "sba", "tsb"]


def forecasts(past: Floats, kind: Kind) -> Floats:
    """Forecasts of the Croston family for every month and the one after the last, (parts, months + 1).

    Croston (1972): sizes and intervals smoothed where there is demand. SBA (Syntetos and Boylan 2005): the same ×
    (1 − α/2). TSB (Teunter, Syntetos and Babai 2011): the chance of demand smoothed every month. All begin with the
    first demand.
    """
    parts, months = past.shape
    found = np.zeros((parts, months + 1))
    size, often, since, begun = np.zeros(parts), np.ones(parts), np.ones(parts), np.zeros(parts, dtype=bool)
    for month in range(months):
        asked = past[:, month]
        hit = asked > 0
        size = np.where(hit, np.where(begun, size + ALPHA * (asked - size), asked), size)
        if kind == "tsb":
            often = np.where(begun, often + ALPHA * (hit - often), np.where(hit, 1.0 / (month + 1), often))
            rate = size * often
        else:
            often = np.where(hit, np.where(begun, often + ALPHA * (since - often), since), often)
            rate = size / often * (1.0 - ALPHA / 2.0 if kind == "sba" else 1.0)
        since = np.where(hit, 1.0, since + 1.0)
        begun |= hit
        found[:, month + 1] = np.where(begun, rate, 0.0)
    return found


def _family(kind: Kind) -> Rule:
    def rule(past: Floats, horizon: int) -> Floats:
        found = forecasts(past, kind)
        error = np.zeros(len(past))
        for month in range(past.shape[1]):
            square = (past[:, month] - found[:, month]) ** 2
            error = square if month == 0 else error + ALPHA * (square - error)
        return _up(horizon * found[:, -1] + SAFETY[:, None] * np.sqrt(error * horizon))

    return rule


RULES: dict[str, Rule] = {
    "normal": normal,
    "poisson": poisson,
    "largest": largest,
    "empirical": empirical,
    "bootstrap": bootstrap,
    "croston": _family("croston"),
    "sba": _family("sba"),
    "tsb": _family("tsb"),
}
