"""Slow areas on both databases: drawing and ending, and what they do to suggestions, bookings and plans."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.dispatch.areas import services
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.dispatch.plans import running
from fieldservice.dispatch.plans import services as plans
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from fieldservice.foundation.places import Point, travel
from fieldservice.foundation.time import clock
from fieldservice.mechanisms.events import Event
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from tests.conftest import make_user
from tests.dispatch.areas.snow import STRIP, drawn
from tests.dispatch.plans.conftest import _here
from tests.dispatch.plans.planned import changes, planned
from tests.dispatch.plans.test_plans import _company
from tests.dispatch.test_api import Caller
from tests.mechanisms.people_and_things import statements
from tests.workorders.cast import FAR, HOME, NEAR
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_station
from tests.workorders.test_suggestions import ask


@pytest.fixture
def scene(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(running, "compute", _here)
    return make_scene()


def book(scene: Scene, hour: int, minute: int = 0, order: WorkOrder | None = None) -> Visit:
    wanted = order or scene.order
    return write(lambda: booking.schedule_visit(session.merge(wanted), session.merge(scene.lu), local_at(hour, minute)))


# Drawing and ending -------------------------------------------------------------------------------


def test_an_area_is_drawn_and_ended(scene: Scene) -> None:
    area = drawn(scene.station).area
    assert [one.name for one in travel.DEFAULT.slow_areas()] == ["Snow"]
    session.rollback()
    write(lambda: services.end(session.get_one(DrawnArea, area.id)))
    assert travel.DEFAULT.slow_areas() == ()
    kinds = [one.kind for one in session.query(Event).filter_by(subject_type="slow_area").order_by(Event.id)]
    assert kinds == ["slow_area.drawn", "slow_area.ended"]
    with pytest.raises(Conflict):
        write(lambda: services.end(session.get_one(DrawnArea, area.id)))


def test_what_was_drawn_in_the_same_transaction_counts(scene: Scene) -> None:
    person = make_user("dispatcher", scene.station.id).as_person()

    def work() -> int:
        assert travel.DEFAULT.slow_areas() == ()
        services.draw(person, scene.station, "Snow", STRIP, 2.0, local_at(14))
        return len(travel.DEFAULT.slow_areas())

    assert write(work) == 1


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("corners", {"corners": [STRIP[0], STRIP[2], STRIP[1], STRIP[3]]}),  # crosses itself
        ("corners", {"corners": STRIP[:2]}),
        ("corners", {"corners": [STRIP[0], STRIP[1], STRIP[0]]}),
        ("corners", {"corners": [[31.5, 120 + n / 100] for n in range(3)]}),  # a line
        ("corners", {"corners": [[31.5 + n / 1000, 120 + n * n / 1000] for n in range(61)]}),
        ("corners", {"corners": [[95.0, 120.0], *STRIP[1:]]}),
        ("corners", {"corners": [[float("nan"), 120.0], *STRIP[1:]]}),
        ("factor", {"factor": 1.0}), ("factor", {"factor": 10.5}), ("factor", {"factor": float("nan")}),
        ("until", {"until": local_at(10, 30)}),  # now
        ("until", {"until": local_at(12), "starts_at": local_at(12)}),
        ("until", {"until": local_at(12) + timedelta(days=15)}),
        ("until", {"until": local_at(12) + timedelta(days=16), "starts_at": local_at(12) + timedelta(days=15)}),
        ("name", {"name": "  "}), ("name", {"name": "x" * 61}), ("name", {"name": "a\0b"}),
    ],
)  # fmt: skip
def test_what_is_no_area(scene: Scene, field: str, wish: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        drawn(scene.station, **wish)
    assert list(refused.value.errors) == [field]
    assert session.query(DrawnArea).count() == 0


def test_only_who_plans_the_station_draws_and_ends(scene: Scene) -> None:
    other = write(lambda: make_station("SZYQ", FAR))
    with pytest.raises(Forbidden):
        drawn(scene.station, user=make_user("dispatcher", other.id))
    with pytest.raises(Forbidden):
        drawn(scene.station, user=make_user("agent", scene.station.id))
    area = drawn(scene.station).area
    with pytest.raises(NotFound):
        services.area_by_id(area.id, make_user("dispatcher", other.id).as_person())
    assert services.area_by_id(area.id, make_user("station_manager", scene.station.id).as_person()) == area


def test_there_are_never_too_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_OPEN", 2)
    user = make_user("dispatcher", scene.station.id)
    first, _second = (drawn(scene.station, user=user).area for _time in range(2))
    with pytest.raises(Conflict) as refused:
        drawn(scene.station, user=user)
    assert refused.value.code == "too_many"
    write(lambda: services.end(session.get_one(DrawnArea, first.id)))
    drawn(scene.station, user=user)


# Effect -------------------------------------------------------------------------------------------


def test_a_suggestion_comes_later_and_says_the_longer_way(scene: Scene) -> None:
    (usual,) = ask(scene.order).suggestions
    assert (usual.slot.starts_at, usual.slot.travel_min) == (local_at(10, 45), 15)
    session.rollback()
    drawn(scene.station)
    (slowed,) = ask(scene.order).suggestions
    assert (slowed.slot.starts_at, slowed.slot.travel_min) == (local_at(11), 29)
    visit = book(scene, 11)
    assert visit.travel_min == 29


def test_D_02_a_booking_is_refused_by_the_longer_way(scene: Scene) -> None:
    """From one customer to the next across the snow; after its end, or once it is ended, as usual."""
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=60))
    book(scene, 11, order=south)  # until 12:00
    area = drawn(scene.station).area
    with pytest.raises(Conflict) as refused:
        book(scene, 12, 20)
    assert refused.value.code == "travel"
    assert refused.value.facts["minutes"] == 29
    assert refused.value.facts["earliest"] == local_at(12, 29).isoformat()
    write(lambda: services.end(session.get_one(DrawnArea, area.id)))
    assert book(scene, 12, 20).travel_min == 15


def test_the_way_to_the_next_visit_too(scene: Scene) -> None:
    book(scene, 13, 20)
    drawn(scene.station)
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=60))
    with pytest.raises(Conflict) as refused:
        book(scene, 12, 0, order=south)  # until 13:00; 29 minutes to go
    assert (refused.value.code, refused.value.facts["side"]) == ("travel", "after")
    assert refused.value.facts["latest"] == local_at(11, 51).isoformat()
    book(scene, 11, 51, order=south)


def test_after_its_end_driving_is_as_usual(scene: Scene) -> None:
    drawn(scene.station)
    assert book(scene, 14, 15).travel_min == 15
    clock.advance(hours=4)
    assert travel.DEFAULT.slow_areas() == ()


def test_a_stop_in_between_is_a_way_around(scene: Scene) -> None:
    """Who goes by way of a third place is not asked about the straight way through the snow."""
    wall = [[31.50, 120.375], [31.50, 120.395], [31.51, 120.395], [31.51, 120.375]]
    beside = Point(31.50, 120.40)
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=30))
    around = write(lambda: make_order(scene.station, place=beside, duration_min=15))
    drawn(scene.station, corners=wall, factor=10.0, until=local_at(18))
    book(scene, 11, order=south)  # until 11:30
    with pytest.raises(Conflict):
        book(scene, 12, 15)  # straight through the wall it takes an hour
    book(scene, 11, 45, order=around)  # until 12:00
    assert book(scene, 12, 15).travel_min < 15


# Plans --------------------------------------------------------------------------------------------


def test_a_plan_reckons_with_it_and_can_be_applied(scene: Scene) -> None:
    drawn(scene.station)
    plan = planned([scene.station])
    assert changes(plan)[scene.order.number] == ("placed", scene.lu.id, "03:00")  # 11:00, not 10:45
    (visit,) = write(lambda: plans.apply(session.get_one(DispatchPlan, plan.id)))
    assert visit.travel_min == 29


def test_an_area_of_another_day_does_not_slow_a_plan(scene: Scene) -> None:
    tomorrow = timedelta(days=1)
    drawn(scene.station, starts_at=local_at(8) + tomorrow, until=local_at(18) + tomorrow)
    assert changes(planned([scene.station]))[scene.order.number][2] == "02:45"


@pytest.mark.parametrize("seed", range(6))
def test_what_is_planned_through_slow_areas_can_be_applied(scene: Scene, seed: int) -> None:
    """Booking never asks for more than the plan reckoned with, whenever the areas hold and wherever the routes go."""
    dice = random.Random(seed)
    stations = write(lambda: _company(scene.station, dice, orders=18))
    user = make_user("dispatcher", scene.station.id)
    for _area in range(3):
        south, west = 31.35 + dice.random() / 4, 120.2 + dice.random() / 4
        corners = [[south, west], [south, west + 0.12], [south + 0.08, west + 0.12], [south + 0.08, west]]
        begins = local_at(dice.randrange(11, 15))
        until = begins + timedelta(hours=dice.randrange(1, 6))
        drawn(scene.station, user=user, corners=corners, factor=dice.uniform(1.5, 8), starts_at=begins, until=until)
    plan = planned(stations, objective=dice.choice(["promises", "travel", "balance"]), effort=16)
    assert plan.outcome["changes"]
    write(lambda: plans.apply(session.get_one(DispatchPlan, plan.id)))
    assert plan.state == "applied"


# Whom it makes late -------------------------------------------------------------------------------


def test_visits_that_come_too_late_are_named(scene: Scene) -> None:
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=60))
    book(scene, 11, order=south)  # until 12:00; not made late itself
    late = book(scene, 12, 20)
    (touched,) = drawn(scene.station).touched
    assert (touched.visit.id, touched.missing_min, touched.travel_min) == (late.id, 9, 29)
    assert drawn(scene.station, starts_at=local_at(12, 30)).touched == [], "it begins after that drive"


def test_a_visit_with_time_to_spare_is_not_named(scene: Scene) -> None:
    book(scene, 13)
    assert drawn(scene.station).touched == []


def test_the_number_of_statements_does_not_grow(scene: Scene) -> None:
    user = make_user("dispatcher", scene.station.id)
    counts = []
    for hours in ((11, 13), (15, 17)):
        for hour in hours:
            order = write(lambda: make_order(scene.station, duration_min=30))
            book(scene, hour, order=order)
        area = drawn(scene.station, user=user, until=local_at(18)).area
        with statements() as sent:
            services.touched_by(session.merge(area))
        with statements() as asked:
            ask(scene.order)
        counts.append((len(sent), len(asked)))
        session.rollback()
    assert counts[0] == counts[1]
    with statements() as again:
        travel.DEFAULT.slow_areas()
        travel.DEFAULT.slow_areas()
    assert len([one for one in again if "slow_area" in one]) == 1


# The JSON calls -----------------------------------------------------------------------------------


@pytest.fixture
def caller(app: Flask) -> Callable[..., Caller]:
    return lambda role, station_id=None, **facts: Caller(app, role, station_id, **facts)


def wish(**changes: Any) -> dict[str, Any]:
    until = local_at(14).isoformat()
    return {"station": "WXXW", "name": "雪", "corners": STRIP, "factor": 4, "until": until, **changes}


def test_areas_as_json(scene: Scene, caller: Callable[..., Caller]) -> None:
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=60))
    book(scene, 11, order=south)
    late = book(scene, 12, 20)
    desk = caller("dispatcher", scene.station.id)
    answer = desk.send("POST", "/dispatch/slow-areas", wish())
    assert answer.status_code == 201
    assert [(one["visit"], one["missing_min"]) for one in answer.json["touched"]] == [(late.id, 9)]
    area = answer.json["area"]
    other = write(lambda: make_station("SZYQ", FAR))
    stranger = caller("dispatcher", other.id)
    assert stranger.get("/dispatch/slow-areas").json == [area]
    assert stranger.send("POST", f"/dispatch/slow-areas/{area['id']}/end").status_code == 404
    assert desk.send("POST", f"/dispatch/slow-areas/{area['id']}/end").status_code == 200
    assert desk.send("POST", f"/dispatch/slow-areas/{area['id']}/end").status_code == 409
    assert desk.get("/dispatch/slow-areas").json == []


def test_what_a_plan_would_be_about_that_helps(scene: Scene, caller: Callable[..., Caller]) -> None:
    """Days and stations of the visits that come late; nothing where nobody does."""
    south = write(lambda: make_order(scene.station, place=HOME, duration_min=60))
    book(scene, 11, order=south)
    book(scene, 12, 20)
    desk = caller("dispatcher", scene.station.id)
    away = [[30.0, 118.0], [30.0, 118.1], [30.1, 118.1]]
    assert desk.send("POST", "/dispatch/slow-areas", wish(corners=away)).json["anew"] is None
    answer = desk.send("POST", "/dispatch/slow-areas", wish()).json
    assert answer["anew"] == {"date": "2026-11-25", "days": 1, "stations": ["WXXW"]}
    asked = desk.send("POST", "/dispatch/plans", answer["anew"])
    assert asked.status_code == 202


def test_a_late_visit_makes_the_next_one_late(scene: Scene, caller: Callable[..., Caller]) -> None:
    """Only the way to the first leads through the snow, and nothing leads from it to the second but the same day."""
    first = book(scene, 10, 45, order=write(lambda: make_order(scene.station, duration_min=60)))
    second = book(scene, 11, 45)
    session.rollback()
    answer = caller("dispatcher", scene.station.id).send("POST", "/dispatch/slow-areas", wish()).json
    assert [(one["visit"], one["missing_min"]) for one in answer["touched"]] == [(first.id, 14), (second.id, 14)]
    other = write(lambda: make_station("SZYQ", FAR))
    far = caller("dispatcher", other.id).send("POST", "/dispatch/slow-areas", wish(station="SZYQ", name="Fog"))
    assert far.json["touched"] == [], "of others it is not told"


def test_pressing_twice_draws_once(scene: Scene, caller: Callable[..., Caller]) -> None:
    desk = caller("dispatcher", scene.station.id)
    twice = [desk.send("POST", "/dispatch/slow-areas", wish(), Idempotency_Key="once") for _time in range(2)]
    assert twice[0].json["area"] == twice[1].json["area"]
    assert session.query(DrawnArea).count() == 1


def test_who_may_not(scene: Scene, caller: Callable[..., Caller]) -> None:
    agent = caller("agent", scene.station.id)
    assert agent.get("/dispatch/slow-areas").status_code == 200
    assert agent.send("POST", "/dispatch/slow-areas", wish()).status_code == 403
    assert agent.send("POST", "/dispatch/slow-areas/1/end").status_code == 403
    assert caller("technician", scene.station.id).get("/dispatch/slow-areas").status_code == 403
    other = write(lambda: make_station("SZYQ", FAR))
    assert caller("dispatcher", other.id).send("POST", "/dispatch/slow-areas", wish()).status_code == 422


@pytest.mark.parametrize(
    "changed",
    [
        {"corners": "x"}, {"corners": [[1]] * 4}, {"corners": [["a", "b"]] * 4}, {"factor": "fast"}, {"until": "soon"},
        {"station": "NONE"}, {"more": 1}, {"name": ""}, {"corners": [STRIP[0], STRIP[2], STRIP[1], STRIP[3]]},
    ],
)  # fmt: skip
def test_bad_bodies(scene: Scene, caller: Callable[..., Caller], changed: dict[str, Any]) -> None:
    answer = caller("dispatcher", scene.station.id).send("POST", "/dispatch/slow-areas", wish(**changed))
    assert answer.status_code == 422
    assert session.query(DrawnArea).count() == 0


def test_the_board_shows_where_driving_is_slow(scene: Scene, sign_in: Callable[..., Any]) -> None:
    desk = sign_in("dispatcher", scene.station.id)
    assert desk.get("/dispatch/lanes?lang=zh").json["areas"] == []
    drawn(scene.station, name="<b>雪</b>")
    (area,) = desk.get("/dispatch/lanes?lang=zh").json["areas"]
    assert (area["title"], area["factor"], area["points"][0]) == ("<b>雪</b>", 4, list(STRIP[0]))
    assert area["until"].startswith("至 ")
    assert (area["how"], area["mine"], bool(area["who"])) == ("4×", True, True)
    drawn(scene.station, factor=10.0, starts_at=local_at(12))
    areas = desk.get("/dispatch/lanes?lang=zh").json["areas"]
    assert {one["how"] for one in areas} == {"4×", "封闭"}
    assert any(one["until"].startswith("12:00 起 至 ") for one in areas)
    looking = sign_in("agent", scene.station.id).get("/dispatch/lanes").json["areas"]
    assert [one["mine"] for one in looking] == [False, False]
    assert desk.get("/dispatch/lanes?lang=zh&date=2026-11-27").json["areas"] == []


def test_the_strip_lies_on_the_way() -> None:
    assert HOME.latitude < STRIP[0][0] < STRIP[2][0] < NEAR.latitude
