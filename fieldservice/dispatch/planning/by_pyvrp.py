"""A piece as PyVRP sees it: iterated local search from what stands at present.

PyVRP knows no breaks, no soft windows and no skills. The usual time of breaks is left out of the clock; lateness
becomes a choice among copies of a job; eligibility and costs of a person become distances of a profile of their own
(DESIGN §6). What comes back is only an order of jobs: the checker times it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyvrp import (
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    Solution,
    SolveParams,
    VehicleType,
    solve,
)
from pyvrp.search import NeighbourhoodParams
from pyvrp.stop import StoppingCriterion

from fieldservice.dispatch.planning.clock import without_breaks
from fieldservice.dispatch.planning.piece import Piece

SCALE = 10  # costs are whole numbers in PyVRP
NEVER = 5_000_000 * SCALE  # a way that nobody takes
NEIGHBOURS = 40
Orders = list[list[int]]


class _Copy(NamedTuple):
    """A client of PyVRP: a job within one window."""

    job: int
    start: int
    end: int
    cost: float


def improve(piece: Piece, stop: StoppingCriterion, seed: int) -> Orders:
    """Better orders for the days of the piece, or those that stand. With a number of iterations as the stop, the same
    arguments give the same answer."""
    piece = without_breaks(piece)
    copies = _copies(piece)
    data = _data(piece, copies)
    stands = _standing(piece, copies, data) if any(piece.routes) else None
    params = SolveParams(neighbourhood=NeighbourhoodParams(num_neighbours=NEIGHBOURS))
    found = solve(data, stop, seed=seed, collect_stats=False, params=params, initial_solution=stands).best
    if not found.is_feasible():
        return [list(route) for route in piece.routes]
    orders: Orders = [[] for _shift in piece.shifts]
    for route in found.routes():
        orders[route.vehicle_type()] = [copies[one.idx].job for one in route if one.is_client()]
    return orders


def _copies(piece: Piece) -> list[_Copy]:
    return [
        _Copy(job, window.start, window.end, step.cost)
        for job, steps in enumerate(piece.steps)
        for step in steps
        for window in step.windows
    ]


def _data(piece: Piece, copies: Sequence[_Copy]) -> ProblemData:
    """Locations are the start places, one for each job (so that its costs are its own), and one end for each day."""
    starts = sorted({shift.start_place for shift in piece.shifts})
    where = np.array([*starts, *piece.job_places], dtype=np.intp)
    legs = piece.legs[np.ix_(where, where)].astype(np.int64)
    groups, clients = _clients(piece, copies, len(starts))
    depots = [Depot(at) for at in range(len(starts))] + [Depot(len(where) + at) for at in range(len(piece.shifts))]
    profiles: dict[bytes, int] = {}
    distances: list[Any] = []  # PyVRP's types name arrays by their size
    durations: list[Any] = []
    vehicles: list[VehicleType] = []
    for column, shift in enumerate(piece.shifts):
        key = b"|".join((
            piece.eligible[:, column].tobytes(), piece.pairs[:, column].tobytes(), piece.extra[:, column].tobytes(),
            repr((shift.pace, shift.end_place, shift.home_after)).encode(),
        ))  # fmt: skip
        if key not in profiles:
            profiles[key] = len(distances)
            cost, time = _profile(piece, column, legs, where)
            distances.append(cost)
            durations.append(time)
        normal, dear = _normal_length(piece, shift.start, shift.end, shift.latest)
        vehicles.append(
            VehicleType(
                num_available=1,
                start_depot=starts.index(shift.start_place),
                end_depot=len(starts) + column,
                tw_early=shift.start,
                tw_late=shift.latest,
                start_late=shift.start,
                shift_duration=normal,
                max_overtime=max(0, shift.latest - shift.start - normal),
                unit_overtime_cost=dear,
                profile=profiles[key],
            )
        )
    locations = [Location(0, 0) for _place in range(len(where) + len(piece.shifts))]
    return ProblemData(locations, clients, depots, vehicles, distances, durations, groups)


def _clients(piece: Piece, copies: Sequence[_Copy], first: int) -> tuple[list[ClientGroup], list[Client]]:
    several = Counter(copy.job for copy in copies)
    group_of: dict[int, int] = {}
    groups: list[ClientGroup] = []
    clients: list[Client] = []
    for at, copy in enumerate(copies):
        group = None
        if several[copy.job] > 1:
            if copy.job not in group_of:
                group_of[copy.job] = len(groups)
                groups.append(ClientGroup([], required=False))
            group = group_of[copy.job]
            groups[group].add_client(at)
        clients.append(
            Client(
                location=first + copy.job,
                service_duration=piece.job_seconds[copy.job],
                tw_early=max(0, copy.start),
                tw_late=max(0, copy.end),
                prize=max(0, round((piece.prizes[copy.job] - copy.cost) * SCALE)),
                required=False,
                group=group,
            )
        )
    return groups, clients


def _profile(
    piece: Piece, column: int, legs: NDArray[np.int64], where: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(costs, seconds) between all locations for this technician-day; every end of a day is the end of this one."""
    shift, many, jobs = piece.shifts[column], len(where), len(piece.jobs)
    size = many + len(piece.shifts)
    time = np.zeros((size, size), dtype=np.int64)
    time[:many, :many] = legs if shift.pace == 1.0 else np.ceil(legs * shift.pace)
    if shift.end_place >= 0:
        time[:many, many:] = np.ceil(piece.legs[where, shift.end_place] * shift.pace)[:, None]
    cost = np.rint(time * (piece.travel_weight * SCALE)).astype(np.int64)
    if shift.home_after:
        time[:, many:] = 0
    into = slice(many - jobs, many)
    cost[:, into] += np.rint(piece.pairs[:, column] * SCALE).astype(np.int64)
    cost[:, into] += np.where(piece.eligible[:, column], 0, NEVER)
    time[:, into] += piece.extra[:, column]
    np.fill_diagonal(time, 0)
    np.fill_diagonal(cost, 0)
    return cost, time


def _normal_length(piece: Piece, begin: int, end: int, latest: int) -> tuple[int, int]:
    """Up to which length a day costs nothing, and what a second beyond costs. One price per day: the dearer goal's."""
    if piece.uneven_cost > 0:
        return min(piece.fair_share, latest - begin), round(piece.uneven_cost * SCALE)
    return max(0, end - begin), round(piece.overtime_cost * SCALE)


def _standing(piece: Piece, copies: Sequence[_Copy], data: ProblemData) -> Solution:
    first: dict[int, int] = {}
    for at, copy in enumerate(copies):
        first.setdefault(copy.job, at)
    routes = [Route(data, [first[job] for job in route], column) for column, route in enumerate(piece.routes) if route]
    return Solution(data, routes)
