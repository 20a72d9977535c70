"""Reading customers' stock: use is what is missing, more is asked about, days are the right ones."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, g
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, now, today
from fieldservice.foundation.time import clock as the_clock
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts import services as parts
from fieldservice.parts.consignment import checking, daily, lines
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentReading
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.parts.queries import unbalanced
from tests.conftest import NOW
from tests.parts.consignment.scene import Stock, make_stock


@pytest.fixture
def stock(app: Flask) -> Stock:
    return make_stock()


def moves(stock: Stock) -> list[tuple[str, Decimal]]:
    rows = session.scalars(select(StockMove).where(StockMove.part_id == stock.part).order_by(StockMove.id))
    return [(move.cause, move.quantity) for move in rows if stock.place in (move.from_id, move.to_id)][1:]


def sound() -> bool:
    return unbalanced() == [] and checking.readings_astray() == []


def test_what_is_missing_was_used(stock: Stock) -> None:
    reading = stock.read(88)
    assert (reading.used, reading.expected, stock.lies()) == (12, 100, 88)
    assert moves(stock) == [("use", Decimal(12))]
    assert sound()


def test_the_same_day_twice_replaces_and_the_same_again_changes_nothing(stock: Stock) -> None:
    first = stock.read(88)
    assert stock.read(88).id == first.id
    assert moves(stock) == [("use", Decimal(12))]
    again = stock.read(90)
    assert (again.id, again.used, stock.lies()) == (first.id, 10, 90)
    assert moves(stock) == [("use", Decimal(12)), ("reversal", Decimal(12)), ("use", Decimal(10))]
    assert sound()


def test_the_same_number_after_a_delivery_is_another_reading(stock: Stock, clock: Clock) -> None:
    stock.read(90)
    clock.advance(hours=2)
    stock.bring(40)
    clock.advance(hours=2)
    assert (stock.read(90).used, stock.lies()) == (50, 90)
    assert sound()


def test_more_than_should_lie_there_is_asked_about(stock: Stock) -> None:
    with pytest.raises(Conflict) as asked:
        stock.read(101)
    assert (asked.value.code, asked.value.facts["expected"]) == ("more_than_there", "100")
    assert session.scalars(select(ConsignmentReading)).all() == []
    reading = stock.read(101, sure=True)  # within the tolerance of counts
    assert (reading.state, reading.used, stock.lies()) == ("posted", 0, 101)
    assert moves(stock) == [("count", Decimal(1))]
    assert sound()


def test_much_more_waits_for_a_manager_who_did_not_read_it(stock: Stock) -> None:
    reading = stock.read(160, sure=True)
    assert (reading.state, stock.lies()) == ("awaiting", 100)
    [task] = session.query(Task).filter_by(title="consignment_more_found")
    assert (task.state, task.owner_role, task.station_id) == ("open", "station_manager", stock.station)
    with pytest.raises(Conflict, match="counted_by_you"):
        write(lambda: daily.approve(session.get_one(ConsignmentReading, reading.id), at=now()))

    def decide(work: Any, reading_id: int) -> None:
        g.actor = "user:99"
        try:
            write(lambda: work(session.get_one(ConsignmentReading, reading_id), at=now()))
        finally:
            g.pop("actor")

    decide(daily.approve, reading.id)
    decide(daily.approve, reading.id)  # twice is once
    session.expire_all()
    assert (session.get_one(ConsignmentReading, reading.id).state, stock.lies()) == ("posted", 160)
    assert session.get_one(Task, task.id).state == "cancelled"
    assert sound()


def test_what_a_manager_refuses_is_read_again(stock: Stock) -> None:
    reading = stock.read(160, sure=True)
    write(lambda: daily.refuse(session.get_one(ConsignmentReading, reading.id), at=now()))
    assert stock.lies() == 100
    assert stock.read(95).state == "posted"
    assert (stock.lies(), sound()) == (95, True)


def test_a_newer_reading_takes_the_place_of_one_that_waits(stock: Stock, clock: Clock) -> None:
    older = stock.read(160, sure=True)
    clock.advance(days=1)
    stock.read(155, sure=True)
    session.expire_all()
    assert session.get_one(ConsignmentReading, older.id).state == "refused", "both would count what was found twice"


@pytest.mark.parametrize(
    ("counted", "days", "code"),
    [
        ("-1", 0, "invalid"), ("NaN", 0, "invalid"), ("Infinity", 0, "invalid"), ("1.0005", 0, "invalid"),
        ("100001", 0, "invalid"), ("90", 1, "invalid"), ("90", -2, "invalid"), ("90", -40, "invalid"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_nothing_is_posted(stock: Stock, counted: str, days: int, code: str) -> None:
    with pytest.raises(Invalid):
        stock.read(counted, on=today() + timedelta(days=days))
    assert (moves(stock), stock.lies()) == ([], 100)


def test_a_day_that_is_over_may_be_entered_while_nothing_moved_since(stock: Stock, clock: Clock) -> None:
    clock.advance(days=2)
    reading = stock.read(90, on=today() - timedelta(days=1))
    assert reading.used == 10
    assert stock.read(89, on=today() - timedelta(days=1)).used == 11  # and corrected
    stock.read(80)
    with pytest.raises(Conflict) as refused:
        stock.read(85, on=today() - timedelta(days=1))
    assert refused.value.code == "read_later"
    assert sound()


def test_a_day_that_is_over_is_refused_where_stock_came_since(stock: Stock, clock: Clock) -> None:
    clock.advance(days=1)
    stock.bring(10)
    with pytest.raises(Conflict) as refused:
        stock.read(90, on=today() - timedelta(days=1))
    assert refused.value.code == "moved_since"


def test_pieces_are_whole(app: Flask) -> None:
    stock = make_stock(unit="pcs")
    with pytest.raises(Invalid):
        stock.read("9.5")


def test_what_a_technician_took_on_a_visit_is_use_too(stock: Stock, clock: Clock) -> None:
    stock.read(90)
    clock.advance(hours=1)

    def take() -> None:
        place, part = session.get_one(StockLocation, stock.place), session.get_one(Part, stock.part)
        wrong = parts.post_move(part=part, quantity=Decimal(3), cause="use", at=now(), source=place)
        parts.reverse(wrong, at=now())
        parts.post_move(part=part, quantity=Decimal(5), cause="use", at=now(), source=place)

    write(take)
    clock.advance(days=1)
    assert stock.read(80).used == 10  # five on the visit, five by the customer
    assert sound()


@pytest.mark.parametrize(
    "wrong",
    [
        {"baseline_days": -1}, {"target_days": 0}, {"target_days": 731}, {"safety_days": 7}, {"price": -1},
        {"billing": "never"}, {"active_from": today() + timedelta(days=5), "active_to": today()},
    ],
)  # fmt: skip
def test_senseless_terms_are_refused(stock: Stock, wrong: dict[str, Any]) -> None:
    terms = Terms(**{"baseline_days": 30, "target_days": 7, **wrong})
    with pytest.raises(Invalid):
        write(lambda: lines.change(stock.row(), terms, at=now()))


def test_agreed_once_and_at_customers_only(stock: Stock) -> None:
    terms = Terms(30, 7)
    part, store = session.get_one(Part, stock.part), session.get_one(StockLocation, stock.store)
    with pytest.raises(Invalid):
        write(lambda: lines.agree(store, part, terms, at=now()))
    with pytest.raises(Conflict) as known:
        write(lambda: lines.agree(session.get_one(StockLocation, stock.place), part, terms, at=now()))
    assert known.value.code == "consignment_known"


def test_an_ended_agreement_is_read_no_more_and_may_be_taken_up_again(stock: Stock) -> None:
    write(lambda: lines.end(stock.row(), at=now()))
    write(lambda: lines.end(stock.row(), at=now()))
    with pytest.raises(Conflict):
        stock.read(90)
    write(lambda: lines.take_up(stock.row(), at=now()))
    assert stock.read(90).used == 10


def outcome(stock: Stock, counted: int, sure: bool) -> str:
    try:
        stock.read(counted, sure=sure)
    except DomainError as refused:
        return refused.code
    return "read"


STEPS = st.lists(st.tuples(st.integers(0, 130), st.integers(0, 2), st.booleans()), max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_read_the_ledger_replays_and_nothing_is_negative(databases: Any, steps: Any) -> None:
    database = databases["sqlite"]
    database.reset()
    the_clock.fix(NOW)
    with database.app.app_context():
        stock = make_stock()
        for counted, days, sure in steps:
            the_clock.advance(days=days)
            assert outcome(stock, counted, sure) in ("read", "more_than_there")
        assert sound()
        row = stock.row()
        assert row.stock >= 0
        assert row.daily_use >= 0
        session.rollback()
        session.remove()
    the_clock.follow_wall()
