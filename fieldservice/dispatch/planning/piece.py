"""A piece of a problem as plain arrays: what a solver in another process is given, and all it needs.

A piece is some technician-days with the jobs that may be on them. Jobs and days are numbered within the piece;
`jobs` and `days` say which ones of the problem they are. Fixed moments and lateness are put into windows here.

Solvers know one time for each way. Where the hour counts they are given the mean over the shifts of the piece: what
they propose may not be drivable in the rush hours, and the checker has the last word.
"""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.model import Break, Day, Problem, Seconds, Table, Window, joined
from fieldservice.dispatch.planning.objectives import BORROWED, OVERTIME, UNEVEN, UNSERVED, lateness
from fieldservice.dispatch.planning.pricing import NOTHING, must_collect, pair_amounts, windows_of

AFTER_DUE = (0, 3_600, 10_800, 21_600)  # lateness is a staircase for solvers: where its steps begin, after the promise


class Step(NamedTuple):
    """Some moments at which a job may begin, and what lateness costs there."""

    windows: tuple[Window, ...]
    cost: float = 0.0


class Shift(NamedTuple):
    """A technician-day as solvers need it."""

    start: int
    end: int
    latest: int
    start_place: int
    end_place: int  # -1: none
    home_after: bool
    breaks: tuple[Break, ...]
    pace: float


@dataclass(frozen=True, eq=False)
class Piece:
    """Plain values; costs are weighted seconds of travel."""

    jobs: tuple[int, ...]
    days: tuple[int, ...]
    legs: Seconds  # between the places of the piece, at the mean of its hours
    job_places: tuple[int, ...]
    job_seconds: tuple[int, ...]
    steps: tuple[tuple[Step, ...], ...]  # by job, the cheapest first
    prizes: NDArray[np.float64]  # what leaving a job out costs
    fixed: Table  # by job: it may stand only where it stands, and must
    eligible: Table
    pairs: NDArray[np.float64]  # what it costs that a job is on a day
    extra: NDArray[np.int32]  # additional seconds that a job takes on a day (collecting parts)
    shifts: tuple[Shift, ...]
    routes: tuple[tuple[int, ...], ...]  # what stands at present
    travel_weight: float
    overtime_cost: float  # a second after the shift's end
    uneven_cost: float  # a second beyond the fair share
    fair_share: int

    def windows(self, job: int) -> tuple[Window, ...]:
        """All moments at which a job may begin, for solvers that do not know what lateness costs."""
        steps = self.steps[job]
        return steps[0].windows if len(steps) == 1 else joined(window for step in steps for window in step.windows)

    @property
    def cares_who(self) -> bool:
        """Whether the goals tell one technician from another."""
        overtime = self.overtime_cost > 0 and any(shift.latest > shift.end for shift in self.shifts)
        return bool(self.pairs.any()) or self.uneven_cost > 0 or overtime


def cut(
    problem: Problem,
    days: Sequence[int],
    others: Sequence[int],
    routes: Mapping[int, Sequence[int]],
    agreed: Mapping[int, int] = NOTHING,
    also_late: Collection[int] = (),
) -> Piece:
    """The piece of these days with what stands on them, and of other jobs that may come in.

    What is pinned or agreed may stand only where it stands (a crew's job is a row on each of its days). Jobs of
    `also_late` may begin after their promise.
    """
    stands = [(job, column) for column, day in enumerate(days) for job in routes.get(day, ())]
    jobs = [job for job, _column in stands] + list(others)
    mine = [problem.jobs[index] for index in jobs]
    places: dict[int, int] = {}

    def local(place: int) -> int:
        return places.setdefault(place, len(places))

    job_places = tuple(local(job.place) for job in mine)
    shifts = tuple(_shift(problem.days[index], local) for index in days)
    weights = problem.goals.weights
    eligible = problem.eligible[np.ix_(np.asarray(jobs, dtype=np.intp), np.asarray(days, dtype=np.intp))].copy()
    fixed = np.array([job.pinned or index in agreed for index, job in zip(jobs, mine)], dtype=bool)
    mean = _mean(problem, days)
    extra = _extra(problem, days, jobs, eligible, mean)
    fixed[len(stands) :] = False
    for at in np.flatnonzero(fixed):
        eligible[at] = np.arange(len(days)) == stands[at][1]
    order = iter(range(len(stands)))
    return Piece(
        jobs=tuple(jobs),
        days=tuple(days),
        legs=_legs(problem, list(places), mean),
        job_places=job_places,
        job_seconds=tuple(job.seconds for job in mine),
        steps=tuple(_steps(problem, index, agreed, index in also_late) for index in jobs),
        prizes=np.array([UNSERVED * job.weight * weights.promises for job in mine]),
        fixed=fixed,
        eligible=eligible,
        pairs=_pairs(problem, days, jobs),
        extra=extra,
        shifts=shifts,
        routes=tuple(tuple(next(order) for _job in routes.get(day, ())) for day in days),
        travel_weight=weights.travel / mean,  # goals count ordinary seconds
        overtime_cost=OVERTIME * weights.station_cost,
        uneven_cost=UNEVEN * weights.balance,
        fair_share=problem.goals.fair_share,
    )


def _legs(problem: Problem, places: list[int], mean: float) -> Seconds:
    legs = problem.travel.block(places, places)
    return legs if mean == 1.0 else np.ceil(legs * mean).astype(np.int32)


def _mean(problem: Problem, days: Sequence[int]) -> float:
    """How many times longer than usual driving takes on these days."""
    hours, mine = problem.hours, [problem.days[index] for index in days]
    clock = sum(day.end - day.start for day in mine)
    if hours is None or not clock:
        return 1.0
    return clock / sum(hours.by(day.end) - hours.by(day.start) for day in mine)


def _shift(day: Day, local: Callable[[int], int]) -> Shift:
    end_place = -1 if day.end_place is None else local(day.end_place)
    return Shift(
        day.start, day.end, day.latest, local(day.start_place), end_place, day.home_after, day.breaks, day.pace
    )


def _pairs(problem: Problem, days: Sequence[int], jobs: Sequence[int]) -> NDArray[np.float64]:
    """`pair_amounts` of each job on each day; only jobs that care about the person are asked about one by one."""
    weights, mine = problem.goals.weights, [problem.jobs[index] for index in jobs]
    stations = np.array([problem.days[day].station for day in days])
    foreign = np.array([job.station for job in mine], dtype=stations.dtype)[:, None] != stations
    dearer = np.array([problem.days[day].dearer for day in days])
    seconds = np.array([job.seconds for job in mine], dtype=np.float64)
    costs: NDArray[np.float64] = (np.where(foreign, BORROWED, 0.0) + seconds[:, None] * dearer) * weights.station_cost
    for at, index in enumerate(jobs):
        if mine[at].held or mine[at].prefers:
            costs[at] = [pair_amounts(problem, index, day).total for day in days]
    return costs


def _extra(
    problem: Problem, days: Sequence[int], jobs: Sequence[int], eligible: Table, mean: float
) -> NDArray[np.int32]:
    """Seconds for collecting what the van lacks, reckoned as a detour from the start: rather too much."""
    extra = np.zeros((len(jobs), len(days)), dtype=np.int32)
    needing = [at for at, index in enumerate(jobs) if problem.jobs[index].needs]
    for column, index in enumerate(days if needing else ()):
        day = problem.days[index]
        for at in needing:
            collects = must_collect(problem, day, [jobs[at]])
            if collects is None:
                eligible[at, column] = False
            elif collects and day.store_place is not None:
                there, back = problem.travel.along([day.start_place, day.store_place, day.start_place])
                extra[at, column] = day.collect + ceil((there + back) * day.pace * mean)
    return extra


def _steps(problem: Problem, index: int, agreed: Mapping[int, int], late: bool) -> tuple[Step, ...]:
    """The job's moments before its promise, and (if it may be late) those after it by steps of rising cost."""
    job, windows = problem.jobs[index], windows_of(problem, index, agreed)
    due = _due(job.due, job.restore_due, job.seconds)
    if due is None or job.pinned or index in agreed:
        return (Step(windows),)
    edges = [-(2**31), *(due + after for after in AFTER_DUE), 2**31 - 1]
    found: list[Step] = []
    for at, (begin, end) in enumerate(itertools.pairwise(edges)):
        inside = tuple(
            Window(max(one.start, begin + 1), min(one.end, end))
            for one in windows
            if one.start <= end and one.end > begin
        )
        if inside and (at == 0 or late or not found):
            beyond = max(0, (inside[0].start + min(inside[-1].end, inside[0].start + 7_200)) // 2 - due) if at else 0
            found.append(Step(inside, lateness(beyond) * job.weight * problem.goals.weights.promises))
            if at and not late:
                break
    return tuple(found) or (Step(windows),)


def _due(due: int | None, restore_due: int | None, seconds: int) -> int | None:
    limits = [one for one in (due, None if restore_due is None else restore_due - seconds) if one is not None]
    return min(limits) if limits else None
