"""Reserving parts: first ordered first served, expiry, taking by rule, picking, and what a move does to promises."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import checking, services
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.models import StockBalance, StockBatch, StockLocation
from fieldservice.parts.queries import unbalanced
from tests.parts.scene import Scene, make_scene, refused


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def reserve(scene: Scene, number: str, quantity: Any, order: int, *, days: float = 0, **more: Any) -> int:
    """For work order `order`; the reservation's id."""
    how: Callable[..., Reservation] = services.take_by_rule if "station_id" in more else services.reserve
    return write(
        lambda: how(
            scene.part(number), scene.place(more.pop("place", "store")), Decimal(quantity),
            need_at=now() + timedelta(days=days), about=Ref("errand", order), at=now(), **more,
        ).id
    )  # fmt: skip


def state(reservation: int) -> str:
    return session.get_one(Reservation, reservation).state


def free(scene: Scene, number: str, place: str = "store") -> list[Decimal]:
    """On hand and reserved."""
    part, where = scene.part(number).id, getattr(scene, place)
    shelf = shelves([part], [where], now())[part, where]
    return [shelf.on_hand, shelf.reserved]


def test_S_16_first_ordered_is_served_first(scene: Scene) -> None:
    scene.fill("SEAL", 3)
    reserve(scene, "SEAL", 2, 1, days=5)
    with pytest.raises(Conflict) as short:
        reserve(scene, "SEAL", 2, 2)
    assert (short.value.code, short.value.facts["free"], short.value.facts["earliest"]) == ("part_short", "1", None)
    reserve(scene, "SEAL", 1, 3)
    assert free(scene, "SEAL") == [3, 3]


def test_what_is_released_or_expired_is_free_again(scene: Scene, clock: Clock) -> None:
    scene.fill("SEAL", 2)
    kept = reserve(scene, "SEAL", 1, 1)
    offered = reserve(scene, "SEAL", 1, 2, expires_at=now() + timedelta(minutes=10))
    assert not services.due(now())
    clock.advance(minutes=10)
    assert services.due(now())
    assert write(lambda: services.expire(now())) == 1
    assert (state(kept), state(offered)) == ("reserved", "expired")
    assert write(lambda: services.release_for(Ref("errand", 1), at=now())) == 1
    assert free(scene, "SEAL") == [2, 0]
    write(lambda: services.release(session.get_one(Reservation, offered), at=now()))
    assert state(offered) == "expired"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"quantity": 0}, Invalid), ({"quantity": "-1"}, Invalid), ({"quantity": "0.5"}, Invalid),
        ({"quantity": "NaN"}, Invalid), ({"quantity": 1_000_000}, Invalid), ({"quantity": 6}, Conflict),
        ({"expires_at": timedelta(minutes=-1)}, Invalid),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_holds_nothing(scene: Scene, change: dict[str, Any], error: type[Exception]) -> None:
    scene.fill("SEAL", 5)
    given = {"quantity": 1, **change}
    if "expires_at" in given:
        given["expires_at"] = now() + given["expires_at"]
    with pytest.raises(error):
        reserve(scene, "SEAL", given.pop("quantity"), 1, **given)
    assert free(scene, "SEAL") == [5, 0]


def test_nothing_is_promised_from_quarantine(scene: Scene) -> None:
    def quarantined() -> Reservation:
        place = StockLocation(kind="quarantine", station_id=scene.station, names={}, code="Q-9")
        session.add(place)
        session.flush()
        return services.reserve(scene.part("SEAL"), place, Decimal(1), need_at=now(), about=Ref("errand", 1), at=now())

    assert refused(quarantined) == "invalid"


# Taken by rule --------------------------------------------------------------------------------------------


def test_a_P1_takes_from_the_youngest_P4_and_it_is_recorded(scene: Scene) -> None:
    scene.fill("SEAL", 3)
    first, second = (reserve(scene, "SEAL", 1, order, priority="P4") for order in (1, 2))
    third = reserve(scene, "SEAL", 1, 3, priority="P3")
    urgent = reserve(scene, "SEAL", 1, 4, priority="P1", station_id=scene.station)
    assert [state(one) for one in (first, second, third, urgent)] == ["reserved", "requested", "reserved", "reserved"]
    assert session.get_one(Reservation, second).taken_for_id == urgent
    told = session.scalars(select(Event).where(Event.kind == "reservation.taken")).one()
    assert told.facts["for"] == ["errand", 4]
    with pytest.raises(Conflict):
        reserve(scene, "SEAL", 2, 5, priority="P1", station_id=scene.station)  # one P4 is left, two are wanted
    assert state(first) == "reserved"
    with pytest.raises(Conflict):
        reserve(scene, "SEAL", 1, 6, priority="P2", station_id=scene.station)


def test_only_who_has_to_loses(scene: Scene) -> None:
    scene.fill("SEAL", 5)
    large = reserve(scene, "SEAL", 4, 1, priority="P4")
    small = reserve(scene, "SEAL", 1, 2, priority="P4")
    reserve(scene, "SEAL", 3, 3, priority="P1", station_id=scene.station)
    assert (state(large), state(small)) == ("requested", "reserved")


def test_what_is_picked_is_not_taken(scene: Scene) -> None:
    scene.fill("SEAL", 1)
    picked = reserve(scene, "SEAL", 1, 1, priority="P4")
    write(lambda: services.pick(session.get_one(Reservation, picked), at=now()))
    with pytest.raises(Conflict):
        reserve(scene, "SEAL", 1, 2, priority="P1", station_id=scene.station)


# Picking and handing out ------------------------------------------------------------------------------------


def picked(reservation: int) -> Reservation:
    return session.get_one(Reservation, reservation)


def held(scene: Scene, number: str) -> Decimal:
    of_it = select(func.sum(StockBalance.set_aside)).where(StockBalance.part_id == scene.part(number).id)
    return Decimal(session.scalar(of_it) or 0)


def test_what_is_picked_lies_apart_until_it_is_put_back(scene: Scene) -> None:
    soon, late = now().date() + timedelta(days=30), now().date() + timedelta(days=300)
    scene.fill("OIL", 2, batch="B-LATE", expires_on=late)
    scene.fill("OIL", 2, batch="B-SOON", expires_on=soon)
    one = reserve(scene, "OIL", 3, 1)
    write(lambda: services.pick(session.get_one(Reservation, one), at=now()))
    assert held(scene, "OIL") == 3
    lots = {session.get_one(StockBatch, batch).number: Decimal(quantity) for batch, quantity in picked(one).lots}
    assert lots == {"B-SOON": 2, "B-LATE": 1}
    assert refused(lambda: scene.move("OIL", 2, "use", source="store")) == "part_short"
    write(lambda: services.put_back(session.get_one(Reservation, one), at=now()))
    assert held(scene, "OIL") == 0
    assert state(one) == "reserved"


def test_a_technician_takes_what_was_reserved_and_has_it_reserved_in_his_van(scene: Scene) -> None:
    scene.fill("SEAL", 4)
    one = reserve(scene, "SEAL", 3, 1, priority="P2")
    write(lambda: services.pick(session.get_one(Reservation, one), at=now()))
    write(lambda: services.hand_out(session.get_one(Reservation, one), scene.place("van"), at=now()))
    assert held(scene, "SEAL") == 0
    assert state(one) == "issued"
    assert free(scene, "SEAL") + free(scene, "SEAL", "van") == [1, 0, 3, 3]
    assert unbalanced() == []

    def use() -> Decimal:
        return services.consume(scene.part("SEAL"), scene.place("van"), Decimal(2), about=Ref("errand", 1), at=now())

    assert write(use) == 2
    scene.move("SEAL", 2, "use", source="van")
    assert free(scene, "SEAL", "van") == [1, 1]
    assert write(use) == 1
    scene.move("SEAL", 1, "use", source="van")
    assert free(scene, "SEAL", "van") == [0, 0]


def test_who_cannot_have_it_any_more_is_told_when_it_leaves(scene: Scene) -> None:
    scene.fill("SEAL", 3)
    first = reserve(scene, "SEAL", 1, 1, days=9)
    second, third = reserve(scene, "SEAL", 1, 2), reserve(scene, "SEAL", 1, 3)
    scene.move("SEAL", 1, "use", source="store")  # somebody took it, whomever it was promised
    assert [state(one) for one in (first, second, third)] == ["reserved", "reserved", "requested"]
    scene.move("SEAL", 1, "use", source="store")
    assert [state(one) for one in (first, second, third)] == ["reserved", "requested", "requested"]
    told = session.scalars(select(Event.facts).where(Event.kind == "reservation.requested")).all()
    assert [facts["cause"] for facts in told] == ["short", "short"]


def test_a_promise_goes_where_its_part_goes(scene: Scene) -> None:
    scene.fill("SEAL", 2)
    one, other = reserve(scene, "SEAL", 1, 1), reserve(scene, "SEAL", 1, 2)
    scene.move("SEAL", 1, "transfer", source="store", target="van")
    assert [picked(each).location_id for each in (one, other)] == [scene.store, scene.van]
    assert [state(each) for each in (one, other)] == ["reserved", "reserved"]
    assert checking.overpromised(now()) == []


# Many at once ------------------------------------------------------------------------------------------------


def at_once(app: Flask, works: list[Callable[[], Any]]) -> list[str]:
    """What came of each: done, or the code of its refusal."""
    barrier, outcomes = Barrier(len(works)), [""] * len(works)

    def run(index: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                write(works[index])
                outcomes[index] = "done"
            except DomainError as error:
                outcomes[index] = error.code
            finally:
                session.remove()

    threads = [Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_eight_people_want_the_last_five(scene: Scene, app: Flask) -> None:
    scene.fill("SEAL", 5)
    session.remove()

    def want(order: int) -> Callable[[], Any]:
        return lambda: services.reserve(
            scene.part("SEAL"), scene.place("store"), Decimal(1), need_at=now(), about=Ref("errand", order),
            at=now(),
        )  # fmt: skip

    outcomes = at_once(app, [want(order) for order in range(8)])
    assert sorted(outcomes) == ["done"] * 5 + ["part_short"] * 3
    assert free(scene, "SEAL") == [5, 5]


def test_promising_and_taking_at_once_never_leaves_a_promise_without_its_part(scene: Scene, app: Flask) -> None:
    for order in range(1, 6):
        scene.fill("SEAL", 1)
        session.remove()

        def want(order: int = order) -> Any:
            return services.reserve(
                scene.part("SEAL"), scene.place("store"), Decimal(1), need_at=now(), about=Ref("errand", order),
                at=now(),
            )  # fmt: skip

        def use() -> Any:
            return ledger.post_move(
                part=scene.part("SEAL"), quantity=Decimal(1), cause="use", at=now(), source=scene.place("store")
            )

        outcomes = at_once(app, [want, use])
        assert outcomes[1] == "done"
        holding = select(func.count(Reservation.id)).where(Reservation.state.in_(HOLDING))
        assert session.scalar(holding) == 0
        assert free(scene, "SEAL") == [0, 0]
        session.rollback()


def test_verify_finds_promises_without_parts_and_trays_that_differ(scene: Scene) -> None:
    scene.fill("SEAL", 3)
    one = reserve(scene, "SEAL", 2, 1)
    write(lambda: services.pick(picked(one), at=now()))
    assert (checking.overpromised(now()), checking.trays_astray()) == ([], [])
    part = scene.part("SEAL").id
    write(lambda: session.execute(text("UPDATE stock_balance SET set_aside = 0")))
    assert checking.trays_astray() == [(part, scene.store)]
    write(lambda: session.query(StockBalance).update({"on_hand": Decimal(1)}))
    assert checking.overpromised(now()) == [(part, scene.store)]
