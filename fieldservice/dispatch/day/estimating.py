"""When the rest of somebody's day will really happen: plain values in, plain values out.

Nobody leaves before now, no visit begins before its time, and work takes as long as it was planned to take. Who
drives at another hour than planned takes as long as that hour says; who drives through a slow area, longer than whoever
planned it may have known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from fieldservice.foundation.places import Point
from fieldservice.foundation.places.legs import at_another_hour, leg
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.workorders.placement import Minutes, Span

AT_WORK = ("on_site", "in_progress", "paused")
ENDED = ("completed", "partially_completed", "cannot_complete")
AWAY = "away"  # an absence: it ends when it was booked to end
CHANGED = timedelta(minutes=5)  # an estimate that moved less is no news [D]
NO_TIME = timedelta(0)


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


@dataclass(frozen=True)
class Ways:
    """How long drives take: usually, and through areas that slow them for a while; `home` is where the day begins."""

    minutes: Minutes
    areas: tuple[SlowArea, ...] = ()
    home: Point | None = None


class Miss(NamedTuple):
    """What will not be kept: the told window, or the promise to arrive."""

    what: str  # promise, window
    moment: datetime


def estimates(stops: Sequence[Stop], now: datetime, ways: Ways) -> dict[int, Span]:
    """visit → when it will begin and end, for each that has not ended, in the order in which they will be done."""
    found: dict[int, Span] = {}
    before: Stop | None = None
    place: Point | None = None
    free: datetime | None = None  # when the stop before is over
    for stop in sorted(stops, key=_order):
        span = _span(stop, _soonest(before, place, stop, max(free or now, now), now, ways), now)
        if stop.visit_id is not None and stop.state not in ENDED:
            found[stop.visit_id] = span
        free = max(free or span.ends_at, span.ends_at)
        before, place = stop, stop.place or place
    return found


def missed(planned: datetime, expected: datetime, due: datetime | None, told_until: datetime) -> Miss | None:
    """A moment that the planned start keeps and the estimate does not; the promise to arrive before the window."""
    if expected - planned < CHANGED:
        return None
    moments = (("promise", due), ("window", told_until))
    return next((Miss(what, moment) for what, moment in moments if moment and planned <= moment < expected), None)


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
        standing = now - stop.paused_at if stop.paused_at else NO_TIME
        return Span(_began(stop), max(_began(stop) + length + stop.paused + max(standing, NO_TIME), now))
    start = max(stop.span.starts_at, soonest)
    return Span(start, start + length)


def _began(stop: Stop) -> datetime:
    return stop.started_at or stop.on_site_at or stop.span.starts_at


def _soonest(
    before: Stop | None, place: Point | None, stop: Stop, leaves_at: datetime, now: datetime, ways: Ways
) -> datetime:
    """When somebody who may leave then is there. What the plan allows between two stops is enough: somebody agreed to
    it, and on a day that is on time nobody's way need be asked."""
    if stop.state in (*ENDED, *AT_WORK, AWAY):
        return leaves_at
    origin = place if before is not None else ways.home
    if stop.state == "en_route":
        left_at = stop.en_route_at or now
        return max(left_at + _planned(origin, stop, left_at, ways), now)
    if before is None:
        return leaves_at + _planned(origin, stop, leaves_at, ways)
    gap, slower = stop.span.starts_at - before.span.ends_at, _slower(origin, stop, leaves_at, ways)[0]
    if not slower and gap >= NO_TIME and leaves_at <= before.span.ends_at:
        return stop.span.starts_at
    if place is not None and stop.place is not None:
        usual = leg(place, stop.place, ways.minutes(place, stop.place)).soonest(leaves_at) - leaves_at
    else:
        usual = at_another_hour(stop.travel, stop.span.starts_at, leaves_at)
    if gap >= NO_TIME:
        usual = min(usual, at_another_hour(gap, stop.span.starts_at, leaves_at))
    return leaves_at + usual + slower


def _planned(origin: Point | None, stop: Stop, leaves_at: datetime, ways: Ways) -> timedelta:
    """The way as planned, at this hour; longer where an area slows it that was perhaps not known yet."""
    planned = at_another_hour(stop.travel, stop.span.starts_at, leaves_at)
    slower, usual = _slower(origin, stop, leaves_at, ways)
    return max(planned, usual + slower) if slower else planned


def _slower(origin: Point | None, stop: Stop, leaves_at: datetime, ways: Ways) -> tuple[timedelta, timedelta]:
    """How much longer slow areas make the way of who leaves then; and how long it takes at that hour without them."""
    if not ways.areas or origin is None or stop.place is None:
        return NO_TIME, NO_TIME
    drive = leg(origin, stop.place, 0.0, ways.areas)
    if not drive.areas:
        return NO_TIME, NO_TIME
    drive = replace(drive, ordinary=ways.minutes(origin, stop.place))
    usual = replace(drive, areas=()).soonest(leaves_at) - leaves_at
    return drive.soonest(leaves_at) - leaves_at - usual, usual
