"""Levels of a whole shelf by one price of money, with floors, typed limits and the reason of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fieldservice.parts.levels import demand as demands
from fieldservice.parts.levels.demand import Demand, Floats, Ints
from fieldservice.parts.levels.worth import Cycle, at_level, enough_for, worthwhile

Reason = Literal["price", "floor", "least", "most"]
REASONS: tuple[Reason, ...] = ("price", "floor", "least", "most")
FLOORS = {"C": 0.80, "B": 0.90, "A": 0.95, "safety": 0.99}  # DOMAIN F10: chance of being enough, by criticality
SUREST = 0.9999


def floors_of(criticalities: Iterable[str]) -> Floats:
    """The chance of being enough below which a level must not fall, for each criticality (A, B, C, safety)."""
    return np.array([FLOORS[one] for one in criticalities], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Shelf:
    """Everything levels depend on. A line is one part at one place; arrays are (lines,) unless said otherwise.

    Raises ValueError where an array has another length, a price or lead time is not usable, or a floor is no chance.
    """

    history: NDArray[np.floating]  # (lines, months): pieces, NaN where unknown, the newest month last
    lead: Floats  # months from an order to the shelf
    price: Floats  # money for one piece, above zero
    review: float = 1.0  # months between two looks at the shelf
    a_month: float = 1.0  # columns of the history in a month: 30 for days. Every "month" here is a column then
    lead_doubt: Floats | None = None  # standard deviation of the lead time
    classes: Ints | None = None  # whose demand a new part's resembles, numbered from 0
    worth: Floats | None = None  # what a filled line counts (1); `kits` makes it of the jobs it completes
    floor: Floats | None = None  # chance of being enough that a level must have (0: none)
    known: Floats | None = None  # pieces that are certain to be asked for in review + lead time
    outlook: Floats | None = None  # share of the usual demand still to come: 0 phased out, above 1 a growing fleet
    installed: Floats | None = None  # pieces a month by the installed base (F10), NaN where nobody reckoned
    least: Floats | None = None  # typed limits, NaN where none
    most: Floats | None = None
    months: Floats = field(init=False)  # review + lead time

    def __post_init__(self) -> None:
        lines = len(self.history)
        for name, given in vars(self).items():
            if isinstance(given, np.ndarray) and name != "history" and given.shape != (lines,):
                raise ValueError(f"{name} has shape {given.shape}, the history {lines} lines")
        if not (np.isfinite(self.price).all() and (self.price > 0).all()):
            raise ValueError("every price must be above zero")
        if not (np.isfinite(self.lead).all() and (self.lead >= 0).all() and self.review > 0 and self.a_month > 0):
            raise ValueError("lead times must not be negative, and review and a_month must be above zero")
        if self.floor is not None and not ((self.floor >= 0) & (self.floor <= SUREST)).all():
            raise ValueError(f"a floor is a chance of 0 … {SUREST}")
        if self.least is not None and self.most is not None and (self.least > self.most).any():
            raise ValueError("a typed minimum is above its maximum")
        object.__setattr__(self, "months", self.lead + self.review)

    def some(self, rows: Ints) -> "Shelf":
        """These lines alone."""
        arrays: dict[str, Any] = {
            one.name: array[rows]
            for one in fields(self)
            if one.init and isinstance(array := getattr(self, one.name), np.ndarray)
        }
        return replace(self, **arrays)


@dataclass(frozen=True)
class Explanation:
    """Why a level is what it is; the words are the caller's."""

    level: int  # pieces: order up to this
    reason: Reason  # price of money, floor of the criticality, typed minimum or maximum
    rate: float  # pieces a month
    chance: float  # that a month sees demand
    size: float  # pieces in a month that does
    lead: float  # months
    review: float
    expected: float  # pieces nobody planned, in review + lead time
    known: int  # planned pieces in that time, on top
    enough: float  # chance that the level is enough for all of it
    next_lines: float  # lines a month that one more piece would fill
    next_money: float  # money one more piece would hold on average


@dataclass(frozen=True, eq=False)
class Levels:
    """Levels of a shelf with what they do. All (lines,)."""

    shelf: Shelf
    demand: Demand
    level: Ints
    reason: Ints  # index in REASONS
    known: Ints
    expected: Floats
    enough: Floats
    next_lines: Floats

    @property
    def money(self) -> float:
        """What all levels cost when the shelf is full."""
        return float((self.level * self.shelf.price).sum())

    def explained(self, line: int) -> Explanation:
        """The reasons of one line."""
        shelf, demand = self.shelf, self.demand
        return Explanation(
            level=int(self.level[line]),
            reason=REASONS[self.reason[line]],
            rate=float(demand.rate[line]),
            chance=float(demand.chance[line]),
            size=float(demand.size[line]),
            lead=float(shelf.lead[line]),
            review=shelf.review,
            expected=float(self.expected[line]),
            known=int(self.known[line]),
            enough=float(self.enough[line]),
            next_lines=float(self.next_lines[line]),
            next_money=float(shelf.price[line] * self.enough[line]),
        )


def demand_of(shelf: Shelf) -> Demand:
    """What a month asks of each line, with its outlook."""
    seen = demands.seen(shelf.history, shelf.a_month)
    found = demands.estimate(seen, demands.prior(seen, shelf.classes), shelf.classes, shelf.installed)
    return found if shelf.outlook is None else found.times(shelf.outlook)


def relevel(shelf: Shelf, rate_of_money: float, demand: Demand | None = None) -> Levels:
    """The level of every line at one price of money: lines a month that one unit of money on the shelf must fill.

    A lower price of money gives more stock. All lines share it, so the last unit of money buys as much everywhere.
    """
    if not rate_of_money > 0:
        raise ValueError("the price of money must be above zero")
    demand = demand_of(shelf) if demand is None else demand
    cycle = Cycle.of(demand, shelf.months, 0.0 if shelf.lead_doubt is None else shelf.lead_doubt)
    ask = rate_of_money * shelf.price
    level = worthwhile(cycle, ask if shelf.worth is None else ask / np.maximum(shelf.worth, 1e-9))
    reason = np.zeros(len(level), dtype=np.int64)
    if shelf.floor is not None:
        lowest = enough_for(cycle, shelf.floor)
        reason[lowest > level] = REASONS.index("floor")
        level = np.maximum(level, lowest)
    known = np.zeros_like(level) if shelf.known is None else np.ceil(shelf.known).astype(np.int64)
    level = level + known
    limits = ((shelf.least, "least", np.less, np.ceil), (shelf.most, "most", np.greater, np.floor))
    for limit, name, beyond, whole in limits:
        if limit is not None:
            outside = beyond(level, limit)  # false where the limit is NaN
            level = np.where(outside, whole(np.nan_to_num(limit)), level).astype(np.int64)
            reason[outside] = REASONS.index(name)
    enough, gain = at_level(cycle, np.maximum(level - known, 0))
    return Levels(shelf, demand, level, reason, known, cycle.mean, enough, gain)
