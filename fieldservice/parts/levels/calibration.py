"""What price of money keeps an asked share of lines: learned from past months, each levelled by those before it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.simulation import Kept, kept
from fieldservice.parts.levels.stock import Shelf, demand_of
from fieldservice.parts.levels.worth import Cycle, enough_for, worthwhile

RATES = np.geomspace(0.6, 0.0003, 61)  # prices of money tried, for a part of the usual price; stock grows along them
LEARNED_BY = 12  # months of history before the first level
ROLL_FROM, ROLLED = 2, 4  # months after the first until a price is learned from them; months it must have been used
SAMPLE = 10_000  # lines that a price is learned on: three years of all prices take 60 MB


@dataclass(frozen=True, eq=False)
class Rolling:
    """Levels of every month from `first` on, at every price of money, and what they would have done."""

    first: int
    rates: Floats  # (prices,), falling
    demand: Floats  # (parts, months)
    lead: Ints  # whole months, by part
    levels: NDArray[np.float32]  # (prices, parts, months); whole pieces, which these hold exactly up to 16 million
    kept: tuple[Kept, ...]  # of each price

    def at(self, ask: float, month: int) -> int:
        """Which price would have kept this share of lines in the months before `month`, all that is known then."""
        shares = np.array([one.share(slice(0, month - self.first)) for one in self.kept])
        return int(np.argmin(np.abs(shares - ask)))

    def asked(self, ask: float, begin: int) -> NDArray[np.float32]:
        """Levels of (parts, months from `begin` on), every month at the price that was learned before it.

        What was missed of the asked share since `begin` is asked for on top, and what was too much is given back.
        """
        chosen: list[NDArray[np.float32]] = []
        for month in range(begin, self.first + self.levels.shape[2]):
            missed = 0.0
            if chosen:
                past = self.demand[:, begin - self.first : month - self.first]
                missed = ask - kept(np.stack(chosen, axis=1), past, self.lead).share()
            chosen.append(self.levels[self.at(ask + missed, month), :, month - self.first])
        return np.stack(chosen, axis=1)


@dataclass(frozen=True)
class Calibration:
    """A price of money and the share of lines it would have kept."""

    rate_of_money: float
    achieved: float
    months: int  # that were kept
    lines: int  # asked for in them
    asked: float = 0.0  # the share that had to be asked for, so that the wanted one comes of it
    rolled: float | None = None  # what came of the wanted one, each month at the price learned before it


def roll(shelf: Shelf, first: int = LEARNED_BY, rates: Floats | None = None) -> Rolling:
    """Level every month from `first` on by the months before it, at every price of money, and keep the levels.

    Lead times are rounded to whole months. What is known of the future now (plans, outlook, typed limits) was not known
    then and is left out. Months nobody knows count as without demand.
    """
    rates = RATES / float(np.median(shelf.price)) if rates is None else rates
    past = replace(shelf, known=None, outlook=None, least=None, most=None)
    months = shelf.history.shape[1]
    levels = np.stack([_levels(past, month, rates) for month in range(first, months)], axis=2)
    demand = np.nan_to_num(shelf.history[:, first:].astype(np.float64))
    lead = np.rint(shelf.lead).astype(np.int64)
    return Rolling(first, rates, demand, lead, levels, tuple(kept(one, demand, lead, shelf.price) for one in levels))


def _levels(shelf: Shelf, month: int, rates: Floats) -> NDArray[np.float32]:
    """Levels of (prices, parts) for a month, from the months before it alone."""
    demand: Demand = demand_of(replace(shelf, history=shelf.history[:, :month]))
    cycle = Cycle.of(demand, shelf.months, 0.0 if shelf.lead_doubt is None else shelf.lead_doubt)
    worth = np.ones(len(cycle)) if shelf.worth is None else np.maximum(shelf.worth, 1e-9)
    levels = worthwhile(cycle, (shelf.price / worth)[:, None] * rates)
    if shelf.floor is not None:
        levels = np.maximum(levels, enough_for(cycle, shelf.floor)[:, None])
    return levels.T.astype(np.float32)


def learned(shelf: Shelf, ask: float, first: int = LEARNED_BY, so_far: float | None = None) -> Calibration:
    """The price of money for `relevel` at which an asked share of lines (0 … 1) is kept.

    `so_far` is the share that was really kept since the shelf is levelled like this, where that is known: what is
    missed of the asked one is asked for on top. Of a large shelf every n-th line is learned on, `SAMPLE` at the most.
    Raises ValueError where the history has no month to try levels on.
    """
    rolling = _rolled(shelf, first)
    wanted = ask if so_far is None else ask + (ask - so_far)
    return _at(rolling, wanted, None)


def corrected(shelf: Shelf, ask: float, first: int = LEARNED_BY) -> Calibration:
    """As `learned`, with `so_far` from a rolling backtest: each month levelled at the price learned before it.

    Where there are fewer than `ROLLED` months to look back on, nothing is corrected.
    The correction is no more than half of what is left to certainty.
    """
    rolling = _rolled(shelf, first)
    begin = first + ROLL_FROM
    if shelf.history.shape[1] - begin < ROLLED:
        return _at(rolling, ask, None)
    done = kept(rolling.asked(ask, begin), rolling.demand[:, ROLL_FROM:], rolling.lead)
    if not int(done.lines.sum()):
        return _at(rolling, ask, None)
    missed = ask - done.share()
    return _at(rolling, ask + float(np.clip(missed, -(1.0 - ask) / 2.0, (1.0 - ask) / 2.0)), done.share())


def _rolled(shelf: Shelf, first: int) -> Rolling:
    """Of a large shelf every n-th line. Raises ValueError where the history has no month to try levels on."""
    months = shelf.history.shape[1]
    if months <= first:
        raise ValueError(f"a history of {months} months has none after the first {first}")
    step = -(-len(shelf.history) // SAMPLE)
    return roll(shelf if step < 2 else shelf.some(np.arange(0, len(shelf.history), step)), first)


def _at(rolling: Rolling, wanted: float, rolled: float | None) -> Calibration:
    months = rolling.levels.shape[2]
    at = rolling.at(wanted, rolling.first + months)
    chosen = rolling.kept[at]
    rate, lines = float(rolling.rates[at]), int(chosen.lines.sum())
    return Calibration(rate, chosen.share(), months, lines, wanted, rolled)
