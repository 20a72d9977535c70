"""Rescues on the pages of agents, dispatchers and managers, and as JSON."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.assets.models import Asset, Brand
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.stations.models import Technician, TechnicianSkill
from fieldservice.workorders import triage
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.models import Rescue
from fieldservice.workorders.rescue.services import Told
from tests import factories
from tests.mechanisms.people_and_things import statements
from tests.workorders.desk import Numbers, fresh, make_company, post
from tests.workorders.test_api import Caller

RESCUE = "competitor_rescue"
APPROVE = {"decision": "approved", "coverage": "goodwill", "waiver": "客户自愿。"}
REFUSE = {"decision": "refused", "reason": "没有人会修。"}


@pytest.fixture
def company(app: Flask) -> Numbers:
    """The machine is of another make and out of warranty; ours is listed."""
    numbers = make_company()

    def foreign() -> None:
        session.add(Brand(name="臻护", also="Zhenhu", own=True))
        machine = session.get_one(Asset, numbers.asset)
        machine.warranty_until = None
        technician = session.get_one(Technician, numbers.technician)
        technician.skills.extend(TechnicianSkill(skill=code, level=2) for code in ("electrical", "hydraulics"))

    write(foreign)
    return numbers


@pytest.fixture
def number(company: Numbers) -> str:
    """An order that waits for approval."""

    def work() -> str:
        found = session.query(ServiceRequest).filter_by(number=company.request).one()
        return triage.triage_request(
            found, priority="P1", work_type=RESCUE, told=Told(their_minutes=168 * 60), at=now()
        ).number

    return write(work)


def rescue_of(number: str) -> Rescue:
    session.rollback()
    found = select(Rescue).join(WorkOrder, WorkOrder.id == Rescue.work_order_id).where(WorkOrder.number == number)
    return session.scalars(found).one()


# Triage ---------------------------------------------------------------------------------------------


def test_x01_another_makers_machine_is_proposed_as_a_rescue(company: Numbers, sign_in: Any) -> None:
    page = sign_in("agent", company.station).get(f"/requests/{company.request}?lang=en").text
    assert f'<option value="{RESCUE}" selected>' in page
    assert "machine (SEW), not in our care" in page
    assert 'name="their_hours"' in page
    assert 'name="brand"' not in page, "the machine says it"


@pytest.mark.parametrize("case", ["ours", "in our care", "nobody listed ours", "unknown"])
def test_x01_other_machines_are_not(company: Numbers, sign_in: Any, case: str) -> None:
    def change() -> None:
        machine = session.get_one(Asset, company.asset)
        if case == "ours":
            machine.brand = "Zhenhu"
        elif case == "in our care":
            machine.warranty_until = date(2030, 1, 1)
        elif case == "nobody listed ours":
            session.delete(session.scalars(select(Brand)).one())
        else:
            session.query(ServiceRequest).filter_by(number=company.request).one().asset_id = None

    write(change)
    page = sign_in("agent", company.station).get(f"/requests/{company.request}?lang=en").text
    assert f'<option value="{RESCUE}" selected>' not in page
    assert f'<option value="{RESCUE}">' in page, "it can be chosen"


def test_x01_the_agent_names_the_maker_of_an_unknown_machine(company: Numbers, sign_in: Any) -> None:
    client = sign_in("agent", company.station)
    write(lambda: setattr(session.query(ServiceRequest).filter_by(number=company.request).one(), "asset_id", None))
    assert 'name="brand"' in client.get(f"/requests/{company.request}/brings?work_type={RESCUE}").text
    typed = {"work_type": RESCUE, "priority": "P1", "their_hours": "168"}
    refused = post(client, f"/requests/{company.request}/triage", **typed)
    assert refused.status_code == 422
    assert 'id="brand-error"' in refused.text
    assert 'value="168"' in refused.text, "what was typed stays"
    done = post(client, f"/requests/{company.request}/triage", **typed, brand="Haas")
    assert done.status_code == 303
    rescue = rescue_of(done.headers["Location"].split("/")[-1])
    assert (rescue.brand, rescue.their_minutes) == ("Haas", 168 * 60)
    assert fresh(WorkOrder, done.headers["Location"].split("/")[-1]).titles["en"].startswith("Haas")


@pytest.mark.parametrize("hours", ["bald", "-1", "0", "99999", "NaN", "1e9", "Infinity"])
def test_x02_senseless_hours_are_refused(company: Numbers, sign_in: Any, hours: str) -> None:
    client = sign_in("agent", company.station)
    answer = post(client, f"/requests/{company.request}/triage", work_type=RESCUE, priority="P1", their_hours=hours)
    assert answer.status_code == 422
    assert fresh(ServiceRequest, company.request).state == "new"


# The manager's page ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "page", "decides"),
    [
        ("station_manager", 200, True), ("director", 200, True), ("dispatcher", 200, False), ("agent", 200, False),
        ("quality", 200, False), ("sales", 403, False), ("technician", 403, False),
    ],
)  # fmt: skip
def test_x01_who_decides(company: Numbers, number: str, sign_in: Any, role: str, page: int, decides: bool) -> None:
    client = sign_in(role, company.station)
    shown = client.get(f"/work-orders/{number}?lang=en")
    assert shown.status_code == page
    assert ("Approve the rescue" in shown.text) is decides
    if page == 200:
        assert "Waits for approval" in shown.text
        assert "data-due" in shown.text.split('id="approval"')[1][:900], "a live clock"
    answer = post(client, f"/work-orders/{number}/approval", **APPROVE)
    assert answer.status_code == (303 if decides else 403)
    assert rescue_of(number).state == ("approved" if decides else "awaiting")


def test_x01_another_stations_manager_does_not_find_it(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("station_manager", company.far_station)
    assert post(client, f"/work-orders/{number}/approval", **APPROVE).status_code == 404
    assert rescue_of(number).state == "awaiting"


def test_x01_an_approval_shows_terms_and_waiver(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("station_manager", company.station)
    page = client.get(f"/work-orders/{number}?lang=en").text
    assert "本设备（SEW）由其他厂家制造" in page, "in the customer's language"
    paid = {**APPROVE, "coverage": "paid", "estimate": "4,800.50"}
    assert post(client, f"/work-orders/{number}/approval", **paid).status_code == 303
    page = client.get(f"/work-orders/{number}?lang=en").text
    for shown in ("¥4,800.50", "客户自愿。", "Paid by the customer", "Station_Manager"):
        assert shown in page, shown
    assert "Approve the rescue" not in page
    assert rescue_of(number).estimate == 4_800_50


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({**APPROVE, "coverage": ""}, "coverage"), ({**APPROVE, "coverage": "paid"}, "estimate"),
        ({**APPROVE, "coverage": "paid", "estimate": "viel"}, "estimate"), ({**APPROVE, "waiver": " "}, "waiver"),
        ({**REFUSE, "reason": ""}, "reason"), ({"decision": "maybe"}, ""), ({}, ""),
        ({**APPROVE, "waiver": "长" * 4001}, "waiver"),
    ],
)  # fmt: skip
def test_x01_a_decision_that_lacks_something_says_so(
    company: Numbers, number: str, sign_in: Any, typed: dict[str, str], field: str
) -> None:
    answer = post(sign_in("station_manager", company.station), f"/work-orders/{number}/approval", **typed)
    assert answer.status_code == 422
    if field in ("estimate", "waiver"):
        assert f'id="{field}-error"' in answer.text
    assert rescue_of(number).state == "awaiting"


def test_x01_the_second_decision_is_told_what_happened(company: Numbers, number: str, sign_in: Any) -> None:
    first = sign_in("station_manager", company.station, name="沈文")
    second = sign_in("station_manager", company.station)
    assert post(first, f"/work-orders/{number}/approval", **APPROVE).status_code == 303
    assert post(first, f"/work-orders/{number}/approval", **APPROVE).status_code == 303, "a double click"
    answer = post(second, f"/work-orders/{number}/approval", **REFUSE)
    assert answer.status_code == 409
    assert "沈文" in answer.text
    assert fresh(WorkOrder, number).state == "ready"


def test_x01_a_refused_order_is_over(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("station_manager", company.station)
    assert post(client, f"/work-orders/{number}/approval", **REFUSE).status_code == 303
    page = client.get(f"/work-orders/{number}").text
    assert REFUSE["reason"] in page
    assert fresh(ServiceRequest, company.request).state == "cancelled"


def test_x01_the_order_costs_a_fixed_number_of_queries(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("station_manager", company.station)
    client.get(f"/work-orders/{number}")
    with statements() as sent:
        client.get(f"/work-orders/{number}")
    assert len(sent) <= 30, len(sent)


# Planning -------------------------------------------------------------------------------------------


def test_x01_the_board_marks_it_and_sending_waits(company: Numbers, number: str, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    assert "approval pending" in client.get("/dispatch?lang=en").text

    def book() -> tuple[int, int]:
        order = session.query(WorkOrder).filter_by(number=number).one()
        visit = factories.visit(order, session.get_one(Technician, company.technician), sent=False)
        session.flush()
        return visit.id, visit.version

    visit_id, version = write(book)
    page = client.get(f"/work-orders/{number}?lang=en").text
    assert "Send to technician" not in page
    assert (
        "Send" not in client.get(f"/dispatch?visit={visit_id}&lang=en").text.split('id="drawer"')[1].split("Suggest")[0]
    )
    answer = post(client, f"/dispatch/visits/{visit_id}/send?lang=en", version=version)
    assert answer.status_code == 422
    assert "has not approved this rescue yet" in answer.text
    post(sign_in("station_manager", company.station), f"/work-orders/{number}/approval", **APPROVE)
    assert "Send to technician" in client.get(f"/work-orders/{number}?lang=en").text
    assert "approval pending" not in client.get("/dispatch?lang=en").text


def test_x01_the_station_page_leads_the_manager_to_it(
    company: Numbers, number: str, sign_in: Any, clock: Clock
) -> None:
    manager = sign_in("station_manager", company.station)
    page = manager.get("/stations/WXXW?lang=en").text
    assert f'href="/work-orders/{number}"' in page
    assert "Open opportunities" in page
    clock.advance(minutes=31)
    write(lambda: clocks.tick(now()))
    assert "not decided in time" in sign_in("director").get("/stations/WXXW?lang=en").text
    page = manager.get(f"/work-orders/{number}?lang=en").text
    assert "Approval overdue" in page


# API ------------------------------------------------------------------------------------------------


def test_x01_a_partner_triages_and_a_manager_decides(app: Flask, company: Numbers) -> None:
    client = app.test_client()
    agent = Caller(client, "agent", company.station)
    answer = agent.post(
        f"/service-requests/{company.request}/triage",
        {"priority": "P1", "work_type": RESCUE, "their_hours": 168},
    )
    assert answer.status_code == 201, answer.json
    order = answer.json
    assert (order["kind"], order["approval"]["state"], order["approval"]["their_minutes"]) == (
        RESCUE,
        "awaiting",
        10080,
    )
    approval = f"/work-orders/{order['number']}/approval"
    assert agent.post(approval, {"decision": "approved", "coverage": "goodwill"}).status_code == 403
    far = Caller(client, "station_manager", company.far_station)
    assert far.post(approval, {"decision": "approved", "coverage": "goodwill"}).status_code == 404
    manager = Caller(client, "station_manager", company.station)
    assert manager.post(approval, {"decision": "approved"}).json["errors"].keys() == {"coverage"}
    said = {"decision": "approved", "coverage": "paid", "estimate_minor": 4_800_00}
    done = manager.post(approval, said, **{"Idempotency-Key": "k1"})
    assert (done.status_code, done.json["approval"]["state"], done.json["coverage"]["code"]) == (
        200,
        "approved",
        "billable",
    )
    assert done.json["approval"]["waiver"].startswith("本设备")
    assert manager.post(approval, said, **{"Idempotency-Key": "k1"}).json == done.json
    again = Caller(client, "station_manager", company.station).post(approval, {"decision": "refused", "reason": "x"})
    assert (again.status_code, again.json["code"]) == (409, "decided")


def test_x01_sending_early_is_a_conflict_named_approval(app: Flask, company: Numbers, number: str) -> None:
    def book() -> int:
        order = session.query(WorkOrder).filter_by(number=number).one()
        return factories.visit(order, session.get_one(Technician, company.technician), sent=False).id

    visit_id = write(book)
    answer = Caller(app.test_client(), "dispatcher", company.station).post(
        f"/visits/{visit_id}/moves", {"to": "dispatched"}
    )
    assert (answer.status_code, answer.json["code"]) == (409, "approval")
