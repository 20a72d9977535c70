"""What a technician has to bring back: on his tablet with its age, and asked for when it is late."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice import jobs
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.tasks import Task, title_text
from fieldservice.parts import services as ledger
from fieldservice.parts.models import StockLocation
from fieldservice.store import unused as counter
from fieldservice.workorders import orders, unused_parts
from fieldservice.workorders.models import WorkOrder
from tests.store.test_old_parts_pages import fitted
from tests.workorders.on_tour import OIL, SEAL, make_tour
from tests.workorders.scene import make_order
from tests.workorders.test_tablet_commands import Tablet


@pytest.fixture
def tablet(app: Flask, clock: Clock) -> Tablet:
    return Tablet(app, make_tour())


def handed_out(tablet: Tablet, number: str = SEAL, quantity: int = 2, order: int = 0) -> int:
    """So much is in Lu's van for an order that was called off then; the order."""
    tour = tablet.tour

    def hand() -> int:
        mine = session.get_one(WorkOrder, order) if order else make_order(tour.order.station)
        shelf = session.get_one(StockLocation, tour.warehouse_id)
        ledger.receive(tour.part(number), shelf, Decimal(quantity), at=now())
        ledger.post_move(
            part=tour.part(number), quantity=Decimal(quantity), cause="transfer", at=now(), about=mine,
            source=shelf, target=session.get_one(StockLocation, tour.van_id),
        )  # fmt: skip
        return mine.id

    return write(hand)


def called_off(order: int) -> None:
    write(lambda: orders.cancel(session.get_one(WorkOrder, order), "客户取消", now()))


def shown(tablet: Tablet, lang: str = "zh") -> dict[str, Any]:
    answer = tablet.http.get("/api/v1/tablet/snapshot", headers={**tablet.headers, "Accept-Language": lang})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def asked() -> list[tuple[str, Any, str]]:
    """(state, whose, words) of every task about unused parts, after the hourly job ran twice."""
    for _again in range(2):
        session.rollback()
        jobs.remind_of_unused_parts()
    rows = session.scalars(select(Task).where(Task.title == "unused_due").order_by(Task.id)).all()
    return [(one.state, one.owner_user_id, title_text(one)) for one in rows]


def test_the_tablet_tells_what_is_owed_and_since_when(tablet: Tablet) -> None:
    fitted(tablet)
    order = handed_out(tablet)
    assert shown(tablet)["to_return"]["unused"] == []  # the work is still to be done
    called_off(order)
    number = session.get_one(WorkOrder, order).number
    content = shown(tablet)
    [old], [left] = content["to_return"]["old_parts"], content["to_return"]["unused"]
    seal = content["parts"][str(left["part"])]
    assert (old["serial"], old["order"], old["quantity"], old["part"]) == (
        "OLD-1",
        tablet.tour.order.number,
        1,
        left["part"],
    )
    assert (left["order"], left["quantity"], seal["number"], seal["name"]) == (number, 2, SEAL, "骨架油封")
    assert left["since"][:10] == now().date().isoformat()
    assert left["due_at"] > left["since"]
    english = shown(tablet, "en")
    assert english["parts"][str(left["part"])]["name"] == "Oil seal"
    assert english["to_return"]["old_parts"][0]["title"] != old["title"]
    assert shown(tablet)["stamp"] != english["stamp"]


def test_what_came_back_is_not_owed_any_more(tablet: Tablet) -> None:
    order = handed_out(tablet)
    called_off(order)
    before = shown(tablet)["stamp"]
    tour = tablet.tour
    write(lambda: counter.bring_back(tour.van_id, tour.parts[SEAL], order, tour.order.station, now()))
    after = shown(tablet)
    assert after["to_return"]["unused"] == []
    assert after["stamp"] != before


def test_another_technicians_van_is_not_mine(tablet: Tablet) -> None:
    order = handed_out(tablet)
    called_off(order)
    assert unused_parts.unused(now(), van_id=tablet.tour.warehouse_id) == []
    assert len(unused_parts.unused(now(), van_id=tablet.tour.van_id)) == 1
    assert unused_parts.unused(now(), station_id=tablet.tour.station_id + 1) == []


def test_whoever_brings_nothing_in_the_set_days_is_asked_once(tablet: Tablet, clock: Clock) -> None:
    order = handed_out(tablet)
    handed_out(tablet, OIL, 5, order)
    called_off(order)
    number = session.get_one(WorkOrder, order).number
    assert asked() == []
    clock.advance(days=2, hours=23)
    assert asked() == []
    clock.advance(hours=2)
    [(state, whose, words)] = asked()
    assert (state, whose) == ("open", tablet.tour.user_id)
    assert number in words
    assert "+1" in words
    tour = tablet.tour
    write(lambda: counter.bring_back(tour.van_id, tour.parts[SEAL], order, tour.order.station, now()))
    assert [state for state, _whose, _words in asked()] == ["open"]
    write(lambda: counter.bring_back(tour.van_id, tour.parts[OIL], order, tour.order.station, now()))
    assert [state for state, _whose, _words in asked()] == ["cancelled"]


def test_a_station_sets_its_days(tablet: Tablet, clock: Clock) -> None:
    write(lambda: policies.set_override(unused_parts.DAYS, "station", tablet.tour.station_id, 10, at=now()))
    called_off(handed_out(tablet))
    clock.advance(days=9)
    assert asked() == []
    clock.advance(days=2)
    assert [state for state, _whose, _words in asked()] == ["open"]


def test_what_was_used_since_is_not_asked_for_any_more(tablet: Tablet, clock: Clock) -> None:
    called_off(handed_out(tablet))
    clock.advance(days=4)
    assert [state for state, _whose, _words in asked()] == ["open"]
    tour = tablet.tour
    van, four = session.get_one(StockLocation, tour.van_id), Decimal(4)
    write(lambda: ledger.post_move(part=tour.part(), quantity=four, cause="scrap", at=now(), source=van))
    assert [state for state, _whose, _words in asked()] == ["cancelled"]
