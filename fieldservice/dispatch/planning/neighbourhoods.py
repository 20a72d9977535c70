"""Which technician-days to plan anew together: a few that could swap work, and what is left out near them."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.state import State

LEAST_DAYS, MOST_DAYS = 8, 12  # in a neighbourhood
UNSERVED = 12  # jobs left out that may come in
ABOUT_LEFT_OUT = 0.6  # of the neighbourhoods are built around a job that is left out, the others around a day


class Neighbourhoods:
    """Picks neighbourhoods, different ones each time, disjoint from those that are at work."""

    def __init__(self, state: State, seed: int, at_once: int = 1) -> None:
        problem = state.problem
        self.days = min(MOST_DAYS, max(LEAST_DAYS, len(problem.days) // at_once))
        self._state = state
        self._dice = np.random.default_rng(seed)
        self._weights = np.array([job.weight for job in problem.jobs])
        self._times = np.zeros(len(problem.days))  # how often each day was chosen

    def next(self, busy: Collection[int] = (), taken: Collection[int] = ()) -> tuple[list[int], list[int]] | None:
        """(days, jobs left out) of the next one, or None while too many days are at work; `taken` jobs stay out."""
        state = self._state
        free = np.ones(len(state.problem.days), dtype=bool)
        free[list(busy)] = False
        if free.sum() < 2:
            return None
        if state.unserved and self._dice.random() < ABOUT_LEFT_OUT:
            found = self._around_left_out(free)
        else:
            found = self._around_day(free)
        days = sorted(found)
        self._times[days] += 1
        return days, self._left_out_near(days, taken)

    def _around_day(self, free: NDArray[np.bool_]) -> list[int]:
        """A day that was seldom chosen, with the nearest others."""
        times = np.where(free, self._times + self._dice.random(len(free)), np.inf)
        first = int(np.argmin(times))
        return self._nearest(self._place(first), free, first, self.days)

    def _around_left_out(self, free: NDArray[np.bool_]) -> list[int]:
        """The nearest days that could do a job that is left out, with the nearest others."""
        state = self._state
        left = np.array(sorted(state.unserved))
        weights = self._weights[left]
        job = int(self._dice.choice(left, p=weights / weights.sum()))
        able = free & state.problem.eligible[job]
        if not able.any():
            return self._around_day(free)
        place = state.problem.jobs[job].place
        chosen = self._nearest(place, able, None, self.days // 2)
        rest = free.copy()
        rest[chosen] = False
        return chosen + self._nearest(place, rest, None, self.days - len(chosen))

    def _place(self, day: int) -> int:
        """Somewhere on the day's way: one of its jobs, else its start."""
        route = self._state.routes[day]
        if route:
            return self._state.problem.jobs[int(self._dice.choice(route))].place
        return self._state.problem.days[day].start_place

    def _nearest(self, place: int, free: NDArray[np.bool_], first: int | None, many: int) -> list[int]:
        """Days by how near their way comes to a place, with some luck in it."""
        able = [int(day) for day in np.flatnonzero(free) if day != first]
        chosen = [] if first is None else [first]
        if able:
            away = self._away(place, able) * self._dice.uniform(0.7, 1.3, len(able))
            chosen += [able[at] for at in np.argsort(away, kind="stable")[: many - len(chosen)]]
        return chosen

    def _away(self, place: int, days: list[int]) -> NDArray[np.float64]:
        """Seconds from a place to the nearest point of each day's way."""
        state = self._state
        points: list[int] = []
        edges = [0]
        for day in days:
            points += [state.problem.jobs[job].place for job in state.routes[day]]
            points.append(state.problem.days[day].start_place)
            edges.append(len(points))
        legs = state.problem.travel.block([place], points)[0]
        return np.minimum.reduceat(legs, edges[:-1]).astype(np.float64)

    def _left_out_near(self, days: list[int], taken: Collection[int]) -> list[int]:
        """Jobs left out that somebody of these days could do, the nearest and weightiest first."""
        state = self._state
        left = np.array(sorted(state.unserved.difference(taken)), dtype=np.intp)
        if not len(left):
            return []
        left = left[state.problem.eligible[left][:, days].any(axis=1)]
        if not len(left):
            return []
        points = [state.problem.days[day].start_place for day in days]
        points += [state.problem.jobs[job].place for day in days for job in state.routes[day]]
        legs = state.problem.travel.block([state.problem.jobs[int(job)].place for job in left], points).min(axis=1)
        worth = legs / self._weights[left] * self._dice.uniform(0.7, 1.3, len(left))
        return [int(job) for job in left[np.argsort(worth, kind="stable")[:UNSERVED]]]
