"""Making a plan: a seed by VROOM, then neighbourhoods solved anew until the effort is spent (DESIGN §6).

Effort counts neighbourhoods, never seconds, so the same problem, seed and effort give the same plan on any machine
and with any number of processes: a neighbourhood is chosen when the one `AT_ONCE` before it has been taken in.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyvrp.stop import MaxIterations

from fieldservice.dispatch.planning import by_pyvrp, by_vroom, insertion
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.model import Plan, Problem, held_plan
from fieldservice.dispatch.planning.neighbourhoods import Neighbourhoods
from fieldservice.dispatch.planning.piece import Piece, cut
from fieldservice.dispatch.planning.pricing import Timed, price_route
from fieldservice.dispatch.planning.recombining import Found
from fieldservice.dispatch.planning.runners import Here, Runner
from fieldservice.dispatch.planning.state import State

FEW = 150  # jobs
WHOLE = 2_500  # jobs; beyond, the seed is made station by station
AT_ONCE = 2  # neighbourhoods in work
ROUND = 16  # neighbourhoods, after which all that they found is combined anew
LEVEL = 1  # how hard VROOM tries in a neighbourhood
RUIN = 0.4  # of a neighbourhood is taken out before
ITERATIONS = 200  # of PyVRP in a neighbourhood
Orders = list[list[int]]


class Enough(Exception):
    """Raised by whoever follows the progress: what has been found will do."""


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int
    of: int
    score: float
    placed: int


@dataclass(frozen=True)
class Effort:
    """What a run may spend: how many neighbourhoods are solved anew, and the level of the seed (None: by size)."""

    neighbourhoods: int = 200
    seed_level: int | None = None

    def level(self, jobs: int) -> int:
        """How hard VROOM tries for the seed: on few jobs its best costs no more than a few neighbourhoods."""
        if self.seed_level is not None:
            return self.seed_level
        return 5 if jobs <= FEW else 0


def plan(
    problem: Problem,
    *,
    effort: Effort = Effort(),
    seed: int = 1,
    runner: Runner | None = None,
    progress: Callable[[Progress], None] | None = None,
    begin: Plan | None = None,
    found: Found | None = None,
) -> Checked:
    """The best plan found, checked. What stands at present is where it begins, and never gets worse.

    With `begin`, the result of an earlier run, it goes on from there. `found` are the routes met so far (it is added
    to); without, a run begins with none.
    `progress` is told after each neighbourhood; it may raise Enough to take what there is, or anything to give up.
    """
    runner = runner or Here()
    state = _begin(problem, effort, runner) if begin is None else State(problem, begin)
    insertion.place_all(state, sorted(state.unserved & state.linked))
    with suppress(Enough):
        _improve(state, effort, seed, runner, progress, Found() if found is None else found)
    _place_late(state)
    return check(problem, state.plan)


def _begin(problem: Problem, effort: Effort, runner: Runner) -> State:
    """What stands, or a plan from nothing around what is fixed: whichever is worth more."""
    stands = State(problem, held_plan(problem))
    fixed = [[job for job in route if problem.jobs[job].pinned] for route in stands.routes]
    fresh = State(problem, Plan.of(fixed))
    futures: list[tuple[Piece, Future[Any]]] = []
    for days, jobs in _parts(problem, stands.linked):
        now = {day: fixed[day] for day in days}
        piece = cut(problem, days, jobs, now)
        futures.append((piece, runner.submit(by_vroom.construct, piece, effort.level(len(piece.jobs)))))
    for piece, future in futures:
        proposal = _proposal(piece, future.result())
        if not fresh.take(proposal):  # the stores do not hold what all days would collect: day by day
            for day, route in proposal.items():
                fresh.take({day: route})
    return stands if check(problem, stands.plan).valid and stands.score <= fresh.score else fresh


def _parts(problem: Problem, special: frozenset[int]) -> list[tuple[list[int], list[int]]]:
    """(days, jobs) of the seed: all at once, or those of each station."""
    ordinary = [job for job, one in enumerate(problem.jobs) if job not in special and not one.pinned]
    if len(ordinary) <= WHOLE:
        return [(list(range(len(problem.days))), ordinary)]
    days: dict[int, list[int]] = {}
    jobs: dict[int, list[int]] = {}
    for day, one in enumerate(problem.days):
        days.setdefault(one.station, []).append(day)
    for job in ordinary:
        jobs.setdefault(problem.jobs[job].station, []).append(job)
    return [(days[station], jobs[station]) for station in sorted(days.keys() & jobs.keys())]


def _improve(
    state: State,
    effort: Effort,
    seed: int,
    runner: Runner,
    progress: Callable[[Progress], None] | None,
    found: Found,
) -> None:
    neighbourhoods = Neighbourhoods(state, seed, AT_ONCE)
    at_work: deque[tuple[list[int], list[int], Piece, Future[Any]]] = deque()
    submitted = 0
    for done in range(1, effort.neighbourhoods + 1):
        last = min(-(-done // ROUND) * ROUND, effort.neighbourhoods)  # of this round: the next one begins with its best
        while len(at_work) < AT_ONCE and submitted < last:
            busy = {day for days, _left, _piece, _future in at_work for day in days}
            taken = {job for _days, left, _piece, _future in at_work for job in left}
            chosen = neighbourhoods.next(busy, taken)
            if chosen is None:
                break
            piece = _piece(state, *chosen)
            future = runner.submit(solve, piece, submitted, seed * 1_000_003 + submitted)
            at_work.append((*chosen, piece, future))
            submitted += 1
        if not at_work:
            return
        _days, _left, piece, future = at_work.popleft()
        proposed = state.priced(_proposal(piece, future.result()))
        found.add(proposed)
        state.put(proposed)
        if done == last:
            state.take(found.best(state))
        if progress is not None:
            placed = len(state.problem.jobs) - len(state.unserved)
            progress(Progress(done, effort.neighbourhoods, state.score, placed))


def solve(piece: Piece, turn: int, seed: int) -> Orders:
    """One neighbourhood anew: every other one by PyVRP where goals tell people apart, which VROOM does not know."""
    if turn % 2 and piece.cares_who:
        return by_pyvrp.improve(piece, MaxIterations(ITERATIONS), seed)
    return by_vroom.improve(piece, LEVEL, RUIN, seed)


def _piece(state: State, days: list[int], left: list[int]) -> Piece:
    others = [job for job in left if job not in state.linked]
    routes = {day: state.routes[day] for day in days}
    return cut(state.problem, days, others, routes, state.agreed, also_late=_late(state, days))


def _late(state: State, days: list[int]) -> set[int]:
    """Jobs that stand after their promise: they may go on doing so, the others stay on time."""
    found: set[int] = set()
    for day in days:
        jobs = [state.problem.jobs[job] for job in state.routes[day]]
        if all(job.due is None and job.restore_due is None for job in jobs):
            continue
        timed = price_route(state.problem, day, state.routes[day], state.agreed)
        if isinstance(timed, Timed) and timed.amounts.promises > 0:
            found.update(state.routes[day])
    return found


def _proposal(piece: Piece, orders: Orders) -> dict[int, list[int]]:
    return {day: [piece.jobs[job] for job in order] for day, order in zip(piece.days, orders, strict=True)}


def _place_late(state: State) -> None:
    """Jobs that can only come after their promise: solvers left them out, which is dearer."""
    late = [
        job for job in sorted(state.unserved)
        if state.problem.jobs[job].due is not None or state.problem.jobs[job].restore_due is not None
    ]  # fmt: skip
    insertion.place_all(state, late)
