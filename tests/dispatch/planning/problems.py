"""Small problems for property tests: everything the model knows, on a coarse grid of time."""

import numpy as np
from hypothesis import strategies as st

from fieldservice.dispatch.planning.model import Break, Day, Job, Matrix, Placement, Problem, Window, joined
from fieldservice.dispatch.planning.objectives import OBJECTIVES, Goals
from fieldservice.foundation.places.course import Course, course

GRID, UNTIL = 600, 7_200
moments = st.integers(0, UNTIL // GRID).map(lambda at: at * GRID)
lengths = st.integers(1, 3).map(lambda at: at * GRID)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found = []
    for _at in range(draw(st.integers(1, 2))):
        begin = draw(moments)
        found.append(Window(begin, begin + draw(st.integers(0, 6)) * GRID))
    return joined(found)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Hours that change a few times, at whole minutes."""
    minutes = draw(st.lists(st.integers(0, 2 * UNTIL // 60), max_size=5, unique=True).map(sorted))
    factors = st.sampled_from([0.5, 0.9, 1.0, 1.05, 1.1, 1.25, 2.0, 3.0])
    return course([-60, *(at * 60 for at in minutes)], [draw(factors) for _moment in range(len(minutes) + 1)])


@st.composite
def problems(
    draw: st.DrawFn, most_jobs: int = 7, most_days: int = 4, simple: bool = False, hours: bool = False
) -> Problem:
    """Up to so many jobs and days; `simple` ones have neither crews, links, parts nor anything pinned. With `hours`
    drives may take longer at one time than at another."""
    jobs, days = draw(st.integers(1, most_jobs)), draw(st.integers(1, most_days))
    places = jobs + days
    legs = np.array(draw(st.lists(st.integers(0, 3), min_size=places**2, max_size=places**2)), dtype=np.int32)
    matrix = legs.reshape(places, places) * GRID
    np.fill_diagonal(matrix, 0)
    eligible = np.array(draw(st.lists(st.booleans(), min_size=jobs * days, max_size=jobs * days))).reshape(jobs, days)
    made_days = tuple(_day(draw, at, jobs + at) for at in range(days))
    made_jobs = tuple(_job(draw, at, days, simple) for at in range(jobs))
    goals = Goals(draw(st.sampled_from(sorted(OBJECTIVES.items())))[1], fair_share=draw(moments))
    lying = {} if simple else {(0, "seal"): float(draw(st.integers(0, 3)))}
    when = draw(st.none() | courses()) if hours else None
    return Problem(made_jobs, made_days, Matrix(matrix), eligible, goals, lying, when)


def _day(draw: st.DrawFn, at: int, place: int) -> Day:
    begin, length = draw(st.integers(0, 2)) * GRID, draw(st.integers(4, 10))
    first, last = sorted((draw(st.integers(0, length - 1)), draw(st.integers(0, length - 1))))
    breaks = (Break(begin + first * GRID, begin + last * GRID, GRID),) if draw(st.booleans()) else ()
    return Day(
        f"T{at}", at, begin, begin + length * GRID, place,
        end_place=draw(st.sampled_from([None, place])), home_after=draw(st.booleans()), breaks=breaks,
        overtime=draw(st.integers(0, 2)) * GRID, van={"seal": float(draw(st.integers(0, 1)))}, store_place=place,
        collect=0, dearer=draw(st.sampled_from([0.0, 0.5])),
    )  # fmt: skip


def _job(draw: st.DrawFn, at: int, days: int, simple: bool) -> Job:
    plain = {
        "key": f"J{at}", "place": at, "seconds": draw(lengths), "starts": draw(windows()),
        "weight": float(draw(st.sampled_from([1, 2, 4, 8]))), "due": draw(st.none() | moments),
        "prefers": draw(st.sampled_from([frozenset(), frozenset({0})])),
    }  # fmt: skip
    if simple:
        return Job(**plain)
    kind = draw(st.sampled_from(["plain", "plain", "crew", "after", "same", "needs", "held"]))
    match kind:
        case "crew":
            plain |= {"crew": 2}
        case "after" if at:
            plain |= {"after": (draw(st.integers(0, at - 1)),)}
        case "same" if at:
            plain |= {"same_as": draw(st.integers(0, at - 1))}
        case "needs":
            plain |= {"needs": (("seal", float(draw(st.integers(1, 2)))),)}
        case "held":
            plain |= {"held": (Placement(draw(st.integers(0, days - 1)), draw(moments)),)}
    return Job(**plain)
