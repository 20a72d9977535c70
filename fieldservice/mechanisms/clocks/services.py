"""What can be done with clocks. Repeating any of it changes nothing more. Nothing here commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, insert, select

from fieldservice.foundation.db import among, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.calendars import BusinessCalendar, standard_calendar
from fieldservice.mechanisms.clocks import core
from fieldservice.mechanisms.clocks.models import Clock, ClockPause
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.limits import Limit
from fieldservice.mechanisms.subjects import OnBehalf, Ref

MOST_REASON = 40  # reasons of pauses are codes


def start(
    subject: Subject,
    kind: str,
    limit: Limit,
    *,
    started_at: datetime,
    priority: str = "P3",
    quoted_at: datetime | None = None,
    told: bool = True,
    pausable: bool = False,
    calendar: BusinessCalendar | None = None,
    station_id: int | None = None,
) -> Clock:
    """Start a limit on `subject`; an open clock of that kind is given back unchanged.

    `told` marks a promise the customer knows of; `calendar` replaces the standard business hours.
    """
    session.flush()  # a new subject needs its id
    known = open_clock(subject, kind)
    if known is not None:
        return known
    clock = begin(
        subject, kind, limit, started_at=started_at, priority=priority, quoted_at=quoted_at, told=told,
        pausable=pausable, calendar=calendar, station_id=station_id,
    )  # fmt: skip
    session.add(clock)
    session.flush()
    return clock


def begin(
    subject: Subject, kind: str, limit: Limit, *, started_at: datetime, priority: str = "P3",
    quoted_at: datetime | None = None, told: bool = True, pausable: bool = False,
    calendar: BusinessCalendar | None = None, station_id: int | None = None,
) -> Clock:  # fmt: skip
    """Like `start`, for a subject that was made in this transaction: no clock of it can be open.

    The clock is not stored yet: `insert_many` does that for many at once.
    """
    calendar = calendar or _calendar_for(limit, started_at)
    marks = core.moments(started_at, limit, calendar)
    clock = Clock(
        subject_type=subject.subject_type,
        subject_id=subject.id,
        station_id=station_id if station_id is not None else getattr(subject, "station_id", None),
        kind=kind,
        priority=priority,
        calendar=limit.calendar,
        limit_minutes=limit.minutes,
        origin=limit.origin,
        pausable=pausable,
        started_at=started_at,
        moments=marks,
        warned=0,
        next_check_at=core.next_check(marks, 0),
        quoted_at=min(quoted_at, marks[-1]) if quoted_at else None,
        told_at=started_at if told else None,
    )
    if limit.calendar == "business":
        _ask_for_missing_years(calendar, started_at, clock.due_at)
    return clock


def insert_many(begun: Sequence[Clock]) -> None:
    """Store clocks that `begin` made, in one statement."""
    names = [column.key for column in Clock.__table__.columns if column.key != "id"]
    if begun:
        session.execute(insert(Clock.__table__), [{name: getattr(clock, name) for name in names} for clock in begun])  # type: ignore[arg-type]  # a mapped class has a table


def stop(subject: Subject, kind: str, at: datetime, calendar: BusinessCalendar | None = None) -> Clock | None:
    """The promised thing happened at `at`: kept up to the due moment, else breached.

    A breach found by the scan is corrected when the fact proves to have been in time. None when no
    such clock is open.
    """
    clock = open_clock(subject, kind)
    if clock is None:
        return None
    at = max(at, clock.started_at)  # a tablet's clock may run behind
    _end_pause(clock, at, calendar)
    verdict = core.outcome(clock.due_at, at)
    clock.stopped_at, clock.next_check_at = at, None
    if clock.state != verdict:
        corrected = clock.state == "breached"
        move(OnBehalf(clock), verdict, at=at, **facts(clock))
        if corrected:
            tasks.cancel_keyed(breach_key(clock), at=at)
    return clock


def void(subject: Subject, kind: str | None = None, *, at: datetime, reason: str | None = None) -> list[Clock]:
    """Take open clocks (one kind, or all) out of count: duplicate, cancelled, test."""
    voided = []
    for clock in session.scalars(_open_of(subject, kind)).all():
        at_earliest = max(at, clock.started_at)
        _close_pause(clock, at_earliest)
        clock.stopped_at, clock.next_check_at = at_earliest, None
        move(OnBehalf(clock), "void", at=at, reason=reason, **facts(clock))
        tasks.cancel_keyed(breach_key(clock), at=at)
        voided.append(clock)
    return voided


def shorten(
    subject: Subject, kind: str, limit: Limit, *, at: datetime, priority: str | None = None,
    quoted_at: datetime | None = None, calendar: BusinessCalendar | None = None,
) -> Clock | None:  # fmt: skip
    """Give an earlier due time if `limit` (counted from the start) has one; a promise is never lengthened."""
    clock = open_clock(subject, kind)
    if clock is None or clock.state != "running":
        return clock
    calendar = calendar or _calendar_for(limit, clock.started_at)
    marks = core.moments(clock.started_at, limit, calendar)
    if clock.pausable:
        for since, until in _finished_pauses(clock):
            marks = core.after_pause(marks, since, until, limit.calendar, calendar)
    clock.priority = priority or clock.priority
    if quoted_at is not None:
        clock.quoted_at = min(quoted_at, clock.quoted_at or quoted_at)
    if marks[-1] < clock.due_at:
        before = clock.due_at
        clock.moments = marks
        clock.limit_minutes, clock.calendar, clock.origin = limit.minutes, limit.calendar, limit.origin
        clock.next_check_at = None if _stands(clock) else core.next_check(marks, clock.warned)
        record("clock.shortened", _ref(clock), {**facts(clock), "was_due_at": before.isoformat()}, at=at)
    if clock.quoted_at is not None:
        clock.quoted_at = min(clock.quoted_at, clock.due_at)
    return clock


def pause(
    subject: Subject, kind: str, *, at: datetime, reason: str, evidence: str, customer_told_at: datetime | None = None
) -> ClockPause | None:
    """Note that something outside our hands holds us up. Only `pausable` clocks stand still meanwhile.

    Raises Invalid without reason, evidence or, for a promise, word to the customer.
    """
    clock = open_clock(subject, kind)
    if clock is None:
        return None
    _check_pause(reason, evidence, needs_word=clock.told, customer_told_at=customer_told_at)
    if clock.paused_at is not None:
        return session.scalar(_open_pause(clock))
    if at < clock.started_at:
        raise Conflict(_l("A pause cannot begin before its clock."), code="pause_too_early")
    finished = _finished_pauses(clock)
    row = ClockPause(
        clock_id=clock.id, starts_at=at, reason=reason, evidence=evidence, customer_told_at=customer_told_at
    )
    session.add(row)
    clock.paused_at = max(at, finished[-1][1]) if finished else at  # no minute is given back twice
    if _stands(clock):
        clock.next_check_at = None
    record("clock.paused", _ref(clock), {**facts(clock), "reason": reason}, at=at)
    return row


def resume(subject: Subject, kind: str, *, at: datetime, calendar: BusinessCalendar | None = None) -> Clock | None:
    """End the open pause. A `pausable` clock gets the paused time back; a promise keeps its due time."""
    clock = open_clock(subject, kind)
    if clock is None or clock.paused_at is None:
        return clock
    at = max(at, clock.paused_at)
    _end_pause(clock, at, calendar)
    clock.next_check_at = core.next_check(clock.moments, clock.warned)
    record("clock.resumed", _ref(clock), facts(clock), at=at)
    return clock


def hand_over(subject: Subject, station_id: int) -> None:
    """Open clocks follow their subject to another station."""
    for clock in session.scalars(_open_of(subject, None)):
        clock.station_id = station_id


def of(subject: Subject) -> list[Clock]:
    """All clocks of a subject, first due first."""
    return of_many(subject.subject_type, [subject.id]).get(subject.id, [])


def of_many(subject_type: str, ids: Iterable[int]) -> dict[int, list[Clock]]:
    """Clocks of many subjects by subject id, in one query (for lists)."""
    grouped: dict[int, list[Clock]] = {}
    wanted = list(ids)
    if not wanted:
        return grouped
    rows = select(Clock).where(Clock.subject_type == subject_type, among(Clock.subject_id, wanted))
    for clock in session.scalars(rows.order_by(Clock.due_at, Clock.id)):
        grouped.setdefault(clock.subject_id, []).append(clock)
    return grouped


def first_open_of(subject_type: str, ids: Iterable[int]) -> dict[int, Clock]:
    """The open clock due first of each of many subjects, by subject id; one query."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = select(Clock).where(
        Clock.subject_type == subject_type, among(Clock.subject_id, wanted), Clock.stopped_at.is_(None)
    )
    return {clock.subject_id: clock for clock in session.scalars(rows.order_by(Clock.due_at.desc(), Clock.id.desc()))}


def most_urgent(clocks: Iterable[Clock]) -> Clock | None:
    """The open clock due first."""
    return min((clock for clock in clocks if clock.is_open), key=lambda clock: clock.due_at, default=None)


def pauses_of(clocks: Sequence[Clock]) -> dict[int, list[ClockPause]]:
    """Pauses by clock id, in one query."""
    grouped: dict[int, list[ClockPause]] = {}
    rows = select(ClockPause).where(ClockPause.clock_id.in_([clock.id for clock in clocks]))
    for row in session.scalars(rows.order_by(ClockPause.starts_at)):
        grouped.setdefault(row.clock_id, []).append(row)
    return grouped


def facts(clock: Clock) -> dict[str, Any]:
    """What every clock event tells: codes, ids and times."""
    return {
        "clock": clock.id,
        "kind": clock.kind,
        "priority": clock.priority,
        "due_at": clock.due_at.isoformat(),
        "told": clock.told,
    }


def breach_key(clock: Clock) -> str:
    """The cause of the task that a broken promise opens."""
    return f"clock_breached:{clock.id}"


def _ref(clock: Clock) -> Ref:
    return Ref(clock.subject_type, clock.subject_id, clock.station_id)


def _open_of(subject: Subject, kind: str | None) -> Select[Clock]:
    """Open clocks, locked, so that the scan and a stop never decide over the same one at once."""
    statement = select(Clock).where(
        Clock.subject_type == subject.subject_type, Clock.subject_id == subject.id, Clock.stopped_at.is_(None)
    )
    if kind is not None:
        statement = statement.where(Clock.kind == kind)
    # read again what another transaction may have changed while we waited for the lock
    return statement.order_by(Clock.id).with_for_update().execution_options(populate_existing=True)


def open_clock(subject: Subject, kind: str) -> Clock | None:
    """The clock of this kind that still runs, or broke and is not over; held until the transaction ends."""
    return session.scalar(_open_of(subject, kind))


def _open_pause(clock: Clock) -> Select[ClockPause]:
    return select(ClockPause).where(ClockPause.clock_id == clock.id, ClockPause.ends_at.is_(None))


def _finished_pauses(clock: Clock) -> list[tuple[datetime, datetime]]:
    rows = pauses_of([clock]).get(clock.id, [])
    ended = [(row.starts_at, row.ends_at) for row in rows if row.ends_at is not None]
    return core.disjoint(ended, max((end for _, end in ended), default=clock.started_at))


def _check_pause(reason: str, evidence: str, *, needs_word: bool, customer_told_at: datetime | None) -> None:
    missing: dict[str, list[Any]] = {}
    if not plain_text(reason, MOST_REASON, field="reason"):
        missing["reason"] = [_l("Please give a reason.")]
    if not plain_text(evidence, field="evidence"):
        missing["evidence"] = [_l("Say what shows it: a photo, a message, a name.")]
    if needs_word and customer_told_at is None:
        missing["customer_told_at"] = [_l("Tell the customer first, then note when.")]
    if missing:
        raise Invalid(missing, code="pause_needs_evidence")


def _end_pause(clock: Clock, at: datetime, calendar: BusinessCalendar | None) -> None:
    """Close an open pause; a `pausable` clock gets the paused time back."""
    since = clock.paused_at
    if since is None:
        return
    stood = _stands(clock)
    _close_pause(clock, at)
    if stood and at > since:
        calendar = calendar or _calendar_for(clock.limit, clock.started_at)
        clock.moments = core.after_pause(clock.moments, since, at, clock.calendar, calendar)


def _close_pause(clock: Clock, at: datetime) -> None:
    if clock.paused_at is None:
        return
    row = session.scalar(_open_pause(clock))
    if row is not None:
        row.ends_at = max(at, row.starts_at)
    clock.paused_at = None


def _stands(clock: Clock) -> bool:
    return clock.pausable and clock.paused_at is not None


def _calendar_for(limit: Limit, since: datetime) -> BusinessCalendar:
    return standard_calendar(since) if limit.calendar == "business" else BusinessCalendar()


def _ask_for_missing_years(calendar: BusinessCalendar, since: datetime, until: datetime) -> None:
    """One task per unpublished year, so that somebody imports it; the clock runs on plain weekends (N-13)."""
    for year in calendar.missing_years(since, until):
        tasks.open_task(
            "calendar_year_missing",
            Ref("calendar_year", year),
            owner_role="admin",
            due_at=calendar.add(since, 5 * 480),
            facts={"year": year},
            key=f"calendar_year_missing:{year}",
            at=since,
        )
