"""A second opinion on plans: independent of the planning engine's own reckoning, slow and obvious.

It knows nothing of labels and prices. A told plan is tested by looking at every moment of every day; a refused route is
tried at every moment of a coarse grid. Where the hour counts, drives are followed minute by minute.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil

from fieldservice.dispatch.planning.checker import Checked
from fieldservice.dispatch.planning.model import Day, Problem
from fieldservice.dispatch.planning.pricing import Timed
from fieldservice.foundation.places.course import Course

Spans = list[tuple[int, int]]


def wrong(problem: Problem, checked: Checked) -> list[str]:
    """Everything that is wrong with a plan as it is told."""
    found: list[str] = []
    standing: dict[int, list[tuple[int, int]]] = {}
    for at, (route, timed) in enumerate(zip(checked.plan.routes, checked.routes, strict=True)):
        if not route:
            continue
        if timed is None:
            found.append(f"day {at} is not timed")
            continue
        for job, start in zip(route, timed.starts, strict=True):
            standing.setdefault(job, []).append((at, start))
        found += [f"day {at}: {why}" for why in wrong_day(problem, problem.days[at], route, timed.starts, timed.breaks)]
        if problem.hours is not None and not timed.collects:
            found += [f"day {at}: {why}" for why in wrong_legs(problem, problem.days[at], route, timed)]
    for index, job in enumerate(problem.jobs):
        mine = standing.get(index, [])
        if mine and len(mine) != job.crew:
            found.append(f"job {index} has {len(mine)} of {job.crew} people")
        if len({start for _day, start in mine}) > 1:
            found.append(f"the crew of job {index} does not begin together")
        if len({problem.days[day].technician for day, _start in mine}) < len(mine):
            found.append(f"one person stands twice in the crew of job {index}")
        for day, start in mine:
            if not job.pinned and not problem.eligible[index, day]:
                found.append(f"job {index} is not for day {day}")
            for before in job.after:
                if before not in standing or any(
                    begin + problem.jobs[before].seconds > start for _day, begin in standing[before]
                ):
                    found.append(f"job {index} does not wait for job {before}")
        if job.same_as is not None and mine and job.same_as in standing:
            here = {problem.days[day].technician for day, _start in mine}
            there = {problem.days[day].technician for day, _start in standing[job.same_as]}
            if not here & there:
                found.append(f"jobs {index} and {job.same_as} are done by different people")
    if sorted(checked.unserved) != [index for index in range(len(problem.jobs)) if index not in standing]:
        found.append("what is left out is told wrongly")
    return found


def wrong_day(
    problem: Problem, day: Day, route: Sequence[int], starts: Sequence[int], breaks: Sequence[int]
) -> Iterator[str]:
    """Whether work and breaks lie in their windows, and the time between two works holds the way and the breaks."""
    work: Spans = [(start, start + problem.jobs[job].seconds) for job, start in zip(route, starts, strict=True)]
    pauses: Spans = [(start, start + one.seconds) for start, one in zip(breaks, day.breaks, strict=True)]
    for job, start in zip(route, starts, strict=True):
        if not any(one.start <= start <= one.end for one in problem.jobs[job].starts):
            yield f"job {job} begins at {start}, outside its windows"
    for (start, end), one in zip(pauses, day.breaks, strict=True):
        if not one.earliest <= start <= one.latest:
            yield f"a break begins at {start}"
        if any(begin < end and start < ends for begin, ends in work):
            yield "a break lies over work"
    if (work and work[-1][1] > day.latest) or (pauses and pauses[-1][1] > day.latest):
        yield "the shift is not long enough"
    places = [day.start_place, *(problem.jobs[job].place for job in route)]
    free_at = day.start
    for (begin, ends), origin, place in zip(work, places, places[1:]):
        way = int(problem.travel.block([origin], [place])[0, 0])
        rest = sum(end - start for start, end in pauses if free_at <= start and end <= begin)
        if problem.hours is not None:
            if (arrives := arrival(problem.hours, free_at, ceil(way * day.pace), pauses)) > begin:
                yield f"the drive that begins at {free_at} ends at {arrives}, after {begin}"
        elif begin - free_at < way + rest:
            yield f"{begin - free_at} s are too little for {way} s of travel and {rest} s of rest"
        free_at = ends


def factor(hours: Course, moment: int) -> float:
    """How much longer than usual driving takes in the minute that begins then."""
    holding = [factor for begins, factor in zip(hours.clock, hours.factors, strict=True) if begins <= moment]
    return holding[-1] if holding else hours.factors[0]


def arrival(hours: Course, free_at: int, way: int, pauses: Spans = ()) -> int:
    """Where a drive has got to is looked at minute by minute; nobody drives while at rest."""
    moment, driven = free_at, 0.0
    while driven < way - 1e-6:
        if not any(start <= moment < end for start, end in pauses):
            driven += 60 / factor(hours, moment)
        moment += 60
    return max([moment, *(end for start, end in pauses if start <= moment < end)])


def wrong_legs(problem: Problem, day: Day, route: Sequence[int], timed: Timed) -> Iterator[str]:
    """Whether the told lengths of drives are those of who arrives right in time; around breaks, of who goes at once."""
    assert problem.hours is not None
    places = [day.start_place, *(problem.jobs[job].place for job in route)]
    pauses = [(start, start + one.seconds) for start, one in zip(timed.breaks, day.breaks, strict=True)]
    free_at = day.start
    for at, (job, begin) in enumerate(zip(route, timed.starts, strict=True)):
        way = ceil(int(problem.travel.block([places[at]], [places[at + 1]])[0, 0]) * day.pace)
        resting = [one for one in pauses if free_at <= one[0] and one[1] <= begin]
        leaves, driven = begin, 0.0
        while driven < way - 1e-6 and not resting:
            leaves -= 60
            driven += 60 / factor(problem.hours, leaves)
        needs = begin - leaves
        if resting:
            first = resting[0]
            whole = arrival(problem.hours, free_at, way)
            needs = whole - free_at
            if whole > first[0]:
                needs = arrival(problem.hours, free_at, way, [first]) - free_at - (first[1] - first[0])
        if needs != timed.legs[at]:
            yield f"the drive to job {job} takes {needs} s rather than {timed.legs[at]}"
        free_at = begin + problem.jobs[job].seconds


def first_starts(problem: Problem, day: Day, route: Sequence[int]) -> list[int] | None:
    """When each job begins on a day without breaks that is driven minute by minute; None where it cannot be done."""
    assert problem.hours is not None
    moment, place, found = day.start, day.start_place, []
    for job in (problem.jobs[index] for index in route):
        moment = arrival(problem.hours, moment, int(problem.travel.block([place], [job.place])[0, 0]))
        while not any(one.start <= moment <= one.end for one in job.starts):
            moment += 60
            if moment > job.starts[-1].end:
                return None
        found.append(moment)
        moment, place = moment + job.seconds, job.place
    if day.end_place is not None and not day.home_after:
        moment = arrival(problem.hours, moment, int(problem.travel.block([place], [day.end_place])[0, 0]))
    return found if moment <= day.latest else None


def can_be_driven(problem: Problem, day: Day, route: Sequence[int], grid: int, until: int) -> bool:
    """Whether any choice of starts and breaks on the grid would do."""
    moments = range(0, until + 1, grid)

    def tried(at: int, free_at: int, place: int, chosen: tuple[int, ...]) -> bool:
        if at == len(route):
            return any(
                not list(wrong_day(problem, day, route, chosen, pauses))
                for pauses in product(*([m for m in moments if one.earliest <= m <= one.latest] for one in day.breaks))
            )
        job = problem.jobs[route[at]]
        earliest = free_at + int(problem.travel.block([place], [job.place])[0, 0])
        return any(
            tried(at + 1, moment + job.seconds, job.place, (*chosen, moment))
            for moment in moments
            if moment >= earliest and any(one.start <= moment <= one.end for one in job.starts)
        )

    return tried(0, day.start, day.start_place, ())
