"""When the rest of somebody's day will really happen: plain values in, plain values out.

Nobody leaves before now, no visit begins before its time, and work takes as long as it was planned to take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from fieldservice.foundation.places import Point
from fieldservice.workorders.eligibility import Minutes, Span

AT_WORK = ("on_site", "in_progress", "paused")
ENDED = ("completed", "partially_completed", "cannot_complete")
AWAY = "away"  # an absence: it ends when it was booked to end


@dataclass(frozen=True)
class Stop:
    """A visit of the day, or an absence in it, as far as it has come."""

    visit_id: int | None
    state: str
    span: Span  # as planned
    place: Point | None = None
    travel: timedelta = timedelta(0)  # the way as planned, where places do not tell
    en_route_at: datetime | None = None
    on_site_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    paused_at: datetime | None = None
    paused: timedelta = timedelta(0)  # pauses that are over


def estimates(stops: Sequence[Stop], now: datetime, minutes: Minutes) -> dict[int, Span]:
    """visit → when it will begin and end, for each that has not ended, in the order in which they will be done."""
    found: dict[int, Span] = {}
    before: Stop | None = None
    place: Point | None = None
    free: datetime | None = None  # when the stop before is over
    for stop in sorted(stops, key=_order):
        span = _span(stop, max(free or now, now) + _leg(before, place, stop, minutes), now)
        if stop.visit_id is not None and stop.state not in ENDED:
            found[stop.visit_id] = span
        free = max(free or span.ends_at, span.ends_at)
        before, place = stop, stop.place or place
    return found


def _order(stop: Stop) -> tuple[int, datetime]:
    """What is over, what is being done, where somebody is going, then what is to come."""
    if stop.state in ENDED:
        return 0, stop.finished_at or stop.span.ends_at
    if stop.state in AT_WORK:
        return 1, _began(stop)
    if stop.state == "en_route":
        return 2, stop.en_route_at or stop.span.starts_at
    return 3, stop.span.starts_at


def _span(stop: Stop, soonest: datetime, now: datetime) -> Span:
    length = stop.span.ends_at - stop.span.starts_at
    if stop.state == AWAY:
        return stop.span
    if stop.state in ENDED:
        return Span(_began(stop), stop.finished_at or stop.span.ends_at)
    if stop.state in AT_WORK:
        standing = now - stop.paused_at if stop.paused_at else timedelta(0)
        return Span(_began(stop), max(_began(stop) + length + stop.paused + max(standing, timedelta(0)), now))
    if stop.state == "en_route":
        soonest = max((stop.en_route_at or now) + stop.travel, now)
    start = max(stop.span.starts_at, soonest)
    return Span(start, start + length)


def _began(stop: Stop) -> datetime:
    return stop.started_at or stop.on_site_at or stop.span.starts_at


def _leg(before: Stop | None, place: Point | None, stop: Stop, minutes: Minutes) -> timedelta:
    """The way from the last place. What the plan allows between two stops is enough: somebody agreed to it."""
    known = place is not None and stop.place is not None
    leg = timedelta(minutes=ceil(minutes(place, stop.place))) if known else stop.travel  # type: ignore[arg-type]
    gap = stop.span.starts_at - before.span.ends_at if before is not None else None
    return leg if gap is None or gap < timedelta(0) else min(leg, gap)
