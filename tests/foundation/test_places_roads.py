"""Tables of travel times asked by blocks, of OSRM and of Valhalla alike: little road services on this machine."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fieldservice.foundation.places import Point, roads
from fieldservice.foundation.places.asking import Service, Unavailable
from fieldservice.foundation.places.road_dialects import DIALECTS
from fieldservice.foundation.places.roads import RoadTable
from fieldservice.foundation.places.travel import Configured, StraightLine

ISLAND = Point(30.9, 121.9)
TOWN = [Point(31 + number / 100, 120 + number / 200) for number in range(120)]
Reply = tuple[int, bytes, dict[str, str]]


def seconds(origin: Point, destination: Point) -> float | None:
    """How long it takes in this little world: one way streets, and no bridge to the island."""
    if ISLAND in (origin, destination):
        return None
    there = abs(destination.latitude - origin.latitude) + abs(destination.longitude - origin.longitude)
    return round(60 + 3600 * there * (1.5 if destination.latitude > origin.latitude else 1.0), 1)


class RoadService:
    """Answers tables as OSRM and Valhalla do, unless a test gives it something else to say."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Point], list[Point]]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.instead: Callable[[int], Reply | None] = lambda number: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(*_osrm(self.path), body=None)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["Content-Type"] == "application/json"
                self.reply(*_valhalla(body), body=body)

            def reply(self, sources: list[Point], targets: list[Point], say: Callable[[Any], Any], body: Any) -> None:
                outer.asked.append((sources, targets))
                outer.requests.append((self.command, self.path, body))
                table = [[seconds(one, other) for other in targets] for one in sources]
                plain: Reply = (200, json.dumps(say(table)).encode(), {})
                status, content, headers = outer.instead(len(outer.asked)) or plain
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def say(self, content: Any, status: int = 200, **headers: str) -> None:
        """One answer to everything."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.instead = lambda _number: (status, raw, headers)


def _osrm(path: str) -> tuple[list[Point], list[Point], Callable[[Any], Any]]:
    found = re.fullmatch(r"/table/v1/driving/(.+)\?sources=(.*)&destinations=(.*)&annotations=duration", path)
    assert found, path
    places = [Point(float(one.split(",")[1]), float(one.split(",")[0])) for one in found[1].split(";")]
    sources, targets = ([places[int(number)] for number in found[part].split(";")] for part in (2, 3))
    return sources, targets, lambda table: {"code": "Ok", "durations": table}


def _valhalla(body: Any) -> tuple[list[Point], list[Point], Callable[[Any], Any]]:
    assert body["costing"] == "auto"
    sources, targets = ([Point(one["lat"], one["lon"]) for one in body[part]] for part in ("sources", "targets"))

    def say(table: Any) -> Any:
        pairs = [
            [
                {"time": time, "distance": 1.2, "from_index": row, "to_index": column}
                for column, time in enumerate(times)
            ]
            for row, times in enumerate(table)
        ]
        return {"sources_to_targets": pairs, "units": "kilometers"}

    return sources, targets, say


@pytest.fixture
def service() -> Iterator[RoadService]:
    made = RoadService()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(params=sorted(DIALECTS))
def table(request: pytest.FixtureRequest, service: RoadService) -> RoadTable:
    return RoadTable(service.url, DIALECTS[request.param])


def expected(origins: list[Point], destinations: list[Point]) -> NDArray[np.float64]:
    straight = StraightLine().matrix(origins, destinations)
    by_road = [[seconds(one, other) for other in destinations] for one in origins]
    known = np.array([[np.nan if time is None else time / 60 for time in row] for row in by_road]).reshape(
        straight.shape
    )
    return np.where(np.isnan(known), straight, known)


def test_valhalla_is_sent_its_places_and_asked_for_cars(service: RoadService) -> None:
    times = RoadTable(service.url, DIALECTS["valhalla"]).matrix(TOWN[:1], TOWN[1:3])
    assert times == pytest.approx(expected(TOWN[:1], TOWN[1:3]))
    body = {
        "sources": [{"lat": 31.0, "lon": 120.0}],
        "targets": [{"lat": 31.01, "lon": 120.005}, {"lat": 31.02, "lon": 120.01}],
        "costing": "auto",
    }
    assert service.requests == [("POST", "/sources_to_targets", body)]


def test_a_matrix_is_asked_in_blocks_and_kept(service: RoadService, table: RoadTable) -> None:
    assert table.matrix(TOWN, TOWN) == pytest.approx(expected(TOWN, TOWN))
    assert len(service.asked) == 8
    assert all(len(sources) + len(targets) <= 100 for sources, targets in service.asked)
    assert table.matrix(TOWN[::-1], TOWN[:7]) == pytest.approx(expected(TOWN[::-1], TOWN[:7]))
    assert table.minutes(TOWN[5], TOWN[:7]) == pytest.approx(list(expected([TOWN[5]], TOWN[:7])[0]))
    assert len(service.asked) == 8
    assert table.matrix([], TOWN).shape == (0, 120)
    assert table.matrix(TOWN, []).shape == (120, 0)


def test_only_what_is_new_is_asked(service: RoadService, table: RoadTable) -> None:
    known = TOWN[:60]
    table.matrix(known, known)
    service.asked.clear()
    more = [*known[:30], TOWN[60], *known[30:]]
    assert table.matrix(more, more) == pytest.approx(expected(more, more))
    assert [(len(sources), len(targets)) for sources, targets in service.asked] == [(61, 1), (1, 60)]


def test_a_place_named_twice_is_asked_once(service: RoadService, table: RoadTable) -> None:
    near = Point(TOWN[0].latitude + 0.00001, TOWN[0].longitude)  # a metre off
    assert table.matrix([TOWN[0], near], [TOWN[1], TOWN[1]]) == pytest.approx(expected([TOWN[0]] * 2, [TOWN[1]] * 2))
    assert service.asked == [([TOWN[0]], [TOWN[1]])]


def test_without_a_road_the_straight_line_serves(service: RoadService, table: RoadTable) -> None:
    places = [*TOWN[:3], ISLAND]
    assert table.matrix(places, places) == pytest.approx(expected(places, places))
    assert table.answering


def test_beyond_the_reach_of_valhalla_nothing_is_asked(service: RoadService) -> None:
    beijing, wuxi = [Point(39.9, 116.4), Point(39.95, 116.5)], TOWN[:2]
    places = [wuxi[0], beijing[0], wuxi[1], beijing[1]]
    times = RoadTable(service.url, DIALECTS["valhalla"]).matrix(places, places)
    assert [set(sources) | set(targets) for sources, targets in service.asked] == [set(wuxi), set(beijing)]
    near = np.array([[True, False] * 2, [False, True] * 2] * 2)
    assert times == pytest.approx(np.where(near, expected(places, places), StraightLine().matrix(places, places)))


def test_what_was_answered_before_the_silence_counts(service: RoadService, table: RoadTable) -> None:
    service.instead = lambda number: (503, b"", {}) if number > 2 else None
    chosen = Configured()
    chosen.provider = table
    times = chosen.matrix(TOWN, TOWN)
    straight, by_road = StraightLine().matrix(TOWN, TOWN), expected(TOWN, TOWN)
    answered = np.zeros(times.shape, dtype=bool)
    answered[:50, :100] = True  # the first two blocks
    assert times == pytest.approx(np.where(answered, by_road, straight))
    assert len(service.asked) == 3
    assert chosen.source == "straight_instead"
    assert chosen.matrix(TOWN, TOWN) == pytest.approx(times)  # resting, it is not asked
    assert len(service.asked) == 3


NONSENSE: list[Any] = [
    b"no json", b"", b"[" * 5000, [], {}, "Ok", None, 7, {"code": "InvalidQuery"},
    *({"code": "Ok", "durations": rows} for rows in (
        None, [], 5, "ab", [[60]], [[60, 60], [60]], [[60, 60], None], [[60, "soon"], [60, 60]], [[60, -1], [60, 60]],
        [[60, {}], [60, 60]], [[60, 10**400], [60, 60]], [[60, 60]] * 3,
    )),
    b'{"code": "Ok", "durations": [[1, NaN], [1, 1]]}', b'{"code": "Ok", "durations": [[1, Infinity], [1, 1]]}',
    *({"sources_to_targets": rows} for rows in (
        None, [], 5, "ab", [[{"time": 60}]], [[60, 60], [60, 60]], [[{"time": 60}, {}], [{"time": 60}, {"time": 60}]],
        [[{"time": 60}, {"time": "soon"}], [{"time": 60}, {"time": 60}]], [[{"time": -1}] * 2] * 2, [None, None],
        [[{"time": 10**400}] * 2] * 2, {"durations": [[60, 60], [60, 60]]},
    )),
]  # fmt: skip


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_not_believed(service: RoadService, table: RoadTable, content: Any) -> None:
    service.say(content)
    for _time in range(2):
        assert table.matrix(TOWN[:2], TOWN[2:4]) == pytest.approx(StraightLine().matrix(TOWN[:2], TOWN[2:4]))
    assert not table.answering
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_nobody_is_led_elsewhere_or_asks_again_at_once(service: RoadService, table: RoadTable, status: int) -> None:
    service.say({}, status, Location=f"{service.url}/elsewhere")
    assert table.matrix(TOWN[:1], TOWN[1:2]) == pytest.approx(StraightLine().matrix(TOWN[:1], TOWN[1:2]))
    assert not table.answering
    assert len(service.asked) == 1


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_nobody_waits_long_for_a_table(name: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        table = RoadTable(f"http://127.0.0.1:{silent.getsockname()[1]}", DIALECTS[name], timeout=0.2)
        assert table.matrix(TOWN, TOWN) == pytest.approx(StraightLine().matrix(TOWN, TOWN))
        assert not table.answering


def test_an_endless_answer_is_cut_off(service: RoadService) -> None:
    service.say(b" " * (4 * 1024 * 1024 + 1))
    asked = Service("road table", service.url)
    with pytest.raises(Unavailable):
        asked.ask("/sources_to_targets", {"sources": [], "targets": [], "costing": "auto"})
    assert asked.resting


def test_what_is_kept_has_an_end(service: RoadService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roads, "MOST_KEPT", 500)
    table = RoadTable(service.url)
    assert table.matrix(TOWN, TOWN) == pytest.approx(expected(TOWN, TOWN))  # more than can be kept, and yet all true
    assert 0 < sum(len(row) for row in table._kept.values()) <= 500


flags = st.integers(1, 130).flatmap(
    lambda rows: st.integers(1, 130).flatmap(
        lambda columns: st.tuples(st.just((rows, columns)), st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
    )
)


@given(flags)
def test_blocks_hold_what_is_wanted_and_nothing_that_is_not_allowed(
    drawn: tuple[tuple[int, int], int, float, float],
) -> None:
    shape, seed, some, few = drawn
    random = np.random.default_rng(seed)
    wanted, allowed = random.random(shape) < some, random.random(shape) < few
    asked = np.zeros(shape, dtype=np.bool_)
    for rows, columns in roads._blocks(wanted, allowed):
        assert 2 <= len(rows) + len(columns) <= 100
        assert allowed[np.ix_(rows, columns)].all()
        asked[np.ix_(rows, columns)] = True
    assert (asked >= (wanted & allowed)).all()
