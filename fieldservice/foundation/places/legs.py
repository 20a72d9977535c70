"""One drive from here to there, where slow areas may lie on the way for a while.

An area slows a drive if it holds at any moment of the ordinary driving time right before the arrival. Who waits for
its end may drive as usual afterwards; so arriving later than the soonest moment is always possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil

import numpy as np

from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.slow_areas import SlowArea, slowed_by

NOISE = 1e-6  # minutes that reckoning a share one way or another may differ by


@dataclass(frozen=True)
class Leg:
    """A drive of `ordinary` minutes; `areas` are those that may lie on it. Make it with `leg`."""

    origin: Point
    to: Point
    ordinary: float
    areas: tuple[SlowArea, ...] = ()

    def minutes(self, arrives_at: datetime) -> int:
        """Whole minutes for who arrives then."""
        usual = ceil(self.ordinary)
        if not self.areas:
            return usual
        leaves_at = arrives_at - timedelta(minutes=usual)
        holding = tuple(area for area in self.areas if area.holds_between(leaves_at, arrives_at))
        return max(usual, ceil(self.ordinary * _times(self.origin, self.to, holding) - NOISE)) if holding else usual

    def soonest(self, leaves_at: datetime) -> datetime:
        """When somebody arrives who may leave from then on: at once, or when an area has ended if that is quicker."""
        usual = timedelta(minutes=ceil(self.ordinary))
        arrives_at = leaves_at + usual
        while (arrival := leaves_at + timedelta(minutes=self.minutes(arrives_at))) > arrives_at:
            over = [area.until + usual for area in self.areas if area.until + usual > arrives_at]
            arrives_at = min([arrival, *over])
        return arrives_at

    def latest(self, arrives_by: datetime) -> datetime:
        """When one has to leave to be there by then: right before it, or before an area begins if that is later."""
        arrivals = [arrives_by, *(area.starts_at for area in self.areas if area.starts_at < arrives_by)]
        return max(arrival - timedelta(minutes=self.minutes(arrival)) for arrival in arrivals)


def leg(origin: Point, to: Point, ordinary: float, areas: Sequence[SlowArea]) -> Leg:
    """A drive with those areas that can touch it."""
    return Leg(origin, to, ordinary, tuple(area for area in areas if area.near(origin, to)) if areas else ())


@lru_cache(maxsize=20_000)
def _times(origin: Point, to: Point, areas: tuple[SlowArea, ...]) -> float:
    """How many times as long the way takes."""
    return float(slowed_by(np.ones((1, 1)), [origin], [to], areas)[0, 0])
