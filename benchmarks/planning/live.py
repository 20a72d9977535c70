"""A live board: an urgent job into a full day, and everybody ranked for a job, beside the obvious way in the same run.

    python -m benchmarks.planning.figures --only live

Days are those of `instances.py`, planned by the product, with more work than they hold. Urgent: at some half hour
between 8:00 and 13:30 a P1 job of 30 to 120 minutes is reported at the place of another job, asking the same;
what has begun is pinned. The baseline is plain insertion into the cheapest gap. Ranking: jobs left out, and jobs
that stand, taken off first. The baseline prices every gap. Times are CPU time of one thread.
"""

from collections.abc import Callable
from dataclasses import replace
from time import thread_time
from typing import Any, TypeVar

import numpy as np

from benchmarks.planning.instances import SHIFT, Plane, service_day
from benchmarks.results import Measure
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.gaps import Gaps
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Job, Placement, Plan, Problem, Window
from fieldservice.dispatch.planning.pricing import Fault, price_route
from fieldservice.dispatch.planning.ranking import rank
from fieldservice.dispatch.planning.straight import Straight
from fieldservice.dispatch.planning.urgent import options

T = TypeVar("T")
HOUR = 3_600
URGENT = ((500, 60, (1, 2, 3), 60), (5_000, 600, (1,), 40))  # jobs, technicians, seeds, urgent jobs on each
RANKED = ((1_000, 1), (10_000, 1), (1_000, 10))  # technicians, days
OBVIOUS = 30  # jobs for which every gap is priced


def urgent(jobs: int, technicians: int, seeds: tuple[int, ...], many: int) -> list[Measure]:
    """Placed, changed technicians and time, over so many urgent jobs on each of the seeds' days."""
    times: list[float] = []
    plain: list[float] = []
    placed: list[bool] = []
    gap: list[bool] = []
    changed: list[int] = []
    left_out: list[int] = []
    for seed in seeds:
        problem = service_day(jobs, technicians, seed)
        found = plan(problem, effort=Effort(30), seed=seed)
        dice = np.random.default_rng(seed)
        for _at in range(many):
            now, stands, job = _reported(problem, found, dice)
            if not now.eligible[job].any():
                continue  # nobody has the skill
            took, chosen = _timed(options, now, stands, job)
            times.append(took)
            took, offers = _timed(_obvious, now, stands.plan, job)
            plain.append(took)
            gap.append(bool(offers))
            placed.append(bool(chosen))
            changed += [one.consequences.changed_technician for one in chosen[:1]]
            left_out += [len(one.consequences.left_out) for one in chosen[:1]]
    name, usual = f"urgent into {jobs} jobs / {technicians}", len(seeds) > 1
    share, gaps = float(np.mean(placed)) * 100, float(np.mean(gap)) * 100
    return [
        Measure(f"{name}, placed", share, "%", "higher", gaps, "gaps alone", target=99.0),
        Measure(f"{name}, change technician", float(np.mean(changed)), "jobs", "lower", target=1.0),
        Measure(f"{name}, left out for it", float(np.mean(left_out)), "jobs", "lower"),
        Measure(f"{name}, p95", _p95(times), "CPU ms", "lower", _p95(plain), "every gap priced",
                target=60.0 if usual else None),
    ]  # fmt: skip


def _reported(problem: Problem, found: Checked, dice: np.random.Generator) -> tuple[Problem, Checked, int]:
    """The problem at some moment with an urgent job more, and what stands then."""
    moment = int(dice.integers(16, 28)) * 1_800
    jobs = list(problem.jobs)
    for (job, day), start in found.starts().items():
        if start <= moment:
            jobs[job] = replace(jobs[job], held=(Placement(day, start),), pinned=True)
    like = int(dice.integers(len(jobs)))
    seconds = int(dice.integers(30, 121)) // 5 * 300
    jobs.append(
        Job(
            "urgent", jobs[like].place, seconds, (Window(moment, SHIFT.end),), 8.0, moment + 2 * HOUR,
            moment + 6 * HOUR, jobs[like].station,
        )
    )  # fmt: skip
    now = replace(problem, jobs=tuple(jobs), eligible=np.vstack([problem.eligible, problem.eligible[like]]))
    return now, check(now, found.plan), len(jobs) - 1


def ranking(technicians: int, dates: int) -> list[Measure]:
    """Time of one ranking on a full board, for jobs that hardly fit and for jobs that do."""
    problem, found = _board(technicians, dates)
    gaps = Gaps(problem, found)
    left = list(found.unserved[:300])
    hard = [_timed(rank, gaps, job)[0] for job in left]
    easy: list[float] = []
    renewals: list[float] = []
    for day in np.linspace(0, len(gaps.routes) - 1, 300).astype(int).tolist():
        route = gaps.routes[day]
        if route:
            renewals.append(_timed(gaps.renew, day, route[1:])[0])
            easy.append(_timed(rank, gaps, route[0])[0])
            gaps.renew(day, route)
    obvious = [_timed(_obvious, problem, found.plan, job)[0] for job in left[:OBVIOUS]]
    stops = np.mean([len(route) for route in gaps.routes])
    name = f"rank {technicians} technicians × {stops:.1f} stops × {dates} day{'s' if dates > 1 else ''}"
    target = {(1_000, 1): 0.5, (1_000, 10): 5.0}.get((technicians, dates))
    base = _p95(obvious)
    return [
        Measure(f"{name}, left-out jobs, p95", _p95(hard), "CPU ms", "lower", base, "every gap priced", target),
        Measure(f"{name}, standing jobs, p95", _p95(easy), "CPU ms", "lower", base, "every gap priced", target),
        Measure(f"{name}, renew a day, p95", _p95(renewals), "CPU ms", "lower"),
    ]


def _board(technicians: int, dates: int) -> tuple[Problem, Checked]:
    """A planned board by the straight line of the product; the same day again on each further date."""
    problem = service_day(technicians * 86 // 10, technicians, seed=1)
    one = plan(problem, effort=Effort(0))
    assert isinstance(problem.travel, Plane)
    north, east = 30 + problem.travel.km[:, 1] / 111.2, 110 + problem.travel.km[:, 0] / 95.3
    jobs, days, many = problem.jobs, problem.days, len(problem.jobs)
    shifts = [at * 24 * HOUR for at in range(dates)]
    problem = replace(
        problem,
        jobs=tuple(
            replace(job, starts=tuple(Window(w.start + by, w.end + by) for w in job.starts))
            for by in shifts for job in jobs
        ),
        days=tuple(
            replace(day, start=day.start + by, end=day.end + by,
                    breaks=tuple(b._replace(earliest=b.earliest + by, latest=b.latest + by) for b in day.breaks))
            for by in shifts for day in days
        ),
        eligible=np.tile(problem.eligible, (dates, dates)),
        travel=Straight(np.stack([north, east], axis=1)),
    )  # fmt: skip
    free = set(one.unserved)  # those may come on any date
    problem = replace(problem, jobs=tuple(
        replace(job, starts=tuple(sorted({Window(w.start % 86_400 + by, w.end % 86_400 + by)
                                          for w in job.starts for by in shifts})))
        if at % many in free else job
        for at, job in enumerate(problem.jobs)
    ))  # fmt: skip
    routes = [[job + at * many for job in route] for at in range(dates) for route in one.plan.routes]
    return problem, check(problem, Plan.of(routes))


def _obvious(problem: Problem, found: Plan, job: int) -> list[tuple[float, int, int]]:
    """Every gap of everybody who may, priced: the naive way."""
    offers = []
    for day in np.flatnonzero(problem.eligible[job]).tolist():
        route = found.routes[day]
        for at in range(len(route) + 1):
            timed = price_route(problem, day, (*route[:at], job, *route[at:]), found.agreed)
            if not isinstance(timed, Fault):
                offers.append((timed.amounts.total, day, at))
    return sorted(offers)


def _timed(work: Callable[..., T], *given: Any) -> tuple[float, T]:
    """(CPU milliseconds, what it gave)"""
    begin = thread_time()
    found = work(*given)
    return (thread_time() - begin) * 1_000, found


def _p95(times: list[float]) -> float:
    return float(np.percentile(times, 95))


def figures() -> list[Measure]:
    """Urgent jobs and rankings at each size."""
    found = [measure for size in URGENT for measure in urgent(*size)]
    return found + [measure for size in RANKED for measure in ranking(*size)]
