"""How long it takes to drive from here to there.

One interface, so that road tables can replace the default by configuration. The default needs no
network: the great circle, lengthened for roads, driven slowly in town and faster beyond. Callers keep a
place's precision: a point that stands for a county or a prefecture is good enough to choose a station, and
must never feed an arrival time shown to a customer or a geofence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from geopy.distance import EARTH_RADIUS
from numpy.typing import NDArray

from fieldservice.foundation.places.points import Point

ROAD_FACTOR = 1.3  # road kilometres per straight kilometre where no road data is at hand (DOMAIN §7)
# (up to this many road km, at km/h): the first kilometres of a drive are the slow ones. Speeds must not fall, so
# that minutes rise ever more gently with distance and a detour is never quicker than the direct way.
SPEEDS: tuple[tuple[float, float], ...] = ((8.0, 24.0), (40.0, 45.0), (float("inf"), 80.0))


class TravelProvider(Protocol):
    """Whoever can tell travel times by car."""

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        """Minutes from the origin to each destination, in their order."""
        ...


@dataclass(frozen=True)
class StraightLine:
    """Travel times from distance alone: symmetric, deterministic, obeying the triangle inequality."""

    factor: float = ROAD_FACTOR
    speeds: tuple[tuple[float, float], ...] = SPEEDS

    def __post_init__(self) -> None:
        if self.factor < 1 or not self.speeds:
            raise ValueError("a road is at least as long as the straight line, and needs a speed")
        ordered = all(one[0] < next_[0] and one[1] <= next_[1] for one, next_ in pairwise(self.speeds))
        if not ordered or self.speeds[0][1] <= 0 or self.speeds[-1][0] != float("inf"):
            raise ValueError("speeds must be positive, must not fall with distance, and the last holds without end")

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        roads = _kilometres(origin, destinations) * self.factor
        total, start = np.zeros_like(roads), 0.0
        for end, speed in self.speeds:
            total += np.clip(roads - start, 0.0, end - start) * (60.0 / speed)
            start = end
        return [float(value) for value in total]


class Configured:
    """Whatever provider the installation has chosen; straight lines until the app factory says otherwise."""

    def __init__(self) -> None:
        self.provider: TravelProvider = StraightLine()

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        return self.provider.minutes(origin, destinations)

    @property
    def source(self) -> str:
        """'straight', 'roads', or 'straight_instead' while the road service does not answer."""
        answering = getattr(self.provider, "answering", None)
        return "straight" if answering is None else "roads" if answering else "straight_instead"


DEFAULT = Configured()


def travel_minutes(a: Point, b: Point, provider: TravelProvider = DEFAULT) -> float:
    """Minutes by car from a to b."""
    return provider.minutes(a, [b])[0]


def distance_km(a: Point, b: Point) -> float:
    """Kilometres on the great circle, without any road factor."""
    return distances_km(a, [b])[0]


def distances_km(origin: Point, destinations: Sequence[Point]) -> list[float]:
    """Great-circle kilometres from the origin to each destination, in their order."""
    return [float(value) for value in _kilometres(origin, destinations)]


def _kilometres(origin: Point, destinations: Sequence[Point]) -> NDArray[np.float64]:
    """Great-circle kilometres (haversine) on geopy's Earth; geopy itself reckons only one pair a call."""
    degrees = np.array([(place.latitude, place.longitude) for place in destinations], dtype=np.float64).reshape(-1, 2)
    latitude, longitude = np.radians(degrees).T
    here, there = np.radians(origin.latitude), np.radians(origin.longitude)
    half = np.sin((latitude - here) / 2) ** 2 + np.cos(latitude) * np.cos(here) * np.sin((longitude - there) / 2) ** 2
    kilometres: NDArray[np.float64] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return kilometres
