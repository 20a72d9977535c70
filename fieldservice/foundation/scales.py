"""Axes of charts: values to places, and round steps. Pure; templates draw what is placed."""

from collections.abc import Sequence
from dataclasses import dataclass

STEPS = [size * scale for scale in (0.1, 1, 10, 100, 1000, 10_000, 100_000) for size in (1, 2, 5)]


@dataclass(frozen=True)
class Tick:
    """A place on an axis with its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Puts values between `low` and `high` on the way from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)


def axis_of(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """A range with round steps around the values."""
    if not values:
        return 0.0, 1.0, [0.0, 1.0]
    low, high = min(values), max(values)
    span = (high - low) or max(abs(high), 1) * 0.2
    step = next(size for size in STEPS if span / size <= 5)
    first, last = int(low // step), -int(-high // step)
    if first == last:
        last += 1
    return first * step, last * step, [index * step for index in range(first, last + 1)]
