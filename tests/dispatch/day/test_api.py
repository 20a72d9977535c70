"""Somebody falls ill, as JSON: who may say so, what is refused, and the plan that comes back."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from fieldservice.dispatch.plans import running
from fieldservice.foundation.db import session, write
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking
from tests.dispatch.test_api import Caller
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, local_at, make_station

DAY = {"from": "2026-11-25T08:00:00+08:00", "to": "2026-11-25T18:00:00+08:00"}


def path(scene: Scene) -> str:
    return f"/dispatch/technicians/{scene.lu.id}/absence"


def test_B4_asked_looked_at_and_applied(app: Flask, scene: Scene) -> None:
    write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(13)))
    client = Caller(app, "dispatcher", scene.station.id)
    answer = client.send("POST", path(scene), DAY)
    assert (answer.status_code, answer.json["status"], answer.json["objective"]) == (202, "asked", "changes")
    plan = answer.json["id"]
    running.run_here(plan)
    told = client.get(f"/dispatch/plans/{plan}").json
    assert [(one["kind"], one["work_order"]) for one in told["changes"]] == [("dropped", scene.order.number)]
    applied = client.send("POST", f"/dispatch/plans/{plan}/apply", {})
    assert (applied.status_code, applied.json["status"]) == (200, "applied")
    assert [one.cause for one in session.query(Booking).filter_by(state="held")] == ["sick"]


def test_asked_before_what_it_would_touch(app: Flask, scene: Scene) -> None:
    write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(13)))
    client = Caller(app, "dispatcher", scene.station.id)
    told = client.get(f"{path(scene)}?{urlencode(DAY)}")
    assert (told.status_code, told.json) == (200, {"work_orders": [scene.order.number], "hindrance": ""})
    assert client.get(f"{path(scene)}?from=x").status_code == 422
    assert Caller(app, "agent", scene.station.id).get(f"{path(scene)}?{urlencode(DAY)}").status_code == 403
    other = write(lambda: make_station("SZYQ", FAR))
    assert Caller(app, "dispatcher", other.id).get(f"{path(scene)}?{urlencode(DAY)}").status_code == 404


def test_pressing_twice_asks_once(app: Flask, scene: Scene) -> None:
    client = Caller(app, "dispatcher", scene.station.id)
    twice = [client.send("POST", path(scene), DAY, Idempotency_Key="once").json["id"] for _time in range(2)]
    assert twice[0] == twice[1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**DAY, "to": "tomorrow"},
        {**DAY, "cause": "visit"},
        {**DAY, "cause": 7},
        {**DAY, "more": 1},
        {"from": DAY["to"], "to": DAY["from"]},
    ],
)
def test_bodies_that_cannot_be_meant(app: Flask, scene: Scene, body: dict[str, Any]) -> None:
    assert Caller(app, "dispatcher", scene.station.id).send("POST", path(scene), body).status_code == 422


@pytest.mark.parametrize(("role", "status"), [("technician", 403), ("agent", 403), ("station_manager", 202)])
def test_who_may_say_so(app: Flask, scene: Scene, role: str, status: int) -> None:
    assert Caller(app, role, scene.station.id).send("POST", path(scene), DAY).status_code == status


def test_technicians_of_other_stations_are_not_known(app: Flask, scene: Scene) -> None:
    other = write(lambda: make_station("SZYQ", FAR))
    client = Caller(app, "dispatcher", other.id)
    assert client.send("POST", path(scene), DAY).status_code == 404
    assert client.send("POST", f"/dispatch/technicians/{2**63}/absence", DAY).status_code == 404
