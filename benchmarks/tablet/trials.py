"""Trials at length: a thousand tablets at protocol level, whole days in two browsers, thousands of histories and of
broken input. What must be nought is a figure with the target nought; seeds are printed, so that any can be repeated."""

import time

from benchmarks.results import Measure
from benchmarks.tablet.stage import fresh_app, served
from fieldservice.foundation.db import session
from tests.workorders.tablet_faults.browsers import ENGINES, Screen, Tablet
from tests.workorders.tablet_faults.day import live_through, make_day
from tests.workorders.tablet_faults.proxy import Proxy
from tests.workorders.tablet_faults.trials import bearers, run_trials

BATCH = 100  # over one database
AT_ONCE = 10
BETWEEN_KILLS_S = (8.0, 25.0)  # a machine of two cores takes seconds to begin anew
PATIENCE_S = 1800.0  # nothing here is judged by how fast a machine is
JOBS, COMMANDS, PHOTOS = 40, 500, 200


def protocol(trials: int, seed: int) -> list[Measure]:
    """Half of the trials on each database: real client code under Node against the real server."""
    measures = []
    for kind in ("sqlite", "postgresql"):
        wrong, done, kills, began = [], 0, 0, time.perf_counter()
        while done < trials // 2:
            count = min(BATCH, trials // 2 - done)
            with fresh_app(kind) as (app, folder):
                people = bearers(count)
                session.rollback()
                with served(app, folder) as server:
                    outcome = run_trials(
                        server, people, seed=seed + done, at_once=AT_ONCE, patience_s=PATIENCE_S,
                        between_kills_s=BETWEEN_KILLS_S,
                    )  # fmt: skip
            wrong += outcome.wrong
            done, kills = done + count, kills + outcome.kills
            print(
                f"  {kind} seeds {seed + done - count}…: {outcome.told}, {outcome.kills} kills, {outcome.wrong}",
                flush=True,
            )
        minutes = (time.perf_counter() - began) / 60
        print(f"  {done} trials on {kind}, {kills} kills, {minutes:.1f} min", flush=True)
        name = f"tablet trials on {kind}, {done} × 65 commands and 5 photos"
        measures.append(Measure(f"{name}, lost or doubled or out of order", len(wrong), "trials", "lower", target=0))
    return measures


def days(engine: str, count: int, seed: int) -> list[Measure]:
    """Whole days of forty jobs in a real browser, everything killed now and then."""
    wrong = []
    for number in range(count):
        with fresh_app("sqlite") as (app, folder):
            day = make_day(JOBS)
            session.rollback()
            with (
                served(app, folder) as server,
                Proxy(server.port, seed + number) as line,
                Screen() as screen,
                Tablet(ENGINES[engine], folder / "profile", line, day.cookies, screen.name) as tablet,
            ):
                outcome = live_through(
                    day, tablet, server, line, seed=seed + number, commands=COMMANDS, photos=PHOTOS, turns=24,
                    browser_kills=4, server_kills=4,
                )  # fmt: skip
        wrong += outcome.wrong
        print(f"  {engine} seed {seed + number}: {outcome}", flush=True)
    name = f"tablet, {count} days of {COMMANDS} commands and {PHOTOS} photos in {engine}"
    return [Measure(f"{name}, lost or doubled or out of order", len(wrong), "faults", "lower", target=0)]
