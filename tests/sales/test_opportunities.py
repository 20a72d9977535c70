"""Opportunities of rescues: opened once, followed by sales, won or lost; what our speed was worth (X-01, X-02)."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.insight import figures
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.metrics import Period, Scope, measure, measure_stations
from fieldservice.mechanisms.tasks import Task
from fieldservice.sales import queries, services
from fieldservice.sales.advantage import advantage
from fieldservice.sales.models import Opportunity
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.services import Told
from tests import factories as make
from tests.mechanisms.people_and_things import person, statements, threads
from tests.workorders.desk import post, token

assert figures  # the figures register when they are imported
RESCUE, WEEK = "competitor_rescue", 168 * 60
TODAY = Period(date(2026, 11, 25), date(2026, 11, 25))


@pytest.fixture
def stations(app: Flask) -> tuple[int, int]:
    """Two stations, by id."""

    def build() -> tuple[int, int]:
        here = make.station(territory=("320214",))
        far = make.station(
            "SZSIP", "苏州园区站", "Suzhou SIP", division_code="320506", territory=("320506",),
            point=make.Point(31.32, 120.72),
        )  # fmt: skip
        return here.id, far.id

    return write(build)


def rescued(brand: str = "SEW", **facts: Any) -> str:
    """A rescue at a customer's machine; gives the number of its opportunity."""

    def build() -> str:
        machine = make.asset(make.site(make.customer()), brand=brand, warranty_until=None)
        order = make.order(machine=machine, work_type=RESCUE, told=Told(their_minutes=WEEK), **facts)
        return session.scalars(select(Opportunity).where(Opportunity.work_order_id == order.id)).one().number

    return write(build)


def one(number: str) -> Opportunity:
    session.expire_all()
    return session.scalars(select(Opportunity).where(Opportunity.number == number)).one()


def advanced(number: str, *steps: str) -> Opportunity:
    for to in steps:
        given: dict[str, Any] = (
            {"value": 80_000_00} if to == "quoted" else {"reason": "预算没批"} if to == "lost" else {}
        )
        write(lambda to=to, given=given: services.advance(one(number), to, now(), **given))  # type: ignore[misc]
    return one(number)


# Opened ---------------------------------------------------------------------------------------------


def test_x01_a_rescue_opens_its_opportunity_exactly_once(stations: tuple[int, int]) -> None:
    number = rescued()
    found = one(number)
    assert (found.state, found.origin, found.station_id) == ("new", "rescue", stations[0])
    assert found.work_order.kind == RESCUE
    assert queries.opportunity_of(found.work_order) is found, "linked both ways"
    (task,) = session.scalars(select(Task).where(Task.title == "follow_opportunity"))
    assert (task.owner_role, task.station_id, task.subject_id) == ("sales", stations[0], found.id)
    order_id = found.work_order_id
    write(lambda: services.open_for_rescue(session.get_one(WorkOrder, order_id), "SEW", now()))
    assert session.scalar(select(func.count(Opportunity.id))) == 1


def test_x01_other_work_opens_none(stations: tuple[int, int]) -> None:
    write(lambda: make.order())
    assert session.scalar(select(func.count(Opportunity.id))) == 0


def test_x01_a_prospect_is_the_contact_of_the_report(stations: tuple[int, int]) -> None:
    def build() -> None:
        make.order(
            make.request(None, contact_phone="13800138000", contact_name="钱工"), work_type=RESCUE, told=Told("Haas")
        )

    write(build)
    found = session.scalars(select(Opportunity)).one()
    assert (found.customer_id, queries.who(found)) == (None, "钱工")


# Followed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (("qualified", "quoted", "won"), "won"), (("qualified", "quoted", "lost"), "lost"), (("lost",), "lost"),
        (("qualified", "lost"), "lost"), (("qualified", "qualified"), "qualified"),
    ],
)  # fmt: skip
def test_x01_an_opportunity_goes_its_way(stations: tuple[int, int], steps: tuple[str, ...], state: str) -> None:
    found = advanced(rescued(), *steps)
    assert found.state == state
    assert (found.decided_at is not None) is (state in ("won", "lost"))
    assert found.reason == ("预算没批" if state == "lost" else "")
    (task,) = session.scalars(select(Task).where(Task.title == "follow_opportunity"))
    assert (task.state, task.result) == ("done", steps[0])


@pytest.mark.parametrize(
    ("before", "to", "facts", "wrong"),
    [
        ((), "won", {"value": 1}, "move_forbidden"), ((), "quoted", {"value": 1}, "move_forbidden"),
        (("lost",), "qualified", {}, "move_forbidden"), (("qualified",), "quoted", {}, {"value"}),
        ((), "lost", {"reason": " "}, {"reason"}), (("qualified",), "quoted", {"value": -5}, {"value"}),
        ((), "lost", {"reason": "长" * 301}, {"reason"}),
    ],
)  # fmt: skip
def test_x01_what_cannot_be_is_refused(
    stations: tuple[int, int], before: tuple[str, ...], to: str, facts: dict[str, Any], wrong: Any
) -> None:
    number = rescued()
    state = advanced(number, *before).state
    with pytest.raises(DomainError) as refusal:
        write(lambda: services.advance(one(number), to, now(), **facts))
    session.rollback()
    found = refusal.value
    assert (set(found.errors) if isinstance(found, Invalid) else found.code) == wrong
    assert one(number).state == state


def test_x01_of_two_who_decide_at_once_one_wins(app: Flask, stations: tuple[int, int]) -> None:
    number = rescued()
    advanced(number, "qualified", "quoted")

    def decide(place: int) -> str:
        to = ("won", "lost")[place % 2]
        try:
            write(lambda: services.advance(one(number), to, now(), reason="x"))
        except Conflict as error:
            return error.code
        return to

    outcomes = threads(app, decide, 4)
    session.rollback()
    assert set(outcomes) == {one(number).state, "move_forbidden"}


def test_x01_notes_and_value_are_kept_in_the_history(stations: tuple[int, int]) -> None:
    number = rescued()
    write(lambda: services.note(one(number), now(), value=120_000_00, words="设备科想换两台。"))
    write(lambda: services.note(one(number), now(), value=120_000_00))
    assert one(number).value == 120_000_00
    lines = queries.sheet_of(one(number), person(sales=None)).history
    assert "设备科想换两台。" in {line.note for line in lines}
    assert sum(line.kind == "opportunity.valued" for line in lines) == 1


# Our advantage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours", "loss", "hours", "saved"),
    [
        (168, 24, 8600_00, 144, 1_238_400_00),  # the case of the source: a week against a day
        (168, 24, None, 144, None), (24, 24, 8600_00, 0, 0), (8, 24, 8600_00, -16, 0), (72, 0.5, 100_00, 71.5, 7150_00),
    ],
)  # fmt: skip
def test_x02_advantage_is_theirs_less_ours(
    theirs: float, ours: float, loss: int | None, hours: float, saved: int | None
) -> None:
    found = advantage(round(theirs * 60), round(ours * 60), loss)
    assert found is not None
    assert (found.minutes / 60, found.saved) == (hours, saved)


@pytest.mark.parametrize(("theirs", "ours"), [(None, 60), (60, None), (None, None)])
def test_x02_one_time_alone_says_nothing(theirs: int | None, ours: int | None) -> None:
    assert advantage(theirs, ours, 100) is None


def test_x02_ours_is_the_promise_until_the_machine_runs(stations: tuple[int, int], clock: Clock) -> None:
    number = rescued()
    sheet = queries.sheet_of(one(number), person(sales=None))
    assert (sheet.our_minutes, sheet.ours_is_promise) == (24 * 60, True)
    assert sheet.advantage is not None
    assert (sheet.advantage.minutes, sheet.advantage.saved) == (144 * 60, 144 * 8600_00)

    def restore() -> None:
        request = one(number).work_order.request
        assert request is not None
        intake.note_restored(request, now())

    clock.advance(hours=6)
    write(restore)
    sheet = queries.sheet_of(one(number), person(sales=None))
    assert (sheet.our_minutes, sheet.ours_is_promise) == (6 * 60, False)
    assert sheet.advantage is not None
    assert sheet.advantage.minutes == 162 * 60


# The figure -------------------------------------------------------------------------------------------


def test_x01_conversion_is_won_of_decided_and_open_ones_are_out(stations: tuple[int, int], clock: Clock) -> None:
    assert measure("rescue_conversion", TODAY, Scope()).value is None, "nothing decided is no figure"
    for steps in (("qualified", "quoted", "won"), ("lost",), ("qualified",), (), ("qualified", "quoted", "won")):
        advanced(rescued(), *steps)
    result = measure("rescue_conversion", TODAY, Scope())
    assert (result.numerator, result.denominator) == (2, 3)
    assert round(result.value or 0, 1) == 66.7
    by_station = measure_stations("rescue_conversion", TODAY, Scope(), stations)
    assert (by_station[stations[0]].denominator, by_station[stations[1]].value) == (3, None)
    yesterday = Period(TODAY.first - timedelta(days=1), TODAY.first - timedelta(days=1))
    assert measure("rescue_conversion", yesterday, Scope()).denominator == 0


def test_x01_test_data_does_not_count(stations: tuple[int, int]) -> None:
    number = rescued()
    advanced(number, "lost")
    request_id = one(number).work_order.request_id
    write(lambda: setattr(session.get_one(ServiceRequest, request_id), "is_test", True))
    assert measure("rescue_conversion", TODAY, Scope()).denominator == 0


def test_x01_the_figure_has_its_page_and_its_command(stations: tuple[int, int], sign_in: Any, app: Flask) -> None:
    number = rescued()
    advanced(number, "qualified", "quoted", "won")
    page = sign_in("director").get("/board/rescue_conversion?lang=en")
    assert page.status_code == 200
    assert f'href="/opportunities/{number}"' in page.text
    run = app.test_cli_runner().invoke(args=["kpi", "rescue_conversion", "--from", "2026-11-25", "--to", "2026-11-25"])
    assert run.exit_code == 0, run.output
    assert "100" in run.output


# Pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "reads", "follows"),
    [
        ("sales", True, True), ("station_manager", True, True), ("director", True, False), ("engineer", True, False),
        ("dispatcher", False, False), ("technician", False, False), ("customer", False, False),
    ],
)  # fmt: skip
def test_x01_who_reads_and_who_follows(
    stations: tuple[int, int], sign_in: Any, role: str, reads: bool, follows: bool
) -> None:
    number = rescued()
    client = sign_in(role, stations[0])
    for address in ("/opportunities", f"/opportunities/{number}", f"/api/v1/opportunities/{number}"):
        assert client.get(address).status_code == (200 if reads else 403), address
    if reads:
        moved = post(client, f"/opportunities/{number}/moves", to="qualified")
        assert moved.status_code == (303 if follows else 403)
        assert one(number).state == ("qualified" if follows else "new")


def test_x01_another_stations_opportunity_is_not_found(stations: tuple[int, int], sign_in: Any) -> None:
    number = rescued()
    client = sign_in("sales", stations[1])
    assert client.get(f"/opportunities/{number}").status_code == 404
    assert client.get(f"/api/v1/opportunities/{number}").status_code == 404
    assert post(client, f"/opportunities/{number}/moves", to="qualified").status_code == 404
    assert post(client, f"/opportunities/{number}/notes", words="x").status_code == 404
    assert number not in client.get("/opportunities?status=all").text


def test_x01_pages_are_linked_both_ways(stations: tuple[int, int], sign_in: Any) -> None:
    number = rescued()
    order = one(number).work_order.number
    manager = sign_in("station_manager", stations[0])
    assert f'href="/work-orders/{order}"' in manager.get(f"/opportunities/{number}").text
    assert f"/work-orders/{order}/opportunity" in manager.get(f"/work-orders/{order}").text
    assert f'href="/opportunities/{number}"' in manager.get(f"/work-orders/{order}/opportunity").text
    agent = sign_in("agent", stations[0]).get(f"/work-orders/{order}/opportunity").text
    assert number in agent
    assert "<a " not in agent
    assert order in sign_in("sales", stations[0]).get(f"/opportunities/{number}").text


def test_x02_the_page_tells_their_time_ours_and_what_it_saved(stations: tuple[int, int], sign_in: Any) -> None:
    number = rescued()
    client = sign_in("sales", stations[0])
    page = client.get(f"/opportunities/{number}?lang=en").text
    for shown in ("SEW would come in", "168", "We promised", "144 h", "¥1,238,400<"):
        assert shown in page, shown
    assert post(client, f"/opportunities/{number}/notes", their_hours="72", value="96,000").status_code == 303
    page = client.get(f"/opportunities/{number}?lang=en").text
    assert "¥96,000.00" in page
    assert ">48 h<" in page


@pytest.mark.parametrize(
    "fields",
    [
        {"value": "viel"},
        {"value": "-3"},
        {"their_hours": "bald"},
        {"their_hours": "99999999999"},
        {"words": "长" * 2001},
    ],
)
def test_x02_a_wrong_note_says_what_is_wrong_and_keeps_what_was_typed(
    stations: tuple[int, int], sign_in: Any, fields: dict[str, str]
) -> None:
    number = rescued()
    answer = post(sign_in("sales", stations[0]), f"/opportunities/{number}/notes", **fields)
    assert answer.status_code == 422
    assert next(iter(fields.values()))[:20] in answer.text
    assert one(number).value is None


@pytest.mark.parametrize("query", ["status=x", "after=x", "after=9" * 30, "status=%3Cscript%3E"])
def test_x01_senseless_filters_are_refused(stations: tuple[int, int], sign_in: Any, query: str) -> None:
    client = sign_in("sales", stations[0])
    assert client.get(f"/opportunities?{query}").status_code == 422


def test_x01_the_list_costs_the_same_however_long_it_is(stations: tuple[int, int], sign_in: Any) -> None:
    client, counts = sign_in("sales", stations[0]), []
    client.get("/opportunities")  # the first page of a session costs more
    for _round in range(2):
        for _ in range(3):
            rescued()
        with statements() as sent:
            assert client.get("/opportunities").status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1], counts


# API ------------------------------------------------------------------------------------------------


def test_x02_the_api_tells_the_advantage_and_moves(stations: tuple[int, int], sign_in: Any) -> None:
    number = rescued()
    client = sign_in("sales", stations[0])
    listed = client.get("/api/v1/opportunities?count=1").get_json()
    assert (listed["total"], listed["items"][0]["number"]) == (1, number)
    told = client.get(f"/api/v1/opportunities/{number}").get_json()
    assert told["advantage"] == {
        "competitor": "SEW", "their_hours": 168.0, "our_hours": 24.0, "advantage_hours": 144.0,
        "saved_minor": 144 * 8600_00,
    }  # fmt: skip
    assert told["allowed"] == ["qualified", "lost"]
    headers = {"X-CSRFToken": token(client, "/opportunities")}
    url = f"/api/v1/opportunities/{number}/moves"
    moved = client.post(url, json={"to": "qualified"}, headers=headers)
    assert (moved.status_code, moved.get_json()["state"]) == (200, "qualified")
    assert client.post(url, json={"to": "won"}, headers=headers).status_code == 409
    assert client.post(url, json={"to": "quoted"}, headers=headers).status_code == 422
    quoted = client.post(url, json={"to": "quoted", "value_minor": 5_000_00}, headers=headers).get_json()
    assert (quoted["state"], quoted["value_minor"]) == ("quoted", 5_000_00)
