"""Areas where driving is slow for a while – snow, a flood, a fair – and what they add to travel times.

A leg is taken as the straight segment between its two places, on a plane of degrees: the share of a segment that
lies in an area is the same on every plane stretched from it, so no map projection is needed. Legs and areas are
expected on one side of the 180th meridian.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from math import isfinite

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from fieldservice.foundation.places.points import Point, coordinates

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]
SHORT = 1e-9  # degrees; a leg of less than a millimetre has no direction
AT_ONCE = 200_000  # legs times corners: what a processor keeps at hand


@dataclass(frozen=True)
class SlowArea:
    """Ground on which driving takes `factor` times as long from `starts_at` until just before `until`.

    Raises ValueError for an outline that encloses nothing or crosses itself, a factor below 1, and senseless times.
    """

    polygon: tuple[Point, ...]  # corners in their order, either way round
    factor: float
    until: datetime
    starts_at: datetime
    name: str

    def __post_init__(self) -> None:
        if not (isfinite(self.factor) and self.factor >= 1):
            raise ValueError("a slow area makes no drive quicker")
        if self.until.tzinfo is None or self.starts_at.tzinfo is None or self.until <= self.starts_at:
            raise ValueError("a slow area ends after it begins, both with an offset")
        shape = _shape(self.polygon) if len(self.polygon) >= 3 else shapely.Polygon()
        if not shape.is_valid or not shape.area:
            raise ValueError("the outline of a slow area encloses ground, and does not cross itself")

    def slows(self, at: datetime) -> bool:
        """Whether it holds at this moment."""
        return self.starts_at <= at < self.until

    def holds_between(self, start: datetime, end: datetime) -> bool:
        """Whether it holds at some moment of [start, end)."""
        return self.starts_at < end and start < self.until

    @cached_property
    def frame(self) -> tuple[float, float, float, float]:
        """South, west, north, east."""
        latitudes, longitudes = ([*numbers] for numbers in zip(*map(_pair, self.polygon), strict=True))
        return min(latitudes), min(longitudes), max(latitudes), max(longitudes)

    def near(self, a: Point, b: Point) -> bool:
        """Whether the straight way between two places can touch it: a quick look before the exact one."""
        south, west, north, east = self.frame
        return (
            max(a.latitude, b.latitude) >= south
            and min(a.latitude, b.latitude) <= north
            and max(a.longitude, b.longitude) >= west
            and min(a.longitude, b.longitude) <= east
        )


def slowed(
    matrix: Numbers, origins: Sequence[Point], destinations: Sequence[Point], areas: Sequence[SlowArea], at: datetime
) -> Numbers:
    """Minutes of `matrix`, shape (len(origins), len(destinations)), lengthened by the areas that hold at this moment.

    minutes * (1 + share inside * (factor - 1)) for each leg; where areas overlap the largest factor holds. Never
    shorter, and a new array. Raises ValueError for a matrix of another shape.
    """
    return slowed_by(matrix, origins, destinations, tuple(area for area in areas if area.slows(at)))


def slowed_by(
    matrix: Numbers, origins: Sequence[Point], destinations: Sequence[Point], areas: Sequence[SlowArea]
) -> Numbers:
    """As `slowed`, by all of these areas, whenever they hold."""
    if matrix.shape != (len(origins), len(destinations)):
        raise ValueError("a matrix has a row for each origin and a column for each destination")
    if not areas:
        return matrix.copy()
    here, there = coordinates(origins)[:, ::-1], coordinates(destinations)[:, ::-1]  # x is longitude
    extra = np.zeros(matrix.shape)
    for ground, factor in _pieces(tuple(areas)):
        extra += share_inside(here, there, ground) * (factor - 1.0)
    lengthened: Numbers = matrix * (1.0 + extra)
    return lengthened


def share_inside(here: Numbers, there: Numbers, ground: BaseGeometry) -> Numbers:
    """Which share of each straight leg lies in a polygon or several: numbers from 0 to 1, shape (here, there).

    Places are rows of x, y. A leg of no length has no share. Shapely cuts 90,000 legs at three areas in one to two
    seconds; reckoned for all legs at once it is less than a tenth of one.
    """
    shares = np.zeros((len(here), len(there)))
    row, column = _meeting(here, there, ground.bounds)
    if row.size:
        middle = shapely.get_coordinates(ground.centroid)[0]  # numbers near zero keep more digits
        start, way = here[row] - middle, there[column] - here[row]
        inside = np.zeros(len(row))
        for ring in shapely.get_rings(shapely.get_parts(shapely.orient_polygons(ground))):
            corners = shapely.get_coordinates(ring)[:-1] - middle  # the ground lies on their left
            step = max(1, AT_ONCE // len(corners))
            for some in (slice(first, first + step) for first in range(0, len(row), step)):
                inside[some] += _inside_ring(start[some], way[some], corners)
        shares[row, column] = np.clip(inside, 0.0, 1.0)
    return shares


def _meeting(here: Numbers, there: Numbers, bounds: tuple[float, float, float, float]) -> tuple[Indices, Indices]:
    """Rows and columns of the legs whose frame touches a frame; none for empty ground, whose frame is of no numbers."""
    touching = np.ones((len(here), len(there)), dtype=np.bool_)
    long = np.zeros_like(touching)
    for axis, (low, high) in enumerate((bounds[0::2], bounds[1::2])):
        one, other = here[:, axis, None], there[:, axis]
        touching &= (np.maximum(one, other) >= low) & (np.minimum(one, other) <= high)
        long |= np.abs(other - one) > SHORT
    row, column = np.nonzero(touching & long)
    return row, column


def _inside_ring(start: Numbers, way: Numbers, corners: Numbers) -> Numbers:
    """The share of each leg within one outline, below nothing within a hole; start and way have shape (legs, 2).

    Walking along the endless line through a leg, every crossing of the outline adds (going in) or takes (coming out)
    what is still ahead of the leg there. Where the line runs through a corner, one number decides both its edges, so
    that none slips through.
    """
    # Not as a product of matrices, whose threads wait for each other on a busy machine.
    turn = np.outer(way[:, 0], corners[:, 1])  # (legs, corners): above nothing on the leg's left
    turn -= np.outer(way[:, 1], corners[:, 0])
    turn += (way[:, 1] * start[:, 0] - way[:, 0] * start[:, 1])[:, None]
    left = turn >= 0
    crossed = np.empty_like(left)
    np.not_equal(left[:, :-1], left[:, 1:], out=crossed[:, :-1])
    np.not_equal(left[:, -1], left[:, 0], out=crossed[:, -1])
    leg, edge = np.divmod(np.flatnonzero(crossed), len(corners))
    end = np.where(edge + 1 < len(corners), edge + 1, 0)
    before, after = turn[leg, edge], turn[leg, end]
    along = before / (before - after)  # the edge
    gone = np.zeros(len(leg))
    square = way[:, 0] ** 2 + way[:, 1] ** 2
    for axis in (0, 1):
        position = corners[:, axis]
        crossing = position[edge] + (position[end] - position[edge]) * along
        gone += (crossing - start[leg, axis]) * way[leg, axis]
    ahead = 1.0 - np.clip(gone / square[leg], 0.0, 1.0)
    shares: Numbers = np.bincount(leg, np.where(after >= 0, -ahead, ahead), len(start)).astype(np.float64)
    return shares


@lru_cache(maxsize=64)
def _pieces(areas: tuple[SlowArea, ...]) -> tuple[tuple[BaseGeometry, float], ...]:
    """Ground without overlaps, with the largest factor that holds on it."""
    return tuple(_apart(areas))


def _apart(areas: Sequence[SlowArea]) -> Iterator[tuple[BaseGeometry, float]]:
    taken: BaseGeometry = shapely.MultiPolygon()
    for area in sorted(areas, key=lambda one: -one.factor):
        shape = _shape(area.polygon)
        yield shape.difference(taken), area.factor
        taken = taken.union(shape)


def _pair(point: Point) -> tuple[float, float]:
    return point.latitude, point.longitude


def _shape(corners: Sequence[Point]) -> shapely.Polygon:
    return shapely.Polygon(coordinates(corners)[:, ::-1])
