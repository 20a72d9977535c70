"""10,000 contested bookings on each database: none overlap, and every contested slot has a winner."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import aliased, lazyload

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from tests.workorders.cast import NEAR
from tests.workorders.scene import local_at, make_station, team

THREADS = 4
TECHNICIANS, STARTS, CONTENDERS = 10, 10, 100  # 100 slots, each wanted by 100 orders at once
LENGTH = timedelta(minutes=30)
pytestmark = pytest.mark.slow


def _orders(station_id: int, number: int) -> list[int]:
    """Plain work that fits anybody, written in bulk."""
    row: dict[str, Any] = {
        "station_id": station_id, "titles": {"zh": "保养", "en": "Service"},
        "work_type": "cnc_service", "work_type_version": 1,
        "kind": "preventive", "priority": "P3", "duration_min": 30, "skills": {}, "certificates": [],
        "latitude": NEAR.latitude, "longitude": NEAR.longitude, "precision": "point", "created_at": now(),
        "state": "ready", "version": 1,
    }  # fmt: skip
    write(
        lambda: session.execute(
            insert(WorkOrder), [{**row, "number": f"WO-2026-{count:06d}"} for count in range(1, number + 1)]
        )
    )
    return list(session.scalars(select(WorkOrder.id).order_by(WorkOrder.id)))


def _attempt(order_id: int, technician_id: int, starts_at: datetime) -> str:
    """One dispatcher's press on *Assign*, in a transaction of its own; 'won' or the refusing rule."""

    def book() -> None:
        order = session.get_one(WorkOrder, order_id)
        technician = session.get_one(Technician, technician_id, options=[lazyload("*")])
        booking.schedule_visit(order, technician, starts_at)

    try:
        write(book)
    except Conflict as refusal:
        return refusal.code
    return "won"


def _together(app: Flask, work: Callable[[int], list[str]]) -> Counter[str]:
    """Run `work(thread)` in all threads at once, each with a session of its own."""

    def run(thread: int) -> list[str]:
        with app.app_context():
            return work(thread)

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(outcome for outcomes in pool.map(run, range(THREADS)) for outcome in outcomes)


def _overlapping() -> int:
    other = aliased(Booking)
    return session.scalar(
        select(func.count())
        .select_from(Booking)
        .join(other, (other.technician_id == Booking.technician_id) & (other.id > Booking.id))
        .where(Booking.state == "held", other.state == "held")
        .where(other.starts_at < Booking.ends_at, other.ends_at > Booking.starts_at)
    ) or 0  # fmt: skip


def test_10000_contested_bookings_never_overlap_and_every_slot_is_won(app: Flask) -> None:
    def build() -> tuple[int, list[int]]:
        station = make_station()
        return station.id, [one.id for one in team(station, TECHNICIANS, days=1)]

    station_id, technicians = write(build)
    starts = [local_at(11) + number * LENGTH for number in range(STARTS)]
    slots = [(technician, start) for start in starts for technician in technicians]
    orders = _orders(station_id, len(slots) * CONTENDERS)
    session.rollback()
    gate = Barrier(THREADS)

    def contend(thread: int) -> list[str]:
        outcomes = []
        for number, (technician, start) in enumerate(slots):
            gate.wait(120)  # all want the same slot at the same moment
            mine = orders[number * CONTENDERS : (number + 1) * CONTENDERS][thread::THREADS]
            outcomes += [_attempt(order, technician, start) for order in mine]
        return outcomes

    outcomes = _together(app, contend)
    session.rollback()
    assert outcomes == {"won": len(slots), "overlap": len(slots) * (CONTENDERS - 1)}
    assert _overlapping() == 0
    won = session.execute(select(Visit.technician_id, Visit.starts_at)).all()
    assert sorted((one.technician_id, one.starts_at) for one in won) == sorted(slots)


def test_two_dispatchers_plan_the_same_order_once(app: Flask) -> None:
    """The same order, different technicians: one of them is told that it is planned already."""

    def build() -> tuple[int, list[int]]:
        station = make_station()
        return station.id, [one.id for one in team(station, THREADS, days=1)]

    station_id, technicians = write(build)
    orders = _orders(station_id, 20)
    session.rollback()
    gate = Barrier(THREADS)

    def contend(thread: int) -> list[str]:
        outcomes = []
        for number, order in enumerate(orders):
            gate.wait(120)
            outcomes.append(_attempt(order, technicians[thread], local_at(11) + number % 10 * LENGTH))
        return outcomes

    outcomes = _together(app, contend)
    session.rollback()
    assert outcomes["won"] >= 10  # later rounds meet time that is taken already
    assert outcomes["already_booked"] > 0
    assert set(outcomes) <= {"won", "already_booked", "overlap"}
    assert _overlapping() == 0
    booked = session.execute(select(Visit.work_order_id, func.count()).group_by(Visit.work_order_id)).all()
    assert all(visits == 1 for _order, visits in booked)
