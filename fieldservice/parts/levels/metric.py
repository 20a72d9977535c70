"""Two echelons: how stock is shared between a central store and stations (METRIC, Sherbrooke 1968, as bettered by
Graves 1985).

Stations ask the centre for every piece they hand out, the centre its supplier. What is on its way to the centre is
Poisson with the mean rate × lead time, so what the centre owes has a mean and a variance for each central level. A
station's part of that (each piece owed is its own with the chance its rate ÷ the whole rate) and what is on the road to
it are what it waits for; these are taken as negative binomial of their mean and variance. (METRIC's own Poisson knows
the mean alone, and told 14 % too little of what is owed in one of the cases that the tests simulate.)
Of all shares the one is found that makes, with `ask` the price of money × the part's price,

    pieces owed to customers + ask × pieces held anywhere

least: for each central level a station takes pieces as long as the next saves at least `ask` owed; central levels are
tried from nothing until not even stations that never wait for the centre could make up for one more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels.demand import Floats, Ints
from fieldservice.parts.levels.spread import Spread, lumps

ONE = np.ones(1)  # pieces are counted one by one
BLOCK = 20_000  # pairs of part and station at a time
MOST = 600.0  # pieces on their way to the centre: METRIC is for slow movers, and exp(−MOST) can be written


def late(mean: Floats, variance: Floats, level: Ints) -> tuple[Floats, Floats]:
    """Mean, and mean square, of the pieces a store owes that has so many and is asked for so much meanwhile. All
    (lines,); negative binomial, wide ones in lumps."""
    lump = lumps(mean, variance)
    spread, wanted = Spread.of(mean, variance, lump), np.floor(level / lump)
    owed, square = np.empty(len(mean)), np.empty(len(mean))
    steps = wanted - spread.begins
    order = np.argsort(steps, kind="stable")
    for rows in (order[at : at + BLOCK] for at in range(0, len(order), BLOCK)):
        owed[rows], square[rows] = _late(spread.some(rows), wanted[rows])
    return owed * lump, square * lump**2


def _late(spread: Spread, wanted: Floats) -> tuple[Floats, Floats]:
    """From the amount on below which the chance of anything is nothing, piece after piece."""
    amount = np.minimum(spread.begins.astype(np.float64), wanted)
    chance = np.where(amount < spread.begins, 0.0, spread.chance_of(amount.astype(np.int64)))
    more, owed = 1.0 - chance, spread.mean - amount
    square = spread.mean / (1.0 - spread.q) + owed**2
    for _piece in range(int((wanted - amount).max(initial=0))):
        going = amount < wanted
        square = np.where(going, np.maximum(square - 2.0 * owed + more, 0.0), square)
        owed = np.where(going, np.maximum(owed - more, 0.0), owed)
        chance = spread.next(chance, amount)
        amount = amount + 1.0
        more = np.maximum(more - chance, 0.0)
    return owed, square


def waits(mean: Floats, variance: Floats, level: Ints, rate: Floats) -> tuple[Floats, Floats]:
    """Months that a piece asked of a store lets wait on average, and their standard deviation, (lines,): of what the
    store owes, each piece waits as long as the store takes to be asked for as many (Little). The deviation is what
    Graves adds to METRIC for those the store feeds: what is owed varies by more than single pieces do."""
    owed, square = late(mean, variance, level)
    often = np.maximum(rate, 1e-12)
    return owed / often, np.sqrt(np.maximum(square - owed**2 - owed, 0.0)) / often


@dataclass(frozen=True, eq=False)
class Network:
    """Parts, the stations that need them, and how long things take."""

    rate: Floats  # (parts, stations): pieces a month
    lead: Floats  # (parts,): months from the supplier to the centre
    transport: Floats  # (stations,): months from the centre to a station
    price: Floats  # (parts,)

    def __post_init__(self) -> None:
        parts, stations = self.rate.shape
        if (self.lead.shape, self.price.shape, self.transport.shape) != ((parts,), (parts,), (stations,)):
            raise ValueError("lead times and prices are by part, transport by station")
        if not ((self.rate >= 0).all() and (self.lead >= 0).all() and (self.transport >= 0).all()):
            raise ValueError("rates and times must not be negative")
        if not (self.price > 0).all():
            raise ValueError("every price must be above zero")
        longest = self.lead + self.transport.max(initial=0.0)
        if (self.rate.sum(axis=1) * longest > MOST).any():
            raise ValueError(f"more than {MOST:g} pieces on their way: METRIC is for slow movers")


@dataclass(frozen=True, eq=False)
class Shared:
    """Where pieces belong, and what customers still wait for."""

    central: Ints  # (parts,)
    stations: Ints  # (parts, stations)
    owed: Floats  # (parts,): pieces owed to customers on average


def awaited(rate: Floats, transport: Floats, owed: Floats, square: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of what each station, (parts, stations), waits for, when the centre owes so much on average,
    (parts,), with that mean square."""
    part = rate / np.maximum(rate.sum(axis=1, keepdims=True), 1e-12)
    own = part * owed[:, None]
    road = rate * transport
    return road + own, road + own * (1.0 - part) + part**2 * (square - owed**2)[:, None]


def still_owed(mean: Floats, variance: Floats, level: Ints) -> Floats:
    """Pieces owed on average where so many lie and so much is waited for (negative binomial); any one shape."""
    spread = Spread.of(mean, variance, ONE)
    chance = np.exp(spread.r * np.log1p(-spread.q))
    more, found = 1.0 - chance, mean.copy()  # P(amount > k), from k = 0
    for amount in range(int(level.max(initial=0))):
        found = np.where(level > amount, found - more, found)
        chance = spread.next(chance, float(amount))
        more = np.maximum(more - chance, 0.0)
    return np.maximum(found, 0.0)


def share(network: Network, rate_of_money: float) -> Shared:
    """Share pieces at one price of money: pieces owed on average that one unit of money on a shelf must save."""
    if not rate_of_money > 0:
        raise ValueError("the price of money must be above zero")
    parts, stations = network.rate.shape
    found = Shared(np.zeros(parts, dtype=np.int64), np.zeros((parts, stations), dtype=np.int64), np.zeros(parts))
    order = np.argsort(network.rate.sum(axis=1) * network.lead, kind="stable")
    size = max(1, BLOCK // max(1, stations))
    for rows in (order[at : at + size] for at in range(0, parts, size)):
        _share(network, rows, rate_of_money * network.price[rows], found)
    return found


class _Centre:
    """What the centre owes, for one level after the other from nothing on. All (parts,)."""

    def __init__(self, mean: Floats) -> None:
        self.mean, self.level = mean, 0
        self.chance = np.exp(-mean)  # of so many pieces being on their way
        self.more = 1.0 - self.chance
        self.owed, self.square = mean, mean + mean**2

    def step(self) -> None:
        """One piece more."""
        self.square = np.maximum(self.square - 2.0 * self.owed + self.more, 0.0)
        self.owed = np.maximum(self.owed - self.more, 0.0)
        self.level += 1
        self.chance = self.chance * self.mean / self.level
        self.more = np.maximum(self.more - self.chance, 0.0)

    def keep(self, going: NDArray[np.bool_]) -> None:
        """Go on with these parts alone."""
        for name in ("mean", "chance", "more", "owed", "square"):
            setattr(self, name, getattr(self, name)[going])


def _share(network: Network, rows: Ints, ask: Floats, found: Shared) -> None:
    """Try central levels for these parts until none can be better, and keep the best."""
    rate, transport = network.rate[rows], network.transport
    centre = _Centre(rate.sum(axis=1) * network.lead[rows])
    road = rate * transport
    bound = _stations(road, road, ask)[2]  # what stations cost that never wait for the centre
    best = np.full(len(rows), np.inf)
    while len(rows):
        waits = awaited(rate, transport, centre.owed, centre.square)
        levels, waiting, cost = _stations(*waits, ask)
        cost = cost + ask * centre.level
        better = cost < best
        at = rows[better]
        found.central[at], found.stations[at], found.owed[at] = centre.level, levels[better], waiting[better]
        best = np.minimum(best, cost)
        centre.step()
        going = bound + ask * centre.level < best
        if not going.all():
            rows, rate, ask, bound, best = rows[going], rate[going], ask[going], bound[going], best[going]
            centre.keep(going)


def _stations(mean: Floats, variance: Floats, ask: Floats) -> tuple[Ints, Floats, Floats]:
    """Levels of (parts, stations) for what they wait for; pieces owed and the whole cost, by part."""
    spread = Spread.of(mean, variance, ONE)
    chance = np.exp(spread.r * np.log1p(-spread.q))
    more, waiting, level = 1.0 - chance, mean.copy(), np.zeros(mean.shape, dtype=np.int64)
    amount = 0
    while (pays := more >= ask[:, None]).any():
        level += pays
        waiting -= np.where(pays, more, 0.0)
        chance = spread.next(chance, float(amount))
        amount += 1
        more -= chance
    still = np.maximum(waiting, 0.0).sum(axis=1)
    return level, still, still + ask * level.sum(axis=1)
