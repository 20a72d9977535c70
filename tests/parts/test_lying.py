"""The short way to a promise: one statement where enough lies there, and never another answer than `phased` gives."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import is_sqlite, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts.availability import lying, phased, services
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.reading import shelves
from tests.mechanisms.people_and_things import statements
from tests.parts.scene import Scene, make_scene


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def reserve(scene: Scene, quantity: Any, *, days: float = 0, number: str = "SEAL") -> int:
    return write(
        lambda: services.reserve(
            scene.part(number), scene.place("store"), Decimal(quantity), need_at=now() + timedelta(days=days),
            about=Ref("errand", 1), at=now(),
        ).id
    )  # fmt: skip


def test_S_16_where_enough_lies_there_a_promise_is_three_statements(scene: Scene) -> None:
    scene.fill("SEAL", 3)

    def promise() -> list[str]:
        part, place = scene.part("SEAL"), scene.place("store")
        assert (part.number, place.kind) == ("SEAL", "warehouse")
        with statements() as sent:
            services.reserve(part, place, Decimal(1), need_at=now(), about=Ref("errand", 1), at=now())
        return sent

    sent = write(promise)  # a turn or none, the promise, the event with its place in the queue or both apart
    assert [statement.split()[0] for statement in sent] == (
        ["INSERT", "INSERT", "INSERT"] if is_sqlite() else ["SELECT", "INSERT", "WITH"]
    )


def test_a_promise_written_by_a_statement_is_the_row_itself(scene: Scene) -> None:
    scene.fill("SEAL", 3)

    def work() -> dict[str, Any]:
        made = services.reserve(
            scene.part("SEAL"), scene.place("store"), Decimal("2"), need_at=now(), about=Ref("errand", 1), at=now(),
            priority="P2", expires_at=now() + timedelta(hours=1),
        )  # fmt: skip
        assert made.part.number == "SEAL"
        seen = {name: getattr(made, name) for name in Reservation.__table__.columns.keys()}  # noqa: SIM118 - names
        session.refresh(made)
        assert {name: getattr(made, name) for name in seen} == seen
        services.pick(made, at=now())
        return seen

    seen = write(work)
    assert (seen["state"], seen["quantity"], seen["lots"]) == ("reserved", 2, [])
    assert session.get_one(Reservation, seen["id"]).state == "picked"


def test_what_expires_is_left_to_whoever_looks_at_times(scene: Scene) -> None:
    scene.fill("OIL", 5, batch="B-1", expires_on=date(2026, 11, 28))
    reserve(scene, 2, number="OIL")
    with pytest.raises(Conflict):
        reserve(scene, 1, days=10, number="OIL")
    reserve(scene, 3, number="OIL")
    with pytest.raises(Conflict):
        reserve(scene, 1, number="OIL")


def test_where_nothing_is_left_nobody_waits_for_a_turn(scene: Scene) -> None:
    scene.fill("SEAL", 1)
    reserve(scene, 1)
    with statements() as sent, pytest.raises(Conflict) as short:
        reserve(scene, 1)
    assert short.value.facts["free"] == "0"
    turns = [one for one in sent if "pg_advisory_xact_lock" in one and "CASE" not in one]
    assert turns == []


def test_inside_a_savepoint_that_is_undone_nothing_is_promised(scene: Scene) -> None:
    scene.fill("SEAL", 1)

    def work() -> int:
        part, place = scene.part("SEAL"), scene.place("store")
        undone = session.begin_nested()
        first = services.reserve(part, place, Decimal(1), need_at=now(), about=Ref("errand", 1), at=now())
        undone.rollback()
        assert first not in session
        second = services.reserve(part, place, Decimal(1), need_at=now(), about=Ref("errand", 2), at=now())
        return second.for_id

    assert write(work) == 2
    assert session.query(Reservation).count() == 1


@pytest.mark.parametrize("seed", range(3))
def test_it_promises_just_what_phased_allows(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    held: list[int] = []
    for step in range(40):
        match chance.randrange(8):
            case 0:
                scene.fill("OIL", chance.randint(1, 4))
            case 1:
                last_day = date(2026, 11, 25) + timedelta(days=chance.randint(0, 6))
                scene.fill("OIL", chance.randint(1, 3), batch=f"B-{step}", expires_on=last_day)
            case 2 if held:
                given = held.pop(chance.randrange(len(held)))
                write(lambda given=given: services.release(session.get_one(Reservation, given), at=now()))  # type: ignore[misc]
            case _:
                quantity, days = Decimal(chance.randint(1, 3)), chance.randint(0, 7)
                part, store = scene.part("OIL").id, scene.store
                pool = shelves([part], [store], now())[part, store].pool
                expected = phased.fits(pool, quantity, now() + timedelta(days=days))
                session.rollback()
                try:
                    held.append(reserve(scene, quantity, days=days, number="OIL"))
                    done = True
                except Conflict:
                    done = False
                assert done == expected, (seed, step)


def test_both_ways_take_turns_at_the_same_shelf() -> None:
    assert lying.name_of(3, 4) == "reserve:3:4"
