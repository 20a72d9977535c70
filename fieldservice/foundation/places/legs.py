"""One drive from here to there at a certain moment: longer in the rush hours, and where slow areas lie on the way.

An area slows a drive if it holds at any moment of the usual driving time right before the arrival. Who waits for its
end may drive as usual afterwards; so arriving later than the soonest moment is always possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil

import numpy as np

from fieldservice.foundation.places import travel
from fieldservice.foundation.places.daytime import LONGEST, Daytime
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.slow_areas import SlowArea, slowed_by

NOISE = 1e-6  # minutes that reckoning one way or another may differ by


@dataclass(frozen=True)
class Leg:
    """A drive that takes `ordinary` minutes at an ordinary hour; `areas` are those that may lie on it. With `hours` it
    takes as long as they say, without them every hour is an ordinary one. Make it with `leg`.

    Drives take whole minutes. Of moments that are whole minutes apart, leaving later never arrives earlier but for
    who waits for the end of an area, and `latest(arrives_by)` is the last moment whose `soonest` is not later.
    """

    origin: Point
    to: Point
    ordinary: float
    areas: tuple[SlowArea, ...] = ()
    hours: Daytime | None = None

    def minutes(self, arrives_at: datetime) -> int:
        """Whole minutes for who arrives then. Raises ValueError for a naive moment where the hour counts."""
        return self._until(arrives_at, self._slowed(arrives_at))

    def soonest(self, leaves_at: datetime) -> datetime:
        """When somebody arrives who may leave from then on: at once, or when an area has ended if that is quicker."""
        arrives_at = self._from(leaves_at, self.ordinary)
        while (arrival := self._from(leaves_at, self._slowed(arrives_at))) > arrives_at:
            over = [self._from(area.until, self.ordinary) for area in self.areas]
            arrives_at = min([arrival, *(moment for moment in over if moment > arrives_at)])
        return arrives_at

    def latest(self, arrives_by: datetime) -> datetime:
        """When one has to leave to be there by then: right before it, or before an area begins if that is later."""
        arrivals = [arrives_by, *(area.starts_at for area in self.areas if area.starts_at < arrives_by)]
        return max(arrival - timedelta(minutes=self.minutes(arrival)) for arrival in arrivals)

    def _slowed(self, arrives_at: datetime) -> float:
        """Minutes at an ordinary hour, for who arrives then through the areas that hold on the way."""
        if not self.areas:
            return self.ordinary
        leaves_at = arrives_at - timedelta(minutes=self._until(arrives_at, self.ordinary))
        holding = tuple(area for area in self.areas if area.holds_between(leaves_at, arrives_at))
        return max(self.ordinary, self.ordinary * _times(self.origin, self.to, holding)) if holding else self.ordinary

    def _until(self, arrives_at: datetime, ordinary: float) -> int:
        if self.hours is not None:
            ordinary = self.hours.minutes_until(arrives_at, min(ordinary, LONGEST))
        return ceil(ordinary - NOISE)

    def _from(self, leaves_at: datetime, ordinary: float) -> datetime:
        if self.hours is not None:
            ordinary = self.hours.minutes_from(leaves_at, min(ordinary, LONGEST))
        return leaves_at + timedelta(minutes=ceil(ordinary - NOISE))


def leg(origin: Point, to: Point, ordinary: float, areas: Sequence[SlowArea] = ()) -> Leg:
    """A drive with those areas that can touch it, by the hours of the installation."""
    near = tuple(area for area in areas if area.near(origin, to)) if areas else ()
    return Leg(origin, to, ordinary, near, travel.DEFAULT.hours)


def at_another_hour(length: timedelta, arrives_at: datetime, leaves_at: datetime) -> timedelta:
    """How long a drive takes who leaves then, in whole minutes; all that is known is its length for who arrives at
    `arrives_at`. Raises ValueError for naive moments where the hour counts."""
    hours = travel.DEFAULT.hours
    if hours is None or not length:
        return length
    ordinary = min(hours.ordinary(arrives_at - length, arrives_at), LONGEST)
    return timedelta(minutes=ceil(hours.minutes_from(leaves_at, ordinary) - NOISE))


@lru_cache(maxsize=20_000)
def _times(origin: Point, to: Point, areas: tuple[SlowArea, ...]) -> float:
    """How many times as long the way takes."""
    return float(slowed_by(np.ones((1, 1)), [origin], [to], areas)[0, 0])
