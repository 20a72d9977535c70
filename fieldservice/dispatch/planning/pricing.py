"""What a route costs and when its jobs begin, exactly: the one place where time, breaks and goals are reckoned.

Every job begins as early as it can. Breaks are placed where they cost least: between two jobs, travel may be
interrupted for them. Solvers only propose orders; what they propose is priced here.

Drives last as long as the hour says (`Problem.hours`). Goals count them as at an ordinary hour: rush hours delay, and
a plan is dear by what is late, rather than by when somebody drives. So a job put into a route never makes other
drives dearer or cheaper, which `ranking.py` relies on.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from fieldservice.dispatch.planning.model import Day, Job, Problem, Window
from fieldservice.dispatch.planning.objectives import (
    BORROWED,
    CHANGED_DAY,
    CHANGED_PERSON,
    NOT_PREFERRED,
    OVERTIME,
    UNEVEN,
    UNSERVED,
    Amounts,
    lateness,
)
from fieldservice.foundation.places.course import MINUTE, Course

NOTHING: Mapping[int, int] = {}


class Timed(NamedTuple):
    """A route that can be driven."""

    starts: tuple[int, ...]  # of each job
    breaks: tuple[int, ...]  # of each break of the day
    ends: int  # of the last work, or back at the end place where that belongs to the shift
    legs: tuple[int, ...]  # travel seconds into each job as late as may be, and home: whole minutes with hours
    ordinary: tuple[int, ...]  # the same at an ordinary hour
    overtime: int
    collects: bool  # parts are collected at the station first
    amounts: Amounts  # weighted


class Fault(NamedTuple):
    """Why something cannot be: the rule, at which job, and how many seconds (or pieces) are missing."""

    rule: str  # window, shift, break, pinned, part, and those of checker.py
    job: int
    much: float = 0.0


class _Label(NamedTuple):
    """Where a technician may stand after some jobs: free at `time`, with `taken` breaks had."""

    time: int
    late: float
    taken: int
    begin: int = 0
    pauses: tuple[int, ...] = ()
    before: "_Label | None" = None


def price_route(
    problem: Problem,
    day_index: int,
    route: Sequence[int],
    agreed: Mapping[int, int] = NOTHING,
    legs: Sequence[int] | None = None,
) -> Timed | Fault:
    """Time a route of at least one job and price it. `legs` are its travel seconds at an ordinary hour, where they are
    known already."""
    day = problem.days[day_index]
    collects = must_collect(problem, day, route)
    if collects is None:
        return Fault("part", route[0])
    if legs is None:
        legs = legs_of(problem, day, route, collects)
    found = _times(problem, day, route, legs, day.collect if collects else 0, agreed)
    if isinstance(found, Fault):
        return found
    label, ends = found
    starts, pauses = _traced(label)
    overtime = max(0, ends - day.end)
    amounts = _amounts(problem, day_index, route, legs, starts, overtime)
    ordinary = tuple(legs)
    driven = ordinary if problem.hours is None else _driven(problem.hours, day, ordinary, label, ends)
    return Timed(starts, pauses, ends, driven, ordinary, overtime, collects, amounts)


def unserved_cost(problem: Problem, job: Job) -> float:
    """What leaving a job out costs, weighted."""
    return UNSERVED * job.weight * problem.goals.weights.promises


def pair_amounts(problem: Problem, job_index: int, day_index: int) -> Amounts:
    """What it costs that this job is done on this technician-day, whenever and after whatever."""
    job, day, weights = problem.jobs[job_index], problem.days[day_index], problem.goals.weights
    changes = preference = cost = 0.0
    if job.held and all(one.day != day_index for one in job.held):
        same = any(problem.days[one.day].technician == day.technician for one in job.held)
        changes = CHANGED_DAY if same else CHANGED_PERSON
    if job.prefers and day.technician not in job.prefers:
        preference = NOT_PREFERRED
    if job.station != day.station:
        cost = BORROWED
    cost += day.dearer * job.seconds
    return Amounts(
        changes=changes * weights.changes,
        preference=preference * weights.preference,
        station_cost=cost * weights.station_cost,
    )


def must_collect(problem: Problem, day: Day, route: Sequence[int]) -> bool | None:
    """Whether parts beyond the van's are needed; None when they cannot be had at all."""
    short = lacking(problem, day, route)
    if short and day.store_place is None:
        return None
    if any(problem.there_by(day.station, part, day.start) < much for part, much in short.items()):
        return None
    return bool(short)


def lacking(problem: Problem, day: Day, route: Sequence[int]) -> dict[str, float]:
    """What these jobs need beyond what is in the van: part → quantity."""
    wanted: dict[str, float] = {}
    for index in route:
        for part, quantity in problem.jobs[index].wants(day.technician):
            wanted[part] = wanted.get(part, 0.0) + quantity
    return {part: much - day.van.get(part, 0.0) for part, much in wanted.items() if much > day.van.get(part, 0.0)}


# Time ---------------------------------------------------------------------------------------------


def legs_of(problem: Problem, day: Day, route: Sequence[int], collects: bool) -> list[int]:
    """Travel seconds at an ordinary hour into each job, and home: len(route) + 1 numbers. Collecting leads over the
    store first."""
    over = [day.store_place] if collects and day.store_place is not None else []
    home = [day.end_place] if day.end_place is not None else []
    legs = problem.travel.along([day.start_place, *over, *(problem.jobs[job].place for job in route), *home])
    if over:
        legs = [legs[0] + legs[1], *legs[2:]]
    if not home:
        legs.append(0)
    return legs if day.pace == 1.0 else [ceil(leg * day.pace) for leg in legs]


def _times(
    problem: Problem, day: Day, route: Sequence[int], legs: Sequence[int], collect: int, agreed: Mapping[int, int]
) -> tuple[_Label, int] | Fault:
    """The best way to time the route (its last label, when it ends), or the first rule that cannot be kept."""
    labels, hours = [_Label(day.start + collect, 0.0, 0)], problem.hours
    given = True  # only pinned jobs so far: what is given is not questioned
    for at, index in enumerate(route):
        job = problem.jobs[index]
        given = given and job.pinned
        nexts = [one for label in labels for one in _after(label, job, index, day, legs[at], agreed, given, hours)]
        if not nexts:
            return _why_not(labels, job, index, legs[at], agreed, hours)
        labels = nexts if len(nexts) == 1 else _undominated(nexts)
    found: tuple[float, int, _Label] | None = None
    soonest: int | None = None
    for label in labels:
        for last, ends in _ways_home(label, day, legs[-1], hours):
            soonest = ends if soonest is None else min(soonest, ends)
            cost = last.late + OVERTIME * max(0, ends - day.end)
            if ends <= day.latest and (found is None or (cost, ends) < found[:2]):
                found = (cost, ends, last)
    if found is not None:
        return found[2], found[1]
    if given:
        return min(labels, key=lambda label: label.time), min(label.time for label in labels)
    return Fault("break", route[-1]) if soonest is None else Fault("shift", route[-1], soonest - day.latest)


def _after(
    label: _Label,
    job: Job,
    index: int,
    day: Day,
    leg: int,
    agreed: Mapping[int, int],
    given: bool,
    hours: Course | None,
) -> Iterator[_Label]:
    """The labels after one more job, with every number of breaks taken on the way to it."""
    for arrives, taken, pauses in arrivals(label.time, leg, label.taken, day, hours):
        begin = begin_of(job, index, arrives, agreed, given)
        if begin is not None:
            ends = begin + job.seconds
            yield _Label(ends, label.late + late_cost(job, begin, ends), taken, begin, pauses, label)


def arrivals(
    free_at: int, leg: int, taken: int, day: Day, hours: Course | None = None
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """(arrival, breaks had, breaks taken now): travel goes on before and after a break, so a break costs its length,
    and waiting for its earliest moment where even the whole way does not last until then. `leg` is ordinary seconds."""
    arrives, base = free_at + leg if hours is None else hours.arrival(free_at, leg), free_at
    pauses: tuple[int, ...] = ()
    yield arrives, taken, ()
    for pause in day.breaks[taken:]:
        if base > pause.latest:
            return
        begins = min(max(base, pause.earliest), pause.latest)
        if hours is None:
            arrives = max(arrives, pause.earliest) + pause.seconds
        else:
            left = 0.0 if pauses else leg - _before(hours, free_at, begins, leg)
            arrives = hours.arrival(begins + pause.seconds, left)
        pauses = (*pauses, begins)
        taken, base = taken + 1, arrives
        yield arrives, taken, pauses


def _before(hours: Course, free_at: int, pause: int, leg: int) -> float:
    """Ordinary seconds of a drive that are behind one when a break begins."""
    return min(leg, hours.by(pause) - hours.by(free_at))


def begin_of(job: Job, index: int, arrives: int, agreed: Mapping[int, int], given: bool) -> int | None:
    """The first moment from arrival on at which the job may begin."""
    if job.pinned:
        fixed = job.held[0].start
        return fixed if arrives <= fixed or given else None
    if (meeting := agreed.get(index)) is not None:
        return meeting if arrives <= meeting and any(one.start <= meeting <= one.end for one in job.starts) else None
    for window in job.starts:
        if arrives <= window.end:
            return max(arrives, window.start)
    return None


def _ways_home(label: _Label, day: Day, leg: int, hours: Course | None) -> Iterator[tuple[_Label, int]]:
    """The remaining breaks, and the way home where it belongs to the shift: (last label, when all has ended)."""
    missing = len(day.breaks) - label.taken
    for arrives, taken, pauses in arrivals(label.time, 0 if day.home_after else leg, label.taken, day, hours):
        if taken == label.taken + missing:
            yield (
                label._replace(pauses=label.pauses, before=label.before)
                if not pauses
                else _Label(label.time, label.late, taken, -1, pauses, label),
                arrives,
            )


def late_cost(job: Job, begin: int, ends: int) -> float:
    """What a job's broken promises cost, unweighted by goals."""
    if job.due is None and job.restore_due is None:
        return 0.0
    late = max(0, begin - job.due) if job.due is not None else 0
    late += max(0, ends - job.restore_due) if job.restore_due is not None else 0
    return lateness(late) * job.weight


def _undominated(labels: list[_Label]) -> list[_Label]:
    """Without those that are later, dearer and had no more breaks than another."""
    kept: list[_Label] = []
    for label in sorted(labels, key=lambda one: (one.time, one.late, -one.taken)):
        if not any(one.late <= label.late and one.taken >= label.taken for one in kept):
            kept.append(label)
    return kept


def _why_not(
    labels: Sequence[_Label], job: Job, index: int, leg: int, agreed: Mapping[int, int], hours: Course | None
) -> Fault:
    free_at = min(label.time for label in labels)
    arrives = free_at + leg if hours is None else hours.arrival(free_at, leg)
    if job.pinned or index in agreed:
        fixed = job.held[0].start if job.pinned else agreed[index]
        return Fault("pinned" if job.pinned else "agreed", index, arrives - fixed)
    return Fault("window", index, arrives - job.starts[-1].end if job.starts else 0)


def _traced(label: _Label) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Starts of the jobs and of the breaks, in order."""
    starts: list[int] = []
    pauses: list[int] = []
    one: _Label | None = label
    while one is not None and one.before is not None:
        if one.begin >= 0:
            starts.append(one.begin)
        pauses = [*one.pauses, *pauses]
        one = one.before
    return tuple(reversed(starts)), tuple(pauses)


def _driven(hours: Course, day: Day, ordinary: Sequence[int], label: _Label, ends: int) -> tuple[int, ...]:
    """How long each drive really takes: into a job as late as may be, as booking says it, but around breaks at once."""
    pausing = label if label.begin < 0 and label.before is not None else None
    if day.home_after:
        found = [hours.arrival(ends, ordinary[-1]) - ends]
    else:
        found = [_drive(hours, day, ordinary[-1], label.time, label.pauses if pausing else (), label)]
    one = label.before if pausing else label
    for leg in reversed(ordinary[:-1]):
        assert one is not None
        assert one.before is not None
        if one.pauses:
            found.append(_drive(hours, day, leg, one.before.time, one.pauses, one))
        else:
            found.append(-(-(one.begin - hours.latest_departure(one.begin, leg)) // MINUTE) * MINUTE)
        one = one.before
    return tuple(reversed(found))


def _drive(hours: Course, day: Day, leg: int, free_at: int, pauses: Sequence[int], label: _Label) -> int:
    """Seconds on the road of who leaves at once and has these breaks, the last of which is the last the label had."""
    if not pauses or leg <= _before(hours, free_at, pauses[0], leg):
        return hours.arrival(free_at, leg) - free_at
    goes_on = pauses[0] + day.breaks[label.taken - len(pauses)].seconds
    rest = leg - _before(hours, free_at, pauses[0], leg)
    return pauses[0] - free_at + hours.arrival(goes_on, rest) - goes_on


# Money --------------------------------------------------------------------------------------------


def _amounts(
    problem: Problem, day_index: int, route: Sequence[int], legs: Sequence[int], starts: Sequence[int], overtime: int
) -> Amounts:
    day, weights, goals = problem.days[day_index], problem.goals.weights, problem.goals
    travel = sum(legs)
    late = busy = 0.0
    changes = preference = cost = 0.0
    for index, start in zip(route, starts):
        job = problem.jobs[index]
        late += late_cost(job, start, start + job.seconds)
        busy += job.seconds
        if job.held or job.prefers or job.station != day.station or day.dearer:
            pair = pair_amounts(problem, index, day_index)
            changes, preference, cost = (
                changes + pair.changes, preference + pair.preference, cost + pair.station_cost,
            )  # fmt: skip
    uneven = max(0.0, busy + travel - goals.fair_share) if weights.balance else 0.0
    return Amounts(
        promises=late * weights.promises,
        travel=travel * weights.travel,
        changes=changes,
        balance=UNEVEN * uneven * weights.balance,
        preference=preference,
        station_cost=cost + (OVERTIME * overtime + day.dearer * travel) * weights.station_cost,
    )


def windows_of(problem: Problem, index: int, agreed: Mapping[int, int] = NOTHING) -> tuple[Window, ...]:
    """When a job may begin, fixed moments included: for solvers."""
    job = problem.jobs[index]
    fixed = job.held[0].start if job.pinned else agreed.get(index)
    return job.starts if fixed is None else (Window(fixed, fixed),)
