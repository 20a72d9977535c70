"""A work order's page and the list of orders."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.workorders import catalogue, visits
from fieldservice.workorders.models import Visit, WorkOrder
from tests import factories
from tests.mechanisms.people_and_things import statements, threads
from tests.workorders.desk import Numbers, fresh, make_company, post, token

READERS = ("agent", "dispatcher", "station_manager", "director", "quality")
PLANNERS = ("dispatcher", "station_manager")
HOSTILE = ("x", "9" * 30, "<script>", "'; DROP TABLE visit; --", "长" * 400, "%00", "WO-2026-000001%00")


@pytest.fixture
def company(app: Flask) -> Numbers:
    return make_company()


@pytest.fixture
def number(company: Numbers) -> str:
    """An order at the first station, ready to be planned."""
    return triaged(company.request)


def triaged(request: str, **facts: Any) -> str:
    return write(lambda: factories.order(session.query(ServiceRequest).filter_by(number=request).one(), **facts).number)


def booked(company: Numbers, number: str, *, sent: bool = True) -> int:
    def work() -> int:
        order = session.query(WorkOrder).filter_by(number=number).one()
        return factories.visit(order, session.get(factories.Technician, company.technician), sent=sent).id

    return write(work)


def moved(client: Any, number: str, to: str, reason: str = "") -> Any:
    return post(client, f"/work-orders/{number}/moves", to=to, reason=reason)


# The page -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", READERS)
def test_readers_see_promises_place_machine_and_who_pays(
    company: Numbers, number: str, sign_in: Any, role: str
) -> None:
    page = sign_in(role, company.station).get(f"/work-orders/{number}?lang=en")
    assert page.status_code == 200
    for shown in ("No. 2 mill gearbox · Gearbox seal change", "Shengyuan Steel", "Gate 3, wear a helmet", "Arrival"):
        assert shown in page.text
    assert "Under warranty to" in page.text
    assert ("Cancel the work order" in page.text) is (role in PLANNERS)


@pytest.mark.parametrize("role", ["technician", "storekeeper", "admin", "customer"])
def test_others_are_refused(company: Numbers, number: str, sign_in: Any, role: str) -> None:
    client = sign_in(role, company.station)
    assert client.get(f"/work-orders/{number}").status_code == 403
    assert client.get("/work-orders").status_code == 403


def test_another_stations_order_is_not_found(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.far_station)
    assert client.get(f"/work-orders/{number}").status_code == 404
    assert moved(client, number, "on_hold", "x").status_code == 404
    assert client.get(f"/work-orders/{number}/files/1").status_code == 404
    assert number not in client.get("/work-orders?status=all").text


def test_a_lent_technicians_station_reads_the_order_and_does_not_change_it(
    company: Numbers, number: str, sign_in: Any
) -> None:
    visit_id = booked(company, number)

    def lend() -> None:
        session.get_one(Visit, visit_id).home_station_id = company.far_station

    write(lend)
    client = sign_in("dispatcher", company.far_station)
    page = client.get(f"/work-orders/{number}?lang=en")
    assert page.status_code == 200
    assert "Send to technician" not in page.text
    assert moved(client, number, "cancelled", "x").status_code == 403


@pytest.mark.parametrize("role", ["agent", "director", "quality"])
def test_those_who_read_do_not_move(company: Numbers, number: str, sign_in: Any, role: str) -> None:
    assert moved(sign_in(role, company.station), number, "on_hold", "x").status_code == 403
    assert fresh(WorkOrder, number).state == "ready"


def test_visits_are_sent_and_cancelled_from_here(company: Numbers, number: str, sign_in: Any) -> None:
    visit_id = booked(company, number, sent=False)
    client = sign_in("dispatcher", company.station)
    page = client.get(f"/work-orders/{number}?lang=en").text
    assert "Lu Jianguo" in page
    assert f'action="/dispatch/visits/{visit_id}/send"' in page
    version = str(session.get_one(Visit, visit_id).version)
    answer = post(client, f"/dispatch/visits/{visit_id}/send", version=version, back_to="order")
    assert answer.headers["Location"].endswith(f"/work-orders/{number}")
    page = client.get(f"/work-orders/{number}?lang=en").text
    assert "Send to technician" not in page
    assert f'action="/dispatch/visits/{visit_id}/cancel"' in page
    assert 'name="token"' in page  # ten seconds to take it back


def test_what_was_recorded_is_shown_with_its_tolerance(company: Numbers, number: str, sign_in: Any) -> None:
    visit_id = booked(company, number)

    def work() -> None:
        visit, at = session.get_one(Visit, visit_id), now()
        for step in (visits.accept, visits.set_off, visits.arrive, visits.start):
            step(visit, at)
        form = catalogue.checklist_of(visit.work_order)
        reading = next(field for field in form.fields if field.type == "number" and field.high is not None)
        visits.answer(visit, reading.code, str(reading.high + 1), at, note="再测一次仍高")
        visits.choose_pattern(visit, "gearbox_output_seal_leak", at)
        visits.set_summary(visit, "油封老化，已更换。", at, technical_note="Ra 0.4, 轴颈轻微磨损")
        part = factories.part()
        factories.stock(part, visit.technician)
        visits.use_part(visit, part, Decimal(1), at)

    write(work)
    page = sign_in("dispatcher", company.station).get(f"/work-orders/{number}?lang=en").text
    for shown in (
        "out of tolerance", "再测一次仍高", "油封老化，已更换。", "轴颈轻微磨损", "External leakage", "Oil seal",
        "Lu Jianguo&#39;s van",
    ):  # fmt: skip
        assert shown in page
    assert "Arrived on site" in page


# What people decide ------------------------------------------------------------------------------------


def test_holding_and_going_on(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    refused = moved(client, number, "on_hold")
    assert refused.status_code == 422
    assert 'id="hold-reason"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert moved(client, number, "on_hold", "等停机许可").status_code == 303
    page = client.get(f"/work-orders/{number}").text
    assert "等停机许可" in page  # in the history
    assert moved(client, number, "ready").status_code == 303
    assert fresh(WorkOrder, number).state == "ready"


def test_cancelling_takes_the_request_along(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("station_manager", company.station)
    assert moved(client, number, "cancelled", "客户自己修好了").status_code == 303
    assert fresh(WorkOrder, number).state == "cancelled"
    assert fresh(ServiceRequest, company.request).state == "cancelled"


@pytest.mark.parametrize("to", ["completed", "in_progress", "", "nonsense", "x" * 99])
def test_derived_states_are_never_set_by_hand(company: Numbers, number: str, sign_in: Any, to: str) -> None:
    answer = moved(sign_in("dispatcher", company.station), number, to, "x")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert fresh(WorkOrder, number).state == "ready"


def test_two_dispatchers_cancel_at_once_and_one_wins(app: Flask, company: Numbers, number: str, sign_in: Any) -> None:
    clients = [sign_in("dispatcher", company.station) for _number in range(2)]
    tokens = [token(client) for client in clients]

    def press(which: int) -> int:
        fields = {"csrf_token": tokens[which], "to": "cancelled", "reason": f"Grund {which}"}
        return int(clients[which].post(f"/work-orders/{number}/moves", data=fields).status_code)

    assert sorted(threads(app, press, 2)) == [303, 409]


def test_a_form_without_its_token_is_refused(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    answer = client.post(f"/work-orders/{number}/moves", data={"to": "cancelled", "reason": "x"})
    assert answer.status_code == 403
    assert fresh(WorkOrder, number).state == "ready"


def test_hostile_numbers_are_not_found(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    for named in HOSTILE:
        for address in (f"/work-orders/{named}", f"/requests/{named}", f"/work-orders/{named}/files/{2**63}"):
            assert client.get(address).status_code in (404, 422), address


# The list -----------------------------------------------------------------------------------------------


def test_the_list_narrows(company: Numbers, number: str, sign_in: Any) -> None:
    far = triaged(company.far_request, priority="P3")
    client = sign_in("director", None)
    visit_id = booked(company, number)
    technician = session.get_one(Visit, visit_id).technician_id
    assert {number, far} <= words_of(client.get("/work-orders"))
    for query, shown in {
        "station=SZSIP": far, "priority=P1": number, "priority=P3": far, "status=dispatched": number,
        f"technician={technician}": number, f"q={far.lower()}": far, "q=Shengyuan": number, "q=盛源": number,
        "q=MC3-18": number, "due_before=2026-11-25T16:00:00%2B08:00&status=all": number,
    }.items():  # fmt: skip
        found = words_of(client.get(f"/work-orders?{query}"))
        assert found & {number, far} == {shown}, query


def words_of(answer: Any) -> set[str]:
    assert answer.status_code == 200
    return {word.strip('<>/"') for word in answer.text.replace(">", " ").replace("<", " ").split()}


def test_filters_that_cannot_be_meant_are_refused(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    for query in (
        "status=x", "priority=P9", "technician=x", "technician=²", "technician=" + "9" * 30, "due_before=x", "after=-1",
        "after=" + "9" * 40, "due_before=0001-01-01T00:00:00%2B14:00",
    ):  # fmt: skip
        assert client.get(f"/work-orders?{query}").status_code == 422, query


def test_any_search_is_answered(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    for q in ("%", "_", "\\", "\x00", "a\x00b", "'", "长" * 500, "\u202ex", "🛠️" * 60):
        answer = client.get("/work-orders", query_string={"q": q, "station": q})
        assert answer.status_code in (200, 422), q


def test_the_list_pages_by_key_in_a_fixed_number_of_statements(
    company: Numbers, number: str, sign_in: Any, clock: Clock
) -> None:
    client = sign_in("dispatcher", company.station)
    client.get("/work-orders")
    with statements() as few:
        client.get("/work-orders")

    def grow() -> None:
        machine = session.get(factories.Asset, company.asset)
        for _number in range(60):
            factories.order(machine=machine)

    write(grow)
    with statements() as many:
        first = client.get("/work-orders").text
    assert len(many) == len(few)
    assert first.count("<tr>") == 51  # the head and a page
    assert number not in first
    after = session.query(WorkOrder).order_by(WorkOrder.id.desc()).offset(49).first()
    assert f"after={after.id}" in first
    assert number in client.get(f"/work-orders?after={after.id}").text


def test_a_part_of_the_list_is_answered_alone(company: Numbers, number: str, sign_in: Any) -> None:
    part = sign_in("dispatcher", company.station).get("/work-orders", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section id="order-list"')
