"""The JSON calls on both databases: suggestions, visits, moves, the board; scope, roles, versions, bad input."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.accounts.services import create_token
from fieldservice.dispatch import schemas
from fieldservice.foundation.db import session, write
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit
from tests.conftest import make_user
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, local_at, make_order, make_scene, make_station, make_technician, roster

AT_13 = "2026-11-25T13:00:00+08:00"
AT_15 = "2026-11-25T15:00:00+08:00"


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


class Caller:
    """Somebody with a bearer token."""

    def __init__(self, app: Flask, role: str, station_id: int | None, **facts: Any) -> None:
        user = make_user(role, station_id, **facts)
        token = write(lambda: create_token(email=user.email, name="test"))
        self.client, self.headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers={**self.headers, **named})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers)


@pytest.fixture
def caller(app: Flask) -> Callable[..., Caller]:
    return lambda role, station_id=None, **facts: Caller(app, role, station_id, **facts)


@pytest.fixture
def dispatcher(scene: Scene, caller: Callable[..., Caller]) -> Caller:
    return caller("dispatcher", scene.station.id)


@pytest.fixture
def visit(scene: Scene) -> Visit:
    return write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))


def wish(scene: Scene, **changes: Any) -> dict[str, Any]:
    return {"work_order": scene.order.number, "technician_id": scene.lu.id, "starts_at": AT_13, **changes}


# Suggestions --------------------------------------------------------------------------------------


def test_suggestions_rank_and_refuse(scene: Scene, dispatcher: Caller) -> None:
    answer = dispatcher.get(f"/work-orders/{scene.order.number}/suggestions?limit=5&lang=en")
    assert answer.status_code == 200
    best = answer.json["suggestions"][0]
    assert best["technician"] == {"id": scene.lu.id, "names": scene.lu.names, "station_id": scene.station.id}
    assert (best["starts_at"], best["travel_min"], best["moves"]) == ("2026-11-25T02:45:00+00:00", 15, [])
    assert best["reasons"] == ["Gearboxes L2", "15 min away"]
    (refused,) = answer.json["refused"]
    assert (refused["technician"]["id"], refused["rule"]) == (scene.xu.id, "skill")
    assert refused["detail"] == "Gearboxes L1 < L2 → pair with an L2, or lower the level needed"


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("from=2026-11-25&to=2026-11-26", {25}),
        ("from=2026-11-26T00:00:00%2B08:00", {26, 27}),
        ("to=2026-11-27", {25, 26}),
    ],
)
def test_suggestions_within_days(scene: Scene, dispatcher: Caller, query: str, days: set[int]) -> None:
    answer = dispatcher.get(f"/work-orders/{scene.order.number}/suggestions?{query}")
    assert {int(one["starts_at"][8:10]) for one in answer.json["suggestions"]} == days


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday", "from=2026-11-25T10:00:00", "to=2020-01-01", "from=2026-11-25&to=2027-11-25", "limit=0",
        "limit=201", "limit=x", "from=9999-12-31T23:59:59%2B00:00", "from=0001-01-01",
        "to=%00", "from=2026-11-25T10:00Z&to=x",
    ],
)  # fmt: skip
def test_suggestions_refuse_nonsense(scene: Scene, dispatcher: Caller, query: str) -> None:
    answer = dispatcher.get(f"/work-orders/{scene.order.number}/suggestions?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"]


# Visits -------------------------------------------------------------------------------------------


def test_a_visit_is_booked_and_read(scene: Scene, dispatcher: Caller) -> None:
    answer = dispatcher.send("POST", "/visits", wish(scene))
    assert answer.status_code == 201, answer.text
    assert (answer.json["state"], answer.json["work_order"]) == ("scheduled", scene.order.number)
    read = dispatcher.get(f"/visits/{answer.json['id']}")
    assert read.json == answer.json
    assert read.headers["ETag"] == f'"{answer.json["etag"]}"'


def test_the_same_key_books_once(scene: Scene, dispatcher: Caller) -> None:
    first, again = (dispatcher.send("POST", "/visits", wish(scene), Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = dispatcher.send("POST", "/visits", wish(scene, starts_at=AT_15), Idempotency_Key="k1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"starts_at": "2026-11-25T17:00:00+08:00"}, "shift"), ({"starts_at": "2026-11-28T10:00:00+08:00"}, "shift")],
)
def test_a_refusal_is_409_with_its_rule(scene: Scene, dispatcher: Caller, changes: dict[str, Any], code: str) -> None:
    answer = dispatcher.send("POST", "/visits", wish(scene, **changes))
    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert answer.json["detail"]
    assert answer.mimetype == "application/problem+json"


def test_N_15_assigning_without_certificate_is_409(scene: Scene, dispatcher: Caller) -> None:
    write(lambda: setattr(scene.order, "certificates", ["hoisting"]))
    answer = dispatcher.send("POST", "/visits", wish(scene))
    assert (answer.status_code, answer.json["code"], answer.json["certificate"]) == (409, "certificate", "hoisting")
    assert dispatcher.send("POST", "/visits", wish(scene, technician_id=scene.xu.id)).json["code"] == "skill"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_at": "2026-11-25T13:00:00"}, "starts_at"),
        ({"starts_at": 13}, "starts_at"),
        ({"starts_at": None}, "starts_at"),
        ({"starts_at": "2026-11-24T13:00:00+08:00"}, "starts_at"),
        ({"technician_id": "1"}, "technician_id"),
        ({"technician_id": 2**70}, "technician_id"),
        ({"technician_id": 0}, "technician_id"),
        ({"technician_id": True}, "technician_id"),
        ({"duration_min": 4}, "duration_min"),
        ({"duration_min": 1e9}, "duration_min"),
        ({"work_order": ""}, "work_order"),
        ({"work_order": ["x"]}, "work_order"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_bodies_name_their_field(scene: Scene, dispatcher: Caller, changes: dict[str, Any], field: str) -> None:
    answer = dispatcher.send("POST", "/visits", wish(scene, **changes))
    assert answer.status_code == 422, answer.text
    assert field in answer.json["errors"]


@pytest.mark.parametrize(
    ("changes"),
    [{"work_order": "WO-2026-999999"}, {"technician_id": 99999}, {"work_order": "工单😀"}],
)
def test_what_is_not_there_is_404(scene: Scene, dispatcher: Caller, changes: dict[str, Any]) -> None:
    assert dispatcher.send("POST", "/visits", wish(scene, **changes)).status_code == 404


@pytest.mark.parametrize("path", ["/visits/0", "/visits/99999", "/visits/99999999999999999999999999"])
def test_unknown_visits_are_404(dispatcher: Caller, path: str) -> None:
    assert dispatcher.get(path).status_code == 404


# Changing -----------------------------------------------------------------------------------------


def test_a_visit_changes_with_if_match(scene: Scene, dispatcher: Caller, visit: Visit) -> None:
    path, version = f"/visits/{visit.id}", str(visit.version)
    assert dispatcher.send("PATCH", path, {"starts_at": AT_15}).status_code == 428
    assert dispatcher.send("PATCH", path, {"starts_at": AT_15}, If_Match='"99"').status_code == 412
    answer = dispatcher.send("PATCH", path, {"starts_at": AT_15}, If_Match=f'"{version}"')
    assert (answer.status_code, answer.json["starts_at"]) == (200, "2026-11-25T07:00:00+00:00")
    assert answer.headers["ETag"] != f'"{version}"'
    stale = dispatcher.send("PATCH", path, {"starts_at": AT_13}, If_Match=f'"{version}"')
    assert (stale.status_code, stale.json["code"]) == (412, "stale")


@pytest.mark.parametrize(
    "body", [{}, {"starts_at": "soon"}, {"technician_id": -1}, {"state": "completed"}, [], "x", None]
)
def test_a_change_that_says_nothing_is_422(dispatcher: Caller, visit: Visit, body: Any) -> None:
    answer = dispatcher.send("PATCH", f"/visits/{visit.id}", body, If_Match=f'"{visit.version}"')
    assert answer.status_code in (400, 422), answer.text


def test_a_change_is_refused_by_the_same_rules(scene: Scene, dispatcher: Caller, visit: Visit) -> None:
    match = f'"{visit.version}"'
    answer = dispatcher.send("PATCH", f"/visits/{visit.id}", {"technician_id": scene.xu.id}, If_Match=match)
    assert (answer.status_code, answer.json["code"]) == (409, "skill")


# Moves --------------------------------------------------------------------------------------------


def test_the_way_of_a_visit_by_its_planner(scene: Scene, dispatcher: Caller, visit: Visit) -> None:
    for to in ("dispatched", "scheduled", "dispatched", "accepted", "en_route", "on_site", "in_progress", "paused"):
        answer = dispatcher.send("POST", f"/visits/{visit.id}/moves", {"to": to, "reason": "等件"})
        assert (answer.status_code, answer.json.get("state")) == (200, to), answer.text
    answer = dispatcher.send("POST", f"/visits/{visit.id}/moves", {"to": "cancelled", "reason": "x"})
    assert (answer.status_code, answer.json["code"]) == (409, "move_forbidden")
    assert "allowed" in answer.json


@pytest.mark.parametrize("to", ["cancelled", "missed"])
def test_falling_through_needs_a_reason(dispatcher: Caller, visit: Visit, to: str) -> None:
    answer = dispatcher.send("POST", f"/visits/{visit.id}/moves", {"to": to})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["reason"])
    assert dispatcher.send("POST", f"/visits/{visit.id}/moves", {"to": to, "reason": "客户改期"}).json["state"] == to


@pytest.mark.parametrize(
    "body",
    [
        {}, {"to": ""}, {"to": "flying"}, {"to": 1}, {"to": "dispatched", "at": "2099-01-01T00:00:00+08:00"},
        {"to": "dispatched", "at": "now"}, {"to": "cancelled", "reason": "x" * 301},
        {"to": "completed", "open_items": "x"},
    ],
)  # fmt: skip
def test_moves_refuse_nonsense(dispatcher: Caller, visit: Visit, body: dict[str, Any]) -> None:
    answer = dispatcher.send("POST", f"/visits/{visit.id}/moves", body)
    assert answer.status_code == 422, answer.text


def test_a_technician_moves_only_own_visits_and_own_steps(
    scene: Scene, caller: Callable[..., Caller], visit: Visit
) -> None:
    lu = caller("technician", scene.station.id, technician_id=scene.lu.id)
    xu = caller("technician", scene.station.id, technician_id=scene.xu.id)
    moves = f"/visits/{visit.id}/moves"
    assert lu.get(f"/visits/{visit.id}").status_code == 200
    assert lu.send("POST", moves, {"to": "dispatched"}).status_code == 403
    write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    assert lu.send("POST", moves, {"to": "accepted"}).json["state"] == "accepted"
    assert xu.get(f"/visits/{visit.id}").status_code == 404
    assert xu.send("POST", moves, {"to": "en_route"}).status_code == 404


# Scope and roles ----------------------------------------------------------------------------------


def calls(scene: Scene, visit: Visit) -> list[tuple[str, str, Any]]:
    return [
        ("GET", f"/work-orders/{scene.order.number}/suggestions", None),
        ("POST", "/visits", wish(scene)),
        ("GET", f"/visits/{visit.id}", None),
        ("PATCH", f"/visits/{visit.id}", {"starts_at": AT_15}),
        ("POST", f"/visits/{visit.id}/moves", {"to": "dispatched"}),
        ("GET", f"/dispatch/board?station={scene.station.code}", None),
    ]


def test_another_station_s_objects_are_404(scene: Scene, visit: Visit, caller: Callable[..., Caller]) -> None:
    elsewhere = write(lambda: make_station("SZYQ", FAR))
    stranger = caller("dispatcher", elsewhere.id)
    for method, path, body in calls(scene, visit):
        answer = stranger.send(method, path, body, If_Match=f'"{visit.version}"')
        assert answer.status_code == 404, (method, path, answer.text)


ROLES = {
    "dispatcher": "all", "station_manager": "all", "agent": "read", "director": "read", "quality": "read",
    "technician": "none", "storekeeper": "none", "sales": "none", "engineer": "none", "finance": "none",
    "admin": "none", "customer": "none",
}  # fmt: skip


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_reaches_what_it_may(scene: Scene, visit: Visit, caller: Callable[..., Caller], role: str) -> None:
    client = caller(role, scene.station.id)
    for method, path, body in calls(scene, visit):
        answer = client.send(method, path, body, If_Match=f'"{visit.version}"')
        own = role == "technician" and "/visits/" in path and method != "PATCH"  # of technicians, narrowed by scope
        if (ROLES[role] == "none" and not own) or (method != "GET" and ROLES[role] == "read"):
            assert answer.status_code == 403, (role, method, path)
        elif own:
            assert answer.status_code == 404, (role, method, path)
        else:
            assert answer.status_code < 403 or answer.status_code == 409, (role, method, path, answer.text)


def test_nobody_unknown_gets_anything(scene: Scene, visit: Visit, client: FlaskClient) -> None:
    for method, path, body in calls(scene, visit):
        answer = client.open(f"/api/v1{path}", method=method, json=body)
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_needed")


# Lending ------------------------------------------------------------------------------------------


def test_both_dispatchers_see_the_visit_of_a_lent_technician(scene: Scene, caller: Callable[..., Caller]) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR, "苏州园区站", "Suzhou SIP"))
    shen = write(lambda: make_technician(suzhou, "沈磊", "Shen Lei", home=FAR))
    host, home = caller("dispatcher", scene.station.id), caller("dispatcher", suzhou.id)
    body = wish(scene, technician_id=shen.id, starts_at=AT_15)
    assert host.send("POST", "/visits", body).status_code == 404  # not lent: nobody of this station
    write(lambda: roster(shen, scene.station, hours=(18, 19)))
    made = host.send("POST", "/visits", body)
    assert made.status_code == 201, made.text
    path = f"/visits/{made.json['id']}"
    assert host.get(path).json == home.get(path).json == made.json
    assert home.send("PATCH", path, {"starts_at": AT_13}, If_Match="1").status_code == 403
    boards = [client.get("/dispatch/board").json["technicians"] for client in (host, home)]
    seen = [
        [bar["id"] for lane in lanes if lane["technician"]["id"] == shen.id for bar in lane["visits"]]
        for lanes in boards
    ]
    assert seen == [[made.json["id"]], [made.json["id"]]]


def test_other_work_of_a_lent_technician_is_only_taken_time(scene: Scene, caller: Callable[..., Caller]) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR))
    shen = write(lambda: make_technician(suzhou, home=FAR))
    write(lambda: roster(shen, scene.station, hours=(18, 19)))
    own = write(lambda: make_order(suzhou, place=FAR))
    write(lambda: booking.schedule_visit(own, shen, local_at(11)))
    host = caller("dispatcher", scene.station.id)
    answer = host.get("/dispatch/board")
    (lane,) = [one for one in answer.json["technicians"] if one["technician"]["id"] == shen.id]
    assert lane["visits"] == []
    assert [(one["cause"], one["starts_at"]) for one in lane["taken"]] == [("visit", "2026-11-25T03:00:00+00:00")]
    assert own.number not in answer.text
    clash = host.send("POST", "/visits", wish(scene, technician_id=shen.id, starts_at="2026-11-25T12:00:00+08:00"))
    assert (clash.json["code"], clash.json["order"]) == ("overlap", "")


# The board ----------------------------------------------------------------------------------------


def test_the_board_shows_duty_visits_and_the_queue(scene: Scene, dispatcher: Caller, visit: Visit) -> None:
    write(lambda: booking.book_absence(session.get_one(Technician, scene.xu.id), "training", local_at(9), local_at(12)))
    waiting = write(lambda: make_order(scene.station, priority="P2"))
    held = write(lambda: make_order(scene.station, priority="P3"))
    write(lambda: move(held, "on_hold", reason="等停机许可"))
    board = dispatcher.get("/dispatch/board?date=2026-11-25&days=2").json
    assert (board["starts_at"], board["ends_at"]) == ("2026-11-24T16:00:00+00:00", "2026-11-26T16:00:00+00:00")
    lu, xu = board["technicians"]
    assert len(lu["shifts"]) == 2
    assert [(bar["id"], bar["work_order"], bar["travel_min"]) for bar in lu["visits"]] == [
        (visit.id, scene.order.number, 15)
    ]
    assert [one["cause"] for one in xu["taken"]] == ["training"]
    assert [one["work_order"] for one in board["queue"]] == [waiting.number, held.number]
    assert board["queue"][1]["hold_reason"] == "等停机许可"


@pytest.mark.parametrize(
    "query", ["date=today", "days=0", "days=15", "days=x", "date=2026-13-01", "station=" + "x" * 13]
)
def test_the_board_refuses_nonsense(dispatcher: Caller, query: str) -> None:
    assert dispatcher.get(f"/dispatch/board?{query}").status_code == 422


@pytest.mark.parametrize("query", ["date=0001-01-01", "date=9999-12-31", "date=9999-12-31&days=14", "date=2100-01-02"])
def test_far_days_are_refused(dispatcher: Caller, query: str) -> None:
    assert dispatcher.get(f"/dispatch/board?{query}").status_code == 422


def test_work_left_is_described_by_the_api(scene: Scene, dispatcher: Caller) -> None:
    described = dispatcher.get("/openapi.json").json["paths"]
    for path in (
        "/visits",
        "/visits/{visit_id}",
        "/visits/{visit_id}/moves",
        "/dispatch/board",
        "/work-orders/{number}/suggestions",
    ):
        assert f"/api/v1{path}" in described


# Told without a schema's walk (decision 0016) --------------------------------------------------------------


def test_suggestions_and_board_tell_what_their_schemas_describe(scene: Scene, dispatcher: Caller, visit: Visit) -> None:
    shown = dispatcher.get("/dispatch/board?date=2026-11-25&days=1").json
    assert set(shown) == set(schemas.BoardSchema().fields)
    assert {name for lane in shown["technicians"] for name in lane} == set(schemas.BoardLaneSchema().fields)
    (bar,) = [bar for lane in shown["technicians"] for bar in lane["visits"]]
    assert set(bar) == set(schemas.BoardBarSchema().fields)
    assert (bar["id"], bar["etag"], bar["starts_at"]) == (visit.id, str(visit.version), visit.starts_at.isoformat())
    shifts = {name for lane in shown["technicians"] for shift in lane["shifts"] for name in shift}
    assert shifts == set(schemas.BoardShiftSchema().fields)

    answers = dispatcher.get(f"/work-orders/{scene.order.number}/suggestions").json
    assert set(answers) == set(schemas.SuggestionsSchema().fields)
    assert all(set(one) == set(schemas.SuggestionSchema().fields) for one in answers["suggestions"])
    assert all(set(one) == set(schemas.RefusedSchema().fields) for one in answers["refused"])


def test_the_queue_tells_what_its_schema_describes(scene: Scene, dispatcher: Caller) -> None:
    (waiting,) = dispatcher.get("/dispatch/board?date=2026-11-25").json["queue"]
    assert set(waiting) <= set(schemas.BoardWaitingSchema().fields)
    assert (waiting["work_order"], waiting["etag"]) == (scene.order.number, str(scene.order.version))
