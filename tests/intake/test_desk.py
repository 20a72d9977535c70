"""The agent's desk: the caller is found by whatever is said first, the report taken on the same screen (J-13)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.intake import callers
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import history
from tests import factories as make
from tests.conftest import make_user
from tests.intake.conftest import SERIAL, Wuxi
from tests.intake.pages import Page
from tests.test_closed_gate import signed_in

EVERYWHERE = Person(1, "周敏", "z@demo.test", roles={"agent": None})
HOSTILE = (
    "\x07",
    "9" * 400,
    "-1",
    "'; DROP TABLE customer; --",
    "<script>alert(1)</script>",
    "🛠️" * 30,
    "长" * 5000,
    "%",
    "[]",
)
FIELDS = (
    "who", "customer_id", "asset_id", "name", "phone", "email", "description", "severity", "serial", "address",
    "division_code", "language", "receipt",
)  # fmt: skip


def one() -> ServiceRequest:
    return session.scalars(select(ServiceRequest)).one()


def count() -> int:
    return session.scalar(select(func.count(ServiceRequest.id))) or 0


@pytest.mark.parametrize(
    "who", ["13912340608", "139 1234 0608", "+86 139-1234-0608", SERIAL, "mc3 18 20457", "盛源", "shengyuan"]
)
def test_J_13_phone_serial_or_name_open_the_customer(sqlite_app: Flask, wuxi: Wuxi, who: str) -> None:
    found = callers.find_caller(who, EVERYWHERE)
    assert found.customer is not None
    assert found.customer.id == wuxi.customer
    assert [machine.id for machine in found.assets] == [wuxi.machine]
    assert [site.names["en"] for site in found.sites.values()] == ["Hot mill"]


def test_the_person_and_the_machine_in_question_are_known(app: Flask, wuxi: Wuxi) -> None:
    by_phone = callers.find_caller("13912340608", EVERYWHERE)
    assert by_phone.contact is not None
    assert by_phone.contact.name == "何工"
    by_serial = callers.find_caller(SERIAL, EVERYWHERE)
    assert (by_serial.asset and by_serial.asset.id, by_serial.contact) == (wuxi.machine, None)


def test_of_several_companies_one_is_chosen(app: Flask, wuxi: Wuxi) -> None:
    other = write(lambda: make.customer("盛源轴承", "Shengyuan Bearings").id)
    for who in ("盛源", "13912340608"):
        found = callers.find_caller(who, EVERYWHERE)
        assert (found.customer, {one.id for one in found.several}) == (None, {wuxi.customer, other})
    chosen = callers.find_caller("盛源", EVERYWHERE, str(other))
    assert (chosen.customer and chosen.customer.id, list(chosen.several)) == (other, [])


@pytest.mark.parametrize(
    ("who", "phone", "serial"), [("13700000000", "13700000000", ""), ("ZX-9", "", "ZX-9"), ("某某", "", "")]
)
def test_a_stranger_is_read_into_the_form(sqlite_app: Flask, wuxi: Wuxi, who: str, phone: str, serial: str) -> None:
    found = callers.find_caller(who, EVERYWHERE)
    assert (found.customer, found.phone, found.serial) == (None, phone, serial)


def test_open_requests_come_first_and_only_those_one_may_see(app: Flask, wuxi: Wuxi) -> None:
    def build() -> tuple[str, str]:
        machine = session.get(make.Asset, wuxi.machine)
        still_open, fixed = make.request(machine), make.request(machine)
        intake.fix_remotely(fixed, now())
        return still_open.number, fixed.number

    still_open, fixed = write(build)
    found = callers.find_caller(SERIAL, EVERYWHERE)
    assert [one.number for one in found.requests] == [still_open, fixed]
    assert len(found.clocks) == 1
    elsewhere = Person(2, "x", "x@demo.test", roles={"agent": frozenset({wuxi.station + 1})})
    assert callers.find_caller(SERIAL, elsewhere).requests == []


# The screen -------------------------------------------------------------------------------------------


def test_everything_stands_on_one_screen(sqlite_app: Flask, wuxi: Wuxi) -> None:
    client, _token = signed_in(sqlite_app, "agent")
    write(lambda: make.request(session.get(make.Asset, wuxi.machine)))
    page = Page(client.get("/requests/new?who=13912340608"))
    assert page.one("input", name="name")["value"] == "何工"
    assert page.one("input", name="phone")["value"] == "13912340608"
    for text in ("盛源特钢", "贵宾", "2# 轧机减速机", "质保至", one().number, "2 小时内到场"):
        assert text in page.html


def test_a_report_by_phone_is_answered_by_the_call(app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client, token = signed_in(app, "agent")
    given = {
        **typed,
        "who": "13912340608",
        "customer_id": str(wuxi.customer),
        "asset_id": str(wuxi.machine),
        "address": "",
    }
    answer = client.post("/requests/new", data={**given, "csrf_token": token, "receipt": "r"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/requests/{one().number}")
    found = one()
    assert (found.channel, found.asset_id, found.customer_id, found.state) == (
        "phone",
        wuxi.machine,
        wuxi.customer,
        "new",
    )
    assert {clock.kind: clock.state for clock in clocks.of(found)}["first_answer"] == "kept"
    assert history(found)[0].actor.startswith("user:")
    client.post("/requests/new", data={**given, "csrf_token": token, "receipt": "r"})
    assert count() == 1


def test_another_machine_of_the_caller_keeps_the_customer(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client, token = signed_in(sqlite_app, "agent")
    client.post("/requests/new", data={**typed, "who": "盛源", "asset_id": "", "serial": "ZX-9", "csrf_token": token})
    assert (one().customer_id, one().asset_id, one().serial_given) == (wuxi.customer, None, "ZX-9")


def test_J_13_remote_help_begins_at_once(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client, token = signed_in(sqlite_app, "agent")
    client.post("/requests/new", data={**typed, "remote": "1", "csrf_token": token})
    assert one().state == "remote"


@pytest.mark.parametrize(("given", "spoken"), [({}, "zh"), ({"language": "en"}, "en"), ({"language": "xx"}, "zh")])
def test_the_callers_language_not_the_agents(
    sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any], given: dict[str, str], spoken: str
) -> None:
    client, token = signed_in(sqlite_app, "agent")
    client.post("/requests/new?lang=en", data={**typed, **given, "csrf_token": token})
    assert one().language == spoken


def test_looking_up_keeps_what_was_typed(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client, token = signed_in(sqlite_app, "agent")
    page = Page(client.post("/requests/new", data={**typed, "who": "盛源", "look": "1", "csrf_token": token}))
    assert page.one(id="description").text == typed["description"]
    assert page.one("input", name="phone")["value"] == typed["phone"]
    assert page.one("input", name="customer_id")["value"] == str(wuxi.customer)
    assert count() == 0


def test_a_refused_report_keeps_what_was_typed_and_asks_for_the_place(
    sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]
) -> None:
    client, token = signed_in(sqlite_app, "agent")
    given = {**typed, "phone": "1391234567", "address": "西湖区文三路", "remote": "1", "csrf_token": token}
    answer = client.post("/requests/new", data=given)
    page = Page(answer)
    assert (answer.status_code, count()) == (422, 0)
    assert page.one("input", name="phone")["value"] == "1391234567"
    assert page.one("input", name="remote", has="checked")
    assert len(page.all("input", name="division_code", type="radio")) == 2


def test_a_report_for_another_station_is_handed_over(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    other = write(lambda: make.station("SZYQ", point=make.Point(31.3, 120.62)).id)
    client, token = signed_in(sqlite_app, "agent")
    user = make_user("agent", other)
    mark = user.fs_uniquifier
    with client.session_transaction() as browser:
        browser["_user_id"] = mark
    answer = client.post("/requests/new", data={**typed, "csrf_token": token}, follow_redirects=True)
    assert answer.status_code == 200
    assert f"{one().number} 已转给无锡新吴站" in answer.get_data(as_text=True)


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_values_are_answered_kindly(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any], field: str) -> None:
    client, token = signed_in(sqlite_app, "agent")
    for value in HOSTILE:
        answer = client.post("/requests/new", data={**typed, "csrf_token": token, field: value})
        assert answer.status_code in (303, 422), (field, value[:20])
        assert client.get("/requests/new", query_string={"who": value, "customer": value}).status_code == 200
