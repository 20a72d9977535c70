"""The rules of DESIGN §3; each test fails without its rule."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from fieldservice.foundation.db import Quantity, ReadOnly, UtcDateTime, is_sqlite, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Event
from fieldservice.stations.models import Station


def make_station(code: str = "WX") -> Station:
    station = Station(
        code=code,
        names={"zh": "无锡站", "en": "Wuxi"},
        division_code="320214",
        latitude=31.5,
        longitude=120.3,
        functions=[],
    )
    session.add(station)
    session.flush()
    return station


def test_times_come_back_aware_and_in_utc(app: Flask) -> None:
    there = datetime(2026, 11, 25, 10, 30, tzinfo=timezone(timedelta(hours=8)))
    station_id = write(lambda: make_station().id)
    write(
        lambda: session.add(
            Event(at=there, kind="x", subject_type="s", subject_id=1, actor="a", station_id=station_id, facts={})
        )
    )
    stored = session.scalars(select(Event.at)).one()
    assert stored == there
    assert stored.tzinfo is UTC


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(("given", "stored"), [("1.5", 1500), (Decimal("0.001"), 1), (3, 3000), ("-2.25", -2250)])
def test_quantities_are_exact_on_sqlite(given: str, stored: int, sqlite_app: Flask) -> None:
    dialect = session.connection().dialect
    kept = Quantity().process_bind_param(given, dialect)
    assert kept == stored
    assert Quantity().process_result_value(kept, dialect) == Decimal(given)


def test_quantities_with_four_decimals_are_refused(sqlite_app: Flask) -> None:
    with pytest.raises(ValueError, match="three decimals"):
        Quantity().process_bind_param("0.0001", session.connection().dialect)


def test_a_write_outside_write_is_refused(app: Flask) -> None:
    with pytest.raises(ReadOnly):
        make_station()


def test_raw_sql_cannot_write_in_a_reading_transaction(app: Flask) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        session.execute(text("INSERT INTO calendar_day (day, workday, source) VALUES ('2026-01-01', true, '')"))


def test_readers_do_not_take_the_write_lock(app: Flask) -> None:
    session.execute(select(Station)).all()  # a reading transaction stays open
    options = session.get_bind()
    with options.connect().execution_options(writing=True) as other:  # type: ignore[union-attr]
        other.execute(text("DELETE FROM station"))
        other.commit()


def test_foreign_keys_are_enforced(app: Flask) -> None:
    with pytest.raises(Conflict):
        write(lambda: session.execute(text("INSERT INTO territory (station_id, state) VALUES (99, 'draft')")))


def test_a_duplicate_is_a_conflict(app: Flask) -> None:
    write(make_station)
    with pytest.raises(Conflict):
        write(make_station)


def test_an_error_rolls_everything_back(app: Flask) -> None:
    def work() -> None:
        make_station()
        raise KeyError("x")

    with pytest.raises(KeyError):
        write(work)
    assert session.scalars(select(Station)).all() == []


def test_a_busy_database_is_retried_three_times(app: Flask) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise DBAPIError("x", {}, _Busy())

    write(work)
    assert len(tries) == 4
    tries[:] = [0] * -5
    with pytest.raises(DBAPIError):
        write(lambda: _fail(tries))
    assert len(tries) == 4


class _Busy(Exception):
    sqlite_errorcode = 5
    sqlstate = "40001"


def _fail(tries: list[int]) -> None:
    tries.append(1)
    raise DBAPIError("x", {}, _Busy())


def test_sqlite_is_durable_and_waits(sqlite_app: Flask) -> None:
    assert is_sqlite()
    facts = {
        name: session.execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert facts == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}


def test_write_inside_write_joins_it(app: Flask) -> None:
    def outer() -> None:
        write(make_station)
        raise KeyError("x")

    with pytest.raises(KeyError):
        write(outer)
    assert session.scalar(select(Station)) is None
    assert now().tzinfo is UTC
