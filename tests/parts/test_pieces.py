"""Batches and serial numbers in the ledger: earliest expiry first, every piece in one place, moves that stay."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.parts import queries, services
from fieldservice.parts.models import SerialUnit, StockBalance, StockBatch, StockMove
from tests.parts.scene import Scene, make_scene

SOON, LATER, OVER = date(2026, 12, 1), date(2027, 6, 1), date(2026, 11, 24)  # today is 2026-11-25


def batches(scene: Scene, place: str) -> dict[str, Decimal]:
    session.rollback()
    rows = session.execute(
        select(StockBatch.number, StockBalance.on_hand)
        .outerjoin(StockBatch, StockBatch.id == StockBalance.batch_id)
        .where(StockBalance.location_id == scene.place(place).id, StockBalance.on_hand > 0)
    )
    return {number or "": on_hand for number, on_hand in rows}


def unit(serial: str) -> SerialUnit:
    session.rollback()
    return session.scalars(select(SerialUnit).where(SerialUnit.serial == serial)).one()


def test_earliest_expiry_goes_first(app: Flask) -> None:
    scene = make_scene()
    scene.fill("OIL", 3, batch="B-late", expires_on=LATER)
    scene.fill("OIL", 2, batch="B-soon", expires_on=SOON)
    scene.fill("OIL", 1)
    scene.move("OIL", 3, "transfer", source="store", target="van")
    assert batches(scene, "van") == {"B-soon": Decimal(2), "B-late": Decimal(1)}
    assert batches(scene, "store") == {"B-late": Decimal(2), "": Decimal(1)}
    assert queries.stock_of([scene.part("OIL").id], [scene.van]) == {(scene.part("OIL").id, scene.van): Decimal(3)}
    assert queries.unbalanced() == []


def test_a_reversal_takes_back_the_same_batches(app: Flask) -> None:
    scene = make_scene()
    scene.fill("OIL", 2, batch="B-soon", expires_on=SOON)
    scene.fill("OIL", 2, batch="B-late", expires_on=LATER)
    moved = scene.move("OIL", 3, "use", source="store")
    write(lambda: services.reverse(session.get_one(StockMove, moved), at=now()))
    assert batches(scene, "store") == {"B-soon": Decimal(2), "B-late": Decimal(2)}
    assert queries.unbalanced() == []


@pytest.mark.parametrize(
    ("cause", "more", "code"),
    [
        ("use", {}, "batch_expired"),
        ("use", {"batch": "B-over"}, "batch_expired"),
        ("transfer", {"target": "van"}, "batch_expired"),
        ("scrap", {}, "done"),
        ("send_back", {"batch": "B-over"}, "done"),
    ],
)
def test_expired_goods_are_never_handed_out(app: Flask, cause: str, more: dict[str, Any], code: str) -> None:
    scene = make_scene()
    scene.fill("OIL", 5, batch="B-over", expires_on=OVER)
    try:
        scene.move("OIL", 2, cause, source="store", **more)
        found = "done"
    except Conflict as error:
        found = error.code
    assert found == code
    assert queries.unbalanced() == []


def test_the_last_day_of_a_batch_counts(app: Flask) -> None:
    scene = make_scene()
    scene.fill("OIL", 1, batch="B", expires_on=date(2026, 11, 25))
    scene.move("OIL", 1, "use", source="store")


def test_a_batch_keeps_its_expiry(app: Flask) -> None:
    scene = make_scene()
    scene.fill("OIL", 1, batch="B", expires_on=SOON)
    with pytest.raises(Conflict) as refused:
        scene.fill("OIL", 1, batch="B", expires_on=LATER)
    assert refused.value.code == "batch_differs"


def test_a_piece_is_followed_from_receipt_to_scrap(app: Flask) -> None:
    scene = make_scene()
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    scene.move("PUMP", 1, "transfer", source="store", target="van", serials=["P-1"])
    assert (unit("P-1").location_id, unit("P-2").location_id) == (scene.van, scene.store)
    used = scene.move("PUMP", 1, "use", source="van", serials=["P-1"])
    assert (unit("P-1").state, unit("P-1").location_id) == ("fitted", None)
    write(lambda: services.reverse(session.get_one(StockMove, used), at=now()))
    assert (unit("P-1").state, unit("P-1").location_id) == ("in_stock", scene.van)
    scene.move("PUMP", 1, "scrap", source="van", serials=["P-1"])
    assert unit("P-1").state == "scrapped"
    assert queries.unbalanced() == []


@pytest.mark.parametrize(
    ("move", "code"),
    [
        ({"quantity": 1, "cause": "use", "source": "van", "serials": ["P-1"]}, "serial_elsewhere"),
        ({"quantity": 1, "cause": "use", "source": "store", "serials": ["P-9"]}, "serial_elsewhere"),
        ({"quantity": 1, "cause": "use", "source": "store"}, "serial_needed"),
        ({"quantity": 2, "cause": "use", "source": "store", "serials": ["P-1", "P-1 "]}, "serial_twice"),
        ({"quantity": 1, "cause": "use", "source": "store", "serials": ["P-1", "P-2"]}, "serial_count"),
        ({"quantity": 1, "cause": "receipt", "target": "store", "serials": ["P-1"]}, "serial_known"),
        ({"quantity": 1, "cause": "receipt", "target": "store"}, "serial_needed"),
        ({"quantity": "0.5", "cause": "use", "source": "store", "serials": []}, "invalid"),
        ({"quantity": 4, "cause": "use", "source": "store", "unnamed": True}, "part_short"),
    ],
)
def test_numbers_that_cannot_be_are_refused(app: Flask, move: dict[str, Any], code: str) -> None:
    scene = make_scene()
    scene.fill("PUMP", 3, serials=["P-1", "P-2", "P-3"])
    move = dict(move)
    with pytest.raises(DomainError) as refused:
        scene.move("PUMP", move.pop("quantity"), move.pop("cause"), **move)
    assert refused.value.code == code
    assert queries.unbalanced() == []
    assert queries.stock_of([scene.part("PUMP").id], [scene.store]).popitem()[1] == 3


def test_pieces_from_before_numbers_get_theirs_when_they_leave(app: Flask) -> None:
    scene = make_scene()
    write(lambda: scene.part("PUMP").__setattr__("serial_tracked", False))
    scene.fill("PUMP", 2)
    write(lambda: scene.part("PUMP").__setattr__("serial_tracked", True))
    scene.move("PUMP", 1, "use", source="store", serials=["OLD-1"])
    assert unit("OLD-1").state == "fitted"
    scene.move("PUMP", 1, "transfer", source="store", target="van")
    assert queries.unbalanced() == []


def test_everything_that_lies_there_needs_no_naming(app: Flask) -> None:
    scene = make_scene()
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    scene.move("PUMP", 2, "transfer", source="store", target="van")
    assert {unit("P-1").location_id, unit("P-2").location_id} == {scene.van}


def test_a_reversal_waits_for_the_later_move(app: Flask) -> None:
    scene = make_scene()
    scene.fill("PUMP", 1, serials=["P-1"])
    first = scene.move("PUMP", 1, "transfer", source="store", target="van", serials=["P-1"])
    scene.move("PUMP", 1, "use", source="van", serials=["P-1"])
    scene.fill("PUMP", 1, serials=["P-2"])
    scene.move("PUMP", 1, "transfer", source="store", target="van", serials=["P-2"])
    with pytest.raises(Conflict) as refused:
        write(lambda: services.reverse(session.get_one(StockMove, first), at=now()))
    assert refused.value.code == "serial_elsewhere"


def test_what_is_reserved_is_not_taken(app: Flask) -> None:
    scene = make_scene()
    scene.fill("SEAL", 3)
    write(lambda: session.execute(text("UPDATE stock_balance SET set_aside = on_hand")))
    with pytest.raises(Conflict) as refused:
        scene.move("SEAL", 1, "use", source="store")
    assert (refused.value.code, refused.value.facts["on_hand"]) == ("part_short", "0")


@pytest.mark.parametrize("table", ["stock_move", "stock_move_piece"])
def test_a_posted_move_stays_as_it_is(app: Flask, table: str) -> None:
    scene = make_scene()
    scene.fill("OIL", 3, batch="B", expires_on=LATER)
    with pytest.raises(Conflict) as refused:
        write(lambda: session.execute(text(f"UPDATE {table} SET quantity = quantity + 1")))
    assert isinstance(refused.value.__cause__, IntegrityError)


@pytest.mark.parametrize(
    "tampered",
    [
        "UPDATE stock_balance SET batch_id = NULL WHERE batch_id IS NOT NULL",
        "UPDATE serial_unit SET location_id = NULL WHERE serial = 'P-1'",
        "UPDATE serial_unit SET state = 'scrapped' WHERE serial = 'P-1'",
        "DELETE FROM stock_move_piece",
    ],
)
def test_tampering_with_batches_and_pieces_is_found(app: Flask, tampered: str) -> None:
    scene = make_scene()
    scene.fill("OIL", 3, batch="B", expires_on=LATER)
    scene.fill("PUMP", 1, serials=["P-1"])
    assert queries.unbalanced() == []
    write(lambda: session.execute(text(tampered)))
    assert queries.unbalanced() != []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["OIL", "PUMP", "SEAL"]), st.sampled_from(["in", "there", "use", "back", "undo"]),
                  st.integers(1, 4), st.integers(0, 3)),
        max_size=14,
    )
)  # fmt: skip
def test_the_ledger_stays_sound_whatever_is_tried(sqlite_app: Flask, moves: list[tuple[str, str, int, int]]) -> None:
    session.rollback()
    tables = ("stock_move_piece", "stock_move", "stock_balance", "serial_unit", "stock_batch", "supplier", "part")
    write(lambda: [session.execute(text(f"DELETE FROM {name}")) for name in (*tables, "stock_location", "station")])
    scene, done = make_scene(), []
    sides = {"in": {"target": "store"}, "there": {"source": "store", "target": "van"}, "use": {"source": "van"},
             "back": {"source": "van", "target": "store"}}  # fmt: skip
    causes = {"in": "receipt", "there": "transfer", "use": "use", "back": "return"}
    for number, kind, quantity, name in moves:
        try:
            if kind == "undo":
                if done:
                    last = done.pop(name % len(done))
                    write(lambda last=last: services.reverse(session.get_one(StockMove, last), at=now()))
                continue
            serials = [f"P-{name + one}" for one in range(quantity)] if number == "PUMP" else []
            batch = f"B-{name}" if number == "OIL" and kind == "in" else None
            if batch is not None:
                expires_on = (SOON, LATER, OVER, None)[name]
                write(
                    lambda b=batch, e=expires_on: (
                        services.batch_of(scene.part("OIL"), b, at=now(), expires_on=e) and None
                    )
                )
            done.append(scene.move(number, quantity, causes[kind], batch=batch, serials=serials, **sides[kind]))
        except (Conflict, Invalid):
            session.rollback()
        assert queries.unbalanced() == []
