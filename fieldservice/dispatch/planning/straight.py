"""Travel by the straight line for live boards: the same figures as `StraightLine`, for thousands of places at once."""

from collections.abc import Sequence

import numpy as np
from geopy.distance import EARTH_RADIUS
from numpy.typing import NDArray

from fieldservice.dispatch.planning.model import Places, Seconds
from fieldservice.foundation.places.travel import StraightLine

ROADS = StraightLine()


class Straight:
    """Travel (see `model.Travel`) between places given by latitude and longitude in degrees, WGS-84.

    The great circle × the road factor at the speeds of each class of roads, in whole seconds, rounded up. Places are
    kept as arrows from the middle of the Earth, so a distance takes no sine: the chord tells it.
    """

    def __init__(self, degrees: NDArray[np.float64], roads: StraightLine = ROADS) -> None:
        north, east = np.radians(np.asarray(degrees, dtype=np.float64).reshape(-1, 2)).T
        self._arrows = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
        # On ever faster roads the time bends over distance: the lowest of these straight lines, one for each class.
        ends = [one.up_to_km for one in roads.classes]
        lengths = [(end - start) / one.factor for start, end, one in zip([0.0, *ends], ends, roads.classes)]
        begins = np.cumsum([0.0, *lengths[:-1]])  # in straight kilometres
        paces = [3600.0 / one.straight_kmh for one in roads.classes]
        at = roads.over(begins[None])[0] * 60.0
        self._lines = [(first - begin * pace, pace) for first, begin, pace in zip(at, begins, paces)]

    def block(self, origins: Places, destinations: Places) -> Seconds:
        here = self._arrows[:, np.asarray(origins, dtype=np.intp)]
        there = self._arrows[:, np.asarray(destinations, dtype=np.intp)]
        return self._seconds(here[:, :, None] - there[:, None, :])

    def along(self, places: Sequence[int]) -> list[int]:
        way = self._arrows[:, np.asarray(places, dtype=np.intp)]
        found: list[int] = self._seconds(way[:, 1:] - way[:, :-1]).tolist()
        return found

    def _seconds(self, chords: NDArray[np.float64]) -> Seconds:
        x, y, z = chords
        half = np.minimum(np.sqrt(x * x + y * y + z * z) / 2, 1.0)
        km = np.arcsin(half) * (2 * EARTH_RADIUS)
        seconds = km * self._lines[0][1]
        for first, pace in self._lines[1:]:
            seconds = np.minimum(seconds, first + km * pace)
        found: Seconds = np.ceil(seconds).astype(np.int32)
        return found
