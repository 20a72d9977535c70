"""The ledger: balances follow moves, never go below zero, and equal their replay."""

from contextlib import suppress
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import now
from fieldservice.parts import queries, services
from fieldservice.parts.models import Part, StockLocation, StockMove
from tests.foundation.test_db import make_station


def make_stock(quantity: int = 5) -> tuple[int, int, int]:
    """(part, warehouse, van) ids with `quantity` pieces in the warehouse; committed."""

    def make() -> tuple[int, int, int]:
        station = make_station()
        part = services.list_part(number="OS-1", names={"zh": "油封", "en": "Seal"}, unit="l", price=100)
        places = [services.open_location(kind=kind, station_id=station.id, names={}) for kind in ("warehouse", "van")]
        if quantity:
            services.receive(part, places[0], Decimal(quantity), at=now())
        return part.id, places[0].id, places[1].id

    return write(make)


def carry(part_id: int, source_id: int | None, target_id: int | None, quantity: Decimal) -> int:
    def post() -> int:
        source = session.get_one(StockLocation, source_id) if source_id else None
        target = session.get_one(StockLocation, target_id) if target_id else None
        part = session.get_one(Part, part_id)
        return services.post_move(
            part=part, quantity=quantity, cause="transfer", source=source, target=target, at=now()
        ).id

    return write(post)


def test_a_move_changes_both_sides(app: Flask) -> None:
    part, warehouse, van = make_stock(5)
    carry(part, warehouse, van, Decimal("1.5"))
    assert queries.stock_of([part], [warehouse, van]) == {
        (part, warehouse): Decimal("3.5"),
        (part, van): Decimal("1.5"),
    }
    assert queries.unbalanced() == []


def test_more_than_there_is_is_refused(app: Flask) -> None:
    part, warehouse, van = make_stock(1)
    with pytest.raises(Conflict) as refused:
        carry(part, warehouse, van, Decimal(2))
    assert (refused.value.code, refused.value.facts["on_hand"]) == ("part_short", "1")
    assert queries.stock_of([part], [van]) == {}


@pytest.mark.parametrize("quantity", [Decimal(0), Decimal(-1), Decimal(10**9)])
def test_senseless_quantities_are_refused(app: Flask, quantity: Decimal) -> None:
    part, warehouse, van = make_stock()
    with pytest.raises(Invalid):
        carry(part, warehouse, van, quantity)


def test_a_move_is_reversed_once(app: Flask) -> None:
    part, warehouse, van = make_stock(5)
    move_id = carry(part, warehouse, van, Decimal(2))
    write(lambda: services.reverse(session.get_one(StockMove, move_id), at=now()))
    assert queries.stock_of([part], [warehouse])[part, warehouse] == 5
    carry(part, warehouse, van, Decimal(2))
    with pytest.raises(Conflict):
        write(lambda: services.reverse(session.get_one(StockMove, move_id), at=now()))


def test_a_tampered_balance_is_found(app: Flask) -> None:
    part, warehouse, _van = make_stock(5)
    write(lambda: session.execute(text("UPDATE stock_balance SET on_hand = on_hand + 1")))
    assert queries.unbalanced() == [(part, warehouse, "good")]


def test_two_people_never_take_the_same_piece(app: Flask) -> None:
    part, warehouse, van = make_stock(10)
    start, lost = Barrier(4), []

    def grab() -> None:
        with app.app_context():
            start.wait()
            for _ in range(5):
                try:
                    carry(part, warehouse, van, Decimal(1))
                except Conflict as error:
                    lost.append(error.code)

    threads = [Thread(target=grab) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == ["part_short"] * 10
    session.rollback()
    assert queries.stock_of([part], [warehouse, van]) == {(part, warehouse): Decimal(0), (part, van): Decimal(10)}
    assert queries.unbalanced() == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.sampled_from(["in", "out", "there", "back"]), st.integers(1, 4000)), max_size=8))
def test_balances_equal_their_replay_whatever_is_moved(sqlite_app: Flask, moves: list[tuple[str, int]]) -> None:
    session.rollback()
    write(
        lambda: [
            session.execute(text(f"DELETE FROM {name}"))
            for name in ("stock_move", "stock_balance", "stock_location", "part", "station")
        ]
    )
    part, warehouse, van = make_stock(3)
    sides = {"in": (None, warehouse), "out": (warehouse, None), "there": (warehouse, van), "back": (van, warehouse)}
    for kind, thousandths in moves:
        with suppress(Conflict):  # more than there is
            carry(part, *sides[kind], Decimal(thousandths) / 1000)
    assert queries.unbalanced() == []
    assert all(on_hand >= 0 for on_hand in queries.stock_of([part], [warehouse, van]).values())
