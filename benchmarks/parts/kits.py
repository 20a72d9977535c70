"""Jobs whose whole kit is there at the first visit, with the stock that the best min/max rule needs for nine in ten.

Jobs are drawn from the car parts: the lines of a month (each part's demand in it) are shuffled and dealt to jobs of one
to eight lines, all sizes alike (`jobs`, the same for the same seed). A job is complete when each of its lines lies on
the shelf. Lead time one month, the last 24 months are scored as in `levels/backtest.py`; every rule as published, swept
by its knob. Our levels weigh lines by the jobs of the two years before (`levels/kits.py`) and sweep the price of money;
by lines alone they are shown beside it.
"""

import numpy as np

from benchmarks.results import Measure
from fieldservice.parts.levels import calibration
from fieldservice.parts.levels.backtest import SCORED, Point, needed, rule_levels
from fieldservice.parts.levels.demand import Floats, Ints
from fieldservice.parts.levels.kits import Kits, relevel_for
from fieldservice.parts.levels.rules import RULES
from fieldservice.parts.levels.simulation import filled
from fieldservice.parts.levels.stock import Shelf, demand_of

LEAD, LARGEST, SEED = 1, 8, 20261127
NINE, TARGET = 0.90, 95.0
RATES = np.geomspace(0.01, 0.0001, 17)
RECENT = 24  # months of jobs that lines are weighed by


def jobs(demand: Floats, seed: int = SEED) -> Ints:
    """The job of each line, numbered from 0 in the order of months; −1 where a part saw no demand. (parts, months)"""
    dice = np.random.default_rng(seed)
    found, job = np.full(demand.shape, -1), 0
    for month in range(demand.shape[1]):
        left = dice.permutation(np.flatnonzero(demand[:, month] > 0))
        while len(left):
            size = int(dice.integers(1, LARGEST + 1))
            found[left[:size], month] = job
            left, job = left[size:], job + 1
    return found


def figures(demand: Floats) -> list[Measure]:
    """Percent of jobs complete, by kits and by lines."""
    dealt, learn = jobs(demand), demand.shape[1] - SCORED
    rules = {
        name: needed([_done(one, demand, dealt, learn) for one in rule_levels(name, demand, learn, LEAD)], NINE)
        for name in RULES
    }
    stock, name = min((stock, name) for name, stock in rules.items() if stock is not None)
    by_line = calibration.roll(_shelf(demand), learn, RATES).levels
    by_kit = np.stack([_by_kit(demand, dealt, month) for month in range(learn, demand.shape[1])], axis=2)
    measures = []
    for title, levels, target in (("by kits", by_kit, TARGET), ("by lines", by_line, None)):
        points = [_done(one, demand, dealt, learn) for one in levels]
        measures.append(
            Measure(f"jobs of 1–{LARGEST} parts complete, levels {title}", 100 * _with(stock, points), "%", "higher",
                    100 * NINE, f"{name} with the same stock", target)
        )  # fmt: skip
    return measures


def _shelf(history: Floats) -> Shelf:
    return Shelf(history, np.full(len(history), float(LEAD)), np.ones(len(history)))


def _by_kit(demand: Floats, dealt: Ints, month: int) -> Floats:
    """Levels of (prices, parts) for a month, lines weighed by the jobs of the months before it."""
    shelf = _shelf(demand[:, :month])
    line, _month = np.nonzero(dealt[:, max(0, month - RECENT) : month] >= 0)
    past = dealt[:, max(0, month - RECENT) : month]
    job = past[past >= 0]
    known, numbered = np.unique(job, return_inverse=True)
    kits, expected = Kits(numbered, line, np.ones(len(known))), demand_of(shelf)
    return np.stack([relevel_for(shelf, kits, rate, expected).level for rate in RATES]).astype(np.float64)


def _done(levels: Floats, demand: Floats, dealt: Ints, learn: int) -> Point:
    """Jobs complete and mean stock of one setting."""
    lead = np.full(len(demand), LEAD)
    served, stock = filled(levels, demand[:, learn:], lead)
    later = dealt[:, learn:]
    asked = later >= 0
    job = later[asked] - later[asked].min()
    complete = np.ones(job.max() + 1, dtype=bool)
    np.logical_and.at(complete, job, served[asked])
    return Point(float(complete.mean()), float(stock.mean()))


def _with(stock: float, points: list[Point]) -> float:
    """The share reached with this stock, between two settings on a straight line."""
    ordered = sorted(points, key=lambda one: one.stock)
    if not ordered[0].stock <= stock <= ordered[-1].stock:
        raise AssertionError("the prices of money tried do not enclose the stock asked for")
    return float(np.interp(stock, [one.stock for one in ordered], [one.share for one in ordered]))
