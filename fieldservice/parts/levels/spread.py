"""How amounts spread: the negative binomial of a given mean and variance, worked by recursion over many lines at once.

With r = mean² ÷ (variance − mean) and q = 1 − mean ÷ variance, the chance of no piece is (1 − q)^r, and each next is
the one before × (r + k − 1) ÷ k × q. A variance close to the mean is the Poisson's. Two things keep the recursion
short and exact for large amounts: it begins twelve standard deviations below the mean where the chance of nothing
cannot be written as a number, and very wide spreads are counted in lumps of a fiftieth of a standard deviation.
"""

from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from fieldservice.parts.levels.demand import Floats, Ints

POISSON = 1.001  # variance ÷ mean at the least: below, r would be too large for floating point
SMALLEST = -500.0  # the logarithm of a chance from which the recursion can begin
FAR, GRAIN = 12.0, 50.0  # standard deviations: where it begins otherwise; lumps in one


@dataclass(frozen=True, eq=False)
class Spread:
    """Amounts of many lines. All (lines,); `Spread.of` makes one from mean and variance."""

    r: Floats
    q: Floats
    mean: Floats  # in lumps

    @classmethod
    def of(cls, mean: Floats, variance: Floats, lump: Floats) -> "Spread":
        """The spread of amounts counted in lumps."""
        mean = np.maximum(mean / lump, 1e-12)
        variance = np.maximum(variance / lump**2, mean * POISSON)
        return cls(mean**2 / (variance - mean), 1.0 - mean / variance, mean)

    def some(self, rows: Ints) -> "Spread":
        """Of these lines alone."""
        return Spread(self.r[rows], self.q[rows], self.mean[rows])

    @property
    def begins(self) -> Ints:
        """The amount below which the chance of anything is nothing."""
        far = self.mean - FAR * np.sqrt(self.mean / (1.0 - self.q))
        hopeless = self.r * np.log1p(-self.q) < SMALLEST
        return np.where(hopeless, np.maximum(far, 0.0), 0.0).astype(np.int64)

    def chance_of(self, amount: Ints) -> Floats:
        """The chance of exactly this amount."""
        found = np.exp(self.r * np.log1p(-self.q))
        for row in np.flatnonzero(amount > 0):
            k, r, q = int(amount[row]), float(self.r[row]), float(self.q[row])
            logarithm = lgamma(k + r) - lgamma(r) - lgamma(k + 1.0) + r * np.log1p(-q) + k * log(q)
            found[row] = np.exp(logarithm)
        return found

    def next(self, chance: Floats, amount: Floats | float) -> Floats:
        """The chance of one more than this amount, from that of the amount."""
        following: Floats = chance * (self.r + amount) / (amount + 1.0) * self.q
        return following


def lumps(mean: Floats, variance: Floats) -> Floats:
    """How many pieces may be counted as one without anybody noticing: 1 for all ordinary parts."""
    wide = np.minimum(np.sqrt(variance) / GRAIN, variance / np.maximum(mean, 1e-12))
    return np.maximum(1.0, np.floor(wide))
