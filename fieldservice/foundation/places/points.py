"""A place on Earth (WGS-84), and the shift of Chinese maps (GCJ-02) away from it.

Everything is stored and reckoned in WGS-84. Chinese map services publish GCJ-02, which lies 100–700 m
off inside mainland China and equals WGS-84 outside it; convert only where such numbers come in or go out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, isfinite, pi, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

AXIS, ECCENTRICITY2 = 6378245.0, 0.00669342162296594323  # the ellipsoid GCJ-02 is defined on (Krassovsky 1940), metres
ROUNDS = 6  # each round of the reversal shrinks its error about a hundredfold; four already reach a millimetre

# Mainland China as rectangles (south, west, north, east): coarse, but Seoul, Hanoi, Almaty, Ulaanbaatar and
# Taipei stay outside. Within a kilometre of an edge the two datums meet in a step, so neither way is exact there.
INSIDE = (
    (42.8899, 79.4462, 49.2204, 96.3300),
    (39.3742, 109.6872, 54.1415, 135.0002),
    (29.5297, 73.1246, 42.8899, 124.1433),
    (26.7186, 82.9684, 29.5297, 97.0352),
    (20.4141, 97.0253, 29.5297, 124.3674),
    (17.8715, 107.9758, 20.4141, 111.7441),
)
OUTSIDE = (
    (21.7850, 119.9213, 25.3986, 122.4976),
    (20.0988, 101.8652, 22.2840, 106.6650),
    (20.4878, 106.4525, 21.5422, 108.0510),
    (50.3257, 109.0323, 55.8175, 119.1270),
    (49.5574, 127.4568, 55.8175, 137.0227),
    (42.5692, 131.2662, 44.8922, 137.0227),
)
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A position in degrees, WGS-84. Raises ValueError for numbers that are no position."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (isfinite(self.latitude) and isfinite(self.longitude)):
            raise ValueError("latitude and longitude must be finite numbers")
        if abs(self.latitude) > 90 or abs(self.longitude) > 180:
            raise ValueError("latitude lies within ±90 and longitude within ±180 degrees")


def coordinates(places: Sequence[Point]) -> NDArray[np.float64]:
    """Many places as one array of degrees, shape (len(places), 2): latitude, longitude."""
    return np.array([(place.latitude, place.longitude) for place in places], dtype=np.float64).reshape(-1, 2)


def in_mainland_china(point: Point) -> bool:
    """Whether GCJ-02 differs from WGS-84 here."""
    return any(_holds(box, point) for box in INSIDE) and not any(_holds(box, point) for box in OUTSIDE)


def wgs_to_gcj(point: Point) -> Point:
    """A WGS-84 point as Chinese maps draw it; unchanged outside mainland China."""
    if not in_mainland_china(point):
        return point
    north, east = _shift(point.latitude, point.longitude)
    return Point(point.latitude + north, point.longitude + east)


def gcj_to_wgs(point: Point) -> Point:
    """A point read from a Chinese map as WGS-84, to less than a metre; unchanged outside mainland China."""
    if not in_mainland_china(point):
        return point
    latitude, longitude = point.latitude, point.longitude
    for _ in range(ROUNDS):
        north, east = _shift(latitude, longitude)
        latitude, longitude = point.latitude - north, point.longitude - east
    return Point(latitude, longitude)


def _holds(box: Rectangle, point: Point) -> bool:
    south, west, north, east = box
    return south <= point.latitude <= north and west <= point.longitude <= east


def _shift(latitude: float, longitude: float) -> tuple[float, float]:
    """Degrees by which GCJ-02 lies north and east of a WGS-84 position (the published polynomial)."""
    x, y = longitude - 105.0, latitude - 35.0
    ripple = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    waves_north = ripple + 20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)
    waves_east = ripple + 20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += waves_north * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += waves_east * 2 / 3
    parallel = radians(latitude)
    square = 1 - ECCENTRICITY2 * sin(parallel) ** 2
    meridian_radius = AXIS * (1 - ECCENTRICITY2) / (square * sqrt(square))
    return north * 180 / (meridian_radius * pi), east * 180 / (AXIS / sqrt(square) * cos(parallel) * pi)
