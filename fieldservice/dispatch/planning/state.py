"""A plan while it is being improved: orders with their prices, changed only for the better or on purpose."""

from collections.abc import Iterable, Mapping, Sequence

from fieldservice.dispatch.planning.checker import overdrawn
from fieldservice.dispatch.planning.model import Plan, Problem, linked
from fieldservice.dispatch.planning.pricing import Fault, price_route, unserved_cost

Priced = dict[int, tuple[list[int], float]]  # by day: a route that can be driven, and what it costs
INFEASIBLE = float("inf")
LEAST_GAIN = 0.5  # seconds; less is rounding


class State:
    """Mutable: the routes, what each costs, and who is on which day."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.linked = linked(problem)
        self._needing = any(job.needs for job in problem.jobs)
        self.routes: list[list[int]] = [list(route) for route in plan.routes]
        self.agreed: dict[int, int] = dict(plan.agreed)
        self.costs = [self.cost(day, route) for day, route in enumerate(self.routes)]
        served = {job for route in self.routes for job in route}
        self.unserved = set(range(len(problem.jobs))) - served

    def cost(self, day: int, route: Sequence[int]) -> float:
        """What a route costs on a day; infinite where it cannot be driven."""
        if not route:
            return 0.0
        found = price_route(self.problem, day, route, self.agreed)
        return INFEASIBLE if isinstance(found, Fault) else found.amounts.total

    def missing(self, jobs: Iterable[int]) -> float:
        """What leaving these jobs out costs."""
        return sum(unserved_cost(self.problem, self.problem.jobs[job]) for job in jobs)

    @property
    def score(self) -> float:
        return sum(self.costs) + self.missing(self.unserved)

    @property
    def plan(self) -> Plan:
        agreed = {job: start for job, start in self.agreed.items() if job not in self.unserved}
        return Plan.of(self.routes, agreed)

    def set(self, day: int, route: Sequence[int]) -> None:
        """Another order for a day; what leaves it is unserved until another day has it."""
        before, after = set(self.routes[day]), set(route)
        self.unserved |= before - after
        self.unserved -= after
        self.routes[day] = list(route)
        self.costs[day] = self.cost(day, route)

    def take(self, proposal: Mapping[int, Sequence[int]]) -> bool:
        """Make these routes the plan's if that is cheaper; a route that cannot be driven is first made drivable."""
        return self.put(self.priced(proposal))

    def priced(self, proposal: Mapping[int, Sequence[int]]) -> Priced:
        """These routes with what they cost; from one that cannot be driven jobs are taken out."""
        return {
            day: (self.routes[day], self.costs[day])
            if route == self.routes[day] and self.costs[day] < INFEASIBLE
            else self._drivable(day, list(route))
            for day, route in proposal.items()
        }

    def put(self, proposed: Priced) -> bool:
        """Make priced routes the plan's if that is cheaper."""
        before = {job for day in proposed for job in self.routes[day]}
        after = {job for route, _cost in proposed.values() for job in route}
        gain = sum(self.costs[day] - cost for day, (_route, cost) in proposed.items())
        gain += self.missing(after - before) - self.missing(before - after)
        if not gain > LEAST_GAIN or not self._keeps_fixed(proposed) or not self._stores_last(proposed):
            return False
        for day, (route, cost) in proposed.items():
            self.routes[day], self.costs[day] = route, cost
        self.unserved = (self.unserved | before) - after
        return True

    def _keeps_fixed(self, proposed: Mapping[int, tuple[list[int], float]]) -> bool:
        """What is pinned or agreed stays on its day."""
        jobs = self.problem.jobs
        return all(
            job in proposed[day][0]
            for day in proposed
            for job in self.routes[day]
            if jobs[job].pinned or job in self.agreed
        )

    def _stores_last(self, proposed: Mapping[int, tuple[list[int], float]]) -> bool:
        """Stores hold what all days collect together."""
        return self.fits({day: route for day, (route, _cost) in proposed.items()})

    def fits(self, changed: Mapping[int, Sequence[int]]) -> bool:
        """Whether the stores hold what all days would collect with these routes."""
        if not self._needing:
            return True
        routes = [changed.get(day, route) for day, route in enumerate(self.routes)]
        return not any(overdrawn(self.problem, routes))

    def _drivable(self, day: int, route: list[int]) -> tuple[list[int], float]:
        """Without the jobs that make it impossible: each time the one whose loss hurts least."""
        cost = self.cost(day, route)
        while cost == INFEASIBLE and route:
            ways = []
            for at, job in enumerate(route):
                left = [*route[:at], *route[at + 1 :]]
                price = self.cost(day, left)
                ways.append((price == INFEASIBLE, self.missing([job]) + (price if price < INFEASIBLE else 0.0), at))
            at = min(ways)[2]
            route = [*route[:at], *route[at + 1 :]]
            cost = self.cost(day, route)
        return route, cost
