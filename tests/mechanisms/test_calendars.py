"""Business time: workdays of China, opening hours, and arithmetic over them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.mechanisms.calendars import (
    STANDARD_HOURS,
    BusinessCalendar,
    CalendarDay,
    Days,
    import_days,
    standard_calendar,
    stored_days,
)

CALENDAR = BusinessCalendar()


def at(text: str) -> datetime:
    """A moment on Shanghai's wall clock."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


# DOMAIN §7: what the State Council published for 2026
OFF_2026 = ["01-01", "01-03", "02-15", "02-16", "02-23", "04-04", "04-06", "05-01", "05-05", "06-19", "06-21"]
OFF_2026 += ["09-25", "09-27", "10-01", "10-07"]
WORK_2026 = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


@pytest.mark.parametrize("day", WORK_2026)
def test_N_13_make_up_workdays_are_worked(day: str) -> None:
    assert CALENDAR.is_workday(date.fromisoformat(f"2026-{day}"))


@pytest.mark.parametrize("day", OFF_2026)
def test_N_13_published_holidays_are_off(day: str) -> None:
    assert not CALENDAR.is_workday(date.fromisoformat(f"2026-{day}"))


def test_N_13_a_year_nobody_published_has_plain_weekends_and_says_so() -> None:
    assert CALENDAR.is_workday(date(2049, 10, 1))  # a Friday
    assert not CALENDAR.is_workday(date(2049, 10, 2))
    assert CALENDAR.missing_years(at("2026-12-01T09:00"), at("2049-01-05T09:00"))[-1] == 2049
    assert CALENDAR.missing_years(at("2026-01-01T00:00"), at("2026-12-31T23:59")) == []


def test_N_13_an_imported_day_wins_over_the_published_one() -> None:
    days = Days({date(2026, 10, 1): True, date(2049, 10, 1): False})
    assert days.is_workday(date(2026, 10, 1))
    assert not days.is_workday(date(2049, 10, 1))
    assert days.knows(2049)
    assert not days.knows(2050)


def test_the_year_of_a_moment_is_the_local_one() -> None:
    assert CALENDAR.missing_years(at("2048-12-31T23:00"), at("2049-01-01T00:30")) == [2048, 2049]
    assert CALENDAR.missing_years(at("2049-01-01T00:30"), at("2049-01-01T00:30")) == [2049]


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-25T10:30", 60, "2026-11-25T11:30"),
        ("2026-11-25T11:30", 60, "2026-11-25T13:30"),  # over lunch
        ("2026-11-25T11:00", 60, "2026-11-25T12:00"),  # ends when people leave, not when they come back
        ("2026-11-25T17:00", 60, "2026-11-26T09:00"),  # over night
        ("2026-11-25T07:00", 30, "2026-11-25T09:00"),  # before opening
        ("2026-11-25T12:20", 30, "2026-11-25T13:30"),  # during lunch
        ("2026-11-27T17:30", 480, "2026-11-30T17:30"),  # one business day from Friday's close is Monday's close
        ("2026-02-13T17:00", 60, "2026-02-14T09:00"),  # Saturday is a make-up workday
        ("2026-02-14T17:00", 60, "2026-02-24T09:00"),  # over the Spring Festival
        ("2026-11-25T20:00", 0, "2026-11-25T20:00"),
    ],
)
def test_business_time_is_added_in_open_hours_only(start: str, minutes: int, end: str) -> None:
    assert CALENDAR.add(at(start), minutes) == at(end)


def test_the_hours_of_one_weekday_can_differ() -> None:
    calendar = BusinessCalendar(weekdays={2: ((time(14, 0), time(16, 0)),)})  # Wednesdays
    assert calendar.add(at("2026-11-25T08:30"), 60) == at("2026-11-25T15:00")
    assert calendar.add(at("2026-11-25T08:30"), 180) == at("2026-11-26T09:30")
    assert not calendar.is_open(at("2026-11-25T10:00"))
    assert calendar.is_open(at("2026-11-26T10:00"))


def test_open_means_from_opening_until_before_closing() -> None:
    assert CALENDAR.is_open(at("2026-11-25T08:30"))
    assert not CALENDAR.is_open(at("2026-11-25T12:00"))
    assert not CALENDAR.is_open(at("2026-11-25T17:30"))
    assert not CALENDAR.is_open(at("2026-10-01T10:00"))


@pytest.mark.parametrize(
    "hours",
    [(), ((time(9), time(9)),), ((time(12), time(9)),), ((time(9), time(12)), (time(11), time(15)))],
)
def test_impossible_hours_are_refused(hours: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="business"):
        BusinessCalendar(hours=hours)


def test_naive_times_and_backward_sums_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        CALENDAR.add(datetime(2026, 11, 25, 9, 0), 5)  # noqa: DTZ001 - the naive time is the case
    with pytest.raises(ValueError, match="forwards"):
        CALENDAR.add(at("2026-11-25T09:00"), -1)


def test_a_calendar_that_never_opens_says_so_instead_of_searching_for_ever() -> None:
    closed = BusinessCalendar(weekdays=dict.fromkeys(range(7), ()))
    with pytest.raises(ValueError, match="no open hours"):
        closed.add(at("2026-11-25T09:00"), 1)


MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2027, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
MINUTES = st.integers(0, 10 * 480)


def _half_hours(count: int) -> time:
    return time(count // 2, 30 * (count % 2))


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    """Any opening hours of one or two spans, some weekdays with hours of their own or none, some imported days."""

    def spans() -> tuple[tuple[time, time], ...]:
        ends = sorted(draw(st.sets(st.integers(0, 47), min_size=2, max_size=4)))
        pairs = zip(ends[::2], ends[1::2], strict=False)
        return tuple((_half_hours(opens), _half_hours(closes)) for opens, closes in pairs)

    weekdays = {day: spans() if draw(st.booleans()) else () for day in draw(st.sets(st.integers(0, 4), max_size=3))}
    imported = draw(st.dictionaries(st.dates(date(2023, 1, 1), date(2027, 12, 31)), st.booleans(), max_size=5))
    return BusinessCalendar(Days(imported), draw(st.just(STANDARD_HOURS) | st.builds(spans)), weekdays)


@given(calendars(), MOMENTS, MINUTES)
def test_adding_and_measuring_are_inverse(calendar: BusinessCalendar, start: datetime, minutes: int) -> None:
    end = calendar.add(start, minutes)
    assert calendar.minutes_between(start, end) == pytest.approx(minutes, abs=1e-6)
    assert calendar.minutes_between(end, start) == pytest.approx(-minutes, abs=1e-6)


@given(calendars(), MOMENTS, MINUTES, MINUTES)
def test_adding_twice_is_adding_once(calendar: BusinessCalendar, start: datetime, first: int, second: int) -> None:
    assert calendar.add(calendar.add(start, first), second) == calendar.add(start, first + second)


@given(calendars(), MOMENTS, st.integers(1, 10 * 480))
def test_business_time_never_passes_faster_than_the_wall(
    calendar: BusinessCalendar, start: datetime, minutes: int
) -> None:
    end = calendar.add(start, minutes)
    assert end >= start + timedelta(minutes=minutes)
    assert not calendar.is_open(end) or calendar.is_open(end - timedelta(microseconds=1))


@given(calendars(), MOMENTS, MOMENTS, MINUTES)
def test_later_starts_never_end_earlier(
    calendar: BusinessCalendar, one: datetime, other: datetime, minutes: int
) -> None:
    assume(one <= other)
    assert calendar.add(one, minutes) <= calendar.add(other, minutes)


# Stored days ---------------------------------------------------------------------------------------


def test_N_13_a_year_is_imported_once_and_corrected(app: Flask) -> None:
    days = {date(2027, 1, 1): False, date(2027, 1, 2): True}
    assert write(lambda: import_days(days, "State Council 2027")) == 2
    assert write(lambda: import_days(days, "again")) == 0
    assert write(lambda: import_days({date(2027, 1, 2): False}, "correction")) == 1
    row = session.scalars(select(CalendarDay).where(CalendarDay.day == date(2027, 1, 2))).one()
    assert (row.workday, row.source) == (False, "correction")
    calendar = standard_calendar(at("2027-01-01T09:00"))
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.missing_years(at("2027-01-01T09:00"), at("2027-06-01T09:00")) == []


def test_days_of_past_years_are_not_read(app: Flask) -> None:
    write(lambda: import_days({date(2025, 5, 1): True, date(2026, 5, 1): True}, "test"))
    assert stored_days(at("2026-12-31T23:30")).imported == {date(2026, 5, 1): True}
