"""Which station serves a place: its territory, the narrowest first; else the shortest drive among open ones (T-01)."""

import pytest
from flask import Flask

from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Station
from fieldservice.stations.queries import find_station, station_by_code, stations_by_id
from fieldservice.stations.services import hold_territory, open_station
from tests import factories as make

SUZHOU = Point(31.30, 120.62)
NINGBO = Point(29.87, 121.54)


def two_stations() -> tuple[Station, Station]:
    """Wuxi holds its county; Suzhou the whole of Wuxi's prefecture and its own."""
    wuxi = make.station(territory=["320214"])
    suzhou = make.station("SZYQ", "苏州园区站", "Suzhou", point=SUZHOU, territory=["320200", "320500"])
    return wuxi, suzhou


def found(division: str | None, point: Point | None = None) -> str:
    return find_station(division, point).code


def test_T_01_the_narrowest_territory_wins(app: Flask) -> None:
    write(two_stations)
    assert found("320214") == "WXXW"  # the county
    assert found("320205") == "SZYQ"  # its city
    assert found("320583") == "SZYQ"  # a county of the other city
    assert found("320214", NINGBO) == "WXXW"  # a territory outranks the position


def test_outside_all_territories_the_shortest_drive_decides(app: Flask) -> None:
    write(two_stations)
    assert found("330203") == "SZYQ"  # Ningbo
    assert found("330203", Point(31.5, 120.3)) == "WXXW"  # a position is more exact than a county seat
    assert found(None, Point(31.31, 120.7)) == "SZYQ"
    assert found(None, Point(48.14, 11.58)) in ("WXXW", "SZYQ")  # Munich: out of any county


def test_without_any_place_nothing_is_lost(app: Flask) -> None:
    write(two_stations)
    assert found(None) == "WXXW"


def test_a_closed_station_serves_nobody_and_a_limited_one_does(app: Flask) -> None:
    def change(state: str) -> None:
        write(lambda: move(station_by_code("WXXW"), state, at=now()))

    write(two_stations)
    change("limited")
    assert found("320214") == "WXXW"
    change("closed")
    assert found("320214") == "SZYQ"
    assert found(None) == "SZYQ"


def test_T_02_a_station_without_the_service_function_takes_no_reports(app: Flask) -> None:
    def shop() -> None:
        made = open_station(
            code="SHOP", names={"zh": "门店", "en": "Shop"}, division_code="320214", point=make.WUXI,
            functions=["sale", "spare_part"], at=now(),
        )  # fmt: skip
        hold_territory(made, ["320214"], at=now())
        make.station("SZYQ", point=SUZHOU)

    write(shop)
    assert found("320214") == "SZYQ"


def test_no_station_at_all_is_said_in_words(sqlite_app: Flask) -> None:
    with pytest.raises(Conflict) as refused:
        find_station(None, None)
    assert refused.value.code == "no_station"
    assert "热线" in str(refused.value.message)


def test_territories_never_overlap(app: Flask) -> None:
    write(two_stations)
    with pytest.raises(Conflict):
        write(lambda: hold_territory(station_by_code("SZYQ"), ["320214"], at=now()))


@pytest.mark.parametrize("codes", [[], ["999999"], ["320214", "abc"], ["1" * 40]])
def test_unknown_divisions_are_refused(sqlite_app: Flask, codes: list[str]) -> None:
    with pytest.raises(Invalid):
        write(lambda: hold_territory(make.station(), codes, at=now()))


def test_a_former_division_is_held_under_todays_code(sqlite_app: Flask) -> None:
    def hold() -> list[str]:
        return [division.code for division in hold_territory(make.station(), ["330103"], at=now()).divisions]

    assert write(hold) == ["330105"]  # Xiacheng became part of Gongshu in 2021


@pytest.mark.parametrize("code", ["", "x" * 5000, "WX'; DROP TABLE station; --", "🛠️", "\x00"])
def test_a_senseless_code_names_no_station(sqlite_app: Flask, code: str) -> None:
    with pytest.raises(NotFound):
        station_by_code(code)


def test_many_stations_in_one_query(sqlite_app: Flask) -> None:
    ids = write(lambda: [one.id for one in two_stations()])
    assert set(stations_by_id([*ids, 999])) == set(ids)
    assert stations_by_id([]) == {}
