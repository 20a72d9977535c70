"""The last touch on a plan: what stood keeps its time where nothing is lost by it, and new work begins at a round one.

A solver begins every job as early as it can. People have been told times already, and say them in round minutes.
"""

from collections.abc import Mapping, Sequence

from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.model import Plan, Problem, linked
from fieldservice.dispatch.planning.pricing import Timed, price_route

ROUND = 300  # seconds


def settle(problem: Problem, plan: Plan) -> Checked:
    """The same routes with starts that people can live with, breaking no promise more; checked."""
    agreed = dict(plan.agreed)
    together = linked(problem)
    for day, route in enumerate(plan.routes):
        timed = price_route(problem, day, route, agreed) if route else None
        if not isinstance(timed, Timed):
            continue
        for at, job in enumerate(route):
            if job in together or problem.jobs[job].pinned:
                continue
            wanted = _wanted(problem, day, job, timed.starts[at])
            tried = price_route(problem, day, route, {**agreed, job: wanted})
            if isinstance(tried, Timed) and _nobody_waits(problem, route, timed, tried):
                agreed[job], timed = wanted, tried
    return check(problem, Plan.of(plan.routes, _kept(agreed, plan)))


def _wanted(problem: Problem, day: int, job: int, earliest: int) -> int:
    """When it stood, if it may still; else the next round time."""
    held = next((one.start for one in problem.jobs[job].held if one.day == day), None)
    return held if held is not None and held >= earliest else -(-earliest // ROUND) * ROUND


def _nobody_waits(problem: Problem, route: Sequence[int], before: Timed, after: Timed) -> bool:
    """Whether everybody on time stays on time; who is late anyway may wait a few minutes longer."""
    for job, was, becomes in zip(route, before.starts, after.starts, strict=True):
        one = problem.jobs[job]
        for due, length in ((one.due, 0), (one.restore_due, one.seconds)):
            if due is not None and was + length <= due < becomes + length:
                return False
            if due is not None and was + length > due and becomes - was > ROUND:
                return False
    return after.overtime <= before.overtime


def _kept(agreed: Mapping[int, int], plan: Plan) -> dict[int, int]:
    served = {job for route in plan.routes for job in route}
    return {job: start for job, start in agreed.items() if job in served}
