"""A run beside the work: read, compute step by step in another process, keep what came out. The plan tells how far."""

from datetime import datetime
from functools import partial
from typing import Literal

from fieldservice.dispatch.planning.checker import Checked
from fieldservice.dispatch.planning.objectives import Amounts, Goals
from fieldservice.dispatch.planning.recombining import Found
from fieldservice.dispatch.plans import outcome, solving
from fieldservice.dispatch.plans.compiling import World, compiled
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.dispatch.plans.reading import Absent, read
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import Done, task
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders.placement import Span

LEAST_EFFORT, MOST_EFFORT = 16, 400  # neighbourhoods where nobody says how many: one for each job, between these
MOST_EXPLAINED = 25  # jobs left out that are told the reason and the smallest change
PATIENCE = 180.0  # seconds for one step of the computing
Stop = Literal["", "enough", "cancel"]


def interrupt(plan_id: int) -> None:
    """The run failed for good: said on its page."""
    plan = session.get_one(DispatchPlan, plan_id)
    if plan.lifecycle.allows(plan.state, "interrupted"):
        plan.finished_at = now()
        move(plan, "interrupted")


@task("dispatch.plan", attempts=2, give_up=interrupt)
def compute_plan(plan_id: int) -> Done | None:
    """Compute a plan that was asked for; a run that a killed process left behind begins anew."""
    plan = session.get(DispatchPlan, plan_id)
    if plan is None or plan.state not in ("asked", "computing"):
        return None
    try:
        material = read(plan.station_ids, plan.first_day, plan.days, now(), absent_of(plan))
    except DomainError as refused:
        said = refused.code
        return Done(effect=lambda: _refuse(plan_id, said))
    world = compiled(material, Goals(Amounts(**plan.weights)))
    seed, effort = plan.seed, plan.effort or _by_size(world)
    session.rollback()  # nothing is held while the computing goes on
    before = compute(solving.standing, world.problem, timeout=PATIENCE)
    if write(lambda: _begin(plan_id, len(material.works), before)) == "cancel":
        return Done(effect=lambda: _cancel(plan_id))
    found = _improved(plan_id, world, effort, seed)
    if found is None:
        return Done(effect=lambda: _cancel(plan_id))
    result = _told(world, before, found, _settled(world, before, found))
    at = material.at
    return Done(effect=lambda: _finish(plan_id, result, at))


def _by_size(world: World) -> int:
    return min(MOST_EFFORT, max(LEAST_EFFORT, len(world.works)))


def _improved(plan_id: int, world: World, effort: int, seed: int) -> Checked | None:
    """Step by step to the end of the effort, or until somebody finds it good enough; None when cancelled."""
    problem = world.problem
    if not problem.days or not problem.jobs:
        return solving.standing(problem)
    found, met = compute(solving.seeded, problem, timeout=PATIENCE), Found()
    for done in range(0, effort, solving.STEP):
        stop = write(partial(_note, plan_id, done / effort, found))
        if stop == "cancel":
            return None
        if stop == "enough":
            break
        many = min(solving.STEP, effort - done)
        found, met = compute(solving.improved, problem, found.plan, many, seed * 1_000 + done, met, timeout=PATIENCE)
    return found


def _settled(world: World, before: Checked, found: Checked) -> Checked:
    """With starts that people can live with; what stands, where nothing is won over it in the end."""
    settled = compute(solving.finished, world.problem, found.plan, timeout=PATIENCE)
    best = settled if settled.valid else found
    return before if before.valid and before.score <= best.score else best


def _told(world: World, before: Checked, found: Checked, settled: Checked) -> outcome.Result:
    """Reasons are asked of the plan as it was found: settled starts would stand in the way of a smallest change."""
    if not settled.valid:
        raise RuntimeError(f"the plan breaks rules: {settled.faults[:3]}")  # never shown, never stored
    ours = [job for job in found.unserved if world.works[job] is not None]
    ours.sort(key=lambda job: (-world.problem.jobs[job].weight, job))
    asked = ours[:MOST_EXPLAINED]
    reasons = compute(solving.explained, world.problem, found.plan, asked, timeout=PATIENCE) if asked else []
    return outcome.told(world, before, settled, reasons)


# An absence that the plan is made for --------------------------------------------------------------


def absent_of(plan: DispatchPlan) -> Absent | None:
    """Who counts as away in this plan; kept with the plan from the asking on."""
    fact = plan.outcome.get("absent")
    if fact is None:
        return None
    span = Span(*(datetime.fromisoformat(fact[name]) for name in ("starts_at", "ends_at")))
    return Absent(fact["technician"], span, fact["cause"])


def kept(plan: DispatchPlan) -> outcome.Result:
    """What was asked for, of all that the outcome holds."""
    return {name: fact for name, fact in plan.outcome.items() if name == "absent"}


# What is written ----------------------------------------------------------------------------------


def _begin(plan_id: int, jobs: int, before: Checked) -> Stop:
    plan = session.get_one(DispatchPlan, plan_id)
    plan.jobs, plan.before = jobs, before.score
    if plan.state == "asked":
        move(plan, "computing", by="system")
    return _asked(plan)


def _note(plan_id: int, share: float, found: Checked) -> Stop:
    plan = session.get_one(DispatchPlan, plan_id)
    plan.share, plan.score = share, found.score
    plan.placed = len({job for route in found.plan.routes for job in route})
    return _asked(plan)


def _asked(plan: DispatchPlan) -> Stop:
    return plan.stop if plan.stop in ("enough", "cancel") else ""  # type: ignore[return-value]  # one of the two


def _finish(plan_id: int, result: outcome.Result, at: datetime) -> None:
    plan = session.get_one(DispatchPlan, plan_id)
    plan.share, plan.finished_at = 1.0, now()
    plan.keep({**kept(plan), **result, "read_at": at.isoformat()})
    plan.score, plan.placed, plan.jobs = result["after"]["score"], result["after"]["placed"], result["after"]["jobs"]
    move(plan, "ready", by="system")


def _cancel(plan_id: int) -> None:
    plan = session.get_one(DispatchPlan, plan_id)
    plan.finished_at = now()
    move(plan, "cancelled", by="system")


def _refuse(plan_id: int, code: str) -> None:
    plan = session.get_one(DispatchPlan, plan_id)
    plan.finished_at = now()
    plan.keep({**kept(plan), "refused": code})
    move(plan, "interrupted", by="system")


def run_here(plan_id: int) -> None:
    """Compute a plan and wait for it: for commands, which have no leader."""
    done = compute_plan.work(plan_id)
    session.rollback()
    if done is not None and done.effect is not None:
        write(done.effect)
