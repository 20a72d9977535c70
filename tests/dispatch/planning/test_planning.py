"""The planning engine: rules as cases, and properties against a second, slow and obvious opinion."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import vroom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyvrp.stop import MaxIterations

from benchmarks.planning.instances import service_day
from fieldservice.dispatch.planning import by_pyvrp, by_vroom
from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.methods import Effort, Enough, Progress, plan
from fieldservice.dispatch.planning.model import (
    Break,
    Day,
    Job,
    Matrix,
    Placement,
    Plan,
    Problem,
    Window,
    allowed_starts,
    held_plan,
)  # fmt: skip
from fieldservice.dispatch.planning.objectives import UNSERVED, Amounts, Goals
from fieldservice.dispatch.planning.piece import cut
from fieldservice.dispatch.planning.pricing import Fault, price_route
from fieldservice.dispatch.planning.runners import Processes
from fieldservice.foundation.places.course import course
from tests.dispatch.planning.problems import GRID, UNTIL, problems
from tests.dispatch.planning.slow_checker import can_be_driven, first_starts, wrong

HOUR = 3600
SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def small(
    *jobs: Job, days: tuple[Day, ...] | None = None, legs: int = 600, goals: Goals | None = None, **more
) -> Problem:
    """A problem in which every way takes ten minutes and everybody may do everything."""
    days = days or (Day("A", 1, 8 * HOUR, 17 * HOUR, 0),)
    size = 1 + max([day.store_place or day.start_place for day in days] + [job.place for job in jobs])
    matrix = np.full((size, size), legs, dtype=np.int32)
    np.fill_diagonal(matrix, 0)
    eligible = np.ones((len(jobs), len(days)), dtype=bool)
    return Problem(jobs, days, Matrix(matrix), eligible, goals or Goals(Amounts(1, 1, 1, 0, 1, 1)), **more)


def job(key: str = "J", place: int = 1, seconds: int = HOUR, **more) -> Job:
    return Job(key, place, seconds, more.pop("starts", (Window(0, 24 * HOUR),)), **more)


LUNCH = Break(11 * HOUR, 13 * HOUR, HOUR)


@pytest.mark.parametrize(
    ("jobs", "breaks", "starts", "pauses"),
    [
        ([job()], (), [8 * HOUR + 600], []),
        ([job(starts=(Window(10 * HOUR, 11 * HOUR),))], (), [10 * HOUR], []),
        ([job(starts=(Window(0, 8 * HOUR), Window(9 * HOUR, 9 * HOUR)))], (), [9 * HOUR], []),
        ([job(seconds=5 * HOUR)], (LUNCH,), [12 * HOUR], [11 * HOUR]),  # too late for a break after it
        ([job(seconds=3 * HOUR), job(place=2)], (LUNCH,), [8 * HOUR + 600, 11 * HOUR + 1200], [12 * HOUR + 1200]),
    ],
)  # fmt: skip
def test_a_route_is_timed(jobs, breaks, starts, pauses) -> None:
    day = Day("A", 1, 8 * HOUR, 17 * HOUR, 0, breaks=breaks)
    timed = price_route(small(*jobs, days=(day,)), 0, range(len(jobs)))
    assert not isinstance(timed, Fault)
    assert list(timed.starts) == starts
    assert list(timed.breaks) == pauses


@pytest.mark.parametrize(
    ("change", "rule", "much"),
    [
        ({"starts": (Window(0, 8 * HOUR),)}, "window", 600),
        ({"seconds": 9 * HOUR}, "shift", 600),
        ({"needs": (("seal", 2.0),)}, "part", 0),
        ({"held": (Placement(0, 8 * HOUR),), "pinned": False, "after": (0,)}, "order", None),
    ],
)
def test_each_rule_refuses_with_its_number(change, rule, much) -> None:
    problem = small(job(**change))
    [first, *_rest] = check(problem, Plan.of([[0]])).faults
    assert first.rule == rule
    if much is not None:
        assert first.much == much


def test_what_is_pinned_is_given_even_where_its_way_is_too_short() -> None:
    pinned = job(held=(Placement(0, 8 * HOUR),), pinned=True)
    assert check(small(pinned), Plan.of([[0]])).valid
    assert not check(small(pinned, job(place=2)), Plan.of([[1, 0]])).valid
    assert [one.rule for one in check(small(pinned), Plan.of([[]])).faults] == ["pinned"]


def test_parts_are_collected_at_the_station_first_and_only_as_many_as_lie_there() -> None:
    needing = [job(f"J{at}", place=1 + at, needs=(("seal", 1.0),)) for at in range(2)]
    days = tuple(Day(f"T{at}", at, 8 * HOUR, 17 * HOUR, 0, store_place=3, collect=900) for at in range(2))
    problem = small(*needing, days=days, lying={(0, "seal"): 1.0})
    one = check(problem, Plan.of([[0], []]))
    assert one.valid
    assert one.routes[0].collects
    assert one.routes[0].starts == (8 * HOUR + 900 + 1200,)
    assert [fault.rule for fault in check(problem, Plan.of([[0], [1]])).faults] == ["part"]


def test_goals_are_priced_by_name() -> None:
    days = (Day("A", 1, 8 * HOUR, 9 * HOUR, 0, overtime=HOUR), Day("B", 2, 8 * HOUR, 17 * HOUR, 0, station=7))
    late = job(due=8 * HOUR, prefers=frozenset({1}), held=(Placement(0, 9 * HOUR),))
    problem = small(late, days=days)
    own, other = check(problem, Plan.of([[0], []])), check(problem, Plan.of([[], [0]]))
    assert own.amounts == Amounts(promises=300, travel=600, station_cost=300)
    assert other.amounts == Amounts(promises=300, travel=600, changes=1800, preference=1800, station_cost=1800)
    assert check(problem, Plan.of([[], []])).amounts.promises == UNSERVED


def test_access_hours_cut_the_windows_in_which_work_may_begin() -> None:
    found = allowed_starts(
        HOUR, [Window(8 * HOUR, 16 * HOUR)], [Window(9 * HOUR, 11 * HOUR), Window(13 * HOUR, 20 * HOUR)]
    )
    assert found == (Window(9 * HOUR, 10 * HOUR), Window(13 * HOUR, 16 * HOUR))
    assert allowed_starts(HOUR, [Window(0, HOUR)], release=2 * HOUR) == ()


def test_unknown_goals_and_wild_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="beauty"):
        Goals.named("promises", {"beauty": 1.0})
    with pytest.raises(ValueError, match="between"):
        Goals.named("promises", {"travel": -1.0})


@SLOW
@given(problems(hours=True), st.integers(1, 5))
def test_whatever_is_planned_keeps_every_rule_and_is_never_worse_than_what_stands(problem: Problem, seed: int) -> None:
    found = plan(problem, effort=Effort(4), seed=seed)
    assert found.faults == ()
    stands = check(problem, held_plan(problem))
    if stands.valid:
        assert found.score <= stands.score + 1
    simple = all(not one.needs for one in problem.jobs)
    assert not simple or wrong(problem, found) == []


@SLOW
@given(problems(most_jobs=3, most_days=1, simple=True), st.randoms(use_true_random=False))
def test_checker_and_slow_checker_agree_on_routes(problem: Problem, dice) -> None:
    route = list(range(len(problem.jobs)))
    dice.shuffle(route)
    day = replace(problem.days[0], end_place=None)
    problem = replace(problem, days=(day,), eligible=np.ones_like(problem.eligible))
    found = check(problem, Plan.of([route]))
    if found.valid:
        assert wrong(problem, found) == []
    assert found.valid == can_be_driven(problem, day, route, GRID, 2 * UNTIL)


@SLOW
@given(problems(most_jobs=4, most_days=1, simple=True, hours=True), st.randoms(use_true_random=False))
def test_checker_and_slow_checker_agree_on_the_hours(problem: Problem, dice) -> None:
    hours = problem.hours or course([0], [1.0])
    route = list(range(len(problem.jobs)))
    dice.shuffle(route)
    problem = replace(problem, hours=hours, eligible=np.ones_like(problem.eligible))
    found = check(problem, Plan.of([route]))
    if found.valid:
        assert wrong(problem, found) == []
    [day] = problem.days
    if not day.breaks:
        starts = first_starts(problem, day, route)
        assert found.valid == (starts is not None)
        assert starts is None or list(found.routes[0].starts) == starts


@SLOW
@given(problems(simple=True, hours=True))
def test_hours_that_are_all_usual_change_nothing(problem: Problem) -> None:
    usual = replace(problem, hours=course([0, 3_600], [1.0, 1.0]), eligible=np.ones_like(problem.eligible))
    plain = replace(usual, hours=None)
    routes = [list(range(at, len(problem.jobs), len(problem.days))) for at in range(len(problem.days))]
    one, other = check(usual, Plan.of(routes)), check(plain, Plan.of(routes))
    assert one.faults == other.faults
    assert [timed and timed._replace(legs=()) for timed in one.routes] == [
        timed and timed._replace(legs=()) for timed in other.routes
    ]


@pytest.mark.parametrize(
    ("begins", "legs", "starts"),
    [
        (8 * HOUR, 600, 8 * HOUR + 780),  # 10 minutes at 1.25 are 12.5
        (8 * HOUR + 3300, 600, 9 * HOUR + 420),  # the rest of them at 1.05
        (14 * HOUR, 600, 14 * HOUR + 600),
    ],
)
def test_a_drive_takes_as_long_as_the_hour_says(begins: int, legs: int, starts: int) -> None:
    hours = course([0, 7 * HOUR, 9 * HOUR, 13 * HOUR], [0.9, 1.25, 1.05, 1.0])
    day = Day("A", 1, begins, 17 * HOUR, 0)
    timed = price_route(replace(small(job(), days=(day,), legs=legs), hours=hours), 0, [0])
    assert timed.starts == (starts,)
    assert timed.ordinary == (600, 0)
    assert timed.legs == (starts - begins, 0)
    assert timed.amounts.travel == 600  # goals count ordinary seconds


def test_a_break_divides_a_drive_into_two_hours() -> None:
    hours = course([0, 11 * HOUR, 12 * HOUR], [1.0, 2.0, 1.0])
    day = Day("A", 1, 10 * HOUR + 2700, 17 * HOUR, 0, breaks=(Break(11 * HOUR, 13 * HOUR, 1800),), end_place=0)
    problem = replace(small(job(starts=(Window(0, 13 * HOUR),)), days=(day,), legs=2400), hours=hours)
    timed = price_route(problem, 0, [0])
    # 15 minutes before the break, 15 of the others in the half hour after it, and 10 when the hour is over
    assert timed.breaks == (11 * HOUR,)
    assert timed.starts == (12 * HOUR + 600,)
    assert timed.legs == (900 + 1800 + 600, 2400)


@SLOW
@given(problems(simple=True))
def test_both_solvers_give_each_job_at_most_once_and_only_to_whom_it_may_go(problem: Problem) -> None:
    piece = cut(problem, range(len(problem.days)), range(len(problem.jobs)), {}, also_late=range(len(problem.jobs)))
    for orders in (
        by_vroom.construct(piece, 0),
        by_vroom.improve(piece, 1),
        by_pyvrp.improve(piece, MaxIterations(20), 1),
    ):
        placed = [job for route in orders for job in route]
        assert len(placed) == len(set(placed))
        assert all(problem.eligible[job, day] for day, route in enumerate(orders) for job in route)


def test_the_same_seed_gives_the_same_plan_with_one_process_or_two() -> None:
    problem = service_day(180, 24, seed=3)
    alone = plan(problem, effort=Effort(12), seed=5)
    with Processes(2) as runner:
        together = plan(problem, effort=Effort(12), seed=5, runner=runner)
    assert alone.plan == together.plan
    assert alone.valid
    assert alone.plan != plan(problem, effort=Effort(12), seed=6).plan


def test_a_run_can_be_followed_ended_and_given_up() -> None:
    problem = service_day(180, 24, seed=3)
    seen: list[Progress] = []

    def enough(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 3:
            raise Enough

    assert plan(problem, effort=Effort(50), progress=enough).valid
    assert [one.done for one in seen] == [1, 2, 3]

    def give_up(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(problem, effort=Effort(50), progress=give_up)


def test_a_crew_begins_together_and_a_linked_job_waits() -> None:
    days = tuple(Day(f"T{at}", at, 8 * HOUR, 17 * HOUR, 0) for at in range(3))
    crew = job("crew", place=1, crew=2, weight=8.0, starts=(Window(9 * HOUR, 15 * HOUR),))
    after = job("after", place=2, after=(0,), same_as=0)
    found = plan(small(crew, after, job("other", place=3), days=days), effort=Effort(6))
    assert found.valid
    assert found.unserved == ()
    begins = {start for (one, _day), start in found.starts().items() if one == 0}
    assert len(begins) == 1
    assert next(start for (one, _day), start in found.starts().items() if one == 1) >= begins.pop() + HOUR


def test_a_route_with_a_late_job_is_still_improved() -> None:
    """The late job must not keep the others from a better order."""
    legs = np.full((4, 4), 600, dtype=np.int32)
    legs[1, 2] = legs[2, 1] = legs[0, 3] = legs[3, 0] = 3000
    np.fill_diagonal(legs, 0)
    late = job("late", 3, due=HOUR, held=(Placement(0, 40_000),))
    others = [job("a", 1, held=(Placement(0, 30_000),)), job("b", 2, held=(Placement(0, 35_000),))]
    day = Day("A", 1, 8 * HOUR, 17 * HOUR, 0)
    problem = replace(small(late, *others, days=(day, replace(day, technician=2))), travel=Matrix(legs))
    found = plan(problem, effort=Effort(20), seed=2)
    assert found.unserved == ()
    assert found.score < check(problem, held_plan(problem)).score


@pytest.mark.parametrize("name", ["preference", "changes"])
def test_a_goal_decides_who_comes(name: str) -> None:
    days = tuple(Day(f"T{at}", at, 8 * HOUR, 17 * HOUR, 0) for at in range(3))
    theirs = {
        "preference": lambda at: {"prefers": frozenset({at})},
        "changes": lambda at: {"held": (Placement(at, 30_000),)},
    }
    jobs = [job(f"J{at}", 1 + at, **theirs[name](at)) for at in range(3)]
    jobs += [job(f"K{at}", 4 + at) for at in range(3)]
    found = plan(small(*jobs, days=days, goals=Goals.named(name)), effort=Effort(12))
    assert found.unserved == ()
    assert all(at in found.plan.routes[at] for at in range(3))


def test_jobs_that_wait_for_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="waits for itself"):
        plan(small(job("a", after=(1,)), job("b", place=2, after=(0,))), effort=Effort(2))


@pytest.mark.parametrize(("level", "jobs", "threads"), [(0, 9, 4), (1, 9, 8), (3, 9, 16), (5, 9, 32), (0, 900, 1)])
def test_no_search_of_vroom_waits_for_another(
    monkeypatch: pytest.MonkeyPatch, level: int, jobs: int, threads: int
) -> None:
    """A waiting one may never wake up; and all of them stay on one core, which is given back."""
    seen: list[tuple[int, int]] = []
    solve = vroom.Input.solve

    def watched(self: vroom.Input, exploration_level: int, nb_threads: int) -> Any:
        seen.append((nb_threads, len(os.sched_getaffinity(0))))
        return solve(self, 0, nb_threads)

    monkeypatch.setattr(vroom.Input, "solve", watched)
    problem = service_day(jobs, 4, seed=1)
    before = os.sched_getaffinity(0)
    by_vroom.construct(cut(problem, range(4), range(jobs), {}), level)
    assert seen == [(threads, 1)]
    assert os.sched_getaffinity(0) == before


def test_where_vroom_refuses_what_stands_it_begins_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by ten thousand random plans: on tables whose detours are quicker than the straight way it may."""
    problem = small(Job("A", 1, HOUR, (Window(9 * HOUR, 9 * HOUR),)), Job("B", 2, HOUR, (Window(8 * HOUR, 9 * HOUR),)))
    piece = cut(problem, [0], [0, 1], {})
    monkeypatch.setattr(by_vroom, "standing", lambda _piece: [[0, 1]])  # B cannot begin after A
    with pytest.raises(Exception, match="Infeasible route"):
        by_vroom._solved(piece, 1, [[0, 1]])
    assert len(by_vroom.improve(piece, 1)[0]) == 1
