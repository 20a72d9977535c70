"""A number that a tablet may still name is given once: what was taken back is not met again under another part."""

from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from fieldservice.foundation.db import db, session
from fieldservice.workorders.models import PartUse, WorkItem
from tests.workorders.on_tour import OIL, SEAL, make_tour
from tests.workorders.test_tablet_commands import Tablet


def made(app: Flask) -> Tablet:
    tablet = Tablet(app, make_tour())
    tablet.tour.at_work()
    return tablet


def fit(tablet: Tablet, part: str) -> tuple[str, int]:
    """A part fitted by a command: the command's id, the use's number."""
    command = tablet.command("part", part=part, quantity=1)
    assert tablet.post(command)[0]["status"] == "accepted"
    return command["id"], session.scalars(select(PartUse.id).where(PartUse.command_id == command["id"])).one()


def ask_for(tablet: Tablet, words: str) -> tuple[str, int]:
    command = tablet.command("need", words=words)
    assert tablet.post(command)[0]["status"] == "accepted"
    return command["id"], session.scalars(select(WorkItem.id).where(WorkItem.command_id == command["id"])).one()


DEEDS: list[Any] = [
    ("part", "use", fit, SEAL, OIL, PartUse),
    ("need", "item", ask_for, "吊车", "气瓶", WorkItem),
]


@pytest.mark.parametrize(("kind", "prefix", "deed", "first", "then", "model"), DEEDS, ids=["fitted", "missing"])
def test_what_was_taken_back_is_not_met_under_another(
    app: Flask, kind: str, prefix: str, deed: Any, first: str, then: str, model: Any
) -> None:
    tablet = made(app)
    command, number = deed(tablet, first)
    assert tablet.send(kind, returns=command)["status"] == "accepted"
    _command, next_number = deed(tablet, then)
    assert next_number > number
    late = tablet.send(kind, returns=f"{prefix}-{number}")  # an older page names it by number
    assert (late["status"], late["code"]) == ("rejected", "already_returned")
    assert session.get(model, next_number) is not None


def test_who_pays_for_what_was_taken_back_is_not_said_of_another(app: Flask) -> None:
    tablet = made(app)
    command, number = fit(tablet, SEAL)
    tablet.send("part", returns=command)
    fit(tablet, OIL)
    late = tablet.send("coverage", line=f"use-{number}", coverage="goodwill", reason="好意")
    assert late["status"] == "rejected"


def test_a_database_from_before_starts_above_every_number_that_was_given(sqlite_app: Flask) -> None:
    tablet = made(sqlite_app)
    gone = {}
    for kind, deed, what in (("part", fit, SEAL), ("need", ask_for, "吊车")):
        command, gone[kind] = deed(tablet, what)
        tablet.send(kind, returns=command)
    kept = fit(tablet, OIL)[1]
    session.remove()
    db.engine.dispose()
    downgrade(revision="0019")
    upgrade()
    assert session.get(PartUse, kept) is not None
    assert fit(tablet, OIL)[1] > max(kept, gone["part"])
    assert ask_for(tablet, "气瓶")[1] > gone["need"]
