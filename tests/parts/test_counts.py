"""Counting: blind, compared with the moment of entry, within tolerance posted, beyond it approved by another."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.parts import queries
from fieldservice.parts.counts import rules, services
from fieldservice.parts.counts.models import StockCount, StockCountLine
from fieldservice.parts.models import SerialUnit
from tests.parts.scene import Scene, make_scene, refused
from tests.parts.test_pieces import LATER, SOON, batches, unit


def begin(scene: Scene, *numbers: str) -> int:
    def opened() -> int:
        parts = [scene.part(number) for number in numbers] if numbers else None
        return services.open_count(scene.place("store"), parts, at=now()).id

    return write(opened)


def count(count_id: int) -> StockCount:
    return session.get_one(StockCount, count_id)


def enter(scene: Scene, count_id: int, number: str, counted: Any, serials: Any = ()) -> None:
    def entered() -> None:
        line = services.line_for(count(count_id), scene.part(number), None)
        services.enter(line, Decimal(counted), at=now(), serials=serials)

    write(entered)


def by(name: str, work: Callable[[], Any]) -> Any:
    """Somebody else does it."""
    g.actor = name
    try:
        return write(work)
    finally:
        g.pop("actor")


def on_hand(scene: Scene, number: str) -> Decimal:
    session.rollback()
    part = scene.part(number).id
    return queries.stock_of([part], [scene.store]).get((part, scene.store), Decimal(0))


@pytest.mark.parametrize(
    ("expected", "counted", "price", "percent", "money", "found"),
    [
        (100, 100, 100, 0, 0, False),
        (100, 98, 100, 2, 20_000, False),
        (100, 97, 100, 2, 20_000, True),
        (100, 102, 100, 2, 20_000, False),
        (100, 98, 10_001, 2, 20_000, True),
        (0, 1, 100, 5, 20_000, True),
        (1, 0, 100, 0, 0, True),
        (0, 0, 100, 0, 0, False),
    ],
)
def test_tolerance(expected: int, counted: int, price: int, percent: int, money: int, found: bool) -> None:
    said = rules.is_beyond(Decimal(expected), Decimal(counted), price, percent=percent, money=money)
    assert said is found


def test_a_small_difference_is_posted_at_once(app: Flask) -> None:
    scene = make_scene()
    scene.fill("SEAL", 100)
    sheet = begin(scene)
    assert scene.place("store").state == "counting"
    assert refused(lambda: services.finish(count(sheet), at=now())) == "not_counted"
    enter(scene, sheet, "SEAL", 97)
    write(lambda: services.finish(count(sheet), at=now()))
    write(lambda: services.finish(count(sheet), at=now()))  # a second press
    assert (count(sheet).state, on_hand(scene, "SEAL"), scene.place("store").state) == ("posted", 97, "active")
    assert queries.unbalanced() == []


def test_a_large_difference_waits_for_another_manager(app: Flask) -> None:
    scene = make_scene()
    scene.fill("SEAL", 100)
    sheet = begin(scene)
    enter(scene, sheet, "SEAL", 60)
    write(lambda: services.finish(count(sheet), at=now()))
    assert (count(sheet).state, on_hand(scene, "SEAL")) == ("awaiting", 100)
    assert refused(lambda: services.approve(count(sheet), at=now())) == "counted_by_you"
    by("user:9", lambda: services.approve(count(sheet), at=now()))
    assert (count(sheet).state, count(sheet).decided_by, on_hand(scene, "SEAL")) == ("posted", "user:9", 60)
    assert queries.unbalanced() == []


def test_what_is_moved_while_counting_is_taken_into_account(app: Flask) -> None:
    """99 were found of 100; 10 are taken afterwards: 89 lie there in the end."""
    scene = make_scene()
    scene.fill("SEAL", 100)
    sheet = begin(scene)
    enter(scene, sheet, "SEAL", 99)
    scene.move("SEAL", 10, "use", source="store")
    write(lambda: services.finish(count(sheet), at=now()))
    assert on_hand(scene, "SEAL") == 89
    assert queries.unbalanced() == []


def test_sent_back_lines_are_counted_again(app: Flask) -> None:
    scene = make_scene()
    scene.fill("SEAL", 100)
    sheet = begin(scene, "SEAL")
    enter(scene, sheet, "SEAL", 10)
    write(lambda: services.finish(count(sheet), at=now()))
    write(lambda: services.send_back(count(sheet), at=now()))
    assert [line.counted for line in count(sheet).lines] == [None]
    enter(scene, sheet, "SEAL", 100)
    write(lambda: services.finish(count(sheet), at=now()))
    assert (count(sheet).state, on_hand(scene, "SEAL")) == ("posted", 100)


def test_batches_are_counted_one_by_one(app: Flask) -> None:
    scene = make_scene()
    scene.fill("OIL", 100, batch="B-soon", expires_on=SOON)
    scene.fill("OIL", 100, batch="B-late", expires_on=LATER)
    sheet = begin(scene)
    for line_id, found in zip([line.id for line in count(sheet).lines], ("99", "101"), strict=True):
        write(
            lambda line_id=line_id, found=found: services.enter(
                session.get_one(StockCountLine, line_id), Decimal(found), at=now()
            )
        )
    write(lambda: services.finish(count(sheet), at=now()))
    assert batches(scene, "store") == {"B-soon": Decimal(99), "B-late": Decimal(101)}
    assert queries.unbalanced() == []


def test_numbered_pieces_that_are_missing_and_found(app: Flask) -> None:
    scene = make_scene()
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    sheet = begin(scene)
    enter(scene, sheet, "PUMP", 2, ["P-2", "P-3"])
    write(lambda: services.finish(count(sheet), at=now()))
    assert count(sheet).state == "awaiting", "a missing number is never within tolerance"
    by("user:9", lambda: services.approve(count(sheet), at=now()))
    assert (unit("P-1").state, unit("P-2").state, unit("P-3").state) == ("missing", "in_stock", "in_stock")
    assert on_hand(scene, "PUMP") == 2
    assert queries.unbalanced() == []


def test_all_numbered_pieces_gone(app: Flask) -> None:
    scene = make_scene()
    scene.fill("PUMP", 2, serials=["P-1", "P-2"])
    sheet = begin(scene)
    enter(scene, sheet, "PUMP", 0)
    write(lambda: services.finish(count(sheet), at=now()))
    by("user:9", lambda: services.approve(count(sheet), at=now()))
    assert set(session.scalars(select(SerialUnit.state))) == {"missing"}
    assert on_hand(scene, "PUMP") == 0
    assert queries.unbalanced() == []


@pytest.mark.parametrize("counted", ["-1", "1.5", "NaN", "1000000"])
def test_impossible_counts_are_refused(app: Flask, counted: str) -> None:
    scene = make_scene()
    scene.fill("SEAL", 3)
    sheet = begin(scene)
    assert refused(lambda: enter(scene, sheet, "SEAL", counted)) == "invalid"


def test_a_place_is_counted_once_at_a_time(app: Flask) -> None:
    scene = make_scene()
    scene.fill("SEAL", 3)
    sheet = begin(scene)
    with pytest.raises(Conflict) as said:
        begin(scene, "SEAL")
    assert said.value.code == "count_open"
    write(lambda: services.cancel(count(sheet), at=now()))
    assert scene.place("store").state == "active"
    assert begin(scene) != sheet


def test_more_is_used_meanwhile_than_was_found(app: Flask) -> None:
    """Nothing goes below zero: the count is refused and may be entered again."""
    scene = make_scene()
    scene.fill("SEAL", 100)
    sheet = begin(scene)
    enter(scene, sheet, "SEAL", 96)
    scene.move("SEAL", 98, "use", source="store")
    assert refused(lambda: services.finish(count(sheet), at=now())) == "part_short"
    assert (count(sheet).state, on_hand(scene, "SEAL")) == ("counting", 2)
