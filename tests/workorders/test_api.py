"""Triage and work orders as JSON (CONTRACT §3)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.intake.models import ServiceRequest
from fieldservice.stations.models import Station
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from fieldservice.workorders.schemas import OrderFactsSchema, OrderSchema, OrderVisitSchema
from tests import factories
from tests.conftest import make_user
from tests.mechanisms.people_and_things import statements, threads
from tests.workorders.desk import Numbers, fresh, make_company

TRIAGE = {"priority": "P1", "work_type": "gearbox_seal_change"}


@pytest.fixture
def company(app: Flask) -> Numbers:
    return make_company()


class Caller:
    """A partner's program with a bearer token."""

    def __init__(self, client: FlaskClient, role: str, station: int | None) -> None:
        email = make_user(role, station).email
        self.client = client
        self.headers = {"Authorization": f"Bearer {write(lambda: create_token(email=email, name='test'))}"}
        session.rollback()

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self.headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(f"/api/v1{path}", json=body, headers={**self.headers, **headers})

    def triage(self, number: str, **body: Any) -> Any:
        return self.post(f"/service-requests/{number}/triage", {**TRIAGE, **body})


@pytest.fixture
def dispatcher(client: FlaskClient, company: Numbers) -> Caller:
    return Caller(client, "dispatcher", company.station)


# Triage ---------------------------------------------------------------------------------------------


def test_triage_answers_the_order(company: Numbers, dispatcher: Caller) -> None:
    answer = dispatcher.triage(company.request)
    assert answer.status_code == 201, answer.json
    order = answer.json
    assert (order["request"], order["state"], order["station"]) == (company.request, "ready", "WXXW")
    assert (order["skills"], order["duration_min"]) == ({"gearbox": 2}, 150)
    assert [part["number"] for part in order["parts"]] == ["OS-TC-180"]
    assert {clock["kind"]: clock["state"] for clock in order["clocks"]}["first_answer"] == "kept"
    assert order["coverage"]["code"] == "warranty"
    assert order["allowed"] == ["cancelled", "cannot_complete", "on_hold"]
    assert order["history"][0]["kind"] == "service_request.converted"


def test_skills_and_parts_of_the_body_replace_the_usual_ones(company: Numbers, dispatcher: Caller) -> None:
    parts = [{"number": "OS-TC-180", "quantity": 2.5, "required": True}]
    answer = dispatcher.triage(company.request, required_skills={"hydraulics": 3}, parts=parts)
    assert answer.status_code == 201, answer.json
    assert answer.json["skills"] == {"hydraulics": 3}
    item = session.query(WorkItem).one()
    assert (float(item.quantity), item.required) == (2.5, True)
    again = write(lambda: factories.request(session.get(factories.Asset, company.asset)).number)
    assert dispatcher.triage(again, required_skills={}, parts=[]).json["parts"] == []


def test_g_15_a_lower_priority_needs_a_reason(company: Numbers, dispatcher: Caller) -> None:
    refused = dispatcher.triage(company.request, priority="P3")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["reason"])
    assert dispatcher.triage(company.request, priority="P3", reason="备用机在运行").status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"priority": "P7"}, "priority"), ({"priority": None}, "priority"), ({"work_type": "unknown"}, "work_type"),
        ({"work_type": 7}, "work_type"), ({"required_skills": {"unknown": 1}}, "required_skills"),
        ({"required_skills": {"gearbox": 9}}, "required_skills.gearbox.value"),
        ({"required_skills": [1]}, "required_skills"),
        ({"required_skills": {"gearbox": True}}, "required_skills.gearbox.value"),
        ({"parts": [{"number": "NONE-1", "quantity": 1}]}, "parts"),
        ({"parts": [{"number": "OS-TC-180", "quantity": 0}]}, "parts.0.quantity"),
        ({"parts": [{"number": "OS-TC-180", "quantity": 0.0001}]}, "parts"),
        ({"parts": [{"number": "OS-TC-180", "quantity": "NaN"}]}, "parts.0.quantity"),
        ({"parts": [{"number": "OS-TC-180", "quantity": 10**40}]}, "parts.0.quantity"),
        ({"parts": [{"number": "OS-TC-180", "quantity": 1}] * 41}, "parts"), ({"reason": "x" * 301}, "reason"),
        ({"planned_for": "2026-02-30"}, "planned_for"), ({"description": "anders"}, "description"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_meant_names_the_field(sqlite_app: Flask, body: dict[str, Any], field: str) -> None:
    company = make_company()
    caller = Caller(sqlite_app.test_client(), "dispatcher", company.station)
    answer = caller.triage(company.request, **body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), answer.json
    assert answer.mimetype == "application/problem+json"
    assert fresh(ServiceRequest, company.request).state == "new"


def test_a_lost_race_tells_what_is_allowed(company: Numbers, dispatcher: Caller) -> None:
    dispatcher.triage(company.request)
    late = dispatcher.triage(company.request)
    assert late.status_code == 409
    assert (late.json["code"], late.json["state"]) == ("move_forbidden", "converted")
    assert "restored" in late.json["allowed"]
    assert session.query(WorkOrder).count() == 1


def test_two_dispatchers_triage_at_once_and_one_wins(app: Flask, company: Numbers, client: FlaskClient) -> None:
    callers = [Caller(app.test_client(), "dispatcher", company.station) for _number in range(2)]
    answers = threads(app, lambda number: int(callers[number].triage(company.request).status_code), 2)
    assert sorted(answers) == [201, 409]
    session.rollback()
    assert session.query(WorkOrder).count() == 1


def test_the_same_key_triages_once(company: Numbers, dispatcher: Caller) -> None:
    path = f"/service-requests/{company.request}/triage"
    first = dispatcher.post(path, TRIAGE, **{"Idempotency-Key": "k1"})
    again = dispatcher.post(path, TRIAGE, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = dispatcher.post(path, {**TRIAGE, "priority": "P2", "reason": "x"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_another_stations_request_is_not_found_and_readers_are_refused(
    company: Numbers, dispatcher: Caller, client: FlaskClient
) -> None:
    assert dispatcher.triage(company.far_request).status_code == 404
    assert Caller(client, "director", None).triage(company.request).status_code == 403
    assert client.post(f"/api/v1/service-requests/{company.request}/triage", json=TRIAGE).status_code == 401


# Work orders ------------------------------------------------------------------------------------------


def made(caller: Caller, number: str) -> str:
    return str(caller.triage(number).json["number"])


def test_an_order_tells_visits_with_their_etag(company: Numbers, dispatcher: Caller) -> None:
    number = made(dispatcher, company.request)

    def work() -> None:
        order = session.query(WorkOrder).filter_by(number=number).one()
        factories.visit(order, session.get(factories.Technician, company.technician))

    write(work)
    answer = dispatcher.get(f"/work-orders/{number}")
    assert answer.status_code == 200
    order, visit = answer.json, session.query(Visit).one()
    assert answer.headers["ETag"] == f'"{order["etag"]}"'
    assert [(one["id"], one["etag"], one["state"]) for one in order["visits"]] == [
        (visit.id, str(visit.version), "dispatched")
    ]
    assert order["visits"][0]["technician"]["names"]["zh"] == "陆建国"
    assert order["description"] == fresh(ServiceRequest, company.request).description  # the customer's words
    assert {"summary", "technical_note", "checklist", "open_items", "failure", "clocks", "parts"} <= order.keys()
    assert all(line["at"].endswith("+00:00") for line in order["history"])


def test_the_list_is_narrowed_and_paged(company: Numbers, dispatcher: Caller, client: FlaskClient) -> None:
    first = made(dispatcher, company.request)

    def grow() -> list[str]:
        machine = session.get(factories.Asset, company.asset)
        return [factories.order(machine=machine).number for _number in range(4)]

    numbers = [first, *write(grow)]
    page = dispatcher.get("/work-orders", limit=3, count="true").json
    assert [item["number"] for item in page["items"]] == numbers[:1:-1]
    assert page["total"] == 5
    rest = dispatcher.get("/work-orders", limit=3, cursor=page["next_cursor"]).json
    assert ([item["number"] for item in rest["items"]], rest["next_cursor"]) == (numbers[1::-1], None)
    assert dispatcher.get("/work-orders", q=first).json["items"][0]["due_at"] is not None
    assert dispatcher.get("/work-orders", status="closed").json["items"] == []
    assert dispatcher.get("/work-orders", due_before="2026-11-24T00:00:00+08:00").json["items"] == []
    assert len(dispatcher.get("/work-orders", due_before="2026-11-26T12:00:00+08:00").json["items"]) == 5
    assert Caller(client, "dispatcher", company.far_station).get("/work-orders").json["items"] == []


def test_a_longer_page_takes_no_more_statements(company: Numbers, dispatcher: Caller) -> None:
    made(dispatcher, company.request)
    dispatcher.get("/work-orders")
    with statements() as few:
        dispatcher.get("/work-orders")

    def grow() -> None:
        machine = session.get(factories.Asset, company.asset)
        for _number in range(12):
            factories.order(machine=machine)

    write(grow)
    with statements() as many:
        assert len(dispatcher.get("/work-orders").json["items"]) == 13
    assert len(many) == len(few)


@pytest.mark.parametrize(
    "query",
    [
        {"status": "x"}, {"priority": "P9"}, {"technician": "x"}, {"technician": 2**70}, {"due_before": "x"},
        {"limit": 0}, {"limit": 10**30}, {"cursor": "x"}, {"cursor": "9" * 90}, {"q": "x" * 81}, {"station": "x" * 13},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_meant_is_refused(sqlite_app: Flask, query: dict[str, Any]) -> None:
    caller = Caller(sqlite_app.test_client(), "dispatcher", None)
    answer = caller.get("/work-orders", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(query)), answer.json


# Moves ------------------------------------------------------------------------------------------------


def test_moves_people_decide(company: Numbers, dispatcher: Caller) -> None:
    path = f"/work-orders/{made(dispatcher, company.request)}/moves"
    needs = dispatcher.post(path, {"to": "on_hold"})
    assert (needs.status_code, needs.json["code"]) == (422, "reason_needed")
    assert dispatcher.post(path, {"to": "on_hold", "reason": "等许可"}).json["state"] == "on_hold"
    assert dispatcher.post(path, {"to": "ready"}).json["state"] == "ready"
    done = dispatcher.post(path, {"to": "cancelled", "reason": "客户自己修好了"})
    assert (done.status_code, done.json["state"], done.json["allowed"]) == (200, "cancelled", [])


def test_moves_that_follow_from_visits_are_refused_with_what_is_allowed(company: Numbers, dispatcher: Caller) -> None:
    number = made(dispatcher, company.request)
    for to in ("in_progress", "completed", "scheduled", "nonsense"):
        answer = dispatcher.post(f"/work-orders/{number}/moves", {"to": to})
        assert answer.status_code == 409
        assert (answer.json["code"], answer.json["allowed"]) == (
            "derived_state",
            ["cancelled", "cannot_complete", "on_hold"],
        )
    closed = dispatcher.post(f"/work-orders/{number}/moves", {"to": "closed"})
    assert (closed.status_code, closed.json["code"]) == (409, "move_forbidden")


def test_moves_keep_to_the_station_and_the_role(company: Numbers, dispatcher: Caller, client: FlaskClient) -> None:
    path = f"/work-orders/{made(dispatcher, company.request)}/moves"
    body = {"to": "cancelled", "reason": "x"}
    assert Caller(client, "dispatcher", company.far_station).post(path, body).status_code == 404
    for role in ("agent", "quality", "technician", "customer"):
        assert Caller(client, role, company.station).post(path, body).status_code == 403
    assert session.query(WorkOrder).one().state == "ready"


def test_the_calls_are_described(sqlite_app: Flask) -> None:
    described = sqlite_app.test_client().get("/api/v1/openapi.json").json
    assert {"get"} <= described["paths"]["/api/v1/work-orders"].keys()
    answer = described["paths"]["/api/v1/work-orders/{number}"]["get"]["responses"]["200"]
    name = answer["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert {"visits", "clocks", "parts", "coverage", "history"} <= described["components"]["schemas"][name][
        "properties"
    ].keys()


# The list is told without objects (decision 0016) ---------------------------------------------------------


def test_the_list_tells_what_its_schema_describes(company: Numbers, dispatcher: Caller) -> None:
    number = dispatcher.triage(company.request).json["number"]
    (row,) = dispatcher.get("/work-orders", status="all", limit=80).json["items"]
    order = session.query(WorkOrder).filter_by(number=number).one()
    facts = OrderFactsSchema().dump(order)
    assert {name: row[name] for name in facts} == facts
    assert set(row) == set(OrderSchema().fields)
    open_promises = [clock["due_at"] for clock in dispatcher.get(f"/work-orders/{number}").json["clocks"]
                     if clock["state"] == "running"]  # fmt: skip
    assert row["due_at"] == min(open_promises)
    assert row["visit"] is None


def test_the_list_tells_the_visit_of_an_order(company: Numbers, dispatcher: Caller) -> None:
    number = dispatcher.triage(company.request).json["number"]
    order = session.query(WorkOrder).filter_by(number=number).one()

    def book() -> None:
        start = now() + timedelta(hours=3)
        technician = factories.technician(session.get_one(Station, company.station))
        session.add(
            Visit(
                work_order_id=order.id, station_id=order.station_id, technician_id=technician.id,
                home_station_id=order.station_id, starts_at=start, ends_at=start + timedelta(hours=1),
                window_starts_at=start, window_ends_at=start + timedelta(hours=2),
            )
        )  # fmt: skip

    write(book)
    (row,) = dispatcher.get("/work-orders", status="all").json["items"]
    visit = session.query(Visit).one()
    expected = OrderVisitSchema().dump(visit)
    assert row["visit"] == expected
