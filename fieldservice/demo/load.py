"""Loads the demo company: `make run` once, `demo load` on demand. Never into data that is not demo."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, g
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from config import Settings
from fieldservice.demo import (
    accounts,
    clients,
    consigned,
    copying,
    country,
    cover,
    lending,
    returns,
    roads,
    still,
    stock,
    tablets,
    world,
)
from fieldservice.demo import store as storeroom
from fieldservice.demo.cast import Cast
from fieldservice.demo.company import told
from fieldservice.demo.course import Course
from fieldservice.demo.diary import Diary
from fieldservice.demo.faults import Faults
from fieldservice.demo.history import Past
from fieldservice.demo.outgoing import Outgoing
from fieldservice.demo.placing import Placing
from fieldservice.demo.present import Present
from fieldservice.demo.rescues import Rescues
from fieldservice.demo.rows import Rows
from fieldservice.demo.sizes import Size, size_of
from fieldservice.demo.stories import Story
from fieldservice.demo.telling import Teller
from fieldservice.demo.writing import Writer
from fieldservice.foundation.company import ONLY, Installation, changed
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import clock, local, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import Event, log_backlog, record
from fieldservice.mechanisms.subjects import Ref
from fieldservice.workorders.models import WorkOrder

LOADED = "demo.loaded"
RECENT = timedelta(hours=30)  # what is reported later than that is told by the situations of today
TOLD_WHOLE = 3  # stations of a company that the services tell; of a larger one they tell the first station only
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
    stations, closed = wanted.stations * wanted.regions, max(wanted.closed, wanted.past)
    tell(f"Loading the demo company ({wanted.code}: {stations} stations, {closed} closed orders) …")
    began = time.perf_counter()
    with standing(moment()) as at, seldom_collecting():
        counts = write(lambda: build(wanted, seed, at, tell))
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


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Hundreds of thousands of objects stay until they are saved; looking through them again and again is in vain."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def build(size: Size, seed: int, at: datetime, tell: Tell) -> dict[str, int]:
    """Everything, inside `write`."""
    plan = plan_world(size, seed, at)
    record(LOADED, Ref("demo", 1), {"size": size.code, "seed": seed, "now": at.isoformat()}, at=at)
    introduce(at)
    rows = Rows(below=copying.room_below(size))
    placed = still.place(plan, rows)
    store = stock.open_store(plan, placed, rows)
    people = accounts.open_accounts(plan, placed)
    ledger = stock.Ledger(rows)
    stock.fill(plan, store, ledger)
    crew = Cast(plan, placed, store, people)
    if len(plan.stations) <= TOLD_WHOLE:
        storeroom.share(crew, at)
    lending.lend(plan, placed, people)
    as_rows, going_on = make_up(plan)
    by_hand: list[Story] = []
    for story in going_on:
        (by_hand if is_told(story, plan) else as_rows).append(story)
    writer = Writer(crew, rows, ledger)
    writer.write(as_rows, at)
    writer.numbers.close(rows)
    ledger.close()
    rows.save()
    Teller(crew).tell(by_hand, at)
    if len(plan.stations) <= TOLD_WHOLE:
        roads.dig_up(crew, at)
    if size.past:
        country.spread(size, plan, tell)
    else:
        cover.show(plan, placed)
        tablets.show(crew)
        returns.show(crew)
        storeroom.show(crew)
        with Outgoing():
            consigned.show(crew)
        log_backlog()
    return count()


def introduce(at: datetime) -> None:
    """Whose installation it is; no set-up is asked for."""
    ours = told("company")
    row = session.get(Installation, ONLY) or Installation(id=ONLY, created_at=at)
    row.names, row.short_names, row.hotline, row.finished_at = ours["names"], ours["short"], ours["hotline"], at
    session.add(row)
    changed()


def make_up(plan: world.World) -> tuple[list[Story], list[Story]]:
    """All stories: those whose work is over, and those going on."""
    every = Faults(plan)
    course = Course(Diary(plan), plan.now)
    stories = Past(plan, every, course).make_up(plan.now - RECENT)
    placing = Placing(plan, every, course)
    stories += Present(placing, stories).make_up()
    rescues = [] if plan.size.past else Rescues(placing).make_up()  # a country has no words for them either
    over = [story for story in stories if story.planned or is_over(story, plan.now)]
    return over, [story for story in stories if not (story.planned or is_over(story, plan.now))] + rescues


def is_told(story: Story, plan: world.World) -> bool:
    """Whether the services tell what is going on: at the first stations, and where the fast path has no words."""
    small = len(plan.stations) <= TOLD_WHOLE
    return (
        small
        or story.station == plan.stations[0].code
        or any(not hasattr(Writer, step.verb) for step in story.until(plan.now))
    )


def is_over(story: Story, at: datetime) -> bool:
    """Nobody has to do anything any more, except that the customer may confirm."""
    happened = story.until(at)
    ends = ("remote_done", "duplicate", "cancel", "close_order")
    return any(step.verb in ends or step.data.get("outcome") == "completed" for step in happened)


def count() -> dict[str, int]:
    """What was loaded, in numbers."""
    finished = ServiceRequest.state.in_(("closed", "cancelled", "duplicate"))
    requests = select(func.count(ServiceRequest.id))
    return {
        "open": session.scalar(requests.where(~finished)) or 0,
        "closed": session.scalar(requests.where(finished)) or 0,
        "orders": session.scalar(select(func.count(WorkOrder.id))) or 0,
        "events": session.scalar(select(func.count(Event.id))) or 0,
    }


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
