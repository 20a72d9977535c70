"""The best choice among all routes that were found on the way, one for each technician-day: set packing by HiGHS.

Neighbourhoods that do not pay as a whole often hold routes that pay together with those of another. So every route
that was ever proposed is kept with its exact price for a while, and from time to time the best combination is looked
for: first as a linear programme, which says how far each route is from being worth it, then in whole numbers among the
nearest ones.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from highspy import HighsLp, HighsSolution, HighsVarType, MatrixFormat
from highspy._core import _Highs  # the public class prints a banner and sets up callbacks that nobody asks for
from numpy.typing import NDArray

from fieldservice.dispatch.planning.state import LEAST_GAIN, State

KEPT = 20  # routes of a day, those nearest to being worth it
NEAREST = 400  # routes that are chosen among in whole numbers
BRANCHES = 20  # of that choice; most need one
WHOLE = 1e-6  # what a share may differ from none or all by
HELD = 1_000_000.0  # what it costs to choose no route for a day that holds fixed jobs
Floats = NDArray[np.float64]


class _Columns(NamedTuple):
    """Routes to choose among, as parallel lists."""

    days: list[int]
    routes: list[tuple[int, ...]]
    rows: list[list[int]]  # of each one: its jobs that may stand elsewhere, and the day (as -1 - day)
    costs: Floats  # what each one costs more than leaving those jobs out
    stands: NDArray[np.bool_]  # whether it is the plan's at present


class Found:
    """Mutable: routes of technician-days with their exact prices. Plain values, so it can go to another process."""

    def __init__(self) -> None:
        self._routes: dict[int, dict[tuple[int, ...], float]] = {}
        self._touched: set[int] = set()  # since the last choice

    def add(self, priced: Mapping[int, tuple[Sequence[int], float]]) -> None:
        """Remember these routes: by day, with what each costs."""
        for day, (route, cost) in priced.items():
            if route:
                self._routes.setdefault(day, {})[tuple(route)] = cost
                self._touched.add(day)

    def best(self, state: State) -> dict[int, list[int]]:
        """Cheaper routes for some days, chosen together; empty where what stands is the best choice."""
        columns = self._columns(state)
        if columns is None:
            return {}
        standing = float(columns.costs[columns.stands].sum())
        bound, short, shares = _relaxed(columns)
        self._forget(columns, short)
        if not bound < standing - LEAST_GAIN:
            return {}
        if np.abs(shares - np.rint(shares)).max() < WHOLE:  # every other time: nothing is left to choose
            at = np.flatnonzero(shares > 0.5)
        else:
            at = _among_nearest(columns, short, standing - bound)
        found: dict[int, list[int]] = {day: [] for day in sorted(self._touched)}
        for one in at:
            found[columns.days[one]] = list(columns.routes[one])
        self._touched.clear()
        return found

    def _columns(self, state: State) -> _Columns | None:
        """The routes of days that were touched: those that can be chosen without touching another day."""
        days = sorted(self._touched)
        mine = {job for day in days for job in state.routes[day]} | state.unserved
        left_out = {job: state.missing([job]) for job in mine}
        fixed = {job for job in mine if state.problem.jobs[job].pinned or job in state.agreed}
        found = _Columns([], [], [], np.zeros(0), np.zeros(0, dtype=bool))
        costs: list[float] = []
        stands: list[bool] = []
        for day in days:
            now, bound = tuple(state.routes[day]), fixed.intersection(state.routes[day])
            known = self._routes[day]
            if now:
                known.setdefault(now, state.costs[day])
            for route, cost in known.items():
                if mine.issuperset(route) and fixed.intersection(route) == bound:
                    free = [job for job in route if job not in bound]
                    found.days.append(day)
                    found.routes.append(route)
                    found.rows.append([*free, -1 - day])
                    costs.append(cost - sum(left_out[job] for job in free) - HELD * bool(bound))
                    stands.append(route == now)
        return found._replace(costs=np.array(costs), stands=np.array(stands)) if costs else None

    def _forget(self, columns: _Columns, short: Floats) -> None:
        """Keep the routes nearest to being worth it."""
        kept: dict[int, dict[tuple[int, ...], float]] = {day: {} for day in set(columns.days)}
        for at in np.argsort(short, kind="stable").tolist():
            day, route = columns.days[at], columns.routes[at]
            if len(kept[day]) < KEPT:
                kept[day][route] = self._routes[day][route]
        self._routes.update(kept)


def _some(columns: _Columns, at: NDArray[np.intp]) -> _Columns:
    return _Columns(
        [columns.days[one] for one in at],
        [columns.routes[one] for one in at],
        [columns.rows[one] for one in at],
        columns.costs[at],
        columns.stands[at],
    )


def _relaxed(columns: _Columns) -> tuple[float, Floats, Floats]:
    """(the least that any choice can cost, by how much each route is too dear for it, how much of each is chosen)"""
    solver = _solver(_programme(columns))
    solver.run()
    solution = solver.getSolution()
    return float(solver.getInfo().objective_function_value), np.array(solution.col_dual), np.array(solution.col_value)


def _among_nearest(columns: _Columns, short: Floats, gain: float) -> NDArray[np.intp]:
    """The routes of the cheapest plan in whole numbers; `gain` is the most that can be won."""
    near = np.argsort(short, kind="stable")[:NEAREST]
    chosen = columns.stands.copy()
    chosen[near] |= short[near] < gain  # others cannot be part of anything better
    at = np.flatnonzero(chosen)
    return at[_whole(_some(columns, at))]


def _whole(columns: _Columns) -> NDArray[np.intp]:
    """Which of the routes make the cheapest plan; at worst those that stand."""
    programme = _programme(columns)
    programme.integrality_ = [HighsVarType.kInteger] * len(columns.days)
    solver = _solver(programme)
    solver.setOptionValue("mip_max_nodes", BRANCHES)  # never a time: the same routes, the same choice
    begin = HighsSolution()
    begin.col_value = columns.stands.astype(float).tolist()
    solver.setSolution(begin)
    solver.run()
    return np.flatnonzero(np.array(solver.getSolution().col_value) > 0.5)


def _solver(programme: HighsLp) -> _Highs:
    solver = _Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(programme)
    return solver


def _programme(columns: _Columns) -> HighsLp:
    """A row for each job and each day: at most one of the routes that hold it."""
    known, rows = np.unique(np.concatenate(columns.rows), return_inverse=True)
    many = len(columns.rows)
    programme = HighsLp()
    programme.num_col_, programme.num_row_ = many, len(known)
    programme.col_cost_ = columns.costs
    programme.col_lower_, programme.col_upper_ = np.zeros(many), np.ones(many)
    programme.row_lower_, programme.row_upper_ = np.full(len(known), -np.inf), np.ones(len(known))
    programme.a_matrix_.format_ = MatrixFormat.kColwise
    programme.a_matrix_.start_ = np.cumsum([0, *map(len, columns.rows)])
    programme.a_matrix_.index_ = rows
    programme.a_matrix_.value_ = np.ones(len(rows))
    return programme
