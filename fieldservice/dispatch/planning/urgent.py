"""One urgent job into a full day, with as few consequences as can be (DESIGN §6).

First into a gap; then in place of one lighter job, which goes elsewhere or is left out; and where that hurts, the
nearest days are planned anew. What stands carries a cost of being changed, so that a little less travel is no reason to
send somebody else. Every plan that is told has passed the checker.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from fieldservice.dispatch.planning import by_vroom, insertion
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.consequences import Consequences, compare
from fieldservice.dispatch.planning.gaps import Gaps
from fieldservice.dispatch.planning.model import Plan, Problem, linked
from fieldservice.dispatch.planning.piece import cut
from fieldservice.dispatch.planning.pricing import Fault, price_route, unserved_cost
from fieldservice.dispatch.planning.ranking import Floats, rank
from fieldservice.dispatch.planning.state import State

LEVEL = 1  # how hard VROOM tries
Routes = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class Policy:
    """What consequences cost, in seconds of travel, and how far one looks."""

    other_technician: float = 3_600.0  # a standing job goes to somebody else
    other_day: float = 900.0  # to another day of the same technician
    may_leave_out: bool = True  # a lighter job, where nothing better is found
    nearest: int = 4  # technician-days in which a lighter job may make room
    tries: int = 8  # of these, how many are looked into to the end
    anew: int = 4  # how many days are planned anew
    options: int = 3  # at most, each with another technician


@dataclass(frozen=True)
class Option:
    """A way to do the urgent job, ready to be stored: a valid plan, where the job stands in it, and what it does."""

    checked: Checked
    day: int
    start: int
    cost: float  # seconds of travel beyond what stands, consequences included
    way: str  # 'gap', 'instead' of a lighter job, 'anew'
    consequences: Consequences


class _Try(NamedTuple):
    """Other routes for some days, and what they cost more."""

    cost: float
    technician: int
    way: str
    routes: Routes
    keeps_all: bool = True  # no job is left out for it


def options(
    problem: Problem, stands: Checked, job: int, policy: Policy = Policy(), board: Gaps | None = None
) -> tuple[Option, ...]:
    """The best ways to put a job into what stands, the best first; none where it cannot be done.

    `board` is a live board of the same plan, which spares making one; it is given back as it was. A crew's job and one
    that waits for another are put into gaps only. Raises ValueError where what stands is not valid, or the job is
    pinned or stands already.
    """
    if not stands.valid:
        raise ValueError(f"what stands breaks a rule: {stands.faults[0]}")
    if job not in stands.unserved or problem.jobs[job].pinned:
        raise ValueError(f"job {problem.jobs[job].key} stands already")
    if job in linked(problem):
        plans = _together(problem, stands, job)
        return _checked(problem, stands, job, policy, plans)
    gaps = board or Gaps(problem, stands)
    tries = sorted(_tries(gaps, job, policy), key=lambda one: one.cost)
    return _checked(problem, stands, job, policy, ((one.way, _plan(stands, one.routes)) for one in tries))


def _tries(gaps: Gaps, job: int, policy: Policy) -> list[_Try]:
    """Gaps and lighter jobs of the nearest days; of farther ones while nothing is found."""
    found = list(_into_gaps(gaps, job, policy))
    near = _near(gaps, job)
    for at in range(0, len(near), policy.nearest):
        found += _instead(gaps, job, near[at : at + policy.nearest], policy)
        if found:
            break
    if not any(one.keeps_all for one in found):
        found += _anew(gaps, job, near[: policy.anew], policy)
    return found or list(islice(_instead_of_several(gaps, job, near, policy), policy.options))


def _together(problem: Problem, stands: Checked, job: int) -> Iterator[tuple[str, Plan]]:
    state = State(problem, stands.plan)
    if insertion.place(state, job):
        yield "gap", state.plan


def _into_gaps(gaps: Gaps, job: int, policy: Policy) -> Iterator[_Try]:
    for offer in rank(gaps, job, policy.options).offers:
        route = gaps.routes[offer.day]
        routes = {offer.day: (*route[: offer.at], job, *route[offer.at :])}
        yield _Try(offer.cost, gaps.problem.days[offer.day].technician, "gap", routes)


# Instead of a lighter job -------------------------------------------------------------------------


def _instead(gaps: Gaps, job: int, days: list[int], policy: Policy) -> list[_Try]:
    """The urgent job on one of these days in place of a lighter one, which goes where it costs least."""
    begun: list[tuple[float, int, int, tuple[int, ...]]] = []
    for day in days:
        stood = gaps.routes[day]
        before = float(gaps.cost[day])
        for other in stood:
            if _may_go(gaps, other, job):
                rest = tuple(one for one in stood if one != other)
                gaps.renew(day, rest)
                found = rank(gaps, job, 1, _only(gaps, day)).offers
                if found:
                    [offer] = found
                    cost = offer.cost + float(gaps.cost[day]) - before
                    begun.append((cost, day, other, (*rest[: offer.at], job, *rest[offer.at :])))
        gaps.renew(day, stood)
    found_all: list[_Try] = []
    for cost, day, other, route in sorted(begun)[: policy.tries]:
        stood = gaps.routes[day]
        gaps.renew(day, route)
        found_all.extend(_elsewhere(gaps, policy, cost, day, other))
        gaps.renew(day, stood)
    return found_all


def _elsewhere(gaps: Gaps, policy: Policy, cost: float, day: int, other: int) -> Iterator[_Try]:
    """Where the lighter job goes: the cheapest place, or nowhere."""
    problem, route = gaps.problem, gaps.routes[day]
    technician = problem.days[day].technician
    left_out = unserved_cost(problem, problem.jobs[other])
    offers = rank(gaps, other, 1, _stay(gaps, day, policy)).offers
    if offers:
        [offer] = offers
        target = gaps.routes[offer.day]
        routes = {day: route, offer.day: (*target[: offer.at], other, *target[offer.at :])}
        yield _Try(cost + offer.cost, technician, "instead", routes)
    if policy.may_leave_out:
        yield _Try(cost + left_out, technician, "instead", {day: route}, keeps_all=False)


def _instead_of_several(gaps: Gaps, job: int, days: list[int], policy: Policy) -> Iterator[_Try]:
    """One of these days cleared of all lighter jobs, the urgent one put in, and the others put back where they cost
    least, the weightiest first."""
    jobs = gaps.problem.jobs
    for day in days:
        stood = gaps.routes[day]
        gone = sorted((one for one in stood if _may_go(gaps, one, job)), key=lambda one: -jobs[one].weight)
        routes: dict[int, tuple[int, ...]] = {day: tuple(one for one in stood if one not in gone)}
        before = {day: stood}
        gaps.renew(day, routes[day])
        for one, dearer in [(job, _only(gaps, day)), *((one, _stay(gaps, day, policy)) for one in gone)]:
            offers = rank(gaps, one, 1, dearer).offers
            if offers:
                target, at = offers[0].day, offers[0].at
                before.setdefault(target, gaps.routes[target])
                routes[target] = (*gaps.routes[target][:at], one, *gaps.routes[target][at:])
                gaps.renew(target, routes[target])
            elif one == job:
                break
        for other, route in before.items():
            gaps.renew(other, route)
        found = _priced(gaps, job, routes, policy)
        if found is not None:
            yield found._replace(way="instead")


def _may_go(gaps: Gaps, other: int, job: int) -> bool:
    """Whether a standing job may make room: it is lighter, and neither pinned nor agreed on with others."""
    jobs = gaps.problem.jobs
    return jobs[other].weight < jobs[job].weight and not jobs[other].pinned and other not in gaps.agreed


def _only(gaps: Gaps, day: int) -> Floats:
    dearer = np.full(len(gaps.routes), np.inf)
    dearer[day] = 0.0
    return dearer


def _stay(gaps: Gaps, day: int, policy: Policy) -> Floats:
    """What it costs that a job leaves this day for another."""
    same = gaps.technician == gaps.technician[day]
    dearer = np.where(same, policy.other_day, policy.other_technician)
    dearer[day] = 0.0
    return dearer


def _near(gaps: Gaps, job: int) -> list[int]:
    """Days with work that may do the job, by how little its way there and its lateness would cost at least."""
    problem, wanted = gaps.problem, gaps.problem.jobs[job]
    days = [day for day in np.flatnonzero(problem.eligible[job]).tolist() if gaps.routes[day] and wanted.starts]
    days = [
        day for day in days
        if problem.days[day].latest - wanted.seconds >= max(problem.days[day].start, wanted.starts[0].start)
    ]  # fmt: skip
    if not days:
        return []
    away = problem.travel.block([wanted.place], gaps.points[days].ravel())[0].reshape(len(days), -1).min(axis=1)
    late = np.array([max(0, problem.days[day].start - wanted.due) if wanted.due is not None else 0 for day in days])
    return [days[at] for at in np.argsort(away + late, kind="stable").tolist()]


# Anew ---------------------------------------------------------------------------------------------


def _anew(gaps: Gaps, job: int, days: list[int], policy: Policy) -> Iterator[_Try]:
    """These days planned anew, the jobs of one of them at a time free to go to the others: more freedom would move
    more of them, because the solver does not know what a change costs."""
    if not days:
        return
    piece = cut(gaps.problem, days, [job], {day: gaps.routes[day] for day in days}, gaps.agreed)
    stands = np.array([column for column, route in enumerate(piece.routes) for _row in route])
    for column in range(len(days)):
        eligible = piece.eligible.copy()
        tied = np.flatnonzero(stands != column)
        eligible[tied] = False
        eligible[tied, stands[tied]] = True
        orders = by_vroom.improve(replace(piece, eligible=eligible), LEVEL)
        routes = {day: tuple(piece.jobs[row] for row in order) for day, order in zip(days, orders)}
        found = _priced(gaps, job, routes, policy)
        if found is not None:
            yield found


def _priced(gaps: Gaps, job: int, routes: Routes, policy: Policy) -> _Try | None:
    """What other routes cost; None where they cannot be driven, or are without the job or one that must stay."""
    problem = gaps.problem
    was = {one: day for day in routes for one in gaps.routes[day]}
    now = {one: day for day, route in routes.items() for one in route}
    missing = was.keys() - now.keys()
    allowed = policy.may_leave_out and all(_may_go(gaps, one, job) for one in missing)
    if job not in now or (missing and not allowed):
        return None
    cost = sum(unserved_cost(problem, problem.jobs[one]) for one in missing)
    for day, route in routes.items():
        timed = price_route(problem, day, route, gaps.agreed) if route else None
        if isinstance(timed, Fault):
            return None
        cost += (0.0 if timed is None else timed.amounts.total) - float(gaps.cost[day])
    cost += sum(float(_stay(gaps, was[one], policy)[day]) for one, day in now.items() if one in was)
    return _Try(cost, problem.days[now[job]].technician, "anew", routes, keeps_all=not missing)


# Checked ------------------------------------------------------------------------------------------


def _plan(stands: Checked, routes: Routes) -> Plan:
    changed = [tuple(routes.get(day, route)) for day, route in enumerate(stands.plan.routes)]
    return Plan(tuple(changed), stands.plan.agreed)


def _checked(
    problem: Problem, stands: Checked, job: int, policy: Policy, plans: Iterable[tuple[str, Plan]]
) -> tuple[Option, ...]:
    """The first valid plan for each technician, until there are enough."""
    found: dict[int, Option] = {}
    for way, plan in plans:
        day = next(at for at, route in enumerate(plan.routes) if job in route)
        technician = problem.days[day].technician
        if technician in found:
            continue
        checked = check(problem, plan, stands)
        if checked.valid:
            found[technician] = _option(problem, stands, checked, job, day, way, policy)
        if len(found) == policy.options:
            break
    return tuple(sorted(found.values(), key=lambda option: option.cost))


def _option(
    problem: Problem, stands: Checked, checked: Checked, job: int, day: int, way: str, policy: Policy
) -> Option:
    told = compare(problem, stands, checked)
    changes = told.changed_technician * policy.other_technician
    changes += (len(told.moved) - told.changed_technician) * policy.other_day
    cost = checked.score - stands.score + unserved_cost(problem, problem.jobs[job]) + changes
    return Option(checked, day, checked.starts()[job, day], cost, way, told)
