"""Clock arithmetic over plain values: when a limit ends, what has passed, who kept it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from fieldservice.mechanisms.calendars import BusinessCalendar
from fieldservice.mechanisms.limits import CalendarCode, Limit

SHARES = (50, 75, 90, 100)  # % of the limit; the last one is the limit itself (T-05)
INSTANT = timedelta(microseconds=1)
Moments = tuple[datetime, ...]  # one per share
Pause = tuple[datetime, datetime | None]  # from, to; an open one has no end


def moments(start: datetime, limit: Limit, calendar: BusinessCalendar) -> Moments:
    """When each share of the limit has passed; the last one is the due time."""
    if limit.calendar == "wall":
        return tuple(start + timedelta(minutes=limit.minutes * share / 100) for share in SHARES)
    return tuple(calendar.add(start, limit.minutes * share / 100) for share in SHARES)


def after_pause(
    before: Moments, paused: datetime, resumed: datetime, code: CalendarCode, calendar: BusinessCalendar
) -> Moments:
    """Moments still ahead at `paused`, moved on as if no time had passed until `resumed`."""
    if code == "wall":
        return tuple(moment + (resumed - paused) if moment > paused else moment for moment in before)
    return tuple(
        calendar.add(resumed, calendar.minutes_between(paused, moment)) if moment > paused else moment
        for moment in before
    )


def passed_share(marks: Moments, at: datetime) -> int:
    """The highest share passed. 100 only after the due moment: a promise met exactly then is kept."""
    if at > marks[-1]:
        return 100
    return max((share for share, moment in zip(SHARES[:-1], marks, strict=False) if moment <= at), default=0)


def next_check(marks: Moments, warned: int) -> datetime | None:
    """When the scan must look again; None once everything was told."""
    for share, moment in zip(SHARES, marks, strict=True):
        if share > warned:
            return moment + INSTANT if share == 100 else moment
    return None


def outcome(due: datetime, at: datetime) -> str:
    """'kept' up to and including the due moment, else 'breached'."""
    return "kept" if at <= due else "breached"


def share_used(start: datetime, marks: Moments, at: datetime) -> float:
    """Used share of the limit, 0…1. Exact at the marks, so it never contradicts a warning; linear between."""
    points = [(start, 0.0), *((moment, share / 100) for share, moment in zip(SHARES, marks, strict=True))]
    if at <= start:
        return 0.0
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (high - low) * ((at - left) / (right - left)) if right > left else high
    return 1.0


def disjoint(pauses: Iterable[Pause], until: datetime) -> list[tuple[datetime, datetime]]:
    """Pauses in order without their overlaps; an open one lasts until `until`. Time is never given back twice."""
    spans: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(pauses, key=lambda pause: pause[0]):
        begins, ends = max(begins, spans[-1][1]) if spans else begins, min(ends or until, until)
        if ends > begins:
            spans.append((begins, ends))
    return spans


def net_minutes(start: datetime, end: datetime, pauses: Iterable[Pause]) -> float:
    """Wall minutes from start to end less paused time (KPIs show raw and net)."""
    paused = sum((ends - max(begins, start) for begins, ends in disjoint(pauses, end) if ends > start), timedelta(0))
    return (end - start - paused).total_seconds() / 60
