"""When a customer's stock runs out, when it is refilled, and what that releases. Pure: numbers in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

SMOOTHING = 0.1  # of daily use: the last ten days weigh about two thirds
PROMISE = 1.0  # days from an order to the customer's shelf (T-06)


@dataclass(frozen=True)
class Use:
    """Daily use of a stock, smoothed: its mean and how much days deviate from it."""

    daily: float
    deviation: float


def smoothed(days: Sequence[float | None], alpha: float = SMOOTHING) -> Use:
    """The use to be expected from past days, oldest first; None is a day nobody read, not one without use.

    The first days are averaged, so a young stock is not ruled by its first day: until 1/alpha days are known each
    counts alike, then the mean moves by alpha a day.
    """
    mean = square = 0.0
    known = 0
    for day in days:
        if day is None:
            continue
        known += 1
        step = max(alpha, 1.0 / known)
        before, mean = mean, mean + step * (day - mean)
        square += step * ((day - before) * (day - mean) - square)
    return Use(mean, sqrt(max(square, 0.0)))


def days_left(stock: float, use: Use) -> float:
    """Days until nothing is left: stock ÷ daily use (Q-13); infinite where nothing is used."""
    if stock <= 0:
        return 0.0
    return stock / use.daily if use.daily > 0 else inf


def reorder_point(use: Use, z: float, lead: float = PROMISE) -> float:
    """The stock at which a refill is ordered: d·L + z·σ·√L (F8), lead time in days."""
    return use.daily * lead + z * use.deviation * sqrt(lead)


@dataclass(frozen=True)
class RunOut:
    """How a customer's stock stands."""

    days_left: float
    contact_in: float  # days until the customer should be asked or refilled: before lead + safety are all that is left
    refill: float  # what to bring now, up to the target; 0 while the stock is above its reorder point


def run_out(stock: float, use: Use, target_days: float, *, z: float, safety: float = 1.0, lead: float = PROMISE,
            coming: float = 0.0) -> RunOut:  # fmt: skip
    """How a stock stands at the end of a day.

    `target_days` of use are on the shelf after a refill; `coming` is ordered already. Contact is due when what is left
    lasts for `lead + safety` days (Q-13).
    """
    left = days_left(stock + coming, use)
    short = stock + coming <= reorder_point(use, z, lead) and use.daily > 0
    bring = up_to_target(stock, use, target_days, z=z, lead=lead, coming=coming)
    return RunOut(left, max(0.0, left - lead - safety), bring if short else 0.0)


def up_to_target(stock: float, use: Use, target_days: float, *, z: float, lead: float = PROMISE,
                 coming: float = 0.0) -> float:  # fmt: skip
    """What is missing to the target: to so many days of use, at least to the reorder point."""
    return max(0.0, max(target_days * use.daily, reorder_point(use, z, lead)) - stock - coming)


def by_day(readings: Sequence[tuple[int, float]]) -> list[float]:
    """Use of each day from what was used between readings, oldest first: (days since the one before, used).

    Days nobody read share alike what was used in them, so that a reading a week tells as much as one a day.
    """
    return [used / max(1, days) for days, used in readings for _day in range(max(1, days))]


def released_capital(base_days: float, days: float, daily_use: float, price: int) -> int:
    """Money no longer bound: (base days − days now) × daily use × price (T-07), in the minor unit of the price.

    Negative where the stock grew.
    """
    return round((base_days - days) * daily_use * price)
