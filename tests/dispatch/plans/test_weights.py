"""Weights of planning by station, on both databases: seen, set, taken back, never overwritten unseen (D-09)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from fieldservice.dispatch.plans import services, weighing
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Forbidden, Invalid, PreconditionFailed
from fieldservice.mechanisms.events import Event
from fieldservice.stations.models import Station
from tests.conftest import make_user
from tests.dispatch.plans.planned import planned
from tests.dispatch.test_day_plan import Browser
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, make_station

PAGE = "/dispatch/plans/weights"
NOTHING = "{}"


def station(scene: Scene) -> Station:
    return session.get_one(Station, scene.station.id)


def stored(scene: Scene) -> dict[str, float]:
    session.rollback()
    return dict(weighing.weights_of(station(scene)).stored)


def kinds() -> list[str]:
    return [one.kind for one in session.query(Event).filter(Event.kind.startswith("policy.")).order_by(Event.id)]


def test_D09_what_is_set_holds_and_says_its_origin(scene: Scene) -> None:
    manager = make_user("station_manager", scene.station.id, name="沈文").as_person()
    write(lambda: weighing.set_weights(station(scene), {"travel": 3.0}, NOTHING, manager))
    held = weighing.weights_of(station(scene))
    effective = held.effective("promises")
    assert (effective["travel"].value, effective["travel"].origin) == (3.0, "station")
    assert (effective["promises"].value, effective["promises"].origin) == (4.0, "default")
    assert held.own("promises") == (1.0, 4.0)
    assert planned([scene.station]).weights["travel"] == 3.0
    (event,) = session.query(Event).filter_by(kind="policy.set")
    assert (event.station_id, event.facts["value"]) == (scene.station.id, {"travel": 3.0})
    session.rollback()
    write(lambda: weighing.set_weights(station(scene), {}, held.seen, manager))
    assert stored(scene) == {}
    assert kinds() == ["policy.set", "policy.cleared"]


def test_the_same_once_more_is_no_news(scene: Scene) -> None:
    manager = make_user("station_manager", scene.station.id).as_person()
    write(lambda: weighing.set_weights(station(scene), {"travel": 3.0}, NOTHING, manager))
    write(lambda: weighing.set_weights(station(scene), {"travel": 3.0}, '{"travel":3.0}', manager))
    write(lambda: weighing.set_weights(station(scene), {}, '{"travel":3.0}', manager))
    write(lambda: weighing.set_weights(station(scene), {}, NOTHING, manager))
    assert kinds() == ["policy.set", "policy.cleared"]


@pytest.mark.parametrize(
    ("weights", "field"),
    [
        ({"travel": 20.5}, "weight_travel"), ({"travel": -1.0}, "weight_travel"),
        ({"travel": float("nan")}, "weight_travel"), ({"gold": 1.0}, "weight_gold"),
        (dict.fromkeys(services.NAMES, 0.0), "weights"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_meant(scene: Scene, weights: dict[str, float], field: str) -> None:
    manager = make_user("station_manager", scene.station.id).as_person()
    with pytest.raises(Invalid) as refused:
        write(lambda: weighing.set_weights(station(scene), weights, NOTHING, manager))
    assert list(refused.value.errors) == [field]
    assert stored(scene) == {}


@pytest.mark.parametrize("role", ["dispatcher", "agent", "director"])
def test_only_managers_set_them(scene: Scene, role: str) -> None:
    somebody = make_user(role, scene.station.id).as_person()
    with pytest.raises(Forbidden):
        write(lambda: weighing.set_weights(station(scene), {"travel": 3.0}, NOTHING, somebody))


def test_nobody_overwrites_what_he_has_not_seen(scene: Scene) -> None:
    first = make_user("station_manager", scene.station.id, name="沈文").as_person()
    other = make_user("admin", None, name="Admin").as_person()
    write(lambda: weighing.set_weights(station(scene), {"travel": 3.0}, NOTHING, first))
    with pytest.raises(PreconditionFailed):
        write(lambda: weighing.set_weights(station(scene), {"travel": 5.0}, NOTHING, other))
    assert stored(scene) == {"travel": 3.0}


def test_two_managers_at_once(app: Flask, scene: Scene) -> None:
    """Four press in the same moment, each having seen nothing set: one of them is taken."""
    people = [make_user("station_manager", scene.station.id).as_person() for _number in range(4)]
    station_id = scene.station.id
    session.rollback()
    gate = Barrier(4)

    def run(number: int) -> str:
        with app.app_context():
            gate.wait(60)
            mine, person = {"travel": 1.0 + number}, people[number]
            try:
                write(lambda: weighing.set_weights(session.get_one(Station, station_id), mine, NOTHING, person))
            except PreconditionFailed:
                return "stale"
            return "set"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(run, range(4)))
    assert sorted(said) == ["set", "stale", "stale", "stale"]
    assert stored(scene) == {"travel": 1.0 + said.index("set")}
    assert kinds() == ["policy.set"]


# The page -----------------------------------------------------------------------------------------


@pytest.fixture
def manager(scene: Scene, sign_in: Any) -> Browser:
    return Browser(sign_in("station_manager", scene.station.id, name="沈文"))


def test_D09_a_manager_sets_and_takes_back_on_the_page(scene: Scene, manager: Browser) -> None:
    page = manager.get(f"{PAGE}?preset=changes&lang=en").text
    assert 'name="weight_changes" min="0" max="20" step="0.1" inputmode="decimal" value="6"' in page
    assert "Filled in, not saved yet" in page
    assert stored(scene) == {}
    page = manager.done(manager.post(f"{PAGE}/WXXW", weight_changes="6", weight_travel="", seen=NOTHING)).text
    assert "Saved." in page
    assert "set by 沈文" in page
    assert stored(scene) == {"changes": 6.0}
    manager.done(manager.post(f"{PAGE}/WXXW", reset="1", seen='{"changes":6.0}'))
    assert stored(scene) == {}


@pytest.mark.parametrize("typed", ["x", "21", "-1", "nan", "1e400", "5,5"])
def test_what_was_typed_wrong_stays_and_is_marked(scene: Scene, manager: Browser, typed: str) -> None:
    answer = manager.post(f"{PAGE}/WXXW", weight_travel=typed, weight_changes="2", seen=NOTHING)
    assert answer.status_code == 422
    assert "请填写 0 到 20 的数" in answer.text
    assert f'value="{typed}"' in answer.text
    assert 'value="2"' in answer.text
    assert stored(scene) == {}


def test_a_stale_form_says_who_and_keeps_what_was_typed(scene: Scene, manager: Browser, sign_in: Any) -> None:
    other = Browser(sign_in("station_manager", scene.station.id, name="赵强"))
    other.done(other.post(f"{PAGE}/WXXW", weight_travel="3", seen=NOTHING))
    answer = manager.post(f"{PAGE}/WXXW", weight_travel="5", seen=NOTHING)
    assert answer.status_code == 412
    assert "赵强 设定了别的数值" in answer.text
    assert 'value="5"' in answer.text
    assert "{&#34;travel&#34;:3.0}" in answer.text, "saved once more it is meant"
    manager.done(manager.post(f"{PAGE}/WXXW", weight_travel="5", seen='{"travel":3.0}'))
    assert stored(scene) == {"travel": 5.0}


@pytest.mark.parametrize(
    ("role", "looks", "sets"),
    [
        ("dispatcher", 200, 403), ("station_manager", 200, 303), ("admin", 200, 303), ("agent", 403, 403),
        ("director", 403, 403),
    ],
)  # fmt: skip
def test_who_looks_and_who_sets(scene: Scene, sign_in: Any, role: str, looks: int, sets: int) -> None:
    client = sign_in(role, None if role == "admin" else scene.station.id)
    answer = client.get(f"{PAGE}?lang=en")
    assert answer.status_code == looks
    if looks == 200:
        assert ("Save the weights" in answer.text) == (sets == 303)
        token = answer.text.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"csrf_token": token, "weight_travel": "2", "seen": NOTHING}
        assert client.post(f"{PAGE}/WXXW", data=form).status_code == sets


def test_other_stations_are_not_found(scene: Scene, manager: Browser) -> None:
    write(lambda: make_station("SZYQ", FAR))
    assert manager.get(f"{PAGE}?station=SZYQ").status_code == 404
    assert manager.post(f"{PAGE}/SZYQ", weight_travel="2", seen=NOTHING).status_code == 404
