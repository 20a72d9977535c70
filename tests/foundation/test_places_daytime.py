"""Travel by the hour of the day: nobody who sets out later arrives earlier, and there and back agree."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldservice.foundation.places import daytime
from fieldservice.foundation.places.daytime import Daytime
from fieldservice.foundation.time import at_local, clock, local

CHINA, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HAIR = timedelta(microseconds=5)  # moments are whole microseconds
WEDNESDAY = datetime(2026, 11, 25, tzinfo=CHINA)
SATURDAY = WEDNESDAY + timedelta(days=3)

hours = st.lists(st.floats(0.5, 3.0), min_size=24, max_size=24).map(tuple)
tables = st.one_of(st.just(daytime.default()), st.builds(Daytime, hours, hours))
moments = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda since: datetime(2026, 1, 1, tzinfo=UTC) + since)
lengths = st.floats(0, 3000)
zones = st.sampled_from([CHINA, BERLIN])  # whose clocks never change, and do
SPRING, AUTUMN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    before = clock.zone
    clock.zone = CHINA
    yield
    clock.zone = before


@pytest.mark.parametrize(
    ("at", "factor"),
    [
        (WEDNESDAY.replace(hour=3), 0.9),
        (WEDNESDAY.replace(hour=6, minute=59, second=59), 1.0),
        (WEDNESDAY.replace(hour=7), 1.25),
        (WEDNESDAY.replace(hour=8, minute=59), 1.25),
        (WEDNESDAY.replace(hour=18), 1.25),
        (WEDNESDAY.replace(hour=23, minute=59), 0.9),
        (SATURDAY.replace(hour=8), 1.0),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), 1.25),  # half past seven on Wednesday in China
    ],
)
def test_the_projects_table_knows_the_rush_hours(at: datetime, factor: float) -> None:
    assert daytime.default().factor(at) == factor


@pytest.mark.parametrize(
    ("left", "base", "arrived"),
    [
        ("10:00", 30, "10:31:30"),  # 1.05
        ("08:00", 30, "08:37:30"),  # 1.25
        ("06:30", 54, "07:30"),  # half an hour at 1.0, then 24 base minutes at 1.25
        ("16:30", 60, "17:30:54.545455"),  # 30 / 1.1 base minutes before five, the rest at 1.25
        ("12:00", 0, "12:00"),
    ],
)
def test_a_drive_goes_at_the_pace_of_the_hour_it_is_in(left: str, base: float, arrived: str) -> None:
    depart_at, arrive_at = (datetime.fromisoformat(f"2026-11-25T{one}+08:00") for one in (left, arrived))
    if left == "16:30":
        arrive_at = WEDNESDAY.replace(hour=17) + timedelta(minutes=(60 - 30 / 1.1) * 1.25)
    assert abs(daytime.default().arrival(depart_at, base) - arrive_at) <= HAIR
    assert abs(daytime.default().latest_departure(arrive_at, base) - depart_at) <= HAIR


@given(tables, zones, moments, st.timedeltas(timedelta(0), timedelta(hours=8)), lengths)
@example(daytime.default(), BERLIN, SPRING, timedelta(hours=1), 45.0)
@example(daytime.default(), BERLIN, AUTUMN, timedelta(hours=1), 45.0)
def test_leaving_later_never_arrives_earlier(
    table: Daytime, zone: ZoneInfo, left: datetime, wait: timedelta, base: float
) -> None:
    clock.zone = zone
    assert left <= table.arrival(left, base) <= table.arrival(left + wait, base)
    assert table.latest_departure(left, base) <= table.latest_departure(left + wait, base)


@given(tables, zones, moments, lengths)
@example(daytime.default(), BERLIN, SPRING, 45.0)
@example(daytime.default(), BERLIN, AUTUMN, 45.0)
def test_the_latest_departure_is_the_inverse_of_the_arrival(
    table: Daytime, zone: ZoneInfo, moment: datetime, base: float
) -> None:
    clock.zone = zone
    assert abs(table.latest_departure(table.arrival(moment, base), base) - moment) <= HAIR * 6
    spent = table.latest_departure(moment, base)
    assert moment - HAIR * 6 <= table.arrival(spent, base) <= moment


@given(tables, zones, moments, st.lists(lengths, max_size=8))
def test_longer_drives_take_longer_and_within_the_factors(
    table: Daytime, zone: ZoneInfo, left: datetime, bases: list[float]
) -> None:
    clock.zone = zone
    base = np.array(sorted(bases), dtype=np.float64)
    taken = np.array([table.minutes_from(left, one) for one in base.tolist()], dtype=np.float64)
    assert (np.diff(taken) >= -1e-6).all()
    factors = (*table.weekday, *table.weekend)
    assert (taken >= base * min(factors) - 1e-6).all()
    assert (taken <= base * max(factors) + 1e-6).all()
    for one, minutes in zip(base.tolist(), taken.tolist(), strict=True):
        assert abs(table.arrival(left, one) - left - timedelta(minutes=minutes)) <= HAIR
        assert table.minutes_until(table.arrival(left, one), one) == pytest.approx(minutes, abs=1e-6)


@given(tables, zones, moments, st.lists(st.timedeltas(timedelta(0), timedelta(days=40)), max_size=8))
@example(daytime.default(), BERLIN, AUTUMN, [timedelta(minutes=10 * number) for number in range(144)])
@example(daytime.default(), BERLIN, SPRING, [timedelta(minutes=10 * number) for number in range(144)])
def test_many_moments_give_the_same_as_one_each(
    table: Daytime, zone: ZoneInfo, first: datetime, later: list[timedelta]
) -> None:
    clock.zone = zone
    at = [first + one for one in later]
    together = table.factors(np.array([one.replace(tzinfo=None) for one in at], dtype="datetime64[us]"))
    assert list(together) == [table.factor(one) for one in at]


@given(zones, moments, lengths)
def test_hours_that_are_all_usual_change_nothing(zone: ZoneInfo, left: datetime, base: float) -> None:
    clock.zone = zone
    usual = Daytime((1.0,) * 24, (1.0,) * 24)
    assert abs(usual.arrival(left, base) - left - timedelta(minutes=base)) <= HAIR


def test_the_weekend_begins_at_local_midnight() -> None:
    table = Daytime((1.0,) * 24, (2.0,) * 24)
    friday_night = at_local(SATURDAY.date()) - timedelta(minutes=30)
    assert local(table.arrival(friday_night, 60)) == SATURDAY.replace(hour=1)


@pytest.mark.parametrize("base", [-1.0, float("nan"), float("inf"), 1e9])
def test_senseless_lengths_are_refused(base: float) -> None:
    for ask in (daytime.default().arrival, daytime.default().latest_departure):
        with pytest.raises(ValueError, match="drive"):
            ask(WEDNESDAY, base)


def test_a_moment_says_its_offset() -> None:
    naive = WEDNESDAY.replace(tzinfo=None)
    for ask in (daytime.default().arrival, daytime.default().latest_departure):
        with pytest.raises(ValueError, match="offset"):
            ask(naive, 1.0)
    with pytest.raises(ValueError, match="offset"):
        daytime.default().factor(naive)


@pytest.mark.parametrize(
    "spans",
    [{"00-23": 1}, {"00-12": 1, "13-24": 1}, {"00-12": 1, "11-24": 1}, {"00-24": 0}, {"00-24": float("inf")}, {},
     {"00-25": 1}, {"00-24": "slow"}, {"night": 1}],
)  # fmt: skip
def test_a_table_with_gaps_or_impossible_factors_is_refused(spans: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        daytime.read({"weekday": spans, "weekend": {"00-24": 1.0}})
    with pytest.raises(ValueError, match="weekend"):
        daytime.read({"weekday": {"00-24": 1.0}})
