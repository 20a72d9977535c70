"""Putting single jobs into a plan exactly: crews, linked jobs, and what may be late, which solvers do not know."""

from collections.abc import Iterator
from typing import NamedTuple

from fieldservice.dispatch.planning.pricing import Fault, price_route, unserved_cost
from fieldservice.dispatch.planning.state import INFEASIBLE, State

MOST_STARTS = 40  # moments that a crew tries to meet at


class Place(NamedTuple):
    """A day with the job put in, and what that costs more than before."""

    cost: float
    day: int
    route: tuple[int, ...]


def place(state: State, index: int) -> bool:
    """Put a job where it costs least, if that is less than leaving it out. Links come after what they wait for."""
    job = state.problem.jobs[index]
    if index in state.linked:
        return _place_together(state, index)
    best = min((one for one in _places(state, index) if state.fits({one.day: one.route})), default=None)
    if best is None or best.cost >= unserved_cost(state.problem, job):
        return False
    state.set(best.day, best.route)
    return True


def place_all(state: State, jobs: list[int]) -> None:
    """Place what can be placed, the weightiest first and links in their order."""
    jobs_of = state.problem.jobs
    for index in sorted(jobs, key=lambda one: (len(_ancestors(state, one)), -jobs_of[one].weight, one)):
        place(state, index)


def _places(state: State, index: int, people: frozenset[int] | None = None) -> Iterator[Place]:
    problem = state.problem
    for day in map(int, problem.eligible[index].nonzero()[0]):
        if people is not None and problem.days[day].technician not in people:
            continue
        route = state.routes[day]
        for at in range(len(route) + 1):
            tried = (*route[:at], index, *route[at:])
            cost = state.cost(day, tried)
            if cost < INFEASIBLE:
                yield Place(cost - state.costs[day], day, tried)


def _place_together(state: State, index: int) -> bool:
    """Agree on a start that enough people can keep; the cheapest of those that are worth it."""
    job = state.problem.jobs[index]
    release = _ended(state, job.after)
    people = _same_people(state, job.same_as)
    if release is None or people == frozenset():
        return False
    best: tuple[float, int, list[Place]] | None = None
    for start in _starts(state, index, release, people):
        state.agreed[index] = start
        crew = _crew(state, sorted(_places(state, index, people)), job.crew)
        cost = sum(one.cost for one in crew)
        if (
            crew
            and state.fits({one.day: one.route for one in crew})
            and cost < unserved_cost(state.problem, job)
            and (best is None or (cost, start) < best[:2])
        ):
            best = (cost, start, crew)
    state.agreed.pop(index, None)
    if best is None:
        return False
    state.agreed[index] = best[1]
    for one in best[2]:
        state.set(one.day, one.route)
    return True


def _crew(state: State, places: list[Place], many: int) -> list[Place]:
    """The cheapest places of so many different people, or none."""
    chosen: dict[int, Place] = {}
    for one in places:
        chosen.setdefault(state.problem.days[one.day].technician, one)
        if len(chosen) == many:
            return list(chosen.values())
    return []


def _starts(state: State, index: int, release: int, people: frozenset[int] | None) -> list[int]:
    """Moments worth trying: when somebody could begin at the earliest, after each of the jobs that stand."""
    problem, job = state.problem, state.problem.jobs[index]
    found = {max(window.start, release) for window in job.starts if window.end >= release}
    for day in map(int, problem.eligible[index].nonzero()[0]):
        if people is not None and problem.days[day].technician not in people:
            continue
        for at in range(len(state.routes[day]) + 1):
            before = (*state.routes[day][:at], index)
            timed = price_route(problem, day, before, state.agreed)
            if not isinstance(timed, Fault):
                found.add(max(timed.starts[-1], release))
    inside = {
        max(start, window.start)
        for start in found
        for window in job.starts
        if max(start, window.start) <= window.end and max(start, window.start) >= release
    }
    ordered = sorted(inside)
    step = max(1, len(ordered) // MOST_STARTS)
    return ordered[::step]


def _ended(state: State, earlier: tuple[int, ...]) -> int | None:
    """When all of these jobs have ended; None while one of them stands nowhere."""
    ends = [0]
    for index in earlier:
        at = _standing(state, index)
        if at is None:
            return None
        ends.append(at[1] + state.problem.jobs[index].seconds)
    return max(ends)


def _same_people(state: State, index: int | None) -> frozenset[int] | None:
    """Who does that job (nobody, while it stands nowhere); None where anybody may."""
    if index is None:
        return None
    return frozenset(state.problem.days[day].technician for day, route in enumerate(state.routes) if index in route)


def _standing(state: State, index: int) -> tuple[int, int] | None:
    """(day, start) of a job."""
    for day, route in enumerate(state.routes):
        if index in route:
            timed = price_route(state.problem, day, route, state.agreed)
            return None if isinstance(timed, Fault) else (day, timed.starts[route.index(index)])
    return None


def _one(index: int | None) -> tuple[int, ...]:
    return () if index is None else (index,)


def _ancestors(state: State, index: int) -> set[int]:
    """All jobs that come before by links. Raises ValueError where they wait for each other in a circle."""
    found: set[int] = set()
    open_ = [*state.problem.jobs[index].after, *_one(state.problem.jobs[index].same_as)]
    while open_:
        one = open_.pop()
        if one == index:
            raise ValueError(f"job {state.problem.jobs[index].key} waits for itself")
        if one not in found:
            found.add(one)
            open_ += [*state.problem.jobs[one].after, *_one(state.problem.jobs[one].same_as)]
    return found
