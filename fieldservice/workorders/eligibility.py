"""Who may do a job, and when: one table of rules over plain values.

Suggestions, booking and the planner ask the same table, so what is suggested can be booked. Rules only
refuse; ranking is elsewhere. Taking something off a technician's plate (a booking) or giving more (a
skill, a certificate, a part) never adds a refusal. No session, no request, no clock.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any, NamedTuple

from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.foundation.places.legs import Leg, leg
from fieldservice.foundation.time import day_span, local
from fieldservice.stations.lendings import spans_for
from fieldservice.stations.roster import Duty, Member
from fieldservice.workorders import collecting
from fieldservice.workorders.placement import (
    ON_CALL_FOR,
    Job,
    Minutes,
    Span,
    Stop,
    TechnicianDay,
    counted,
    duty_of,
    lacking,
    visit_before,
)

OVER_OFFERS = frozenset({"P1"})  # these take time that another customer was offered and has not chosen yet
OFFER = "offer"  # cause of such time
LONGEST_LEG = timedelta(hours=16)  # a stop further away in time never hinders by its distance


@dataclass(frozen=True)
class Refusal:
    """A rule that says no, with the facts its sentence needs (`refusals.text`)."""

    rule: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Case(NamedTuple):
    """The question put to every rule: this job, this technician, then?"""

    job: Job
    day: TechnicianDay
    span: Span
    minutes: Minutes


Rule = Callable[[Case], Iterator[Refusal]]


# Rules of the person ------------------------------------------------------------------------------


def _skill(case: Case) -> Iterator[Refusal]:
    for skill, need in sorted(case.job.skills.items()):
        have = case.day.member.skills.get(skill, 0)
        if have < need:
            yield Refusal("skill", {"skill": skill, "have": have, "need": need})


def _certificate(case: Case) -> Iterator[Refusal]:
    last_day = local(case.span.ends_at - timedelta(microseconds=1)).date()
    for kind in case.job.certificates:
        valid_until: date | None = case.day.member.certificates.get(kind)
        if valid_until is None:
            yield Refusal("certificate", {"certificate": kind})
        elif valid_until < last_day:
            yield Refusal("certificate", {"certificate": kind, "valid_until": valid_until})


def _station(case: Case) -> Iterator[Refusal]:
    """Meanwhile a lent technician is the borrowing station's, whatever the home station's policy of lending."""
    for lent in case.day.member.lent:
        if lent.station_id != case.job.station_id and lent.touches(*case.span):
            facts = {"starts_at": lent.starts_at, "ends_at": lent.ends_at, "names": dict(lent.names)}
            yield Refusal("station", {"station_id": case.day.member.station_id, "lent_to": lent.station_id, **facts})
            return
    if case.day.member.station_id == case.job.station_id or case.day.lends:
        return
    here = (duty for duty in case.day.member.duties if duty.station_id == case.job.station_id)
    if not any(case.span.touches(duty.starts_at, duty.ends_at) for duty in here):
        yield Refusal("station", {"station_id": case.day.member.station_id})


def _customer(case: Case) -> Iterator[Refusal]:
    """By name, as the customer wishes."""
    mine = case.day.member.id
    if mine in case.job.excludes:
        yield Refusal("customer", {"wish": "excluded"})
    elif case.job.requires and mine not in case.job.requires:
        yield Refusal("customer", {"wish": "required"})


def _part(case: Case) -> Iterator[Refusal]:
    """What the work depends on is in the van, or in the station's store by then."""
    for need in case.job.needs:
        missing = lacking(need, case.day)
        there = need.by(case.span.starts_at)
        if not need.required or there >= missing:
            continue
        have = need.quantity - missing + there
        facts: dict[str, Any] = {"part": need.number, "names": dict(need.names), "have": have, "need": need.quantity}
        if coming := need.last_of(missing):
            facts |= {"ready_at": coming.ready_at, "place": dict(coming.names)}
        yield Refusal("part", facts)


# Rules of time ------------------------------------------------------------------------------------


def _covering(job: Job, member: Member, span: Span) -> Span | None:
    # asked for every try of every technician
    for start, end in spans_for(job.station_id, counted(job, member), member.lent):
        if start <= span.starts_at and span.ends_at <= end:
            return Span(start, end)
    return None


def _shift(case: Case) -> Iterator[Refusal]:
    if _covering(case.job, case.day.member, case.span) is not None:
        return
    nearest = _nearest(case.day.member.duties, case.span)
    if nearest is None:
        yield Refusal("shift", {"day": local(case.span.starts_at).date()})
        return
    facts: dict[str, Any] = {"starts_at": nearest.starts_at, "ends_at": nearest.ends_at}
    if nearest.on_call and case.job.priority not in ON_CALL_FOR:
        facts["on_call"] = True
    elif case.span.starts_at < nearest.starts_at:
        facts["earliest"] = nearest.starts_at
    else:
        length = case.span.ends_at - case.span.starts_at
        facts["overtime"] = _minutes(case.span.ends_at - nearest.ends_at)
        if nearest.starts_at + length <= nearest.ends_at:
            facts["latest"] = nearest.ends_at - length
    yield Refusal("shift", facts)


def _nearest(duties: tuple[Duty, ...], span: Span) -> Duty | None:
    """The duty one would think of first: the one with most time in common, else the next one of that day."""

    def common(duty: Duty) -> timedelta:
        return min(duty.ends_at, span.ends_at) - max(duty.starts_at, span.starts_at)

    begins, ends = day_span(local(span.starts_at).date())
    near = [
        duty for duty in duties
        if span.touches(duty.starts_at, duty.ends_at) or begins <= duty.starts_at < ends
    ]  # fmt: skip
    return max(near, key=lambda duty: (not duty.on_call, common(duty)), default=None)


def _absence(case: Case) -> Iterator[Refusal]:
    if case.day.member.absent:
        yield Refusal("absence", {"state": case.day.member.state})
    for stop in case.day.stops:
        if stop.cause not in ("visit", OFFER) and case.span.touches(stop.starts_at, stop.ends_at):
            yield Refusal("absence", {"cause": stop.cause, "starts_at": stop.starts_at, "ends_at": stop.ends_at})


def _overlap(case: Case) -> Iterator[Refusal]:
    for stop in case.day.stops:
        if stop.cause in ("visit", OFFER) and case.span.touches(stop.starts_at, stop.ends_at):
            offered = {"offered": True} if stop.cause == OFFER else {}
            facts = {"order": stop.label, "starts_at": stop.starts_at, "ends_at": stop.ends_at}
            yield Refusal("overlap", {**facts, **offered})


def _travel(case: Case) -> Iterator[Refusal]:
    """Every stop with a known place must leave time for the way; the tightest one before and after is told.

    Slow areas lengthen the ways from the visit right before and to the one right after: who has a stop in between goes
    by way of it, and around the area perhaps. For the others the ordinary time is asked, which no detour undercuts.
    Where nobody knows the place of the visit beside, nobody knows the way either: ordinary times again.
    """
    here = case.job.place.point
    if here is None:
        return
    if before := late_arrivals(case):
        yield max(before, key=lambda refusal: refusal.facts["earliest"])
    if after := list(_to_stops(case, here)):
        yield min(after, key=lambda refusal: refusal.facts["latest"])


def late_arrivals(case: Case) -> list[Refusal]:
    """Ways to the job that take longer than there is time."""
    here = case.job.place.point
    if here is None:
        return []
    last = visit_before(case.job, case.day, case.span)
    return [*_from_home(case, here, last), *_from_stops(case, here, last)]


def _from_home(case: Case, here: Point, last: Stop | None) -> Iterator[Refusal]:
    if _covering(case.job, case.day.member, case.span) is not None:
        duty = duty_of(case.job, case.day, case.span)
        way = _leg(case, case.day.member.home_at(case.span.starts_at), here, slowed=last is None)
        yield from _late(case.span, "home", duty.starts_at, way, case.job.place.about)


def _from_stops(case: Case, here: Point, last: Stop | None) -> Iterator[Refusal]:
    for stop in case.day.stops:
        if stop.place.point and timedelta(0) <= case.span.starts_at - stop.ends_at < LONGEST_LEG:
            way = _leg(case, stop.place.point, here, slowed=stop is last)
            about = case.job.place.about or stop.place.about
            yield from _late(case.span, "before", stop.ends_at, way, about, stop.label)


def _to_stops(case: Case, here: Point) -> Iterator[Refusal]:
    visits = (one for one in case.day.stops if one.cause == "visit" and one.starts_at >= case.span.ends_at)
    following = next(visits, None)
    for stop in case.day.stops:
        if not stop.place.point or not timedelta(0) <= stop.starts_at - case.span.ends_at < LONGEST_LEG:
            continue
        way = _leg(case, here, stop.place.point, slowed=stop is following)
        latest = way.latest(stop.starts_at) - (case.span.ends_at - case.span.starts_at)
        if latest < case.span.starts_at:
            facts: dict[str, Any] = {
                "minutes": way.minutes(stop.starts_at),
                "about": case.job.place.about or stop.place.about,
            }
            facts |= {"order": stop.label, "starts_at": stop.starts_at, "latest": latest}
            yield Refusal("travel", {"side": "after", **facts})


def _collect(case: Case) -> Iterator[Refusal]:
    """What is not in the van is collected on a way of that duty that leaves time for it (`collecting.py`)."""
    stop = collecting.on_the_way(case.job, case.day, case.span, case.minutes)
    if stop is not None and not stop.fits:
        yield Refusal("collect", {"earliest": stop.arrives_at})


def _leg(case: Case, origin: Point, to: Point, *, slowed: bool) -> Leg:
    return leg(origin, to, case.minutes(origin, to), case.day.areas if slowed else ())


def _late(span: Span, side: str, leaves_at: datetime, way: Leg, about: bool, label: str = "") -> Iterator[Refusal]:
    earliest = way.soonest(leaves_at)
    if earliest > span.starts_at:
        facts = {"minutes": way.minutes(earliest), "about": about, "order": label, "earliest": earliest}
        yield Refusal("travel", {"side": side, **facts})


def _minutes(length: timedelta) -> int:
    return ceil(length.total_seconds() / 60)


# The table ----------------------------------------------------------------------------------------

RULES: dict[str, Rule] = {
    "station": _station,
    "skill": _skill,
    "certificate": _certificate,
    "customer": _customer,
    "part": _part,
    "absence": _absence,
    "shift": _shift,
    "overlap": _overlap,
    "travel": _travel,
    "collect": _collect,
}


def refusals(
    job: Job, day: TechnicianDay, starts_at: datetime, ends_at: datetime, minutes: Minutes = travel_minutes
) -> list[Refusal]:
    """Every reason why this technician cannot do the job then, the most fundamental first; empty when he can."""
    if job.priority in OVER_OFFERS and any(stop.cause == OFFER for stop in day.stops):
        day = replace(day, stops=tuple(stop for stop in day.stops if stop.cause != OFFER))
    case = Case(job, day, Span(starts_at, ends_at), minutes)
    return [refusal for rule in RULES.values() for refusal in rule(case)]
