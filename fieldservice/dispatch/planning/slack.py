"""How early somebody can be free after each job of a route, and how late they may reach each: what an insertion has
to fit between. Reckoned once for a route, so that every gap can then be asked without timing the route again.

Both tables have a row for each gap of the route (before the first job, …, after the last) and a column for how many of
the day's breaks have been had by then.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fieldservice.dispatch.planning.model import Break, Day, Problem, Window
from fieldservice.dispatch.planning.pricing import arrivals, begin_of
from fieldservice.foundation.places.course import MINUTE, NOISE, Course

NEVER = 2**40  # seconds; later than any moment
Moments = list[list[int]]


class Slack(NamedTuple):
    """Of a route: free at the gap's beginning at the earliest, at the gap's end at the latest."""

    free: Moments  # NEVER: not with so many breaks
    reach: Moments  # -NEVER: then the rest cannot be driven any more


def slack(
    problem: Problem, day: Day, route: Sequence[int], legs: Sequence[int], collect: int, agreed: Mapping[int, int]
) -> Slack:
    """The tables of a route whose travel seconds at an ordinary hour (into each job, and home) are known; `collect`
    seconds pass first."""
    return Slack(_free(problem, day, route, legs, collect, agreed), _reach(problem, day, route, legs, agreed))


def _free(
    problem: Problem, day: Day, route: Sequence[int], legs: Sequence[int], collect: int, agreed: Mapping[int, int]
) -> Moments:
    many = len(day.breaks)
    found: Moments = [[day.start + collect] + [NEVER] * many]
    given = True  # only pinned jobs so far: what is given is not questioned
    for leg, index in zip(legs, route):
        job, row = problem.jobs[index], [NEVER] * (many + 1)
        given = given and job.pinned
        for taken, free_at in enumerate(found[-1]):
            for arrives, had, _pauses in arrivals(free_at, leg, taken, day, problem.hours) if free_at < NEVER else ():
                begin = begin_of(job, index, arrives, agreed, given)
                if begin is not None:
                    row[had] = min(row[had], begin + job.seconds)
        found.append(row)
    return found


def _reach(problem: Problem, day: Day, route: Sequence[int], legs: Sequence[int], agreed: Mapping[int, int]) -> Moments:
    """From the end of the day backwards; being earlier never hinders, so one latest moment says it all."""
    many, hours = len(day.breaks), problem.hours
    found: Moments = [[-NEVER] * many + [day.latest]]
    home = 0 if day.home_after else legs[-1]
    for index, leg in zip(reversed(route), [home, *reversed(legs[1:-1])]):
        job = problem.jobs[index]
        fixed = job.held[0].start if job.pinned else agreed.get(index)
        windows = job.starts if fixed is None else (Window(fixed, fixed),)
        frees = [_latest_free(day.breaks[taken:], leg, found[-1][taken:], hours) for taken in range(many)]
        frees.append(_departure(found[-1][many], leg, hours))
        found.append([_latest_in(windows, free_at - job.seconds) for free_at in frees])
    return found[::-1]


def _departure(arrives: int, leg: int, hours: Course | None) -> int:
    return arrives - leg if hours is None or arrives <= -NEVER else hours.latest_departure(arrives, leg)


def _latest_free(pauses: Sequence[Break], leg: int, reach: Sequence[int], hours: Course | None) -> int:
    """When one must be free to arrive in time, having some of these breaks on the way (see `pricing.arrivals`)."""
    best = _departure(reach[0], leg, hours)
    for many in range(1, len(pauses) + 1):
        limit = reach[many]
        for at, pause in zip(range(many, 0, -1), reversed(pauses[:many])):
            limit -= pause.seconds
            if limit < pause.earliest:
                limit = -NEVER
                break
            if at > 1:
                limit = min(limit, pause.latest)
        if limit > -NEVER:
            free_at = limit - leg if hours is None else _free_before(pauses[0], leg, limit, hours)
            best = max(best, min(free_at, pauses[0].latest))
    return best


def _free_before(pause: Break, leg: int, limit: int, hours: Course) -> int:
    """When one must be free to have the break on the way and be there `pause.seconds` after the limit."""
    arrives = limit + pause.seconds
    free_at = hours.latest_departure(arrives, leg) - pause.seconds
    if free_at >= pause.earliest:
        return free_at
    # Some of the way is driven before the break: as much as there is no time for after it.
    room = hours.by(arrives // MINUTE * MINUTE) - hours.by(pause.earliest + pause.seconds)
    before = leg - max(0.0, room)
    return pause.earliest if before <= NOISE else int((hours.when(hours.by(pause.earliest) - before) + NOISE) // 1)


def _latest_in(windows: Sequence[Window], begin: int) -> int:
    """The latest arrival after which work begins no later than then."""
    if len(windows) == 1:  # nearly always; this is asked for every job of every board
        start, end = windows[0]
        return -NEVER if begin < start else begin if begin < end else end
    return max((min(one.end, begin) for one in windows if one.start <= begin), default=-NEVER)
