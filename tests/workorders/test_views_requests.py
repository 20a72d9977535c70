"""A request's page: the customer's words, hints, conversation, and the triage form."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.messages import Message
from fieldservice.workorders.models import WorkOrder
from tests import factories
from tests.mechanisms.people_and_things import statements, threads
from tests.workorders.desk import Numbers, finish_pictures, fresh, make_company, post, token

READERS = ("agent", "dispatcher", "station_manager", "director", "quality")
TRIAGERS = ("agent", "dispatcher", "station_manager")


@pytest.fixture
def company(app: Flask) -> Numbers:
    return make_company()


def triage_of(client: Any, number: str, **fields: Any) -> Any:
    given = {"priority": "P1", "work_type": "gearbox_seal_change", **fields}
    return post(client, f"/requests/{number}/triage", **given)


@pytest.mark.parametrize("role", READERS)
def test_readers_see_words_promises_and_facts(company: Numbers, sign_in: Any, role: str) -> None:
    page = sign_in(role, company.station).get(f"/requests/{company.request}?lang=en")
    assert page.status_code == 200
    for shown in ("减速机输出轴往下滴油", "No. 2 mill gearbox", "Shengyuan Steel", "VIP", "Arrival", "139 1234 0608"):
        assert shown in page.text
    assert ("Make a work order" in page.text) is (role in TRIAGERS)


@pytest.mark.parametrize("role", ["technician", "storekeeper", "admin", "customer"])
def test_others_are_refused(company: Numbers, sign_in: Any, role: str) -> None:
    assert sign_in(role, company.station).get(f"/requests/{company.request}").status_code == 403


@pytest.mark.parametrize("role", ["director", "quality"])
def test_readers_do_not_triage(company: Numbers, sign_in: Any, role: str) -> None:
    client = sign_in(role, company.station)
    assert triage_of(client, company.request).status_code == 403
    assert fresh(ServiceRequest, company.request).state == "new"


def test_another_stations_request_is_not_found(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    assert client.get(f"/requests/{company.far_request}").status_code == 404
    assert client.get(f"/requests/{company.far_request}/brings?work_type=spindle_repair").status_code == 404
    assert triage_of(client, company.far_request).status_code == 404
    for act in ("remote", "fixed", "duplicate", "cancel", "messages"):
        assert post(client, f"/requests/{company.far_request}/{act}", reason="x", words="x").status_code == 404


def test_reading_everywhere_is_not_acting_everywhere(company: Numbers, sign_in: Any) -> None:
    from fieldservice.accounts.models import User
    from fieldservice.accounts.services import grant_role

    client = sign_in("director", None)
    write(lambda: grant_role(session.query(User).one(), "dispatcher", company.station))
    page = client.get(f"/requests/{company.far_request}?lang=en")
    assert page.status_code == 200
    assert "Make a work order" not in page.text
    assert triage_of(client, company.far_request).status_code == 403
    assert triage_of(client, company.request).status_code == 303


def test_q_08_the_words_stay_as_they_were_written(company: Numbers, sign_in: Any) -> None:
    words = "他说：<b>“漏油”</b> & 很急\n第二行"
    number = write(lambda: factories.request(session.get(factories.Asset, company.asset), description=words).number)
    client = sign_in("dispatcher", company.station)
    page = client.get(f"/requests/{number}").text
    assert "他说：&lt;b&gt;“漏油”&lt;/b&gt; &amp; 很急\n第二行" in page
    assert triage_of(client, number, description="anders").status_code == 303
    assert fresh(ServiceRequest, number).description == words


# Triage ---------------------------------------------------------------------------------------------


def test_triage_leads_to_the_order(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    answer = triage_of(client, company.request)
    order = session.query(WorkOrder).one()
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/work-orders/{order.number}"
    assert (order.state, order.priority, order.duration_min) == ("ready", "P1", 150)
    assert order.number in client.get(answer.headers["Location"]).text


def test_the_type_that_fits_the_words_is_chosen_already(company: Numbers, sign_in: Any) -> None:
    page = sign_in("agent", company.station).get(f"/requests/{company.request}?lang=en").text
    assert '<option value="gearbox_seal_change" selected>' in page
    assert page.index("Fits the words") < page.index('label="Coatings"')
    assert "2 h 30 min" in page  # what it brings


def test_what_a_type_brings_is_fetched(company: Numbers, sign_in: Any) -> None:
    client = sign_in("agent", company.station)
    part = client.get(f"/requests/{company.request}/brings?work_type=spindle_repair&lang=en")
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div id="brings"')
    assert "4 h" in part.text
    assert "SP-GREASE-1" in part.text
    assert client.get(f"/requests/{company.request}/brings?work_type=unknown").status_code == 422


def test_g_15_severity_sets_the_priority_and_lowering_it_needs_a_reason(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    page = client.get(f"/requests/{company.request}?lang=en").text
    assert re.search(r'value="P1" checked', page)  # a VIP's, but set by line_stop
    refused = triage_of(client, company.request, priority="P3")
    assert refused.status_code == 422
    assert 'value="P3" checked' in refused.text  # what was chosen is kept
    assert 'aria-invalid="true" aria-describedby="reason-error"' in refused.text
    assert fresh(ServiceRequest, company.request).state == "new"
    assert triage_of(client, company.request, priority="P3", reason="备用机在运行").status_code == 303
    assert session.query(WorkOrder).one().priority_reason == "备用机在运行"


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", "P9"), ("priority", ""), ("work_type", "x"), ("work_type", ""), ("reason", "长" * 999)],
)
def test_a_triage_that_cannot_be_meant_is_refused_with_what_was_typed(
    company: Numbers, sign_in: Any, field: str, value: str
) -> None:
    client = sign_in("dispatcher", company.station)
    assert triage_of(client, company.request, **{field: value}).status_code == 422
    assert fresh(ServiceRequest, company.request).state == "new"


def test_two_dispatchers_triage_at_once_and_one_wins(app: Flask, company: Numbers, sign_in: Any) -> None:
    clients = [sign_in("dispatcher", company.station) for _number in range(2)]
    tokens = [token(client) for client in clients]

    def press(number: int) -> int:
        fields = {"csrf_token": tokens[number], "priority": "P1", "work_type": "gearbox_seal_change"}
        return int(clients[number].post(f"/requests/{company.request}/triage", data=fields).status_code)

    assert sorted(threads(app, press, 2)) == [303, 409]
    session.rollback()
    assert session.query(WorkOrder).count() == 1


def test_the_loser_is_shown_the_order_that_was_made(company: Numbers, sign_in: Any) -> None:
    first, second = sign_in("dispatcher", company.station), sign_in("dispatcher", company.station)
    triage_of(first, company.request)
    late = triage_of(second, company.request)
    assert late.status_code == 409
    assert 'role="alert"' in late.text
    assert session.query(WorkOrder).one().number in late.text


# Hints ----------------------------------------------------------------------------------------------


def test_the_same_machine_again_is_hinted_and_marked_by_one_press(company: Numbers, sign_in: Any, clock: Clock) -> None:
    clock.advance(hours=3)
    again = write(
        lambda: factories.request(session.get(factories.Asset, company.asset), description="还在漏油，更厉害了").number
    )
    client = sign_in("agent", company.station)
    page = client.get(f"/requests/{again}?lang=en").text
    assert "Still open" in page
    assert company.request in page
    assert post(client, f"/requests/{again}/duplicate", duplicate_of=company.request).status_code == 303
    assert fresh(ServiceRequest, again).state == "duplicate"
    assert company.request in client.get(f"/requests/{again}").text


@pytest.mark.parametrize("number", ["", "SR-2026-999999", "x\x00y", "长" * 400])
def test_an_unknown_first_report_is_refused(company: Numbers, sign_in: Any, number: str) -> None:
    client = sign_in("agent", company.station)
    answer = post(client, f"/requests/{company.request}/duplicate", duplicate_of=number)
    assert answer.status_code == 422
    assert fresh(ServiceRequest, company.request).state == "new"


def test_worse_words_than_the_severity_are_hinted(company: Numbers, sign_in: Any) -> None:
    number = write(
        lambda: (
            factories.request(
                session.get(factories.Asset, company.asset), description="整条生产线停线了，请马上来", severity="minor"
            ).number
        )
    )
    page = sign_in("agent", company.station).get(f"/requests/{number}?lang=en").text
    assert "The words speak for “Line stopped”" in page


# Without a visit -------------------------------------------------------------------------------------


def test_j_13_helping_by_phone_closes_without_a_visit(company: Numbers, sign_in: Any) -> None:
    client = sign_in("agent", company.station)
    assert post(client, f"/requests/{company.request}/remote").status_code == 303
    assert fresh(ServiceRequest, company.request).state == "remote"
    assert post(client, f"/requests/{company.request}/fixed").status_code == 303
    found = fresh(ServiceRequest, company.request)
    assert found.state == "resolved"
    assert session.query(WorkOrder).count() == 0
    assert all(clock.stopped_at is not None for clock in clocks.of(found))


def test_cancelling_needs_a_reason(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    refused = post(client, f"/requests/{company.request}/cancel", reason=" ")
    assert refused.status_code == 422
    assert post(client, f"/requests/{company.request}/cancel", reason="客户自己修好了").status_code == 303
    assert fresh(ServiceRequest, company.request).state == "cancelled"
    assert "客户自己修好了" in client.get(f"/requests/{company.request}").text


def test_a_step_the_state_does_not_allow_is_refused(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    triage_of(client, company.request)
    assert post(client, f"/requests/{company.request}/duplicate", duplicate_of=company.request).status_code in (
        409,
        422,
    )
    assert post(client, f"/requests/{company.request}/remote").status_code == 409


# The conversation ------------------------------------------------------------------------------------


def test_our_reply_is_the_first_answer_and_the_customer_is_told(company: Numbers, sign_in: Any) -> None:
    client = sign_in("agent", company.station, name="田雨")
    assert post(client, f"/requests/{company.request}/messages", words="我们 11:00 前到。").status_code == 303
    found = fresh(ServiceRequest, company.request)
    said = session.query(ThreadMessage).one()
    assert (said.author, said.words) == ("staff", "我们 11:00 前到。")
    assert "first_answer" in {clock.kind for clock in clocks.of(found) if clock.state == "kept"}
    assert "message_for_customer" in {message.template for message in session.query(Message)}
    page = client.get(f"/requests/{company.request}").text
    assert "我们 11:00 前到。" in page
    assert "田雨" in page


@pytest.mark.parametrize("words", ["", "  ", "x" * 2001])
def test_an_empty_or_endless_reply_is_refused_and_kept(company: Numbers, sign_in: Any, words: str) -> None:
    client = sign_in("agent", company.station)
    answer = post(client, f"/requests/{company.request}/messages", words=words)
    assert answer.status_code == 422
    assert words.strip() in answer.text
    assert session.query(ThreadMessage).count() == 0


# Pictures --------------------------------------------------------------------------------------------


def picture() -> files.Received:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), "steelblue").save(content, "JPEG")
    content.seek(0)
    return files.receive(content, "leak.jpg")


def test_photos_are_shown_when_ready_and_only_to_those_who_see_the_request(
    company: Numbers, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = picture()

    def work() -> int:
        found = session.query(ServiceRequest).filter_by(number=company.request).one()
        return files.attach(received, found, at=found.received_at).id

    file_id = write(work)
    client = sign_in("dispatcher", company.station)
    address = f"/requests/{company.request}/files/{file_id}"
    assert "Being processed" in client.get(f"/requests/{company.request}?lang=en").text
    assert client.get(address).status_code == 409
    finish_pictures(monkeypatch)
    assert address in client.get(f"/requests/{company.request}").text
    assert client.get(f"{address}?small=1").mimetype.startswith("image/")
    assert client.get(f"/requests/{company.request}/files/{file_id + 1}").status_code == 404
    assert sign_in("dispatcher", company.far_station).get(address).status_code == 404
    other = f"/requests/{company.far_request}/files/{file_id}"
    assert sign_in("director", None).get(other).status_code == 404  # not a file of that request


# How much it asks of the database ----------------------------------------------------------------------


def test_a_long_story_takes_no_more_statements(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    client.get(f"/requests/{company.request}")
    with statements() as few:
        client.get(f"/requests/{company.request}")

    def grow() -> None:
        from fieldservice.intake.services import write_message

        found = session.query(ServiceRequest).filter_by(number=company.request).one()
        machine = session.get(factories.Asset, company.asset)
        for number in range(12):
            write_message(found, author="customer", words=f"第 {number} 条", at=found.received_at)
            factories.request(machine, description=f"又漏油 {number}", received_at=found.received_at)

    write(grow)
    with statements() as many:
        assert client.get(f"/requests/{company.request}").status_code == 200
    assert len(many) <= len(few) + 1  # the names of who wrote


# Changing what the work type brings ----------------------------------------------------------------------


def test_skills_and_parts_of_the_type_can_be_changed(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    page = client.get(f"/requests/{company.request}?lang=en").text
    assert 'name="skill-gearbox"' in page
    assert 'name="part-OS-TC-180"' in page
    changed = {"brings": "gearbox_seal_change", "skill-gearbox": "3", "more_skill": "hydraulics", "more_level": "1"}
    fields = {"part-OS-TC-180": "2", "needed-OS-TC-180": "1"}
    assert triage_of(client, company.request, **changed, **fields).status_code == 303
    order = session.query(WorkOrder).one()
    assert order.skills == {"gearbox": 3, "hydraulics": 1}
    assert [(int(item.quantity), item.required) for item in order.items] == [(2, True)]


def test_parts_of_another_type_are_never_carried_along(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    fields = {"work_type": "gearbox_seal_change", "brings": "spindle_repair", "skill-spindle": "3", "part-X-1": "9"}
    assert triage_of(client, company.request, **fields).status_code == 303
    assert session.query(WorkOrder).one().skills == {"gearbox": 2}


def test_changes_that_cannot_be_meant_are_refused_and_kept(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    for fields in (
        {"part-OS-TC-180": "-1"}, {"part-OS-TC-180": "NaN"}, {"part-OS-TC-180": "viel"}, {"part-OS-TC-180": "9" * 99},
        {"more_part": "NONE-1"}, {"skill-gearbox": "9"}, {"skill-nothing": "1"}, {"more_skill": "nothing"},
    ):  # fmt: skip
        answer = triage_of(client, company.request, brings="gearbox_seal_change", **fields)
        assert answer.status_code == 422, fields
        if "more_part" in fields:
            assert 'value="NONE-1"' in answer.text
    assert fresh(ServiceRequest, company.request).state == "new"


def test_planned_work_may_be_agreed_for_a_day(company: Numbers, sign_in: Any) -> None:
    client = sign_in("dispatcher", company.station)
    fields = {"priority": "P4", "reason": "停机检修时一起做"}
    for day in ("2026-02-30", "2020-01-01", "morgen"):
        answer = triage_of(client, company.request, planned_for=day, **fields)
        assert (answer.status_code, "day-error" in answer.text) == (422, True), day
    assert triage_of(client, company.request, planned_for="2026-12-10", **fields).status_code == 303
    ignored = write(lambda: factories.request(session.get(factories.Asset, company.asset)).number)
    assert triage_of(client, ignored, planned_for="morgen").status_code == 303  # P1: the day is not asked
