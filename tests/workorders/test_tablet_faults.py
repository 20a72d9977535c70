"""A few trials of whole tablets over a bad line and a server that is killed; a thousand of them are in `make bench`."""

from pathlib import Path

import pytest
from flask import Flask

from fieldservice.foundation.db import db, session
from tests.served import Served
from tests.workorders.tablet_faults.browsers import ENGINES, Screen, Tablet
from tests.workorders.tablet_faults.day import live_through, make_day
from tests.workorders.tablet_faults.proxy import Proxy
from tests.workorders.tablet_faults.trials import bearers, run_trials

TRIALS, SEED = 6, 20261127


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_out_of_order(app: Flask, tmp_path: Path) -> None:
    people = bearers(TRIALS)
    session.rollback()
    with Served(app, db.engine, tmp_path / "server.log") as served:
        outcome = run_trials(served, people, seed=SEED, at_once=TRIALS)
    print(f"seed {SEED}: {outcome.told}, {outcome.kills} kills, settled after {outcome.settled_ms} ms")
    assert outcome.wrong == []
    assert (outcome.trials, outcome.commands, outcome.photos) == (TRIALS, TRIALS * 65, TRIALS * 5)
    assert outcome.told["lost"] > 20
    assert outcome.told["refused"] > 20


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["chromium", "webkit"])
def test_a_day_in_a_browser_that_is_killed_with_its_server(sqlite_app: Flask, tmp_path: Path, engine: str) -> None:
    day = make_day(4)
    session.rollback()
    with (
        Served(sqlite_app, db.engine, tmp_path / "server.log") as served,
        Proxy(served.port, SEED) as line,
        Screen() as screen,
        Tablet(ENGINES[engine], tmp_path / "profile", line, day.cookies, screen.name) as tablet,
    ):
        outcome = live_through(
            day, tablet, served, line, seed=SEED, commands=50, photos=12, turns=8, browser_kills=2, server_kills=1
        )
    print(f"seed {SEED}: {outcome}")
    assert outcome.wrong == []
    assert outcome.kept == 60
    assert outcome.told["lost"] > 5
