"""kill -9 in the middle of a work of the store: nothing of it is there, or all of it; the ledger is sound, and whoever
does it again ends where he would have."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from config import ROOT
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.insight.verify import verify
from fieldservice.mechanisms.clocks import Clock
from fieldservice.operations.children import environment_of
from fieldservice.parts import queries
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.models import SerialUnit, StockBalance, StockMove
from fieldservice.parts.returns import services
from fieldservice.parts.returns.models import OldPart, SupplierClaim
from fieldservice.parts.transfers.models import Transfer
from tests.parts.consignment.scene import make_stock
from tests.parts.dying import WORKS, do_and_die
from tests.parts.scene import make_scene
from tests.parts.test_old_parts import wanted
from tests.parts.test_receipts import LATER, begin, lying, post, row, scan


def killed(work: str, number: int, statements: int, folder: Path) -> None:
    """Somebody else's process does it and dies."""
    session.rollback()
    own = replace(settings(), instance_path=folder)
    died = subprocess.run(
        [sys.executable, "-m", "tests.parts.dying", work, str(number), str(statements), now().isoformat()],
        cwd=ROOT, env=environment_of(own, db.engine.url, folder), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    session.expire_all()


@pytest.mark.parametrize("statements", [3, 17, 31, 10_000])
def test_a_killed_delivery_leaves_nothing_half_done(app: Flask, tmp_path: Path, statements: int) -> None:
    scene = make_scene()
    scene.fill("SEAL", 1)
    receipt = begin(scene)
    scan(scene, receipt, "SEAL", 4)
    scan(scene, receipt, "OIL", 20, batch="B-1", expires_on=LATER)
    scan(scene, receipt, "PUMP", 2, serials=("P-1", "P-2"))
    moves = session.scalar(select(func.count(StockMove.id)))
    killed("receipt", receipt, statements, tmp_path)
    assert lying("SEAL", scene) == {"warehouse": 1}
    assert session.scalar(select(func.count(StockMove.id))) == moves
    assert session.scalar(select(func.count(SerialUnit.id))) == 0
    assert all(check.sound for check in verify())
    assert row(receipt).state == "draft"
    session.rollback()
    post(receipt)
    assert (lying("SEAL", scene), lying("PUMP", scene)) == ({"warehouse": 5}, {"warehouse": 2})
    assert queries.unbalanced() == []


# Old parts and customers' refills -----------------------------------------------------------------------


def killed_here(work: str, number: int, statements: int) -> None:
    """A copy of this process does it and dies: a new one for each moment would cost ten seconds."""
    at = now()
    session.remove()
    child = os.fork()
    if not child:
        try:
            ours = db.engine.pool  # kept: dropped connections would take leave of the server in our name
            db.engine.dispose(close=False)
            do_and_die(work, number, statements, at)
            assert ours
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def again(work: str, number: int) -> None:
    """Do it, or be told that it is done."""
    try:
        write(lambda: WORKS[work](number, now()))
    except Conflict:
        session.rollback()
    session.expire_all()


def standing() -> dict[str, list[tuple[Any, ...]]]:
    """Everything the works change, as plain values."""
    session.rollback()
    asked = {
        "old parts": select(
            OldPart.id, OldPart.state, OldPart.finding, OldPart.place_id, OldPart.claim_id, OldPart.result
        ),
        "claims": select(SupplierClaim.id, SupplierClaim.state),
        "refills": select(RefillOrder.id, RefillOrder.state, RefillOrder.delivered, RefillOrder.transfer_id),
        "transfers": select(Transfer.id, Transfer.state),
        "clocks": select(Clock.id, Clock.state),
        "pieces": select(SerialUnit.serial, SerialUnit.state, SerialUnit.location_id),
        "moves": select(StockMove.id, StockMove.cause, StockMove.quantity),
        "balances": select(
            StockBalance.location_id, StockBalance.part_id, StockBalance.condition, StockBalance.on_hand
        ),
    }
    return {name: sorted(map(tuple, session.execute(wish)), key=repr) for name, wish in asked.items()}


def prepare_old_part(steps: list[str]) -> Callable[[], int]:
    """A pump that was removed, as far as these steps go; the id the next one is about."""

    def build() -> int:
        scene = make_scene()
        old = number = wanted(scene, "PUMP", removed_serial="P-OLD")
        write(scene.supplier)
        for step in steps:
            if step == "sound":
                write(lambda: services.inspect(session.get_one(OldPart, old), "sound", at=now()))
            else:
                again(step, number)
            if step == "claim":
                number = session.scalars(select(SupplierClaim.id)).one()
        return number

    return build


def prepare_refill(steps: list[str]) -> Callable[[], int]:
    """A refill of a customer's grease, as far as these steps go."""

    def build() -> int:
        number = make_stock(lies=20).propose(50).id
        for step in steps:
            again(step, number)
        return number

    return build


LOOP = ["drop off", "inspect", "claim", "send", "answer", "replacement", "settle"]
WAY = ["confirm", "ship", "deliver"]
DEEDS = {
    **{work: prepare_old_part(LOOP[:at]) for at, work in enumerate(LOOP)},
    "restock": prepare_old_part(["drop off", "sound"]),
    **{work: prepare_refill(WAY[:at]) for at, work in enumerate(WAY)},
    "cancel": prepare_refill(["confirm"]),
}


@pytest.mark.parametrize("statements", [1, 9, 10_000, 0])
@pytest.mark.parametrize("work", DEEDS)
def test_a_killed_step_is_done_or_not_and_repeating_it_ends_the_same(app: Flask, work: str, statements: int) -> None:
    number = DEEDS[work]()
    before = standing()
    killed_here(work, number, statements)
    after = standing()
    assert (after == before) is (statements > 0)  # nothing of it, or all of it
    assert [check.code for check in verify() if not check.sound] == []
    again(work, number)
    ended = standing()
    assert ended != before
    assert statements or ended == after
    again(work, number)
    assert standing() == ended
    assert [check.code for check in verify() if not check.sound] == []
