"""Rows are held once for as long as a transaction lasts, and known as they stand then."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import update

from fieldservice.foundation.db import is_sqlite, lock_rows, session, write
from fieldservice.stations.models import Station
from tests.foundation.test_db import make_station
from tests.mechanisms.people_and_things import statements, threads


@pytest.fixture
def station_id(app: Flask) -> int:
    return write(lambda: make_station().id)


def locks(sent: Sequence[str]) -> int:
    return sum("FOR UPDATE" in one for one in sent)


def once() -> int:
    """So many statements lock a row once: none over SQLite, which has one writer."""
    return 0 if is_sqlite() else 1


def test_what_is_held_is_not_asked_for_again(station_id: int) -> None:
    def work() -> None:
        with statements() as sent:
            lock_rows(session.get_one(Station, station_id))
            lock_rows(session.get_one(Station, station_id))  # nobody kept the row, and yet it is known
            lock_rows(session.get_one(Station, station_id))
        assert locks(sent) == once()
        assert len(sent) == 1 + once() or is_sqlite()

    write(work)


def test_the_next_transaction_holds_it_anew(station_id: int) -> None:
    def work() -> int:
        with statements() as sent:
            lock_rows(session.get_one(Station, station_id))
        return locks(sent)

    assert [write(work), write(work)] == [once(), once()]


def test_what_a_savepoint_held_is_let_go_with_it(station_id: int) -> None:
    def work() -> None:
        station = session.get_one(Station, station_id)
        savepoint = session.begin_nested()
        lock_rows(station)
        savepoint.rollback()
        with statements() as sent:
            lock_rows(station)
        assert locks(sent) == once()

    write(work)


def test_what_a_savepoint_held_stays_when_it_is_kept(station_id: int) -> None:
    def work() -> None:
        station = session.get_one(Station, station_id)
        with session.begin_nested():
            lock_rows(station)
        with statements() as sent:
            lock_rows(station)
        assert not sent

    write(work)


def test_changes_of_our_own_are_not_lost_by_holding(station_id: int) -> None:
    def work() -> str:
        station = session.get_one(Station, station_id)
        station.division_code = "310104"
        lock_rows(station)
        return station.division_code

    assert write(work) == "310104"


def test_a_row_is_known_as_it_stands_when_it_is_held(app: Flask, station_id: int) -> None:
    """Eight people add a letter each, all having read the row before; none is lost."""

    def add(number: int) -> None:
        def work() -> None:
            station = session.get_one(Station, station_id)
            assert station.code  # read before it is held
            lock_rows(station)
            session.execute(update(Station).where(Station.id == station_id).values(code=f"{station.code}{number}"))

        write(work)

    threads(app, add, 8)
    assert sorted(session.get_one(Station, station_id).code) == sorted("WX01234567")
