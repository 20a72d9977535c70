"""Loads the demo company: `make run` once, `demo load` on demand. Never into data that is not demo."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import current_app, g
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from config import Settings
from fieldservice.demo import accounts, clients, still, stock, world
from fieldservice.demo.rows import Rows
from fieldservice.demo.sizes import Size, size_of
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import clock, local, now
from fieldservice.mechanisms.events import Event, record
from fieldservice.mechanisms.subjects import Ref

LOADED = "demo.loaded"
Tell = Callable[[str], None]


def load_once(size: str, *, seed: int, tell: Tell) -> bool:
    """Load into an empty database and tell so; leave any other alone. True when something was loaded."""
    known = first_event()
    if known is not None:
        if known.kind != LOADED:
            tell("This database holds data of its own, so the demo company was not loaded.")
        return False
    load(size, seed=seed, tell=tell)
    return True


def load(size: str, *, seed: int, tell: Tell) -> dict[str, Any]:
    """Build the company and its history. Raises Conflict where the database is not empty, Invalid for a size."""
    wanted = size_of(size)
    if first_event() is not None:
        raise Conflict(_l("This database is not empty. Use another one, or `demo clear` for a demo."), code="not_empty")
    tell(f"Loading the demo company ({wanted.code}: {wanted.stations} stations, {wanted.closed} closed requests) …")
    began = time.perf_counter()
    with standing(moment()) as at:
        counts = write(lambda: build(wanted, seed, at))
    took = round(time.perf_counter() - began, 1)
    tell(f"The demo company is loaded: {counts['open']} open and {counts['closed']} closed requests, {took} s.")
    return {"size": wanted.code, "seed": seed, "seconds": took, **counts}


def first_event() -> Event | None:
    """A database is a demo's when its very first event says so; None when nothing has happened in it."""
    return session.scalar(select(Event).order_by(Event.id).limit(1))


def moment() -> datetime:
    """When the demo begins: FIELDSERVICE_NOW exactly, since the same setting gives the same data; else this minute."""
    settings: Settings = current_app.extensions["fieldservice.settings"]
    return settings.started_clock_at or now().replace(second=0, microsecond=0)


@contextmanager
def standing(at: datetime) -> Iterator[datetime]:
    """The system's clock stands wherever the loader puts it, and runs on as before afterwards."""
    kept = vars(clock).copy()
    clock.fix(at)
    g.actor = "system"
    try:
        yield at
    finally:
        vars(clock).update(kept)
        g.pop("actor", None)


def build(size: Size, seed: int, at: datetime) -> dict[str, int]:
    """Everything, inside `write`."""
    plan = plan_world(size, seed, at)
    record(LOADED, Ref("demo", 1), {"size": size.code, "seed": seed, "now": at.isoformat()}, at=at)
    placed = still.place(plan)
    store = stock.open_store(plan, placed)
    accounts.open_accounts(plan, placed)
    rows = Rows()
    ledger = stock.Ledger(rows)
    stock.fill(plan, store, ledger)
    ledger.close()
    rows.save()
    return {"open": 0, "closed": 0}


def plan_world(size: Size, seed: int, at: datetime) -> world.World:
    """The company as plain values."""
    today = local(at).date()
    stations = world.stations_of(size)
    return world.World(
        size=size,
        seed=seed,
        now=at,
        today=today,
        stations=stations,
        technicians=world.technicians_of(size, seed, today, stations),
        customers=clients.customers_of(size, seed, today, stations),
    )
