"""Late running: estimates are kept with later visits, dispatchers are asked to act, customers are told.

An estimate is no decision: it never changes a visit's version, so no plan and no open form goes stale by it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import and_, or_, select, update

from fieldservice.dispatch.day.estimating import AT_WORK, CHANGED, Miss, estimates, missed
from fieldservice.dispatch.day.reading import WAITING, stops_today, visits_today, ways_of
from fieldservice.foundation import display
from fieldservice.foundation.db import among, session
from fieldservice.foundation.deferred import Done, defer, task
from fieldservice.foundation.time import day_span, local, now
from fieldservice.mechanisms import messages, tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.tasks import Task
from fieldservice.stations.models import Station
from fieldservice.workorders import notices
from fieldservice.workorders.booking import arrival_due_of
from fieldservice.workorders.models import Visit
from fieldservice.workorders.placement import Span
from fieldservice.workorders.slots import STEP, round_up

LATE = timedelta(minutes=15)  # after its time, a visit counts as late [D]
ACT_WITHIN = timedelta(minutes=15)  # where the moment that will be missed is past or near already [D]
WAYS = (30, 60, 120)  # minutes: who has so far to go is looked at that much earlier
TITLE = "visit_late"
MOST = 1_000  # visits looked at in one round; the next round goes on
Deed = Callable[[], object]
tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")


def notice(technician_id: int, at: datetime) -> None:
    """Estimate the rest of the technician's day anew, and write what follows from it; nothing when nothing does."""
    for deed in _deeds(technician_id, at, lock=True):
        deed()


def is_due(technician_id: int, at: datetime) -> bool:
    """Whether `notice` would write anything; a read, so that a day on time never takes a lock."""
    return next(_deeds(technician_id, at), None) is not None


@task("dispatch.late", attempts=3)
def notice_late(technician_id: int) -> Done | None:
    """Asked for by what a technician does with a visit, so that the tablet does not wait for it."""
    return Done(effect=lambda: notice(technician_id, now())) if is_due(technician_id, now()) else None


def overdue(at: datetime, after: int = 0, limit: int = MOST) -> list[int]:
    """Technicians whose day may run late by the clock alone: not set off, work too long, or late already."""
    begins, _ends = day_span(local(at).date())
    not_gone = [Visit.starts_at < at]
    not_gone += [and_(Visit.travel_min >= way, Visit.starts_at < at + timedelta(minutes=way) - LATE) for way in WAYS]
    rows = (
        select(Visit.technician_id)
        .where(among(Visit.station_id, session.scalars(select(Station.id)).all()))
        .where(Visit.starts_at >= begins, Visit.starts_at < at + timedelta(hours=24), Visit.technician_id > after)
        .where(
            or_(
                and_(Visit.state.in_(WAITING), or_(*not_gone, Visit.eta_at.is_not(None))),
                and_(Visit.state.in_(AT_WORK), Visit.ends_at < at),
            )
        )
    )
    return list(session.scalars(rows.distinct().order_by(Visit.technician_id).limit(limit)))


def ask_for(technician_ids: Sequence[int], at: datetime) -> None:
    """Have these noticed, each in a transaction of its own."""
    for technician_id in technician_ids:
        arguments = {"technician_id": technician_id}
        defer(notice_late, f"{technician_id}:{at:%Y%m%dT%H%M%S}", arguments)


def forget(visit: Visit, at: datetime, *, ask: bool = True) -> None:
    """The visit is moved, begins or falls through: what was about to be told, and (`ask`) asked, no longer holds."""
    if visit.work_order.request is not None:
        messages.withdraw(visit.work_order.request, notices.late_key(visit))
    for one in _asked([visit.id]).values() if ask else ():
        tasks.cancel(one, at=at)


# What follows from estimates ----------------------------------------------------------------------


def _deeds(technician_id: int, at: datetime, *, lock: bool = False) -> Iterator[Deed]:
    """What has to be written, found without writing."""
    visits = visits_today(technician_id, at, lock=lock)
    if not any(visit.state in (*WAITING, "en_route", *AT_WORK) for visit in visits):
        return
    expected = estimates(stops_today(visits, technician_id, at), at, ways_of(technician_id))
    asked = _asked([visit.id for visit in visits])
    for visit in visits:
        span = expected.get(visit.id)
        if visit.state in WAITING and span is not None:
            yield from _estimate_deeds(visit, span, at)
        yield from _task_deeds(visit, span, asked.get(visit.id), at)


def _estimate_deeds(visit: Visit, span: Span, at: datetime) -> Iterator[Deed]:
    late = span.starts_at - visit.starts_at >= LATE
    estimate = round_up(span.starts_at, STEP)
    # county precision never feeds an arrival time (DESIGN §6)
    eta = estimate if late and visit.work_order.precision == "point" else None
    if (eta is None) != (visit.eta_at is None) or (eta and visit.eta_at and abs(eta - visit.eta_at) >= CHANGED):
        yield partial(_keep, visit, eta, at)
    if late and span.starts_at > visit.window_ends_at and notices.late_is_news(visit, estimate, at, CHANGED):
        yield partial(notices.tell_late, visit, estimate, at)


def _task_deeds(visit: Visit, span: Span | None, asked: Task | None, at: datetime) -> Iterator[Deed]:
    miss = _miss(visit, span) if span is not None and visit.state in (*WAITING, "en_route") else None
    if miss is None and asked is not None:
        yield partial(tasks.cancel, asked, at=at)
    if miss is not None and span is not None and asked is None and visit.state in WAITING:
        yield partial(_ask, visit, span, miss, at)


def _miss(visit: Visit, span: Span) -> Miss | None:
    if span.starts_at - visit.starts_at < CHANGED:  # what is promised need not be read
        return None
    return missed(visit.starts_at, span.starts_at, arrival_due_of(visit.work_order), visit.window_ends_at)


def _keep(visit: Visit, eta: datetime | None, at: datetime) -> None:
    session.execute(update(Visit).where(Visit.id == visit.id).values(eta_at=eta))
    if eta is None and visit.work_order.request is not None:
        messages.withdraw(visit.work_order.request, notices.late_key(visit))
    facts = {"eta_at": eta.isoformat() if eta else None, "starts_at": visit.starts_at.isoformat()}
    record("visit.estimated", visit, facts, at=at)


def _ask(visit: Visit, span: Span, miss: Miss, at: datetime) -> None:
    """One task for each visit while it is open: the visits are locked, so nobody else asks meanwhile."""
    facts = {
        "number": visit.work_order.number, "what": miss.what, "due": display.clock_time(miss.moment),
        "time": display.clock_time(span.starts_at),
    }  # fmt: skip
    due = max(miss.moment, at + ACT_WITHIN)
    tasks.open_task(TITLE, visit, due_at=due, at=at, owner_role="dispatcher", facts=facts)


def _asked(visit_ids: Sequence[int]) -> dict[int, Task]:
    """visit → the open task about it"""
    rows = select(Task).where(
        Task.subject_type == Visit.subject_type, among(Task.subject_id, visit_ids),
        Task.title == TITLE, Task.state == "open",
    )  # fmt: skip
    return {one.subject_id: one for one in session.scalars(rows)}
