"""A lent technician on boards and in plans: one row at home that says so, one with the borrower; plans that can be
applied (B6)."""

import random
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.dispatch.plans import services as plans
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import at_local, now
from fieldservice.mechanisms import policies
from fieldservice.stations.lendings import Lending
from fieldservice.stations.models import Station
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from tests.dispatch.lending.company import TOMORROW, Company, agreed
from tests.dispatch.plans.planned import changes, planned
from tests.dispatch.test_api import Caller
from tests.workorders.cast import DAY, FAR, HOME, NEAR
from tests.workorders.scene import local_at, make_order, make_technician, team

JSON = {"Accept": "application/json"}


def lanes(client: Any, query: str = "") -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/dispatch/lanes?lang=en{query}", headers=JSON).json
    return told


def rows(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(station, technician, note) of each row"""
    stations = {one["id"]: one["title"] for one in told["groups"]}
    return [(stations[one["group"]], one["title"], one["note"]) for one in told["lanes"]]


def booked(company: Company, hour: int = 14) -> Visit:
    return write(lambda: booking.schedule_visit(session.merge(company.order), company.lu, local_at(hour)))


@pytest.fixture
def visit(company: Company) -> Visit:
    """Lu is lent from 11 today until tomorrow evening, and has a visit for Suzhou at 14."""
    agreed(company)
    return booked(company)


# Boards -------------------------------------------------------------------------------------------


def test_B6_home_sees_whom_it_lent_and_his_visits(company: Company, visit: Visit, sign_in: Any) -> None:
    told = lanes(sign_in("dispatcher", company.wuxi.id))
    assert rows(told) == [
        ("Wuxi Xinwu", "Lu Jianguo", "Lent to Suzhou SIP until 26 Nov 18:00"), ("Wuxi Xinwu", "Xu Xiaofeng", ""),
    ]  # fmt: skip
    lu = told["lanes"][0]
    assert [one["title"] for one in lu["away"]] == ["Lent to Suzhou SIP"]
    assert len(lu["shifts"]) == 1, "8–11 is left"
    (bar,) = told["bars"]
    assert (bar["id"], bar["lane"], bar["movable"]) == (str(visit.id), lu["id"], False)


def test_B6_the_borrower_has_him_as_a_guest_with_home_named(company: Company, visit: Visit, sign_in: Any) -> None:
    told = lanes(sign_in("dispatcher", company.suzhou.id))
    assert rows(told) == [("Suzhou SIP", "Lu Jianguo", "From Wuxi Xinwu until 26 Nov 18:00")]
    (lane,) = told["lanes"]
    assert (lane["id"], lane["away"], len(lane["shifts"])) == (str(company.lu.id), [], 1)
    (bar,) = told["bars"]
    assert (bar["lane"], bar["movable"]) == (lane["id"], True)
    assert told["groups"][0]["note"].endswith("1 on duty")


def test_who_sees_both_stations_sees_both_rows_and_the_visit_once(company: Company, visit: Visit, sign_in: Any) -> None:
    told = lanes(sign_in("dispatcher"))
    assert [row[:2] for row in rows(told)] == [
        ("Suzhou SIP", "Lu Jianguo"), ("Wuxi Xinwu", "Lu Jianguo"), ("Wuxi Xinwu", "Xu Xiaofeng"),
    ]  # fmt: skip
    guest, home = told["lanes"][:2]
    assert (guest["id"], home["id"]) == (str(company.lu.id), f"{company.lu.id}@home")
    assert [one["lane"] for one in told["bars"]] == [guest["id"]]
    assert [one["id"] for one in told["places"]["people"]].count(str(company.lu.id)) == 1
    page = sign_in("director").get("/dispatch/table?lang=en").text
    assert "From Wuxi Xinwu until" in page
    assert "Lent to Suzhou SIP until" in page


def test_before_and_after_he_is_at_home_only(company: Company, visit: Visit, sign_in: Any) -> None:
    home, borrower = sign_in("dispatcher", company.wuxi.id), sign_in("dispatcher", company.suzhou.id)
    later = "&date=2026-11-27"
    assert rows(lanes(home, later))[0] == ("Wuxi Xinwu", "Lu Jianguo", "")
    assert lanes(borrower, later)["lanes"] == []


def test_what_he_keeps_for_home_is_taken_time_for_the_borrower(company: Company, sign_in: Any) -> None:
    kept = write(lambda: booking.schedule_visit(session.merge(company.scene.order), company.lu, local_at(16)))
    agreed(company, keep=True)
    answer = sign_in("dispatcher", company.suzhou.id).get("/dispatch/lanes?lang=en", headers=JSON)
    (lane,) = answer.json["lanes"]
    assert [one["title"] for one in lane["away"]] == ["For another station"]
    assert company.scene.order.number not in answer.text
    told = lanes(sign_in("dispatcher", company.wuxi.id))
    assert [one["id"] for one in told["bars"]] == [str(kept.id)]


def test_B6_both_stations_get_the_visit_and_a_third_one_404(app: Flask, company: Company, visit: Visit) -> None:
    path = f"/visits/{visit.id}"
    home, borrower = (Caller(app, "dispatcher", one.id) for one in (company.wuxi, company.suzhou))
    assert home.get(path).json == borrower.get(path).json
    assert Caller(app, "dispatcher", company.kunshan.id).get(path).status_code == 404
    (lane,) = borrower.get("/dispatch/board").json["technicians"]
    assert (lane["guest_at"], len(lane["lent"])) == (company.suzhou.id, 1)


def test_each_lane_says_whether_it_fits(company: Company, visit: Visit, sign_in: Any) -> None:
    verdicts = sign_in("dispatcher", company.wuxi.id).get(
        f"/dispatch/verdicts?order={company.scene.order.number}&lang=en", headers=JSON
    )
    assert (verdicts.json[str(company.lu.id)]["fits"], verdicts.json[str(company.lu.id)]["text"]) == (
        "no", "Lent to Suzhou SIP",
    )  # fmt: skip


# Plans --------------------------------------------------------------------------------------------


def plan_of(company: Company, *stations: Station) -> DispatchPlan:
    return planned([session.merge(one) for one in stations], first=DAY)


def apply(plan: DispatchPlan) -> None:
    write(lambda: plans.apply(session.get_one(DispatchPlan, plan.id)))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("both", [False, True], ids=["borrower", "both stations"])
def test_B6_a_plan_gives_the_borrower_s_work_to_the_guest_and_can_be_applied(company: Company, both: bool) -> None:
    agreed(company)
    stations = (company.suzhou, company.wuxi) if both else (company.suzhou,)
    plan = plan_of(company, *stations)
    kind, technician, start = changes(plan)[company.order.number]
    assert (kind, technician) == ("placed", company.lu.id)
    assert start == "04:15", "UTC: from 11 on, and the way there"
    apply(plan)
    order = session.get_one(WorkOrder, company.order.id, populate_existing=True)
    assert (order.state, order.visits[0].technician_id) == ("scheduled", company.lu.id)


@pytest.mark.usefixtures("here")
def test_B6_a_plan_of_the_home_station_leaves_him_out_while_he_is_lent(company: Company) -> None:
    agreed(company, Span(local_at(11), at_local(TOMORROW)))
    plan = plan_of(company, company.wuxi)
    assert company.scene.order.number not in changes(plan), "it needs somebody before 11 or tomorrow"
    rules = plan.outcome["unplaced"][0]["rules"]
    assert "station" in {rule if isinstance(rule, str) else rule.get("rule") for rule in rules}
    write(lambda: make_technician(company.wuxi, "马俊", "Ma Jun"))
    plan = plan_of(company, company.wuxi)
    assert changes(plan)[company.scene.order.number][1] != company.lu.id
    apply(plan)


@pytest.mark.usefixtures("here")
def test_what_he_keeps_stays_with_him_in_every_plan(company: Company) -> None:
    visit = write(lambda: booking.schedule_visit(session.merge(company.scene.order), company.lu, local_at(14)))
    agreed(company, keep=True)
    write(lambda: make_technician(company.wuxi, "马俊", "Ma Jun"))
    for stations in ((company.wuxi,), (company.suzhou,), (company.wuxi, company.suzhou)):
        plan = plan_of(company, *stations)
        assert company.scene.order.number not in changes(plan)
    apply(plan)
    kept = session.get_one(Visit, visit.id, populate_existing=True)
    assert (kept.technician_id, kept.starts_at) == (company.lu.id, local_at(14))


@pytest.mark.usefixtures("here")
def test_before_the_lending_he_works_at_home_and_after_it_began_for_the_borrower(company: Company) -> None:
    """From 13 on he is lent: the morning is Wuxi's, the afternoon Suzhou's, and the plan holds."""
    agreed(company, Span(local_at(13), local_at(18)))
    write(lambda: make_order(company.wuxi, duration_min=60))
    plan = plan_of(company, company.wuxi, company.suzhou)
    found = changes(plan)
    times = {number: start or "" for number, (_kind, _who, start) in found.items()}
    assert times.pop(company.order.number) == "06:15", "UTC: from 13 on, and the way there"
    assert any("" < start < "05:00" for start in times.values())
    apply(plan)


@pytest.mark.usefixtures("here")
def test_what_was_planned_meanwhile_is_refused_when_applied(company: Company) -> None:
    plan = plan_of(company, company.wuxi)
    assert company.scene.order.number in changes(plan)
    agreed(company, Span(now(), at_local(TOMORROW, 18)))
    with pytest.raises(Conflict):
        apply(plan)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("rate", "own"), [(240_00, False), (120_00, True)], ids=["dearer", "the same"])
def test_station_cost_prefers_own_people_to_a_dearer_guest(company: Company, rate: int, own: bool) -> None:
    """Guest and own technician live at the same place; only what an hour costs tells them apart."""
    write(lambda: policies.set_override("lending_rate", "station", company.wuxi.id, rate, at=now()))
    mine = write(lambda: make_technician(session.merge(company.suzhou), "沈磊", "Shen Lei", home=FAR))
    write(lambda: setattr(company.lu, "latitude", FAR.latitude))
    write(lambda: setattr(company.lu, "longitude", FAR.longitude))
    agreed(company, Span(now(), local_at(18)))
    plan = planned([session.merge(company.suzhou)], first=DAY, objective="station_cost")
    chosen = changes(plan)[company.order.number][1]
    assert chosen == mine.id or own


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("seed", range(8))
def test_B6_what_is_planned_with_people_lent_can_always_be_applied(company: Company, seed: int) -> None:
    """Random companies, random lendings over standing visits: booking refuses nothing of the plan."""
    dice = random.Random(seed)
    stations = write(lambda: _random_company(company, dice))
    plan = planned(stations, days=2, objective=dice.choice(["promises", "travel", "station_cost"]), effort=16)
    assert plan.state == "ready"
    apply(plan)
    again = planned(stations, days=2, objective=plan.objective, effort=16)
    assert not [one for one in again.outcome["changes"] if one["kind"] == "dropped"], "what was planned stands"


def _random_company(company: Company, dice: random.Random) -> list[Station]:
    wuxi, suzhou = company.wuxi, session.merge(company.suzhou)
    people = [*team(wuxi, 3, skills={"gearbox": 3}, home=NEAR), *team(suzhou, 2, skills={"gearbox": 2}, home=FAR)]
    for _number in range(16):
        where = dice.choice([wuxi, suzhou])
        skills = dice.choice([{}, {"gearbox": 2}])
        order = make_order(
            where, place=dice.choice([NEAR, FAR, HOME]), skills=skills, duration_min=dice.choice([30, 90])
        )
        if dice.random() < 0.4:
            try:
                booking.schedule_visit(order, dice.choice(people), local_at(dice.randrange(11, 17)))
            except Conflict:
                continue
    for person in dice.sample(people, 3):
        start = local_at(dice.choice([8, 12, 13, 15])) + timedelta(minutes=dice.choice([0, 20]))
        to = dice.choice([one for one in (wuxi, suzhou, session.merge(company.kunshan)) if one.id != person.station_id])
        session.add(
            Lending(
                state="agreed", station_id=person.station_id, to_station_id=to.id, technician_id=person.id,
                starts_at=start, ends_at=start + timedelta(hours=dice.choice([3, 6, 26])), skills={}, asked_at=now(),
                hour_rate=dice.choice([120_00, 180_00]), lodges=dice.random() < 0.3,
            )
        )  # fmt: skip
    session.flush()
    return [wuxi, suzhou] if dice.random() < 0.6 else [dice.choice([wuxi, suzhou])]


def test_who_is_lodged_sets_off_near_the_borrower(company: Company) -> None:
    lending = agreed(company, Span(at_local(TOMORROW, 7), at_local(TOMORROW, 20)), lodges=True)
    assert lending.lodges
    morning = at_local(TOMORROW, 8, 5)
    visit = write(lambda: booking.schedule_visit(session.merge(company.order), company.lu, morning))
    assert visit.travel_min < 5, "not an hour from home"


def test_an_hour_from_home_otherwise(company: Company) -> None:
    agreed(company, Span(at_local(TOMORROW, 7), at_local(TOMORROW, 20)))
    with pytest.raises(Conflict) as caught:
        write(lambda: booking.schedule_visit(session.merge(company.order), company.lu, at_local(TOMORROW, 8, 5)))
    assert caught.value.code == "travel"
