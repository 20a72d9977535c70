"""The fast path leaves what the services leave (decision 0008)."""

from datetime import timedelta
from typing import Any

import pytest

from fieldservice.demo import accounts, load, still, stock
from fieldservice.demo.cast import Cast
from fieldservice.demo.course import Course
from fieldservice.demo.diary import Diary
from fieldservice.demo.faults import Faults
from fieldservice.demo.history import Past
from fieldservice.demo.rows import Rows
from fieldservice.demo.sizes import Size
from fieldservice.demo.stories import Story
from fieldservice.demo.telling import Teller
from fieldservice.demo.writing import Writer
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from tests.conftest import DATABASES, NOW
from tests.demo.tiny import stored

SIZE = Size("two", stations=2, technicians=4, customers=8, open=0, closed=30, days=60)
SEED = 3  # its stories never put a stop between two others, where travel would be told differently
# Messages, and promises of parts that were fitted long ago, are not told of what is past; a picture told by the
# services still waits for its re-encoding.
APART = ("message", "reservation", "stored_file", "deferred_job", "event_log", "event_pending", "event_note")
Stories = list[Story]


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATABASES)
def test_history_as_rows_equals_history_by_services(kind: str, databases: Any, clock: Clock) -> None:
    quick, stories = _told(databases[kind], fast=True)
    slow, _same = _told(databases[kind], fast=False)
    verbs = {step.verb for story in stories for step in story.steps if step.at <= NOW}
    assert {"plan", "remote_done", "own_up", "recover", "close_silent", "sign_off", "expire", "pause", "part"} <= verbs
    assert any(sum(step.verb == "book" for step in story.steps) > 1 for story in stories), "a second visit belongs here"
    for table, rows in quick.items():
        assert rows == slow[table], f"{table} differs"


def _told(database: Any, *, fast: bool) -> tuple[dict[str, list[dict[str, Any]]], Stories]:
    database.reset()
    with database.app.app_context():
        stories = write(lambda: _tell(fast))
        found = {name: _comparable(name, rows) for name, rows in stored(without=APART).items()}
        session.rollback()
        session.remove()
    return found, stories


def _tell(fast: bool) -> Stories:
    with load.standing(NOW):
        world = load.plan_world(SIZE, SEED, NOW)
        rows = Rows()
        placed = still.place(world, rows)
        store = stock.open_store(world, placed, rows)
        crew = Cast(world, placed, store, accounts.open_accounts(world, placed))
        ledger = stock.Ledger(rows)
        stock.fill(world, store, ledger)
        stories = Past(world, Faults(world), Course(Diary(world), NOW)).make_up(NOW - timedelta(hours=30))
        if fast:
            writer = Writer(crew, rows, ledger)
            writer.write(stories, NOW)
            writer.numbers.close(rows)
        ledger.close()
        rows.save()
        if not fast:
            Teller(crew).tell(stories, NOW)
    return stories


def _comparable(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if table != "event":
        return rows
    told = [row for row in rows if not row["kind"].startswith(("message.", "file.", "reservation."))]
    for row in told:
        del row["id"]
    return sorted(
        told, key=lambda row: (row["at"], row["kind"], row["subject_type"], row["subject_id"], str(row["facts"]))
    )
