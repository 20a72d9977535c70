"""Time limits: how they are read, written, compared and never made worse."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.mechanisms.calendars import BusinessCalendar
from fieldservice.mechanisms.clocks.core import moments
from fieldservice.mechanisms.limits import MOST_MINUTES, Limit, limit_text, never_worse

LIMITS = st.builds(Limit, st.integers(1, 20 * 480), st.sampled_from(["wall", "business"]))
STARTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@pytest.mark.parametrize(
    ("text", "minutes", "calendar"),
    [
        ("15 min", 15, "wall"),
        ("24 h", 1440, "wall"),
        ("1d", 1440, "wall"),
        ("30 bmin", 30, "business"),
        ("2 bh", 120, "business"),
        (" 1 bd ", 480, "business"),
    ],
)
def test_limits_are_read_as_people_write_them(text: str, minutes: int, calendar: str) -> None:
    limit = Limit.parse(text)
    assert (limit.minutes, limit.calendar, limit.origin) == (minutes, calendar, "default")


@pytest.mark.parametrize(
    "text", ["", "4", "h", "4 hours", "-4 h", "0 h", "4.5 h", "4 H", "９ h", "9999999 d", "4 h\x00", "4  h", "1e3 h"]
)
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="limit"):
        Limit.parse(text)


@given(LIMITS)
def test_a_written_limit_reads_back(limit: Limit) -> None:
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize("minutes", [0, -1, MOST_MINUTES + 1])
def test_a_limit_is_longer_than_nothing_and_shorter_than_a_career(minutes: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        Limit(minutes)


@pytest.mark.parametrize(
    ("given_", "floor", "fits"),
    [
        ("4 h", "4 h", True),
        ("2 h", "4 h", True),
        ("5 h", "4 h", False),
        ("4 h", "4 bh", True),  # four hours of the wall never last longer than four business hours
        ("4 bh", "4 h", False),
        ("1 bh", "24 h", False),  # on a Friday evening it ends on Monday
        ("2 bh", "1 bd", True),
    ],
)
def test_G_15_what_is_never_worse(given_: str, floor: str, *, fits: bool) -> None:
    assert never_worse(Limit.parse(given_), Limit.parse(floor)) is fits


@given(LIMITS, LIMITS, STARTS)
def test_G_15_never_worse_holds_from_every_start(one: Limit, floor: Limit, start: datetime) -> None:
    if never_worse(one, floor):
        calendar = BusinessCalendar()
        assert moments(start, one, calendar)[-1] <= moments(start, floor, calendar)[-1]


@given(LIMITS, LIMITS, LIMITS)
def test_never_worse_orders_limits(one: Limit, two: Limit, three: Limit) -> None:
    assert never_worse(one, one)
    if never_worse(one, two) and never_worse(two, three):
        assert never_worse(one, three)


@given(LIMITS, st.sampled_from([0.5, 0.75, 1.0]))
def test_tier_factors_never_lengthen(limit: Limit, factor: float) -> None:
    scaled = limit.scaled(factor)
    assert never_worse(scaled, limit)
    assert limit.minutes == 1 or abs(scaled.minutes - limit.minutes * factor) < 1
    assert limit.scaled(1.0) == limit


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("24 h", "24 h", "24 小时"),
        ("30 min", "30 min", "30 分钟"),
        ("1 bd", "1 business day", "1 个工作日"),
        ("2 bd", "2 business days", "2 个工作日"),
        ("2 bh", "2 business hours", "2 个工作小时"),
        ("90 bmin", "90 business minutes", "90 个工作分钟"),
    ],
)
def test_limits_in_words(sqlite_app: Flask, text: str, en: str, zh: str) -> None:
    with force_locale("en"):
        assert limit_text(Limit.parse(text)) == en
    with force_locale("zh"):
        assert limit_text(Limit.parse(text)) == zh
