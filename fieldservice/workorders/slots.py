"""Where a job fits into a technician's days, and how good that is. Pure: plain values in, plain values out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import Any

from fieldservice.foundation.places import Point
from fieldservice.foundation.places.legs import leg
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms.calendars import STANDARD_HOURS
from fieldservice.workorders import collecting
from fieldservice.workorders.eligibility import Refusal, refusals
from fieldservice.workorders.placement import (
    Job,
    Minutes,
    Place,
    Span,
    TechnicianDay,
    duty_of,
    lacking,
    usable_duties,
    visit_before,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)  # starts are said in round minutes
STEP_ABOUT = timedelta(minutes=15)  # and rounder where travel is a guess
LUNCH: tuple[time, time] = (STANDARD_HOURS[0][1], STANDARD_HOURS[1][0])
LUNCH_TAKES = timedelta(minutes=45)
LUNCH_AROUND = timedelta(minutes=60)  # that it may begin before the usual hour, or after that is over

# Weights of the score (0…100). They rank what the rules allow; nothing here refuses.
ON_TIME = 40.0  # arrives before the promise
SOON = 10.0  # the earlier the better, over SOON_WITHIN
SOON_WITHIN = {"P1": timedelta(hours=4), "P2": timedelta(hours=8), "P3": timedelta(days=3), "P4": timedelta(days=7)}
NEAR, NEAR_WITHIN = 22.0, 90.0  # minutes of travel at which nothing is left
SKILL_FIT = {0: 12.0, 1: 8.0, 2: 4.0}  # levels above what is needed: keep the best for what only they can do
PARTS = {"none": 8.0, "van": 8.0, "station": 3.0, "coming": 1.0, "missing": 0.0}
SAME_ASSET = 8.0
ASKED_FOR = 10.0  # by the customer, by name
LATE_PER_HOUR = 4.0
BORROWED, AT_LUNCH, ON_CALL = -6.0, -3.0, -5.0
# What a dispatcher wants to hear first; at most MOST_REASONS of them are told. Promise and travel have their own place.
REASONS = (
    "asked_for",
    "same_asset",
    "skill",
    "parts_van",
    "parts_missing",
    "parts_coming",
    "borrowed",
    "on_call",
    "parts_station",
    "near",
)
MOST_REASONS = 3


@dataclass(frozen=True)
class Aim:
    """What the customer was promised (open promises only), and when planning happens."""

    now: datetime
    arrival_due: datetime | None = None
    restore_due: datetime | None = None


@dataclass(frozen=True)
class Reason:
    """Why a slot is good: a code with the facts of its sentence."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Slot:
    """A time at which this technician can do the job."""

    technician_id: int
    starts_at: datetime
    ends_at: datetime
    travel_min: int | None  # None: the place is not known
    about: bool  # travel, and so the time, is a guess
    score: int
    reasons: tuple[Reason, ...] = ()
    spare_min: int | None = None  # before the arrival promise; None without one, or when late
    late_min: int = 0  # after the arrival promise
    restore_late_min: int = 0  # the work ends that long after the promise to restore


def lunch_within(duty: Span) -> Span | None:
    """From when until when the midday break (LUNCH_TAKES) of a shift may begin; None where the shift does not go on
    before and after it."""
    day = local(duty.starts_at).date()
    usual, over = (at_local(day, moment.hour, moment.minute) for moment in LUNCH)
    earliest, latest = max(usual - LUNCH_AROUND, duty.starts_at), over + LUNCH_AROUND
    goes_on = duty.starts_at < usual and latest + LUNCH_TAKES <= duty.ends_at
    return Span(earliest, latest) if goes_on else None


def openings(job: Job, day: TechnicianDay, within: Span, now: datetime, minutes: Minutes) -> Iterator[Span]:
    """Starts worth trying, in each duty: on arrival from home, and from every stop. The rules decide afterwards."""
    here = job.place.point
    step = STEP_ABOUT if job.place.about else STEP
    earliest = max(within.starts_at, _arrival(day, minutes, _whereabouts(day, now), here, _ready_after(day, now)))
    for duty in usable_duties(job, day.member):
        if not within.touches(*duty):
            continue
        soonest, left = max(duty.starts_at, earliest), duty_of(job, day, duty).starts_at  # of home, before a lending
        tries = {max(_arrival(day, minutes, day.member.home_at(duty.starts_at), here, left), soonest)}
        for stop in day.stops:
            if left <= stop.ends_at < duty.ends_at:
                tries.add(max(_arrival(day, minutes, stop.place.point, here, stop.ends_at), soonest))
        tries |= _with_parts(job, day, Span(soonest, duty.ends_at), tries, minutes)
        for start in sorted(tries):
            rounded = round_up(start, step)
            if rounded < within.ends_at:
                yield Span(rounded, rounded + job.duration)


def best_slots(
    job: Job, day: TechnicianDay, within: Span, aim: Aim, minutes: Minutes, *, fixed_before: bool = False
) -> tuple[list[Slot], list[Refusal]]:
    """The best slot of each local day; or, when there is none, why not (the try with the fewest refusals)."""
    best: dict[Any, Slot] = {}
    why: list[Refusal] | None = None
    for span in openings(job, day, within, aim.now, minutes):
        found = refusals(job, day, span.starts_at, span.ends_at, minutes)
        if found:
            why = found if why is None or len(found) < len(why) else why
            if all(refusal.rule == "skill" for refusal in found):
                break  # no other time has fewer reasons
            continue
        slot = rate(job, day, span, aim, minutes, fixed_before=fixed_before)
        key = local(span.starts_at).date()
        if key not in best or slot.score > best[key].score:
            best[key] = slot
    if best:
        return list(best.values()), []
    if why is None:  # no duty at all: ask the rules about the first moment
        start = round_up(max(within.starts_at, aim.now), STEP)
        why = refusals(job, day, start, start + job.duration, minutes)
    return [], why


# Score --------------------------------------------------------------------------------------------


def rate(job: Job, day: TechnicianDay, span: Span, aim: Aim, minutes: Minutes, *, fixed_before: bool = False) -> Slot:
    """Score and reasons of an eligible slot."""
    travel, about = _way(job, day, span, minutes)
    parts, sent = _parts(job, day)
    late = _late(span.starts_at, aim.arrival_due)
    points: list[tuple[float, Reason | None]] = [
        (_promise(aim, late), None),
        (SOON * max(0.0, 1 - (span.starts_at - aim.now) / SOON_WITHIN.get(job.priority, timedelta(days=7))), None),
        _nearness(travel, about),
        _skill_fit(job, day),
        (PARTS[parts], Reason(f"parts_{parts}", sent) if parts != "none" else None),
        (SAME_ASSET, Reason("same_asset")) if fixed_before else (0.0, None),
        (ASKED_FOR, Reason("asked_for")) if day.member.id in (job.prefers | job.requires) else (0.0, None),
        (BORROWED, Reason("borrowed")) if _borrowed(job, day, span) else (0.0, None),
        (AT_LUNCH if _at_lunch(span) else 0.0, None),
        (ON_CALL, Reason("on_call")) if _on_call(day, span) else (0.0, None),
    ]
    told = sorted((reason for _points, reason in points if reason), key=lambda reason: REASONS.index(reason.code))
    return Slot(
        technician_id=day.member.id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        travel_min=travel,
        about=about,
        score=round(max(0.0, min(100.0, sum(value for value, _reason in points)))),
        reasons=tuple(told[:MOST_REASONS]),
        spare_min=_spare(span.starts_at, aim.arrival_due),
        late_min=late,
        restore_late_min=_late(span.ends_at, aim.restore_due),
    )


def _borrowed(job: Job, day: TechnicianDay, span: Span) -> bool:
    """Somebody of another station; who is lent here is one of ours meanwhile."""
    lent = day.member.lent_at(span.starts_at)
    return (lent.station_id if lent else day.member.station_id) != job.station_id


def _promise(aim: Aim, late: int) -> float:
    if aim.arrival_due is None or not late:
        return ON_TIME
    return max(-ON_TIME, -LATE_PER_HOUR * late / 60)


def _nearness(travel: int | None, about: bool) -> tuple[float, Reason | None]:
    if travel is None:
        return 0.0, None
    value = NEAR * max(0.0, 1 - travel / NEAR_WITHIN)
    return value, Reason("near", {"minutes": travel, "about": about}) if travel <= NEAR_WITHIN / 3 else None


def _skill_fit(job: Job, day: TechnicianDay) -> tuple[float, Reason | None]:
    if not job.skills:
        return SKILL_FIT[0], None
    skill, need = max(job.skills.items(), key=lambda one: (one[1], one[0]))
    above = day.member.skills.get(skill, need) - need
    return SKILL_FIT.get(above, 0.0), Reason("skill", {"skill": skill, "level": need + above})


def _parts(job: Job, day: TechnicianDay) -> tuple[str, Mapping[str, Any]]:
    """Where its parts are, and of what has to come first the last: from where, and when it is in the store."""
    if not job.needs:
        return "none", {}
    short = [(need, missing) for need in job.needs if (missing := lacking(need, day)) > 0]
    if not short:
        return "van", {}
    if all(need.at_station >= quantity for need, quantity in short):
        return "station", {}
    lasts = [need.last_of(quantity) for need, quantity in short if need.at_station < quantity]
    if None in lasts:
        return "missing", {}
    last = max((one for one in lasts if one is not None), key=lambda one: one.ready_at)
    return "coming", {"names": dict(last.names), "ready_at": last.ready_at}


def _way(job: Job, day: TechnicianDay, span: Span, minutes: Minutes) -> tuple[int | None, bool]:
    return travel_min(job, day, span, minutes), job.place.about or stop_before(job, day, span).about


def travel_min(job: Job, day: TechnicianDay, span: Span, minutes: Minutes) -> int | None:
    """Minutes of the drive to the job, as late as it may be; None where nobody knows."""
    here, origin = job.place.point, stop_before(job, day, span).point
    if here is None or origin is None:
        return None
    collection = collecting.on_the_way(job, day, span, minutes)
    if collection is not None and collection.last and collection.fits:
        return ceil((collection.arrives_at - collection.leaves_at).total_seconds() / 60)
    last = visit_before(job, day, span)
    known = last is None or last.place.point is not None  # as the rules: else nobody knows the way
    way = leg(origin, here, minutes(origin, here), day.areas if known else ())
    leaves_at = last.ends_at if last is not None else duty_of(job, day, span).starts_at
    found = way.minutes(span.starts_at)
    if leaves_at + timedelta(minutes=found) > span.starts_at:  # sets off early, before it gets slow
        found = way.minutes(way.soonest(leaves_at))
    return found


def _late(moment: datetime, due: datetime | None) -> int:
    return max(0, ceil((moment - due).total_seconds() / 60)) if due else 0


def _spare(moment: datetime, due: datetime | None) -> int | None:
    return int((due - moment).total_seconds() // 60) if due and due >= moment else None


def _at_lunch(span: Span) -> bool:
    day = local(span.starts_at).date()
    start, end = (at_local(day, moment.hour, moment.minute) for moment in LUNCH)
    return span.touches(start, end)


def _on_call(day: TechnicianDay, span: Span) -> bool:
    covering = [duty for duty in day.member.duties if span.touches(duty.starts_at, duty.ends_at)]
    return bool(covering) and all(duty.on_call for duty in covering)


# Where and when -----------------------------------------------------------------------------------


def stop_before(job: Job, day: TechnicianDay, span: Span) -> Place:
    """Where the technician comes from: the last known stop of the same duty, else home."""
    duty = duty_of(job, day, span)
    last = [stop.place for stop in day.stops if duty.starts_at < stop.ends_at <= span.starts_at and stop.place.point]
    return last[-1] if last else Place(day.member.home_at(span.starts_at))


def round_down(moment: datetime, step: timedelta) -> datetime:
    """The last full step up to `moment`."""
    return EPOCH + (moment - EPOCH) // step * step


def round_up(moment: datetime, step: timedelta) -> datetime:
    """The first full step from `moment`."""
    return EPOCH + -(-(moment - EPOCH) // step) * step


def _with_parts(
    job: Job, day: TechnicianDay, within: Span, tries: Iterable[datetime], minutes: Minutes
) -> set[datetime]:
    """Starts at which its parts are there: once the store has them, and after coming by the store on the way."""
    ready = collecting.ready_at(job, day)
    if ready is None:
        return set()
    found = {max(ready, within.starts_at)}
    for start in tries:
        way = collecting.on_the_way(job, day, Span(start, start + job.duration), minutes)
        if way is not None:
            found.add(max(way.arrives_at, within.starts_at))
    return {start for start in found if start < within.ends_at}


def _whereabouts(day: TechnicianDay, now: datetime) -> Point:
    """Where the technician is at `now`, as far as the plan tells."""
    begun = (stop for stop in day.stops if stop.starts_at <= now and local(stop.ends_at).date() == local(now).date())
    points = [stop.place.point for stop in begun if stop.place.point]
    return points[-1] if points else day.member.home_at(now)


def _ready_after(day: TechnicianDay, now: datetime) -> datetime:
    """`now`, or the end of what is going on."""
    return max([now, *(stop.ends_at for stop in day.stops if stop.starts_at <= now < stop.ends_at)])


def _arrival(
    day: TechnicianDay, minutes: Minutes, origin: Point | None, here: Point | None, leaves_at: datetime
) -> datetime:
    """When somebody can be there who is free from then on; at once where nobody knows the way."""
    if origin is None or here is None:
        return leaves_at
    return leg(origin, here, minutes(origin, here), day.areas).soonest(leaves_at)
