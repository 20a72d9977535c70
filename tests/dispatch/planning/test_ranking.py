"""Ranking everybody for a job: the fast answer against the slow and obvious one, and what it must know as cases."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.planning.checker import check
from fieldservice.dispatch.planning.gaps import Gaps
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Break, Day, Job, Placement, Plan, Problem, Window
from fieldservice.dispatch.planning.objectives import UNSERVED, Amounts, Goals
from fieldservice.dispatch.planning.pricing import Fault, price_route
from fieldservice.dispatch.planning.ranking import Offer, rank
from fieldservice.dispatch.planning.straight import Straight
from fieldservice.foundation.places import Point, travel_minutes
from tests.dispatch.planning.problems import problems
from tests.dispatch.planning.test_planning import HOUR, LUNCH, SLOW, job, small

EVERYBODY = 99


def obvious(problem: Problem, found: Plan, index: int) -> dict[int, float]:
    """The least cost at which each technician could take the job: every gap of every day, priced."""
    best: dict[int, float] = {}
    for day, route in enumerate(found.routes):
        before = price_route(problem, day, route, found.agreed) if route else None
        if not problem.eligible[index, day] or isinstance(before, Fault):
            continue
        for at in range(len(route) + 1):
            timed = price_route(problem, day, [*route[:at], index, *route[at:]], found.agreed)
            if not isinstance(timed, Fault):
                cost = timed.amounts.total - (before.amounts.total if before else 0.0)
                person = problem.days[day].technician
                best[person] = min(cost, best.get(person, cost))
    return best


def agrees(problem: Problem, gaps: Gaps, found: Plan, index: int) -> None:
    expected = obvious(problem, found, index)
    answer = rank(gaps, index, EVERYBODY)
    told = {problem.days[offer.day].technician: offer.cost for offer in answer.offers}
    assert told == pytest.approx(expected)
    assert [offer.cost for offer in answer.offers] == sorted(offer.cost for offer in answer.offers)
    first = rank(gaps, index, 1).offers
    assert [one.cost for one in first] == pytest.approx(sorted(expected.values())[:1])


@st.composite
def boards(draw: st.DrawFn, most_days: int = 4) -> tuple[Problem, Plan, list[int]]:
    """A problem, a plan that may be wrong in many ways, and the jobs that stand nowhere in it."""
    problem = draw(problems(most_days=most_days, hours=True))
    if draw(st.booleans()):
        people = tuple(replace(day, technician=at // 2) for at, day in enumerate(problem.days))
        problem = replace(problem, days=people)
    paced = tuple(replace(day, pace=draw(st.sampled_from([1.0, 1.0, 0.7, 1.3]))) for day in problem.days)
    problem = replace(problem, days=paced)
    if draw(st.booleans()):
        return problem, (found := plan(problem, effort=Effort(2)).plan), found.unserved(problem)
    routes: list[list[int]] = [[] for _day in problem.days]
    for index in draw(st.permutations(range(len(problem.jobs)))):
        day = draw(st.integers(-1, len(routes) - 1))
        if day >= 0:
            routes[day].append(index)
    found = Plan.of(routes)
    return problem, found, found.unserved(problem)


@SLOW
@given(boards())
def test_the_fast_ranking_is_the_obvious_one(drawn: tuple[Problem, Plan, list[int]]) -> None:
    problem, found, left = drawn
    gaps = Gaps(problem, check(problem, found))
    for index in left:
        agrees(problem, gaps, found, index)


@SLOW
@given(boards(), st.data())
def test_a_renewed_board_is_as_good_as_a_new_one(drawn: tuple[Problem, Plan, list[int]], data: st.DataObject) -> None:
    problem, found, _left = drawn
    gaps = Gaps(problem, check(problem, Plan.of([[] for _day in problem.days])))
    for day in data.draw(st.permutations(range(len(problem.days)))):
        gaps.renew(day, found.routes[day], agreed=found.agreed)
    taken = data.draw(st.integers(0, len(problem.days) - 1))
    gaps.renew(taken, ())
    found = replace(found, routes=tuple(() if day == taken else route for day, route in enumerate(found.routes)))
    for index in found.unserved(problem):
        agrees(problem, gaps, found, index)


@SLOW
@given(problems(simple=True, most_days=2, hours=True), st.integers(0, 2**16))
def test_breaks_of_any_number_are_had_somewhere(problem: Problem, seed: int) -> None:
    dice = np.random.default_rng(seed)
    days = []
    for day in problem.days:
        moments = sorted(dice.integers(0, (day.end - day.start) // 600, 4).tolist())
        pauses = tuple(
            Break(day.start + first * 600, min(day.start + last * 600, day.end - 300), 300)
            for first, last in zip(moments[::2], moments[1::2])
        )
        days.append(replace(day, breaks=pauses if dice.random() < 0.8 else ()))
    problem = replace(problem, days=tuple(days), eligible=np.ones_like(problem.eligible))
    jobs = dice.permutation(len(problem.jobs)).tolist()
    found = Plan.of([jobs[1::2], jobs[2::2]][: len(days)])
    gaps = Gaps(problem, check(problem, found))
    for index in found.unserved(problem):
        agrees(problem, gaps, found, index)


def ranked(*jobs: Job, routes: list[list[int]], days: tuple[Day, ...] | None = None, **more) -> tuple[Offer, ...]:
    """Who could take the last job."""
    problem = small(*jobs, days=days, **more)
    return rank(Gaps(problem, check(problem, Plan.of(routes))), len(jobs) - 1, EVERYBODY).offers


WHOLE_DAY = Day("A", 1, 8 * HOUR, 17 * HOUR, 0)


@pytest.mark.parametrize(
    ("wanted", "day", "start"),
    [
        (job("new", 2), WHOLE_DAY, 8 * HOUR + 600),
        (job("new", 2, 3 * HOUR), WHOLE_DAY, 13 * HOUR + 600),  # only after the standing job
        (job("new", 2, 5 * HOUR), WHOLE_DAY, None),
        (job("new", 2, 5 * HOUR), replace(WHOLE_DAY, overtime=2 * HOUR), 13 * HOUR + 600),
        (job("new", 2, 2 * HOUR), replace(WHOLE_DAY, breaks=(LUNCH,)), 8 * HOUR + 600),
        (job("new", 2, starts=(Window(12 * HOUR, 13 * HOUR),)), WHOLE_DAY, None),  # while the standing job is done
        (job("new", 2, starts=(Window(13 * HOUR, 13 * HOUR + 600),)), WHOLE_DAY, 13 * HOUR + 600),
    ],
)
def test_a_job_fits_where_there_is_time(wanted: Job, day: Day, start: int | None) -> None:
    stands = job("stands", 1, 2 * HOUR, starts=(Window(11 * HOUR, 11 * HOUR),))
    offers = ranked(stands, wanted, routes=[[0]], days=(day,))
    assert [offer.start for offer in offers] == ([] if start is None else [start])


def test_the_offer_says_what_it_costs() -> None:
    stands = job("stands", 1, starts=(Window(8 * HOUR + 600, 17 * HOUR),), due=8 * HOUR + 600)
    urgent = job("new", 2, starts=(Window(8 * HOUR, 9 * HOUR),), weight=8.0, due=8 * HOUR)
    [offer] = ranked(stands, urgent, routes=[[0]])
    late = 0.5 * 600 * 8 + 0.5 * (HOUR + 600)
    assert offer == Offer(cost=600 + late, day=0, at=0, start=8 * HOUR + 600, travel=600, late=late)


@pytest.mark.parametrize(
    ("goal", "change"),
    [
        ({"prefers": frozenset({1})}, {}),
        ({"held": (Placement(0, 9 * HOUR),)}, {}),
        ({"station": 7}, {"station": 7}),
        ({}, {"dearer": -0.5}),
        ({}, {"pace": 0.5}),
    ],
)
def test_whatever_counts_decides_between_two_who_have_time(goal: dict, change: dict) -> None:
    days = (replace(WHOLE_DAY, **change), replace(WHOLE_DAY, key="B", technician=2))
    assert [offer.day for offer in ranked(job("new", 1, **goal), routes=[[], []], days=days)] == [0, 1]
    assert [offer.day for offer in ranked(job("new", 1, **goal), routes=[[], []], days=days[::-1])] == [
        0 if "held" in goal else 1,
        1 if "held" in goal else 0,
    ]


def test_only_whoever_has_the_part_or_can_fetch_it() -> None:
    days = tuple(
        Day(f"T{at}", at, 8 * HOUR, 17 * HOUR, 0, store_place=store, collect=900, van=van)
        for at, (store, van) in enumerate([(3, {}), (None, {}), (None, {"seal": 2.0}), (None, {"seal": 1.0})])
    )
    new = job("new", 2, needs=(("seal", 1.0),))
    other = job("other", 1, needs=(("seal", 1.0),))
    offers = ranked(other, new, routes=[[], [], [], [0]], days=days, lying={(0, "seal"): 1.0})
    assert [(offer.day, offer.cost) for offer in offers] == [(2, 600), (0, 1200)]
    assert [offer.day for offer in ranked(other, new, routes=[[], [], [], [0]], days=days)] == [2]


def test_one_offer_for_each_technician_on_the_better_day_and_the_others_in_order() -> None:
    days = tuple(Day(f"T{at}", at // 2, (8 + 24 * (at % 2)) * HOUR, (17 + 24 * (at % 2)) * HOUR, 0) for at in range(6))
    new = job("new", 1, starts=(Window(0, 48 * HOUR),), due=0)
    problem = small(new, days=days)
    found = rank(Gaps(problem, check(problem, Plan.of([[]] * 6))), 0, 2)
    assert [offer.day for offer in found.offers] == [0, 2]
    assert set(found.others) == {4, 5}
    assert found.others[0] == 4


def test_a_board_grows_with_its_days_and_its_jobs() -> None:
    problem = small(job("a"), job("b", 2))
    gaps = Gaps(problem, check(problem, Plan.of([[]])))
    many = small(*(job(f"J{at}", at, 600) for at in range(9)), job("b", 9), goals=problem.goals)
    gaps.renew(0, range(9), problem=many)
    agrees(many, gaps, Plan.of([range(9)]), 9)
    with pytest.raises(ValueError, match="keeps"):
        gaps.renew(0, (), problem=small(job(), days=(WHOLE_DAY, WHOLE_DAY)))
    pinned = small(job(held=(Placement(0, 9 * HOUR),), pinned=True))
    board = Gaps(pinned, check(pinned, Plan.of([[]])))
    with pytest.raises(ValueError, match="pinned"):
        rank(board, 0)


def test_the_straight_line_of_a_board_is_that_of_the_product() -> None:
    degrees = np.array([[31.2, 121.5], [31.2, 121.5], [31.3, 121.4], [30.3, 120.2], [39.9, 116.4]])
    points = [Point(*one) for one in degrees]
    travel = Straight(degrees)
    expected = [[travel_minutes(a, b) * 60 for b in points] for a in points]
    found = travel.block(range(5), range(5))
    assert np.all(found - np.array(expected) >= -1e-3)
    assert np.all(found - np.array(expected) < 1.001)
    assert found[0, 1] == 0
    assert travel.along([0, 2, 4]) == [found[0, 2], found[2, 4]]


def test_goals_weigh_what_a_gap_costs() -> None:
    dear = Goals(Amounts(promises=3.0, travel=2.0, changes=0.0, balance=1.0, preference=0.0, station_cost=0.0), 0)
    [offer] = ranked(job("new", 1, due=8 * HOUR), routes=[[]], goals=dear)
    assert offer.cost == 2 * 600 + 3 * 0.5 * 600 + 0.5 * (600 + HOUR)
    assert offer.cost < UNSERVED
