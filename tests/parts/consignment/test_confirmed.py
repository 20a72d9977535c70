"""What is told and counted of refills: the customer hears by when it comes; the board how many came in time (T-06)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.customers.models import Contact
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now, today
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.metrics import Period, Scope, all_metrics, measure, measure_stations
from fieldservice.parts.consignment import refills
from tests.parts.consignment.scene import SIGNED, Stock, make_stock


@pytest.fixture
def stock(app: Flask) -> Stock:
    return make_stock(lies=20)


def someone(stock: Stock, **facts: Any) -> None:
    given = {"customer_id": stock.customer, "name": "周敏", "state": "active", **facts}
    write(lambda: session.add(Contact(**given)))


def confirmed(stock: Stock, quantity: int = 50) -> None:
    stock.propose(quantity)
    stock.do(refills.confirm)


def delivered(stock: Stock, clock: Clock, *, hours: float, quantity: int | None = None) -> None:
    confirmed(stock)
    stock.do(refills.ship)
    clock.advance(hours=hours)
    stock.do(refills.deliver, None if quantity is None else Decimal(quantity), SIGNED)


# The message ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "channel", "to"),
    [
        ([{"phone": "13800138000"}], "sms", "13800138000"),
        ([{"phone": "13800138000"}, {"email": "buyer@steel.test", "role": "buyer"}], "email", "buyer@steel.test"),
        ([{"role": "buyer"}, {"email": "mill@steel.test"}], "email", "mill@steel.test"),
    ],
)
def test_T_06_whoever_buys_is_told_by_when_it_comes(
    stock: Stock, people: list[dict[str, str]], channel: str, to: str
) -> None:
    for one in people:
        someone(stock, **one)
    confirmed(stock)
    stock.do(refills.confirm)  # twice is once
    told = session.query(Message).filter_by(template="refill_confirmed").one()
    assert (told.channel, told.to, told.subject_type) == (channel, to, "refill_order")
    refill = stock.refills()[-1]
    assert refill.due_at is not None
    expected = {
        "number": refill.number, "quantity": "50", "unit": "l", "part": "润滑脂", "place": "热轧油库",
        "due_at": refill.due_at.isoformat(),
    }  # fmt: skip
    assert told.facts == expected


def test_T_06_in_the_language_of_whoever_is_told(stock: Stock) -> None:
    someone(stock, email="mill@steel.test", language="en")
    confirmed(stock)
    told = session.query(Message).filter_by(template="refill_confirmed").one()
    assert (told.language, told.facts["part"], told.facts["place"]) == ("en", "Grease", "Mill oil store")


@pytest.mark.parametrize("facts", [{"state": "left", "phone": "13800138000"}, {"phone": "0510-1"}])
def test_who_cannot_be_reached_is_not_told(stock: Stock, facts: dict[str, str]) -> None:
    someone(stock, **facts)
    confirmed(stock)
    assert session.query(Message).filter_by(template="refill_confirmed").count() == 0


# The figure -----------------------------------------------------------------------------------------------


def figure(stock: Stock, day: int = 0) -> tuple[Any, int]:
    on = today() + timedelta(days=day)
    found = measure("deliver_24h", Period(on, on), Scope())
    at_station = measure_stations("deliver_24h", Period(on, on), Scope(), [stock.station])[stock.station]
    assert (found.numerator or 0, found.denominator) == (at_station.numerator or 0, at_station.denominator)
    return found.numerator, found.denominator


def test_T_06_it_is_among_the_figures() -> None:
    assert "deliver_24h" in {one.code for one in all_metrics()}


@pytest.mark.parametrize(("hours", "quantity", "kept"), [(23.9, None, 1), (24.1, None, 0), (2, 20, 0)])
def test_T_06_refills_within_24_hours_by_the_day_they_fell_due(
    stock: Stock, clock: Clock, hours: float, quantity: int | None, kept: int
) -> None:
    fell_due = today() + timedelta(days=1)
    delivered(stock, clock, hours=hours, quantity=quantity)
    assert figure(stock, (fell_due - today()).days) == (kept, 1)
    assert figure(stock, (fell_due - today()).days + 1)[1] == 0


def test_T_06_what_is_on_its_way_or_called_off_does_not_count(stock: Stock) -> None:
    confirmed(stock)
    assert figure(stock, 1)[1] == 0
    stock.do(refills.cancel, "改期")
    assert figure(stock, 1)[1] == 0


def test_T_06_the_figure_has_its_page(stock: Stock, clock: Clock, sign_in: Any) -> None:
    delivered(stock, clock, hours=23)
    clock.advance(hours=2)
    assert now() is not None
    page = sign_in("director").get("/board/deliver_24h?lang=en")
    assert page.status_code == 200
    assert f'href="/parts/refills/{stock.refills()[-1].number}"' in page.text
