"""Prices of windows against trying every gap of every day."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.model import Day, Placement, Plan, Problem, Window, held_plan
from fieldservice.dispatch.planning.windows import price_windows
from tests.dispatch.planning.problems import problems, windows
from tests.dispatch.planning.test_planning import HOUR, SLOW, job, small
from tests.dispatch.planning.test_ranking import obvious


@SLOW
@given(problems(hours=True), st.lists(windows(), min_size=1, max_size=4), st.data())
def test_prices_are_those_of_putting_the_job_into_the_plan_without_it(
    problem: Problem, asked: list[tuple[Window, ...]], data: st.DataObject
) -> None:
    wanted = data.draw(st.integers(0, len(problem.jobs) - 1))
    without = replace(problem.jobs[wanted], held=(), pinned=False)
    alone = replace(problem, jobs=(*problem.jobs[:wanted], without, *problem.jobs[wanted + 1 :]))
    stands = check(alone, held_plan(alone))
    spans = [one[0] for one in asked]
    if not stands.valid:
        with pytest.raises(ValueError, match="breaks a rule"):
            price_windows(problem, wanted, spans)
        return
    for window, offers in zip(spans, price_windows(problem, wanted, spans, most=99), strict=True):
        jobs = (*alone.jobs, replace(without, starts=(window,)))
        eligible = np.vstack([alone.eligible, alone.eligible[wanted : wanted + 1]])
        expected = obvious(replace(alone, jobs=jobs, eligible=eligible), stands.plan, len(alone.jobs))
        told = {problem.days[one.day].technician: one.cost for one in offers}
        assert told == pytest.approx(expected)
        assert all(window.start <= one.start <= window.end for one in offers)


def test_a_window_beside_a_standing_job_is_cheaper_than_one_that_needs_a_way_of_its_own() -> None:
    near = job("near", place=1, starts=(Window(9 * HOUR, 9 * HOUR),), held=(Placement(0, 9 * HOUR),))
    day = Day("A", 1, 8 * HOUR, 17 * HOUR, 0, end_place=0)
    problem = small(near, job("new", place=1), days=(day,))
    after, alone = price_windows(problem, 1, [Window(10 * HOUR, 11 * HOUR), Window(8 * HOUR, 8 * HOUR)])
    assert [one.travel for one in after] == [0]
    assert alone == ()  # nobody is there at eight, and the standing job begins at nine


def test_a_standing_job_is_priced_as_if_it_stood_nowhere() -> None:
    stands = job("J", starts=(Window(9 * HOUR, 9 * HOUR),), held=(Placement(0, 9 * HOUR),))
    [same, later] = price_windows(small(stands), 0, [Window(9 * HOUR, 9 * HOUR), Window(12 * HOUR, 12 * HOUR)])
    assert same[0].cost == later[0].cost
    assert Plan.of([[0]]) == held_plan(small(stands))
