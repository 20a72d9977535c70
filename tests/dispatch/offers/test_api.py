"""Offered times as JSON: who may, what is refused, and the visit that comes of it."""

from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import write
from fieldservice.foundation.time import Clock
from fieldservice.workorders import booking
from tests.dispatch.test_api import Caller
from tests.workorders.cast import FAR, at
from tests.workorders.scene import Scene, make_order, make_request, make_station


@pytest.fixture
def number(scene: Scene) -> str:
    """A P2 that nobody planned."""
    return write(lambda: make_order(scene.station, request=make_request(scene.station, priority="P2"))).number


def path(number: str) -> str:
    return f"/work-orders/{number}/offers"


def test_B5_asked_held_and_chosen(app: Flask, scene: Scene, number: str) -> None:
    client = Caller(app, "dispatcher", scene.station.id)
    answer = client.send("POST", path(number), {})
    assert answer.status_code == 201
    offered = answer.json["offers"]
    assert len(offered) == 6
    assert client.get(path(number)).json["offers"] == offered
    first = offered[0]
    assert {"window_starts_at", "window_ends_at", "held_until", "cost", "travel_min", "best"} <= first.keys()
    visit = client.send("POST", f"{path(number)}/{first['id']}/choice", {})
    assert (visit.status_code, visit.json["state"]) == (201, "scheduled")
    assert visit.json["window_ends_at"] == first["window_ends_at"]
    assert visit.json["confirmed_at"]
    assert client.get(path(number)).json["offers"] == []
    again = client.send("POST", f"{path(number)}/{first['id']}/choice", {})
    assert (again.status_code, again.json["id"]) == (201, visit.json["id"])


def test_E_14_a_time_beyond_the_limit_needs_the_customers_word(app: Flask, scene: Scene, number: str) -> None:
    client = Caller(app, "dispatcher", scene.station.id)
    later = next(one for one in client.send("POST", path(number), {}).json["offers"] if one["after_promise"])
    choice = f"{path(number)}/{later['id']}/choice"
    refused = client.send("POST", choice, {})
    assert (refused.status_code, refused.json["code"]) == (422, "beyond_limit")
    assert client.send("POST", choice, {"customer_agrees": True}).status_code == 201


@pytest.mark.parametrize("body", [{"day": "tomorrow"}, {"day": "2026-11-24"}, {"day": "2027-06-01"}, {"more": 1}, []])
def test_bodies_that_cannot_be_meant(app: Flask, scene: Scene, number: str, body: Any) -> None:
    assert Caller(app, "dispatcher", scene.station.id).send("POST", path(number), body).status_code == 422


def test_what_cannot_be_chosen(app: Flask, scene: Scene, number: str, clock: Clock) -> None:
    client = Caller(app, "dispatcher", scene.station.id)
    [first, *_more] = client.send("POST", path(number), {}).json["offers"]
    for wrong in (0, first["id"] + 500, 2**62):
        assert client.send("POST", f"{path(number)}/{wrong}/choice", {}).status_code == 422
    other = write(lambda: make_order(scene.station)).number
    assert client.send("POST", f"{path(other)}/{first['id']}/choice", {}).status_code == 422
    clock.advance(minutes=11)
    gone = client.send("POST", f"{path(number)}/{first['id']}/choice", {})
    assert (gone.status_code, gone.json["code"]) == (409, "offer_gone")


def test_work_under_way_is_offered_no_time(app: Flask, scene: Scene) -> None:
    def begin() -> str:
        visit = booking.schedule_visit(scene.order, scene.lu, at(12))
        booking.send_visit(visit)
        return scene.order.number

    number = write(begin)
    client = Caller(app, "dispatcher", scene.station.id)
    assert client.send("POST", path(number), {}).status_code == 201
    visit = client.get(f"/work-orders/{number}").json["visits"][0]["id"]
    technician = Caller(app, "technician", scene.station.id, technician_id=scene.lu.id)
    for step in ("accepted", "en_route"):
        assert technician.send("POST", f"/visits/{visit}/moves", {"to": step}).status_code == 200
    refused = client.send("POST", path(number), {})
    assert (refused.status_code, refused.json["code"]) == (409, "move_forbidden")


@pytest.mark.parametrize(("role", "status"), [("technician", 403), ("agent", 403), ("station_manager", 201)])
def test_who_may_offer(app: Flask, scene: Scene, number: str, role: str, status: int) -> None:
    assert Caller(app, role, scene.station.id).send("POST", path(number), {}).status_code == status


def test_orders_of_other_stations_are_not_known(app: Flask, scene: Scene, number: str) -> None:
    client = Caller(app, "dispatcher", write(lambda: make_station("SZYQ", FAR)).id)
    assert client.get(path(number)).status_code == 404
    assert client.send("POST", path(number), {}).status_code == 404
    assert client.send("POST", f"{path(number)}/1/choice", {}).status_code == 404
