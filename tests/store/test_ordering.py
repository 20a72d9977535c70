"""A part ordered from its supplier for an order: in packs, on one draft, and what comes is for whom it was ordered."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number, unbalanced
from fieldservice.parts.receipts import services as receipts
from fieldservice.parts.receipts.services import Arrived
from fieldservice.parts.supply import services as supply
from fieldservice.parts.supply.models import SupplyOrder
from fieldservice.store import sourcing
from fieldservice.store.sourcing import Need
from tests.store.scene import Desk, make_desk
from tests.workorders.desk import token as form_token

DAY = timedelta(days=1)


@pytest.fixture
def desk(app: Flask) -> Desk:
    made = make_desk()

    def offer() -> None:
        supplier = Supplier(code="S-1", names={"zh": "轴承厂", "en": "Bearings"})
        session.add(supplier)
        session.flush()
        session.add(
            SupplierOffer(
                supplier_id=supplier.id, part_id=part_by_number("SEAL").id, price=900, lead_days=3, minimum=Decimal(1),
                pack=Decimal(5), valid_from=date(2026, 1, 1),
            )
        )  # fmt: skip

    write(offer)
    return made


def order_it(desk: Desk, number: str, quantity: int = 2, supplier: str = "S-1") -> str:
    """The supply order's number, or the code of the refusal."""

    def work() -> str:
        need = Need(part_by_number("SEAL"), desk.station_row(), Decimal(quantity), now() + DAY, desk.order(number))
        done = sourcing.order_from(need, supplier, "SEAL", now())
        assert done.supply is not None
        return str(done.supply.number)

    try:
        return write(work)
    except DomainError as error:
        session.rollback()
        return str(error.code)


def bought(number: str) -> SupplyOrder:
    return session.scalars(select(SupplyOrder).where(SupplyOrder.number == number)).one()


def ordered(number: str) -> list[int]:
    session.rollback()
    return [int(line.quantity) for line in bought(number).lines]


def act(number: str, work: Callable[..., Any], *args: Any, **more: Any) -> None:
    write(lambda: work(bought(number), *args, **{"at": now(), **more}))


def send(number: str) -> None:
    act(number, supply.approve, by_manager=True)
    act(number, supply.send)


def mine(desk: Desk, number: str) -> Reservation:
    return next(one for one in desk.held() if (one.for_type, one.for_id) == ("work_order", desk.order(number).id))


def deliver(desk: Desk, quantity: int) -> None:
    def come() -> None:
        supplier = session.scalars(select(Supplier)).one()
        receipt = receipts.open_receipt(supplier, "LS-1", session.get_one(StockLocation, desk.store), at=now())
        receipts.add_line(receipt, Arrived(part_by_number("SEAL"), Decimal(quantity), "", None, "", ()), at=now())
        receipts.post_receipt(receipt, at=now())

    write(come)


def told() -> list[str]:
    session.rollback()
    return list(session.scalars(select(Task.title).where(Task.state == "open").order_by(Task.id)))


def test_one_draft_takes_what_several_orders_need_in_packs(desk: Desk) -> None:
    wanted = zip((2, 3, 2, 2, 2), range(60, 460, 80), strict=True)
    first, second, third, fourth, fifth = (desk.job(quantity, in_minutes=minutes) for quantity, minutes in wanted)
    number = order_it(desk, first)
    assert ordered(number) == [5]
    assert order_it(desk, second, 3) == number
    assert ordered(number) == [5]  # the rest of the pack
    assert order_it(desk, third) == number
    assert ordered(number) == [10]
    act(number, supply.put_line, part_by_number("SEAL"), Decimal(20))  # somebody wants more for the shelf
    assert order_it(desk, fourth) == number
    assert ordered(number) == [25]  # which was not to be used up
    send(number)
    assert order_it(desk, fifth) != number


def test_what_comes_goes_to_whom_it_was_ordered_for(desk: Desk) -> None:
    first = desk.job(2)
    number = order_it(desk, first)
    assert (mine(desk, first).state, desk.how()) == ("requested", [("SEAL", "missing", 2)])
    send(number)
    assert mine(desk, first).state == "reserved"
    assert desk.how() == [("SEAL", "coming", 2)]
    part, store = part_by_number("SEAL"), session.get_one(StockLocation, desk.store)
    with pytest.raises(DomainError):  # somebody else has the three others at most
        write(
            lambda: promises.reserve(
                part, store, Decimal(4), need_at=now() + 9 * DAY, about=Ref("errand", 1), at=now()
            )
        )  # fmt: skip
    session.rollback()
    deliver(desk, 5)
    assert desk.how() == [("SEAL", "ready", 2)]
    assert unbalanced() == []


def test_later_it_is_still_for_the_order_and_the_dispatcher_is_told(desk: Desk) -> None:
    first = desk.job(2)
    number = order_it(desk, first)
    send(number)
    act(number, supply.acknowledge, now() + 8 * DAY)
    held = mine(desk, first)
    assert (held.state, held.waits_id, held.need_at >= now() + 7 * DAY) == ("reserved", bought(number).id, True)
    assert told() == ["part_late"]
    act(number, supply.acknowledge, now() + 4 * DAY)  # sooner again: nothing is lost
    assert mine(desk, first).state == "reserved"


@pytest.mark.parametrize("sent", [False, True])
def test_called_off_it_is_wanted_and_the_dispatcher_is_told(desk: Desk, sent: bool) -> None:
    first = desk.job(2)
    number = order_it(desk, first)
    if sent:
        send(number)
    act(number, supply.cancel, "停产")
    assert (mine(desk, first).state, mine(desk, first).waits_id) == ("requested", None)
    assert told() == ["part_lost"]
    assert order_it(desk, first) not in (number, "already_reserved")
    assert told() == []  # looked after


def test_a_line_taken_off_tells_whom_it_was_for(desk: Desk) -> None:
    number = order_it(desk, desk.job(2))
    act(number, supply.drop_line, bought(number).lines[0].id)
    assert told() == ["part_lost"]


def test_pressed_twice_or_by_two_at_once_is_ordered_once(desk: Desk, app: Flask) -> None:
    number = desk.job(2)
    start, said = Barrier(2), []
    session.remove()

    def press() -> None:
        with app.app_context():
            start.wait()
            said.append(order_it(desk, number))
            session.remove()

    people = [Thread(target=press) for _person in range(2)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert "already_reserved" in said
    (made,) = session.scalars(select(SupplyOrder)).all()
    assert ordered(made.number) == [5]
    assert order_it(desk, number) == "already_reserved"


@pytest.mark.parametrize(("supplier", "code"), [("S-9", "source_gone"), ("", "source_gone")])
def test_an_unknown_supplier_is_refused(desk: Desk, supplier: str, code: str) -> None:
    assert order_it(desk, desk.job(2), supplier=supplier) == code


def test_the_button_and_both_pages(desk: Desk, sign_in: Any) -> None:
    number = desk.job(2)
    keeper = sign_in("storekeeper", desk.station)
    address = f"/parts/SEAL/sources?work_order={number}&quantity=2"
    assert "向供应商订购" in keeper.get(address).text
    assert "向供应商订购" not in sign_in("dispatcher", desk.station).get(address).text
    form = {
        "csrf_token": form_token(keeper, "/parts/catalogue"), "work_order": number, "quantity": "2", "supplier": "S-1",
        "source_part": "SEAL",
    }  # fmt: skip
    assert sign_in("storekeeper", desk.far).post("/parts/SEAL/sources", data=form).status_code in (400, 403, 422)
    assert keeper.post("/parts/SEAL/sources", data=form).status_code == 303
    assert keeper.post("/parts/SEAL/sources", data=form).status_code == 409
    made = session.scalars(select(SupplyOrder.number)).one()
    assert "其中 2 为工单所需" in keeper.get(f"/parts/supply-orders/{made}").text
    assert made in keeper.get("/parts").text
    assert f"/parts/supply-orders/{made}" in sign_in("station_manager", desk.station).get(f"/work-orders/{number}").text
    dispatcher = sign_in("dispatcher", desk.station).get(f"/work-orders/{number}").text
    assert made in dispatcher
    assert f"/parts/supply-orders/{made}" not in dispatcher


def test_a_closed_store_is_refused(desk: Desk) -> None:
    number = desk.job(2)
    write(lambda: move(session.get_one(StockLocation, desk.store), "closed", at=now()))
    assert order_it(desk, number) == "invalid"
