"""How long many levels take: half a million part-places, and 10,000 parts over 50 stations; each in its own process.

Demand is drawn: rates from a gamma distribution (a few fast movers, many slow ones), 36 months of history with one line
in twenty new (its first two years unknown), lead times of 0.2 to 3 months, log-normal prices, all four criticalities.
"""

import multiprocessing
from collections.abc import Callable
from time import process_time
from typing import NamedTuple

import numpy as np

from benchmarks.memory import peak_mb
from benchmarks.results import Measure
from fieldservice.parts.levels.metric import Network, share
from fieldservice.parts.levels.rules import normal
from fieldservice.parts.levels.stock import FLOORS, Shelf, floors_of, relevel

RUNS = 3  # the quickest is told
LINES, MONTHS, SEED = 500_000, 36, 7
PARTS, STATIONS = 10_000, 50
RELEVEL_S, METRIC_S, METRIC_MB = 3.0, 5.0, 200.0
PRICES_OF_MONEY = (0.05, 0.005, 0.0005)  # pieces owed saved by one unit of money; the slowest of them is told


class Took(NamedTuple):
    """What a process used."""

    seconds: float  # of CPU, all threads: others may work on the same machine
    baseline: float  # seconds of the same for a simple rule, in the same process
    peak_mb: float


def relevelled() -> list[Measure]:
    """Seconds from histories to levels with their chances and reasons, beside mean + z deviations in NumPy."""
    took = _alone(_relevel)
    name = f"{LINES:,} part-places re-levelled"
    return [
        Measure(
            name, took.seconds, "CPU s", "lower", took.baseline, "mean and deviations alone, 92 settings", RELEVEL_S
        ),
        Measure(f"{name}, peak memory", took.peak_mb, "MB", "lower"),
    ]


def shared() -> list[Measure]:
    """Seconds and memory of one price of money over two echelons, beside stations that never wait for a centre."""
    took = _alone(_metric)
    name = f"METRIC, {PARTS:,} parts × {STATIONS} stations, one price of money"
    return [
        Measure(name, took.seconds, "CPU s", "lower", took.baseline, "a centre that is never out", METRIC_S),
        Measure(f"{name}, peak memory", took.peak_mb, "MB", "lower", target=METRIC_MB),
    ]


def _alone(work: Callable[[], Took]) -> Took:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def _relevel() -> Took:
    dice = np.random.default_rng(SEED)
    rate = dice.gamma(0.4, 1.0, LINES)
    history = dice.poisson(rate[:, None], (LINES, MONTHS)).astype(np.float32)
    history[: LINES // 20, :24] = np.nan
    shelf = Shelf(
        history, dice.uniform(0.2, 3.0, LINES), dice.lognormal(4.0, 1.2, LINES),
        classes=dice.integers(0, 8, LINES), floor=floors_of(dice.choice(list(FLOORS), LINES)),
    )  # fmt: skip
    times = []
    for _run in range(RUNS):
        begin = process_time()
        relevel(shelf, 0.0001)
        times.append(process_time() - begin)
    took, peak = min(times), peak_mb()
    begin = process_time()
    for at in range(0, LINES, 50_000):
        normal(np.nan_to_num(history[at : at + 50_000]).astype(np.float64), 2)
    return Took(took, process_time() - begin, peak)


def _shared(network: Network, price: float) -> float:
    begin = process_time()
    share(network, price)
    return process_time() - begin


def _metric() -> Took:
    dice = np.random.default_rng(SEED)
    rate = dice.gamma(0.5, 12.0, PARTS)[:, None] * dice.dirichlet(np.full(STATIONS, 2.0), PARTS)  # 6 a month each
    lead = dice.uniform(0.5, 3.0, PARTS)
    network = Network(rate, lead, dice.uniform(0.03, 0.3, STATIONS), dice.lognormal(2.0, 1.0, PARTS))
    times = [min(_shared(network, price) for _run in range(RUNS)) for price in PRICES_OF_MONEY]
    peak = peak_mb()
    begin = process_time()
    share(Network(rate, np.zeros(PARTS), network.transport, network.price), PRICES_OF_MONEY[int(np.argmax(times))])
    return Took(max(times), process_time() - begin, peak)
