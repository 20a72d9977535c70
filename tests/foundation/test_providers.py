"""Geocoders and road tables as services answer them: recorded answers from a server on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, load_settings
from fieldservice.foundation import providers
from fieldservice.foundation.places import Point, daytime, distance_km, gcj_to_wgs, locating, travel, wgs_to_gcj
from fieldservice.foundation.places.locating import Amap, Nominatim, locate
from fieldservice.foundation.places.roads import RoadTable

WUXI = Point(31.4906, 120.3667)
ADDRESS = "无锡市新吴区长江路 18 号"
NOMINATIM = [{"lat": "31.5012", "lon": "120.3711", "display_name": "18, 长江路, 新吴区, 无锡市", "type": "house"}]
AMAP = {
    "status": "1", "info": "OK", "count": "1",
    "geocodes": [
        {"formatted_address": "江苏省无锡市新吴区长江路18号", "level": "门牌号", "location": "120.375600,31.499100"}
    ],
}  # fmt: skip


class Recorded:
    """A server that gives one answer to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status, self.content, self.headers = 200, b"{}", {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                self.wfile.write(outer.content)

            def log_message(self, *_args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.status, self.headers = status, headers


@pytest.fixture
def service() -> Iterator[Recorded]:
    made = Recorded()
    yield made
    made.server.shutdown()
    made.server.server_close()
    locating.use(None)


def test_without_a_service_the_division_stands(service: Recorded) -> None:
    found = locate(ADDRESS)
    assert (found.division_code, found.precision, found.source) == ("320214", "county", "divisions")
    assert service.asked == []


def test_nominatim_gives_the_point_and_is_asked_once(service: Recorded) -> None:
    service.answer(NOMINATIM)
    locating.use(Nominatim(service.url))
    for _time in range(2):
        found = locate(ADDRESS)
        assert (found.point, found.precision, found.source) == (Point(31.5012, 120.3711), "point", "nominatim")
        assert found.division_code == "320214"
    assert len(service.asked) == 1
    assert service.asked[0].startswith("/search?format=jsonv2&limit=1&q=")


def test_N_18_amap_is_turned_from_gcj_02_into_wgs_84(service: Recorded) -> None:
    service.answer(AMAP)
    locating.use(Amap(service.url, "secret"))
    found = locate(ADDRESS)
    assert found.point is not None
    assert found.source == "amap"
    assert 100 < 1000 * distance_km(found.point, Point(31.4991, 120.3756)) < 700
    assert 1000 * distance_km(wgs_to_gcj(found.point), Point(31.4991, 120.3756)) < 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<html>gateway</html>", 200), (b"", 200), ({"status": "0", "infocode": "10001"}, 200), ([], 500), ({}, 429),
        ({"status": "1", "geocodes": [{"level": "门牌号", "location": "nowhere"}]}, 200), (b"[" * 5000, 200),
        ({"status": "1", "geocodes": [{"level": "门牌号", "location": "999,999"}]}, 200), (b'{"status": NaN}', 200),
    ],
)  # fmt: skip
def test_a_service_that_fails_is_said_and_left_alone(service: Recorded, content: Any, status: int) -> None:
    service.answer(content, status)
    locating.use(Amap(service.url, "secret"))
    for _time in range(3):
        found = locate(ADDRESS)
        assert (found.precision, found.division_code, found.source) == ("county", "320214", "divisions_instead")
    assert len(service.asked) == 1  # then it rests


def test_an_unknown_address_leaves_the_division(service: Recorded) -> None:
    service.answer([])
    locating.use(Nominatim(service.url))
    assert locate(ADDRESS).source == "divisions"


def test_a_point_in_another_part_of_the_country_is_not_believed(service: Recorded) -> None:
    service.answer([{"lat": "39.9", "lon": "116.4"}])
    locating.use(Nominatim(service.url))
    found = locate(ADDRESS)
    assert (found.precision, found.source) == ("county", "divisions")


def test_nobody_is_led_to_another_address(service: Recorded) -> None:
    service.answer(b"", 302, Location="http://127.0.0.1:1/stolen")
    locating.use(Amap(service.url, "secret"))
    assert locate(ADDRESS).source == "divisions_instead"
    assert len(service.asked) == 1


def test_the_providers_limit_is_kept_over_all_threads(app: Flask, service: Recorded, monkeypatch: Any) -> None:
    from dataclasses import replace

    from fieldservice.foundation import limits

    monkeypatch.setattr(limits.time, "time", lambda: 1000.0)
    service.answer(NOMINATIM)
    settings = replace(app.extensions["fieldservice.settings"], geocoder="nominatim", geocoder_url=service.url)
    providers.choose(settings)
    try:
        sources = [locate(f"无锡市新吴区长江路 {number} 号").source for number in range(3)]
    finally:
        providers.choose(app.extensions["fieldservice.settings"])
    assert sources == ["nominatim", "divisions_instead", "divisions_instead"]
    assert len(service.asked) == 1


# Roads ----------------------------------------------------------------------------------------------


def table(*seconds: float | None) -> dict[str, Any]:
    return {"code": "Ok", "durations": [list(seconds)]}


def test_roads_are_asked_once_for_many_and_kept(service: Recorded) -> None:
    service.answer(table(600, 1200))
    roads = RoadTable(service.url)
    places = [Point(31.5, 120.4), Point(31.6, 120.5)]
    assert [roads.minutes(WUXI, places) for _time in range(2)] == [[10.0, 20.0]] * 2
    assert service.asked == [
        "/table/v1/driving/120.366700,31.490600;120.400000,31.500000;120.500000,31.600000"
        "?sources=0&destinations=1;2&annotations=duration"
    ]


def test_two_hundred_places_are_a_few_questions(service: Recorded) -> None:
    service.answer(table(*[60.0] * 99))
    roads = RoadTable(service.url)
    places = [Point(31 + number / 1000, 120) for number in range(198)]
    assert roads.minutes(WUXI, places) == [1.0] * 198
    assert len(service.asked) == 2
    assert roads.minutes(WUXI, []) == []


def test_a_place_without_a_road_gets_the_straight_line(service: Recorded) -> None:
    service.answer(table(600, None))
    places = [Point(31.5, 120.4), Point(31.6, 120.5)]
    straight = travel.StraightLine().minutes(WUXI, places)
    assert RoadTable(service.url).minutes(WUXI, places) == [10.0, straight[1]]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"no json", 200), ({"code": "InvalidQuery"}, 200), ({"code": "Ok", "durations": []}, 200), (b"", 503),
     (table(-5), 200), ({"code": "Ok", "durations": [["soon"]]}, 200), ({"code": "Ok", "durations": [[]]}, 200)],
)  # fmt: skip
def test_a_road_table_that_fails_falls_back_and_says_so(service: Recorded, content: Any, status: int) -> None:
    service.answer(content, status)
    roads, places = RoadTable(service.url), [Point(31.5, 120.4)]
    chosen = travel.Configured()
    chosen.provider = roads
    assert chosen.source == "roads"
    for _time in range(3):
        assert chosen.minutes(WUXI, places) == travel.StraightLine().minutes(WUXI, places)
    assert len(service.asked) == 1
    assert chosen.source == "straight_instead"


def test_nobody_waits_long_for_a_silent_service() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        roads = RoadTable(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        assert roads.minutes(WUXI, [Point(31.5, 120.4)]) == travel.StraightLine().minutes(WUXI, [Point(31.5, 120.4)])
        assert not roads.answering


@given(st.floats(18.2, 53.5), st.floats(73.6, 134.7))
def test_N_18_there_and_back_is_less_than_a_metre(latitude: float, longitude: float) -> None:
    from hypothesis import assume

    point = Point(latitude, longitude)
    shifted = wgs_to_gcj(point)
    assume(shifted != point)  # outside of mainland China nothing is shifted
    back = gcj_to_wgs(shifted)
    assume(back != shifted)  # on the edge the two datums meet in a step (points.py)
    assert 1000 * distance_km(point, back) < 1


@pytest.mark.parametrize("place", [Point(35.68, 139.76), Point(1.35, 103.8), Point(48.85, 2.35), Point(-33.9, 151.2)])
def test_N_18_outside_of_china_nothing_is_shifted(place: Point) -> None:
    assert wgs_to_gcj(place) == place
    assert gcj_to_wgs(place) == place


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEOCODER", "magic"),
        ("GEOCODER_URL", "ftp://x"),
        ("TRAVEL", "magic"),
        ("TRAVEL_URL", "roads.example.com"),
        ("TRAVEL_HOURS", "rush"),
    ],
)
def test_senseless_settings_stop_the_start(tmp_path: Any, name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        load_settings({"FIELDSERVICE_INSTANCE_PATH": str(tmp_path), f"FIELDSERVICE_{name}": value})


@pytest.mark.parametrize("name", ["osrm", "valhalla"])
def test_roads_need_their_address(tmp_path: Any, name: str) -> None:
    chosen = {"FIELDSERVICE_INSTANCE_PATH": str(tmp_path), "FIELDSERVICE_TRAVEL": name}
    with pytest.raises(ConfigError):
        load_settings(chosen)
    settings = load_settings({**chosen, "FIELDSERVICE_TRAVEL_URL": "http://127.0.0.1:1/"})
    assert (settings.travel, settings.travel_url) == (name, "http://127.0.0.1:1")


@pytest.mark.parametrize(("name", "source"), [("straight", "straight"), ("osrm", "roads"), ("valhalla", "roads")])
def test_the_settings_choose_who_tells_travel_times(app: Flask, name: str, source: str) -> None:
    from dataclasses import replace

    settings = app.extensions["fieldservice.settings"]
    providers.choose(replace(settings, travel=name, travel_url="http://127.0.0.1:1"))
    try:
        assert travel.DEFAULT.source == source
    finally:
        providers.choose(settings)


def test_the_hours_count_unless_the_settings_say_otherwise(app: Flask, tmp_path: Any) -> None:
    from dataclasses import replace

    settings = app.extensions["fieldservice.settings"]
    assert load_settings({"FIELDSERVICE_INSTANCE_PATH": str(tmp_path)}).travel_hours == "default"
    try:
        providers.choose(replace(settings, travel_hours="default"))
        assert travel.DEFAULT.hours == daytime.default()
    finally:
        providers.choose(settings)
    assert travel.DEFAULT.hours is None
