"""Every gap of a board as flat arrays: where technicians come from and go to, and how early and late. Kept up to date
day by day, because a board is live; `ranking.py` asks it.

A gap lies before, between or after the jobs of a technician-day. Each day has the same number of slots for gaps; those
that are not in use can never be reached in time.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.checker import Checked
from fieldservice.dispatch.planning.model import Problem
from fieldservice.dispatch.planning.objectives import OVERTIME
from fieldservice.dispatch.planning.pricing import Fault, Timed, price_route
from fieldservice.dispatch.planning.slack import NEVER, slack

SPARE = 2  # slots more than the fullest day needs, so that single insertions find room
Whole = NDArray[np.int64]


class Gaps:
    """Mutable: the gaps of all technician-days of a problem. A day that cannot be driven as it stands has none.

    Public arrays have a row for each day and a column for each slot (`free` and `reach` one such table for each number
    of breaks had). `points` is a column wider: a gap leads from a point to the next one. Moments and lengths are
    seconds; lengths are in the technician's own pace, those of drives at an ordinary hour.
    """

    def __init__(self, problem: Problem, checked: Checked) -> None:
        self.problem = problem
        self.agreed: dict[int, int] = dict(checked.plan.agreed)
        self.routes: list[tuple[int, ...]] = list(checked.plan.routes)
        self._slots = max(map(len, self.routes), default=0) + 1 + SPARE
        self._make_room()
        for day, timed in enumerate(checked.routes):
            self._fill(day, timed)

    def renew(
        self, day: int, route: Sequence[int], *, agreed: Mapping[int, int] | None = None, problem: Problem | None = None
    ) -> None:
        """Another order of jobs on a day, in place: costs one route's pricing, whatever the size of the board.

        `problem` replaces the one so far where jobs were added at its end or this day has changed; its other days
        must be the same. `agreed` replaces the agreed moments. Raises ValueError for another number of days.
        """
        if problem is not None:
            if len(problem.days) != len(self.routes):
                raise ValueError("a board keeps its technician-days")
            self.problem = problem
        if agreed is not None:
            self.agreed = dict(agreed)
        self.routes[day] = tuple(route)
        if len(route) >= self._slots or len(self.problem.days[day].breaks) >= len(self.free):
            self._slots = max(self._slots, len(route) + 1 + SPARE)
            self._make_room()
            for each in range(len(self.routes)):
                self._fill(each, self._timed(each))
        else:
            self._fill(day, self._timed(day))

    def _timed(self, day: int) -> Timed | None:
        route = self.routes[day]
        found = price_route(self.problem, day, route, self.agreed) if route else None
        return None if isinstance(found, Fault) else found

    def _make_room(self) -> None:
        many, slots = len(self.problem.days), self._slots
        breaks = max((len(day.breaks) for day in self.problem.days), default=0)
        self.points: NDArray[np.intp] = np.zeros((many, slots + 1), dtype=np.intp)
        self.ways: Whole = np.zeros((many, slots), dtype=np.int64)  # travelled at present
        self.driven: Whole = np.zeros(many, dtype=np.int64)  # on all of them, as long as they really take
        self.free: Whole = np.full((breaks + 1, many, slots), NEVER, dtype=np.int64)
        self.reach: Whole = np.full((breaks + 1, many, slots), -NEVER, dtype=np.int64)
        self.soonest: Whole = np.full((many, slots), NEVER, dtype=np.int64)  # free, with however many breaks
        self.latest: Whole = np.full((many, slots), -NEVER, dtype=np.int64)
        self.leads: Whole = np.ones((many, slots), dtype=np.int64)  # 0: to nowhere
        self.takes: Whole = np.ones((many, slots), dtype=np.int64)  # 0: the way out is no time of the shift
        # Of breaks: no break is one that can never begin.
        self.pauses: Whole = np.zeros((breaks, 3, many, 1), dtype=np.int64)  # earliest, latest, seconds
        self.cost = np.zeros(many)
        self.busy = np.zeros(many)  # work and travel
        self.late = np.zeros(many)  # what broken promises cost
        self.soft = np.zeros(many)  # that and overtime
        # Where a break may trade them for each other at unequal weights, or be moved out of a quicker hour.
        self.trades = np.zeros(many, dtype=bool)
        self.ahead: Whole = np.zeros(many, dtype=np.int64)  # to the store, where parts are collected first; no pace
        self.pace, self.alike = np.ones(many), True  # everybody's is 1
        self.dearer = np.zeros(many)
        self.station = np.zeros(many, dtype=np.int64)
        self.technician = np.zeros(many, dtype=np.int64)
        self.collects = np.zeros(many, dtype=bool)
        self.used: dict[str, NDArray[np.float64]] = {}
        self.van: dict[str, NDArray[np.float64]] = {}

    def _fill(self, index: int, timed: Timed | None) -> None:
        """The row of a day, from its route and how that is timed."""
        day, route = self.problem.days[index], self.routes[index]
        self.pace[index], self.dearer[index] = day.pace, day.dearer
        self.station[index], self.technician[index] = day.station, day.technician
        self.pauses[:, :, index, 0] = (NEVER, -NEVER, 0)
        for at, one in enumerate(day.breaks):
            self.pauses[at, :, index, 0] = one
        self.alike = bool((self.pace == 1.0).all())
        self._fill_parts(index)
        self._fill_money(index, timed)
        self.free[:, index], self.reach[:, index] = NEVER, -NEVER
        if timed is not None or not route:
            self._fill_times(index, timed)
        self.soonest[index] = self.free[:, index].min(axis=0)
        self.latest[index] = self.reach[:, index].max(axis=0)

    def _fill_times(self, index: int, timed: Timed | None) -> None:
        problem, day, route = self.problem, self.problem.days[index], self.routes[index]
        collects = timed is not None and timed.collects
        store = day.store_place if collects and day.store_place is not None else None
        ends = day.start_place if day.end_place is None else day.end_place
        points = [day.start_place if store is None else store, *(problem.jobs[job].place for job in route), ends]
        legs = (0,) if timed is None else timed.ordinary  # nobody goes anywhere on an empty day
        tables = slack(problem, day, route, legs, 0 if store is None else day.collect, self.agreed)
        free, many = np.array(tables.free).T, len(route) + 1
        self.ahead[index] = 0 if store is None else problem.travel.along([day.start_place, store])[0]
        self.points[index] = ends
        self.points[index, : many + 1] = points
        self.ways[index] = 0
        self.ways[index, :many] = legs
        self.driven[index] = 0 if timed is None else sum(timed.legs)
        self.free[: len(free), index, :many] = free
        self.reach[: len(free), index, :many] = np.array(tables.reach).T
        self.leads[index] = self.takes[index] = 1
        self.leads[index, many - 1] = day.end_place is not None
        self.takes[index, many - 1] = day.end_place is not None and not day.home_after

    def _fill_money(self, index: int, timed: Timed | None) -> None:
        problem, day, route = self.problem, self.problem.days[index], self.routes[index]
        self.cost[index] = 0.0 if timed is None else timed.amounts.total
        work = sum(problem.jobs[job].seconds for job in route)
        self.busy[index] = 0.0 if timed is None else work + sum(timed.ordinary)
        self.collects[index] = timed is not None and timed.collects
        weights = problem.goals.weights
        over = 0.0 if timed is None else OVERTIME * timed.overtime * weights.station_cost
        self.late[index] = 0.0 if timed is None else timed.amounts.promises
        self.soft[index] = over + self.late[index]
        trades = day.overtime > 0 and weights.promises != weights.station_cost
        self.trades[index] = bool(day.breaks) and (trades or problem.hours is not None)

    def _fill_parts(self, index: int) -> None:
        """What the day's van holds, and what its jobs use, of each part that anybody needs."""
        day, wanted = self.problem.days[index], dict.fromkeys(self.used, 0.0)
        for job in self.routes[index]:
            for part, quantity in self.problem.jobs[job].wants(day.technician):
                wanted[part] = wanted.get(part, 0.0) + quantity
        for part in {**wanted, **day.van}:
            if part not in self.used:
                self.used[part] = np.zeros(len(self.routes))
                self.van[part] = np.zeros(len(self.routes))
            self.used[part][index] = wanted.get(part, 0.0)
            self.van[part][index] = day.van.get(part, 0.0)
