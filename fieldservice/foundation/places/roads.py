"""Travel times from a table service, kept once known; straight lines, and word of it, while it is silent."""

import threading
from collections.abc import Iterator, Sequence
from math import inf, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldservice.foundation.places.asking import TIMEOUT, Service, Unavailable
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.road_dialects import DIALECTS, Dialect
from fieldservice.foundation.places.travel import StraightLine, TravelProvider, kilometres

AT_ONCE = 100  # places of one question, sources and destinations together: what table services take by default
MOST_KEPT = 400_000  # pairs; some 30 MB
DIGITS = 4  # decimals of a degree: eleven metres
Place = tuple[float, float]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]


class RoadTable:
    """A `TravelProvider` over a table service: OSRM, unless another dialect is given."""

    def __init__(
        self,
        url: str,
        dialect: Dialect = DIALECTS["osrm"],
        *,
        fallback: TravelProvider | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.service, self.dialect = Service("road table", url, timeout=timeout), dialect
        self.fallback = fallback or StraightLine()
        self._kept: dict[Place, dict[Place, float]] = {}  # minutes by origin, then by destination
        self._lock = threading.Lock()

    @property
    def answering(self) -> bool:
        """Whether times come from roads at present; else from straight lines."""
        return not self.service.resting

    def minutes(self, origin: Point, destinations: Sequence[Point]) -> list[float]:
        """Minutes from the origin to each destination; one question for 99 unknown ones."""
        return [float(value) for value in self.matrix([origin], destinations)[0]]

    def matrix(self, origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
        """Minutes from each origin to each destination, asked in blocks of at most a hundred places.

        A pair that stays unknown has the fallback's minutes: the service fell silent, it knows no road there (an
        island), or the places lie beyond its reach. Waiting is bounded for a question, not for a matrix: people
        in front of a page get a row, and large matrices belong in the background.
        """
        starts, ends = _distinct(origins), _distinct(destinations)
        sources, targets, from_places, to_places = list(starts.values()), list(ends.values()), list(starts), list(ends)
        known = self._recall(from_places, to_places)
        for rows, columns in _blocks(np.isnan(known), self._within_reach(sources, targets)):
            try:
                found = self._ask([sources[row] for row in rows], [targets[column] for column in columns])
            except Unavailable:
                break
            known[np.ix_(rows, columns)] = found
            self._keep([from_places[row] for row in rows], [to_places[column] for column in columns], found)
        times = known[np.ix_(_numbers(origins, starts), _numbers(destinations, ends))]
        return np.where(np.isnan(times), self.fallback.matrix(origins, destinations), times)

    def _within_reach(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Flags:
        if self.dialect.reach_km == inf:
            return np.ones((len(origins), len(destinations)), dtype=np.bool_)
        return kilometres(origins, destinations) <= self.dialect.reach_km

    def _ask(self, origins: Sequence[Point], destinations: Sequence[Point]) -> NDArray[np.float64]:
        """Minutes of a block, nan without a road. Raises Unavailable, and lets the service rest, for nonsense."""
        answer = self.service.ask(*self.dialect.question(origins, destinations))
        try:
            rows = self.dialect.seconds(answer)
            if len(rows) != len(origins) or any(len(row) != len(destinations) for row in rows):
                raise ValueError("not a time for each pair")
            return np.array([[_minutes(seconds) for seconds in row] for row in rows], dtype=np.float64)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            self.service.fail()
            raise Unavailable("the road table answered nonsense") from error

    def _recall(self, origins: Sequence[Place], destinations: Sequence[Place]) -> NDArray[np.float64]:
        """Minutes as kept, nan where they are not."""
        known = np.full((len(origins), len(destinations)), nan)
        for number, origin in enumerate(origins):
            if row := self._kept.get(origin):
                known[number] = [row.get(place, nan) for place in destinations]
        return known

    def _keep(self, origins: Sequence[Place], destinations: Sequence[Place], found: NDArray[np.float64]) -> None:
        """A pair without a road is not kept: the straight line serves it each time."""
        with self._lock:
            for origin, times in zip(origins, found.tolist(), strict=True):
                known = {place: time for place, time in zip(destinations, times, strict=True) if isfinite(time)}
                self._kept.setdefault(origin, {}).update(known)
            pairs = sum(len(row) for row in self._kept.values())
            while pairs > MOST_KEPT:  # the origins first met go first
                pairs -= len(self._kept.pop(next(iter(self._kept))))


def _blocks(wanted: Flags, allowed: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Blocks (rows, columns) of at most a hundred places, without a pair that is not allowed; together they hold
    every wanted pair. A whole matrix falls into 50 x 50; a place new among known ones into its row and its column.
    """
    wanted = wanted & allowed
    while True:
        open_rows = np.flatnonzero(wanted.any(axis=1))
        if not open_rows.size:
            return
        # the squarer a block the more pairs it holds, but few rows leave room for more columns
        columns = np.flatnonzero(wanted[open_rows[0]])[: max(AT_ONCE // 2, AT_ONCE - open_rows.size)]
        block = np.ix_(open_rows, columns)
        fitting = wanted[block].any(axis=1) & allowed[block].all(axis=1)
        rows = open_rows[fitting][: AT_ONCE - columns.size]
        wanted[np.ix_(rows, columns)] = False
        yield rows, columns


def _place(point: Point) -> Place:
    return (round(point.latitude, DIGITS), round(point.longitude, DIGITS))


def _distinct(points: Sequence[Point]) -> dict[Place, Point]:
    """Each place once, in order, with the first point that stands for it."""
    found: dict[Place, Point] = {}
    for point in points:
        found.setdefault(_place(point), point)
    return found


def _numbers(points: Sequence[Point], distinct: dict[Place, Point]) -> Numbers:
    """Which of the distinct places each point is."""
    order = {place: number for number, place in enumerate(distinct)}
    return np.array([order[_place(point)] for point in points], dtype=np.intp)


def _minutes(seconds: Any) -> float:
    if seconds is None:
        return nan
    value = float(seconds) / 60
    if not isfinite(value) or value < 0:
        raise ValueError(seconds)
    return value
