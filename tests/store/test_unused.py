"""What was handed out and not used comes back into the store, once, by one scan."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now, today
from fieldservice.parts.queries import part_by_number, stock_of, unbalanced
from fieldservice.workorders import orders, unused_parts
from tests.store.scene import Desk, make_desk
from tests.workorders.desk import token


@pytest.fixture
def desk(app: Flask) -> Desk:
    return make_desk()


@pytest.fixture
def keeper(desk: Desk, sign_in: Any) -> FlaskClient:
    client: FlaskClient = sign_in("storekeeper", desk.station)
    return client


def send(client: FlaskClient, path: str, **fields: Any) -> Any:
    return client.post(path, data={"csrf_token": token(client, "/parts/catalogue"), **fields})


def handed_out(desk: Desk, keeper: FlaskClient, quantity: int = 2) -> str:
    """So many seals are in the van for an order that was cancelled then."""
    desk.fill(desk.store, 5)
    number = desk.job(quantity)
    (held,) = desk.held()
    assert send(keeper, f"/parts/desk/WXXW/lines/{held.id}", to="tray").status_code == 303
    form = {"technician": desk.technician, "day": str(today())}
    assert send(keeper, "/parts/desk/WXXW/hand-out", **form).status_code == 303
    assert waiting(desk) == []  # the work is still to be done
    session.rollback()
    write(lambda: orders.cancel(desk.order(number), "客户取消", now()))
    return number


def waiting(desk: Desk) -> list[tuple[str, int]]:
    session.rollback()
    return [(one.order.number, int(one.quantity)) for one in unused_parts.unused(now(), station_id=desk.station)]


def lying(desk: Desk) -> list[int]:
    session.rollback()
    seal = part_by_number("SEAL").id
    found = stock_of([seal], [desk.store, desk.van])
    return [int(found.get((seal, place), 0)) for place in (desk.store, desk.van)]


def test_one_scan_takes_it_in_and_a_second_one_nothing(desk: Desk, keeper: FlaskClient) -> None:
    number = handed_out(desk, keeper)
    assert waiting(desk) == [(number, 2)]
    assert number in keeper.get("/parts/returns/unused").text
    assert lying(desk) == [3, 2]
    assert send(keeper, "/parts/returns/unused/WXXW/scan", code="SEAL").status_code == 303
    again = send(keeper, "/parts/returns/unused/WXXW/scan", code="SEAL")
    assert again.status_code == 409
    assert "没有人需要退回" in again.text
    assert lying(desk) == [5, 0]
    assert waiting(desk) == []
    assert unbalanced() == []


def test_a_line_pressed_twice_comes_back_once(desk: Desk, keeper: FlaskClient) -> None:
    handed_out(desk, keeper)
    (one,) = unused_parts.unused(now(), station_id=desk.station)
    form = {"van": one.van.id, "part": one.part.id, "order": one.order.id}
    assert send(keeper, "/parts/returns/unused/WXXW", **form).status_code == 303
    assert send(keeper, "/parts/returns/unused/WXXW", **form).status_code == 409
    assert lying(desk) == [5, 0]


@pytest.mark.parametrize("typed", ["", "NIX", "x" * 300, "a\0b"])
def test_what_is_no_part_is_refused(desk: Desk, keeper: FlaskClient, typed: str) -> None:
    handed_out(desk, keeper)
    assert send(keeper, "/parts/returns/unused/WXXW/scan", code=typed).status_code == 422
    assert send(keeper, "/parts/returns/unused/WXXW", van=typed, part="1", order="-1").status_code in (409, 422)
    assert lying(desk) == [3, 2]
