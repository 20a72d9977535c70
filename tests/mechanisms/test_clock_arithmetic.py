"""Clock arithmetic: when a limit ends, what has passed, what pauses give back. Pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.mechanisms.calendars import BusinessCalendar
from fieldservice.mechanisms.clocks import core
from fieldservice.mechanisms.limits import Limit

CALENDAR = BusinessCalendar()


def at(text: str) -> datetime:
    """A moment on Shanghai's wall clock."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def marks(start: str, limit: str) -> list[datetime]:
    return list(core.moments(at(start), Limit.parse(limit), CALENDAR))


def test_T_05_a_request_on_a_holiday_eve_is_due_a_day_later() -> None:
    """2026-09-30 23:00, before seven days of National Day."""
    half, three_quarters, ninety, due = marks("2026-09-30T23:00", "24 h")
    assert due == at("2026-10-01T23:00")
    assert half == at("2026-10-01T11:00")
    assert three_quarters == at("2026-10-01T17:00")
    assert ninety == at("2026-10-01T20:36")


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-11-25T10:30", "4 h", "2026-11-25T14:30"),
        ("2026-11-25T10:30", "2 bh", "2026-11-25T13:30"),
        ("2026-11-25T10:30", "1 bd", "2026-11-26T10:30"),
        ("2026-02-14T17:00", "1 bh", "2026-02-24T09:00"),  # over the Spring Festival
        ("2026-02-14T17:00", "1 h", "2026-02-14T18:00"),
        ("2026-11-27T23:00", "15 min", "2026-11-27T23:15"),
        ("2026-11-27T23:00", "2 bh", "2026-11-30T10:30"),
    ],
)
def test_when_limits_end(start: str, limit: str, due: str) -> None:
    assert marks(start, limit)[-1] == at(due)


@pytest.mark.parametrize(
    ("now", "share"),
    [
        ("10:29", 0),
        ("11:00", 0),
        ("12:30", 50),
        ("13:29", 50),
        ("13:30", 75),
        ("14:06", 90),
        ("14:30", 90),
        ("14:31", 100),
    ],
)
def test_which_share_has_passed(now: str, share: int) -> None:
    """A promise met exactly when it is due is kept, so 100 % has passed only afterwards."""
    assert core.passed_share(tuple(marks("2026-11-25T10:30", "4 h")), at(f"2026-11-25T{now}")) == share


def test_when_to_look_again() -> None:
    four_hours = tuple(marks("2026-11-25T10:30", "4 h"))
    assert [core.next_check(four_hours, told) for told in (0, 50, 75)] == list(four_hours[:3])
    assert core.next_check(four_hours, 90) == four_hours[3] + core.INSTANT
    assert core.next_check(four_hours, 100) is None


def test_kept_up_to_the_due_moment() -> None:
    due = at("2026-11-25T14:30")
    assert core.outcome(due, due) == "kept"
    assert core.outcome(due, due + core.INSTANT) == "breached"


def test_pauses_count_once_and_within_the_time() -> None:
    start, end = at("2026-11-25T10:00"), at("2026-11-25T14:00")
    pauses = [
        (at("2026-11-25T11:00"), at("2026-11-25T12:00")),
        (at("2026-11-25T11:30"), at("2026-11-25T12:30")),  # overlaps
        (at("2026-11-25T09:00"), at("2026-11-25T10:15")),  # began before
        (at("2026-11-25T13:45"), None),  # still open
    ]
    assert core.net_minutes(start, end, pauses) == 240 - 90 - 15 - 15
    assert core.net_minutes(start, end, []) == 240
    assert core.net_minutes(start, end, [(start, None)]) == 0
    assert core.net_minutes(start, end, [(end, None)]) == 240


# Properties ----------------------------------------------------------------------------------------

LIMITS = st.builds(Limit, st.integers(1, 5 * 480), st.sampled_from(["wall", "business"]))
STARTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
LENGTHS = st.integers(0, 3 * 1440).map(lambda minutes: timedelta(minutes=minutes))


@given(STARTS, LIMITS)
def test_shares_pass_in_order(start: datetime, limit: Limit) -> None:
    moments = core.moments(start, limit, CALENDAR)
    assert list(moments) == sorted(moments)
    assert start < moments[-1]
    assert core.share_used(start, moments, start) == 0
    assert core.share_used(start, moments, moments[-1]) == 1


@given(STARTS, LIMITS, st.lists(LENGTHS, min_size=2, max_size=6))
def test_used_share_grows_and_agrees_with_the_warnings(start: datetime, limit: Limit, steps: list[timedelta]) -> None:
    moments = core.moments(start, limit, CALENDAR)
    now, before = start, 0.0
    for step in steps:
        now += step
        used = core.share_used(start, moments, now)
        assert before <= used <= 1
        assert core.passed_share(moments, now) <= 100 * used + 1e-6
        before = used


@given(STARTS, LIMITS, LENGTHS, LENGTHS)
def test_a_pause_never_shortens_and_keeps_what_was_left(
    start: datetime, limit: Limit, after: timedelta, length: timedelta
) -> None:
    before = core.moments(start, limit, CALENDAR)
    paused, resumed = start + after, start + after + length
    moved = core.after_pause(before, paused, resumed, limit.calendar, CALENDAR)
    for old, new in zip(before, moved, strict=True):
        assert new >= old
        if old <= paused:
            assert new == old
        elif limit.calendar == "wall":
            assert new - resumed == old - paused
        else:
            left = CALENDAR.minutes_between(paused, old)
            assert CALENDAR.minutes_between(resumed, new) == pytest.approx(left, abs=1e-6)


@given(STARTS, LIMITS, LENGTHS)
def test_a_pause_of_no_length_changes_nothing(start: datetime, limit: Limit, after: timedelta) -> None:
    """Up to business time between two openings, which is the same time."""
    before = core.moments(start, limit, CALENDAR)
    moved = core.after_pause(before, start + after, start + after, limit.calendar, CALENDAR)
    assert all(CALENDAR.minutes_between(old, new) == 0 for old, new in zip(before, moved, strict=True))


PAUSES = st.lists(
    st.tuples(STARTS, st.none() | LENGTHS).map(lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])),
    max_size=6,
)


@given(STARTS, LENGTHS, PAUSES)
def test_net_time_lies_between_nothing_and_all(start: datetime, length: timedelta, pauses: list[core.Pause]) -> None:
    end = start + length
    assert 0 <= core.net_minutes(start, end, pauses) <= length.total_seconds() / 60 + 1e-6


@given(STARTS, PAUSES)
def test_disjoint_pauses_are_in_order_and_cover_the_same(until: datetime, pauses: list[core.Pause]) -> None:
    spans = core.disjoint(pauses, until)
    ends = [moment for span in spans for moment in span]
    assert ends == sorted(ends)
    for begins, closes in pauses:
        for moment in (begins, (closes or until) - core.INSTANT):
            inside = begins <= moment < min(closes or until, until)
            assert not inside or any(left <= moment < right for left, right in spans)
