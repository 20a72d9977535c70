"""Goods receipts: once for each delivery note, certificates or quarantine (O-04), all or nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError
from fieldservice.foundation.time import now
from fieldservice.parts import queries
from fieldservice.parts.models import SerialUnit, StockBalance, StockBatch, StockLocation, StockMove
from fieldservice.parts.receipts import services
from fieldservice.parts.receipts.models import GoodsReceipt, GoodsReceiptLine
from fieldservice.parts.receipts.services import Arrived
from tests.parts.scene import Scene, make_scene, refused

LATER = date(2027, 6, 1)


def begin(scene: Scene, note: str = "LS-1") -> int:
    return write(lambda: services.open_receipt(scene.supplier(), note, scene.place("store"), at=now()).id)


def row(receipt: int) -> GoodsReceipt:
    return session.get_one(GoodsReceipt, receipt)


def scan(scene: Scene, receipt: int, number: str, quantity: Any, **more: Any) -> int:
    return write(
        lambda: services.add_line(
            row(receipt), Arrived(scene.part(number), Decimal(quantity), **more), at=now()
        ).id
    )  # fmt: skip


def post(receipt: int) -> None:
    write(lambda: services.post_receipt(row(receipt), at=now()))


def lying(number: str, scene: Scene) -> dict[str, Decimal]:
    """Kind of place → what lies there, in whatever condition."""
    session.rollback()
    rows = session.execute(
        select(StockLocation.kind, func.sum(StockBalance.on_hand))
        .join(StockLocation, StockLocation.id == StockBalance.location_id)
        .where(StockBalance.part_id == scene.part(number).id, StockBalance.on_hand > 0)
        .group_by(StockLocation.kind)
    )
    return dict(rows.all())  # type: ignore[arg-type]  # rows are pairs


def test_a_delivery_comes_in_with_batches_and_numbers(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    scan(scene, receipt, "SEAL", 4)
    scan(scene, receipt, "OIL", 20, batch="B-1", expires_on=LATER)
    scan(scene, receipt, "PUMP", 2, serials=("P-1", "P-2"))
    post(receipt)
    assert row(receipt).state == "posted"
    assert [lying(number, scene) for number in ("SEAL", "OIL", "PUMP")] == [
        {"warehouse": 4}, {"warehouse": 20}, {"warehouse": 2},
    ]  # fmt: skip
    assert session.scalar(select(StockBatch.expires_on)) == LATER
    assert session.scalar(select(func.count(SerialUnit.id)).where(SerialUnit.state == "in_stock")) == 2
    assert queries.unbalanced() == []


def test_a_delivery_note_is_received_once(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    assert begin(scene) == receipt, "going on where somebody began"
    scan(scene, receipt, "SEAL", 4)
    post(receipt)
    post(receipt)  # a second press
    assert lying("SEAL", scene) == {"warehouse": 4}
    with pytest.raises(Conflict) as again:
        begin(scene)
    assert (again.value.code, again.value.facts["receipt"]) == ("already_received", row(receipt).number)


def test_a_cancelled_note_may_come_again(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    write(lambda: services.cancel_receipt(row(receipt), at=now()))
    assert begin(scene) != receipt


@pytest.mark.parametrize(
    ("number", "more"), [("BOLT", {}), ("PAINT", {"batch": "B-1"})], ids=["O-04 no batch", "O-04 batch"]
)
def test_without_a_certificate_goods_wait_in_quarantine(app: Flask, number: str, more: dict[str, Any]) -> None:
    scene = make_scene()
    receipt = begin(scene)
    line = scan(scene, receipt, number, 5, **more)
    post(receipt)
    assert lying(number, scene) == {"quarantine": 5}
    assert refused(lambda: services.release(session.get_one(GoodsReceiptLine, line), " ", at=now())) == "invalid"
    write(lambda: services.release(session.get_one(GoodsReceiptLine, line), "ZS-77", at=now()))
    assert lying(number, scene) == {"warehouse": 5}
    again = refused(lambda: services.release(session.get_one(GoodsReceiptLine, line), "ZS-77", at=now()))
    assert again == "decided_already"
    if more:
        assert session.scalar(select(StockBatch.certificate)) == "ZS-77"
        later = begin(scene, "LS-2")
        scan(scene, later, number, 1, **more)
        post(later)
        assert lying(number, scene) == {"warehouse": 6}, "the batch has its certificate"
    assert queries.unbalanced() == []


def test_with_its_certificate_it_comes_in_at_once(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    scan(scene, receipt, "BOLT", 5, certificate="ZS-1")
    post(receipt)
    assert lying("BOLT", scene) == {"warehouse": 5}


def test_quality_rejects_what_is_no_good(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    line = scan(scene, receipt, "PAINT", 5, batch="B-1")
    post(receipt)
    assert refused(lambda: services.reject(session.get_one(GoodsReceiptLine, line), "", at=now())) == "reason_needed"
    assert lying("PAINT", scene) == {"quarantine": 5}
    write(lambda: services.reject(session.get_one(GoodsReceiptLine, line), "色差", at=now()))
    assert lying("PAINT", scene) == {"defective": 5}
    assert session.scalar(select(StockBalance.on_hand).where(StockBalance.condition == "defective")) == 5
    assert queries.unbalanced() == []


@pytest.mark.parametrize(
    ("number", "quantity", "more", "code"),
    [
        ("SEAL", "1.5", {}, "invalid"),
        ("SEAL", "0", {}, "invalid"),
        ("SEAL", "-3", {}, "invalid"),
        ("SEAL", "NaN", {}, "invalid"),
        ("SEAL", 1, {"serials": ("X",)}, "invalid"),
        ("SEAL", 1, {"batch": "B"}, "invalid"),
        ("OIL", 1, {}, "batch_needed"),
        ("OIL", 1, {"batch": "B"}, "invalid"),
        ("OIL", 1, {"batch": "B", "expires_on": date(2026, 11, 24)}, "batch_expired"),
        ("PUMP", 1, {}, "serial_needed"),
        ("PUMP", 2, {"serials": ("P-1", "P-1")}, "serial_twice"),
        ("PUMP", 2, {"serials": ("P-1",)}, "serial_needed"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    app: Flask, number: str, quantity: Any, more: dict[str, Any], code: str
) -> None:
    scene = make_scene()
    receipt = begin(scene)
    with pytest.raises(DomainError) as said:
        scan(scene, receipt, number, quantity, **more)
    assert said.value.code == code
    assert row(receipt).lines == []


def test_the_same_piece_is_scanned_once_on_a_delivery(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    scan(scene, receipt, "PUMP", 1, serials=("P-1",))
    with pytest.raises(Conflict) as said:
        scan(scene, receipt, "PUMP", 1, serials=("P-1",))
    assert said.value.code == "serial_twice"


def test_nothing_is_half_posted(app: Flask) -> None:
    """The last line names a piece that lies in the store already: no line of the delivery comes in."""
    scene = make_scene()
    scene.fill("PUMP", 1, serials=["P-1"])
    receipt = begin(scene)
    for number, more in (("SEAL", {}), ("OIL", {"batch": "B", "expires_on": LATER}), ("PUMP", {"serials": ("P-1",)})):
        scan(scene, receipt, number, 1, **more)
    moves = session.scalar(select(func.count(StockMove.id)))
    assert refused(lambda: services.post_receipt(row(receipt), at=now())) == "serial_known"
    session.rollback()
    assert session.scalar(select(func.count(StockMove.id))) == moves
    assert row(receipt).state == "draft"
    assert queries.unbalanced() == []


def test_an_empty_delivery_is_not_posted(app: Flask) -> None:
    scene = make_scene()
    receipt = begin(scene)
    assert refused(lambda: services.post_receipt(row(receipt), at=now())) == "empty"
    line = scan(scene, receipt, "SEAL", 1)
    write(lambda: services.drop_line(row(receipt), line))
    assert row(receipt).lines == []
