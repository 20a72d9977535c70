"""Pages and calls about stock at customers: who may see and do what, refusals that say what to do, no 500."""

import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from fieldservice.accounts.services import create_token
from fieldservice.customers.models import Customer
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as parts
from fieldservice.parts.consignment import refills
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading, RefillOrder
from fieldservice.parts.models import StockLocation
from fieldservice.stations.models import Station
from tests.conftest import make_user
from tests.foundation.test_db import make_station
from tests.parts.consignment.scene import SIGNED, Stock, make_stock
from tests.store.scene import statements
from tests.workorders import desk


@pytest.fixture
def stock(app: Flask) -> Stock:
    return make_stock(lies=60)


def post(client: FlaskClient, address: str, given: dict[str, Any] | None = None) -> Any:
    """A form sent from our own page."""
    return desk.post(client, address, **(given or {}))


def code_of(stock: Stock) -> str:
    return str(session.get_one(StockLocation, stock.place).code)


def text_of(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text[:500]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def picture() -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (40, 30), "white").save(made, "JPEG")
    return BytesIO(made.getvalue())


def far() -> int:
    return write(lambda: make_station("SZ").id)


def test_the_list_tells_what_runs_out_first(stock: Stock, sign_in: Any, clock: Clock) -> None:
    stock.use(3, 10)
    keeper = sign_in("storekeeper", stock.station)
    page = text_of(keeper, "/parts/consignment")
    assert "盛源特钢" in page
    assert "GREASE" in page
    assert "3.0 天" in page
    assert "为客户释放的资金" in page
    assert "盛源特钢" not in text_of(sign_in("storekeeper", far()), "/parts/consignment")
    assert "盛源特钢" in text_of(keeper, "/parts/consignment?q=grease")
    assert "盛源特钢" not in text_of(keeper, "/parts/consignment?q=nothing")
    write(lambda: move(session.get_one(Station, stock.station), "open"))
    assert "待补货客户" in text_of(keeper, "/parts")
    assert sign_in("technician", stock.station).get("/parts/consignment").status_code == 403
    for after in ("x", "2026-13-01_1", "2026-11-25_x", "_"):
        assert keeper.get(f"/parts/consignment?after={after}").status_code == 404


def test_the_list_costs_the_same_however_long_it_is(stock: Stock, sign_in: Any, clock: Clock) -> None:
    keeper = sign_in("storekeeper", stock.station)
    stock.use(2, 10)
    keeper.get("/parts/consignment")
    with statements() as few:
        keeper.get("/parts/consignment")

    def more() -> None:
        line = stock.row()
        for number in range(6):
            part = parts.list_part(number=f"P{number}", names={"zh": "油", "en": "Oil"}, unit="l", price=100)
            session.add(
                ConsignmentLine(
                    location_id=line.location_id, part_id=part.id, station_id=line.station_id, baseline_days=30,
                    target_days=7, active_from=line.active_from,
                )
            )  # fmt: skip

    write(more)
    with statements() as many:
        assert "P5" in keeper.get("/parts/consignment").text
    assert len(many) <= len(few)


def test_a_reading_by_the_form_and_what_it_refuses(stock: Stock, sign_in: Any) -> None:
    keeper, code = sign_in("storekeeper", stock.station), code_of(stock)
    address, name = f"/parts/consignment/places/{code}/readings", f"counted-{stock.line}"
    assert post(keeper, address, {name: "52.5"}).status_code == 303
    assert stock.lies() == Decimal("52.5")
    for given in ({}, {name: "abc"}, {name: "-1"}, {name: "NaN"}, {name: "1e9"}, {name: "5", "on": "2027-01-01"}):
        answer = post(keeper, address, given)
        assert answer.status_code == 422, given
        assert 'role="alert"' in answer.text
    asked = post(keeper, address, {name: "61"})
    assert asked.status_code == 409
    assert f'name="sure-{stock.line}"' in asked.text
    assert post(keeper, address, {name: "61", f"sure-{stock.line}": "1"}).status_code == 303
    assert stock.lies() == 61
    assert post(sign_in("storekeeper", far()), address, {name: "1"}).status_code == 404
    assert post(sign_in("dispatcher", stock.station), address, {name: "1"}).status_code == 403


def test_more_found_is_decided_by_another_manager(stock: Stock, sign_in: Any) -> None:
    reading = stock.read(200, sure=True)
    manager = sign_in("station_manager", stock.station)
    assert "多于账面" in text_of(manager, f"/parts/consignment/places/{code_of(stock)}")
    address = f"/parts/consignment/readings/{reading.id}/approve"
    assert post(sign_in("storekeeper", stock.station), address).status_code == 403
    assert post(sign_in("station_manager", far()), address).status_code == 404
    assert post(manager, address).status_code == 303
    assert post(manager, address).status_code == 303
    assert (stock.lies(), session.query(ConsignmentReading).one().state) == (200, "posted")


def test_T_06_a_refill_from_the_pages_and_a_second_press_does_no_harm(stock: Stock, sign_in: Any) -> None:
    keeper = sign_in("storekeeper", stock.station)
    for _press in range(2):
        assert post(keeper, f"/parts/consignment/lines/{stock.line}/refill", {"quantity": "40"}).status_code == 303
    refill = session.query(RefillOrder).one()
    address = f"/parts/refills/{refill.number}"
    assert "仓库" in text_of(keeper, address)
    assert post(keeper, f"{address}/confirm", {"quantity": "2000"}).status_code == 409
    assert post(keeper, f"{address}/confirm", {"quantity": "40", "source": "NOPE"}).status_code == 422
    for step in ("confirm", "confirm", "ship", "ship"):
        assert post(keeper, f"{address}/{step}", {"quantity": "40"}).status_code == 303
    assert post(keeper, f"{address}/deliver", {"quantity": "40", "received_by": "赵倩"}).status_code == 422
    assert post(keeper, f"{address}/deliver", {"received_by": "", "note": (picture(), "n.jpg")}).status_code == 422
    assert post(keeper, f"{address}/cancel", {"reason": "x"}).status_code == 409
    assert post(sign_in("storekeeper", far()), f"{address}/ship").status_code == 404
    given = {"quantity": "40", "received_by": "赵倩", "note": (picture(), "n.jpg")}
    assert post(keeper, f"{address}/deliver", given).status_code == 303
    session.expire_all()
    assert (session.query(RefillOrder).one().kept, stock.lies()) == (True, 100)
    page = text_of(keeper, address)
    assert "赵倩" in page
    assert "已送达" in page
    assert "100 %" in text_of(keeper, "/parts/consignment")


def test_an_agreement_by_the_form(stock: Stock, sign_in: Any) -> None:
    keeper = sign_in("storekeeper", stock.station)
    address = f"/parts/consignment/lines/{stock.line}"
    given = {
        "baseline_days": "40", "target_days": "10", "safety_days": "2", "price": "12.50", "billing": "contract",
        "active_from": "2026-11-25", "active_to": "",
    }  # fmt: skip
    assert text_of(keeper, address)
    assert post(keeper, address, given).status_code == 303
    session.expire_all()
    row = stock.row()
    assert (row.baseline_days, row.target_days, row.price, row.billing) == (40, 10, 1_250, "contract")
    for wrong in (
        {"target_days": "0"}, {"target_days": "x"}, {"safety_days": "10"}, {"price": "1.234"}, {"price": "NaN"},
        {"active_from": "soon"}, {"active_to": "2020-01-01"}, {"billing": "never"}, {"baseline_days": "9" * 30},
    ):  # fmt: skip
        assert post(keeper, address, {**given, **wrong}).status_code == 422, wrong
    known = {**given, "place": code_of(stock), "part": "GREASE"}
    assert post(keeper, "/parts/consignment/new", known).status_code == 409
    assert post(keeper, "/parts/consignment/new", {**known, "part": "NOPE"}).status_code == 422
    assert post(keeper, "/parts/consignment/new", {**known, "place": "W1"}).status_code == 422
    for _press in range(2):
        assert post(keeper, f"{address}/end").status_code == 303
    assert post(keeper, f"{address}/resume").status_code == 303
    assert post(sign_in("storekeeper", far()), address, given).status_code == 404


# The customer's own page --------------------------------------------------------------------------


def other_customer() -> int:
    def make() -> int:
        other = Customer(names={"zh": "别家", "en": "Other"}, state="active")
        session.add(other)
        session.flush()
        return other.id

    return write(make)


def test_T_07_a_customer_sees_its_own_stock_and_what_it_released(stock: Stock, sign_in: Any, clock: Clock) -> None:
    stock.bring(100)
    clock.advance(days=1)
    stock.read(140)
    mine = sign_in("customer", customer_id=stock.customer)
    page = text_of(mine, "/my-stock")
    assert "润滑脂" in page
    assert "18,400" in page
    assert "30 → 7" in page
    assert "润滑脂" not in text_of(sign_in("customer", customer_id=other_customer()), "/my-stock")
    assert sign_in("customer").get("/my-stock").status_code == 404
    assert sign_in("storekeeper", stock.station).get("/my-stock").status_code == 403
    assert "/my-stock" in mine.get("/").text


def test_a_customer_reads_and_signs_for_its_own_alone(stock: Stock, sign_in: Any) -> None:
    mine, theirs = sign_in("customer", customer_id=stock.customer), sign_in("customer", customer_id=other_customer())
    name = f"counted-{stock.line}"
    assert post(mine, "/my-stock/readings", {name: "50"}).status_code == 303
    assert session.query(ConsignmentReading).one().source == "customer"
    assert post(mine, "/my-stock/readings", {name: "61"}).status_code == 409
    assert post(theirs, "/my-stock/readings", {name: "1"}).status_code == 422
    assert stock.lies() == 50
    refill = stock.propose(40)
    address = f"/my-stock/refills/{refill.number}/received"
    assert post(mine, address, {"quantity": "40", "received_by": "赵倩"}).status_code == 409
    stock.do(refills.confirm)
    stock.do(refills.ship)
    assert post(theirs, address, {"quantity": "40", "received_by": "x"}).status_code == 404
    assert post(mine, address, {"quantity": "", "received_by": "赵倩"}).status_code == 422
    for _press in range(2):
        assert post(mine, address, {"quantity": "40", "received_by": "赵倩"}).status_code == 303
    session.expire_all()
    done = session.query(RefillOrder).one()
    assert (done.state, done.kept, done.proof, stock.lies()) == ("delivered", True, "account", 90)


# Calls for scripts --------------------------------------------------------------------------------


def token(role: str, station: int | None, **facts: Any) -> dict[str, str]:
    user = make_user(role, station, **facts)
    return {"Authorization": f"Bearer {write(lambda: create_token(email=user.email, name='test'))}"}


def test_scripts_list_and_read(app: Flask, stock: Stock, clock: Clock) -> None:
    client, head = app.test_client(), token("storekeeper", stock.station)
    given = {"place": code_of(stock), "part": "GREASE", "counted": "50"}
    clock.advance(days=1)
    first = client.post("/api/v1/consignment-readings", json=given, headers={**head, "Idempotency-Key": "a"})
    again = client.post("/api/v1/consignment-readings", json=given, headers={**head, "Idempotency-Key": "a"})
    assert (first.status_code, again.status_code, first.json) == (201, 201, again.json)
    assert (first.json["used"], first.json["state"], first.json["days_left"]) == ("10", "posted", 5.0)
    [item] = client.get("/api/v1/consignment?count=true", headers=head).json["items"]
    assert (item["part"], item["stock"], item["daily_use"], item["released"]) == ("GREASE", "50", 10.0, 1_000_000)
    asked = client.post("/api/v1/consignment-readings", json={**given, "counted": 61}, headers=head)
    assert (asked.status_code, asked.json["code"]) == (409, "more_than_there")
    unknown = client.post("/api/v1/consignment-readings", json={**given, "place": "K999"}, headers=head)
    assert (unknown.status_code, unknown.json["code"]) == (422, "unknown_line")


def test_a_customers_own_system_sees_its_own_alone(app: Flask, stock: Stock) -> None:
    client = app.test_client()
    mine, theirs = (token("customer", None, customer_id=one) for one in (stock.customer, other_customer()))
    given = {"place": code_of(stock), "part": "GREASE", "counted": "50"}
    assert len(client.get("/api/v1/consignment", headers=mine).json["items"]) == 1
    assert client.get("/api/v1/consignment", headers=theirs).json["items"] == []
    assert client.post("/api/v1/consignment-readings", json=given, headers=theirs).status_code == 422
    assert client.post("/api/v1/consignment-readings", json=given, headers=mine).status_code == 201
    assert session.query(ConsignmentReading).one().source == "api"


def test_refills_kept_are_told_by_share(stock: Stock, sign_in: Any, clock: Clock) -> None:
    for late in (False, True):
        stock.propose(10)
        stock.do(refills.confirm)
        stock.do(refills.ship)
        clock.advance(hours=30 if late else 2)
        stock.do(refills.deliver, None, SIGNED)
    page = text_of(sign_in("storekeeper", stock.station), "/parts/consignment")
    assert "50 %" in page
    assert "1 / 2" in page
    clock.advance(days=91)
    assert "0 / 0" in text_of(sign_in("director"), "/parts/consignment")
