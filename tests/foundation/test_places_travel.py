"""Travel times from the straight line."""

from dataclasses import replace

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point, distance_km, divisions, travel_minutes
from fieldservice.foundation.places.travel import ROAD_CLASSES, RoadClass, StraightLine, TravelProvider

WUXI, KUNSHAN, SHANGHAI = (divisions.centre(code) for code in ("320200", "320583", "310000"))
points = st.builds(Point, st.floats(-80, 80), st.floats(-179, 179))


@given(points, points)
def test_distance_agrees_with_geopy(a: Point, b: Point) -> None:
    expected = great_circle((a.latitude, a.longitude), (b.latitude, b.longitude)).km
    assert distance_km(a, b) == pytest.approx(expected, abs=1e-3, rel=1e-7)


@given(points, points, points)
def test_times_are_symmetric_and_no_detour_is_quicker(a: Point, b: Point, c: Point) -> None:
    assert travel_minutes(a, b) == pytest.approx(travel_minutes(b, a))
    assert travel_minutes(a, a) == 0
    assert travel_minutes(a, c) <= travel_minutes(a, b) + travel_minutes(b, c) + 1e-6


def test_many_destinations_give_the_same_as_one_each() -> None:
    provider: TravelProvider = StraightLine()
    together = provider.minutes(WUXI, [KUNSHAN, SHANGHAI, WUXI])
    assert together == pytest.approx([travel_minutes(WUXI, place) for place in (KUNSHAN, SHANGHAI, WUXI)])
    assert provider.minutes(WUXI, []) == []


@pytest.mark.parametrize(
    ("km_straight", "minutes"), [(0, 0), (4 / 1.3, 10), (8 / 1.3, 20), (40 / 1.3, 20 + 32 * 60 / 45)]
)
def test_the_first_kilometres_are_the_slow_ones(km_straight: float, minutes: float) -> None:
    degrees = km_straight / distance_km(Point(0, 0), Point(0, 1))
    assert travel_minutes(Point(0, 0), Point(0, degrees)) == pytest.approx(minutes)


def test_times_between_cities_are_believable() -> None:
    assert 55 < travel_minutes(WUXI, KUNSHAN) < 110  # 65 km straight, about 1 h 10 min by road
    assert 100 < travel_minutes(WUXI, SHANGHAI) < 180


@pytest.mark.parametrize(
    ("factor", "speeds"),
    [
        (0.9, ((float("inf"), 50.0),)),
        (1.3, ()),
        (1.3, ((10.0, 50.0),)),  # ends
        (1.3, ((10.0, 50.0), (float("inf"), 40.0))),  # a longer way would be the slower one at the margin
        (1.3, ((10.0, 50.0), (5.0, 60.0), (float("inf"), 70.0))),
        (1.3, ((float("inf"), 0.0),)),
    ],
)
def test_speeds_that_break_the_promises_are_refused(factor: float, speeds: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"road|speed"):
        StraightLine(tuple(RoadClass(f"up to {km}", km, speed, factor) for km, speed in speeds))


@given(st.lists(points, max_size=6), st.lists(points, max_size=6))
def test_a_matrix_holds_the_minutes_of_every_pair(origins: list[Point], destinations: list[Point]) -> None:
    matrix = StraightLine().matrix(origins, destinations)
    assert matrix.shape == (len(origins), len(destinations))
    for row, origin in zip(matrix, origins, strict=True):
        assert list(row) == pytest.approx(StraightLine().minutes(origin, destinations))
        assert list(row) == pytest.approx([by_hand(distance_km(origin, place) * 1.3) for place in destinations])


def by_hand(road_km: float) -> float:
    """The bands as they stood before roads had classes: 8 km at 24, up to 40 km at 45, then 80 km/h."""
    return min(road_km, 8) * 60 / 24 + min(max(road_km - 8, 0), 32) * 60 / 45 + max(road_km - 40, 0) * 60 / 80


def test_a_place_is_no_way_from_itself_in_a_large_matrix_either() -> None:
    places = [Point(31 + number / 977, 120 + number / 991) for number in range(211)]
    matrix = StraightLine().matrix(places, places)
    assert (matrix.diagonal() == 0).all()
    assert matrix == pytest.approx(matrix.T)


def test_winding_roads_of_one_class_lengthen_only_their_part() -> None:
    """8 road km of town are 4 straight ones at factor 2; what lies beyond is as far as before."""
    town, *beyond = ROAD_CLASSES
    winding = StraightLine((replace(town, factor=2.0), *beyond))
    north = [Point(km / distance_km(Point(0, 0), Point(1, 0)), 0) for km in (2.0, 4.0, 4.0 + 32 / 1.3)]
    assert winding.minutes(Point(0, 0), north) == pytest.approx([10.0, 20.0, 20.0 + 32 * 60 / 45])


def test_a_quick_class_must_not_be_spoilt_by_its_detours() -> None:
    town, regional, motorway = ROAD_CLASSES
    with pytest.raises(ValueError, match="speed"):  # 80 km/h over three times the way is slower than 45 over 1.3 times
        StraightLine((town, regional, replace(motorway, factor=3.0)))
