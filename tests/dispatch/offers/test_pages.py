"""Times for a customer on the phone: held and booked from the drawer, by ordinary forms."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.workorders import held_time
from fieldservice.workorders.models import Visit, WorkOrder
from tests.conftest import NOW
from tests.dispatch.test_day_plan import Browser
from tests.workorders.scene import Scene, make_order, make_request


@pytest.fixture
def number(scene: Scene) -> str:
    """A P2 that nobody planned."""
    return write(lambda: make_order(scene.station, request=make_request(scene.station, priority="P2"))).number


@pytest.fixture
def desk(scene: Scene, sign_in: Any) -> Browser:
    return Browser(sign_in("dispatcher", scene.station.id))


def held(page: Any) -> list[str]:
    return re.findall(r'name="offer" value="(\d+)"', page.text)


def test_B5_times_are_held_and_booked_from_the_drawer(scene: Scene, desk: Browser, number: str) -> None:
    page = desk.done(desk.post(f"/dispatch/orders/{number}/times", back=f"order={number}"))
    assert "已为客户保留 6 个时间，至 10:40" in page.text
    assert len(held(page)) == 6
    best = held(page)[0]
    page = desk.done(desk.post(f"/dispatch/orders/{number}/times/choice", offer=best, back=f"order={number}"))
    assert f"{number} 已与客户约定" in page.text
    [visit] = session.scalars(select(Visit).where(Visit.work_order.has(number=number)))
    assert (visit.state, visit.confirmed_at) == ("scheduled", NOW)
    assert not held_time.offers_of(visit.work_order, NOW)


def test_the_page_of_an_order_keeps_its_place(scene: Scene, desk: Browser, number: str) -> None:
    answer = desk.post(f"/dispatch/orders/{number}/times", back_to="order")
    assert (answer.status_code, answer.location) == (303, f"/work-orders/{number}")
    panel = desk.get(f"/dispatch/suggestions/{number}")
    assert len(held(panel)) == 6
    answer = desk.post(f"/dispatch/orders/{number}/times/choice", offer=held(panel)[0], back_to="order")
    assert (answer.status_code, answer.location) == (303, f"/work-orders/{number}")


def test_E_14_later_than_promised_needs_the_customers_word(scene: Scene, desk: Browser, number: str) -> None:
    page = desk.done(desk.post(f"/dispatch/orders/{number}/times"))
    row = next(one for one in held_time.offers_of(order_of(number), NOW) if one.terms and one.terms["after_promise"])
    assert "晚于承诺时限" in page.text
    refused = desk.post(f"/dispatch/orders/{number}/times/choice", offer=str(row.id))
    assert refused.status_code == 422
    assert "注明客户已同意" in refused.text
    agreed = desk.post(f"/dispatch/orders/{number}/times/choice", offer=str(row.id), customer_agrees="1")
    assert agreed.status_code == 303


@pytest.mark.parametrize("day", ["tomorrow", "2026-11-24", "2027-06-01", "2026-13-40", "9" * 40])
def test_a_day_that_cannot_be_meant_is_refused_in_words(scene: Scene, desk: Browser, number: str, day: str) -> None:
    refused = desk.post(f"/dispatch/orders/{number}/times", day=day)
    assert refused.status_code == 422
    assert "请选择今天起 60 天内的日期" in refused.text


@pytest.mark.parametrize("offer", ["", "0", "x", str(2**70)])
def test_a_choice_that_cannot_be_meant_is_refused_in_words(
    scene: Scene, desk: Browser, number: str, offer: str
) -> None:
    refused = desk.post(f"/dispatch/orders/{number}/times/choice", offer=offer)
    assert refused.status_code == 422


def test_a_time_that_is_over_is_no_longer_there(scene: Scene, desk: Browser, number: str, clock: Clock) -> None:
    page = desk.done(desk.post(f"/dispatch/orders/{number}/times"))
    clock.advance(minutes=11)
    refused = desk.post(f"/dispatch/orders/{number}/times/choice", offer=held(page)[0])
    assert refused.status_code == 422
    assert "不再为您保留" in refused.text


def test_whoever_does_not_plan_here_holds_nothing(scene: Scene, sign_in: Any, number: str) -> None:
    for role in ("agent", "technician"):
        client = sign_in(role, scene.station.id)
        token = client.get("/account").text.split('name="csrf-token" content="')[1].split('"')[0]
        answer = client.post(f"/dispatch/orders/{number}/times", data={"csrf_token": token})
        assert answer.status_code == 403
    assert not held_time.offers_of(order_of(number), NOW)


def order_of(number: str) -> Any:
    return session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
