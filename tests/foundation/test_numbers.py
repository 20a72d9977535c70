"""Numbers: one row per series and year, no gaps, never the same number twice."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from fieldservice.foundation.db import session, write
from fieldservice.foundation.numbers import NumberSeries, next_number
from tests.mechanisms.people_and_things import threads


def test_numbers_run_within_their_series(app: Flask) -> None:
    assert [write(lambda: next_number("WO")) for _ in range(3)] == [
        "WO-2026-000001",
        "WO-2026-000002",
        "WO-2026-000003",
    ]
    assert write(lambda: next_number("SR")) == "SR-2026-000001"
    assert write(lambda: next_number("WO")) == "WO-2026-000004"


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("2025-12-31T23:59:59+08:00", "WO-2025-000001"),
        ("2026-01-01T00:00:00+08:00", "WO-2026-000001"),  # in UTC it is still 2025
    ],
)
def test_the_year_is_the_local_one(app: Flask, at: str, number: str) -> None:
    assert write(lambda: next_number("WO", datetime.fromisoformat(at))) == number


def test_a_rollback_leaves_no_gap(app: Flask) -> None:
    def lose() -> None:
        assert next_number("WO") == "WO-2026-000001"
        raise RuntimeError("after taking a number")

    with pytest.raises(RuntimeError):
        write(lose)
    assert write(lambda: next_number("WO")) == "WO-2026-000001"


def test_many_at_once_never_share_a_number(app: Flask) -> None:
    """Also the very first ones, when the row of the year is still to be made."""

    def take(_number: int) -> list[str]:
        return [write(lambda: next_number("WO")) for _ in range(10)]

    taken = [number for batch in threads(app, take, 6) for number in batch]
    assert sorted(taken) == [f"WO-2026-{n:06d}" for n in range(1, 61)]
    assert session.scalars(select(NumberSeries.last)).all() == [60]


def test_numbers_are_taken_by_writers_only(app: Flask) -> None:
    with pytest.raises(DBAPIError):
        next_number("WO")
    session.rollback()


def test_numbers_grow_past_six_digits(app: Flask) -> None:
    write(lambda: session.add(NumberSeries(series="WO", year=2026, last=999_999)))
    assert write(lambda: next_number("WO")) == "WO-2026-1000000"
