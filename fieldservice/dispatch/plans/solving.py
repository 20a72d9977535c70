"""The heavy part of a run, in a process of its own: pure functions over plain values, a few seconds each."""

from dataclasses import replace

from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Plan, Problem, held_plan
from fieldservice.dispatch.planning.reasons import Unplaced, explain
from fieldservice.dispatch.planning.recombining import Found
from fieldservice.dispatch.planning.settling import settle
from fieldservice.dispatch.planning.urgent import options

STEP = 16  # neighbourhoods between two looks at the world: about a second


def standing(problem: Problem) -> Checked:
    """What stands at present, at the times it stands, priced."""
    return settle(problem, held_plan(problem))


def seeded(problem: Problem) -> Checked:
    """The plan that a run begins with."""
    return plan(problem, effort=Effort(0))


def improved(problem: Problem, begin: Plan, neighbourhoods: int, seed: int, met: Found) -> tuple[Checked, Found]:
    """A better plan, if so many neighbourhoods give one, and the routes met so far for the next step to choose from."""
    return plan(problem, effort=Effort(neighbourhoods), seed=seed, begin=begin, found=met), met


def finished(problem: Problem, found: Plan) -> Checked:
    """The plan with starts that people can live with."""
    return settle(problem, found)


def urgent(problem: Problem, job: int) -> tuple[Checked, Checked, list[Unplaced]]:
    """What stands, that with the job put into it with the fewest consequences, and why not where nobody can go."""
    before = check(problem, held_plan(problem))
    ways = options(problem, before, job) if before.valid else ()
    if not ways:
        return settle(problem, before.plan), settle(problem, before.plan), explained(problem, before.plan, [job])
    return settle(problem, before.plan), settle(problem, ways[0].checked.plan), []


def explained(problem: Problem, found: Plan, jobs: list[int]) -> list[Unplaced]:
    """Why these jobs are left out. The proofs stay behind: they are as large as the plan."""
    answers = [explain(problem, found, job) for job in jobs]
    return [
        one if one.change is None else replace(one, change=replace(one.change, plan=Plan(())))
        for one in answers
    ]  # fmt: skip
