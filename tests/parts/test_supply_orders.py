"""Supply orders: approved, sent, dated by the supplier, filled by deliveries; what rests on them is looked at."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.catalogue.models import SupplierOffer
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.receipts import services as receipts
from fieldservice.parts.receipts.models import GoodsReceipt
from fieldservice.parts.receipts.services import Arrived
from fieldservice.parts.supply import services
from fieldservice.parts.supply.models import SupplyOrder
from tests.parts.scene import Scene, make_scene, refused
from tests.parts.test_reservations import at_once
from tests.workorders.desk import post

DAY = timedelta(days=1)
OFFERS = {"SEAL": (1_000, 5, 10, 5), "PUMP": (480_000, 20, 1, 1), "BOLT": (200, 3, 1, 1)}  # price, days, minimum, pack


def offer(scene: Scene, number: str, **more: Any) -> None:
    price, days, minimum, pack = OFFERS[number]
    told: dict[str, Any] = {
        "price": price, "lead_days": days, "minimum": Decimal(minimum), "pack": Decimal(pack),
        "valid_from": date(2026, 1, 1), "supplier_id": scene.supplier().id, "part_id": scene.part(number).id,
    }  # fmt: skip
    session.add(SupplierOffer(**{**told, **more}))


@pytest.fixture
def scene(app: Flask) -> Scene:
    made = make_scene()

    def offers() -> None:
        for number in OFFERS:
            offer(made, number)

    write(offers)
    return made


def row(order: int) -> SupplyOrder:
    return session.get_one(SupplyOrder, order)


def drafted(scene: Scene, *lines: tuple[str, int]) -> int:
    def work() -> int:
        order = services.open_order(scene.supplier(), scene.place("store"), at=now())
        for number, quantity in lines:
            services.put_line(order, scene.part(number), Decimal(quantity), at=now())
        return order.id

    return write(work)


def act(order: int, work: Callable[..., Any], *args: Any, **more: Any) -> str:
    """Do something with it; its state."""
    write(lambda: work(row(order), *args, at=now(), **more))
    return row(order).state


def sent(scene: Scene, *lines: tuple[str, int]) -> int:
    order = drafted(scene, *lines)
    act(order, services.approve, by_manager=True)
    assert act(order, services.send) == "sent"
    return order


def deliver(scene: Scene, note: str, *lines: tuple[str, int], **more: Any) -> None:
    def work() -> None:
        receipt = receipts.open_receipt(scene.supplier(), note, scene.place("store"), at=now())
        for number, quantity in lines:
            receipts.add_line(receipt, Arrived(scene.part(number), Decimal(quantity), **more), at=now())
        receipts.post_receipt(receipt, at=now())

    write(work)


def arrived(order: int) -> list[int]:
    session.rollback()
    return [int(line.received) for line in row(order).lines]


def events(kind: str) -> list[dict[str, Any]]:
    return list(session.scalars(select(Event.facts).where(Event.kind == kind).order_by(Event.id)))


def test_a_draft_takes_the_offers_price_and_its_packs(scene: Scene) -> None:
    order = drafted(scene, ("SEAL", 15), ("PUMP", 1))
    assert [(line.quantity, line.price) for line in row(order).lines] == [(15, 1_000), (1, 480_000)]
    assert row(order).due_at == now() + 20 * DAY
    assert services.worth(row(order)) == 495_000
    act(order, services.put_line, scene.part("SEAL"), Decimal(20))
    assert [line.quantity for line in row(order).lines] == [20, 1]
    write(lambda: services.drop_line(row(order), row(order).lines[0].id, at=now()))
    assert [line.part.number for line in row(order).lines] == ["PUMP"]


@pytest.mark.parametrize(
    ("number", "quantity"),
    [("SEAL", "5"), ("SEAL", "12"), ("SEAL", "0"), ("SEAL", "-5"), ("SEAL", "NaN"), ("SEAL", "10.5"), ("OIL", "5")],
    ids=["minimum", "pack", "zero", "negative", "no number", "half a piece", "no offer"],
)
def test_what_the_supplier_does_not_take_is_refused(scene: Scene, number: str, quantity: str) -> None:
    order = drafted(scene)
    assert refused(lambda: services.put_line(row(order), scene.part(number), Decimal(quantity), at=now())) == "invalid"
    assert row(order).lines == []


@pytest.mark.parametrize(("quantity", "least"), [("1", 10), ("10", 10), ("11", 15), ("15", 15), ("99.5", 100)])
def test_whole_packs_above_the_minimum(scene: Scene, quantity: str, least: int) -> None:
    found = services.offer_of(scene.part("SEAL"), scene.supplier().id, now())
    assert found is not None
    assert services.in_packs(found, Decimal(quantity)) == least


def test_above_the_policys_value_a_manager_approves(scene: Scene) -> None:
    small, large = drafted(scene, ("PUMP", 1)), drafted(scene, ("PUMP", 2))
    assert act(small, services.approve, by_manager=False) == "approved"
    assert refused(lambda: services.approve(row(large), at=now(), by_manager=False)) == "manager_needed"
    assert act(large, services.approve, by_manager=True) == "approved"
    empty = drafted(scene)
    assert refused(lambda: services.approve(row(empty), at=now(), by_manager=True)) == "invalid"


def test_deliveries_fill_the_oldest_order_first(scene: Scene) -> None:
    first, second = sent(scene, ("SEAL", 10), ("PUMP", 1)), sent(scene, ("SEAL", 20))
    shelf = shelves([scene.part("SEAL").id], [scene.store], now())[scene.part("SEAL").id, scene.store]
    assert (shelf.on_hand, shelf.on_order) == (0, 30)
    deliver(scene, "LS-1", ("SEAL", 12))
    assert (arrived(first), arrived(second)) == ([10, 0], [2])
    assert (row(first).state, row(second).state) == ("part_received", "part_received")
    deliver(scene, "LS-2", ("PUMP", 1), serials=("P-1",))
    assert (row(first).state, arrived(first)) == ("received", [10, 1])
    deliver(scene, "LS-3", ("SEAL", 20))
    assert (row(second).state, arrived(second)) == ("received", [20])
    assert events("supply_order.too_much_came") == [{"part": "SEAL", "quantity": "2"}]
    assert act(first, services.close) == "closed"
    shelf = shelves([scene.part("SEAL").id], [scene.store], now())[scene.part("SEAL").id, scene.store]
    assert (shelf.on_hand, shelf.on_order) == (32, 0)
    assert unbalanced() == []


def test_what_the_supplier_does_not_know_of_is_not_filled(scene: Scene) -> None:
    order = drafted(scene, ("SEAL", 10))
    act(order, services.approve, by_manager=True)
    deliver(scene, "LS-1", ("SEAL", 10))
    assert (row(order).state, arrived(order)) == ("approved", [0])


def promised(scene: Scene, number: str, quantity: int, days: int) -> int:
    """A promise out of what is ordered; its id."""
    return write(
        lambda: promises.reserve(
            scene.part(number), scene.place("store"), Decimal(quantity), need_at=now() + days * DAY,
            about=Ref("customer", 7, scene.station), at=now(),
        ).id
    )  # fmt: skip


def state_of(reservation: int) -> str:
    session.rollback()
    return session.get_one(Reservation, reservation).state


def test_a_later_date_is_told_to_whoever_was_promised_it(scene: Scene) -> None:
    order = sent(scene, ("SEAL", 10))
    soon, late = promised(scene, "SEAL", 4, 6), promised(scene, "SEAL", 4, 30)
    assert act(order, services.acknowledge, now() + 5 * DAY) == "acknowledged"
    assert (state_of(soon), state_of(late)) == ("reserved", "reserved")
    act(order, services.acknowledge, now() + 20 * DAY)
    assert (state_of(soon), state_of(late)) == ("requested", "reserved")
    act(order, services.acknowledge, now() + 3 * DAY)
    assert (state_of(soon), state_of(late)) == ("reserved", "reserved"), "it comes sooner again"


@pytest.mark.parametrize("days", [-1, 800])
def test_a_senseless_date_is_refused(scene: Scene, days: int) -> None:
    order = sent(scene, ("SEAL", 10))
    assert refused(lambda: services.acknowledge(row(order), now() + days * DAY, at=now())) == "invalid"


def test_what_was_cancelled_or_closed_is_promised_to_nobody(scene: Scene) -> None:
    order = sent(scene, ("SEAL", 10))
    held = promised(scene, "SEAL", 4, 6)
    assert refused(lambda: services.cancel(row(order), " ", at=now())) == "reason_needed"
    assert act(order, services.cancel, "供应商停产") == "cancelled"
    assert state_of(held) == "requested"
    other = sent(scene, ("SEAL", 10))
    assert state_of(held) == "reserved", "it comes after all"
    deliver(scene, "LS-1", ("SEAL", 3))
    assert state_of(held) == "reserved"
    assert act(other, services.close) == "closed"
    assert state_of(held) == "requested"


def test_goods_in_quarantine_are_no_longer_coming(scene: Scene) -> None:
    order = sent(scene, ("BOLT", 5))
    held = promised(scene, "BOLT", 5, 6)
    deliver(scene, "LS-1", ("BOLT", 5))
    assert (row(order).state, state_of(held)) == ("received", "requested")
    line = session.scalars(select(GoodsReceipt)).one().lines[0]
    write(lambda: receipts.release(line, "ZS-1", at=now()))
    assert state_of(held) == "reserved"


@pytest.mark.parametrize(
    "work",
    [
        lambda order, scene: services.put_line(order, scene.part("SEAL"), Decimal(10), at=now()),
        lambda order, scene: services.drop_line(order, 1, at=now()),
        lambda order, scene: services.approve(order, at=now(), by_manager=True),
        lambda order, scene: services.send(order, at=now()),
        lambda order, scene: services.close(order, at=now()),
    ],
    ids=["line", "drop", "approve", "send", "close"],
)
def test_a_step_that_is_over_is_refused(scene: Scene, work: Callable[[SupplyOrder, Scene], Any]) -> None:
    order = sent(scene, ("SEAL", 10))
    assert refused(lambda: work(row(order), scene)) == "order_settled"


def test_a_second_press_is_refused_with_the_state(scene: Scene) -> None:
    order = drafted(scene, ("SEAL", 10))
    act(order, services.approve, by_manager=True)
    with pytest.raises(Conflict) as again:
        act(order, services.approve, by_manager=True)
    assert (again.value.code, again.value.facts["state"]) == ("order_settled", "approved")


def test_two_deliveries_at_once_fill_it_once(scene: Scene, app: Flask) -> None:
    order = sent(scene, ("SEAL", 10))

    def begin(note: str) -> int:
        receipt = receipts.open_receipt(scene.supplier(), note, scene.place("store"), at=now())
        receipts.add_line(receipt, Arrived(scene.part("SEAL"), Decimal(10)), at=now())
        return receipt.id

    ids = [write(lambda note=note: begin(note)) for note in ("LS-1", "LS-2")]  # type: ignore[misc]  # bound at once
    works = [
        lambda number=number: receipts.post_receipt(session.get_one(GoodsReceipt, number), at=now()) for number in ids
    ]
    assert at_once(app, works) == ["done", "done"]
    assert (row(order).state, arrived(order)) == ("received", [10])
    assert events("supply_order.too_much_came") == []
    shelf = shelves([scene.part("SEAL").id], [scene.store], now())[scene.part("SEAL").id, scene.store]
    assert (shelf.on_hand, shelf.on_order) == (20, 0)
    assert unbalanced() == []


# Pages ----------------------------------------------------------------------------------------------


def press(client: Any, order: int, step: str, status: int = 303, **typed: str) -> Any:
    answer = post(client, f"/parts/supply-orders/{row(order).number}/{step}", **typed)
    assert answer.status_code == status, answer.text[:800]
    return answer


def test_a_storekeeper_orders_and_a_manager_approves(scene: Scene, sign_in: Any) -> None:
    keeper, manager = sign_in("storekeeper", scene.station), sign_in("station_manager", scene.station)
    store = scene.place("store").code
    made = post(keeper, "/parts/supply-orders/new", supplier="S-1", location=store)
    assert made.status_code == 303
    order = session.scalars(select(SupplyOrder.id)).one()
    assert "请核对" not in press(keeper, order, "lines", part="PUMP", quantity="2").text
    refused_ = press(keeper, order, "lines", 422, part="SEAL", quantity="7")
    assert "请订 10" in refused_.text
    assert "站长" in press(keeper, order, "approve", 409).text
    press(manager, order, "approve")
    page = keeper.get(f"/parts/supply-orders/{row(order).number}").text
    assert "系统暂不向供应商发送消息" in page
    assert "9,600" in keeper.get(f"/parts/supply-orders/{row(order).number}/print").text
    press(keeper, order, "send")
    press(keeper, order, "date", due_at="2026-12-10")
    assert row(order).state == "acknowledged"
    press(keeper, order, "date", 422, due_at="bald")
    press(keeper, order, "cancel", 422, reason="")
    press(keeper, order, "cancel", reason="不需要了")
    session.rollback()
    assert row(order).state == "cancelled"
    assert row(order).number not in keeper.get("/parts/supply-orders").text
    assert row(order).number in keeper.get("/parts/supply-orders?closed=1").text


def test_another_stations_orders_are_not_there(scene: Scene, sign_in: Any) -> None:
    order = drafted(scene, ("SEAL", 10))
    number = row(order).number
    stranger = sign_in("storekeeper", scene.station + 1_000)
    assert stranger.get(f"/parts/supply-orders/{number}").status_code == 404
    assert number not in stranger.get("/parts/supply-orders").text
    press(stranger, order, "approve", 404)
    reader = sign_in("director")
    assert reader.get(f"/parts/supply-orders/{number}").status_code == 200
    press(reader, order, "approve", 403)
    assert sign_in("technician", scene.station).get("/parts/supply-orders").status_code == 403


@pytest.mark.parametrize("address", ["?before=x", "?before=-1", "?before=" + "9" * 19, "/PO-x", "/PO-x/print"])
def test_bad_addresses_are_not_found(scene: Scene, sign_in: Any, address: str) -> None:
    assert sign_in("storekeeper", scene.station).get(f"/parts/supply-orders{address}").status_code == 404


@pytest.mark.parametrize(
    "typed", [{}, {"supplier": "x"}, {"supplier": "S-1", "location": "x"}, {"supplier": "S-1", "location": ""}]
)
def test_a_bad_beginning_is_no_500(scene: Scene, sign_in: Any, typed: dict[str, str]) -> None:
    answer = post(sign_in("storekeeper", scene.station), "/parts/supply-orders/new", **typed)
    assert answer.status_code in (404, 422)
