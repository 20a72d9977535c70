"""The pick list, ticking and handing out, keeping for tomorrow: by departure, once, whoever presses (issue 6, 5)."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import Clock, now, today
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.models import StockBalance
from fieldservice.parts.queries import unbalanced
from fieldservice.store import handing
from tests.store.scene import Desk, make_desk, statements
from tests.workorders.desk import token


@pytest.fixture
def desk(app: Flask) -> Desk:
    return make_desk()


@pytest.fixture
def keeper(desk: Desk, sign_in: Any) -> FlaskClient:
    client: FlaskClient = sign_in("storekeeper", desk.station)
    return client


def send(client: FlaskClient, what: str, **fields: Any) -> Any:
    given = {"csrf_token": token(client, "/parts/catalogue"), **fields}
    return client.post(f"/parts/desk/WXXW/{what}", data=given)


def test_lines_stand_by_departure(desk: Desk) -> None:
    other = desk.colleague()
    desk.fill(desk.store, 3)
    desk.fill(desk.van, 1)
    late = desk.job(2, in_minutes=240)  # one from the van, one from the store
    early = desk.job(4, in_minutes=60, technician=other)  # the store keeps two more, two are missing
    first, second = desk.tours()
    assert first.departs_at < second.departs_at
    assert [(line.order.number, line.how, line.quantity) for line in first.lines] == [
        (early, "ready", 2), (early, "missing", 2),
    ]  # fmt: skip
    assert [(line.order.number, line.how, line.quantity) for line in second.lines] == [
        (late, "van", 1), (late, "ready", 1),
    ]  # fmt: skip
    assert first.departs_at == first.visits[0].starts_at - timedelta(minutes=first.visits[0].travel_min)


def test_what_came_since_lies_free_and_is_kept_at_one_press(desk: Desk, keeper: FlaskClient, clock: Clock) -> None:
    desk.job(2, in_minutes=1500)  # tomorrow
    assert desk.how() == [("SEAL", "missing", 2)]
    refused = send(keeper, "top-up", technician=desk.technician, day=str(today() + timedelta(days=1)))
    assert refused.status_code == 409
    assert "没有更多可用" in refused.text
    desk.fill(desk.store, 5)
    assert desk.how() == [("SEAL", "free", 2)]
    page = keeper.get("/parts").text
    assert "明日车辆补货" in page
    assert "0 → 2" in page
    assert send(keeper, "top-up", technician=desk.technician, day=str(today() + timedelta(days=1))).status_code == 303
    assert desk.how() == [("SEAL", "ready", 2)]
    again = send(keeper, "top-up", technician=desk.technician, day=str(today() + timedelta(days=1)))
    assert again.status_code == 409
    assert sum(one.quantity for one in desk.held()) == 2


def test_ticked_put_back_and_handed_out(desk: Desk, keeper: FlaskClient) -> None:
    desk.fill(desk.store, 5)
    desk.job(2)
    (held,) = desk.held()
    number = held.id
    for to, how in (("tray", "picked"), ("tray", "picked"), ("shelf", "ready"), ("shelf", "ready"), ("tray", "picked")):
        assert send(keeper, f"lines/{number}", to=to).status_code == 303
        assert desk.how() == [("SEAL", how, 2)], to
    form = {"technician": desk.technician, "day": str(today())}
    assert send(keeper, "hand-out", **form).status_code == 303
    assert desk.how() == [("SEAL", "van", 2)]
    assert [one.location_id for one in desk.held()] == [desk.van]
    again = send(keeper, "hand-out", **form)
    assert again.status_code == 409
    assert "可能刚刚已经发出" in again.text
    assert unbalanced() == []


def test_scanned_labels_tick_their_lines(desk: Desk, keeper: FlaskClient) -> None:
    desk.fill(desk.store, 3)
    desk.fill(desk.store, 5, "OIL", batch="B-late", expires_on=date(2028, 1, 1))
    desk.fill(desk.store, 5, "OIL", batch="B-soon", expires_on=date(2027, 1, 1))
    desk.job(1, in_minutes=60)
    desk.job(2, part="OIL", in_minutes=180)
    for code, status, says in (
        ("SEAL", 303, ""),
        ("SEAL", 409, "都已勾选"),
        ("PUMP", 409, "没有人要领 PUMP"),
        ("NONE", 422, "目录中没有这个备件"),
        ("(01)06912345000017(10)B-late", 409, "请先取批次 B-soon"),
        ("(01)06912345000017(10)B-soon", 303, ""),
    ):
        answer = send(keeper, "scan", code=code)
        assert answer.status_code == status, code
        assert says in answer.text
    assert desk.how() == [("SEAL", "picked", 1), ("OIL", "picked", 2)]
    oil = desk.tours()[0].lines[1]
    assert oil.lots == [("B-soon", date(2027, 1, 1), Decimal(2))]


def test_pieces_with_numbers_leave_with_them(desk: Desk, keeper: FlaskClient) -> None:
    desk.fill(desk.store, 2, "PUMP", serials=["P-1", "P-2"])
    desk.job(1, part="PUMP")
    (held,) = desk.held("PUMP")
    number = held.id
    assert send(keeper, f"lines/{number}").status_code == 303
    form: dict[str, Any] = {"technician": desk.technician, "day": str(today())}
    refused = send(keeper, "hand-out", **form)
    assert refused.status_code == 422
    assert "请逐件扫描" in refused.text
    assert send(keeper, "hand-out", **form, **{f"serials-{number}": "P-9"}).status_code == 409
    assert send(keeper, "hand-out", **form, **{f"serials-{number}": "P-2"}).status_code == 303
    assert desk.how() == [("PUMP", "van", 1)]
    assert unbalanced() == []


def test_two_people_tick_at_once(desk: Desk, app: Flask) -> None:
    """One of them ticks; the other sees it ticked or is told so, and nothing is set aside twice."""
    desk.fill(desk.store, 5)
    desk.job(2)
    (held,) = desk.held()
    number, start, said = held.id, Barrier(2), []
    session.remove()

    def press() -> None:
        with app.app_context():
            start.wait()
            try:
                write(lambda: handing.tick(number, desk.station_row(), now()))
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
    assert said == ["done", "done"]
    assert session.get_one(Reservation, number).state == "picked"
    assert session.query(StockBalance).filter_by(location_id=desk.store).one().set_aside == 2


def test_who_sees_and_who_does(desk: Desk, sign_in: Any) -> None:
    desk.fill(desk.store, 5)
    desk.job(2)
    (held,) = desk.held()
    number = held.id
    for role, station, page, step in (
        ("storekeeper", desk.station, 200, 303), ("station_manager", desk.station, 200, 303), ("admin", None, 200, 303),
        ("dispatcher", desk.station, 200, 403), ("technician", desk.station, 302, 403),
        ("storekeeper", desk.far, 404, 404),
    ):  # fmt: skip
        client = sign_in(role, station)
        assert client.get("/parts?station=WXXW").status_code == page, role
        given = {"csrf_token": token(client, "/parts/catalogue"), "to": "tray"}
        assert client.post(f"/parts/desk/WXXW/lines/{number}", data=given).status_code == step, role
    assert "/parts/catalogue" in sign_in("technician", desk.station).get("/parts").headers["Location"]
    assert sign_in("storekeeper", desk.station).get("/parts?q=SEAL").headers["Location"].endswith("catalogue?q=SEAL")


@pytest.mark.parametrize(
    ("what", "fields", "status"),
    [
        ("lines/999", {}, 404), ("lines/99999999999999999999", {}, 404), ("hand-out", {}, 404),
        ("hand-out", {"technician": "x", "day": "no day"}, 404), ("hand-out", {"technician": str(2**70)}, 404),
        ("top-up", {"technician": "1", "day": "2026-02-31"}, 404), ("scan", {"code": ""}, 422),
        ("scan", {"code": "\x1d(01)" * 90}, 422),
    ],
)  # fmt: skip
def test_strange_input(desk: Desk, keeper: FlaskClient, what: str, fields: dict[str, str], status: int) -> None:
    assert send(keeper, what, **fields).status_code == status


def test_the_desk_asks_as_much_however_much_there_is(desk: Desk, keeper: FlaskClient) -> None:
    desk.fill(desk.store, 4)
    desk.job(1, in_minutes=60)
    desk.job(3, in_minutes=180)
    desk.job(9, in_minutes=300)
    with statements() as few:
        keeper.get("/parts")
    others = [desk.colleague() for _more in range(3)]
    for other in others:
        for minutes in (60, 180, 300):
            desk.job(3, in_minutes=minutes, technician=other)
    with statements() as many:
        keeper.get("/parts")
    assert len(many) <= len(few) + 1, [one for one in many if one not in few]
    assert len(many) < 45
