"""Loading the demo: reproducible, sound, only once, and never into data that is not demo."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.demo import accounts, clear, load, sizes
from fieldservice.foundation.db import Base, session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.insight.verify import verify
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import lost_events, unlogged_count
from fieldservice.mechanisms.messages.models import Message
from fieldservice.stations.models import Technician
from fieldservice.workorders.models import Visit
from tests.conftest import DATABASES, NOW
from tests.demo.tiny import TINY, digest


def quiet(_line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size of its own for tests."""
    monkeypatch.setitem(sizes.SIZES, "tiny", TINY)


def unsound() -> list[str]:
    return [f"{check.code}: {check.seen}" for check in verify() if not check.sound]


@pytest.mark.slow
def test_same_seed_same_data_on_both_databases(databases: Any, tiny: None, clock: Clock) -> None:
    seen: dict[tuple[str, int, int], str] = {}
    for kind, seed, turn in (*((kind, 360, 1) for kind in DATABASES), ("sqlite", 360, 2), ("sqlite", 7, 1)):
        databases[kind].reset()
        with databases[kind].app.app_context():
            load.load("tiny", seed=seed, tell=quiet)
            seen[kind, seed, turn] = digest()
            session.remove()
    assert seen["sqlite", 360, 1] == seen["postgresql", 360, 1] == seen["sqlite", 360, 2]
    assert seen["sqlite", 7, 1] != seen["sqlite", 360, 1]


def test_what_is_loaded_is_sound(app: Flask, tiny: None) -> None:
    told = load.load("tiny", seed=360, tell=quiet)
    assert unsound() == []
    assert (unlogged_count(), lost_events()) == (0, 0)
    assert session.scalar(select(func.count(Message.id)).where(Message.state == "queued")) == 0, "nothing may be sent"
    assert told["open"] >= 10
    assert told["closed"] >= 20
    last = session.scalar(select(func.max(User.id)))
    assert last is not None
    new = write(lambda: create_user(email="new@demo.test", name="New", password=None).id)
    assert new == last + 1, "explicit ids must not leave the database's own counter behind"


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    ["2026-11-25T03:00+08:00", "2026-11-25T08:05+08:00", "2026-11-29T23:40+08:00", "2027-01-01T09:00+08:00"],
)
def test_the_demo_begins_at_any_hour(sqlite_app: Flask, tiny: None, clock: Clock, moment: str) -> None:
    clock.fix(datetime.fromisoformat(moment))
    load.load("tiny", seed=360, tell=quiet)
    assert unsound() == []
    hero = session.scalars(select(Technician).order_by(Technician.id)).first()
    assert hero is not None
    waiting = select(Visit).where(Visit.technician_id == hero.id, Visit.state == "dispatched", Visit.starts_at > now())
    assert session.scalars(waiting).first() is not None, "somebody who tries the tablet finds a visit to accept"


def test_it_loads_once(sqlite_app: Flask, tiny: None) -> None:
    lines: list[str] = []
    assert load.load_once("tiny", seed=360, tell=lines.append)
    assert any("s." in line and "open" in line for line in lines), "it says what it did and how long it took"
    lines.clear()
    assert not load.load_once("tiny", seed=360, tell=lines.append)
    assert lines == []
    with pytest.raises(Conflict):
        load.load("tiny", seed=360, tell=quiet)


def test_it_never_touches_other_data(sqlite_app: Flask, tiny: None) -> None:
    write(lambda: create_user(email="real@example.com", name="Real", password=None))
    lines: list[str] = []
    assert not load.load_once("tiny", seed=360, tell=lines.append)
    assert "not loaded" in lines[0]
    with pytest.raises(Conflict):
        clear.clear()
    assert session.scalars(select(User.email)).all() == ["real@example.com"]


@pytest.mark.slow
def test_clear_empties_a_demo(app: Flask, tiny: None) -> None:
    load.load("tiny", seed=360, tell=quiet)
    secret = accounts.password()
    assert clear.clear() > 1000
    assert {
        table.name for table in Base.metadata.sorted_tables if session.execute(select(table).limit(1)).first()
    } == set()
    assert clear.clear() == 0
    assert accounts.password() != secret
    assert load.load_once("tiny", seed=1, tell=quiet)


def test_sizes_that_cannot_be_built_here_are_refused(sqlite_app: Flask) -> None:
    with pytest.raises(Invalid) as refused:
        load.load("nation", seed=360, tell=quiet)
    assert "PostgreSQL" in str(refused.value.errors["size"][0])
    with pytest.raises(Invalid):
        load.load("village", seed=360, tell=quiet)


@pytest.mark.slow
def test_the_demo_begins_at_the_set_time_and_the_clock_runs_on(sqlite_app: Flask, tiny: None, clock: Clock) -> None:
    settings = sqlite_app.extensions["fieldservice.settings"]
    sqlite_app.extensions["fieldservice.settings"] = replace(settings, started_clock_at=NOW)
    try:
        clock.start_at(NOW + timedelta(seconds=7))
        load.load("tiny", seed=360, tell=quiet)
        newest = session.scalar(select(func.max(ServiceRequest.received_at)))
        assert newest is not None
        assert newest <= NOW, "FIELDSERVICE_NOW itself counts, however long the start took"
        assert now() > NOW + timedelta(seconds=7)
    finally:
        sqlite_app.extensions["fieldservice.settings"] = settings


@pytest.mark.slow
def test_commands(sqlite_app: Flask, tiny: None) -> None:
    runner = sqlite_app.test_cli_runner()
    loaded = runner.invoke(args=["demo", "load", "--size", "tiny", "--seed", "5", "--json"])
    assert loaded.exit_code == 0, loaded.output
    assert '"size": "tiny"' in loaded.output
    again = runner.invoke(args=["demo", "load", "--size", "tiny"])
    assert again.exit_code == 1
    assert "not empty" in again.output or "不是空" in again.output
    gone = runner.invoke(args=["demo", "clear", "--json"])
    assert gone.exit_code == 0
    assert '"rows"' in gone.output
