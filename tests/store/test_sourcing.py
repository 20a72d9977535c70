"""Where a part comes from for an order, reserving it there or sending for it; the JSON calls (CONTRACT §3)."""

from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.catalogue.models import Substitute
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number, unbalanced
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.store import sourcing
from fieldservice.store.sourcing import Need
from tests import factories as make
from tests.parts.test_part_pages import call, token
from tests.store.scene import Desk, make_desk
from tests.workorders.desk import token as form_token


@pytest.fixture
def desk(app: Flask) -> Desk:
    return make_desk()


def code_of(place: int) -> str:
    return str(session.get_one(StockLocation, place).code)


def take(client: FlaskClient, desk: Desk, order: str, place: int, **more: Any) -> Any:
    given = {"csrf_token": form_token(client, "/parts/catalogue"), "work_order": order, "quantity": "2",
             "place": code_of(place), "source_part": "SEAL", **more}  # fmt: skip
    return client.post("/parts/SEAL/sources", data=given)


def test_S_16_sources_are_told_with_reasons(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.far_store, 5)
    order = desk.job(2, in_minutes=380)
    page = sign_in("storekeeper", desk.station).get(f"/parts/SEAL/sources?work_order={order}&quantity=2").text
    for said in ("邻近站", "向对方站申请", "单价 ¥10.00", "路上约", "赶得上"):
        assert said in page, said
    assert "/parts/similar?" in page  # what similar jobs used, one press from the order
    english = sign_in("dispatcher", desk.station).get(f"/parts/SEAL/sources?work_order={order}&lang=en").text
    assert "Neighbouring station" in english
    assert "Ask that station" not in english  # a dispatcher reads
    assert "only 5 of 9" in sign_in("technician", desk.station).get("/parts/SEAL/sources?quantity=9&lang=en").text


def test_reserved_in_place_once(desk: Desk, sign_in: Any) -> None:
    order = desk.job(2)
    desk.fill(desk.store, 5)
    keeper = sign_in("storekeeper", desk.station)
    assert take(keeper, desk, order, desk.store).status_code == 303
    again = take(keeper, desk, order, desk.store)
    assert again.status_code == 409
    assert "已经预留或申请了这么多" in again.text
    assert desk.how() == [("SEAL", "ready", 2)]


def test_sent_for_and_reserved_for_when_it_comes(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.far_store, 3)
    order = desk.job(2, in_minutes=60)
    keeper, far = sign_in("storekeeper", desk.station), sign_in("storekeeper", desk.far)
    assert take(keeper, desk, order, desk.far_store).status_code == 303
    assert take(keeper, desk, order, desk.far_store).status_code == 409
    sent = session.scalars(select(Transfer)).one()
    number = sent.number
    assert (sent.state, sent.to_id, sent.lines[0].quantity) == ("asked", desk.store, 2)
    assert step(far, number, "approve") == 303
    (line,) = desk.tours()[0].lines
    session.refresh(sent)
    assert (line.how, line.arrives_at) == ("coming", sent.expected_at)
    form = {"csrf_token": form_token(far, "/parts/catalogue")}
    assert far.post(f"/parts/transfers/{number}/ship", data=form).status_code == 303
    form = {"csrf_token": form_token(keeper, "/parts/catalogue"), "all": "1"}
    assert keeper.post(f"/parts/transfers/{number}/receive", data=form).status_code == 303
    assert desk.how() == [("SEAL", "ready", 2)]
    assert unbalanced() == []


def test_what_was_taken_meanwhile_is_refused_and_nothing_half_done(desk: Desk, sign_in: Any) -> None:
    order = desk.job(2)
    desk.fill(desk.far_store, 2)
    part, place = part_by_number("SEAL"), session.get_one(StockLocation, desk.far_store)
    write(lambda: promises.reserve(part, place, Decimal(2), need_at=now(), about=Ref("errand", 1), at=now()))
    answer = take(sign_in("storekeeper", desk.station), desk, order, desk.far_store)
    assert answer.status_code == 409
    assert "已经没有可用的" in answer.text
    session.rollback()
    assert session.scalar(select(func.count(Transfer.id))) == 0
    assert desk.how() == [("SEAL", "missing", 2)]


def test_a_substitute_stands_for_the_part(desk: Desk, sign_in: Any) -> None:
    order = desk.job(2)

    def allow() -> None:
        part, other = part_by_number("SEAL"), part_by_number("OIL")
        session.add(Substitute(part_id=part.id, other_id=other.id, ratio=Decimal(2), conditions={"zh": "只限室内"}))

    write(allow)
    desk.fill(desk.store, 4, "OIL")
    keeper = sign_in("storekeeper", desk.station)
    assert "只限室内" in keeper.get(f"/parts/SEAL/sources?work_order={order}&quantity=2").text
    assert take(keeper, desk, order, desk.store, source_part="OIL").status_code == 303
    assert desk.how() == [("OIL", "ready", 4)]


def test_two_people_reserve_at_once(desk: Desk, app: Flask) -> None:
    number = desk.job(2)
    desk.fill(desk.store, 9)
    code, start, said = code_of(desk.store), Barrier(2), []
    session.remove()

    def press() -> None:
        def work() -> None:
            order = desk.order(number)
            need = Need(part_by_number("SEAL"), desk.station_row(), Decimal(2), now() + timedelta(hours=2), order)
            sourcing.secure(need, code, "SEAL", now())

        with app.app_context():
            start.wait()
            try:
                write(work)
                said.append("done")
            except DomainError as error:
                said.append(error.code)
            finally:
                session.remove()

    people = [Thread(target=press) for _person in range(2)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(said) == ["already_reserved", "done"]
    assert sum(one.quantity for one in desk.held()) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200), ("?quantity=x", 422), ("?quantity=-1", 422), ("?quantity=NaN", 422), ("?quantity=1e99", 422),
        ("?needed_at=never", 422), ("?needed_at=0001-01-01T00:00", 422), ("?work_order=WO-1", 422),
        ("?station=NONE", 404), ("?station=SZSIP", 404), ("?needed_at=2020-01-01T08:00", 200),
    ],
)  # fmt: skip
def test_strange_questions(desk: Desk, sign_in: Any, query: str, status: int) -> None:
    desk.fill(desk.store, 2)
    assert sign_in("storekeeper", desk.station).get(f"/parts/SEAL/sources{query}").status_code == status
    assert sign_in("storekeeper", desk.station).get(f"/parts/NONE/sources{query}").status_code == 404


def test_another_stations_order_is_not_known(desk: Desk, sign_in: Any) -> None:
    order = desk.job(2)
    desk.fill(desk.store, 2)
    assert take(sign_in("storekeeper", desk.far), desk, order, desk.store).status_code == 422
    assert take(sign_in("technician", desk.station), desk, order, desk.store).status_code == 403
    assert desk.held() == []


# Scripts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({}, 201, None), ({"quantity": "6"}, 409, "part_short"), ({"quantity": "0.5"}, 422, "invalid"),
        ({"work_order": "WO-1"}, 422, "unknown_order"), ({"place": "W999"}, 422, "unknown_place"),
        ({"take": "yes"}, 422, "invalid"), ({"take": True}, 201, None),
        ({"need_at": "2020-01-01T00:00:00Z"}, 201, None),
    ],
)  # fmt: skip
def test_a_script_reserves(desk: Desk, more: dict[str, Any], status: int, code: str | None) -> None:
    order = desk.job(2)
    desk.fill(desk.store, 5)
    wish = {"work_order": order, "place": code_of(desk.store), "quantity": "2", **more}
    key = token("storekeeper", desk.station)
    answers = [call(key, "/parts/SEAL/reservations", wish, **{"Idempotency-Key": "one"}) for _turn in range(2)]
    assert [one.status_code for one in answers] == [status, status]
    assert answers[0].json.get("code") == code
    assert len(desk.held()) == (status == 201)
    if status == 201:
        assert answers[0].json == answers[1].json
        assert answers[0].json["state"] == "reserved"
        assert call(key, "/parts/SEAL/reservations", wish).json["code"] == "already_reserved"
        assert call(token("storekeeper", desk.far), "/parts/SEAL/reservations", wish).json["code"] == "unknown_order"


def test_a_script_reserves_where_the_order_is(desk: Desk) -> None:
    order = desk.job(2)
    desk.fill(desk.far_store, 5)
    wish = {"work_order": order, "place": code_of(desk.far_store), "quantity": "2"}
    assert call(token("admin"), "/parts/SEAL/reservations", wish).json["code"] == "unknown_place"


@pytest.mark.parametrize(
    ("more", "by", "status", "code"),
    [
        ({}, "station", 201, None), ({}, "far", 201, None), ({"approve": True}, "far", 201, None),
        ({"approve": True}, "station", 422, "unknown_place"), ({"from": "X"}, "station", 422, "unknown_place"),
        ({"lines": []}, "station", 422, "invalid"),
        ({"lines": [{"part": "NONE", "quantity": 1}]}, "far", 422, "unknown_part"),
        ({"lines": [{"part": "SEAL", "quantity": 9}], "approve": True}, "far", 409, "part_short"),
        ({"expected_at": "2020-01-01T00:00:00Z"}, "far", 422, "invalid"),
    ],
)  # fmt: skip
def test_a_script_asks_for_a_transfer(desk: Desk, more: dict[str, Any], by: str, status: int, code: str | None) -> None:
    desk.fill(desk.far_store, 5)
    wish = {
        "from": code_of(desk.far_store), "to": code_of(desk.store), "lines": [{"part": "SEAL", "quantity": "2"}],
        "expected_at": (now() + timedelta(hours=5)).isoformat(), **more,
    }  # fmt: skip
    answer = call(token("storekeeper", getattr(desk, by)), "/transfers", wish)
    assert (answer.status_code, answer.json.get("code")) == (status, code)
    session.rollback()
    assert session.scalar(select(func.count(Transfer.id))) == (status == 201)
    if status == 201:
        assert answer.json["state"] == ("approved" if "approve" in more else "draft")


# Pages of transfers -----------------------------------------------------------------------------------


def draft(desk: Desk, part: str = "SEAL", quantity: int = 3) -> str:
    def ask() -> str:
        ends = [session.get_one(StockLocation, place) for place in (desk.far_store, desk.store)]
        wanted = [(part_by_number(part), Decimal(quantity))]
        return transfers.open_transfer(*ends, wanted, expected_at=now() + timedelta(hours=5), at=now()).number

    return write(ask)


def step(client: FlaskClient, number: str, what: str, **fields: Any) -> int:
    given = {"csrf_token": form_token(client, "/parts/catalogue"), **fields}
    return int(client.post(f"/parts/transfers/{number}/{what}", data=given).status_code)


def state(number: str) -> str:
    session.rollback()
    return session.scalars(select(Transfer.state).where(Transfer.number == number)).one()


def test_each_end_does_its_own_part(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.far_store, 3)
    number = draft(desk)
    here, far = sign_in("storekeeper", desk.station), sign_in("storekeeper", desk.far)
    third = sign_in("storekeeper", write(third_station))
    assert third.get(f"/parts/transfers/{number}").status_code == 404
    assert step(here, number, "approve") == 404
    assert [step(far, number, "approve"), step(far, number, "approve")] == [303, 409]
    assert step(here, number, "ship") == 404
    assert [step(far, number, "ship"), step(far, number, "ship")] == [303, 409]
    assert step(far, number, "receive", all="1") == 404
    line = session.scalars(select(Transfer).where(Transfer.number == number)).one().lines[0].id
    assert step(here, number, "receive", **{f"quantity-{line}": "9"}) == 422
    assert step(here, number, "receive", **{f"quantity-{line}": "NaN"}) == 422
    assert step(here, number, "receive") == 422
    assert step(here, number, "scan", code="OIL") == 422
    assert step(here, number, "scan", code="SEAL") == 303
    assert step(here, number, "receive", **{f"quantity-{line}": "2"}) == 303
    assert state(number) == "part_received"
    assert step(here, number, "lost") == 422  # why?
    assert step(here, number, "lost", reason="承运人丢失") == 303
    assert state(number) == "not_arrived"
    assert unbalanced() == []
    assert number in here.get("/parts/transfers?show=all").text
    assert number not in here.get("/parts/transfers").text


def third_station() -> int:
    return make.station("KSKS", "昆山站", "Kunshan", division_code="320583").id


def test_numbered_pieces_are_scanned_in(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.far_store, 3, "PUMP", serials=["P-1", "P-2", "P-3"])
    number = draft(desk, "PUMP", 2)
    here, far = sign_in("storekeeper", desk.station), sign_in("storekeeper", desk.far)
    line = session.scalars(select(Transfer)).one().lines[0].id
    assert step(far, number, "approve") == 303
    assert step(far, number, "ship") == 409
    assert step(far, number, "ship", **{f"serials-{line}": "P-1\nP-3"}) == 303
    assert step(here, number, "scan", code="PUMP;P-2") == 409
    assert step(here, number, "scan", code="PUMP;P-3") == 303
    assert state(number) == "part_received"
    assert step(here, number, "scan", code="PUMP;P-3") in (409, 422)
    assert step(here, number, "scan", code="PUMP;P-1") == 303
    assert state(number) == "received"
    assert unbalanced() == []


def test_a_new_transfer_is_typed(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.store, 3)
    here = sign_in("storekeeper", desk.station)
    assert "新建调拨" in here.get("/parts/transfers/new?part=SEAL").text
    form = {
        "csrf_token": form_token(here, "/parts/catalogue"), "from": code_of(desk.store), "to": code_of(desk.van),
        "expected_at": "2026-11-25T15:00", "part": ["SEAL", ""], "quantity": ["2", ""],
    }  # fmt: skip
    for change, status in (
        ({"part": "NONE"}, 422), ({"quantity": "x"}, 422), ({"expected_at": "soon"}, 422), ({"to": "X"}, 422),
        ({"to": code_of(desk.store)}, 422), ({"quantity": ["9", ""]}, 409), ({}, 303),
    ):  # fmt: skip
        assert here.post("/parts/transfers/new", data={**form, **change}).status_code == status, change
    assert session.scalars(select(Transfer.state)).all() == ["approved"]
    assert session.scalar(select(func.count(Reservation.id))) == 1
