"""Every test begins with the database of the set-up, whatever the test before it did."""

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from fieldservice.foundation.company import Installation
from fieldservice.foundation.db import db, is_sqlite, session, write
from fieldservice.stations.models import Station
from tests.conftest import Database
from tests.foundation.test_db import make_station


@pytest.fixture
def database(app: Flask, databases: dict[str, Database]) -> Database:
    return databases["sqlite" if is_sqlite() else "postgresql"]


def begin_anew(database: Database) -> None:
    session.remove()
    database.reset()


def test_rows_are_gone_numbers_begin_anew_and_the_set_up_is_there(database: Database) -> None:
    first = write(lambda: make_station().id)
    begin_anew(database)
    assert session.scalar(select(func.count(Station.id))) == 0
    assert session.scalars(select(Installation)).one().finished_at is not None
    session.rollback()
    assert write(lambda: make_station().id) == first


def test_a_changed_table_is_made_anew(database: Database) -> None:
    with db.engine.connect().execution_options(writing=True) as connection:
        connection.execute(text("ALTER TABLE station ADD COLUMN left_by_a_test INTEGER"))
        connection.commit()
    begin_anew(database)
    with pytest.raises(DBAPIError, match="left_by_a_test"):
        session.execute(text("SELECT left_by_a_test FROM station"))
    session.rollback()


def test_a_thread_that_was_left_in_a_transaction_holds_up_nobody(database: Database) -> None:
    left = db.engine.connect().execution_options(writing=True)
    left.execute(text("UPDATE installation SET hotline = '1'"))
    begin_anew(database)
    assert session.scalars(select(Installation.hotline)).one() == ""
    sqlite = is_sqlite()
    session.rollback()
    if not sqlite:  # there the file is another one
        with pytest.raises(OperationalError, match="terminat"):
            left.execute(text("SELECT 1"))
    left.invalidate()
    left.close()
