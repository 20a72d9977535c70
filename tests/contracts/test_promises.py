"""Promises: limits with their tiers, floor and calendar; given at receipt, shortened, never lengthened."""

import json
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.contracts import promises
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import Clock, local, now
from fieldservice.foundation.words import all_words
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.limits import Limit, never_worse
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code
from tests.workorders.scene import make_customer, make_request, make_station

TIERS = list(all_words()["tier"])
PRIORITIES = ("P1", "P2", "P3", "P4")


def station() -> Station:
    """Wuxi, opened at first use."""
    return session.scalar(select(Station)) or make_station()


def given(priority: str, tier: str | None = None, **facts: Any) -> dict[str, clocks.Clock]:
    """The promises of a new request, by kind."""

    def work() -> list[clocks.Clock]:
        customer = make_customer(tier=tier) if tier else None
        request = make_request(station(), customer, priority, arrival=None, state="new", **facts)
        return promises.give(request, at=now())

    return {clock.kind: clock for clock in write(work)}


PUBLISHED = {
    "P1": {"first_answer": "15 min", "arrival": "4 h", "restore": "24 h"},
    "P2": {"first_answer": "30 min", "arrival": "8 h", "restore": "24 h"},
    "P3": {"first_answer": "2 bh", "arrival": "24 h", "restore": "24 h"},
    "P4": {"first_answer": "1 bd"},
}


def test_T_04_T_05_published_limits(app: Flask) -> None:
    for priority, expected in PUBLISHED.items():
        assert {kind: str(clock.limit) for kind, clock in given(priority).items()} == expected


def test_a_tier_shortens_the_arrival(app: Flask) -> None:
    for tier, hours in (("vip", 2), ("key", 3), ("standard", 4), ("basic", 4), (None, 4)):
        clock = given("P1", tier)["arrival"]
        assert (clock.limit_minutes, clock.origin) == (hours * 60, "tier" if hours < 4 else "default")


def test_G_15_no_tier_falls_below_the_published_standard(sqlite_app: Flask) -> None:
    for priority, tier in product(PRIORITIES, TIERS):
        standard = promises.effective(priority, customer_id=None, tier=None, station_id=None)
        theirs = promises.effective(priority, customer_id=None, tier=tier, station_id=None)
        assert theirs.keys() == standard.keys()
        assert all(never_worse(theirs[kind], standard[kind]) for kind in standard), (priority, tier)


@pytest.mark.parametrize(("scope", "key"), [("tier", "basic"), ("customer", 1), ("station", 1)])
def test_G_15_a_worse_agreement_is_refused(sqlite_app: Flask, scope: Any, key: object) -> None:
    with pytest.raises(Invalid):
        write(lambda: policies.set_override("arrival.P1", scope, key, "5 h", at=now()))


def test_G_15_an_agreement_may_be_better(app: Flask) -> None:
    write(lambda: policies.set_override("arrival.P1", "customer", 7, "90 min", at=now()))
    found = promises.effective("P1", customer_id=7, tier="vip", station_id=1)
    assert (str(found["arrival"]), found["arrival"].origin) == ("90 min", "customer")


def test_G_15_severity_outranks_tier() -> None:
    assert [promises.priority_for(code) for code in ("safety", "line_stop", "degraded", "minor")] == [
        "P1",
        "P1",
        "P2",
        "P3",
    ]
    assert set(promises.limits()["priority"]) == set(all_words()["severity"])


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-09-30T23:00:00+08:00", "2026-10-01T23:00:00+08:00"),  # the eve of the National Day holiday
        ("2026-11-28T08:00:00+08:00", "2026-11-29T08:00:00+08:00"),  # a Saturday
    ],
)
def test_T_05_restored_within_24_clock_hours_holidays_included(
    app: Flask, clock: Clock, received: str, due: str
) -> None:
    clock.fix(datetime.fromisoformat(received))
    assert given("P3")["restore"].due_at == datetime.fromisoformat(due)


def test_P3_is_answered_in_business_hours(app: Flask, clock: Clock) -> None:
    clock.fix(datetime.fromisoformat("2026-11-27T17:00:00+08:00"))  # Friday, half an hour before closing
    assert given("P3")["first_answer"].due_at == datetime.fromisoformat("2026-11-30T10:00:00+08:00")


def test_promises_start_at_receipt(app: Flask, clock: Clock) -> None:
    received = now() - timedelta(hours=1)
    assert {one.started_at for one in given("P1", received_at=received).values()} == {received}


# Shortened, never lengthened --------------------------------------------------------------------------


def changed(before: str, after: str) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Due moments before and after a change of priority."""

    def work() -> tuple[dict[str, datetime], dict[str, datetime]]:
        request = make_request(station(), None, before, arrival=None, state="new")
        promises.give(request, at=now())
        first = {one.kind: one.due_at for one in clocks.of(request)}
        request.priority = after
        promises.shorten(request, at=now())
        return first, {one.kind: one.due_at for one in clocks.of(request)}

    return write(work)


def test_triage_never_lengthens_a_promise(app: Flask) -> None:
    for before, after in product(PRIORITIES, PRIORITIES):
        first, then = changed(before, after)
        assert then.keys() == first.keys()
        assert all(then[kind] <= first[kind] for kind in first), (before, after)


def test_a_more_urgent_priority_shortens_from_receipt(app: Flask) -> None:
    first, then = changed("P3", "P1")
    assert then["arrival"] - first["arrival"] == timedelta(hours=4 - 24)
    assert local(then["first_answer"]) == local(now()) + timedelta(minutes=15)


# Planned work -----------------------------------------------------------------------------------------


def planned(priority: str, day: date) -> clocks.Clock | None:
    def work() -> clocks.Clock | None:
        request = make_request(make_station(), None, priority, arrival=None, state="new")
        promises.give(request, at=now())
        return promises.agree_on_date(request, day, at=now())

    return write(work)


def test_P4_is_due_by_the_agreed_date(app: Flask) -> None:
    clock = planned("P4", date(2026, 12, 10))
    assert clock is not None
    assert (clock.kind, clock.origin) == ("restore", "agreed")
    assert clock.due_at == datetime.fromisoformat("2026-12-10T17:30:00+08:00")


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2027, 11, 27), date(1, 1, 1), date(9999, 12, 31)])
def test_P4_by_a_day_that_makes_no_sense_is_refused(sqlite_app: Flask, day: date) -> None:
    with pytest.raises(Invalid) as refused:
        planned("P4", day)
    assert "day" in refused.value.errors


def test_only_planned_work_is_due_by_date(sqlite_app: Flask) -> None:
    with pytest.raises(Invalid):
        planned("P1", date(2026, 12, 10))


def test_an_agreed_date_never_lengthens_a_promise_given(app: Flask) -> None:
    def work() -> datetime:
        request = make_request(make_station(), None, "P3", arrival=None, state="new")
        promises.give(request, at=now())
        request.priority = "P4"
        clock = promises.agree_on_date(request, date(2026, 12, 10), at=now())
        assert clock is not None
        return clock.due_at

    assert write(work) == now() + timedelta(hours=24)


# Quoted times -----------------------------------------------------------------------------------------


def finished(kind: str, priority: str, minutes: list[float], limit: str) -> None:
    """So long did the last cases of the Wuxi queue take; the newest ended an hour ago."""

    def work() -> None:
        station = make_station()
        for wait in minutes:
            request = make_request(station, None, priority, arrival=None)
            began = now() - timedelta(hours=1, minutes=wait)
            clocks.start(request, kind, Limit.parse(limit), started_at=began, priority=priority)
            clocks.stop(request, kind, now() - timedelta(hours=1))

    write(work)


def quoted(priority: str, kind: str, code: str = "WXXW") -> tuple[clocks.Clock, ServiceRequest]:
    def work() -> tuple[clocks.Clock, ServiceRequest]:
        found = station_by_code(code)
        request = make_request(found, None, priority, arrival=None, state="new")
        return {one.kind: one for one in promises.give(request, at=now())}[kind], request

    return write(work)


def test_E_03_quoted_earlier_than_due_once_thirty_cases_are_known(app: Flask) -> None:
    finished("arrival", "P1", [80.0] * 30, "4 h")
    clock, _request = quoted("P1", "arrival")
    assert clock.due_at == now() + timedelta(hours=4)
    assert clock.quoted_at == now() + timedelta(minutes=90)


def test_E_03_twenty_nine_cases_quote_the_due_time(app: Flask) -> None:
    finished("arrival", "P1", [80.0] * 29, "4 h")
    assert quoted("P1", "arrival")[0].quoted_at is None


def test_a_queue_learns_from_its_own_cases_only(app: Flask) -> None:
    finished("arrival", "P1", [80.0] * 40, "4 h")
    write(lambda: make_station("SZYQ"))
    for priority, kind, code in (("P2", "arrival", "WXXW"), ("P1", "restore", "WXXW"), ("P1", "arrival", "SZYQ")):
        assert quoted(priority, kind, code)[0].quoted_at is None


def test_business_limits_are_quoted_in_business_time(app: Flask, clock: Clock) -> None:
    finished("first_answer", "P3", [20.0] * 30, "2 bh")  # in business time: they ended 09:30
    clock.fix(datetime.fromisoformat("2026-11-25T17:20:00+08:00"))
    found, _request = quoted("P3", "first_answer")
    assert found.due_at == datetime.fromisoformat("2026-11-26T10:20:00+08:00")
    assert found.quoted_at == datetime.fromisoformat("2026-11-26T08:50:00+08:00")


def test_a_quote_never_exceeds_a_vip_limit(app: Flask) -> None:
    finished("arrival", "P1", [200.0] * 40, "4 h")

    def work() -> clocks.Clock:
        station = station_by_code("WXXW")
        request = make_request(station, make_customer(tier="vip"), "P1", arrival=None, state="new")
        return {one.kind: one for one in promises.give(request, at=now())}["arrival"]

    clock = write(work)
    assert clock.quoted_at == clock.due_at == now() + timedelta(hours=2)


def test_the_surplus_of_every_queue_is_reported(app: Flask) -> None:
    finished("arrival", "P1", [80.0] * 40, "4 h")
    station = station_by_code("WXXW").id
    found = {(one.kind, one.priority): one.quote for one in promises.queues_of(station, now())}
    assert len(found) == 10
    assert (found["arrival", "P1"].cases, found["arrival", "P1"].surplus) == (40, 10)
    assert found["restore", "P1"].surplus is None


def test_the_command_tells_what_is_quoted_and_flags_what_says_too_little(sqlite_app: Flask) -> None:
    finished("arrival", "P1", [10.0] * 37 + [200.0] * 3, "4 h")
    runner = sqlite_app.test_cli_runner()
    rows = json.loads(runner.invoke(args=["quotes", "--json"]).output)
    found = next(row for row in rows if (row["kind"], row["priority"]) == ("arrival", "P1"))
    assert found == {
        "station": "WXXW", "kind": "arrival", "priority": "P1", "calendar": "wall", "limit_min": 240,
        "quoted_min": 200.0, "cases": 40, "kept_percent": 100.0, "surplus_min": 175.8, "flagged": True,
    }  # fmt: skip
    lines = runner.invoke(args=["quotes", "--station", "WXXW"]).output
    assert "WXXW   P1 到场 报 3 小时 20 分（期限 4 小时），兑现 100.0 %，富余 2 小时 56 分 ⚠" in lines
    assert "按期限本身：已结 0 例" in lines
    assert runner.invoke(args=["quotes", "--station", "NONE"]).exit_code == 1
