"""What came out of a run, as plain data that can be kept, shown and compared later. Pure but for the words of rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from flask_babel import force_locale

from config import LANGUAGES
from fieldservice.dispatch.planning import people
from fieldservice.dispatch.planning.checker import Checked
from fieldservice.dispatch.planning.reasons import Unplaced
from fieldservice.dispatch.plans.compiling import World
from fieldservice.dispatch.plans.reading import Work
from fieldservice.workorders import refusals
from fieldservice.workorders.collecting import HANDING_OVER

MOST_REASONS = 8  # technicians named for a job that is left out
Result = dict[str, Any]


def told(world: World, before: Checked, after: Checked, unplaced: Sequence[Unplaced]) -> Result:
    """Changes, figures, lanes and reasons. Moments are ISO texts in UTC."""
    found = list(_changes(world, after))
    numbers = {one["job"]: one["number"] for one in found}
    return {
        "changes": [{name: fact for name, fact in one.items() if name != "job"} for one in found],
        "before": _figures(world, before, _late_standing(world)),
        "after": _figures(world, after, _late_planned(world, after)),
        "lanes": [_lane(world, after, day, numbers) for day, _shift in enumerate(world.shifts)],
        "unplaced": [_left_out(world, one) for one in unplaced],
        "people": {str(shift.member.id): dict(shift.member.names) for shift in world.shifts},
    }


# Changes ------------------------------------------------------------------------------------------


def _changes(world: World, after: Checked) -> Iterator[Result]:
    placed = {job: (day, start) for (job, day), start in after.starts().items()}
    legs = _legs(after)
    number = 0
    for job, work in enumerate(world.works):
        if work is None:
            continue
        to = placed.get(job)
        kind = _kind(world, work, to)
        if kind is None:
            continue
        number += 1
        yield {
            "job": job,
            "number": number,
            "kind": kind,
            "work_order": work.job.number,
            "titles": dict(work.titles),
            "priority": work.job.priority,
            "station": work.job.station_id,
            "order_id": work.order_id,
            "order_version": work.order_version,
            "visit_id": work.visit.visit_id if work.visit is not None else None,
            "visit_version": work.visit.version if work.visit is not None else None,
            "from": _from(work),
            "to": None if to is None else _to(world, job, *to, legs[job, to[0]]),
            "told_kept": _told_kept(world, work, to),
            "promises": list(_promises(world, work, to)),
        }


def _kind(world: World, work: Work, to: tuple[int, int] | None) -> str | None:
    if not work.stands or work.visit is None:
        return None if to is None else "placed"
    if to is None:
        return "dropped"
    if world.shifts[to[0]].member.id != work.visit.technician_id:
        return "moved"
    return None if world.moment(to[1]) == work.visit.span.starts_at else "retimed"


def _from(work: Work) -> Result | None:
    if work.visit is None or not work.stands:
        return None
    span = work.visit.span
    return {
        "technician": work.visit.technician_id,
        "starts_at": span.starts_at.isoformat(),
        "ends_at": span.ends_at.isoformat(),
    }


def _to(world: World, job: int, day: int, start: int, leg: int) -> Result:
    return {
        "technician": world.shifts[day].member.id,
        "starts_at": world.moment(start).isoformat(),
        "ends_at": world.moment(start + world.problem.jobs[job].seconds).isoformat(),
        "travel_min": _drive(world, job, leg),
    }


def _drive(world: World, job: int, leg: int) -> int:
    """Minutes on the road; who comes by the store stands there for some of them."""
    return ceil(leg / 60) - (HANDING_OVER // timedelta(minutes=1) if job in world.over_store else 0)


def _told_kept(world: World, work: Work, to: tuple[int, int] | None) -> bool | None:
    """Whether the customer need not be told another time; None where nothing was told yet."""
    if work.visit is None or not work.stands:
        return None
    told_window = work.visit.told
    return to is not None and told_window.starts_at <= world.moment(to[1]) <= told_window.ends_at


def _promises(world: World, work: Work, to: tuple[int, int] | None) -> Iterator[Result]:
    """Each open promise, with how many minutes late it was and would be; None where nobody goes."""
    was = work.visit.span if work.visit is not None and work.stands else None
    starts = world.moment(to[1]) if to is not None else None
    for kind, due in (("arrival", work.arrival_due), ("restore", work.restore_due)):
        if due is None:
            continue
        before = None if was is None else was.starts_at if kind == "arrival" else was.ends_at
        after = None if starts is None else starts if kind == "arrival" else starts + work.job.duration
        yield {
            "kind": kind,
            "due_at": due.isoformat(),
            "late_before": _late(before, due),
            "late_after": _late(after, due),
        }


def _late(moment: datetime | None, due: datetime) -> int | None:
    return None if moment is None else max(0, ceil((moment - due).total_seconds() / 60))


# Figures ------------------------------------------------------------------------------------------


def _figures(world: World, checked: Checked, late: int) -> Result:
    """What a plan is worth, by goal, and what people count. Work that stands against a rule counts as left out."""
    ours = {job for job, work in enumerate(world.works) if work is not None}
    served = ours.difference(checked.unserved)
    return {
        "score": round(checked.score),
        "goals": {name: round(amount) for name, amount in asdict(checked.amounts).items()},
        "jobs": len(ours),
        "placed": len(served),
        "promises": sum(len(list(_promises(world, work, None))) for work in world.works if work is not None),
        "late": late,
        "travel_min": _travel(world, checked),
        "technicians": len({world.shifts[day].member.id for day, timed in enumerate(checked.routes) if timed}),
    }


def _travel(world: World, checked: Checked) -> int:
    driven = sum(ceil(leg / 60) for timed in checked.routes if timed is not None for leg in timed.legs)
    stops = len(world.over_store.difference(checked.unserved))
    return driven - stops * (HANDING_OVER // timedelta(minutes=1))


def _late_standing(world: World) -> int:
    """Promises that what stands in the books would break; nobody coming breaks one too."""
    told = (one for work in world.works if work is not None for one in _promises(world, work, None))
    return sum(one["late_before"] != 0 for one in told)


def _late_planned(world: World, after: Checked) -> int:
    """Promises that the plan would break."""
    placed = {job: (day, start) for (job, day), start in after.starts().items()}
    works = ((job, work) for job, work in enumerate(world.works) if work is not None)
    return sum(one["late_after"] != 0 for job, work in works for one in _promises(world, work, placed.get(job)))


def _legs(checked: Checked) -> dict[tuple[int, int], int]:
    """(job, day) → seconds of travel into it"""
    return {
        (job, day): timed.legs[at]
        for day, (route, timed) in enumerate(zip(checked.plan.routes, checked.routes, strict=True))
        if timed is not None
        for at, job in enumerate(route)
    }


# Lanes --------------------------------------------------------------------------------------------


def _lane(world: World, after: Checked, day: int, numbers: Mapping[int, int]) -> Result:
    """A technician-day as it would be."""
    shift, timed = world.shifts[day], after.routes[day]
    stops = []
    if timed is not None:
        for at, job in enumerate(after.plan.routes[day]):
            stops.append(_stop(world, job, timed.starts[at], timed.legs[at], numbers))
    pauses = [] if timed is None else [
        {"starts_at": world.moment(start).isoformat(), "ends_at": world.moment(start + one.seconds).isoformat()}
        for start, one in zip(timed.breaks, world.problem.days[day].breaks, strict=False)
    ]  # fmt: skip
    return {
        "technician": shift.member.id,
        "station": shift.member.station_id,
        "starts_at": shift.span.starts_at.isoformat(),
        "ends_at": shift.span.ends_at.isoformat(),
        "at": [shift.begins_at.latitude, shift.begins_at.longitude],
        "breaks": pauses,
        "stops": stops,
    }


def _stop(world: World, job: int, start: int, leg: int, numbers: Mapping[int, int]) -> Result:
    work = world.works[job]
    point = work.job.place.point if work is not None else None
    return {
        "work_order": work.job.number if work is not None else None,  # time that is not ours stays unnamed
        "titles": dict(work.titles) if work is not None else {},
        "priority": work.job.priority if work is not None else "",
        "change": numbers.get(job),
        "starts_at": world.moment(start).isoformat(),
        "ends_at": world.moment(start + world.problem.jobs[job].seconds).isoformat(),
        "travel_min": _drive(world, job, leg),
        "at": None if point is None else [point.latitude, point.longitude],
    }


# Reasons ------------------------------------------------------------------------------------------


def _left_out(world: World, one: Unplaced) -> Result:
    work = world.works[one.job]
    assert work is not None
    nearest = sorted(one.refusals, key=lambda refusal: (refusal.rule == "eligible", refusal.much, refusal.day))
    counts: dict[str, int] = {}
    for refusal in one.refusals:
        rules = _rules(world, work, refusal.day, refusal.rule)
        counts[rules] = counts.get(rules, 0) + 1
    change = one.change
    return {
        "work_order": work.job.number,
        "titles": dict(work.titles),
        "priority": work.job.priority,
        "stands": work.stands,
        "rules": counts,
        "reasons": [
            _reason(world, work, refusal.day, refusal.rule, refusal.much) for refusal in nearest[:MOST_REASONS]
        ],
        "smallest_change": None
        if change is None
        else {
            "kind": change.kind,
            "minutes": ceil(change.much / 60),
            "technician": world.shifts[change.day].member.id,
            "starts_at": world.moment(change.start).isoformat(),
            "words": _why_not(world, work, change.day) if change.kind == "eligible" else {},
        },
    }


def _rules(world: World, work: Work, day: int, rule: str) -> str:
    if rule != "eligible":
        return rule
    found = people.refused(work.job, world.people[day], world.shifts[day].span)
    return found[0].rule if found else rule


def _reason(world: World, work: Work, day: int, rule: str, much: float) -> Result:
    shift = world.shifts[day]
    return {
        "technician": shift.member.id,
        "day": shift.span.starts_at.isoformat(),
        "rule": _rules(world, work, day, rule),
        "minutes": ceil(much / 60) if rule != "part" else 0,
        "words": _why_not(world, work, day) if rule == "eligible" else {},
    }


def _why_not(world: World, work: Work, day: int) -> dict[str, str]:
    """The sentence of the first rule of the person, in every language: it is read long after, by anybody."""
    found = people.refused(work.job, world.people[day], world.shifts[day].span)
    return {language: _in(language, found) for language in LANGUAGES}


def _in(language: str, found: Iterable[Any]) -> str:
    with force_locale(language):
        return next((refusals.sentence(one) for one in found), "")
