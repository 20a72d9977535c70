"""Numbers people say on the phone: WO-2026-000123. One running row per series and local year.

A number is taken inside the transaction that uses it, so none is lost when that is rolled back, and
two at once wait for each other instead of drawing the same one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, is_sqlite, session
from fieldservice.foundation.time import local, now


class NumberSeries(Base):
    """The last number given of a series in a year."""

    __tablename__ = "number_series"
    series: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)


def next_number(series: str, at: datetime | None = None) -> str:
    """The next number of `series` in the local year of `at` (now): 'WO' → 'WO-2026-000123'. Inside `write`."""
    return next_numbers(series, 1, at)[0]


def next_numbers(series: str, count: int, at: datetime | None = None) -> list[str]:
    """Several numbers in a row, taken at once."""
    year = local(at or now()).year
    last = _advance(series, year, count)
    if last is None:  # the first of its year; somebody else may just be making the row too
        insert: Any = sqlite.insert if is_sqlite() else postgresql.insert
        session.execute(insert(NumberSeries).values(series=series, year=year, last=0).on_conflict_do_nothing())
        last = _advance(series, year, count)
    assert last is not None
    return [f"{series}-{year}-{number:06d}" for number in range(last - count + 1, last + 1)]


def _advance(series: str, year: int, count: int) -> int | None:
    step = update(NumberSeries).where(NumberSeries.series == series, NumberSeries.year == year)
    return session.scalar(
        step.values(last=NumberSeries.last + count)
        .returning(NumberSeries.last)
        .execution_options(synchronize_session=False)
    )
