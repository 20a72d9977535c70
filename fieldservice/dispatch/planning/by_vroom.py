"""A piece as VROOM sees it: a whole plan in one go, or a better one from what stands.

VROOM places as much priority as it can and drives as little as it can with that. It knows windows, breaks and skills;
soft windows it does not, so jobs are on time or left out (others place those). Nor does it know what a person costs.
It holds Python's lock while it solves: call it in another process.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import vroom
from numpy.typing import NDArray
from vroom import _vroom
from vroom.input.vehicle_step import VehicleStepEnd, VehicleStepSingle, VehicleStepStart

from fieldservice.dispatch.planning.clock import standing, without_breaks
from fieldservice.dispatch.planning.piece import Piece

Orders = list[list[int]]
MOST_PRIORITY = 100
SIDE_BY_SIDE = 600  # jobs, up to which all searches run at the same time
STAT, CORE = Path("/proc/thread-self/stat"), 36  # of the fields after the name: where the thread last ran
NO_LOAD = vroom.Amount([])


def construct(piece: Piece, level: int) -> Orders:
    """A plan from nothing; `level` 0…5 is how hard it tries. The same piece, the same answer."""
    return _solved(_alike(piece), level, None)


def improve(piece: Piece, level: int, ruin: float = 0.0, seed: int = 0) -> Orders:
    """A plan from what stands on the piece's days, on the clock without breaks: many times quicker than from nothing.

    A part of what stands (`ruin`, 0…1) is taken out first, at random, so that VROOM may put it elsewhere.
    """
    clocked = without_breaks(_alike(piece))
    stands = standing(clocked)
    if ruin:
        dice = np.random.default_rng(seed)
        stands = [[job for job in route if clocked.fixed[job] or dice.random() >= ruin] for route in stands]
    try:
        return _solved(clocked, level, stands)
    except _vroom.VroomInputException:  # some travel tables make it refuse what can be driven: then from nothing
        return _solved(clocked, level, None)


def _alike(piece: Piece) -> Piece:
    """Collecting parts takes as long for everybody as for whom it takes longest: VROOM has one length for a job."""
    if not piece.extra.any():
        return piece
    longest = (piece.extra * piece.eligible).max(axis=1, initial=0)
    seconds = tuple(length + int(more) for length, more in zip(piece.job_seconds, longest))
    return replace(piece, job_seconds=seconds, extra=np.zeros_like(piece.extra))


def _solved(piece: Piece, level: int, stands: Orders | None) -> Orders:
    orders: Orders = [[] for _shift in piece.shifts]
    if not any(map(piece.windows, range(len(piece.jobs)))):
        return orders  # VROOM refuses a problem without work
    problem = vroom.Input()
    _add_travel(problem, piece)
    classes = _classes(piece)
    _add_days(problem, piece, classes, stands)
    _add_jobs(problem, piece, classes)
    with _on_one_core():
        found = problem.solve(level, _threads(piece, level))
    rows: NDArray[Any] = np.asarray(found._routes_numpy())  # the public `routes` builds a table of pandas each time
    for row in rows[rows["type"] == b"job"]:
        orders[int(row["vehicle_id"])].append(int(row["id"]))
    return orders


def _threads(piece: Piece, level: int) -> int:
    """As many as VROOM has searches of that level (its `utils/helpers`). With fewer, searches wait for each other by a
    semaphore of libstdc++ that may miss being woken and then sleeps for ever (GCC bug 104928; seen once in some sixty
    thousand small problems). In large problems three searches wait once, and side by side would take twice the memory.
    """
    return 4 * (level + 1) + 4 * (level >= 4) + 4 * (level >= 5) if len(piece.jobs) <= SIDE_BY_SIDE else 1


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Threads begun here stay on the core that this one is on: the others belong to those who serve people. Where the
    system does not tell, they go anywhere."""
    if not STAT.exists():
        yield
        return
    may = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(STAT.read_text(encoding="ascii").rpartition(")")[2].split()[CORE])})
    try:
        yield
    finally:
        os.sched_setaffinity(0, may)


def _add_travel(problem: vroom.Input, piece: Piece) -> None:
    """Each day ends at a place of its own, so that the way home may cost without taking time of the shift."""
    many = len(piece.legs)
    seconds = np.zeros((many + len(piece.shifts),) * 2, dtype=np.uint32)
    seconds[:many, :many] = piece.legs
    ways_home = [(column, shift) for column, shift in enumerate(piece.shifts) if shift.end_place >= 0]
    if any(shift.home_after for shift in piece.shifts):
        costs = seconds.copy()
        for column, shift in ways_home:
            costs[:many, many + column] = piece.legs[:, shift.end_place]
        problem.set_costs_matrix("car", costs)
    for column, shift in ways_home:
        if not shift.home_after:
            seconds[:many, many + column] = piece.legs[:, shift.end_place]
    problem.set_durations_matrix("car", seconds)


def _classes(piece: Piece) -> list[int]:
    """Jobs that the same people can do share a class; a class is a 'skill' of those people."""
    known: dict[bytes, int] = {}
    return [known.setdefault(row.tobytes(), len(known)) for row in piece.eligible]


def _add_days(problem: vroom.Input, piece: Piece, classes: Sequence[int], stands: Orders | None) -> None:
    example = dict(zip(classes, piece.eligible))
    for column, shift in enumerate(piece.shifts):
        route = stands[column] if stands else []
        problem.add_vehicle(
            vroom.Vehicle(
                column,
                start=shift.start_place,
                end=len(piece.legs) + column if shift.end_place >= 0 else None,
                skills={one for one, row in example.items() if row[column]},
                time_window=vroom.TimeWindow(shift.start, max(shift.start + 1, shift.latest)),
                breaks=[
                    vroom.Break(at, [vroom.TimeWindow(one.earliest, one.latest)], one.seconds)
                    for at, one in enumerate(shift.breaks)
                ],
                speed_factor=1.0 / shift.pace,
                steps=[VehicleStepStart(), *map(VehicleStepSingle, route), VehicleStepEnd()] if route else [],
            )
        )


def _add_jobs(problem: vroom.Input, piece: Piece, classes: Sequence[int]) -> None:
    """By the classes below pyvroom's own, whose checks take longer than the solving of a small problem."""
    priorities = np.rint(MOST_PRIORITY * piece.prizes / piece.prizes.max(initial=1.0)).clip(1).astype(int).tolist()
    for job in range(len(piece.jobs)):
        windows = piece.windows(job)
        if not windows:
            continue  # there is no moment at which it could begin
        problem._add_job(
            _vroom.Job(
                id=job,
                location=_vroom.Location(index=piece.job_places[job]),
                default_service=piece.job_seconds[job],
                delivery=NO_LOAD,
                pickup=NO_LOAD,
                skills={classes[job]},
                priority=MOST_PRIORITY if piece.fixed[job] else priorities[job],
                tws=[_vroom.TimeWindow(start=max(0, one.start), end=max(0, one.end)) for one in windows],
            )
        )
