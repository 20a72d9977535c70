"""The parts of a visit are promised with its time, used up where they are fitted, and missed aloud."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.tasks import Task
from fieldservice.parts import services as ledger
from fieldservice.parts.availability.models import OPEN, Reservation
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.transfers.models import Transfer
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import booking, findings, orders, visits
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from tests.workorders.cast import FAR
from tests.workorders.scene import (
    local_at,
    make_customer,
    make_order,
    make_station,
    make_technician,
    need_part,
    stock,
)


class Shop:
    """A station with two technicians and one kind of seal; ids alone outlive a transaction."""

    def __init__(self) -> None:
        def make() -> tuple[int, int, int, int]:
            station = make_station()
            lu, wu = make_technician(station), make_technician(station, "吴昊", "H. Wu")
            seal = need_part(make_order(station))
            return station.id, lu.id, wu.id, seal.id

        self.station, self.lu, self.wu, self.seal = write(make)

    def lies(self, quantity: int, technician: int | None = None) -> int:
        """So many seals in the store, or in a van; the place."""

        def put() -> int:
            who = session.get_one(Technician, technician) if technician else None
            return stock(session.get_one(Part, self.seal), session.get_one(Station, self.station), quantity, who).id

        return write(put)

    def order(self, quantity: int = 1, priority: str = "P3") -> int:
        def make() -> int:
            order = make_order(session.get_one(Station, self.station), customer=make_customer(), priority=priority)
            order.items.append(
                WorkItem(kind="part", part_id=self.seal, quantity=Decimal(quantity), required=True, opened_at=now())
            )
            session.flush()
            return order.id

        return write(make)

    def book(self, order: int, technician: int, hour: int) -> int:
        def plan() -> int:
            who = session.get_one(Technician, technician)
            return booking.schedule_visit(session.get_one(WorkOrder, order), who, local_at(hour)).id

        return write(plan)

    def held(self, order: int) -> Sequence[tuple[int, str, int]]:
        """(place, state, quantity) of what is held or wanted."""
        rows = session.scalars(
            select(Reservation)
            .where(Reservation.for_type == "work_order", Reservation.for_id == order, Reservation.state.in_(OPEN))
            .order_by(Reservation.id)
        )
        return [(one.location_id, one.state, int(one.quantity)) for one in rows]


@pytest.fixture
def shop(app: Flask) -> Shop:
    return Shop()


def test_the_own_van_first_then_the_store(shop: Shop) -> None:
    van, store = shop.lies(1, shop.lu), shop.lies(5)
    order = shop.order(3)
    shop.book(order, shop.lu, 11)
    assert shop.held(order) == [(van, "reserved", 1), (store, "reserved", 2)]


def test_another_technician_has_it_in_his_own_van_or_from_the_store(shop: Shop) -> None:
    van, store = shop.lies(1, shop.lu), shop.lies(5)
    order = shop.order()
    visit = shop.book(order, shop.lu, 11)
    assert shop.held(order) == [(van, "reserved", 1)]
    write(
        lambda: booking.reschedule_visit(
            session.get_one(Visit, visit), technician=session.get_one(Technician, shop.wu), starts_at=local_at(14)
        )
    )
    assert shop.held(order) == [(store, "reserved", 1)]


def test_what_is_promised_is_not_there_for_the_next_order(shop: Shop) -> None:
    shop.lies(1)
    first, second = shop.order(), shop.order()
    shop.book(first, shop.lu, 11)
    with pytest.raises(Conflict) as refused:
        shop.book(second, shop.wu, 11)
    assert refused.value.code == "part"


def test_the_same_order_may_move_though_it_holds_the_last(shop: Shop) -> None:
    store = shop.lies(1)
    order = shop.order()
    visit = shop.book(order, shop.lu, 11)
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit), starts_at=local_at(15)))
    assert shop.held(order) == [(store, "reserved", 1)]


@pytest.mark.parametrize("how", ["visit", "order"])
def test_called_off_it_holds_nothing(shop: Shop, how: str) -> None:
    shop.lies(1)
    order = shop.order()
    visit = shop.book(order, shop.lu, 11)
    if how == "visit":
        write(lambda: booking.cancel_visit(session.get_one(Visit, visit), "客户改期"))
    else:
        write(lambda: orders.cancel(session.get_one(WorkOrder, order), "不需要了", now()))
    assert shop.held(order) == []


def tasks_of(order: int) -> list[tuple[str, str]]:
    rows = session.scalars(select(Task).where(Task.subject_type == "work_order", Task.subject_id == order))
    return [(task.title, task.state) for task in rows]


def test_who_loses_his_part_is_told_and_has_it_again_when_some_arrive(shop: Shop) -> None:
    store = shop.lies(1)
    order = shop.order()
    shop.book(order, shop.lu, 11)

    def move(cause: str, **side: int) -> Any:
        sides = {name: session.get_one(StockLocation, place) for name, place in side.items()}
        seal = session.get_one(Part, shop.seal)
        return ledger.post_move(part=seal, quantity=Decimal(1), cause=cause, at=now(), **sides)

    write(lambda: move("scrap", source=store))
    assert shop.held(order) == [(store, "requested", 1)]
    assert tasks_of(order) == [("part_lost", "open")]
    write(lambda: move("receipt", target=store))
    assert shop.held(order) == [(store, "reserved", 1)]
    assert tasks_of(order) == [("part_lost", "cancelled")]


def test_what_is_fitted_uses_its_promise_up(shop: Shop) -> None:
    van = shop.lies(3, shop.lu)
    order = shop.order(2)
    visit = shop.book(order, shop.lu, 11)

    def go() -> None:
        here = session.get_one(Visit, visit)
        booking.send_visit(here)
        for to in ("accepted", "en_route", "on_site", "in_progress"):
            visits.step(here, to, now())

    write(go)
    write(lambda: findings.use_part(session.get_one(Visit, visit), session.get_one(Part, shop.seal), Decimal(1), now()))
    assert shop.held(order) == [(van, "reserved", 1)]
    write(lambda: findings.use_part(session.get_one(Visit, visit), session.get_one(Part, shop.seal), Decimal(1), now()))
    assert shop.held(order) == []


# From elsewhere -----------------------------------------------------------------------------------


class Network(Shop):
    """The same station with an empty store, and a neighbour who keeps parts half an hour away."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.lies(0)

        def make() -> int:
            near = make_station("SZGY", FAR, "苏州园区站", "Suzhou SIP")
            near.functions = ["service", "spare_part"]
            policies.set_override("parts.shared_with_visits", "station", near.id, True, at=now())
            return stock(session.get_one(Part, self.seal), near, 2).id

        self.neighbour = write(make)

    def sent(self) -> Sequence[tuple[int, int, str, int]]:
        rows = session.scalars(select(Transfer).order_by(Transfer.id))
        return [(one.from_id, one.to_id, one.state, int(one.lines[0].quantity)) for one in rows]

    def soonest(self) -> int:
        """The first full hour at which a visit has its seal, and why not before."""
        codes = set()
        for hour in range(11, 18):
            try:
                self.book(self.order(), self.lu, hour)
            except Conflict as refused:
                codes.add(refused.code)
                continue
            assert codes <= {"part", "collect"}
            return hour
        raise AssertionError(codes)


@pytest.fixture
def network(app: Flask) -> Network:
    return Network()


def test_a_visit_counts_only_once_its_part_can_be_there_and_sends_for_it(network: Network) -> None:
    with pytest.raises(Conflict) as refused:
        network.book(network.order(), network.lu, 11)
    assert refused.value.code == "part"
    assert "苏州园区站" in str(refused.value) or "库" in str(refused.value)  # from where, and when it would be there
    hour = network.soonest()
    assert 11 < hour < 15
    assert network.sent() == [(network.neighbour, network.store, "approved", 1)]
    order = session.scalars(select(Reservation.for_id).where(Reservation.for_type == "work_order")).one()
    assert network.held(order) == [(network.store, "reserved", 1)]


def test_what_comes_may_be_moved_later_but_not_earlier(network: Network) -> None:
    order = network.order()
    visit = network.book(order, network.lu, 15)
    with pytest.raises(Conflict) as refused:
        write(lambda: booking.reschedule_visit(session.get_one(Visit, visit), starts_at=local_at(11)))
    assert refused.value.code == "part"
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit), starts_at=local_at(16)))
    assert len(network.sent()) == 1  # not sent for again
    assert network.held(order) == [(network.store, "reserved", 1)]


def test_two_visits_do_not_count_on_the_same_piece(network: Network) -> None:
    first, second = network.order(2), network.order()
    network.book(first, network.lu, 15)
    with pytest.raises(Conflict) as refused:
        network.book(second, network.wu, 16)
    assert refused.value.code == "part"
    assert len(network.sent()) == 1


@pytest.mark.parametrize(("kind", "may"), [("warehouse", False), ("central", True)])
def test_a_station_that_does_not_share_has_to_be_asked(network: Network, kind: str, may: bool) -> None:
    def change() -> None:
        place = session.get_one(StockLocation, network.neighbour)
        place.kind = kind
        policies.set_override("parts.shared_with_visits", "station", place.station_id, False, at=now())

    write(change)
    order = network.order()
    if may:
        network.book(order, network.lu, 15)
        return
    with pytest.raises(Conflict):
        network.book(order, network.lu, 15)
    assert network.sent() == []


def test_a_usual_part_that_nobody_depends_on_is_sent_for_as_well(network: Network) -> None:
    order = network.order()

    def loosen() -> None:
        session.scalars(select(WorkItem).where(WorkItem.work_order_id == order)).one().required = False

    write(loosen)
    network.book(order, network.lu, 16)
    assert network.sent() == [(network.neighbour, network.store, "approved", 1)]
