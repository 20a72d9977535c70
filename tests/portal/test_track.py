"""The private page of a request: what a customer sees and can do."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from fieldservice.feedback import services as feedback
from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, local, now
from fieldservice.foundation.tokens import link_token
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import Event, record
from fieldservice.portal import queries
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import booking, triage
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from tests.test_story import finish, plan, report
from tests.workorders.cast import DAY
from tests.workorders.scene import roster


def path_of(request_id: int) -> str:
    """The private address of a request."""
    return "/t/" + link_token("track", session.get_one(ServiceRequest, request_id).number)


def planned(company: dict[str, int], **facts: object) -> tuple[int, Visit]:
    """A request with a visit at 11:30."""
    request_id = report(company, **facts)
    order_id = plan(request_id, company)
    return request_id, session.get_one(WorkOrder, order_id).visits[0]


def resolved(company: dict[str, int], clock: Clock) -> int:
    """A request whose machine runs again."""
    request_id = report(company)
    order_id = plan(request_id, company)
    clock.fix(at_local(DAY, 11, 25))
    finish(order_id, clock)
    return request_id


def request_of(request_id: int) -> ServiceRequest:
    session.expire_all()
    return session.get_one(ServiceRequest, request_id)


def post(client: FlaskClient, request_id: int, deed: str, **form: object) -> Any:
    return client.post(f"{path_of(request_id)}/{deed}", data=form)


def test_only_the_link_opens_the_page(company: dict[str, int], client: FlaskClient) -> None:
    request_id = report(company)
    path = path_of(request_id)
    assert client.get(path).status_code == 200
    assert client.get(path).headers["X-Robots-Tag"] == "noindex"
    for wrong in (path[:-1], path + "x", "/t/SR-2026-000001", "/t/" + "x" * 400):
        assert client.get(wrong).status_code == 404
        assert client.post(wrong + "/sign-off").status_code == 404


def test_the_page_tells_who_comes_when(company: dict[str, int], client: FlaskClient) -> None:
    request_id, _visit = planned(company)
    page = client.get(path_of(request_id)).text
    assert "陆建国" in page
    assert "11:30" in page


def test_the_page_speaks_the_customers_language(company: dict[str, int], client: FlaskClient) -> None:
    english, chinese = report(company, language="en"), report(company, description="又一台")
    headers = {"Accept-Language": "zh-CN"}
    assert 'lang="en"' in client.get(path_of(english), headers=headers).text
    assert 'lang="zh' in client.get(path_of(chinese), headers={"Accept-Language": "en"}).text
    assert 'lang="zh' in client.get(path_of(english) + "?lang=zh").text
    client.delete_cookie("lang")  # whoever chose a language keeps it; this is another customer
    assert client.post(path_of(english) + "/messages", data={"words": "Hello"}, headers=headers).status_code == 302
    assert "Your message has arrived." in client.get(path_of(english), headers=headers).text


def test_a_photo_of_another_request_is_not_shown(company: dict[str, int], client: FlaskClient) -> None:
    assert client.get(path_of(report(company)) + "/files/1").status_code == 404


def test_notes_of_the_technician_stay_inside(company: dict[str, int], client: FlaskClient) -> None:
    request_id, visit = planned(company)

    def note() -> None:
        record("visit.noted", session.get_one(Visit, visit.id), {}, at=now(), note="客户脾气大")
        session.get_one(ServiceRequest, request_id).priority_reason = "先拖着"

    write(note)
    page = client.get(path_of(request_id)).text
    assert "客户脾气大" not in page
    assert "先拖着" not in page


def test_confirming_twice_is_confirming_once(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id, visit = planned(company)
    assert post(client, request_id, "confirm").status_code == 302
    first = session.get_one(Visit, visit.id, populate_existing=True).confirmed_at
    clock.advance(minutes=5)
    assert post(client, request_id, "confirm").status_code == 302
    assert first == now() - timedelta(minutes=5)
    assert session.get_one(Visit, visit.id, populate_existing=True).confirmed_at == first


def test_without_a_visit_there_is_nothing_to_confirm(company: dict[str, int], client: FlaskClient) -> None:
    assert post(client, report(company), "confirm").status_code == 409


def times(client: FlaskClient, request_id: int, **form: object) -> list[Booking]:
    """The customer asks for free times; gives what is held for her, by time."""
    assert post(client, request_id, "offers", **form).status_code == 302
    rows = select(Booking).where(Booking.cause == "offer", Booking.counts(now())).order_by(Booking.starts_at)
    return list(session.scalars(rows))


@pytest.mark.parametrize(("number", "counts"), [(0, "running"), (-1, "void")])
def test_S_03_only_a_later_choice_of_the_customer_voids_the_arrival_promise(
    company: dict[str, int], client: FlaskClient, number: int, counts: str
) -> None:
    """A visit at 11:30, arrival due at 12:30: moved a little, and to another day."""
    request_id, visit = planned(company)
    wanted = times(client, request_id)[number]
    if number == 0:
        write(lambda: session.execute(update(Booking).where(Booking.id == wanted.id).values(terms={
            **wanted.terms, "window_ends_at": visit.window_ends_at.isoformat(), "after_promise": False})))  # fmt: skip
    starts_at = wanted.starts_at
    assert post(client, request_id, "time", offer=wanted.id).status_code == 302
    moved = session.get_one(Visit, visit.id, populate_existing=True)
    assert (moved.starts_at, moved.confirmed_at) == (starts_at, now())
    states = {one.kind: one.state for one in clocks.of(request_of(request_id))}
    assert (states["arrival"], states["restore"]) == (counts, "running")


def test_our_own_late_plan_is_not_forgiven_by_moving_it(
    company: dict[str, int], client: FlaskClient, clock: Clock
) -> None:
    request_id, visit = planned(company)
    late = visit.starts_at + timedelta(hours=3)
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit.id), starts_at=late))
    later = times(client, request_id)[-1]
    assert post(client, request_id, "time", offer=later.id).status_code == 302
    assert {one.kind: one.state for one in clocks.of(request_of(request_id))}["arrival"] != "void"


def test_the_same_time_sent_twice_moves_once(company: dict[str, int], client: FlaskClient) -> None:
    request_id, visit = planned(company)
    chosen = times(client, request_id)[1]
    starts_at, offer_id = chosen.starts_at, chosen.id
    for _press in range(2):
        assert post(client, request_id, "time", offer=offer_id).status_code == 302
    moved = session.get_one(Visit, visit.id, populate_existing=True)
    assert moved.starts_at == starts_at
    assert session.scalar(select(func.count(Event.id)).where(Event.kind == "visit.rescheduled")) == 1


def test_within_the_hour_a_visit_is_changed_by_phone(
    company: dict[str, int], client: FlaskClient, clock: Clock
) -> None:
    request_id, _visit = planned(company)
    offered = times(client, request_id)
    clock.advance(minutes=5)
    for answer in (post(client, request_id, "time", offer=offered[-1].id), post(client, request_id, "offers")):
        assert answer.status_code == 409
        assert "致电" in answer.text


@pytest.mark.parametrize("offer", ["", "0", "x", "77", "-1", "1.5", "9" * 20, "²", "1\x00", "1 OR 1=1"])
def test_an_impossible_time_is_refused_in_words(company: dict[str, int], client: FlaskClient, offer: str) -> None:
    request_id, visit = planned(company)
    times(client, request_id)
    assert post(client, request_id, "time", offer=offer).status_code == 422
    assert session.get_one(Visit, visit.id, populate_existing=True).starts_at == at_local(DAY, 11, 30)


@pytest.mark.parametrize("day", ["gestern", "2026-11-24", "2027-02-01", "9999-99-99", "0001-01-01", "²"])
def test_an_impossible_day_is_refused_in_words(company: dict[str, int], client: FlaskClient, day: str) -> None:
    request_id, _visit = planned(company)
    answer = post(client, request_id, "offers", day=day)
    assert answer.status_code == 422
    assert "60" in answer.text


def test_a_time_offered_to_somebody_else_cannot_be_taken(company: dict[str, int], client: FlaskClient) -> None:
    request_id, _visit = planned(company)
    [theirs, *_more] = times(client, request_id)
    other_id, other = planned_beside(company)
    assert post(client, other_id, "time", offer=theirs.id).status_code == 422
    assert session.get_one(Visit, other, populate_existing=True).starts_at == at_local(DAY, 15)


def planned_beside(company: dict[str, int]) -> tuple[int, int]:
    """Another request with a visit at 15:00: (request, visit)."""
    request_id = report(company, description="第二台", receipt_key="beside")

    def work() -> int:
        request = session.get_one(ServiceRequest, request_id)
        order = triage.triage_request(request, priority="P1", work_type="gearbox_seal_change", at=now())
        return booking.schedule_visit(order, session.get_one(Technician, company["technician"]), at_local(DAY, 15)).id

    return request_id, write(work)


def test_free_times_are_held_and_shown(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id, visit = planned(company)
    path = path_of(request_id)
    assert 'name="offer"' not in client.get(path).text
    offered = times(client, request_id)
    page = client.get(path).text
    assert offered
    assert page.count('name="offer"') == len(offered)
    assert "10:40" in page  # held until
    assert visit.starts_at not in [one.starts_at for one in offered]
    clock.advance(minutes=10)
    assert 'name="offer"' not in client.get(path + "?times=held").text


def test_free_times_of_another_day(company: dict[str, int], client: FlaskClient) -> None:
    request_id, _visit = planned(company)
    tomorrow = DAY + timedelta(days=1)

    def work() -> None:
        technician = session.get_one(Technician, company["technician"])
        roster(technician, session.get_one(Station, technician.station_id), tomorrow)

    write(work)
    offered = times(client, request_id, day=tomorrow.isoformat())
    assert min(local(one.starts_at).date() for one in offered) == tomorrow
    assert times(client, request_id, day=(DAY + timedelta(days=30)).isoformat()) == []
    assert "data-none" in client.get(path_of(request_id) + "?times=none").text


def test_who_has_no_visit_yet_chooses_the_first_time(company: dict[str, int], client: FlaskClient) -> None:
    request_id = report(company, severity="degraded")

    def work() -> None:
        request = session.get_one(ServiceRequest, request_id)
        triage.triage_request(request, priority="P2", work_type="gearbox_seal_change", at=now())

    write(work)
    assert "选择上门时间" in client.get(path_of(request_id)).text
    chosen = times(client, request_id)[0]
    starts_at, offer_id = chosen.starts_at, chosen.id
    assert post(client, request_id, "time", offer=offer_id).status_code == 302
    visit = queries.tracked(request_of(request_id)).visit
    assert visit is not None
    assert (visit.starts_at, visit.state, visit.confirmed_at) == (starts_at, "scheduled", now())
    assert post(client, request_id, "time", offer=offer_id).status_code == 302


def test_a_message_sent_twice_is_kept_once(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id = report(company)
    for _press in range(2):
        assert post(client, request_id, "messages", words="几点到？").status_code == 302
    clock.advance(minutes=5)
    post(client, request_id, "messages", words="几点到？")
    assert session.scalar(select(func.count(ThreadMessage.id))) == 2
    assert "几点到？" in client.get(path_of(request_id)).text


def test_an_empty_message_asks_for_words(company: dict[str, int], client: FlaskClient) -> None:
    assert post(client, report(company), "messages", words=" ").status_code == 422
    assert post(client, report(company, description="二"), "messages", words="x" * 5000).status_code == 422


def test_signing_off_twice_closes_once(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id = resolved(company, clock)
    for _press in range(2):
        assert post(client, request_id, "sign-off").status_code == 302
    assert (request_of(request_id).state, request_of(request_id).signed_off_at) == ("closed", now())


def test_what_is_not_finished_cannot_be_signed_off(company: dict[str, int], client: FlaskClient) -> None:
    request_id = report(company)
    assert post(client, request_id, "sign-off").status_code == 409
    assert request_of(request_id).state == "new"


def test_two_signatures_at_once_close_once(app: Flask, company: dict[str, int], clock: Clock) -> None:
    request_id = resolved(company, clock)
    path, answers = path_of(request_id), []
    session.remove()

    def press() -> None:
        with app.app_context():
            answers.append(app.test_client().post(f"{path}/sign-off").status_code)

    threads = [Thread(target=press) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    assert request_of(request_id).state == "closed"


def test_reopening_starts_the_line_anew(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id = resolved(company, clock)
    post(client, request_id, "sign-off")
    for _press in range(2):
        assert post(client, request_id, "reopen", reason="又漏了").status_code == 302
    assert request_of(request_id).state == "reopened"
    shown = queries.tracked(request_of(request_id))
    assert (shown.now_step.code, shown.visit) == ("received", None)
    assert post(client, resolved_again(company, clock), "reopen", reason="").status_code == 422


def resolved_again(company: dict[str, int], clock: Clock) -> int:
    """Another request that is resolved, by rows."""
    request_id = report(company, description="第二台", receipt_key="again")

    def end() -> None:
        done = {"state": "resolved", "restored_at": now(), "resolved_at": now()}
        session.execute(update(ServiceRequest).where(ServiceRequest.id == request_id).values(**done))

    write(end)
    return request_id


def test_after_30_days_the_fault_is_reported_anew(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id = resolved(company, clock)
    path = path_of(request_id)
    clock.advance(days=31)
    answer = client.post(f"{path}/reopen", data={"reason": "又漏了"})
    assert answer.status_code in (404, 409)


def test_rating_on_one_screen(company: dict[str, int], client: FlaskClient, clock: Clock) -> None:
    request_id = resolved(company, clock)
    scores = dict.fromkeys(feedback.dimensions(), "5")
    assert 'name="reliability"' in client.get(path_of(request_id)).text
    assert post(client, request_id, "survey", comment="很快", **scores).status_code == 302
    assert post(client, request_id, "survey", **scores).status_code == 409
    survey = session.scalars(select(Survey)).one()
    assert (survey.words, survey.scores) == ("很快", dict.fromkeys(feedback.dimensions(), 5))


@pytest.mark.parametrize("score", ["", "0", "6", "x", "55"])
def test_a_rating_without_stars_is_refused(
    company: dict[str, int], client: FlaskClient, clock: Clock, score: str
) -> None:
    request_id = resolved(company, clock)
    answer = post(client, request_id, "survey", reliability=score, comment="还行吧")
    assert answer.status_code == 422
    assert "还行吧" in answer.text


def test_a_cancelled_request_says_so(company: dict[str, int], client: FlaskClient) -> None:
    request_id = report(company)
    write(lambda: intake.cancel(session.get_one(ServiceRequest, request_id), "误报", now()))
    assert "此请求已取消" in client.get(path_of(request_id)).text
