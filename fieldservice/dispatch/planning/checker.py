"""Whether a plan keeps every hard rule, and what it is worth. Nothing is shown or stored that this rejects."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fieldservice.dispatch.planning.model import Plan, Problem, Routes
from fieldservice.dispatch.planning.objectives import Amounts
from fieldservice.dispatch.planning.pricing import Fault, Timed, lacking, price_route, unserved_cost


@dataclass(frozen=True)
class Checked:
    """A plan with its times, its price and everything that is wrong with it (nothing, for a valid one)."""

    plan: Plan
    routes: tuple[Timed | None, ...]  # None where nobody goes anywhere, or the route cannot be driven
    unserved: tuple[int, ...]
    amounts: Amounts
    faults: tuple[Fault, ...]

    @property
    def score(self) -> float:
        """Seconds of travel that the plan is worth; the lower, the better."""
        return self.amounts.total

    @property
    def valid(self) -> bool:
        return not self.faults

    def starts(self) -> dict[tuple[int, int], int]:
        """(job, day) → when it begins."""
        return {
            (job, day): start
            for day, (route, timed) in enumerate(zip(self.plan.routes, self.routes, strict=True))
            if timed is not None
            for job, start in zip(route, timed.starts, strict=True)
        }


def check(problem: Problem, plan: Plan, known: Checked | None = None) -> Checked:
    """Time, price and test a plan. `known` is another plan of the same problem: routes that are the same in both are
    not timed again, which makes small changes to large plans cheap to check."""
    same = known.plan.routes if known is not None and known.plan.agreed == plan.agreed else ()
    faults = list(_of_the_shape(problem, plan))
    routes: list[Timed | None] = []
    amounts = Amounts()
    for day, route in enumerate(plan.routes):
        faults += [Fault("eligible", job) for job in route if not _allowed(problem, job, day)]
        found: Timed | Fault | None = None
        if known is not None and same and route == same[day]:
            found = known.routes[day]
        if route and found is None:
            found = price_route(problem, day, route, plan.agreed)
        if isinstance(found, Fault):
            faults.append(found)
            found = None
        elif found is not None:
            amounts += found.amounts
        routes.append(found)
    unserved = plan.unserved(problem)
    missing = sum(unserved_cost(problem, problem.jobs[job]) for job in unserved)
    checked = Checked(plan, tuple(routes), tuple(unserved), amounts + Amounts(promises=missing), ())
    faults += [*_of_together(problem, checked), *overdrawn(problem, plan.routes)]
    return Checked(plan, checked.routes, checked.unserved, checked.amounts, tuple(faults))


def _allowed(problem: Problem, job: int, day: int) -> bool:
    """By the eligibility table; what is pinned there is given."""
    pinned = problem.jobs[job].pinned and any(one.day == day for one in problem.jobs[job].held)
    return pinned or bool(problem.eligible[job, day])


def _of_the_shape(problem: Problem, plan: Plan) -> Iterable[Fault]:
    """Every job on as many days as its crew has members, or on none; what is pinned where it is pinned."""
    if len(plan.routes) != len(problem.days):
        raise ValueError("a plan has a route for each technician-day")
    many = Counter(job for route in plan.routes for job in route)
    for index, job in enumerate(problem.jobs):
        count = many.get(index, 0)
        if count and count != job.crew:
            yield Fault("crew" if count < job.crew or job.crew > 1 else "twice", index, job.crew - count)
        if job.pinned and any(index not in plan.routes[one.day] for one in job.held):
            yield Fault("pinned", index)
    for route in plan.routes:
        for index, count in Counter(route).items():
            if count > 1:
                yield Fault("twice", index, count)


def _of_together(problem: Problem, checked: Checked) -> Iterable[Fault]:
    """Crews begin together and are different people; links keep their order and their technician."""
    at = checked.starts()
    days: dict[int, list[int]] = {}
    for one, day in at:
        days.setdefault(one, []).append(day)
    for index, job in enumerate(problem.jobs):
        mine = days.get(index, [])
        if not mine:
            continue
        begins = [at[index, day] for day in mine]
        if len(set(begins)) > 1:
            yield Fault("crew", index, max(begins) - min(begins))
        people = {problem.days[day].technician for day in mine}
        if len(people) < len(mine):
            yield Fault("crew", index)
        for earlier in job.after:
            ends = [at[earlier, day] + problem.jobs[earlier].seconds for day in days.get(earlier, [])]
            if not ends or max(ends) > min(begins):
                yield Fault("order", index, max(ends) - min(begins) if ends else 0)
        same = days.get(job.same_as, []) if job.same_as is not None else []
        if same and people.isdisjoint(problem.days[day].technician for day in same):
            yield Fault("technician", index)
    yield from _of_people(problem, checked)


def _of_people(problem: Problem, checked: Checked) -> Iterable[Fault]:
    """Two technician-days of one person do not run into each other."""
    mine: dict[int, list[tuple[int, int, int]]] = {}
    for day, (route, timed) in enumerate(zip(checked.plan.routes, checked.routes, strict=True)):
        if timed is not None:
            mine.setdefault(problem.days[day].technician, []).append((problem.days[day].start, timed.ends, route[0]))
    for spans in mine.values():
        spans.sort()
        for (_start, ends, _job), (begins, _ends, job) in itertools.pairwise(spans):
            if ends > begins:
                yield Fault("overlap", job, ends - begins)


def overdrawn(problem: Problem, routes: Routes) -> Iterator[Fault]:
    """All collecting together takes no more than has come to the stores by then, and all days of one technician no more
    than lies in the van."""
    collected: dict[tuple[int, str], list[tuple[int, float, int]]] = {}
    carried: dict[tuple[int, str], float] = {}
    for day, route in zip(problem.days, routes, strict=True):
        if not route:
            continue
        short = lacking(problem, day, route)
        for part, much in short.items():
            collected.setdefault((day.station, part), []).append((day.start, much, route[-1]))
        for part, van in day.van.items():
            wants = (much for job in route for one, much in problem.jobs[job].wants(day.technician) if one == part)
            carried[day.technician, part] = carried.get((day.technician, part), 0.0) + min(van, sum(wants))
            if carried[day.technician, part] > van:
                yield Fault("part", route[-1], carried[day.technician, part] - van)
    for (station, part), times in collected.items():
        taken = 0.0
        for begins, much, last in sorted(times):
            taken += much
            if taken > (there := problem.there_by(station, part, begins)):
                yield Fault("part", last, taken - there)
