"""An urgent job into what stands: each way as a case, and that nothing is broken, lost or told wrongly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.planning.instances import service_day
from fieldservice.dispatch.planning.checker import Checked, check
from fieldservice.dispatch.planning.consequences import Later, Moved, Touched, compare
from fieldservice.dispatch.planning.gaps import Gaps
from fieldservice.dispatch.planning.methods import Effort, plan
from fieldservice.dispatch.planning.model import Day, Job, Placement, Plan, Problem, Window
from fieldservice.dispatch.planning.objectives import UNSERVED
from fieldservice.dispatch.planning.ranking import rank
from fieldservice.dispatch.planning.urgent import Option, Policy, options
from tests.dispatch.planning.problems import problems
from tests.dispatch.planning.slow_checker import wrong
from tests.dispatch.planning.test_planning import HOUR, SLOW, job, small

SHORT = Day("A", 1, 8 * HOUR, 12 * HOUR, 0)
OTHER = replace(SHORT, key="B", technician=2)
TOMORROW = replace(SHORT, key="A+", start=32 * HOUR, end=36 * HOUR)


def urgent(place: int = 9, **more) -> Job:
    return job("urgent", place, weight=8.0, starts=(Window(8 * HOUR, 12 * HOUR),), **more)


def best(*jobs: Job, days: tuple[Day, ...], routes: list[list[int]], policy: Policy | None = None) -> Option | None:
    """The best option for the last job."""
    problem = small(*jobs, days=days)
    stands = check(problem, Plan.of(routes))
    return next(iter(options(problem, stands, len(jobs) - 1, policy or Policy())), None)


LIGHT = job("light", 1, 3 * HOUR, starts=(Window(0, 48 * HOUR),))
HEAVY = job("heavy", 2, 3 * HOUR, weight=8.0)
PINNED = job("pinned", 3, 3 * HOUR, held=(Placement(0, 8 * HOUR + 600),), pinned=True)


@pytest.mark.parametrize(
    ("stands", "days", "policy", "way", "moved", "left_out"),
    [
        (job("a", 1, HOUR), (SHORT,), Policy(), "gap", None, ()),
        (LIGHT, (SHORT, TOMORROW), Policy(), "instead", Moved(0, Placement(0, 29400), Placement(1, 115800), False), ()),
        (LIGHT, (SHORT,), Policy(), "instead", None, (0,)),
        (LIGHT, (SHORT,), Policy(may_leave_out=False), None, None, ()),
        (HEAVY, (SHORT,), Policy(), None, None, ()),
        (PINNED, (SHORT,), Policy(), None, None, ()),
    ],
)
def test_each_way_of_placing_it(stands, days, policy, way, moved, left_out) -> None:
    found = best(stands, urgent(), days=days, routes=[[0], *([] for _day in days[1:])], policy=policy)
    assert (found and found.way) == way
    if found is not None:
        assert found.checked.valid
        assert found.day == 0
        assert found.consequences.moved == ((moved,) if moved else ())
        assert found.consequences.left_out == left_out


def test_the_lighter_job_goes_to_somebody_else_only_where_that_is_cheaper_than_another_day() -> None:
    days = (SHORT, replace(TOMORROW), OTHER)
    problem = small(LIGHT, urgent(), days=days)
    eligible = problem.eligible.copy()
    eligible[1, 1:] = False
    problem = replace(problem, eligible=eligible)
    stands = check(problem, Plan.of([[0], [], []]))
    goes = {}
    for other_day in (900.0, 9_000.0):
        [found] = options(problem, stands, 1, Policy(other_day=other_day))
        [moved] = found.consequences.moved
        goes[other_day] = (moved.after.day, moved.to_somebody_else, found.consequences.changed_technician)
        assert found.cost == 600 + min(other_day, 3_600)
    assert goes == {900.0: (1, False, 0), 9_000.0: (2, True, 1)}


def test_several_lighter_jobs_make_room_where_one_does_not() -> None:
    jobs = [job(f"J{at}", 1 + at, HOUR) for at in range(3)]
    found = best(*jobs, urgent(seconds=2 * HOUR), days=(SHORT,), routes=[[0, 1, 2]])
    assert found is not None
    assert len(found.consequences.left_out) == 2
    assert found.cost == pytest.approx(2 * UNSERVED - 600)


def test_where_one_move_is_not_enough_at_most_one_job_is_left_out() -> None:
    """B could take A's job only in place of the one that stands with B, which C would take."""
    chain = [job("a", 1, 3 * HOUR, weight=4.0), job("b", 2, 3 * HOUR, weight=4.0)]
    days = (SHORT, OTHER, replace(SHORT, key="C", technician=3))
    problem = small(*chain, urgent(seconds=3 * HOUR), days=days)
    problem = replace(problem, eligible=np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]], dtype=bool))
    [found, *_more] = options(problem, check(problem, Plan.of([[0], [1], []])), 2)
    assert found.checked.valid
    assert found.day == 0
    assert len(found.consequences.left_out) <= 1


def test_up_to_three_technicians_to_choose_from_the_best_first() -> None:
    days = tuple(replace(SHORT, key=f"T{at}", technician=at) for at in range(5))
    problem = small(urgent(), days=days)
    found = options(problem, check(problem, Plan.of([[]] * 5)), 0)
    assert len({problem.days[one.day].technician for one in found}) == 3
    assert len(options(problem, check(problem, Plan.of([[]] * 5)), 0, Policy(options=2))) == 2


def test_what_becomes_later_and_which_promises_break() -> None:
    stands = job("stands", 1, HOUR, due=9 * HOUR, restore_due=10 * HOUR)
    problem = small(stands, urgent(due=8 * HOUR), days=(replace(SHORT, end=14 * HOUR),))
    before, after = (check(problem, Plan.of([route])) for route in ([0], [1, 0]))
    told = compare(problem, before, after)
    assert told.later == (Later(0, 0, HOUR + 600),)
    assert told.promises == (
        Touched(0, "due", 0, 1200), Touched(0, "restore_due", 0, 1200), Touched(1, "due", 0, 600),
    )  # fmt: skip
    assert all(one.newly_broken for one in told.promises)
    assert told.travel == 600
    assert compare(problem, after, before).later == ()


def test_a_crew_is_put_into_gaps_and_begins_together() -> None:
    problem = small(job("a", 1, HOUR), urgent(crew=2), days=(SHORT, OTHER))
    [found] = options(problem, check(problem, Plan.of([[0], []])), 1)
    assert found.checked.valid
    assert [1 in route for route in found.checked.plan.routes] == [True, True]


def test_what_is_not_valid_or_stands_already_is_refused() -> None:
    problem = small(job("a", 1, 5 * HOUR), urgent(), days=(SHORT,))
    with pytest.raises(ValueError, match="shift"):
        options(problem, check(problem, Plan.of([[0]])), 1)
    with pytest.raises(ValueError, match="stands already"):
        options(problem, check(problem, Plan.of([[1]])), 1)


@st.composite
def interrupted(draw: st.DrawFn) -> tuple[Problem, Checked, int]:
    """A planned problem, some jobs of it pinned where they stand, and a heavy job that stands nowhere."""
    problem = draw(problems(most_jobs=7, most_days=4, hours=True))
    index = draw(st.integers(0, len(problem.jobs) - 1))
    jobs = list(problem.jobs)
    jobs[index] = replace(jobs[index], weight=9.0, held=(), pinned=False)
    without = problem.eligible.copy()
    without[index] = False
    problem = replace(problem, jobs=tuple(jobs))
    stands = plan(replace(problem, eligible=without), effort=Effort(3))
    for (one, day), start in stands.starts().items():
        if jobs[one].crew == 1 and one not in stands.plan.agreed and draw(st.integers(0, 3)) == 0:
            jobs[one] = replace(jobs[one], held=(Placement(day, start),), pinned=True)
    problem = replace(problem, jobs=tuple(jobs))
    stands = check(problem, stands.plan)
    assume(stands.valid and index in stands.unserved)
    return problem, stands, index


@SLOW
@given(interrupted(), st.booleans())
def test_nothing_is_broken_lost_or_told_wrongly(drawn: tuple[Problem, Checked, int], may_leave_out: bool) -> None:
    problem, stands, index = drawn
    policy = Policy(may_leave_out=may_leave_out)
    found = options(problem, stands, index, policy)
    assert [one.cost for one in found] == sorted(one.cost for one in found)
    assert len({problem.days[one.day].technician for one in found}) == len(found) <= 3
    for one in found:
        assert check(problem, one.checked.plan) == one.checked  # though most routes were not timed again
        assert one.checked.valid
        if not any(job.needs or job.pinned for job in problem.jobs):
            assert wrong(problem, one.checked) == []
        _keeps_what_must_stay(problem, stands, one, index, may_leave_out)
        _tells_what_changed(problem, stands, one, policy, index)
    assert options(problem, stands, index, policy) == found
    if index not in stands.plan.agreed and rank(Gaps(problem, stands), index, 1).offers and not problem.lying:
        assert found


def _keeps_what_must_stay(problem: Problem, stands: Checked, one: Option, index: int, may_leave_out: bool) -> None:
    before, after = stands.starts(), one.checked.starts()
    assert after[index, one.day] == one.start
    for (job_, day), start in before.items():
        if problem.jobs[job_].pinned or job_ in stands.plan.agreed:
            assert after[job_, day] == start
    lost = set(one.checked.unserved) - set(stands.unserved)
    assert set(one.consequences.left_out) == lost
    assert may_leave_out or not lost
    assert all(problem.jobs[left].weight < problem.jobs[index].weight for left in lost)


def _tells_what_changed(problem: Problem, stands: Checked, one: Option, policy: Policy, index: int) -> None:
    before, after, told = stands.starts(), one.checked.starts(), one.consequences
    gone = {key for key in before if key not in after and key[0] not in told.left_out}
    assert {(move.job, move.before.day) for move in told.moved} == gone
    assert {(move.job, move.after.day): move.after.start for move in told.moved}.items() <= after.items()
    later = {key: after[key] - before[key] for key in before.keys() & after.keys() if after[key] > before[key]}
    assert {(late.job, late.day): late.seconds for late in told.later} == later
    legs = [sum(sum(timed.legs) for timed in which.routes if timed) for which in (stands, one.checked)]
    assert told.travel == legs[1] - legs[0]
    changes = sum(policy.other_technician if move.to_somebody_else else policy.other_day for move in told.moved)
    served = UNSERVED * problem.jobs[index].weight * problem.goals.weights.promises
    assert one.cost == pytest.approx(one.checked.score - stands.score + served + changes)


def test_a_live_board_is_given_back_as_it_was() -> None:
    problem = service_day(60, 6, seed=2)
    stands = plan(problem, effort=Effort(4))
    board = Gaps(problem, stands)
    for index in stands.unserved[:5]:
        assert options(problem, stands, index, board=board) == options(problem, stands, index)
    fresh = Gaps(problem, stands)
    for name in ("points", "ways", "free", "reach", "soonest", "latest", "cost", "busy", "soft", "leads", "takes"):
        assert np.array_equal(getattr(board, name), getattr(fresh, name)), name
    assert board.routes == fresh.routes
