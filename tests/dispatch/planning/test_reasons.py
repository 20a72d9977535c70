"""Why a job is left out, and the smallest change: each kind as a case, and the promise that it really does it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Day, Placement, Plan, Problem, Window
from fieldservice.dispatch.planning.reasons import explain, smallest_change
from tests.dispatch.planning.problems import problems
from tests.dispatch.planning.slow_checker import wrong
from tests.dispatch.planning.test_planning import HOUR, SLOW, job, small

DAY = Day("A", 1, 8 * HOUR, 12 * HOUR, 0)


@pytest.mark.parametrize(
    ("left_out", "others", "eligible", "kind", "much", "rule"),
    [
        (job(starts=(Window(8 * HOUR, 8 * HOUR),)), [], True, "window", 600, "window"),
        (job(seconds=4 * HOUR), [], True, "overtime", 600, "shift"),
        (job(needs=(("seal", 1.0),)), [], True, "part", 0, "part"),
        (job(), [], False, "eligible", 0, "eligible"),
        (job(), [job("B", 2, 3 * HOUR)], True, "overtime", 1200, "shift"),
    ],
)
def test_the_smallest_change_is_named_with_its_number(left_out, others, eligible, kind, much, rule) -> None:
    problem = small(left_out, *others, days=(DAY,))
    table = problem.eligible.copy()
    table[0] = eligible
    problem = replace(problem, eligible=table)
    found = explain(problem, Plan.of([range(1, 1 + len(others))]), 0)
    assert found.change is not None
    assert (found.change.kind, found.change.much) == (kind, much)
    assert [one.rule for one in found.refusals] == [rule]


def test_a_job_that_only_needs_another_order_says_so() -> None:
    """Between the two jobs there is room once they change places."""
    early, late = job("B", 1, HOUR, starts=(Window(0, 10 * HOUR),)), job("C", 2, HOUR)
    problem = small(job("A", 3, HOUR, starts=(Window(8 * HOUR, 9 * HOUR + 2400),)), early, late, days=(DAY,))
    found = smallest_change(problem, Plan.of([[2, 1]]), 0)
    assert found is not None
    assert found.kind == "free"


def test_nothing_helps_a_job_longer_than_any_stretched_shift() -> None:
    assert smallest_change(small(job(seconds=20 * HOUR), days=(DAY,)), Plan.of([[]]), 0) is None


@settings(SLOW, max_examples=25)
@given(problems(most_jobs=6, most_days=3, simple=True, hours=True))
def test_a_change_really_places_the_job(problem: Problem) -> None:
    found = plan(problem, effort=Effort(2))
    for left_out in found.unserved:
        change = smallest_change(problem, found.plan, left_out)
        if change is None:
            continue
        jobs, days = list(problem.jobs), problem.days
        if change.kind == "window":
            jobs[left_out] = replace(jobs[left_out], starts=(Window(change.start, change.start),))
        if change.kind == "overtime":
            days = tuple(replace(day, overtime=day.overtime + 14_400) for day in days)
        eligible = problem.eligible.copy()
        eligible[left_out] |= change.kind == "eligible"
        changed = replace(problem, jobs=tuple(jobs), days=days, eligible=eligible)
        proof = check(changed, change.plan)
        assert wrong(changed, proof) == []
        assert set(proof.unserved) == set(found.unserved) - {left_out}


def test_pinned_work_is_not_moved_for_it() -> None:
    pinned = job("B", 2, 3 * HOUR, held=(Placement(0, 8 * HOUR + 600),), pinned=True)
    problem = small(job(), pinned, days=(DAY,))
    found = smallest_change(problem, Plan.of([[1]]), 0)
    assert found is not None
    assert found.kind == "overtime"
    assert check(problem, Plan.of([[1]])).valid
    assert np.all(problem.eligible)
