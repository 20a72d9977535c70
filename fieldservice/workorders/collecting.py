"""On which way of a duty a technician comes by the store for the parts that are not in the van. Pure.

Parts of a whole day are usually collected in the morning; what arrives later, or is planned while the day runs, on a
later way. Drives are ordinary ones, as no slow area or rush hour makes one shorter: a plan reckons at least as much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil

from fieldservice.foundation.places import Point
from fieldservice.workorders.placement import Job, Minutes, Need, Span, Stop, TechnicianDay, duty_of, lacking

HANDING_OVER = timedelta(minutes=10)  # as the planner's `Day.collect`
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Collection:
    """The way on which the parts are collected: from where, since when, and when the technician is at its end.

    `last` is the way to the job itself. Where none `fits`, it is that one, with the arrival it would have.
    `collects_at` is when the technician has to be in the store at the latest.
    """

    origin: Point
    leaves_at: datetime
    arrives_at: datetime
    last: bool
    fits: bool
    collects_at: datetime = ALWAYS


def short(job: Job, day: TechnicianDay) -> list[Need]:
    """What the work depends on and the van does not hold."""
    return [need for need in job.needs if need.required and lacking(need, day) > 0]


def ready_at(job: Job, day: TechnicianDay) -> datetime | None:
    """When the store has all that is missing in the van; None when nothing is missing there, or it never will be."""
    missing = short(job, day)
    if not missing or any(need.at_station + _coming(need) < lacking(need, day) for need in missing):
        return None
    lasts = [need.last_of(lacking(need, day)) for need in missing]
    return max([ALWAYS, *(last.ready_at for last in lasts if last is not None)])


def on_the_way(job: Job, day: TechnicianDay, span: Span, minutes: Minutes) -> Collection | None:
    """How the parts are collected for the job at that time: on the first way that leaves time for it.

    None where nothing is to be collected, or nobody knows the way.
    """
    here, store, ready = job.place.point, job.store, ready_at(job, day)
    if here is None or store is None or ready is None:
        return None
    found = None
    for origin, leaves_at, to, arrives_by in _ways(job, day, span, here):
        at_store = max(leaves_at + _drive(minutes, origin, store), ready)
        onwards = HANDING_OVER + (_drive(minutes, store, to) if to is not None else timedelta(0))
        arrives_at, latest = at_store + onwards, arrives_by - onwards
        last = arrives_by == span.starts_at and to == here
        found = Collection(origin, leaves_at, arrives_at, last, arrives_at <= arrives_by, latest)
        if found.fits:
            break
    return found


def _ways(
    job: Job, day: TechnicianDay, span: Span, here: Point
) -> Iterator[tuple[Point, datetime, Point | None, datetime]]:
    """Ways of the duty until the job that nobody has gone yet: from, free since, to (None: not known), there by."""
    duty = duty_of(job, day, span)
    origin, free = day.member.home_at(span.starts_at), duty.starts_at
    for stop in _stops(day, duty, span):
        begun = job.asked_at is not None and stop.starts_at <= job.asked_at
        if not begun:
            yield origin, _not_before(job, free), stop.place.point, stop.starts_at
        origin, free = _left_at(job, stop, origin), max(free, stop.ends_at)
    yield origin, _not_before(job, free), here, span.starts_at


def _left_at(job: Job, stop: Stop, before: Point) -> Point:
    """Where somebody is after a stop. Nobody knows the way from a visit whose place is unknown: none is asked for, as
    by the rule of travel."""
    if stop.cause == "visit" and stop.place.point is None and job.store is not None:
        return job.store
    return stop.place.point or before


def _stops(day: TechnicianDay, duty: Span, span: Span) -> list[Stop]:
    return [stop for stop in day.stops if duty.starts_at < stop.ends_at and stop.ends_at <= span.starts_at]


def _not_before(job: Job, moment: datetime) -> datetime:
    return moment if job.asked_at is None else max(moment, job.asked_at)


def _drive(minutes: Minutes, origin: Point, to: Point) -> timedelta:
    return timedelta(minutes=ceil(minutes(origin, to)) if origin != to else 0)


def _coming(need: Need) -> Decimal:
    return sum((one.quantity for one in need.later), Decimal(0))
