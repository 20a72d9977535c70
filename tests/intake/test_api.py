"""Service requests as JSON: what CONTRACT §3 says, and no more than a person may."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import limiter
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from tests import factories as make
from tests.conftest import make_user
from tests.intake.conftest import SERIAL, Wuxi

BODY: dict[str, Any] = {
    "channel": "portal", "contact": {"name": "Li Qiang", "phone": "13912345678", "email": "li@example.com"},
    "site": {"address": "江苏省无锡市新吴区长江路18号"}, "description": "Spindle noise", "severity": "minor",
    "language": "en",
}  # fmt: skip
PATH = "/api/v1/service-requests"
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 10**30, 1e308, "", "\x07", "a\x00b", "\ud800", "🛠️" * 40, "长" * 5000, [], [None], {}, {"x": [1]},
    "'; DROP TABLE service_request; --", "NaN", "<script>",
)  # fmt: skip


@pytest.fixture
def bearer(wuxi: Wuxi) -> Callable[..., dict[str, str]]:
    """Headers of somebody holding a role, on the database the test asked for."""

    def headers(role: str = "dispatcher", station: int | None = None, **facts: Any) -> dict[str, str]:
        email = make_user(role, station, **facts).email
        text = write(lambda: create_token(email=email, name="test"))
        return {"Authorization": f"Bearer {text}"}

    return headers


def one() -> ServiceRequest:
    return session.scalars(select(ServiceRequest)).one()


def count() -> int:
    return session.scalar(select(func.count(ServiceRequest.id))) or 0


# POST /service-requests -------------------------------------------------------------------------------


def test_a_report_without_a_token_is_answered_as_the_contract_says(wuxi: Wuxi, client: FlaskClient) -> None:
    answer = client.post(PATH, json=BODY)
    found = one()
    assert answer.status_code == 201
    assert answer.json == {
        "number": found.number,
        "station": "WXXW",
        "tracking_url": f"http://localhost/t/{link_token('track', found.number)}",
        "promises": [
            {"kind": it.kind, "due_at": it.due_at.isoformat(), "quoted_at": it.due_at.isoformat(), "state": "running"}
            for it in clocks.of(found)
        ],
    }  # fmt: skip
    assert (found.language, found.contact_email, found.priority) == ("en", "li@example.com", "P3")


@pytest.mark.parametrize(
    ("site", "precision"),
    [
        ({"division_code": "320214"}, "county"),
        ({"division_code": "320200"}, "prefecture"),
        ({"latitude": 31.49, "longitude": 120.37}, "point"),
        ({"address": "无锡市"}, "prefecture"),
    ],
)
def test_any_one_way_of_telling_the_place_will_do(
    sqlite_app: Flask, wuxi: Wuxi, site: dict[str, Any], precision: str
) -> None:
    assert sqlite_app.test_client().post(PATH, json={**BODY, "site": site}).status_code == 201
    assert one().precision == precision


def test_a_serial_is_place_enough(sqlite_app: Flask, wuxi: Wuxi) -> None:
    body = {name: value for name, value in BODY.items() if name != "site"}
    client = sqlite_app.test_client()
    assert client.post(PATH, json=body).json["errors"] == {"site.address": ["设备在哪里？请填地址或序列号。"]}
    assert client.post(PATH, json={**body, "asset_serial": "mc3 18 20457"}).status_code == 201
    assert (one().asset_id, one().customer_id) == (wuxi.machine, wuxi.customer)


def test_rivals_come_back_as_choices(sqlite_app: Flask, wuxi: Wuxi) -> None:
    answer = sqlite_app.test_client().post(f"{PATH}?lang=en", json={**BODY, "site": {"address": "西湖区文三路90号"}})
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (
        422,
        "application/problem+json",
        "place_unclear",
    )
    assert {one["division_code"] for one in answer.json["rivals"]} == {"330106", "360103"}
    assert list(answer.json["errors"]) == ["site.division_code"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contact": {"phone": "13912345678"}}, "contact.name"),
        ({"contact": {"name": "Li", "phone": "1391234567"}}, "contact.phone"),
        ({"contact": {"name": "Li"}}, "contact.phone"),
        ({"contact": None}, "contact"),
        ({"description": ""}, "description"),
        ({"description": "长" * 4001}, "description"),
        ({"severity": "awful"}, "severity"),
        ({"language": "fr"}, "language"),
        ({"channel": "pigeon"}, "channel"),
        ({"site": {"division_code": "999999"}}, "site.division_code"),
        ({"site": {"latitude": 91, "longitude": 0}}, "site.latitude"),
        ({"site": {"latitude": 31.5}}, "site.latitude"),
        ({"asset_serial": "9" * 41}, "asset_serial"),
        ({"customer_id": 10**30}, "customer_id"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_problems_name_the_field_in_both_languages(
    sqlite_app: Flask, wuxi: Wuxi, change: dict[str, Any], field: str
) -> None:
    client = sqlite_app.test_client()
    told = []
    for language in ("zh", "en"):
        answer = client.post(f"{PATH}?lang={language}", json={**BODY, **change})
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
        assert list(answer.json["errors"]) == [field]
        told.append(answer.json["errors"][field][0])
    assert told[0] != told[1]


INNER = {"contact": ("name", "phone", "email"), "site": ("address", "division_code", "latitude", "longitude")}


@pytest.mark.parametrize("field", [*BODY, "customer_id", "asset_serial"])
def test_hostile_values_are_client_errors(app: Flask, wuxi: Wuxi, field: str) -> None:
    client = app.test_client()
    for value in HOSTILE:
        bodies = [{**BODY, field: value}]
        bodies += [{**BODY, field: {**BODY[field], inner: value}} for inner in INNER.get(field, ())]
        for body in bodies:
            limiter.reset()
            assert client.post(PATH, json=body).status_code in (201, 400, 403, 422), body


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{", b"[]", b"null", b'"x"', b"{" * 5000])
def test_broken_bodies_are_client_errors(sqlite_app: Flask, content: bytes) -> None:
    answer = sqlite_app.test_client().post(PATH, data=content, content_type="application/json")
    assert 400 <= answer.status_code < 500
    assert answer.mimetype == "application/problem+json"


def test_only_staff_name_a_customer(
    app: Flask, wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    body = {**BODY, "customer_id": wuxi.customer}
    assert client.post(PATH, json=body).status_code == 403
    assert client.post(PATH, json=body, headers=bearer("agent")).status_code == 201
    assert one().customer_id == wuxi.customer
    other = write(lambda: make.customer("联创汽配", "Lianchuang Auto", phone="13700000000").id)
    agent = bearer("agent")
    for wrong in ({"customer_id": 999}, {"customer_id": other, "asset_serial": SERIAL}):
        answer = client.post(PATH, json={**BODY, **wrong}, headers=agent)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["customer_id"])


def test_staff_are_not_held_to_the_public_rate(
    app: Flask, wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    agent = bearer("agent")
    answers = [client.post(PATH, json={**BODY, "channel": "phone"}, headers=agent).status_code for _turn in range(8)]
    assert answers == [201] * 8


def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(
    wuxi: Wuxi, client: FlaskClient, clock: Clock
) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post(PATH, json=BODY, headers=headers)
    clock.advance(minutes=90)
    again = client.post(PATH, json=BODY, headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    other = client.post(PATH, json={**BODY, "severity": "safety"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert count() == 1
    stored = session.scalars(select(db.metadata.tables["idempotent_answer"].c.content)).one()
    assert "tracking_url" not in stored  # the private link is derived, never stored


def test_the_same_key_at_the_same_moment_makes_one_request(app: Flask, wuxi: Wuxi) -> None:
    start, answers = Barrier(4), []

    def send() -> None:
        with app.app_context():
            start.wait()
            answers.append(app.test_client().post(PATH, json=BODY, headers={"Idempotency-Key": "k1"}))

    threads = [Thread(target=send) for _turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert count() == 1
    assert [answer.status_code for answer in answers] == [201] * 4
    assert {answer.json["number"] for answer in answers} == {one().number}


# GET --------------------------------------------------------------------------------------------------


def test_a_request_is_told_with_its_promises(
    wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    client.post(PATH, json=BODY)
    answer = client.get(f"{PATH}/{one().number}", headers=bearer())
    assert answer.status_code == 200
    expected = {
        "number": one().number, "state": "new", "station": "WXXW", "priority": "P3", "severity": "minor",
        "description": "Spindle noise",
    }  # fmt: skip
    assert {name: answer.json[name] for name in expected} == expected
    assert len(answer.json["promises"]) == 3
    assert answer.json["received_at"].endswith("+00:00")


def test_filters_and_pages_of_the_list(wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]) -> None:
    numbers = write(
        lambda: [
            make.request(severity=code, description=f"故障 {code}").number for code in ("safety", "minor", "minor")
        ]
    )
    staff = bearer()

    def listed(query: str = "") -> Any:
        return client.get(f"{PATH}?{query}", headers=staff).json

    assert [row["number"] for row in listed()["items"]] == numbers[::-1]
    assert len(listed("priority=P3")["items"]) == 2
    assert len(listed("q=safety")["items"]) == 1
    assert listed("status=closed&count=true") == {"items": [], "next_cursor": None, "total": 0}
    assert len(listed("station=WXXW&status=open")["items"]) == 3
    first = listed("limit=2&count=true")
    assert (len(first["items"]), first["total"]) == (2, 3)
    assert [row["number"] for row in listed(f"limit=2&cursor={first['next_cursor']}")["items"]] == numbers[:1]
    for wrong in (
        "limit=0",
        "limit=201",
        "cursor=x",
        "status=awful",
        "priority=P9",
        "limit=" + "9" * 30,
        "cursor=" + "9" * 60,
    ):
        assert client.get(f"{PATH}?{wrong}", headers=staff).status_code == 422, wrong


def test_the_list_asks_the_database_as_often_for_thirty_rows_as_for_two(
    wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    staff, seen = bearer(), []

    def ask() -> int:
        seen.clear()
        assert client.get(PATH, headers=staff).status_code == 200
        return len([text for text in seen if text.lstrip().upper().startswith("SELECT")])

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    write(lambda: [make.request() for _turn in range(2)])
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        ask()
        few = ask()
        write(lambda: [make.request(session.get(make.Asset, wuxi.machine)) for _turn in range(28)])
        assert ask() == few
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_another_stations_request_is_not_there(
    wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    client.post(PATH, json=BODY)
    number = one().number
    other = bearer("dispatcher", wuxi.station + 1)
    assert client.get(f"{PATH}/{number}", headers=other).status_code == 404
    assert (
        client.post(f"{PATH}/{number}/moves", json={"to": "cancelled", "reason": "x"}, headers=other).status_code == 404
    )
    assert client.get(f"{PATH}?status=all", headers=other).json["items"] == []


@pytest.mark.parametrize("number", ["SR-2026-999999", "x", "SR-2026-000001'--", "🛠️", "%00", "9" * 300])
def test_no_such_request(sqlite_app: Flask, wuxi: Wuxi, bearer: Callable[..., dict[str, str]], number: str) -> None:
    assert sqlite_app.test_client().get(f"{PATH}/{number}", headers=bearer()).status_code in (404, 422)


def test_without_a_token_only_reporting_is_open(sqlite_app: Flask) -> None:
    client = sqlite_app.test_client()
    for answer in (
        client.get(PATH),
        client.get(f"{PATH}/SR-2026-000001"),
        client.post(f"{PATH}/SR-2026-000001/moves", json={}),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_needed")


@pytest.mark.parametrize(
    ("role", "reads", "moves"),
    [
        ("agent", 200, 200),
        ("quality", 200, 403),
        ("director", 200, 403),
        ("technician", 403, 403),
        ("customer", 403, 403),
    ],
)
def test_roles(
    app: Flask,
    wuxi: Wuxi,
    client: FlaskClient,
    bearer: Callable[..., dict[str, str]],
    role: str,
    reads: int,
    moves: int,
) -> None:
    client.post(PATH, json=BODY)
    headers, number = bearer(role), one().number
    assert client.get(PATH, headers=headers).status_code == reads
    assert client.post(f"{PATH}/{number}/moves", json={"to": "remote"}, headers=headers).status_code == moves


# Moves ------------------------------------------------------------------------------------------------


def bring(to: str) -> ServiceRequest:
    """A request in that state."""
    found = make.request()
    if to in ("triaged",):
        intake.set_triaged(found, now())
    if to in ("remote", "restored", "resolved", "closed", "reopened"):
        intake.help_remotely(found, now())
    if to in ("restored", "resolved", "closed", "reopened"):
        intake.note_restored(found, now())
    if to in ("resolved", "closed", "reopened"):
        intake.resolve(found, now())
    if to == "closed":
        intake.close(found, now())
    if to == "reopened":
        intake.reopen(found, "又来了", now())
    if to == "cancelled":
        intake.cancel(found, "误报", now())
    if to == "converted":
        make.order(found)
    return found


POSSIBLE = {
    "new": {"triaged", "remote", "duplicate", "cancelled"},
    "triaged": {"remote", "cancelled"},
    "remote": {"restored"},
    "converted": {"restored", "cancelled"},
    "restored": {"resolved"},
    "resolved": {"closed", "reopened"},
    "closed": {"reopened"},
    "reopened": {"triaged", "remote"},
    "cancelled": set[str](),
}


@pytest.mark.parametrize("state", POSSIBLE)
def test_every_move_is_made_or_refused_with_what_is_possible(
    wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]], state: str
) -> None:
    staff = bearer()
    first = write(lambda: make.request().number)
    for to in sorted(ServiceRequest.lifecycle.states):
        number = write(lambda: bring(state).number)
        answer = client.post(
            f"{PATH}/{number}/moves", json={"to": to, "reason": "客户要求", "duplicate_of": first}, headers=staff
        )
        if to in POSSIBLE[state]:
            assert (answer.status_code, answer.json["state"]) == (200, to), (state, to, answer.json)
        else:
            assert (answer.status_code, answer.json["code"]) == (409, "move_forbidden"), (state, to, answer.json)
            assert (answer.json["state"], set(answer.json["allowed"])) == (state, POSSIBLE[state])


def test_a_cancellation_needs_its_reason(sqlite_app: Flask, wuxi: Wuxi, bearer: Callable[..., dict[str, str]]) -> None:
    client, staff = sqlite_app.test_client(), bearer()
    number = write(lambda: make.request().number)
    answer = client.post(f"{PATH}/{number}/moves", json={"to": "cancelled"}, headers=staff)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["reason"])
    assert client.post(f"{PATH}/{number}/moves", json={"to": "duplicate"}, headers=staff).status_code == 404
    for value in HOSTILE:
        for field in ("to", "reason", "duplicate_of"):
            body = {"to": "duplicate", "reason": "x", "duplicate_of": "x", field: value}
            assert client.post(f"{PATH}/{number}/moves", json=body, headers=staff).status_code in (400, 404, 409, 422)


def test_a_move_is_made_once_per_key(wuxi: Wuxi, client: FlaskClient, bearer: Callable[..., dict[str, str]]) -> None:
    headers = {**bearer(), "Idempotency-Key": "m1"}
    number = write(lambda: make.request().number)
    first = client.post(f"{PATH}/{number}/moves", json={"to": "remote"}, headers=headers)
    assert client.post(f"{PATH}/{number}/moves", json={"to": "remote"}, headers=headers).json == first.json


# Rates (CONTRACT §3) ------------------------------------------------------------------------------------


def test_an_agent_with_a_token_may_report_quicker_than_the_public_form(
    client: FlaskClient, bearer: Callable[..., dict[str, str]]
) -> None:
    held = bearer("agent")
    assert {client.post(PATH, json=BODY, headers=held).status_code for _ in range(31)} == {201}


def test_a_token_may_ask_only_so_often_in_a_minute_and_is_told_when_again(
    app: Flask, client: FlaskClient, bearer: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "API_RATE", 3)
    held, other = bearer("agent"), bearer("dispatcher")
    assert [client.get(PATH, headers=held).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get(PATH + "?lang=en", headers=held)
    assert refused.headers["Retry-After"] == "60"
    assert refused.json["code"] == "too_many"
    assert refused.json["detail"] == "Too many attempts. Wait a minute and try again."
    assert client.get(PATH, headers=other).status_code == 200, "each token has a count of its own"


def test_the_list_tells_what_its_schema_describes(client: FlaskClient, bearer: Callable[..., dict[str, str]]) -> None:
    held = bearer("dispatcher")
    client.post(PATH, json={**BODY, "asset_serial": SERIAL}, headers=held)
    (row,) = client.get(PATH, headers=held).json["items"]
    assert row == client.get(f"{PATH}/{row['number']}", headers=held).json
    assert [promise["kind"] for promise in row["promises"]] == [clock.kind for clock in clocks.of(one())]


@pytest.mark.parametrize("body", ["[" * 200_000, '{"a":' * 5000 + "1" + "}" * 5000], ids=["lists", "objects"])
def test_a_body_nested_without_end_is_refused(sqlite_app: Flask, body: str) -> None:
    answer = sqlite_app.test_client().post(PATH, data=body, content_type="application/json")
    assert answer.status_code in (400, 422), answer.get_data(as_text=True)[:200]
