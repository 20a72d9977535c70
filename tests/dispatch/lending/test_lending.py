"""Asking, agreeing, refusing, ending, on both databases: who may, what stands in the way, what follows (B6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from fieldservice.dispatch.lending import queries, services
from fieldservice.dispatch.lending.prospects import prospects_at, who_could_come
from fieldservice.dispatch.lending.worked import worked_for
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.tasks import Task, tasks_for
from fieldservice.stations import roster
from fieldservice.stations.lendings import Lending
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.suggestions import suggest
from tests.dispatch.lending.company import (
    TOMORROW,
    Company,
    again,
    agreed,
    answered,
    asked,
    span,
)  # fmt: skip
from tests.mechanisms.people_and_things import statements, threads
from tests.workorders.cast import DAY
from tests.workorders.scene import local_at, make_order, make_technician


def refused(work: Callable[[], Any], kind: type[DomainError] = Conflict) -> Any:
    with pytest.raises(kind) as caught:
        write(work)
    return caught.value


def tasks() -> list[Task]:
    return session.query(Task).filter_by(title="lending_asked").all()


def book(order: WorkOrder, technician: Technician, hour: int, minutes: int = 60) -> Visit:
    return write(
        lambda: booking.schedule_visit(
            session.merge(order), session.merge(technician), local_at(hour), duration_min=minutes
        )
    )


def home_order(company: Company) -> WorkOrder:
    return write(lambda: make_order(company.wuxi, duration_min=60))


# Asking and answering -----------------------------------------------------------------------------


def test_B6_an_ask_is_a_task_of_the_lending_manager(company: Company) -> None:
    lending = asked(company, words="两台减速机同时停机")
    assert (lending.state, lending.station_id, lending.to_station_id) == ("asked", company.wuxi.id, company.suzhou.id)
    (task,) = tasks_for(company.who("lender"))
    assert (task.owner_role, task.station_id, task.state) == ("station_manager", company.wuxi.id, "open")
    assert tasks_for(company.who("strange_manager")) == []
    answered(company, lending)
    lending = again(lending)
    assert (lending.state, lending.technician_id, lending.agreed_by) == (
        "agreed", company.lu.id, company.who("lender").user_id,
    )  # fmt: skip
    assert [(one.state, one.result) for one in tasks()] == [("done", "agreed")]
    told = {event.kind: event.station_id for event in history(lending) if event.kind.startswith("lending.")}
    assert told == {
        "lending.asked": company.wuxi.id, "lending.agreed": company.wuxi.id, "lending.told": company.suzhou.id,
    }, "both feeds hear of it"  # fmt: skip


def test_who_asks_twice_has_asked_once(company: Company) -> None:
    assert asked(company).id == asked(company).id
    assert asked(company, span(end=at_local(DAY, 18))).id != asked(company).id
    assert len(tasks()) == 2


def test_B6_skills_are_asked_for_and_the_manager_chooses(company: Company) -> None:
    lending = asked(company, skills={"gearbox": 2})
    assert lending.technician_id is None
    assert refused(lambda: services.agree(again(lending), company.who("lender")), Invalid).errors["technician"]
    error = refused(lambda: services.agree(again(lending), company.who("lender"), technician_id=company.scene.xu.id))
    assert error.code == "skill"
    assert answered(company, lending, technician_id=company.lu.id).technician_id == company.lu.id


def test_a_refusal_has_a_reason(company: Company) -> None:
    lending = asked(company)
    assert refused(lambda: services.refuse(again(lending), company.who("lender"), " "), Invalid).code == "reason_needed"
    write(lambda: services.refuse(again(lending), company.who("lender"), "本周人手不足"))
    assert again(lending).state == "refused"
    assert refused(lambda: services.agree(again(lending), company.who("lender"))).code == "move_forbidden"
    assert roster.lent_to([company.suzhou.id], *span()) == set()


def test_what_nobody_needs_any_more_is_withdrawn(company: Company) -> None:
    lending = asked(company)
    write(lambda: services.withdraw(again(lending), company.who("borrower")))
    assert (again(lending).state, tasks()[0].state) == ("withdrawn", "cancelled")
    tomorrow = agreed(company, Span(at_local(TOMORROW, 8), at_local(TOMORROW, 18)))
    write(lambda: services.withdraw(again(tomorrow), company.who("borrower")))
    assert again(tomorrow).state == "withdrawn"
    assert roster.lent_to([company.suzhou.id], at_local(TOMORROW), at_local(TOMORROW, 23)) == set()


@pytest.mark.parametrize(
    ("act", "who"),
    [
        ("agree", "home"), ("agree", "borrower"), ("agree", "strange_manager"), ("refuse", "home"),
        ("refuse", "borrower"), ("withdraw", "lender"), ("withdraw", "stranger"),
    ],
)  # fmt: skip
def test_only_who_may(company: Company, act: str, who: str) -> None:
    lending = asked(company)
    acts: dict[str, Callable[[], None]] = {
        "agree": lambda: services.agree(again(lending), company.who(who)),
        "refuse": lambda: services.refuse(again(lending), company.who(who), "no"),
        "withdraw": lambda: services.withdraw(again(lending), company.who(who)),
    }
    refused(acts[act], Forbidden)
    assert again(lending).state == "asked"


@pytest.mark.parametrize("who", ["home", "stranger"])
def test_only_the_lender_and_the_borrower_end_it(company: Company, who: str) -> None:
    lending = agreed(company)
    refused(lambda: services.end(again(lending), company.who(who)), Forbidden)


def test_a_lending_is_seen_by_both_stations_and_by_nobody_else(company: Company) -> None:
    lending = asked(company)
    for who in ("lender", "home", "borrower"):
        assert queries.lending_by_id(lending.id, company.who(who)).id == lending.id
        assert [one.id for one in queries.listed(company.who(who), "open").rows] == [lending.id]
    with pytest.raises(NotFound):
        queries.lending_by_id(lending.id, company.who("stranger"))
    assert queries.listed(company.who("stranger"), "open").rows == []


@pytest.mark.parametrize(
    ("when", "wish", "field"),
    [
        (Span(local_at(9), local_at(18)), {}, "starts_at"),
        (Span(local_at(9) + timedelta(days=91), local_at(18) + timedelta(days=91)), {}, "starts_at"),
        (Span(local_at(11), local_at(11, 30)), {}, "ends_at"),
        (Span(local_at(11), local_at(11) + timedelta(days=32)), {}, "ends_at"),
        (Span(local_at(18), local_at(11)), {}, "ends_at"),
        (None, {"skills": {}}, "skills"),
        (None, {"skills": {"nonsense": 1}}, "skills"),
        (None, {"skills": {"gearbox": 4}}, "skills"),
    ],
)
def test_wishes_that_cannot_be_meant(company: Company, when: Span | None, wish: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        asked(company, when, **wish)
    assert list(caught.value.errors) == [field]


def test_whose_technician_it_is(company: Company) -> None:
    with pytest.raises(Invalid) as caught:
        asked(company, home=company.kunshan)
    assert "technician" in caught.value.errors
    with pytest.raises(Invalid):
        asked(company, home=company.suzhou, skills={"gearbox": 1})
    with pytest.raises(Forbidden):
        asked(company, by="stranger")


# What stands in the way ---------------------------------------------------------------------------


def test_B6_visits_at_home_have_to_be_moved_first_or_kept(company: Company) -> None:
    visit = book(company.scene.order, company.lu, 14)
    lending = asked(company)
    (prospect,) = prospects_at(company.wuxi, company.suzhou, span(), technician_id=company.lu.id)
    assert [one.number for one in prospect.visits] == [company.scene.order.number]
    error = refused(lambda: services.agree(again(lending), company.who("lender")))
    assert (error.code, error.facts["work_orders"]) == ("visits", [company.scene.order.number])
    assert again(lending).state == "asked"
    assert answered(company, lending, keep=True).state == "agreed"
    assert session.get_one(Visit, visit.id, populate_existing=True).state == "scheduled"
    event = next(one for one in history(lending) if one.kind == "lending.agreed")
    assert event.facts["kept"] == [visit.id]


def test_visits_for_the_borrower_are_no_hindrance(company: Company) -> None:
    book(company.order, company.lu, 14)
    assert agreed(company).state == "agreed"


def test_what_the_home_station_is_left_with(company: Company) -> None:
    (prospect,) = prospects_at(company.wuxi, company.suzhou, span(), technician_id=company.lu.id)
    (cover,) = prospect.cover
    assert (cover.skill, cover.level, cover.others) == ("gearbox", 2, 0), "Xu knows too little"
    write(lambda: make_technician(company.wuxi, "马俊", "Ma Jun"))
    (prospect,) = prospects_at(company.wuxi, company.suzhou, span(), technician_id=company.lu.id)
    assert prospect.uncovered == ()
    assert prospect.minutes == 17 * 60, "11–18 and 8–18"
    assert prospect.way.further_minutes > 40
    assert prospect.cost.total == prospect.cost.work + prospect.cost.travel > 17 * 120_00


def test_an_absence_is_not_paid(company: Company) -> None:
    write(lambda: booking.book_absence(company.lu, "training", local_at(11), local_at(13)))
    (prospect,) = prospects_at(company.wuxi, company.suzhou, span(), technician_id=company.lu.id)
    assert (prospect.minutes, len(prospect.absences)) == (15 * 60, 1)


def test_a_station_has_its_own_rate(company: Company) -> None:
    write(lambda: policies.set_override("lending_rate", "station", company.wuxi.id, 200_00, at=now()))
    write(lambda: policies.set_override("lending_overnight_km", "station", company.wuxi.id, 10, at=now()))
    lending = agreed(company)
    assert (lending.hour_rate, lending.lodges) == (200_00, True)
    assert lending.planned_cost is not None
    assert lending.planned_cost >= 17 * 200_00 + 300_00, "and a night"
    refused(lambda: policies.set_override("lending_rate", "station", company.wuxi.id, -1, at=now()), Invalid)


def test_who_could_come_is_asked_of_the_stations_nearby(company: Company) -> None:
    found = who_could_come(session.merge(company.suzhou), span(), {"gearbox": 1})
    assert [(station.code, [one.member.id for one in people]) for station, people in found] == [
        ("WXXW", [company.lu.id, company.scene.xu.id])
    ]
    assert who_could_come(session.merge(company.suzhou), span(), {"gearbox": 3}) == []
    agreed(company)
    found = who_could_come(session.merge(company.kunshan), span(), {"gearbox": 2})
    assert found == [], "he is lent already"


def test_questions_do_not_grow_with_people(company: Company) -> None:
    def asked_for() -> int:
        session.rollback()
        with statements() as sent:
            who_could_come(session.get_one(type(company.suzhou), company.suzhou.id), span(), {"gearbox": 1})
        return len(sent)

    few = asked_for()
    write(lambda: [make_technician(company.wuxi, f"甲{n}", f"A {n}") for n in range(6)])
    assert asked_for() == few


# While it runs ------------------------------------------------------------------------------------


def test_B6_home_cannot_book_him_and_the_borrower_can(company: Company) -> None:
    agreed(company)
    error = refused(lambda: booking.schedule_visit(session.merge(company.scene.order), company.lu, local_at(14)))
    assert error.code == "station"
    assert "Suzhou" in str(error.message) or "苏州" in str(error.message)
    visit = book(company.order, company.lu, 14)
    assert (visit.station_id, visit.home_station_id) == (company.suzhou.id, company.wuxi.id)
    (held,) = session.query(booking.held_time.Booking).filter_by(visit_id=visit.id)
    assert held.station_id == company.wuxi.id, "his time stays booked at home"
    answers = suggest(session.merge(company.order), start=local_at(11), end=local_at(18), stations=[company.suzhou.id])
    assert [one.member.id for one in answers.suggestions] == [company.lu.id]
    assert "from another station" not in answers.suggestions[0].reasons


def test_duties_of_the_time_are_the_borrower_s(company: Company) -> None:
    agreed(company)
    member = roster.members_by_id([company.lu.id], local_at(0), at_local(TOMORROW, 23))[company.lu.id]
    assert [(one.starts_at, one.station_id) for one in member.duties] == [
        (local_at(8), company.wuxi.id), (local_at(11), company.suzhou.id), (at_local(TOMORROW, 8), company.suzhou.id),
    ]  # fmt: skip
    assert roster.lent_to([company.suzhou.id], *span()) == {company.lu.id}
    assert roster.lent_to([company.wuxi.id], *span()) == set()


def test_what_is_agreed_late_begins_now(company: Company, clock: Clock) -> None:
    lending = asked(company)
    clock.fix(local_at(13, 20))
    assert answered(company, lending).starts_at == local_at(13, 20)
    late = asked(company, Span(local_at(14), local_at(16)), technician=session.merge(company.scene.xu))
    clock.fix(local_at(16))
    assert refused(lambda: services.agree(again(late), company.who("lender"))).code == "over"


def test_B6_ending_early_gives_him_back_at_once(company: Company, clock: Clock) -> None:
    lending = agreed(company)
    clock.fix(local_at(12, 30))
    write(lambda: services.end(again(lending), company.who("borrower")))
    assert (again(lending).state, again(lending).ends_at) == ("ended", local_at(12, 30))
    assert book(company.scene.order, company.lu, 14).state == "scheduled"
    assert refused(lambda: services.end(again(lending), company.who("borrower"))).code == "move_forbidden"


def test_B6_it_does_not_end_before_the_borrower_s_visits_are_moved(company: Company, clock: Clock) -> None:
    lending = agreed(company)
    visit = book(company.order, company.lu, 14)
    clock.fix(local_at(12, 30))
    error = refused(lambda: services.end(again(lending), company.who("lender")))
    assert (error.code, error.facts["work_orders"]) == ("visits", [company.order.number])
    write(lambda: booking.cancel_visit(session.get_one(Visit, visit.id), "moved"))
    write(lambda: services.end(again(lending), company.who("lender")))
    assert again(lending).state == "ended"


def test_a_lending_that_did_not_begin_is_withdrawn_and_one_that_did_is_ended(company: Company) -> None:
    tomorrow = agreed(company, Span(at_local(TOMORROW, 8), at_local(TOMORROW, 18)))
    assert refused(lambda: services.end(again(tomorrow), company.who("borrower"))).code == "move_forbidden"
    today = agreed(company, Span(now(), local_at(18)))
    assert refused(lambda: services.withdraw(again(today), company.who("borrower"))).code == "move_forbidden"


def test_what_is_over_ends_by_itself_once_the_work_is_done(company: Company, clock: Clock) -> None:
    lending = agreed(company, Span(local_at(11), local_at(18)))
    unanswered = asked(company, Span(local_at(11), local_at(13)), technician=session.merge(company.scene.xu))
    visit = book(company.order, company.lu, 16)
    write(lambda: booking.send_visit(session.get_one(Visit, visit.id)))
    clock.fix(local_at(15))
    for state, hour in (("accepted", 15), ("en_route", 15), ("on_site", 16), ("in_progress", 16)):
        clock.fix(local_at(hour))
        write(lambda state=state: visits.step(session.get_one(Visit, visit.id), state, now()))  # type: ignore[misc]
    clock.fix(local_at(18, 10))
    assert write(lambda: services.end_over(now())) == 1
    assert (again(unanswered).state, again(lending).state) == ("expired", "agreed"), "he is still at work"
    write(lambda: visits.step(session.get_one(Visit, visit.id), "cannot_complete", now(), reason="no_access"))
    assert write(lambda: services.end_over(now())) == 1
    ended = again(lending)
    worked = worked_for(ended, now())
    assert ended.state == "ended"
    assert (worked.work, worked.travel) == (130, 60)
    assert ended.actual_cost == worked.cost.total == 190 * 2_00 + worked.cost.km * 1_50
    assert write(lambda: services.end_over(now())) == 0
    balance = queries.balance_of(company.suzhou.id, local_at(0), at_local(TOMORROW))
    assert (balance.borrowed, balance.paid, balance.lent) == (1, ended.actual_cost, 0)


# Races --------------------------------------------------------------------------------------------


def test_B6_of_two_lendings_in_one_time_one_wins(app: Flask, company: Company) -> None:
    stations = [(company.suzhou, "borrower"), (company.kunshan, "stranger")]
    ids = [asked(company, to=station, by=who).id for station, who in stations]
    lender = company.who("lender")

    def agree(number: int) -> str:
        try:
            write(lambda: services.agree(session.get_one(Lending, ids[number]), lender))
        except Conflict as error:
            return error.code
        return "agreed"

    assert sorted(threads(app, agree, 2)) == ["agreed", "overlap"]
    session.rollback()
    assert sorted(session.get_one(Lending, one).state for one in ids) == ["agreed", "asked"]


def test_the_database_itself_refuses_an_overlap(company: Company) -> None:
    first = agreed(company)
    values = {
        "station_id": first.station_id, "to_station_id": company.kunshan.id, "technician_id": first.technician_id,
        "starts_at": first.starts_at + timedelta(hours=1), "ends_at": first.ends_at, "skills": {}, "asked_at": now(),
    }  # fmt: skip
    assert refused(lambda: session.add(Lending(state="agreed", **values))).code == "overlap"
    other = write(lambda: _added(Lending(**values)))
    with pytest.raises((DBAPIError, Conflict)):
        write(lambda: session.execute(update(Lending).where(Lending.id == other).values(state="agreed")))


def _added(lending: Lending) -> int:
    session.add(lending)
    session.flush()
    return lending.id


def test_B6_agreeing_while_a_dispatcher_books_him(app: Flask, company: Company) -> None:
    lending, lender = asked(company), company.who("lender")
    order_id, lu_id, lending_id = company.scene.order.id, company.lu.id, lending.id

    def act(number: int) -> str:
        def work() -> None:
            if number:
                services.agree(session.get_one(Lending, lending_id), lender)
            else:
                order, lu = session.get_one(WorkOrder, order_id), session.get_one(Technician, lu_id)
                booking.schedule_visit(order, lu, local_at(14))

        try:
            write(work)
        except Conflict as error:
            return error.code
        return "done"

    assert threads(app, act, 2) in (["done", "visits"], ["station", "done"])


def test_two_clicks_agree_once(app: Flask, company: Company) -> None:
    lending, lender = asked(company), company.who("lender")
    lending_id = lending.id

    def agree(_number: int) -> str:
        try:
            write(lambda: services.agree(session.get_one(Lending, lending_id), lender))
        except Conflict as error:
            return error.code
        return "agreed"

    assert sorted(threads(app, agree, 2)) == ["agreed", "move_forbidden"]
    session.rollback()
    assert [one.state for one in tasks()] == ["done"]


def test_an_ask_for_somebody_lent_is_refused_at_once(company: Company) -> None:
    agreed(company)
    with pytest.raises(Conflict) as caught:
        asked(company, to=company.kunshan, by="stranger")
    assert caught.value.code == "overlap"
