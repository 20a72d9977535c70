"""Taking a report: read kindly, promised at once, never twice, and asked back where a place is unclear."""

import json
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.time import Clock
from fieldservice.intake import report
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.messages import Message
from fieldservice.stations.models import Territory, TerritoryDivision
from fieldservice.stations.queries import find_station
from tests.workorders.scene import make_station

GOOD = {
    "name": "李强", "phone": "139 1234 5678", "description": "主轴异响", "severity": "degraded",
    "address": "江苏省无锡市新吴区长江路18号",
}  # fmt: skip


@pytest.fixture
def station(app: Flask) -> int:
    def open_() -> int:
        made = make_station()
        territory = Territory(station_id=made.id, state="active")
        territory.divisions = [TerritoryDivision(code="320214", active_code="320214")]
        session.add(territory)
        return made.id

    return write(open_)


def post(client: FlaskClient, **changes: Any) -> Any:
    return client.post("/report", data={**GOOD, **changes})


def test_J_11_the_form_makes_a_request_with_three_promises(station: int, client: FlaskClient) -> None:
    answer = post(client)
    assert answer.status_code == 303
    found = session.scalars(select(ServiceRequest)).one()
    assert (found.station_id, found.priority, found.contact_phone, found.channel) == (
        station,
        "P2",
        "13912345678",
        "portal",
    )
    assert {one.kind for one in clocks.of(found)} == {"first_answer", "arrival", "restore"}
    assert session.scalars(select(Message.channel)).all() == ["sms"]
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert found.number in page


def test_T_05_the_restore_promise_runs_through_the_night(station: int, client: FlaskClient, clock: Clock) -> None:
    clock.advance(hours=12, minutes=30)
    post(client, severity="line_stop")
    due = {one.kind: one.due_at - one.started_at for one in clocks.of(session.scalars(select(ServiceRequest)).one())}
    assert due["restore"].total_seconds() == 24 * 3600
    assert due["arrival"].total_seconds() == 4 * 3600  # T-04: P1 within four hours


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"phone": "1391234567"}, "phone", "少一位"),
        ({"phone": "hello"}, "phone", ""),
        ({"name": ""}, "name", "姓名"),
        ({"description": "x"}, "description", "多说一点"),
        ({"severity": "awful"}, "severity", "影响"),
        ({"address": ""}, "address", "在哪里"),
        ({"address": "长" * 300}, "address", ""),
        ({"email": "not an address"}, "email", ""),
        ({"latitude": "900", "longitude": "10"}, "latitude", "定位"),
        ({"description": "a\x07b"}, "description", ""),
    ],
)
def test_a_refused_form_keeps_what_was_typed(
    station: int, client: FlaskClient, changes: dict[str, str], field: str, words: str
) -> None:
    answer = post(client, **changes)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{field}"' in page
    assert words in page
    kept = {**GOOD, **changes}["name"]
    assert kept in page
    assert session.scalar(select(func.count(ServiceRequest.id))) == 0


def test_an_unclear_place_is_asked_back_and_then_taken(station: int, client: FlaskClient) -> None:
    answer = post(client, address="西湖区文三路90号")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'name="division_code"' in page
    assert "杭州" in page
    assert "南昌" in page
    assert post(client, address="西湖区文三路90号", division_code="330106").status_code == 303
    assert session.scalars(select(ServiceRequest.division_code)).one() == "330106"


def test_a_place_nobody_knows_is_picked_step_by_step(station: int, client: FlaskClient) -> None:
    place = {"address": "厂区后门"}
    asked = post(client, **place).get_data(as_text=True)
    assert '<option value="320000">江苏省</option>' in asked
    asked = post(client, **place, division_code="320000").get_data(as_text=True)
    assert '<option value="320200">无锡市</option>' in asked
    assert 'name="division_asked" value="320000"' in asked
    asked = post(client, **place, division_code="320200", division_asked="320000").get_data(as_text=True)
    assert '<option value="320214">新吴区</option>' in asked
    assert post(client, **place, division_code="320214", division_asked="320200").status_code == 303
    assert session.scalars(select(ServiceRequest.precision)).one() == "county"


def test_somebody_who_does_not_know_the_district_need_not_tell_it(station: int, client: FlaskClient) -> None:
    answer = post(client, address="厂区后门", division_code="320200", division_asked="320200")
    assert answer.status_code == 303
    assert session.scalars(select(ServiceRequest.precision)).one() == "prefecture"


def test_the_position_of_the_phone_is_enough(station: int, client: FlaskClient) -> None:
    assert post(client, address="", latitude="31.55", longitude="120.36").status_code == 303
    found = session.scalars(select(ServiceRequest)).one()
    assert (found.precision, found.latitude) == ("point", 31.55)


def test_a_double_submit_makes_one_request(station: int, app: Flask) -> None:
    start, answers = Barrier(4), []

    def send() -> None:
        with app.app_context():
            start.wait()
            answers.append(app.test_client().post("/report", data={**GOOD, "receipt": "same"}).status_code)

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert session.scalar(select(func.count(ServiceRequest.id))) == 1
    assert answers == [303] * 4


def test_the_narrowest_territory_wins_else_the_shortest_drive(station: int, app: Flask) -> None:
    from fieldservice.foundation.places import Point

    def second() -> int:
        other = make_station("SZYQ", Point(31.3, 120.7))
        territory = Territory(station_id=other.id, state="active")
        territory.divisions = [TerritoryDivision(code="320200", active_code="320200")]
        session.add(territory)
        return other.id

    other = write(second)
    assert find_station("320214", None).id == station
    assert find_station("320205", None).id == other  # the city's territory
    assert find_station(None, Point(31.31, 120.71)).id == other
    assert find_station(None, None).id == station  # nothing is lost


def test_no_station_at_all_is_said(app: Flask) -> None:
    with pytest.raises(Conflict):
        find_station(None, None)


def test_Q_08_the_customers_words_cannot_be_changed(station: int, client: FlaskClient) -> None:
    post(client)

    def change() -> None:
        session.scalars(select(ServiceRequest)).one().description = "改写"

    with pytest.raises(Forbidden):
        write(change)


def test_the_api_answers_as_the_contract_says(station: int, client: FlaskClient) -> None:
    body = {
        "channel": "portal", "contact": {"name": "Li", "phone": "13912345678"}, "site": {"division_code": "320214"},
        "description": "Spindle noise", "severity": "minor", "language": "en",
    }  # fmt: skip
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/service-requests", json=body, headers=headers)
    assert first.status_code == 201
    assert first.json["station"] == "WXXW"
    assert {one["kind"] for one in first.json["promises"]} == {"first_answer", "arrival", "restore"}
    again = client.post("/api/v1/service-requests", json=body, headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    other = client.post("/api/v1/service-requests", json={**body, "severity": "safety"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert session.scalar(select(func.count(ServiceRequest.id))) == 1


def test_bad_json_gives_problem_details_in_both_languages(station: int, client: FlaskClient) -> None:
    for language in ("zh", "en"):
        answer = client.post(
            f"/api/v1/service-requests?lang={language}",
            json={"contact": {"name": "x"}, "description": "", "severity": "x"},
        )
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert {"description", "severity"} <= set(answer.json["errors"])
        json.dumps(answer.json)


def test_another_stations_request_is_404(station: int, client: FlaskClient, sign_in: Any) -> None:
    post(client)
    number = session.scalars(select(ServiceRequest.number)).one()
    assert sign_in("dispatcher", station).get(f"/api/v1/service-requests/{number}").status_code == 200
    assert sign_in("dispatcher", station + 999).get(f"/api/v1/service-requests/{number}").status_code == 404


def test_unknown_serials_are_a_doubt_not_an_error(station: int, app: Flask) -> None:
    read = report.read({**GOOD, "serial": "ZZ-1"})
    assert (read.asset_id, read.serial) == (None, "ZZ-1")
    with pytest.raises(Invalid):
        report.read({})
