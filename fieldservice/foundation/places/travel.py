"""How long it takes to drive from here to there.

One interface, so that road tables can replace the default by configuration. The default needs no
network: the great circle, lengthened for roads, driven slowly in town and faster beyond. Callers keep a
place's precision: a point that stands for a county or a prefecture is good enough to choose a station, and
must never feed an arrival time shown to a customer or a geofence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Protocol

import numpy as np
from geopy.distance import EARTH_RADIUS
from numpy.typing import NDArray

from fieldservice.foundation.places.daytime import Daytime
from fieldservice.foundation.places.points import Point, coordinates
from fieldservice.foundation.places.slow_areas import SlowArea

ROAD_FACTOR = 1.3  # road kilometres per straight kilometre where no road data is at hand (DOMAIN §7)


@dataclass(frozen=True)
class RoadClass:
    """The roads a stretch of a drive uses. Raises ValueError for numbers no road can have."""

    name: str
    up_to_km: float  # road kilometres from the start of the drive to where this class ends
    kmh: float
    factor: float = ROAD_FACTOR  # road kilometres per straight kilometre: winding hill roads have more

    def __post_init__(self) -> None:
        if not 1 <= self.factor < inf:
            raise ValueError("a road is at least as long as the straight line")
        if not (0 < self.kmh < inf and self.up_to_km > 0):
            raise ValueError("a class of roads has a speed and a length")

    @property
    def straight_kmh(self) -> float:
        """Straight kilometres that an hour on these roads is worth."""
        return self.kmh / self.factor


# The first kilometres of a drive are the slow ones.
ROAD_CLASSES = (RoadClass("town", 8.0, 24.0), RoadClass("regional", 40.0, 45.0), RoadClass("motorway", inf, 80.0))


class TravelProvider(Protocol):
    """Whoever can tell travel times by car."""

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
        """Minutes from each origin to each destination, shape (len(origins), len(destinations)), all finite."""
        ...

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        """Minutes from the origin to each destination, in their order."""
        ...


@dataclass(frozen=True)
class StraightLine:
    """Travel times from distance alone: symmetric, deterministic, obeying the triangle inequality."""

    classes: tuple[RoadClass, ...] = ROAD_CLASSES

    def __post_init__(self) -> None:
        if not self.classes or self.classes[-1].up_to_km != inf:
            raise ValueError("the last class of roads holds without end")
        # Minutes must rise ever more gently with distance: then a detour is never quicker than the direct way.
        if not all(
            one.up_to_km < following.up_to_km and one.straight_kmh <= following.straight_kmh
            for one, following in pairwise(self.classes)
        ):
            raise ValueError("each class of roads ends farther out than the one before, and its speed is no lower")

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
        return self.over(kilometres(origins, destinations))

    def over(self, straight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minutes for so many straight kilometres."""
        minutes, begins, road_km = np.zeros_like(straight), 0.0, 0.0
        for roads in self.classes:
            length = (roads.up_to_km - road_km) / roads.factor  # of this class, in straight kilometres
            minutes += np.clip(straight - begins, 0.0, length) * (60.0 / roads.straight_kmh)
            begins, road_km = begins + length, roads.up_to_km
        return minutes

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        return _row(self.matrix([origin], destinations))


class Configured:
    """Whatever provider and hours the installation has chosen; straight lines, and every hour an ordinary one, until
    the app factory says otherwise."""

    def __init__(self) -> None:
        self.provider: TravelProvider = StraightLine()
        # Times told here are ordinary ones: only who knows when a drive is can reckon with the hour and with areas
        # that are not over yet (`legs.py`).
        self.hours: Daytime | None = None
        self.slow_areas: Callable[[], Sequence[SlowArea]] = tuple

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
        return self.provider.matrix(origins, destinations)

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
    return _row(kilometres([origin], destinations))


def kilometres(origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
    """Great-circle kilometres, shape (len(origins), len(destinations)).

    The haversine on geopy's Earth, which itself reckons only one pair a call.
    """
    here, there = np.radians(coordinates(origins)), np.radians(coordinates(destinations))
    shrink = np.outer(np.cos(here[:, 0]), np.cos(there[:, 0]))  # of a step east, away from the equator
    half = _half_sine(here[:, 0], there[:, 0]) ** 2 + shrink * _half_sine(here[:, 1], there[:, 1]) ** 2
    found: NDArray[np.float64] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return found


def _half_sine(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    """sin((there - here) / 2) for all pairs, by the sum formula: few sines for a million pairs, and 0 for one place."""
    difference: NDArray[np.float64] = np.outer(np.cos(here / 2), np.sin(there / 2))
    difference -= np.outer(np.sin(here / 2), np.cos(there / 2))
    return difference


def _row(matrix: NDArray[np.float64]) -> list[float]:
    """The only row of a matrix."""
    return [float(value) for value in matrix[0]]
