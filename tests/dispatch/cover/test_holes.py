"""Holes in cover, by cases and against a slow reference that looks at every minute (T-03)."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.cover.filling import by_day, who_could
from fieldservice.dispatch.cover.holes import holes, in_pieces, merged, without
from fieldservice.dispatch.cover.reading import Turn, monday_of
from fieldservice.dispatch.cover.rules import opening
from fieldservice.foundation.time import at_local
from fieldservice.mechanisms.calendars import BusinessCalendar
from fieldservice.workorders.placement import Span

MONDAY = date(2026, 11, 30)
START = at_local(MONDAY)
MINUTE = timedelta(minutes=1)
WINDOW = 3 * 24 * 60  # of the reference: three days, two midnights


def span(begin: int, end: int) -> Span:
    """Minutes after Monday's midnight."""
    return Span(START + begin * MINUTE, START + end * MINUTE)


def h(begin: float, end: float) -> Span:
    return span(int(begin * 60), int(end * 60))


CASES: list[tuple[str, list[tuple[int, Span]], dict[int, list[Span]], list[Span]]] = [
    ("nobody at all", [], {}, [h(0, 48)]),
    ("duties that touch leave none", [(1, h(0, 18)), (2, h(18, 48))], {}, []),
    ("two hours in the evening", [(1, h(0, 18)), (2, h(20, 48))], {}, [h(18, 20)]),
    ("over midnight it is one hole", [(1, h(0, 22)), (1, h(30, 48))], {}, [h(22, 30)]),
    ("a minute counts", [(1, span(0, 600)), (2, span(601, 2880))], {}, [span(600, 601)]),
    ("what reaches out of the week covers its part", [(1, h(-8, 24)), (2, h(24, 60))], {}, []),
    ("whoever is on leave is not there", [(1, h(0, 48))], {1: [h(10, 12)]}, [h(10, 12)]),
    ("a colleague is", [(1, h(0, 48)), (2, h(9, 13))], {1: [h(10, 12)]}, []),
    ("both away at once", [(1, h(0, 48)), (2, h(0, 48))], {1: [h(10, 20)], 2: [h(18, 30)]}, [h(18, 20)]),
    ("another's leave does not matter", [(1, h(0, 48))], {7: [h(0, 48)]}, []),
]


@pytest.mark.parametrize(("duties", "away", "expected"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_t03_when_nobody_is_there(
    duties: list[tuple[int, Span]], away: dict[int, list[Span]], expected: list[Span]
) -> None:
    assert holes([h(0, 48)], duties, away) == expected


spans = st.tuples(st.integers(-300, WINDOW), st.integers(1, 1500)).map(lambda one: span(one[0], one[0] + one[1]))


@given(
    st.lists(spans, max_size=3),
    st.lists(st.tuples(st.integers(1, 3), spans), max_size=12),
    st.dictionaries(st.integers(1, 3), st.lists(spans, max_size=3)),
)
def test_t03_holes_are_the_minutes_without_anybody(
    required: list[Span], duties: list[tuple[int, Span]], away: dict[int, list[Span]]
) -> None:
    def within(moment: datetime, some: list[Span]) -> bool:
        return any(one.starts_at <= moment < one.ends_at for one in some)

    found = holes(required, duties, away)
    assert found == merged(found), "in order, apart from each other"
    for number in range(-300, WINDOW + 1500, 7):  # every seventh minute, and each edge
        moment = START + number * MINUTE
        there = any(within(moment, [duty]) and not within(moment, away.get(who, [])) for who, duty in duties)
        assert within(moment, found) == (within(moment, required) and not there)
    absent = [one for some in away.values() for one in some]
    for edge in {moment for one in (*required, *(duty for _who, duty in duties), *absent) for moment in one}:
        there = any(within(edge, [duty]) and not within(edge, away.get(who, [])) for who, duty in duties)
        assert within(edge, found) == (within(edge, required) and not there)


@given(st.lists(spans, max_size=6), st.lists(spans, max_size=6))
def test_what_is_taken_away_and_what_is_left_are_all(some: list[Span], taken: list[Span]) -> None:
    left = without(some, taken)
    assert merged([*left, *without(some, left)]) == merged(some)


def test_a_long_hole_goes_day_by_day() -> None:
    assert in_pieces(h(22, 30)) == [h(22, 30)]
    assert in_pieces(h(0, 24)) == [h(0, 24)]
    assert in_pieces(h(20, 70)) == [h(20, 24), h(24, 48), h(48, 70)]


def test_who_could_fill_a_hole() -> None:
    def turn(technician: int, begin: float, end: float) -> Turn:
        return Turn(technician, technician, 1, *h(begin, end))

    turns = [turn(1, 8, 18), turn(2, 20, 22), turn(3, 8, 12)]
    assert who_could(h(18, 24), [1, 2, 3, 4, 5], turns, {4: [h(20, 21)]}) == [5, 3, 1]
    assert by_day(h(8, 17))
    assert not by_day(h(17.5, 19.5))
    assert not by_day(h(22, 30))


CALENDAR = BusinessCalendar()


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        ({}, MONDAY, [h(8.5, 12), h(13, 17.5)]),
        ({}, date(2026, 12, 5), []),
        ({"mon": "09:00-20:00"}, MONDAY, [h(9, 20)]),
        ({"tue": "09:00-20:00"}, MONDAY, []),
    ],
)
def test_when_a_station_is_open(hours: dict[str, str], day: date, expected: list[Span]) -> None:
    assert opening(hours, day, CALENDAR) == expected


def test_saturday_counts_where_the_station_says_so() -> None:
    saturday = date(2026, 12, 5)
    assert len(opening({"sat": "09:00-12:00"}, saturday, CALENDAR)) == 1
    assert opening({"thu": "09:00-12:00"}, date(2026, 10, 1), CALENDAR) == [], "a public holiday"
    assert monday_of(saturday) == MONDAY
