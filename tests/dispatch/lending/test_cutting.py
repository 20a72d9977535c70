"""Duties cut at the edges of lendings: nothing is lost, nothing counts twice, each piece belongs to one station."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.stations.lendings import Lent, spans_for, stretches
from fieldservice.stations.roster import Duty, Member, stationed
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Span
from tests.workorders.cast import FAR, HOME, SUZHOU, WUXI, at, job, technician

EPOCH = at(0)
KUNSHAN = 3
MINUTES = st.integers(0, 60 * 48)


def moment(minutes: int) -> datetime:
    return EPOCH + timedelta(minutes=minutes)


@st.composite
def lendings(draw: st.DrawFn) -> tuple[Lent, ...]:
    """By start, never overlapping; they may touch."""
    edges = sorted(draw(st.lists(MINUTES, max_size=8, unique=True)))
    pairs = list(pairwise(edges))
    chosen = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    host = st.sampled_from((SUZHOU, KUNSHAN))
    return tuple(
        Lent(draw(host), moment(start), moment(end)) for (start, end), take in zip(pairs, chosen, strict=True) if take
    )


@st.composite
def duties(draw: st.DrawFn) -> tuple[Duty, ...]:
    made = []
    for _number in range(draw(st.integers(0, 4))):
        start, length = draw(MINUTES), draw(st.integers(1, 900))
        made.append(Duty(moment(start), moment(start + length), WUXI, draw(st.booleans())))
    return tuple(sorted(made, key=lambda one: one.starts_at))


def minutes_of(found: tuple[Duty, ...], on_call: bool) -> float:
    lengths = (one.ends_at - one.starts_at for one in found if one.on_call is on_call)
    return sum((length.total_seconds() / 60 for length in lengths), 0.0)


@given(duties(), lendings())
def test_B6_no_minute_of_duty_is_lost_or_made(roster: tuple[Duty, ...], lents: tuple[Lent, ...]) -> None:
    cut = stationed(roster, lents)
    for on_call in (True, False):
        assert minutes_of(cut, on_call) == minutes_of(roster, on_call)
    for duty in cut:
        holding = [one for one in lents if one.touches(duty.starts_at, duty.ends_at)]
        assert len(holding) <= 1
        assert duty.starts_at < duty.ends_at
        if holding:
            assert holding[0].starts_at <= duty.starts_at
            assert duty.ends_at <= holding[0].ends_at
        assert duty.station_id == (holding[0].station_id if holding else WUXI)
    assert Member(1, WUXI, HOME, duties=cut).with_on_call == Member(1, WUXI, HOME, duties=roster).with_on_call
    assert stationed(cut, lents) == cut, "cutting again changes nothing"


@given(MINUTES, st.integers(1, 900), lendings())
def test_pieces_follow_each_other(start: int, length: int, lents: tuple[Lent, ...]) -> None:
    begins, ends = moment(start), moment(start + length)
    found = stretches(begins, ends, lents)
    assert found[0][0] == begins
    assert found[-1][1] == ends
    assert all(one[1] == following[0] for one, following in pairwise(found))
    for station in (WUXI, SUZHOU, KUNSHAN):
        mine = spans_for(station, [(begins, ends)], lents)
        lent_away = [one for one in lents if one.station_id != station]
        assert not any(one.touches(*span) for one in lent_away for span in mine)
    assert spans_for(WUXI, [(begins, ends)], ()) == [(begins, ends)]


# Lu is on duty 8–18, and lent to Suzhou from 12 on: hours, what Wuxi and Suzhou are told.
LENT = Lent(SUZHOU, at(12), at(0) + timedelta(days=2), {"zh": "苏州", "en": "Suzhou"})
CASES = [
    ("home before", WUXI, (9, 11), []),
    ("home up to the edge", WUXI, (10, 12), []),
    ("home across the edge", WUXI, (11, 13), ["station", "shift"]),
    ("home within", WUXI, (13, 15), ["station", "shift"]),
    ("borrower within", SUZHOU, (13, 15), []),
    ("borrower from the edge", SUZHOU, (12, 14), []),  # who left home at 8 is there by then
    ("borrower across the edge", SUZHOU, (11, 13), ["shift"]),
    ("a third station", KUNSHAN, (13, 15), ["station", "shift"]),
]


@pytest.mark.parametrize(("station", "hours", "rules"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("lends", [True, False], ids=["free", "strict"])
def test_B6_who_may_book_him_when(station: int, hours: tuple[int, int], rules: list[str], lends: bool) -> None:
    duties = stationed(technician().member.duties, [LENT])
    day = technician(duties=duties, lent=(LENT,), lends=lends)
    found = [one.rule for one in refusals(job(station_id=station), day, *Span(at(hours[0]), at(hours[1])))]
    assert found == rules


def test_the_refusal_names_the_station_and_the_end() -> None:
    day = technician(duties=stationed(technician().member.duties, [LENT]), lent=(LENT,))
    first = refusals(job(), day, at(13), at(15))[0]
    assert (first.facts["lent_to"], first.facts["names"]["en"], first.facts["ends_at"]) == (
        SUZHOU, "Suzhou", LENT.ends_at,
    )  # fmt: skip


def test_who_is_lodged_begins_the_day_there() -> None:
    lodged = Lent(SUZHOU, at(0), at(0) + timedelta(days=1), lodging=FAR)
    member = technician(lent=(lodged,)).member
    assert member.home_at(at(8)) == FAR
    assert member.home_at(at(8) + timedelta(days=1)) == HOME
