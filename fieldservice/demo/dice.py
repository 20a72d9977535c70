"""Chance that comes out the same for the same seed, on every machine and Python."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import log
from typing import TypeVar

T = TypeVar("T")


class Dice(random.Random):  # nosec B311
    """A stream of chance of its own for every purpose, so that a change in one leaves the others alone.

    It invents a company and guards nothing, so it need not be unguessable.
    """

    def __new__(cls, *_purpose: object) -> "Dice":
        return super().__new__(cls)

    def __init__(self, *purpose: object) -> None:
        super().__init__("/".join(map(str, purpose)))

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def one_of(self, weights: Mapping[T, float]) -> T:
        """A key, by its weight."""
        return self.choices(list(weights), list(weights.values()))[0]

    def some(self, of: Sequence[T], count: int) -> list[T]:
        """At most `count` different ones, in their order."""
        return [of[index] for index in sorted(self.sample(range(len(of)), min(count, len(of))))]

    def minutes(self, middle: float, spread: float = 0.5, low: float = 1, high: float = 1e6) -> timedelta:
        """A duration whose median is `middle` minutes, long ones being rarer; whole seconds."""
        value = min(max(self.lognormvariate(log(middle), spread), low), high)
        return timedelta(seconds=round(value * 60))

    def between(self, start: datetime, end: datetime) -> datetime:
        """Any whole second in [start, end)."""
        return start + timedelta(seconds=self.randrange(max(1, int((end - start).total_seconds()))))
