"""Which windows are thought of and offered: rules as cases."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.dispatch.offers.windows import LENGTH, SHORTEST, Choice, Window, chosen, windows
from fieldservice.workorders.placement import Span
from tests.workorders.cast import at

HALF = timedelta(minutes=30)


EIGHT = at(8)


def found(soonest: datetime = EIGHT, spread: int = 30, due: datetime | None = None) -> list[Window]:
    return list(windows(at(8), at(18), soonest, timedelta(minutes=spread), due))


def test_windows_begin_at_half_hours_and_work_begins_early_enough_to_be_late() -> None:
    first = found()[0]
    assert first == Window(Span(at(8), at(10)), at(8), at(9, 30))
    assert len(found()) == 20


@pytest.mark.parametrize(
    ("soonest", "told", "first"),
    [(at(8, 40), at(8, 30), at(8, 40)), (at(9), at(9), at(9)), (at(8, 59), at(8, 30), at(8, 59))],
)
def test_nothing_begins_before_it_can(soonest: datetime, told: datetime, first: datetime) -> None:
    [one, *_more] = found(soonest)
    assert (one.told.starts_at, one.first) == (told, first)


@pytest.mark.parametrize(
    ("due", "ends"),
    [
        (at(9, 30), at(9, 30)),  # ends with the promise
        (at(8, 20), at(10)),  # too little is left: told in full, and marked as late
        (at(12), at(10)),
        (None, at(10)),
    ],
)
def test_E_14_a_window_ends_with_the_promise_where_that_is_enough(due: datetime | None, ends: datetime) -> None:
    assert found(due=due)[0].told.ends_at == ends


def test_where_arrivals_scatter_by_more_than_a_window_work_begins_with_it() -> None:
    assert {(one.first, one.last) for one in found(spread=500)} == {
        (one.told.starts_at, one.told.starts_at) for one in found()
    }


def choice(start: datetime, cost: float, technician: int = 1, hours: int = 1, *, late: bool = False) -> Choice:
    return Choice(technician, Span(start, start + timedelta(hours=hours)), Span(start, start + LENGTH), cost, 0, late)


def test_the_soonest_comes_first_then_what_keeps_the_promise_then_what_costs_least() -> None:
    dear, late, cheap = choice(at(8), 900), choice(at(14), 0, late=True), choice(at(10), 50)
    assert chosen([late, cheap, dear], {}, 3) == [dear, cheap, late]


def test_windows_do_not_meet_and_nobody_is_in_two_places() -> None:
    first, meets, long, other = choice(at(8), 0, hours=3), choice(at(9), 0), choice(at(10), 0), choice(at(10), 5, 2)
    assert chosen([first, meets, long, other], {}, 4) == [first, other]
    assert chosen([other], {2: [Span(at(10, 30), at(11))]}, 4) == []


def test_days_take_turns_while_there_are_several() -> None:
    day = timedelta(days=1)
    today = [choice(at(hour), hour) for hour in (8, 10, 12, 14)]
    tomorrow = choice(at(8) + day, 99)
    assert chosen([*today, tomorrow], {}, 4) == [*today[:2], tomorrow, today[2]]


@given(
    st.lists(
        st.builds(
            choice,
            st.integers(0, 40).map(lambda half: at(8) + half * HALF),
            st.floats(-9, 9),
            st.integers(1, 3),
            st.integers(1, 5),
            late=st.booleans(),
        )
    ),
    st.integers(0, 8),
)
def test_what_is_offered_never_clashes(candidates: list[Choice], most: int) -> None:
    offered = chosen(candidates, {}, most)
    assert len(offered) <= most
    for number, one in enumerate(offered):
        for other in offered[:number]:
            assert not one.told.touches(*other.told)
            assert one.technician_id != other.technician_id or not one.span.touches(*other.span)


@given(
    st.integers(0, 600).map(lambda minutes: timedelta(minutes=minutes)), st.integers(0, 200),
    st.none() | st.integers(-60, 900).map(lambda minutes: at(8) + timedelta(minutes=minutes)),
)  # fmt: skip
def test_whoever_begins_in_time_and_is_late_by_the_margin_still_comes_within(
    wait: timedelta, spread: int, due: datetime | None
) -> None:
    margin = min(timedelta(minutes=spread), LENGTH)
    for one in found(at(8) + wait, spread, due):
        assert one.told.starts_at <= one.first <= one.last
        assert one.first >= at(8) + wait
        assert one.last + margin <= one.told.ends_at
        assert SHORTEST <= one.told.ends_at - one.told.starts_at <= LENGTH
