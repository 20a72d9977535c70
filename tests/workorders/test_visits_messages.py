"""Customers are told who comes, when it changes and when somebody sets off: in their language, once (S-05)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.customers.models import Customer
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.messages.models import Message
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit
from tests.workorders.cast import DAY
from tests.workorders.on_tour import Tour, another_technician, make_tour


@pytest.fixture
def tour(app: Flask) -> Tour:
    return make_tour()


def told(*templates: str) -> list[Message]:
    return [one for one in session.scalars(select(Message).order_by(Message.id)) if one.template in templates]


def text_of(message: Message) -> str:
    return messages.render(message.template, message.language, message.facts, message.channel).body


def send_all() -> None:
    class Kept:
        def send(self, *_args: Any, **_facts: Any) -> None:
            """Takes everything."""

    messages.deliver_queued(carriers={"sms": Kept(), "email": Kept()})  # type: ignore[dict-item]


def test_S_05_assigning_a_technician_queues_a_message_in_the_customers_language(tour: Tour) -> None:
    [message] = told("visit_planned")
    assert (message.language, message.channel, message.to) == ("zh", "sms", "13912340608")
    assert "陆建国" in text_of(message)
    assert "11月25日 11:00–13:00" in text_of(message)
    assert message.next_try_at == now() + timedelta(seconds=15)  # until then a dispatcher may undo it


def test_S_05_an_english_customer_is_told_in_english(app: Flask) -> None:
    def english() -> None:
        for request in session.scalars(select(ServiceRequest)):
            request.language = "en"

    tour = make_tour()
    write(english)
    tour.go("accepted", "en_route")
    [message] = told("technician_on_the_way")
    assert message.language == "en"
    assert text_of(message).startswith(tour.order.request.number + ": Lu Jianguo is on the way and arrives about")  # type: ignore[union-attr]


def test_a_booking_undone_at_once_tells_nobody(tour: Tour) -> None:
    write(lambda: booking.cancel_visit(tour.visit, "undone"))
    assert told("visit_planned", "visit_called_off") == []


def test_a_visit_called_off_is_told_to_whoever_knew_of_it(tour: Tour, clock: Clock) -> None:
    clock.advance(minutes=1)
    send_all()
    write(lambda: booking.cancel_visit(tour.visit, "客户停产"))
    [message] = told("visit_called_off")
    assert "11月25日 11:00" in text_of(message)


def test_another_time_replaces_what_was_not_sent_yet(tour: Tour) -> None:
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=at_local(DAY, 14)))
    [message] = told("visit_planned", "visit_moved")
    assert (message.template, "14:00–" in text_of(message)) == ("visit_planned", True)


def test_another_time_is_told_as_a_change_once_the_first_was_sent(tour: Tour, clock: Clock) -> None:
    clock.advance(minutes=1)
    send_all()
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=at_local(DAY, 14)))
    assert [one.template for one in told("visit_planned", "visit_moved")] == ["visit_planned", "visit_moved"]
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=at_local(DAY, 11)))  # and back: nothing to tell
    assert [one.template for one in told("visit_planned", "visit_moved")] == ["visit_planned"]


def test_another_technician_is_told_too(tour: Tour, clock: Clock) -> None:
    clock.advance(minutes=1)
    send_all()
    xu = another_technician(tour).id
    write(lambda: booking.reschedule_visit(tour.visit, technician=session.get_one(Technician, xu)))
    assert "许晓峰" in text_of(told("visit_moved")[0])


def test_the_way_is_told_with_the_eta(tour: Tour) -> None:
    tour.go("accepted", "en_route")
    [message] = told("technician_on_the_way")
    eta = tour.visit.eta_at
    assert eta is not None
    assert message.facts["eta_at"] == eta.isoformat()


def test_without_a_known_point_the_window_is_told(app: Flask) -> None:
    tour = make_tour(precision="county")
    tour.go("accepted", "en_route")
    assert told("technician_on_the_way") == []
    assert "11:00–13:00" in text_of(told("technician_on_the_way_soon")[0])


def test_a_way_reported_much_later_is_not_told(tour: Tour, clock: Clock) -> None:
    clock.advance(hours=2)
    for state in ("accepted", "en_route"):
        tour.do(visits.step, state, at=now() - timedelta(hours=1))
    assert told("technician_on_the_way") == []


def test_restored_is_told_once(tour: Tour) -> None:
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="completed", restored=True)
    assert len(told("machine_restored")) == 1


def test_a_visit_without_a_request_tells_nobody(app: Flask) -> None:
    tour = make_tour()

    def alone() -> None:
        tour.order.request_id = None

    write(alone)
    tour.go("accepted", "en_route")
    assert told("technician_on_the_way") == []
    assert session.scalar(select(Customer.id)) is not None
    assert session.get_one(Visit, tour.visit_id).state == "en_route"
