"""Figures as JSON, as pages and as a command: who reads what, and what bad questions are told."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from fieldservice.foundation.db import db, write
from fieldservice.foundation.time import Clock, at_local
from tests.insight.cases import MORNING, closed, promise, surveyed, visited
from tests.workorders.cast import DAY
from tests.workorders.scene import make_station


@pytest.fixture
def company(app: Flask, clock: Clock) -> dict[str, int]:
    """Two stations, each with a kept and a broken promise."""
    clock.fix(at_local(DAY, 18))

    def build() -> dict[str, int]:
        made = {}
        for code in ("WXXW", "SHPD"):
            station = make_station(code, zh=f"{code}站", en=code)
            made[code] = station.id
            for hours in (2, 5):
                promise(closed(station), "arrival", "4 h", hours=hours)
        return made

    return write(build)


def ask(client: FlaskClient, address: str) -> Any:
    return client.get(f"/api/v1/kpis/{address}")


def test_the_api_tells_what_a_figure_is_made_of(company: dict[str, int], sign_in: Any) -> None:
    client = sign_in("director")
    told = ask(client, "promise_kept?from=2026-11-25&to=2026-11-25&by=station").json
    assert (told["numerator"], told["denominator"], told["value"], told["unit"]) == (2, 4, 50, "percent")
    assert {part["station"]: part["denominator"] for part in told["parts"]} == {"WXXW": 2, "SHPD": 2}
    assert told["definition"]
    weeks = ask(client, "promise_kept?from=2026-11-16&to=2026-11-29&by=week").json["parts"]
    assert [(part["week"], part["value"]) for part in weeks] == [("2026-11-16", None), ("2026-11-23", 50)]


def test_a_foreign_station_is_not_there(company: dict[str, int], sign_in: Any) -> None:
    client = sign_in("station_manager", company["WXXW"])
    assert ask(client, "promise_kept?station=WXXW").json["denominator"] == 2
    assert ask(client, "promise_kept").json["denominator"] == 2
    foreign = ("/api/v1/kpis/promise_kept?station=SHPD", "/board?station=SHPD", "/stations/SHPD", "/stations/NONE")
    for address in foreign:
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize(
    "query",
    ["from=x", "from=2026-02-30", "from=2026-11-25&to=2026-11-01", "from=1800-01-01", "from=2020-01-01",
     "to=9999-12-31", "by=moon", "station=" + "x" * 99],
)  # fmt: skip
def test_bad_questions_are_told_what_is_wrong(company: dict[str, int], sign_in: Any, query: str) -> None:
    client = sign_in("director")
    assert ask(client, f"promise_kept?{query}").status_code == 422


def test_an_unknown_figure_is_not_there(company: dict[str, int], sign_in: Any) -> None:
    client = sign_in("director")
    assert ask(client, "happiness").status_code == 404
    assert client.get("/board/happiness").status_code == 404


@pytest.mark.parametrize(
    "address", ["/board?days=5", "/board?days=x", "/board/top_box?days=²", "/stations/WXXW?days=-1"]
)
def test_pages_show_three_periods_only(company: dict[str, int], sign_in: Any, address: str) -> None:
    client = sign_in("director")
    assert client.get(address).status_code == 422


def test_S_14_promises_kept_is_the_first_tile_everywhere(company: dict[str, int], sign_in: Any) -> None:
    client = sign_in("director")
    for address in ("/board?lang=en", "/stations/WXXW?lang=en", "/board?station=SHPD&lang=en"):
        page = client.get(address).text
        places = [page.index(f"/board/{code}?") for code in ("promise_kept", "resolve_24h", "arrival_rate", "top_box")]
        assert places == sorted(places), address


def test_S_14_a_figure_opens_to_its_cases_misses_first(company: dict[str, int], sign_in: Any) -> None:
    client = sign_in("director")
    page = client.get("/board/promise_kept?lang=en").text
    assert "Promises due, kept or broken" in page
    assert page.index("Missed") < page.index("Counts as kept")
    assert client.get("/board/promise_kept?after=²").status_code == 200
    assert client.get("/board/promise_kept?after=999999").status_code == 200


def count_statements(deed: Callable[[], Any]) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        deed()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("address", ["/board", "/board/promise_kept", "/stations/WXXW"])
def test_pages_ask_as_much_of_many_stations_as_of_two(company: dict[str, int], sign_in: Any, address: str) -> None:
    client = sign_in("director")
    client.get(address)
    before = count_statements(lambda: client.get(address))

    def more() -> None:
        for number in range(6):
            station = make_station(f"ST{number:02}", zh=f"站{number}", en=f"Station {number}")
            for hours in (2, 5):
                one = closed(station)
                promise(one, "arrival", "4 h", hours=hours)
                visited(one, station, MORNING)
                surveyed(one, MORNING, reliability=4)

    write(more)
    assert count_statements(lambda: client.get(address)) == before


def test_the_command_prints_the_same_figure(company: dict[str, int], app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["kpi", "promise_kept", "--by", "station", "--json"])
    assert told.exit_code == 0, told.output
    assert '"denominator": 4' in told.output
    plain = app.test_cli_runner().invoke(args=["kpi", "promise_kept", "--by", "station"])
    assert "2 / 4" in plain.output
    refused = app.test_cli_runner().invoke(args=["kpi", "promise_kept", "--station", "NONE"])
    assert refused.exit_code != 0
    assert "Traceback" not in refused.output
