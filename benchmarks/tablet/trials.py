"""Trials at length: a thousand tablets at protocol level, whole days in two browsers, everything killed now and then.

They take hours, so each batch is written into results/trials.jsonl as it ends, and a run goes on where the one before
left off, on whatever machine. Seeds are kept, so that any batch can be repeated. What must be nought is a figure with
the target nought.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import LATEST, Measure
from benchmarks.tablet.stage import fresh_app, served
from config import ROOT
from fieldservice.foundation.db import session
from tests.workorders.tablet_faults.browsers import ENGINES, Screen, Tablet
from tests.workorders.tablet_faults.day import live_through, make_day
from tests.workorders.tablet_faults.proxy import Proxy
from tests.workorders.tablet_faults.trials import bearers, run_trials

LOG = LATEST.with_name("trials.jsonl")
BATCH = 25  # over one database
AT_ONCE = 8
BETWEEN_KILLS_S = (8.0, 25.0)  # a machine of two cores takes seconds to begin anew
PATIENCE_S = 1800.0  # nothing here is judged by how fast a machine is
JOBS, COMMANDS, PHOTOS = 40, 500, 200


@dataclass(frozen=True)
class Log:
    """What was tried so far, one line a batch: {what, seed, count, kills, faults, wrong, minutes, commit}."""

    path: Path = LOG

    def rows(self, what: str) -> list[dict[str, Any]]:
        """The batches of one kind, oldest first."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [row for row in map(json.loads, lines) if row["what"] == what]

    def left(self, what: str, count: int, seed: int, batch: int) -> Iterator[tuple[int, int]]:
        """First seed and length of every batch still to be done."""
        done = sum(row["count"] for row in self.rows(what))
        for first in range(done, count, batch):
            yield seed + first, min(batch, count - first)

    def add(self, **row: Any) -> None:
        """Keep a batch, on disk and on the screen."""
        row["commit"] = _commit()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        wrong = row["wrong"][:5]
        print(f"  {row['what']}, {row['count']} from seed {row['seed']}: {row['kills']} kills, {row['faults']}, "
              f"{row['minutes']:.1f} min, wrong {len(row['wrong'])} {wrong}", flush=True)  # fmt: skip

    def measure(self, what: str) -> Measure:
        """How much went wrong in all of them."""
        rows = self.rows(what)
        count, kills = sum(row["count"] for row in rows), sum(row["kills"] for row in rows)
        name, unit = f"tablet, {what}, lost or doubled or out of order", f"faults in {count}, with {kills} kills"
        return Measure(name, sum(len(row["wrong"]) for row in rows), unit, "lower", target=0)


def protocol(trials: int, seed: int) -> list[Measure]:
    """Half of the trials on each database, in turns: real client code under Node against the real server."""
    log, names = Log(), {kind: f"trials of 65 commands and 5 photos on {kind}" for kind in ("sqlite", "postgresql")}
    waiting = {kind: log.left(what, trials // 2, seed, BATCH) for kind, what in names.items()}
    while waiting:
        for kind, batches in list(waiting.items()):
            batch = next(batches, None)
            if batch is None:
                del waiting[kind]
            else:
                _protocol(log, names[kind], kind, *batch)
    return [log.measure(what) for what in names.values()]


def _protocol(log: Log, what: str, kind: str, seed: int, count: int) -> None:
    began = time.perf_counter()
    with fresh_app(kind) as (app, folder):
        people = bearers(count)
        session.rollback()
        with served(app, folder) as server:
            outcome = run_trials(
                server, people, seed=seed, at_once=AT_ONCE, patience_s=PATIENCE_S, between_kills_s=BETWEEN_KILLS_S
            )
    log.add(
        what=what, seed=seed, count=count, kills=outcome.kills, faults=outcome.told, wrong=outcome.wrong,
        minutes=round((time.perf_counter() - began) / 60, 1),
    )  # fmt: skip


def days(engine: str, count: int, seed: int) -> list[Measure]:
    """Whole days of forty jobs in a real browser."""
    log, what = Log(), f"days of {COMMANDS} commands and {PHOTOS} photos in {engine}"
    for first, _one in log.left(what, count, seed, 1):
        _day(log, what, engine, first)
    return [log.measure(what)]


def _day(log: Log, what: str, engine: str, seed: int) -> None:
    began = time.perf_counter()
    with fresh_app("sqlite") as (app, folder):
        day = make_day(JOBS)
        session.rollback()
        with (
            served(app, folder) as server,
            Proxy(server.port, seed) as line,
            Screen() as screen,
            Tablet(ENGINES[engine], folder / "profile", line, day.cookies, screen.name) as tablet,
        ):
            outcome = live_through(
                day, tablet, server, line, seed=seed, commands=COMMANDS, photos=PHOTOS, turns=24,
                browser_kills=4, server_kills=4,
            )  # fmt: skip
    log.add(
        what=what, seed=seed, count=1, kills=outcome.events["browser killed"] + outcome.events["server killed"],
        faults=outcome.told, wrong=outcome.wrong, minutes=round((time.perf_counter() - began) / 60, 1),
    )  # fmt: skip


def _commit() -> str:
    """What was tried: the commit, with a + where files differ from it."""
    asked = ["git", "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=+"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
