"""Each figure against cases made by hand, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local
from fieldservice.insight import charts
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.metrics import (
    MetricResult,
    Period,
    Scope,
    all_metrics,
    measure,
    measure_stations,
    measure_weeks,
)
from fieldservice.stations.models import Station
from tests.factories import asset, customer, site
from tests.insight.cases import MORNING, closed, promise, surveyed, visited
from tests.workorders.cast import DAY
from tests.workorders.scene import make_station

CODES = ("promise_kept", "resolve_24h", "arrival_rate", "first_response", "first_time_fix", "top_box")
TODAY = Period(DAY, DAY)
MONTH = Period(DAY - timedelta(days=27), DAY)
HOUR = timedelta(hours=1)


@pytest.fixture
def station(app: Flask, clock: Clock) -> Station:
    clock.fix(at_local(DAY, 18))
    return write(make_station)


def figure(code: str, period: Period = TODAY, scope: Scope | None = None) -> MetricResult:
    return measure(code, period, scope or Scope())


def parts_of(result: MetricResult) -> tuple[Any, int]:
    return result.numerator, result.denominator


def test_S_14_promises_kept_come_first() -> None:
    assert tuple(one.code for one in all_metrics())[:6] == CODES


@pytest.mark.parametrize("code", CODES)
def test_without_cases_there_is_no_value(station: Station, code: str) -> None:
    assert figure(code).value is None
    assert figure(code).denominator == 0
    assert all(part.value is None for part in measure_weeks(code, MONTH, Scope()).values())


def test_promise_kept_counts_told_and_decided_promises_by_due_day(station: Station) -> None:
    def build() -> None:
        one = closed(station)
        promise(one, "arrival", "4 h", hours=2)  # due 09:00: kept
        promise(one, "restore", "3 h", hours=5)  # broken
        promise(one, "first_answer", "15 min", hours=0.1, told=False)  # nobody was told
        promise(closed(station), "restore", "24 h", hours=2)  # falls due tomorrow
        promise(closed(station), "restore", "12 h", hours=None)  # still running
        voided = closed(station)
        promise(voided, "restore", "4 h", hours=None)
        clocks.void(voided, at=MORNING)

    write(build)
    assert parts_of(figure("promise_kept")) == (1, 2)
    assert figure("promise_kept").value == 50


@pytest.mark.parametrize("facts", [{"is_test": True}, {"state": "cancelled"}, {"state": "duplicate"}])
def test_test_cancelled_and_duplicate_requests_count_nowhere(station: Station, facts: dict[str, Any]) -> None:
    def build() -> None:
        one = closed(station, at=MORNING - timedelta(days=30), **facts)
        visited(one, station, MORNING - timedelta(days=30))
        two = closed(station, **facts)
        promise(two, "arrival", "4 h", hours=1)
        promise(two, "restore", "4 h", hours=2)
        promise(two, "first_answer", "15 min", hours=0.1)
        surveyed(two, MORNING, reliability=5, empathy=5, assurance=5, tangibles=5, responsiveness=5)

    write(build)
    assert [figure(code).denominator for code in CODES] == [0] * 6


def test_resolve_24h_counts_faults_under_the_promise_by_closing_day(station: Station) -> None:
    def build() -> None:
        for took in (3, 24, 24.1):
            promise(closed(station, took=took), "restore", "24 h", hours=took)
        promise(closed(station), "restore", "72 h", hours=2)  # a longer promise
        promise(closed(station), "arrival", "4 h", hours=2)  # none to restore
        promise(closed(station, restored_at=None), "restore", "24 h", hours=None)  # closed, never restored
        promise(closed(station, at=MORNING - timedelta(days=1)), "restore", "24 h", hours=2)  # yesterday

    write(build)
    assert parts_of(figure("resolve_24h")) == (2, 4)


def test_arrival_rate_leaves_planned_work_out(station: Station) -> None:
    def build() -> None:
        promise(closed(station), "arrival", "4 h", hours=4, priority="P1")
        promise(closed(station), "arrival", "4 h", hours=4.1, priority="P2")
        promise(closed(station), "arrival", "4 h", hours=1, priority="P4")
        promise(closed(station), "restore", "4 h", hours=1, priority="P1")

    write(build)
    assert parts_of(figure("arrival_rate")) == (1, 2)


@pytest.mark.parametrize(("minutes", "middle"), [((9,), 9), ((5, 30, 10), 10), ((5, 10, 20, 60), 15)])
def test_first_response_is_the_median_of_minutes(station: Station, minutes: tuple[int, ...], middle: float) -> None:
    def build() -> None:
        for waited in minutes:
            promise(closed(station), "first_answer", "15 min", hours=waited / 60)
        promise(closed(station), "first_answer", "15 min", hours=None)  # nobody answered yet

    write(build)
    assert (figure("first_response").value, figure("first_response").denominator) == (middle, len(minutes))


THEN = MORNING - timedelta(days=30)  # closed then, a fix is known to hold today


def asset_of() -> int:
    return asset(site(customer())).id


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("restored at once", (1, 1)),
        ("not restored at the first", (0, 1)),
        ("came again for the same order", (0, 1)),
        ("came again for the same fault", (0, 1)),
        ("came again for the same fault of a reopened request", (0, 1)),
        ("came again after 30 days", (1, 1)),
        ("came again for another fault", (1, 1)),
        ("no access, then restored", (1, 1)),
        ("inspection", (0, 0)),
        ("never visited", (0, 0)),
        ("closed 29 days ago", (0, 0)),
    ],
)
def test_first_time_fix(station: Station, case: str, expected: tuple[int, int]) -> None:
    def build() -> None:
        machine = asset_of()
        fault = {"asset_id": machine, "failure_mode": "ELP"}
        at = THEN + timedelta(days=1) if "29" in case else THEN
        request = closed(station, at=at)
        first = at - 2 * HOUR
        if case == "never visited":
            return
        if case == "no access, then restored":
            order = visited(request, station, first - 20 * HOUR, restored=False, end_reason="no_access", **fault)
            visited(request, station, first, order=order)
            return
        kind = {"kind": "inspection"} if case == "inspection" else {}
        order = visited(request, station, first, restored=case != "not restored at the first", **fault, **kind)
        if case == "came again for the same order":
            visited(request, station, first + timedelta(days=2), order=order)
        again = first + timedelta(days=31 if "after 30" in case else 10)
        if "reopened" in case:
            request.restored_at = again + HOUR
            visited(request, station, again, failure_mode="VIB")
        elif case.startswith("came again") and "order" not in case:
            other = closed(station, at=again + HOUR)
            visited(other, station, again, **{**fault, **({"failure_mode": "VIB"} if "another" in case else {})})

    write(build)
    assert parts_of(figure("first_time_fix")) == expected


def test_first_time_fix_counts_in_the_week_its_30_days_end(station: Station) -> None:
    write(lambda: visited(closed(station, at=THEN), station, THEN - 2 * HOUR))
    weeks = measure_weeks("first_time_fix", MONTH, Scope())
    assert [first for first, part in weeks.items() if part.denominator] == [DAY - timedelta(days=2)]


def test_top_box_counts_every_score_and_hides_few(station: Station) -> None:
    write(lambda: surveyed(closed(station), MORNING, reliability=5, empathy=4))
    assert (figure("top_box").denominator, figure("top_box").value) == (2, None)
    write(lambda: surveyed(closed(station), MORNING, reliability=5, empathy=5, assurance=3))
    assert (*parts_of(figure("top_box")), figure("top_box").value) == (3, 5, 60)


@pytest.mark.parametrize(
    ("minutes", "day"),
    [(-1, DAY - timedelta(days=1)), (0, DAY), (24 * 60 - 1, DAY), (24 * 60, DAY + timedelta(days=1))],
)
def test_a_day_begins_at_midnight_in_shanghai(station: Station, clock: Clock, minutes: int, day: Any) -> None:
    clock.fix(at_local(DAY, 18) + timedelta(days=3))
    at = at_local(DAY) + timedelta(minutes=minutes)
    write(lambda: promise(closed(station, at=at), "restore", "24 h", hours=3))
    around = [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]
    assert [one for one in around if figure("resolve_24h", Period(one, one)).denominator] == [day]
    assert [first for first, part in measure_weeks("resolve_24h", Period(day, day), Scope()).items() if
            part.denominator] == [day]  # fmt: skip


def test_a_week_begins_on_monday_in_shanghai(station: Station) -> None:
    monday = DAY - timedelta(days=2)
    for minutes in (-1, 0):
        at = at_local(monday) + timedelta(minutes=minutes)
        write(lambda at=at: promise(closed(station, at=at), "restore", "24 h", hours=3))  # type: ignore[misc]
    weeks = measure_weeks("resolve_24h", MONTH, Scope())
    assert {first: part.denominator for first, part in weeks.items() if part.denominator} == {
        monday - timedelta(days=7): 1, monday: 1,
    }  # fmt: skip


def test_stations_and_weeks_add_up_to_the_whole(station: Station) -> None:
    def build() -> list[int]:
        stations = [station, make_station("SHPD", zh="浦东", en="Pudong"), make_station("NJJN", zh="南京", en="NJ")]
        for number in range(24):
            at = MORNING - timedelta(days=number)
            one = closed(stations[number % 2], at=at)
            promise(one, "arrival", "4 h", hours=number % 6)
            promise(one, "restore", "24 h", hours=3)
            promise(one, "first_answer", "15 min", hours=number / 60)
            visited(closed(stations[number % 2], at=at - timedelta(days=30)), station, at - timedelta(days=30, hours=1))
            surveyed(one, at, reliability=number % 5 + 1, empathy=5)
        return [one.id for one in stations]

    ids = write(build)
    for code in CODES:
        whole = figure(code, MONTH)
        assert whole.denominator >= 23
        for parts in (measure_stations(code, MONTH, Scope(), ids), measure_weeks(code, MONTH, Scope())):
            assert sum(part.denominator for part in parts.values()) == whole.denominator, code
            assert sum(part.numerator or 0 for part in parts.values()) == (whole.numerator or 0), code
        alone = [figure(code, MONTH, Scope.of(one)).denominator for one in ids]
        assert sum(alone) == whole.denominator
        assert alone[2] == 0
        assert figure(code, MONTH, Scope.of(ids[2])).value is None
    session.rollback()


def test_of_many_stations_the_worst_are_drawn() -> None:
    rows = [(f"S{number}", float(number), "") for number in range(100)]
    drawn = charts.dots(rows, 95.0, "higher")
    assert (len(drawn.dots), drawn.better) == (charts.MOST_DOTS, 100 - charts.MOST_DOTS)
    assert (drawn.dots[0].label, drawn.dots[-1].label) == ("S29", "S0")
    assert charts.dots(rows[:3], None, "lower").better == 0
