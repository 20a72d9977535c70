"""Why a job stands nowhere, and the smallest change that would place it, found by really planning with the change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fieldservice.dispatch.planning import by_vroom, insertion
from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.model import Day, Plan, Problem, Window, joined
from fieldservice.dispatch.planning.piece import cut
from fieldservice.dispatch.planning.pricing import Fault, price_route
from fieldservice.dispatch.planning.state import State

NEAR = 5  # days that are planned anew to see whether a change would do
LEVEL = 3
STEPS = (900, 1_800, 3_600, 7_200, 14_400)  # how far windows and shifts are stretched, the smallest first


@dataclass(frozen=True)
class Refusal:
    """Why a job does not fit on a day: the rule that comes nearest to being kept, and how much is missing (seconds, or
    pieces of a part; 0 where nothing can be counted)."""

    day: int
    rule: str  # eligible, or that of a Fault
    much: float = 0.0


@dataclass(frozen=True)
class Change:
    """What would have to be otherwise for the job to be placed, and where it would then stand."""

    kind: str  # free: nothing but another order of jobs; window, overtime, part, eligible
    day: int
    start: int
    plan: Plan  # the proof: valid with that change, and no other job is lost
    much: float = 0.0  # seconds earlier or later than a window, seconds of overtime


@dataclass(frozen=True)
class Unplaced:
    """The whole answer for one job."""

    job: int
    refusals: tuple[Refusal, ...]
    change: Change | None  # None: none of the changes tried would do


def explain(problem: Problem, plan: Plan, job: int) -> Unplaced:
    """Why a job that is left out of this plan is left out."""
    return Unplaced(job, tuple(refusals(problem, plan, job)), smallest_change(problem, plan, job))


def refusals(problem: Problem, plan: Plan, job: int) -> Iterator[Refusal]:
    """One for each day on which the job cannot be put between what stands there; other days say nothing."""
    for day, route in enumerate(plan.routes):
        if not problem.eligible[job, day]:
            yield Refusal(day, "eligible")
            continue
        tries = [
            price_route(problem, day, [*route[:at], job, *route[at:]], plan.agreed) for at in range(len(route) + 1)
        ]
        faults = [one for one in tries if isinstance(one, Fault)]
        if len(faults) == len(tries):
            nearest = min(faults, key=lambda one: (one.much, one.rule))
            yield Refusal(day, nearest.rule, nearest.much)


def smallest_change(problem: Problem, plan: Plan, job: int) -> Change | None:
    """The first change, from the smallest to the largest, with which a plan is found that keeps all other jobs."""
    for kind, much, changed in _changes(problem, job):
        found = _placed(changed, plan, job)
        if found is not None:
            day, start, proof = found
            if kind == "window":
                much = _beyond(problem.jobs[job].starts, start)
            elif kind == "overtime":
                much = _overtime(changed, plan, day, job, much)
            return Change(kind, day, start, proof, much)
    return None


def _changes(problem: Problem, job: int) -> Iterator[tuple[str, float, Problem]]:
    """(kind, size, the problem with that change)"""
    wanted = problem.jobs[job]
    yield "free", 0.0, problem
    for step in STEPS:
        wider = joined(Window(max(0, one.start - step), one.end + step) for one in wanted.starts)
        yield "window", step, _with_job(problem, job, starts=wider)
        yield "overtime", step, replace(problem, days=tuple(_longer(day, step) for day in problem.days))
    if wanted.needs:
        yield "part", 0.0, _with_job(problem, job, needs=())
    eligible = problem.eligible.copy()
    eligible[job] = True
    yield "eligible", 0.0, replace(problem, eligible=eligible)


def _longer(day: Day, seconds: int) -> Day:
    return replace(day, overtime=day.overtime + seconds)


def _with_job(problem: Problem, job: int, **change: object) -> Problem:
    jobs = list(problem.jobs)
    jobs[job] = replace(jobs[job], **change)  # type: ignore[arg-type]  # of the field that is named
    return replace(problem, jobs=tuple(jobs))


def _placed(problem: Problem, plan: Plan, job: int) -> tuple[int, int, Plan] | None:
    """(day, start, plan) of the job in a valid plan that leaves no other job out, if one is found."""
    state = State(problem, plan)
    before = set(state.unserved)
    if not insertion.place(state, job):
        if job in state.linked:
            return None
        _plan_anew(state, job)
    if job in state.unserved or not state.unserved <= before:
        return None
    checked = check(problem, state.plan)
    if not checked.valid:
        return None
    return next((day, start, checked.plan) for (one, day), start in checked.starts().items() if one == job)


def _plan_anew(state: State, job: int) -> None:
    """The nearest days that may do the job, planned anew with it: from what stands, else from nothing."""
    days = _nearest(state, job)
    if not days:
        return
    piece = cut(state.problem, days, [job], {day: state.routes[day] for day in days}, state.agreed)
    for solve in (by_vroom.improve, by_vroom.construct):
        orders = solve(piece, LEVEL)
        state.take({day: [piece.jobs[row] for row in order] for day, order in zip(days, orders, strict=True)})
        if job not in state.unserved:
            return


def _nearest(state: State, job: int) -> list[int]:
    problem = state.problem
    able = [int(day) for day in problem.eligible[job].nonzero()[0]]
    if not able:
        return []

    def away(day: int) -> int:
        points = [problem.days[day].start_place, *(problem.jobs[one].place for one in state.routes[day])]
        return int(problem.travel.block([problem.jobs[job].place], points).min())

    return sorted(sorted(able, key=away)[:NEAR])


def _beyond(starts: Sequence[Window], start: int) -> float:
    """How far a moment lies outside all windows."""
    return min((max(one.start - start, start - one.end, 0) for one in starts), default=0)


def _overtime(problem: Problem, plan: Plan, day: int, job: int, most: float) -> float:
    """The overtime that is really needed on the day, where a simple insertion tells it."""
    route = plan.routes[day]
    needed = [
        timed.overtime - max(0, problem.days[day].overtime - int(most))
        for at in range(len(route) + 1)
        if not isinstance(timed := price_route(problem, day, [*route[:at], job, *route[at:]], plan.agreed), Fault)
    ]
    return float(max(0, min(needed))) if needed else most
