"""A transfer that comes too late for the visit it was sent for: its dispatcher is told, once, and while it is so."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice import jobs
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.insight.queries import way_to
from fieldservice.mechanisms.tasks import Task, title_text
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.workorders import orders, promised_parts
from tests.store.scene import Desk, cancel, make_desk
from tests.store.test_neighbours import ask, do

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(app: Flask, clock: Clock) -> Desk:
    made = make_desk()
    made.fill(made.far_store, 3)
    return made


def sent_for(desk: Desk, number: str, arrives: timedelta) -> int:
    """Two seals on their way for the order; the transfer."""

    def work() -> int:
        order = desk.order(number)
        source, store = (session.get_one(StockLocation, place) for place in (desk.far_store, desk.store))
        _held, sent = promised_parts.bring(
            part_by_number("SEAL"), Decimal(2), source, store, order, arrives=now() + arrives, need_at=now(), at=now()
        )
        return sent.id

    return write(work)


def told() -> list[tuple[str, str, str]]:
    """(title, whose, state) after the job ran twice."""
    for _again in range(2):
        session.rollback()
        jobs.watch_parts_on_their_way()
    session.rollback()
    wanted = select(Task).where(Task.title.in_(("transfer_late", "transfer_overdue"))).order_by(Task.id)
    return [(one.title, str(one.owner_role), one.state) for one in session.scalars(wanted)]


def test_what_comes_in_time_is_not_told(desk: Desk) -> None:
    sent_for(desk, desk.job(2, in_minutes=240), HOUR)
    assert told() == []


def test_what_comes_after_the_visit_is_told_once_with_its_order_and_what_to_do(desk: Desk) -> None:
    number = desk.job(2, in_minutes=120)
    sent = session.get_one(Transfer, sent_for(desk, number, 5 * HOUR)).number
    assert told() == [("transfer_late", "dispatcher", "open")]
    task = session.scalars(select(Task).where(Task.title == "transfer_late")).one()
    assert (task.subject_type, task.station_id, way_to(task)) == ("visit", desk.station, f"/work-orders/{number}")
    words = title_text(task)
    assert all(word in words for word in (number, sent, "SEAL", "改约"))
    assert task.due_at <= desk.order(number).visits[0].starts_at


def test_a_neighbour_who_agrees_late_makes_it_late(desk: Desk, clock: Clock) -> None:
    number = desk.job(2, in_minutes=150)
    sent = ask(desk, number)
    write(lambda: setattr(session.get_one(Transfer, sent), "expected_at", now() + 2 * HOUR))
    clock.advance(minutes=45)
    assert do(sent, transfers.approve) == "done"
    assert told() == [("transfer_late", "dispatcher", "open")]


def test_what_is_not_here_when_due_is_told_and_taken_back_when_it_arrives(desk: Desk, clock: Clock) -> None:
    number = desk.job(2, in_minutes=300)
    sent = sent_for(desk, number, 2 * HOUR)
    assert do(sent, transfers.ship) == "done"
    assert told() == []
    clock.advance(hours=2, minutes=1)
    assert told() == [("transfer_overdue", "dispatcher", "open")]
    assert do(sent, transfers.receive) == "done"
    assert told() == [("transfer_overdue", "dispatcher", "cancelled")]


def moved(desk: Desk, number: str, hours: int) -> None:
    def move() -> None:
        visit = desk.order(number).visits[0]
        visit.starts_at, visit.ends_at = visit.starts_at + hours * HOUR, visit.ends_at + hours * HOUR

    write(move)


def test_a_visit_that_moves_behind_it_is_in_time_again_and_moved_back_it_is_not(desk: Desk) -> None:
    number = desk.job(2, in_minutes=120)
    sent_for(desk, number, 5 * HOUR)
    assert told() == [("transfer_late", "dispatcher", "open")]
    moved(desk, number, 4)
    assert [state for _title, _whose, state in told()] == ["cancelled"]
    moved(desk, number, -4)
    assert [state for _title, _whose, state in told()] == ["cancelled", "open"]
    moved(desk, number, 1)  # still too early: told for its new time
    assert [state for _title, _whose, state in told()] == ["cancelled", "cancelled", "open"]


ENDS: dict[str, Callable[[Desk, str, int], Any]] = {
    "visit": lambda _desk, number, _sent: cancel(number),
    "order": lambda desk, number, _sent: write(lambda: orders.cancel(desk.order(number), "客户取消", now())),
    "transfer": lambda _desk, _number, sent: do(sent, transfers.cancel),
    "lost": lambda _desk, _number, sent: (do(sent, transfers.ship), do(sent, transfers.give_up, "丢了")),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_over_is_not_told(desk: Desk, end: str) -> None:
    number = desk.job(2, in_minutes=120)
    sent = sent_for(desk, number, 5 * HOUR)
    ENDS[end](desk, number, sent)
    assert told() == []


def test_the_board_of_the_station_shows_it_with_its_order(desk: Desk, sign_in: Any) -> None:
    number = desk.job(2, in_minutes=120)
    sent_for(desk, number, 5 * HOUR)
    told()
    page = sign_in("dispatcher", desk.station).get("/stations/WXXW").text
    assert f'href="/work-orders/{number}"' in page
