"""The inbox: the most urgent first, live, within a person's stations, in a fixed number of queries."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.intake import inbox, queries
from fieldservice.intake import services as intake
from fieldservice.intake.inbox import PAGE, Filters
from fieldservice.intake.models import ServiceRequest
from tests import factories as make
from tests.intake.conftest import Wuxi
from tests.intake.pages import Page
from tests.test_closed_gate import signed_in

EVERYWHERE = Person(1, "周敏", "z@demo.test", roles={"dispatcher": None})
HOSTILE = (
    "\x07",
    "9" * 30,
    "-1",
    "1e999",
    "'; DROP TABLE service_request; --",
    "%",
    "_",
    "\\",
    "🛠️",
    "长" * 5000,
    "[]",
    "NaN",
)


def report(wuxi: Wuxi | None = None, *, minutes: int = 0, known: bool = False, **facts: Any) -> str:
    """A report of so many minutes ago; its number."""

    def work() -> str:
        machine = session.get(make.Asset, wuxi.machine) if known and wuxi else None
        return make.request(machine, at=now() - timedelta(minutes=minutes), **facts).number

    return write(work)


def listed(person: Person = EVERYWHERE, **filters: str) -> list[str]:
    return [row.request.number for row in inbox.list_requests(person, Filters.read(filters)).rows]


def the(number: str) -> ServiceRequest:
    return session.scalars(queries.by_number(number)).one()


def test_G_15_by_priority_then_by_what_falls_due(app: Flask, wuxi: Wuxi) -> None:
    minor = report(severity="minor")
    late = report(severity="line_stop", minutes=30)
    vip = report(wuxi, severity="minor", known=True, minutes=500)
    fresh = report(severity="safety")
    assert listed() == [late, fresh, vip, minor]  # P1 of anybody before P3 of a VIP


def test_requests_without_a_running_promise_come_last(app: Flask, wuxi: Wuxi) -> None:
    first = report(severity="line_stop", minutes=60)
    second = report(severity="line_stop")
    write(lambda: intake.fix_remotely(the(first), now()))
    assert listed(status="all") == [second, first]


def test_pages_follow_each_other_by_key(app: Flask, wuxi: Wuxi) -> None:
    numbers = [
        report(minutes=minute % 7, severity=("safety", "degraded", "minor")[minute % 3]) for minute in range(PAGE + 5)
    ]
    first = inbox.list_requests(EVERYWHERE, Filters())
    second = inbox.list_requests(EVERYWHERE, Filters(after=first.more or ""))
    seen = [row.request.number for row in (*first.rows, *second.rows)]
    assert (len(first.rows), len(second.rows), second.more) == (PAGE, 5, None)
    assert sorted(seen) == sorted(numbers)
    assert first.counts == {"triage": PAGE + 5, "open": PAGE + 5}


def test_filters(app: Flask, wuxi: Wuxi) -> None:
    write(lambda: make.station("SZYQ", point=make.Point(31.3, 120.62), territory=["320500"]))
    oil = report(description="液压站 Oil leak 100%", contact_name="陈工", contact_phone="13900001111")
    vip = report(wuxi, known=True, severity="safety")
    far = report(
        place=intake.Place("昆山市", "320583", None, "county"),
        serial="ZX-9",
        contact_phone="13700000000",
        severity="minor",
    )
    write(lambda: intake.help_remotely(the(vip), now()))
    cases: dict[tuple[tuple[str, str], ...], list[str]] = {
        (): [oil, far],
        (("status", "open"),): [oil, vip, far],  # the VIP was answered; oil still waits for that
        (("status", "remote"),): [vip],
        (("status", "closed"),): [],
        (("station", "SZYQ"),): [far],
        (("station", "NONE"),): [],
        (("priority", "P3"),): [far],
        (("q", "OIL leak"),): [oil],
        (("q", "100%"),): [oil],
        (("q", "陈工"),): [oil],
        (("q", "139 0000 1111"),): [oil],
        (("q", "zx-9"),): [far],
        (("q", "盛源"), ("status", "all")): [vip],
        (("q", "shengyuan"), ("status", "all")): [vip],
        (("q", far[-6:]),): [far],
        (("q", "%"),): [oil],
        (("q", "zh"),): [],
    }
    for filters, expected in cases.items():
        assert listed(**dict(filters)) == expected, filters


@pytest.mark.parametrize("name", ["status", "station", "priority", "q", "after"])
def test_hostile_filters_never_break_it(app: Flask, wuxi: Wuxi, sign_in: Any, name: str) -> None:
    client = sign_in("dispatcher")
    report()
    for value in HOSTILE:
        assert client.get("/requests", query_string={name: value}).status_code in (200, 422), value[:20]


@pytest.mark.parametrize("wrong", [{"status": "awful"}, {"priority": "P9"}])
def test_what_cannot_be_meant_is_refused(sqlite_app: Flask, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Filters.read(wrong)


# Hints ------------------------------------------------------------------------------------------------


def hints(number: str) -> tuple[list[str], list[str]]:
    found = queries.similar(the(number))
    return [one.number for one in found.duplicates], [one.number for one in found.same_fault]


def test_the_same_machine_again_is_a_duplicate_or_the_fault_come_back(app: Flask, wuxi: Wuxi) -> None:
    first = report(wuxi, known=True, minutes=60)
    second = report(wuxi, known=True, contact_phone="13700000000")
    assert (hints(first), hints(second)) == (([], []), ([first], []))
    write(lambda: intake.fix_remotely(the(first), now()))
    assert hints(second) == ([], [first])


def test_the_same_caller_without_a_machine_may_mean_the_same(app: Flask, wuxi: Wuxi) -> None:
    first = report(wuxi, known=True, minutes=60)
    second = report()  # by the same phone, machine not told
    third = report(contact_phone="13700000000")
    other = report(serial="ZX-9")  # by the same phone, but another machine
    again = report(serial="zx 9")
    assert hints(second) == ([first], [])
    assert hints(third) == ([], [])
    assert hints(other) == ([second], [])
    assert hints(again) == ([other, second], [])


def test_after_30_days_and_where_withdrawn_nothing_is_hinted(app: Flask, wuxi: Wuxi) -> None:
    report(wuxi, known=True, minutes=30 * 1440 + 5)
    cancelled = report(wuxi, known=True, minutes=5)
    write(lambda: intake.cancel(the(cancelled), "误报", now()))
    assert hints(report(wuxi, known=True)) == ([], [])


# The page ---------------------------------------------------------------------------------------------


def statements(client: Any, path: str) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_the_page_asks_the_database_as_often_for_forty_rows_as_for_two(app: Flask, wuxi: Wuxi, sign_in: Any) -> None:
    client = sign_in("dispatcher")
    report(wuxi, known=True), report()
    statements(client, "/requests")
    few = statements(client, "/requests")
    for number in range(PAGE):
        report(wuxi, known=number % 2 == 0, contact_phone=f"139000000{number:02d}")
    assert statements(client, "/requests") == few <= 10


def test_the_list_is_live_and_tells_what_stands_in_the_mock_up(sqlite_app: Flask, wuxi: Wuxi) -> None:
    client, _token = signed_in(sqlite_app, "dispatcher")
    number = report(wuxi, known=True, severity="safety", minutes=200, description="<b>主轴</b> 异响")
    report(wuxi, known=True, severity="safety")
    for language, texts in (
        ("zh", ("首次答复", "盛源特钢", "贵宾", "1 个相似的未结报修")),
        ("en", ("First answer", "Shengyuan Steel", "VIP", "1 open report alike")),
    ):
        page = Page(client.get(f"/requests?lang={language}"))
        part = page.one(id="inbox-list")
        assert part["data-live"] == "service_request. clock."
        assert page.all("a", href=f"/requests/{number}")
        for text in texts:
            assert text in part.text, text
        assert "<b>主轴</b>" not in page.html
        assert page.all(class_="clock", has="data-due")  # runs on in the browser
    answer = client.get(part["data-live-url"], headers={"HX-Request": "true"}).get_data(as_text=True)
    assert 'id="inbox-list"' in answer
    assert "<html" not in answer


def test_an_empty_inbox_says_what_that_means(sqlite_app: Flask) -> None:
    client, _token = signed_in(sqlite_app, "dispatcher")
    assert "没有待处理的请求" in client.get("/requests").get_data(as_text=True)
    assert "没有符合的请求" in client.get("/requests?q=x").get_data(as_text=True)


def test_only_a_persons_own_stations_are_listed(app: Flask, wuxi: Wuxi, sign_in: Any) -> None:
    number = report()
    other = write(lambda: make.station("SZYQ", point=make.Point(31.3, 120.62)).id)
    assert number in sign_in("dispatcher", wuxi.station).get("/requests").get_data(as_text=True)
    theirs = sign_in("dispatcher", other)
    assert number not in theirs.get("/requests?status=all").get_data(as_text=True)
    assert "WXXW" not in theirs.get("/requests").get_data(as_text=True)
    assert number not in theirs.get("/requests?status=all&station=WXXW").get_data(as_text=True)


@pytest.mark.parametrize("role", ["technician", "storekeeper", "customer", "admin"])
def test_others_have_no_inbox(sqlite_app: Flask, role: str) -> None:
    client, _token = signed_in(sqlite_app, role)
    assert client.get("/requests").status_code == 403
    assert client.get("/requests/new").status_code == 403
