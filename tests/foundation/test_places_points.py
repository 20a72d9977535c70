"""Points and the shift of Chinese maps."""

import math

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point, gcj_to_wgs, wgs_to_gcj


def metres(a: Point, b: Point) -> float:
    return float(great_circle((a.latitude, a.longitude), (b.latitude, b.longitude)).meters)


# Two kilometres inside the coarse outline: at its edge the two datums meet in a step.
inside_china = st.builds(Point, st.floats(29.6, 42.8), st.floats(80.0, 121.0))
outside_china = st.sampled_from(
    [
        Point(37.5665, 126.9780),  # Seoul
        Point(21.0278, 105.8342),  # Hanoi
        Point(25.0330, 121.5654),  # Taipei
        Point(35.6762, 139.6503),  # Tokyo
        Point(47.8864, 106.9057),  # Ulaanbaatar
        Point(43.2389, 76.8897),  # Almaty
        Point(1.3521, 103.8198),  # Singapore
        Point(52.5200, 13.4050),  # Berlin
        Point(-33.8688, 151.2093),  # Sydney
    ]
)


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        (Point(31.1774276, 121.5272106), Point(31.17530398364597, 121.531541859215)),
        (Point(22.543847, 113.912316), Point(22.540796131694766, 113.9171764808363)),
        (Point(39.911954, 116.377817), Point(39.91334545536069, 116.38404722455657)),
    ],
)
def test_N_18_known_points_shift_as_published(wgs: Point, gcj: Point) -> None:
    assert metres(wgs_to_gcj(wgs), gcj) < 0.01
    assert metres(gcj_to_wgs(gcj), wgs) < 0.01


@given(inside_china)
def test_N_18_there_and_back_is_less_than_a_metre(point: Point) -> None:
    shifted = wgs_to_gcj(point)
    assert 1 < metres(point, shifted) < 1000
    assert metres(gcj_to_wgs(shifted), point) < 1
    assert metres(wgs_to_gcj(gcj_to_wgs(point)), point) < 1


@given(outside_china)
def test_N_18_outside_china_nothing_changes(point: Point) -> None:
    assert wgs_to_gcj(point) == point
    assert gcj_to_wgs(point) == point


@pytest.mark.parametrize(
    "wrong", [(91, 0), (-90.5, 0), (0, 181), (0, -180.01), (math.nan, 0), (0, math.inf), (1e308, 0)]
)
def test_what_is_no_position_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="latitude"):
        Point(*wrong)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_position_on_earth_can_be_shifted(latitude: float, longitude: float) -> None:
    point = Point(latitude, longitude)
    assert metres(wgs_to_gcj(point), point) < 2000
    assert metres(gcj_to_wgs(point), point) < 2000
