"""A run of all levels: read, learn the price of money and level in another process, keep what came out in steps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from math import isnan
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from fieldservice.foundation.db import among, is_sqlite, session, take_turns, write
from fieldservice.foundation.deferred import Done, task
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.levels.calibration import Calibration
from fieldservice.parts.stocking import reckoning
from fieldservice.parts.stocking.bases import Key
from fieldservice.parts.stocking.models import BUSY, StockLevel, StockLevelRun
from fieldservice.parts.stocking.reading import Read, read

LINES_FILLED = "parts.lines_filled"  # share of lines (a part in a month) that shall be filled from the shelf at once
JOBS_COMPLETE = "parts.jobs_complete"  # share of jobs whose parts shall all be there at the first visit
policies.register_defaults(LINES_FILLED, 0.95, worth=policies.PLAIN)
policies.register_defaults(JOBS_COMPLETE, 0.95, worth=policies.PLAIN)
TURN = "stock_levels"  # who keeps levels or types limits
PATIENCE = 180.0  # seconds for one step of the computing
STEP = 2_000  # levels kept in one transaction
READ, LEARNED, LEVELLED = 0.1, 0.5, 0.6  # of the work, told while it goes on


@dataclass(frozen=True)
class Kept:
    """What has been kept so far."""

    levels: int = 0
    changed: int = 0


def interrupt(run_id: int) -> None:
    """The run failed for good: said on its page."""
    run = session.get_one(StockLevelRun, run_id)
    if run.state in BUSY:
        run.finished_at = now()
        move(run, "interrupted", by="system")


@task("parts.levels", attempts=2, give_up=interrupt)
def compute_levels(run_id: int) -> Done | None:
    """Reckon all levels; a run that a killed process left behind begins anew, and keeps the same."""
    run = session.get(StockLevelRun, run_id)
    if run is None or run.state not in BUSY:
        return None
    found = read(now())
    ask, goal = (float(one.value) for one in policies.effective_many([LINES_FILLED, JOBS_COMPLETE]).values())
    session.rollback()  # nothing is held while the computing goes on
    if write(partial(_note, run_id, READ, months=found.material.months)):
        return Done(effect=lambda: _cancel(run_id))
    price = compute(reckoning.learned, found.material, ask, timeout=PATIENCE)
    if write(partial(_note, run_id, LEARNED, price=price)):
        return Done(effect=lambda: _cancel(run_id))
    reckoned = compute(reckoning.levelled, found.material, price.rate_of_money, goal, timeout=PATIENCE)
    lines, kept = reckoned.lines, Kept()
    for begin in range(0, len(lines), STEP):
        share = LEVELLED + (1.0 - LEVELLED) * begin / len(lines)
        if write(partial(_note, run_id, share, jobs=reckoned.jobs)):
            return Done(effect=lambda: _cancel(run_id))
        more = write(partial(_keep, run_id, found, lines, begin))
        kept = Kept(kept.levels + more.levels, kept.changed + more.changed)
    return Done(effect=lambda: _finish(run_id, kept))


def run_here(run_id: int) -> None:
    """Compute a run and wait for it: for commands, which have no leader."""
    done = compute_levels.work(run_id)
    session.rollback()
    if done is not None and done.effect is not None:
        write(done.effect)


# What is written ----------------------------------------------------------------------------------


def _note(
    run_id: int, share: float, *, months: int | None = None, price: Calibration | None = None,
    jobs: reckoning.Jobs | None = None,
) -> bool:  # fmt: skip
    """How far it is; whether somebody called it off."""
    run = session.get_one(StockLevelRun, run_id)
    if run.state == "asked":
        move(run, "computing", by="system")
    run.share = share
    if months is not None:
        run.months = months
    if price is not None:
        run.rate_of_money = price.rate_of_money
        run.achieved = None if isnan(price.achieved) else price.achieved
        backtest = {name: getattr(price, name) for name in ("months", "lines", "asked", "rolled")}
        run.learned = {**run.learned, "backtest": backtest if price.months else None}
    if jobs is not None:
        run.learned = {**run.learned, "jobs": asdict(jobs)}
    return run.stop


def _keep(run_id: int, found: Read, lines: Sequence[reckoning.Line], begin: int) -> Kept:
    """Some of the levels, within the limits that are typed now."""
    take_turns(TURN)
    span = range(begin, min(begin + STEP, len(lines)))
    before, at = _levels_of([found.keys[one] for one in span]), now()
    rows: list[dict[str, Any]] = []
    changed = 0
    for one in span:
        (part, place), line = found.keys[one], lines[one]
        last, least, most = before.get((part, place), NOTHING)
        level, reorder_at = reckoning.limited(Decimal(line.level), Decimal(line.reorder_at), least, most)
        changed += last != level
        rows.append({
            "part_id": part, "location_id": place, "station_id": found.stations[one], "level": level,
            "reorder_at": reorder_at, "floor": found.floors[one] or None,
            "explanation": {**line.explanation, **found.facts.get(one, {})}, "computed_at": at, "run_id": run_id,
        })  # fmt: skip
    insert: Any = sqlite.insert if is_sqlite() else postgresql.insert
    statement = insert(StockLevel)
    fresh = {
        name: statement.excluded[name]
        for name in ("station_id", "level", "reorder_at", "floor", "explanation", "computed_at", "run_id")
    }
    session.execute(statement.on_conflict_do_update(index_elements=["location_id", "part_id"], set_=fresh), rows)
    return Kept(len(rows), changed)


Limits = tuple[Decimal | None, Decimal | None, Decimal | None]  # level, least, most
NOTHING: Limits = (None, None, None)


def _levels_of(keys: Sequence[Key]) -> dict[Key, Limits]:
    """(part, place) → level and typed limits as they are."""
    parts, places = [part for part, _place in keys], {place for _part, place in keys}
    mine = (StockLevel.part_id, StockLevel.location_id, StockLevel.level, StockLevel.least, StockLevel.most)
    rows = session.execute(
        select(*mine).where(StockLevel.part_id.between(min(parts), max(parts)), among(StockLevel.location_id, places))
    )
    return {(part, place): (level, least, most) for part, place, level, least, most in rows}


def _finish(run_id: int, kept: Kept) -> None:
    """What nobody keeps or asks for any more has no level, unless somebody typed limits."""
    run = session.get_one(StockLevelRun, run_id)
    gone = delete(StockLevel).where(StockLevel.run_id < run_id, StockLevel.least.is_(None), StockLevel.most.is_(None))
    session.execute(gone.execution_options(synchronize_session=False))
    run.levels, run.changed, run.share, run.finished_at = kept.levels, kept.changed, 1.0, now()
    move(run, "ready", by="system", levels=kept.levels, changed=kept.changed)


def _cancel(run_id: int) -> None:
    run = session.get_one(StockLevelRun, run_id)
    run.finished_at = now()
    move(run, "cancelled", by="system")
