"""Two echelons: how stock is shared between a central store and stations (METRIC; Sherbrooke 1968).

Stations ask the centre for every piece they hand out, the centre its supplier. What is on its way to the centre is Poisson
with the mean rate × lead time, so the centre owes `EBO(s0)` pieces on average, and a station waits `EBO(s0) ÷ rate` months
longer than its transport (Little). What is on its way to a station is taken as Poisson of that mean. Of all shares the one
is found that makes, with `ask` the price of money × the part's price,

    pieces owed to customers + ask × pieces held anywhere

least: for each central level a station takes pieces as long as the next saves at least `ask` owed; central levels are
tried from nothing until not even stations that never wait for the centre could make up for one more.
"""

from dataclasses import dataclass

import numpy as np

from fieldservice.parts.levels.demand import Floats, Ints

BLOCK = 20_000  # pairs of part and station at a time
MOST = 600.0  # pieces on their way to the centre: METRIC is for slow movers, and exp(−MOST) can be written


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


def owed(mean: Floats, level: Ints) -> Floats:
    """Pieces owed on average with so many pieces and Poisson demand of this mean on its way; any one shape."""
    chance = np.exp(-mean)
    more, found = 1.0 - chance, mean.copy()  # P(amount > k), from k = 0
    for amount in range(int(level.max(initial=0))):
        found = np.where(level > amount, found - more, found)
        chance = chance * mean / (amount + 1.0)
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


def _share(network: Network, rows: Ints, ask: Floats, found: Shared) -> None:
    """Try central levels for these parts until none can be better, and keep the best."""
    rate, transport = network.rate[rows], network.transport
    total = rate.sum(axis=1)
    mean = total * network.lead[rows]
    chance = np.exp(-mean)
    more, central_owed = 1.0 - chance, mean.copy()
    bound = _stations(rate * transport, ask)[2]  # what stations cost that never wait for the centre
    best = np.full(len(rows), np.inf)
    central = 0
    while len(rows):
        wait = central_owed / np.maximum(total, 1e-12)
        levels, waiting, cost = _stations(rate * (transport + wait[:, None]), ask)
        cost = cost + ask * central
        better = cost < best
        at = rows[better]
        found.central[at], found.stations[at], found.owed[at] = central, levels[better], waiting[better]
        best = np.minimum(best, cost)
        central_owed = np.maximum(central_owed - more, 0.0)
        central += 1
        chance = chance * mean / central
        more = np.maximum(more - chance, 0.0)
        going = bound + ask * central < best
        if not going.all():
            rows, rate, total, mean, ask = rows[going], rate[going], total[going], mean[going], ask[going]
            chance, more, central_owed = chance[going], more[going], central_owed[going]
            bound, best = bound[going], best[going]


def _stations(mean: Floats, ask: Floats) -> tuple[Ints, Floats, Floats]:
    """Levels of (parts, stations) for amounts of these means on their way; pieces owed and the whole cost, by part."""
    chance = np.exp(-mean)
    more, waiting, level = 1.0 - chance, mean.copy(), np.zeros(mean.shape, dtype=np.int64)
    amount = 0
    while (pays := more >= ask[:, None]).any():
        level += pays
        waiting -= np.where(pays, more, 0.0)
        amount += 1
        chance *= mean
        chance /= amount
        more -= chance
    still = np.maximum(waiting, 0.0).sum(axis=1)
    return level, still, still + ask * level.sum(axis=1)
