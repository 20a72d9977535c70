"""Whatever a technician's tablet sends in whatever order: table, ledger, bookings and derived states hold."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import clock, now
from fieldservice.parts.models import StockBalance
from fieldservice.parts.queries import unbalanced
from fieldservice.workorders import findings, visits
from fieldservice.workorders.derivation import derive
from fieldservice.workorders.models import Booking, PartUse, Visit
from tests.conftest import NOW
from tests.workorders.on_tour import PATTERN, SEAL, Tour, fitting, make_tour

STATES = (
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "partially_completed",
    "cannot_complete",
)
moves = st.builds(
    lambda to, restored, left: ("move", to, restored, left),
    st.sampled_from(STATES),
    st.booleans(),
    st.lists(st.just("装轴套"), max_size=1),
)
deeds = st.one_of(
    moves,
    moves,
    st.tuples(st.just("use"), st.integers(1, 3)),
    st.tuples(st.just("give back")),
    st.tuples(st.just("answer all")),
    st.tuples(st.just("code")),
    st.tuples(st.just("wait"), st.integers(1, 90)),
)


class Undone(Exception):
    """Ends an example without leaving a trace."""


def apply(tour: Tour, visit: Visit, deed: tuple[Any, ...]) -> None:
    match deed:
        case ("move", to, restored, left):
            visits.step(visit, to, now(), reason="no_access", restored=restored, open_items=left)
        case ("use", pieces):
            visits.use_part(visit, tour.part(SEAL), Decimal(pieces), now())
        case ("give back",):
            for use in session.scalars(select(PartUse)).all():
                visits.return_part(use, now())
        case ("answer all",):
            for field in findings.catalogue.checklist_of(visit.work_order).fields:
                visits.answer(visit, field.code, fitting(field), now())
        case ("code",):
            visits.choose_pattern(visit, PATTERN, now())
        case ("wait", minutes):
            clock.fix(now() + timedelta(minutes=minutes))


def holds(visit: Visit, before: str) -> None:
    """What is true after each deed, done or refused."""
    assert visit.state == before or visit.lifecycle.allows(before, visit.state)
    order = visit.work_order
    states = session.scalars(select(Visit.state).where(Visit.work_order_id == order.id)).all()
    assert order.state == derive(order.state, states, bool(findings.open_required(order)))
    assert unbalanced() == []
    assert (session.scalar(select(func.min(StockBalance.on_hand))) or 0) >= 0
    held = session.scalar(select(func.count(Booking.id)).where(Booking.visit_id == visit.id, Booking.state == "held"))
    assert not (visit.state == "declined" and held)
    times = [
        visit.dispatched_at,
        visit.accepted_at,
        visit.en_route_at,
        visit.on_site_at,
        visit.started_at,
        visit.finished_at,
    ]
    told = [moment for moment in times if moment is not None]
    assert told == sorted(told)
    if visit.state == "completed":
        assert order.summary
        assert findings.coded(order)
        assert findings.unanswered(order) == []


def example(tour: Tour, steps: list[tuple[Any, ...]]) -> Callable[[], None]:
    def run() -> None:
        visit = tour.visit
        for deed in steps:
            before = visit.state
            try:
                with session.begin_nested():
                    apply(tour, visit, deed)
            except DomainError:
                assert visit.state == before
            holds(visit, before)
        raise Undone

    return run


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(deeds, min_size=4, max_size=16))
def test_random_moves_break_neither_table_nor_ledger(sqlite_app: Flask, steps: list[tuple[Any, ...]]) -> None:
    check(steps)


way = [("move", to, True, []) for to in ("accepted", "en_route", "on_site", "in_progress")]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(deeds, min_size=3, max_size=14))
def test_random_work_at_the_machine_breaks_neither(app: Flask, steps: list[tuple[Any, ...]]) -> None:
    check([*way, *steps])


def check(steps: list[tuple[Any, ...]]) -> None:
    clock.fix(NOW)
    tour = known_tour()
    try:
        write(example(tour, steps))
    except Undone:
        session.expire_all()


def known_tour() -> Tour:
    """One company for all examples, since none of them leaves a trace."""
    visit = session.scalar(select(Visit).limit(1))
    if visit is None:
        made = make_tour()
        session.info["tour"] = made
        return made
    known: Tour = session.info["tour"]
    return known
