"""Transfers: the source keeps it, the target may promise it, and what arrives is what was sent – or it is said."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.phased import free_at
from fieldservice.parts.availability.reading import Shelf, shelves
from fieldservice.parts.models import SerialUnit
from fieldservice.parts.queries import unbalanced
from fieldservice.parts.transfers import services
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.services import Arrived
from tests.parts.scene import Scene, make_scene

SOON = timedelta(hours=5)


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def sent(scene: Scene, *lines: tuple[str, int], **more: Any) -> int:
    """A transfer from the store to the van."""
    wanted = [(scene.part(number), Decimal(quantity)) for number, quantity in lines]
    given = {"expected_at": now() + SOON, "at": now(), **more}
    return write(lambda: services.open_transfer(scene.place("store"), scene.place("van"), wanted, **given).id)


def act(transfer: int, work: Callable[..., Any], *args: Any, **more: Any) -> str:
    """Do something with it; its state."""
    write(lambda: work(session.get_one(Transfer, transfer), *args, **{"at": now(), **more}))
    return session.get_one(Transfer, transfer).state


def shelf(scene: Scene, number: str, place: str) -> Shelf:
    part, where = scene.part(number).id, getattr(scene, place)
    return shelves([part], [where], now())[part, where]


def line(transfer: int, index: int = 0) -> int:
    return session.get_one(Transfer, transfer).lines[index].id


def test_the_whole_way(scene: Scene) -> None:
    scene.fill("SEAL", 5)
    one = sent(scene, ("SEAL", 1), ("SEAL", 2))
    assert act(one, services.approve) == "approved"
    assert [shelf(scene, "SEAL", "store").reserved, shelf(scene, "SEAL", "van").in_transit] == [3, 3]
    assert free_at(shelf(scene, "SEAL", "van").pool, now() + SOON) == 3
    assert free_at(shelf(scene, "SEAL", "van").pool, now()) == 0
    assert act(one, services.ship) == "shipped"
    assert [shelf(scene, "SEAL", "store").on_hand, shelf(scene, "SEAL", "store").reserved] == [2, 0]
    assert shelf(scene, "SEAL", "van").on_hand == 0
    assert act(one, services.receive) == "received"
    assert [shelf(scene, "SEAL", "van").on_hand, shelf(scene, "SEAL", "van").in_transit] == [3, 0]
    assert unbalanced() == []


def test_part_of_it_arrives_and_the_rest_is_lost(scene: Scene) -> None:
    scene.fill("SEAL", 4)
    scene.fill("PUMP", 2, serials=["P1", "P2"])
    one = sent(scene, ("SEAL", 4), ("PUMP", 2))
    act(one, services.approve)
    pumps = next(each.id for each in session.get_one(Transfer, one).lines if each.part.number == "PUMP")
    act(one, services.ship, serials={pumps: ["P1", "P2"]})
    with pytest.raises(Conflict):  # which of the two?
        act(one, services.receive, {pumps: Arrived(Decimal(1))})
    assert (
        act(one, services.receive, {line(one): Arrived(Decimal(3)), pumps: Arrived(Decimal(1), ["P2"])})
        == "part_received"
    )
    assert shelf(scene, "SEAL", "van").in_transit == 1
    with pytest.raises(Invalid):
        act(one, services.receive, {line(one): Arrived(Decimal(2))})
    with pytest.raises(Invalid):
        act(one, services.give_up, "")
    assert act(one, services.give_up, "包裹丢失") == "not_arrived"
    assert [shelf(scene, "SEAL", "van").on_hand, shelf(scene, "SEAL", "van").in_transit] == [3, 0]
    assert {unit.serial: unit.state for unit in session.query(SerialUnit)} == {"P1": "missing", "P2": "in_stock"}
    assert unbalanced() == []


def test_what_is_called_off_is_free_again_and_promises_on_it_are_told(scene: Scene) -> None:
    scene.fill("SEAL", 1)
    one = sent(scene, ("SEAL", 1))
    act(one, services.approve)
    held = write(
        lambda: promises.reserve(
            scene.part("SEAL"), scene.place("van"), Decimal(1), need_at=now() + 2 * SOON, about=Ref("errand", 1),
            at=now(),
        ).id
    )  # fmt: skip
    assert act(one, services.cancel) == "cancelled"
    assert session.get_one(Reservation, held).state == "requested"
    assert [shelf(scene, "SEAL", "store").reserved, shelf(scene, "SEAL", "van").in_transit] == [0, 0]
    with pytest.raises(Conflict):
        act(one, services.ship)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda scene: sent(scene),
        lambda scene: sent(scene, ("SEAL", 0)),
        lambda scene: sent(scene, ("SEAL", -1)),
        lambda scene: sent(scene, ("SEAL", 1), expected_at=now() - SOON),
        lambda scene: sent(scene, ("SEAL", 1), expected_at=now() + timedelta(days=91)),
        lambda scene: act(sent(scene, ("SEAL", 9)), services.approve),
        lambda scene: act(sent(scene, ("SEAL", 1)), services.ship),
        lambda scene: act(sent(scene, ("SEAL", 1)), services.receive),
        lambda scene: write(
            lambda: services.open_transfer(
                scene.place("van"), scene.place("van"), [(scene.part("SEAL"), Decimal(1))], expected_at=now(), at=now()
            )
        ),
    ],
)
def test_bad_input_is_refused_and_nothing_is_half_done(scene: Scene, wrong: Callable[[Scene], Any]) -> None:
    scene.fill("SEAL", 2)
    with pytest.raises(DomainError):
        wrong(scene)
    assert [shelf(scene, "SEAL", "store").on_hand, shelf(scene, "SEAL", "store").reserved] == [2, 0]
    assert unbalanced() == []


def test_twice_is_once(scene: Scene) -> None:
    scene.fill("SEAL", 2)
    one = sent(scene, ("SEAL", 2))
    act(one, services.approve)
    act(one, services.ship)
    act(one, services.receive)
    for again in (services.ship, services.receive, services.approve):
        with pytest.raises(DomainError):
            act(one, again)
    assert shelf(scene, "SEAL", "van").on_hand == 2
    assert unbalanced() == []
