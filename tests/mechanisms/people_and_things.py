"""The cast of these tests: a pump at station 3 that things happen to, people, and many hands at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import event

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import db, session
from fieldservice.mechanisms.subjects import Ref

T = TypeVar("T")
PUMP = Ref("pump", 7, station_id=3)
OTHER_PUMP = Ref("pump", 8, station_id=4)


def person(user_id: int = 1, **roles: frozenset[int] | None) -> Person:
    """Somebody with these roles: person(agent=None, dispatcher=frozenset({3}))."""
    return Person(user_id=user_id, name="Wang", email="wang@demo.test", roles=roles)


def threads(app: Flask, work: Callable[[int], T], count: int) -> list[T]:
    """The answers of `count` threads that begin together, each with a session of its own."""
    session.rollback()  # this thread must hold no lock meanwhile
    together = Barrier(count)

    def run(number: int) -> T:
        with app.app_context():
            together.wait(timeout=20)
            try:
                return work(number)
            finally:
                session.remove()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL sent inside the block, to count it."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
