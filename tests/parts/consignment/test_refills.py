"""Refilling customers' stock: kept within 24 hours against a signature, or openly not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts import services as parts
from fieldservice.parts.availability import services as promises
from fieldservice.parts.consignment import checking, lines, refills
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.consignment.refills import Proof
from fieldservice.parts.models import Part
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.services import Arrived
from tests.foundation.test_db import make_station
from tests.parts.consignment.scene import SIGNED, Stock, make_stock, note
from tests.parts.scene import refused
from tests.parts.test_reservations import at_once


@pytest.fixture
def stock(app: Flask) -> Stock:
    return make_stock(lies=20)


def promise(refill: RefillOrder) -> clocks.Clock:
    [clock] = clocks.of(refill)
    return clock


def under_way(stock: Stock, quantity: Any = 50) -> RefillOrder:
    """Confirmed and sent."""
    stock.propose(quantity)
    stock.do(refills.confirm)
    return stock.do(refills.ship)


def sound() -> bool:
    return unbalanced() == [] and checking.refills_astray() == []


def test_T_06_the_whole_way_in_time(stock: Stock, clock: Clock) -> None:
    stock.propose(50)
    confirmed = stock.do(refills.confirm)
    assert (confirmed.state, confirmed.due_at) == ("confirmed", now() + timedelta(hours=24))
    assert (promise(confirmed).kind, promise(confirmed).told, promise(confirmed).pausable) == ("delivery", True, False)
    assert session.query(Task).filter_by(title="refill_due").one().state == "done"
    clock.advance(hours=3)
    assert stock.do(refills.ship).state == "shipped"
    assert (stock.lies(), stock.lies(stock.store)) == (20, 950)
    clock.advance(hours=21)  # to the minute
    delivered = stock.do(refills.deliver, None, SIGNED)
    assert (delivered.state, delivered.kept, delivered.received_by) == ("delivered", True, "赵倩")
    assert (promise(delivered).state, stock.lies()) == ("kept", 70)
    assert sound()


def test_T_06_a_minute_late_is_not_kept(stock: Stock, clock: Clock) -> None:
    refill = under_way(stock)
    clock.advance(hours=24, minutes=1)
    write(lambda: clocks.tick(now()))
    assert promise(refill).state == "breached"
    task = session.query(Task).filter_by(title="clock_breached").one()
    assert (task.owner_role, task.subject_type) == ("station_manager", "refill_order")
    delivered = stock.do(refills.deliver, None, SIGNED)
    assert (delivered.kept, promise(delivered).state, promise(delivered).is_open) == (False, "breached", False)
    assert sound()


def test_T_06_a_partial_delivery_is_not_kept_whatever_comes_later(stock: Stock, clock: Clock) -> None:
    under_way(stock)
    clock.advance(hours=2)
    part = stock.do(refills.deliver, Decimal(30), SIGNED)
    assert (part.state, part.kept, part.delivered, stock.lies()) == ("part_delivered", False, 30, 50)
    assert (promise(part).state, promise(part).is_open) == ("breached", False)
    assert session.query(Task).filter_by(title="clock_breached").one().state == "open"
    clock.advance(hours=2)  # the rest within 24 hours, too
    whole = stock.do(refills.deliver, None, SIGNED)
    assert (whole.state, whole.kept, stock.lies(), promise(whole).state) == ("delivered", False, 70, "breached")
    assert sound()


def test_twice_is_once(stock: Stock) -> None:
    stock.propose(50)
    assert stock.propose(60).quantity == 50
    for work in (refills.confirm, refills.confirm, refills.ship, refills.ship, refills.confirm):
        stock.do(work)
    for _press in range(2):
        stock.do(refills.deliver, None, SIGNED)
    assert (stock.lies(), stock.lies(stock.store), len(stock.refills())) == (70, 950, 1)
    assert sound()


@pytest.mark.parametrize("steps", [[refills.confirm], [refills.ship], [refills.propose]])
def test_two_at_once_are_one(stock: Stock, steps: list[Callable[..., Any]], app: Flask) -> None:
    if steps == [refills.propose]:
        work: Callable[[], Any] = lambda: refills.propose(stock.row(), Decimal(50), at=now())  # noqa: E731
    else:
        stock.propose(50)
        if steps == [refills.ship]:
            stock.do(refills.confirm)
        number = stock.refills()[-1].id
        work = lambda: steps[0](session.get_one(RefillOrder, number), at=now())  # noqa: E731
    session.remove()
    at_once(app, [work, work])
    assert len(stock.refills()) == 1
    assert session.query(Transfer).count() <= 1
    assert sound()


@pytest.mark.parametrize(
    ("quantity", "proof"),
    [
        (None, Proof("")), (None, Proof("赵倩")), (None, Proof("  ", by_account=True)), (Decimal(0), SIGNED),
        (Decimal(-1), SIGNED), (Decimal(51), SIGNED), (Decimal("NaN"), SIGNED), (None, Proof("a\0b", by_account=True)),
    ],
)  # fmt: skip
def test_without_a_signature_or_with_nonsense_nothing_is_delivered(stock: Stock, quantity: Any, proof: Proof) -> None:
    under_way(stock)
    with pytest.raises(Invalid):
        stock.do(refills.deliver, quantity, proof)
    refill = stock.refills()[-1]
    assert (refill.state, refill.delivered, stock.lies()) == ("shipped", 0, 20)


def test_the_signed_note_is_kept_with_it(stock: Stock) -> None:
    under_way(stock)
    refill = stock.do(refills.deliver, None, Proof("赵倩", note()))
    kept = session.query(StoredFile).one()
    assert (kept.subject_type, kept.subject_id, refill.proof) == ("refill_order", refill.id, "note")


def test_nothing_is_delivered_that_did_not_leave(stock: Stock) -> None:
    stock.propose(50)
    for work in (lambda: stock.do(refills.ship), lambda: stock.do(refills.deliver, None, SIGNED)):
        with pytest.raises(Conflict):
            work()
    stock.do(refills.confirm)
    with pytest.raises(Conflict):
        stock.do(refills.deliver, None, SIGNED)


def test_it_comes_from_the_nearest_store_that_has_enough(stock: Stock) -> None:
    def neighbours() -> list[int]:
        made = []
        for code, longitude, quantity in (("FAR", 121.5, 900), ("NEAR", 120.6, 800)):
            station = make_station(code)
            station.longitude, station.functions = longitude, ["spare_part"]
            move(station, "open")
            store = parts.open_location(kind="warehouse", station_id=station.id, names={})
            parts.receive(session.get_one(Part, stock.part), store, Decimal(quantity), at=now())
            made.append(store.id)
        return made

    far, near = write(neighbours)
    refill = stock.propose(850)
    found = refills.ways_of(refill, now())
    assert [way.place.id for way in found] == [stock.store, near, far]
    assert [way.free for way in found] == [1_000, 800, 900]
    write(lambda: promises.reserve(
        session.get_one(Part, stock.part), found[0].place, Decimal(500), need_at=now(), about=refill, at=now()
    ))  # fmt: skip
    confirmed = stock.do(refills.confirm)
    assert confirmed.transfer is not None
    assert confirmed.transfer.from_id == far, "our own and the near one have less than 850"


def test_what_nobody_has_is_said_and_less_may_be_brought(stock: Stock) -> None:
    stock.propose(1_001)
    with pytest.raises(Conflict) as refusal:
        stock.do(refills.confirm)
    assert (refusal.value.code, refusal.value.facts["free"]) == ("nobody_has_it", "1000")
    assert stock.do(refills.confirm, quantity=Decimal(1_000)).quantity == 1_000


def test_called_off_it_takes_its_promise_out_of_count(stock: Stock) -> None:
    stock.propose(50)
    stock.do(refills.confirm)
    with pytest.raises(Invalid):
        stock.do(refills.cancel, "")
    cancelled = stock.do(refills.cancel, "客户停产检修")
    stock.do(refills.cancel, "客户停产检修")
    assert (cancelled.state, promise(cancelled).state) == ("cancelled", "void")
    assert session.query(Transfer).one().state == "cancelled"
    assert stock.propose(40).number != cancelled.number
    assert sound()


def test_a_store_that_does_not_send_it_leaves_the_promise_standing(stock: Stock, clock: Clock) -> None:
    stock.propose(50)
    first = stock.do(refills.confirm)
    due_at, transfer = first.due_at, first.transfer_id
    clock.advance(hours=5)
    write(lambda: transfers.cancel(session.get_one(Transfer, transfer), at=now()))
    assert stock.refills()[-1].state == "proposed"
    assert [task.state for task in session.query(Task).filter_by(title="refill_due").order_by(Task.id)] == [
        "done", "open",
    ]  # fmt: skip
    again = stock.do(refills.confirm)
    assert (again.state, again.due_at) == ("confirmed", due_at), "the customer's 24 hours began with the first word"


def test_on_the_transfers_own_page_it_may_leave_and_arrive(stock: Stock) -> None:
    stock.propose(50)
    transfer = stock.do(refills.confirm).transfer_id
    write(lambda: transfers.ship(session.get_one(Transfer, transfer), at=now()))
    assert stock.refills()[-1].state == "shipped"
    write(lambda: transfers.receive(session.get_one(Transfer, transfer), at=now()))
    assert (stock.refills()[-1].state, stock.lies()) == ("shipped", 70), "nobody signed for it yet"
    assert stock.do(refills.deliver, None, SIGNED).kept is True
    assert stock.lies() == 70
    assert sound()


def test_what_the_transfers_page_received_is_not_received_twice(stock: Stock) -> None:
    transfer = under_way(stock).transfer_id
    line = session.get_one(Transfer, transfer).lines[0].id
    write(lambda: transfers.receive(session.get_one(Transfer, transfer), {line: Arrived(Decimal(30))}, at=now()))
    part = stock.do(refills.deliver, Decimal(20), SIGNED)
    assert (part.delivered, part.kept, stock.lies()) == (20, False, 50)
    rest = stock.do(refills.deliver, None, SIGNED)
    assert (rest.state, rest.delivered, stock.lies()) == ("delivered", 50, 70)
    assert sound()


def test_lost_on_the_way_is_a_broken_promise_and_may_be_refilled_again(stock: Stock) -> None:
    transfer = under_way(stock).transfer_id
    write(lambda: transfers.give_up(session.get_one(Transfer, transfer), "翻车", at=now()))
    lost = stock.refills()[-1]
    assert (lost.state, lost.kept, promise(lost).state) == ("not_arrived", False, "breached")
    assert stock.propose(50).state == "proposed"


def test_an_agreement_with_a_refill_under_way_does_not_end(stock: Stock) -> None:
    stock.propose(50)
    assert refused(lambda: lines.end(stock.row(), at=now())) == "refill_open"
    stock.do(refills.cancel, "错误")
    write(lambda: lines.end(stock.row(), at=now()))
    with pytest.raises(DomainError):
        stock.propose(10)
