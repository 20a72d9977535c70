"""kill -9 in the middle of a delivery: nothing of it is there, the ledger is sound, and it can be posted again."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from config import ROOT
from fieldservice.foundation.db import db, session
from fieldservice.foundation.web import settings
from fieldservice.insight.verify import verify
from fieldservice.operations.children import environment_of
from fieldservice.parts import queries
from fieldservice.parts.models import SerialUnit, StockMove
from tests.parts.scene import make_scene
from tests.parts.test_receipts import LATER, begin, lying, post, row, scan


@pytest.mark.parametrize("statements", [3, 17, 31, 10_000])
def test_a_killed_delivery_leaves_nothing_half_done(app: Flask, tmp_path: Path, statements: int) -> None:
    scene = make_scene()
    scene.fill("SEAL", 1)
    receipt = begin(scene)
    scan(scene, receipt, "SEAL", 4)
    scan(scene, receipt, "OIL", 20, batch="B-1", expires_on=LATER)
    scan(scene, receipt, "PUMP", 2, serials=("P-1", "P-2"))
    moves = session.scalar(select(func.count(StockMove.id)))
    session.rollback()
    own = replace(settings(), instance_path=tmp_path)
    died = subprocess.run(
        [sys.executable, "-m", "tests.parts.dying", str(receipt), str(statements)],
        cwd=ROOT, env=environment_of(own, db.engine.url, tmp_path), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert lying("SEAL", scene) == {"warehouse": 1}
    assert session.scalar(select(func.count(StockMove.id))) == moves
    assert session.scalar(select(func.count(SerialUnit.id))) == 0
    assert all(check.sound for check in verify())
    assert row(receipt).state == "draft"
    session.rollback()
    post(receipt)
    assert (lying("SEAL", scene), lying("PUMP", scene)) == ({"warehouse": 5}, {"warehouse": 2})
    assert queries.unbalanced() == []
