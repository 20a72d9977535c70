"""`verify` finds every kind of damage."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text, update

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.insight.verify import verify
from fieldservice.mechanisms.clocks import Clock as Promise
from fieldservice.mechanisms.events import log_new_events
from fieldservice.parts.models import StockBalance
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking
from tests.factories import part, stock
from tests.workorders.scene import make_scene


@pytest.fixture
def company(app: Flask, clock: Clock) -> None:
    scene = make_scene()
    write(lambda: booking.schedule_visit(scene.order, scene.lu, now() + timedelta(hours=1)))
    write(lambda: stock(part(), scene.station))
    write(lambda: log_new_events(1000))


def bad() -> list[str]:
    session.expire_all()
    return [check.code for check in verify() if not check.sound]


def tamper_with_event() -> None:
    session.execute(text('UPDATE event SET facts = \'{"priority": "P4"}\' WHERE id = (SELECT min(id) FROM event)'))


def change_balance() -> None:
    session.execute(update(StockBalance).values(on_hand=Decimal(77)))


def lose_promises() -> None:
    session.execute(text("DELETE FROM clock"))


def orphan_clock() -> None:
    session.execute(update(Promise).where(Promise.kind == "arrival").values(subject_id=987654))


def release_time() -> None:
    session.execute(update(Booking).values(state="released"))


DAMAGE: list[tuple[Callable[[], None], str]] = [
    (tamper_with_event, "audit_chain"),
    (change_balance, "ledger"),
    (lose_promises, "promises"),
    (orphan_clock, "references"),
    (release_time, "held_time"),
]


def test_sound_data_are_called_sound(company: None) -> None:
    assert bad() == []


@pytest.mark.parametrize(("damage", "code"), DAMAGE, ids=[code for _damage, code in DAMAGE])
def test_damage_is_found(company: None, damage: Callable[[], None], code: str) -> None:
    write(damage)
    assert bad() == [code]


def test_the_command_ends_with_1_when_something_is_wrong(company: None, app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["verify"]).exit_code == 0
    write(change_balance)
    told = app.test_cli_runner().invoke(args=["verify", "--json"])
    assert told.exit_code == 1
    assert '"ledger"' in told.output
