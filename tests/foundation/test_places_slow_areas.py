"""Slow areas: what lies in one takes longer, and nothing else does."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fieldservice.foundation.places import Point
from fieldservice.foundation.places.points import coordinates
from fieldservice.foundation.places.slow_areas import SlowArea, share_inside, slowed
from fieldservice.foundation.places.travel import StraightLine

NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)

places = st.builds(Point, st.floats(30.0, 32.0), st.floats(119.0, 121.0))
near = st.builds(
    Point, st.integers(300, 320).map(lambda tenth: tenth / 10), st.integers(1190, 1210).map(lambda t: t / 10)
)
some_places = st.lists(places | near, min_size=1, max_size=6)  # places of a grid lie on edges and corners too
factors = st.floats(1.0, 5.0)


def area(corners: list[tuple[float, float]], factor: float = 2.0, name: str = "snow") -> SlowArea:
    return SlowArea(tuple(Point(*corner) for corner in corners), factor, NOON + HOUR, NOON - HOUR, name)


def square(south: float, west: float, side: float, factor: float = 2.0) -> SlowArea:
    north, east = south + side, west + side
    return area([(south, west), (south, east), (north, east), (north, west)], factor)


@st.composite
def areas(draw: st.DrawFn, factor: st.SearchStrategy[float] = factors) -> SlowArea:
    """Any outline that does not cross itself, either way round, convex or not."""
    corners = draw(st.lists(places | near, min_size=3, max_size=7, unique=True))
    shape = shapely.Polygon(coordinates(corners))
    assume(shape.is_valid and shape.area > 1e-6)
    return SlowArea(tuple(corners), draw(factor), NOON + HOUR, NOON - HOUR, "snow")


def minutes(origins: list[Point], destinations: list[Point]) -> NDArray[np.float64]:
    return StraightLine().matrix(origins, destinations)


WEST, MIDDLE, EAST, NORTH = Point(31, 120), Point(31, 121), Point(31, 122), Point(33, 121)
SNOW = square(30.5, 120.5, 1.0)  # around the middle


@pytest.mark.parametrize(
    ("origin", "destination", "share"),
    [
        (WEST, EAST, 0.5),
        (EAST, WEST, 0.5),
        (WEST, MIDDLE, 0.5),  # in at the half
        (MIDDLE, EAST, 0.5),  # out at the half
        (Point(31, 120.6), Point(31.2, 121.4), 1.0),
        (WEST, NORTH, 0.0),
        (NORTH, EAST, 0.0),
        (Point(31, 119), WEST, 0.0),  # on the line of it, but before
        (EAST, Point(31, 123), 0.0),
        (Point(30, 120), Point(32, 122), 0.5),  # through two corners
        (Point(30, 121), Point(31, 120), 0.0),  # touches a corner
        (MIDDLE, MIDDLE, 0.0),
    ],
)
def test_the_part_of_a_leg_that_lies_inside_takes_longer(origin: Point, destination: Point, share: float) -> None:
    usual = np.array([[60.0]])
    assert slowed(usual, [origin], [destination], [SNOW], NOON) == pytest.approx(60 * (1 + share))
    assert usual == 60


def test_where_areas_overlap_the_largest_factor_holds() -> None:
    inner, outer = square(30.75, 120.75, 0.5, 5.0), square(30.5, 120.5, 1.0, 3.0)
    for order in ([inner, outer], [outer, inner], [outer, inner, outer]):
        found = slowed(np.array([[60.0]]), [WEST], [EAST], order, NOON)
        assert found == pytest.approx(60 * (1 + 0.25 * 4 + 0.25 * 2))


def test_a_ring_of_areas_leaves_its_middle_as_it_is() -> None:
    """A horseshoe is left and entered again on one leg."""
    shoe = area(
        [(30, 120.2), (30, 121.8), (32, 121.8), (32, 121.4), (30.4, 121.4), (30.4, 120.6), (32, 120.6), (32, 120.2)]
    )
    assert slowed(np.array([[60.0]]), [WEST], [EAST], [shoe], NOON) == pytest.approx(60 * (1 + 0.4))


@pytest.mark.parametrize(
    ("at", "holds"),
    [(NOON, True), (NOON - HOUR, True), (NOON + HOUR, False), (NOON - HOUR * 2, False), (NOON + HOUR * 9, False)],
)
def test_it_holds_from_its_start_until_its_end(at: datetime, holds: bool) -> None:
    usual = np.array([[60.0]])
    assert (slowed(usual, [WEST], [EAST], [SNOW], at) > usual).all() == holds
    assert SNOW.slows(at) == holds


@given(some_places, some_places, st.lists(areas(), max_size=4))
def test_no_drive_becomes_quicker_or_slower_than_the_worst_area(
    origins: list[Point], destinations: list[Point], slow: list[SlowArea]
) -> None:
    usual = minutes(origins, destinations)
    found = slowed(usual, origins, destinations, slow, NOON)
    assert (found >= usual).all()
    assert (found <= usual * max([one.factor for one in slow], default=1.0) * (1 + 1e-9) + 1e-9).all()


@given(some_places, some_places, st.lists(areas(st.just(1.0)), max_size=3))
def test_factor_one_changes_nothing(origins: list[Point], destinations: list[Point], slow: list[SlowArea]) -> None:
    usual = minutes(origins, destinations)
    assert (slowed(usual, origins, destinations, slow, NOON) == usual).all()


@given(some_places, some_places, st.lists(areas(), max_size=3), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_after_its_end_nothing_is_changed(
    origins: list[Point], destinations: list[Point], slow: list[SlowArea], later: timedelta
) -> None:
    usual = minutes(origins, destinations)
    assert (slowed(usual, origins, destinations, slow, NOON + HOUR + later) == usual).all()


@given(some_places, some_places, areas())
def test_a_leg_outside_is_unchanged(origins: list[Point], destinations: list[Point], slow: SlowArea) -> None:
    usual = minutes(origins, destinations)
    found = slowed(usual, origins, destinations, [slow], NOON)
    ground = shapely.Polygon(coordinates(slow.polygon))
    for row, origin in enumerate(origins):
        for column, destination in enumerate(destinations):
            if not ground.intersects(shapely.LineString(coordinates([origin, destination]))):
                assert found[row, column] == usual[row, column]


@given(some_places, some_places, areas())
def test_shares_agree_with_cutting_each_leg_at_the_area(
    origins: list[Point], destinations: list[Point], slow: SlowArea
) -> None:
    here, there = coordinates(origins), coordinates(destinations)
    ground = shapely.Polygon(coordinates(slow.polygon))
    shares = share_inside(here, there, ground)
    for row, one in enumerate(here):
        for column, other in enumerate(there):
            leg = shapely.LineString([one, other])
            if leg.length < 1e-6:
                continue
            if leg.intersection(ground.boundary).length > 1e-9:
                continue  # along an edge: as well outside as inside
            assert shares[row, column] == pytest.approx(leg.intersection(ground).length / leg.length, abs=1e-6)


def test_nothing_comes_of_nothing() -> None:
    assert slowed(np.zeros((0, 2)), [], [WEST, EAST], [SNOW], NOON).shape == (0, 2)
    usual = minutes([WEST], [EAST, NORTH])
    assert (slowed(usual, [WEST], [EAST, NORTH], [], NOON) == usual).all()
    with pytest.raises(ValueError, match="row"):
        slowed(usual, [WEST, EAST], [NORTH], [SNOW], NOON)


CORNERS = SNOW.polygon


@pytest.mark.parametrize(
    ("corners", "factor", "starts_at", "until", "says"),
    [
        (CORNERS, 0.9, NOON, NOON + HOUR, "quicker"),
        (CORNERS, float("inf"), NOON, NOON + HOUR, "quicker"),
        (CORNERS, float("nan"), NOON, NOON + HOUR, "quicker"),
        (CORNERS, 2.0, NOON, NOON, "ends"),
        (CORNERS, 2.0, NOON.replace(tzinfo=None), NOON + HOUR, "offset"),
        (CORNERS[:2], 2.0, NOON, NOON + HOUR, "encloses"),
        ((), 2.0, NOON, NOON + HOUR, "encloses"),
        ((WEST, MIDDLE, EAST), 2.0, NOON, NOON + HOUR, "encloses"),  # a line
        ((CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3]), 2.0, NOON, NOON + HOUR, "cross"),
    ],
)
def test_areas_that_make_no_sense_are_refused(
    corners: tuple[Point, ...], factor: float, starts_at: datetime, until: datetime, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        SlowArea(corners, factor, until, starts_at, "snow")
