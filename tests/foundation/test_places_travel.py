"""Travel times from the straight line."""

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point, distance_km, divisions, travel_minutes
from fieldservice.foundation.places.travel import StraightLine, TravelProvider

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
        StraightLine(factor, speeds)
