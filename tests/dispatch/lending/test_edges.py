"""Lendings as JSON and as pages: the whole way by each, who is kept out, lists by key (B6)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.dispatch.lending import queries
from fieldservice.foundation.db import session, write
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.lendings import Lending
from fieldservice.workorders import booking
from tests.dispatch.lending.company import Company, again, agreed, asked
from tests.dispatch.test_api import Caller
from tests.mechanisms.people_and_things import statements
from tests.workorders.scene import local_at

WISH = {
    "to_station": "SZYQ", "from_station": "WXXW", "starts_at": "2026-11-25T11:00:00+08:00",
    "ends_at": "2026-11-26T18:00:00+08:00",
}  # fmt: skip
PATH = "/dispatch/lendings"


@pytest.fixture
def borrower(app: Flask, company: Company) -> Caller:
    return Caller(app, "dispatcher", company.suzhou.id)


@pytest.fixture
def lender(app: Flask, company: Company) -> Caller:
    return Caller(app, "station_manager", company.wuxi.id)


# JSON ---------------------------------------------------------------------------------------------


def test_B6_the_whole_way_by_json(company: Company, borrower: Caller, lender: Caller) -> None:
    write(lambda: booking.schedule_visit(session.merge(company.scene.order), company.lu, local_at(14)))
    made = borrower.send("POST", PATH, {**WISH, "skills": {"gearbox": 2}, "words": "two gearboxes"})
    assert (made.status_code, made.json["state"], made.json["technician"]) == (201, "asked", None)
    one = f"{PATH}/{made.json['id']}"
    assert borrower.get(one).json["prospects"] == [], "what home is left with is the lender's to see"
    (prospect,) = lender.get(one).json["prospects"]
    assert [visit["work_order"] for visit in prospect["visits"]] == [company.scene.order.number]
    assert prospect["cost"]["total"] > 0
    wish = {"to": "agreed", "technician_id": prospect["technician"]["id"]}
    assert borrower.send("POST", f"{one}/moves", wish).status_code == 403
    clash = lender.send("POST", f"{one}/moves", wish)
    assert (clash.status_code, clash.json["code"], clash.json["work_orders"]) == (
        409, "visits", [company.scene.order.number],
    )  # fmt: skip
    done = lender.send("POST", f"{one}/moves", {**wish, "keep": True})
    assert (done.status_code, done.json["state"], done.json["technician"]["id"]) == (200, "agreed", company.lu.id)
    assert done.json["planned_cost"] == prospect["cost"]["total"]
    assert borrower.get(one).json["worked"]["total"] == 0
    assert borrower.send("POST", f"{one}/moves", {"to": "ended"}).status_code == 409, "it has not begun"
    assert borrower.send("POST", f"{one}/moves", {"to": "withdrawn"}).json["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to_station": "WXXW", "from_station": "SZYQ"}, "to_station"),
        ({"from_station": "NOPE"}, "from_station"),
        ({"from_station": "SZYQ"}, "from_station"),
        ({"technician_id": 10**9}, "technician"),
        ({"skills": {}}, "skills"),
        ({"starts_at": "2026-11-20T11:00:00+08:00"}, "starts_at"),
    ],
)
def test_wishes_that_cannot_be_meant(borrower: Caller, change: dict[str, Any], field: str) -> None:
    answer = borrower.send("POST", PATH, {**WISH, "skills": {"gearbox": 2}, **change})
    assert answer.status_code == 422
    assert field in answer.json["errors"], answer.json


def test_the_list_pages_by_key(company: Company, borrower: Caller, app: Flask) -> None:
    ids = [asked(company, skills={"gearbox": level}).id for level in (1, 2, 3)]
    first = borrower.get(f"{PATH}?limit=2&count=true").json
    assert ([one["id"] for one in first["items"]], first["total"]) == (ids[:0:-1], 3)
    rest = borrower.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == (ids[:1], None)
    assert borrower.get(f"{PATH}?show=past").json["items"] == []
    assert Caller(app, "dispatcher", company.kunshan.id).get(PATH).json["items"] == []


@pytest.mark.parametrize("role", ["agent", "technician", "storekeeper", "finance"])
def test_who_does_not_plan_is_kept_out(company: Company, app: Flask, role: str) -> None:
    one = asked(company).id
    outside = Caller(app, role, company.wuxi.id)
    assert outside.get(PATH).status_code == 403
    assert outside.send("POST", f"{PATH}/{one}/moves", {"to": "agreed"}).status_code == 403


def test_a_third_station_gets_404_everywhere(company: Company, app: Flask, sign_in: Any) -> None:
    one = asked(company).id
    stranger = Caller(app, "station_manager", company.kunshan.id)
    assert stranger.get(f"{PATH}/{one}").status_code == 404
    assert stranger.send("POST", f"{PATH}/{one}/moves", {"to": "refused", "reason": "x"}).status_code == 404
    page = sign_in("station_manager", company.kunshan.id)
    assert page.get(f"{PATH}/{one}").status_code == 404
    assert post(page, f"{PATH}/{one}/refuse", reason="x").status_code == 404
    assert again(session.get_one(Lending, one)).state == "asked"


# Pages --------------------------------------------------------------------------------------------


def post(client: FlaskClient, path: str, **form: str) -> Any:
    token = client.get(f"{PATH}?lang=en").text.split('name="csrf-token" content="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token, **form})


def test_B6_the_whole_way_by_pages(company: Company, sign_in: Any) -> None:
    borrower, lender = sign_in("dispatcher", company.suzhou.id), sign_in("station_manager", company.wuxi.id)
    when = {"to_station": "SZYQ", "starts_at": "2026-11-25T11:00", "ends_at": "2026-11-26T18:00"}
    looked = borrower.get(f"{PATH}/new", query_string={**when, "lang": "en", "skill_0": "gearbox", "level_0": "2"})
    assert "Lu Jianguo" in looked.text
    refused = post(borrower, PATH, **when)
    assert refused.status_code == 422
    made = post(borrower, PATH, **when, whom=f"technician:{company.lu.id}", words="two gearboxes")
    assert made.status_code == 303, made.text
    one = made.headers["Location"]
    assert "Waits for an answer" in borrower.get(f"{one}?lang=en").text
    assert "waits for your answer" in lender.get(f"{PATH}?lang=en").text
    asks = lender.get(f"{one}?lang=en").text
    assert "Gearboxes L2: nobody left" in asks
    assert "two gearboxes" in asks
    assert post(lender, f"{one}/refuse", reason="").status_code == 422
    assert post(lender, f"{one}/agree").status_code == 303
    assert post(lender, f"{one}/agree").status_code == 409
    shown = borrower.get(f"{one}?lang=zh").text
    assert "已同意" in shown
    assert "¥" in shown
    assert post(borrower, f"{one}/withdraw").status_code == 303


def test_the_wish_begins_with_what_the_order_needs(company: Company, sign_in: Any) -> None:
    page = sign_in("dispatcher", company.suzhou.id)
    text = page.get(f"{PATH}/new?order={company.order.number}&lang=en").text
    assert '<option value="gearbox" selected>' in text
    assert page.get(f"{PATH}/new?order=WO-0000-000000").status_code == 200
    drawer = page.get(f"/dispatch?order={company.order.number}&lang=en").text
    assert f"/dispatch/lendings/new?order={company.order.number}" in drawer or "Refused" not in drawer


def test_visits_in_the_way_are_said_on_the_page(company: Company, sign_in: Any) -> None:
    write(lambda: booking.schedule_visit(session.merge(company.scene.order), company.lu, local_at(14)))
    one, lender = f"{PATH}/{asked(company).id}", sign_in("station_manager", company.wuxi.id)
    refused = post(lender, f"{one}/agree", lang="en")
    assert refused.status_code == 409
    assert company.scene.order.number in refused.text
    assert post(lender, f"{one}/agree", keep="1", lodging_asked="1").status_code == 303
    borrower = sign_in("dispatcher", company.suzhou.id).get(f"{one}?lang=en").text
    assert "a visit" in borrower
    assert company.scene.order.number not in borrower


def test_the_list_asks_the_same_however_long(company: Company, sign_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in("dispatcher", company.suzhou.id)
    for technician in (company.lu, session.merge(company.scene.xu)):
        asked(company, technician=technician)
    asked(company, skills={"gearbox": 1})

    def sent() -> int:
        session.rollback()
        with statements() as found:
            assert client.get(f"{PATH}?show=open").status_code == 200
        return len(found)

    sent()  # the first page of a session is written down
    many = sent()
    for lending in session.query(Lending).all()[1:]:
        write(lambda lending=lending: move(session.merge(lending), "withdrawn"))  # type: ignore[misc]
    assert sent() == many
    monkeypatch.setattr(queries, "PAGE", 1)
    page = client.get(f"{PATH}?show=past&lang=en").text
    assert 'rel="next"' in page


def test_the_station_page_says_what_lending_comes_to(company: Company, sign_in: Any) -> None:
    lending = agreed(company)
    page = sign_in("station_manager", company.wuxi.id).get("/stations/WXXW?lang=en").text
    assert "lent out 1" in page
    assert lending.planned_cost is not None
    assert "lent out" not in sign_in("agent", company.wuxi.id).get("/stations/WXXW?lang=en").text
