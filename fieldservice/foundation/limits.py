"""Counters of attempts that are exact across threads and processes.

With PostgreSQL they live in the database. With SQLite they live in a file of their own beside it, so that counting a
visit never waits for somebody who writes; nothing is lost with that file but a few minutes of counting.
"""

import time
from pathlib import Path
from typing import Any

from flask import current_app
from limits.storage import Storage
from sqlalchemy import BigInteger, Engine, Float, String, create_engine, event, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, db

COUNT = (
    "INSERT INTO attempt_count (key, count, expires_at) {values} "
    "ON CONFLICT (key) DO UPDATE SET "
    "count = CASE WHEN attempt_count.expires_at <= :now THEN :amount ELSE attempt_count.count + :amount END, "
    "expires_at = CASE WHEN attempt_count.expires_at <= :now THEN :now + :expiry ELSE attempt_count.expires_at END "
    "RETURNING count"
)
VALUES = "VALUES (:key, :amount, :now + :expiry)"
# in the same statement: a lost count of the last moments before a crash is worth no wait for the disk
QUICKLY = (
    "SELECT CAST(:key AS VARCHAR), CAST(:amount AS BIGINT), CAST(:now AS DOUBLE PRECISION) + :expiry "
    "FROM set_config('synchronous_commit', 'off', true)"
)
COUNT_HERE, COUNT_IN_POSTGRESQL = text(COUNT.format(values=VALUES)), text(COUNT.format(values=QUICKLY))
TABLE = (
    "CREATE TABLE IF NOT EXISTS attempt_count "
    "(key VARCHAR(200) PRIMARY KEY, count BIGINT NOT NULL, expires_at DOUBLE PRECISION NOT NULL)"
)


class AttemptCount(Base):
    """How often something was tried; forgotten after `expires_at` (seconds since 1970, the wall clock's)."""

    __tablename__ = "attempt_count"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[float] = mapped_column(Float(53))


def engine() -> Engine:
    """Where this installation counts."""
    if db.engine.dialect.name != "sqlite":
        return db.engine
    known: Engine | None = current_app.extensions.get("fieldservice.attempts")
    if known is None:
        path = Path(current_app.instance_path) / "attempts.db"
        known = create_engine(f"sqlite:///{path}")
        event.listen(known, "connect", _on_connect)
        event.listen(known, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with known.begin() as connection:
            connection.execute(text(TABLE))
        current_app.extensions["fieldservice.attempts"] = known
    return known


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _run(statement: Any, **facts: Any) -> Any:
    """One statement in a transaction of its own, apart from the request's."""
    used = engine()
    options: dict[str, Any] = {"writing": True, "isolation_level": "AUTOCOMMIT"} if used is db.engine else {}
    with used.connect().execution_options(**options) as connection, connection.begin():
        result = connection.execute(statement, facts)
        return result.first() if result.returns_rows else None


def count(key: str, seconds: int, amount: int = 1) -> int:
    """Count one more try of `key` and tell how many there were since the first, `seconds` ago at most."""
    statement = COUNT_IN_POSTGRESQL if db.engine.dialect.name == "postgresql" else COUNT_HERE
    row = _run(
        statement, key=key[:200], amount=amount, now=time.time(), expiry=seconds
    )  # the wall's, as limits reckons
    return int(row[0])


def counted(key: str) -> tuple[int, float]:
    """(how often, seconds since 1970 when it is forgotten)"""
    row = _run(text("SELECT count, expires_at FROM attempt_count WHERE key = :key AND expires_at > :now"),
               key=key[:200], now=time.time())  # fmt: skip
    return (int(row[0]), float(row[1])) if row else (0, time.time())


def seconds_left(key: str) -> float:
    """How long until `key` is forgotten; 0 when nobody said it."""
    number, until = counted(key)
    return max(0.0, until - time.time()) if number else 0.0


def forget(key: str) -> None:
    """Begin anew."""
    _run(text("DELETE FROM attempt_count WHERE key = :key"), key=key[:200])


def once(key: str, seconds: int) -> bool:
    """Whether this is the first time within `seconds` that somebody says `key`."""
    return count(key, seconds) == 1


def sweep() -> None:
    """Forget what has expired."""
    _run(text("DELETE FROM attempt_count WHERE expires_at <= :now"), now=time.time())


class AttemptStorage(Storage):
    """What Flask-Limiter counts with."""

    STORAGE_SCHEME = ["fieldservice"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return count(key, expiry, amount)

    def get(self, key: str) -> int:
        return counted(key)[0]

    def get_expiry(self, key: str) -> float:
        return counted(key)[1]

    def check(self) -> bool:
        return counted("check")[0] == 0

    def reset(self) -> int | None:
        _run(text("DELETE FROM attempt_count"))
        return None

    def clear(self, key: str) -> None:
        forget(key)
