"""What will be asked for: the two-part empirical-Bayes estimate of a part's demand.

A month either sees demand or not (first part: the chance), and if so of some size (second part). The chance is a beta
distribution that begins as the one all parts of the class share, its weight found by the likelihood of what all of them
did (beta-binomial), and is moved by the part's own months; sizes are pulled towards the mean size of the class the
same way. Older months count less, by `CHANCE_FADES` and `SIZE_FADES` a month. So a part without history has the
class's demand, and one with a long history its own.

The constants were chosen on one half of the visible car parts and looked at on the other; of 36 choices around them
none needs 2 % more or less stock than all of them do on average (docs/decisions/0028).
"""

from dataclasses import dataclass
from math import lgamma
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

CHANCE_FADES, SIZE_FADES = 0.86, 0.95
SIZE_WEIGHT = 1.0  # demand months that the class's mean size is worth
LUMPS_WEIGHT = 5.0  # the same for how much sizes vary, which takes longer to be seen
WEIGHTS = np.geomspace(0.1, 50.0, 28)  # months that the class's chance may be worth
SAMPLE, FEWEST = 1_000, 30  # parts of a class whose likelihood is taken; smaller classes use what all share
BLOCK = 50_000  # lines at a time: what is in between would need five times the memory of a history
CERTAIN = 0.999


@dataclass(frozen=True, eq=False)
class Seen:
    """What past months say of each line, older ones counting less. All (lines,) but the last."""

    months: Floats  # known ones
    hits: Floats  # … that saw demand
    hits_of_size: Floats  # the same, fading as sizes do
    pieces: Floats
    pairs: Floats  # sum of x(x − 1): what sizes above one add to the variance
    a_month: float = 1.0  # columns of the history in a month


@dataclass(frozen=True, eq=False)
class Prior:
    """What the lines of a class share. All (classes,)."""

    chance: Floats  # that a month sees demand
    weight: Floats  # in months
    size: Floats  # pieces in a demand month
    lumps: Floats  # E[x(x − 1)] ÷ size(size − 1)


@dataclass(frozen=True, eq=False)
class Demand:
    """What a month may ask of each line: moments over the uncertain chance and size. All (lines,)."""

    chance: Floats  # mean chance of a demand month
    chance2: Floats  # mean of its square
    size: Floats  # mean pieces in a demand month
    size2: Floats  # mean square of the unknown mean size
    pieces2: Floats  # mean square of the pieces in a demand month

    @property
    def rate(self) -> Floats:
        """Pieces a month."""
        return self.chance * self.size

    def over(self, months: Floats, doubt: Floats | float = 0.0) -> tuple[Floats, Floats]:
        """Mean and variance of the pieces asked for in so many months (any positive number), when that time itself
        has a standard deviation of `doubt` months.

        Months differ independently, so that part of the variance grows with their number; the true chance and size
        are the same in all of them, so what we do not know of these grows with the square.
        """
        within = self.chance * self.pieces2 - self.chance2 * self.size2
        between = self.chance2 * self.size2 - self.rate**2
        mean = months * self.rate
        variance = months * within + months**2 * between + np.square(doubt) * self.rate**2
        return mean, np.maximum(variance, mean)

    def some(self, rows: Ints) -> "Demand":
        """Of these lines alone."""
        return Demand(*(one[rows] for one in (self.chance, self.chance2, self.size, self.size2, self.pieces2)))

    def times(self, share: Floats) -> "Demand":
        """The same with the chance of a demand month multiplied: 0 where a part is phased out."""
        share = np.minimum(share, CERTAIN / np.maximum(self.chance, 1e-12))
        return Demand(self.chance * share, self.chance2 * share**2, self.size, self.size2, self.pieces2)


def seen(history: NDArray[np.floating], a_month: float = 1.0) -> Seen:
    """Sums over a history of (lines, months), NaN where nobody knows, the newest month last.

    Its columns may be shorter than months, `a_month` of them in one; everything is told by column then. Raises
    ValueError for amounts that are negative or infinite.
    """
    ages = np.arange(history.shape[1] - 1, -1, -1) / a_month
    fades = np.stack([CHANCE_FADES**ages, SIZE_FADES**ages], axis=1).astype(np.float32)
    blocks = [_seen(history[at : at + BLOCK], fades) for at in range(0, len(history), BLOCK)]
    months, hits, sizes, pieces, pairs = np.concatenate([*blocks, np.zeros((5, 0))], axis=1)
    return Seen(months, hits, sizes, pieces, pairs, a_month)


def _seen(history: NDArray[np.floating], fades: NDArray[np.float32]) -> Floats:
    amounts = history.astype(np.float32)
    unknown = np.isnan(amounts)
    gaps = fades.sum(axis=0) - unknown.astype(np.float32) @ fades if unknown.any() else None
    if gaps is None:
        months = np.full(len(amounts), fades[:, 0].sum())
    else:
        months, amounts = np.maximum(gaps[:, 0], 0.0), np.where(unknown, np.float32(0), amounts)
    if amounts.size and not (amounts.min() >= 0 and np.isfinite(amounts.max())):
        raise ValueError("a history holds amounts of zero or more, and NaN where nobody knows")
    hits = (amounts > 0).astype(np.float32) @ fades
    pieces = amounts @ fades[:, 1]
    pairs = np.maximum((amounts * amounts) @ fades[:, 1] - pieces, 0.0)
    return np.stack([months, hits[:, 0], hits[:, 1], pieces, pairs]).astype(np.float64)


def prior(of: Seen, classes: Ints | None = None) -> Prior:
    """What lines of a class share; `classes` numbers them from 0 (all alike when left out).

    A class of fewer than `FEWEST` lines gets what all lines share.
    """
    classes = np.zeros(len(of.months), dtype=np.int64) if classes is None else classes
    common = _shared(of, np.arange(len(of.months)))
    rows = [common]
    if classes.size and classes.max() > 0:
        members = [np.flatnonzero(classes == at) for at in range(int(classes.max()) + 1)]
        rows = [_shared(of, some) if len(some) >= FEWEST else common for some in members]
    return Prior(*np.array(rows).T)


def _shared(of: Seen, some: Ints) -> tuple[float, float, float, float]:
    """Chance, weight, size and lumps of these lines; a little demand where none of them ever saw any."""
    months, hits = of.months[some], of.hits[some]
    chance = float((hits.sum() + 0.5) / (months.sum() + 10.0))
    sizes, pieces = of.hits_of_size[some], of.pieces[some]
    size = float((pieces.sum() + 1.0) / (sizes.sum() + 1.0))
    usual = (SIZE_WEIGHT * size + pieces) / (SIZE_WEIGHT + sizes)
    lumps = float((of.pairs[some].sum() + 1e-9) / max(1e-9, (sizes * usual * (usual - 1.0)).sum()))
    known = some[months > 0]
    sample = known[:: max(1, len(known) // SAMPLE)]
    weights = WEIGHTS * of.a_month
    weight = _weight(weights, chance, of.hits[sample], of.months[sample]) if len(sample) else float(weights[0])
    return chance, weight, size, lumps


def _weight(weights: Floats, chance: float, hits: Floats, months: Floats) -> float:
    """The weight, of these, under which what these lines did was most likely (beta-binomial)."""
    gamma = np.vectorize(lgamma, otypes=[np.float64])
    misses = np.maximum(months - hits, 0.0)
    likely = []
    for weight in weights:
        a, b = chance * weight, (1.0 - chance) * weight
        own = gamma(a + hits) + gamma(b + misses) - gamma(weight + hits + misses)
        likely.append(float(own.sum()) - len(hits) * (lgamma(a) + lgamma(b) - lgamma(weight)))
    return float(weights[int(np.argmax(likely))])


def estimate(of: Seen, shared: Prior, classes: Ints | None = None, installed: Floats | None = None) -> Demand:
    """The demand of each line: what its class shares, moved by its own months.

    `installed` are the pieces a month that the installed base makes us expect (units × pieces × hours ÷ MTBF, F10), NaN
    where nobody reckoned; there it takes the place of the class's chance.
    """
    at = np.zeros(len(of.months), dtype=np.int64) if classes is None else classes
    size0, weight, lumps = shared.size[at], shared.weight[at], shared.lumps[at]
    chance0 = shared.chance[at]
    if installed is not None:
        chance0 = np.where(np.isnan(installed), chance0, np.clip(installed / size0, 1e-9, CERTAIN))
    a, all_ = chance0 * weight + of.hits, weight + np.maximum(of.months, of.hits)
    chance = a / all_
    size = (SIZE_WEIGHT * size0 + of.pieces) / (SIZE_WEIGHT + of.hits_of_size)
    pairs = (LUMPS_WEIGHT * lumps * size * np.maximum(size - 1.0, 0.0) + of.pairs) / (LUMPS_WEIGHT + of.hits_of_size)
    pieces2 = np.maximum(pairs + size, size**2)
    size2 = size**2 + (pieces2 - size**2) / (SIZE_WEIGHT + of.hits_of_size + 1.0)
    return Demand(chance, chance * (a + 1.0) / (all_ + 1.0), size, size2, pieces2)
