"""The report form: one page, few fields, nothing typed is lost, never two requests from one press."""

from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import limiter
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages import Message
from fieldservice.stations.queries import station_by_code
from tests.intake.conftest import SERIAL, Wuxi
from tests.intake.pages import Page
from tests.test_closed_gate import signed_in

HOSTILE = (
    "\x07", "a\x00b", "9" * 400, "1e999", "-1", "'; DROP TABLE service_request; --", "<script>alert(1)</script>",
    "{{ 7*7 }}", "%(x)s", "🛠️" * 40, "‮txt.exe", "长" * 5000, "../../etc/passwd", "null", "[]",
)  # fmt: skip
FIELDS = (
    "name", "phone", "email", "description", "severity", "serial", "address", "division_code", "division_asked",
    "latitude", "receipt", "held",
)  # fmt: skip


def one() -> ServiceRequest:
    return session.scalars(select(ServiceRequest)).one()


def count() -> int:
    return session.scalar(select(func.count(ServiceRequest.id))) or 0


def picture(colour: tuple[int, int, int] = (200, 60, 60)) -> BytesIO:
    stream = BytesIO()
    Image.new("RGB", (64, 48), colour).save(stream, "JPEG")
    stream.seek(0)
    return stream


def test_J_11_the_form_makes_a_request_with_its_promises(
    wuxi: Wuxi, client: FlaskClient, typed: dict[str, Any]
) -> None:
    answer = client.post("/report", data=typed)
    assert answer.status_code == 303
    found = one()
    assert (found.station_id, found.priority, found.channel) == (wuxi.station, "P2", "portal")
    assert found.contact_phone == "13912345678"
    assert {clock.kind for clock in clocks.of(found)} == {"first_answer", "arrival", "restore"}
    assert session.scalars(select(Message.channel)).all() == ["sms"]
    done = client.get(answer.headers["Location"])
    shown = Page(done)
    assert shown.one("p", class_="intake-number").text == found.number
    assert shown.one("a", href=f"/t/{link_token('track', found.number)}")
    promises = [line.text for line in shown.all("li", within="main")]
    assert [word in line for word, line in zip(("11:00", "18:30", "周四 10:30"), promises, strict=True)] == [True] * 3


def test_T_04_T_05_due_and_quoted_times_are_both_told(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    client.post("/report", data=typed)

    def quote() -> None:
        arrival = next(clock for clock in clocks.of(one()) if clock.kind == "arrival")
        arrival.quoted_at = arrival.started_at.replace(hour=9)  # 17:30 here

    write(quote)
    shown = client.get(f"/report/done/{link_token('track', one().number)}?lang=en").get_data(as_text=True)
    assert "usually by 17:30, promised by 18:30" in shown


def test_T_05_a_report_at_night_is_restored_by_the_next_night(
    wuxi: Wuxi, client: FlaskClient, typed: dict[str, Any], clock: Clock
) -> None:
    clock.advance(hours=12, minutes=30)
    client.post("/report", data={**typed, "severity": "line_stop"})
    limits = {clock.kind: clock.due_at - clock.started_at for clock in clocks.of(one())}
    assert limits["restore"].total_seconds() == 24 * 3600
    assert limits["arrival"].total_seconds() == 4 * 3600


def test_at_most_five_fields_are_needed(sqlite_app: Flask, wuxi: Wuxi) -> None:
    client = sqlite_app.test_client()
    for path, most in (("/report", 5), (f"/a/{link_token('asset', str(wuxi.machine))}", 4)):
        needed = {field["name"] for field in Page(client.get(path)).all(has="required")}
        assert len(needed) <= most
        assert needed <= {"description", "severity", "address", "name", "phone"}


def test_a_refused_form_keeps_everything_typed(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    given = {**typed, "phone": "1391234567", "serial": "ZZ-1", "email": "li@example.com"}
    answer = sqlite_app.test_client().post("/report", data=given)
    assert (answer.status_code, count()) == (422, 0)
    page = Page(answer)
    assert page.one(id="description").text == given["description"]
    for name in ("name", "phone", "serial", "email", "address"):
        assert page.one("input", name=name)["value"] == given[name]
    assert page.one(name="severity", has="checked")["value"] == given["severity"]
    assert page.one("a", href="#phone")
    assert page.one(id="phone")["aria-invalid"] == "true"
    assert "少一位" in page.one(id="phone-error").text
    assert page.one(name="receipt")["value"]


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_values_are_answered_kindly(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any], field: str) -> None:
    client = sqlite_app.test_client()
    for value in HOSTILE:
        limiter.reset()
        answer = client.post("/report", data={**typed, field: value})
        assert answer.status_code in (303, 422), (field, value[:20])
        assert "<script>alert" not in answer.get_data(as_text=True)


# Once -------------------------------------------------------------------------------------------------


def test_a_double_submit_makes_one_request(app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    start, answers = Barrier(4), []

    def send() -> None:
        with app.app_context():
            start.wait()
            answers.append(app.test_client().post("/report", data={**typed, "receipt": "same"}))

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert count() == 1
    assert {(answer.status_code, answer.headers.get("Location")) for answer in answers} == {
        (303, f"/report/done/{link_token('track', one().number)}")
    }
    assert session.scalar(select(func.count(Message.id))) == 1


def test_back_edit_and_send_is_another_report(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    client.post("/report", data={**typed, "receipt": "same"})
    client.post("/report", data={**typed, "receipt": "same", "description": "另一台也坏了"})
    client.post("/report", data={**typed, "receipt": "same", "name": "李强 "})
    assert count() == 2


# Machines ---------------------------------------------------------------------------------------------


def test_the_qr_code_fills_machine_site_and_warranty(wuxi: Wuxi, client: FlaskClient, typed: dict[str, Any]) -> None:
    path = f"/a/{link_token('asset', str(wuxi.machine))}"
    page = client.get(f"{path}?lang=zh").get_data(as_text=True)
    for text in ("2# 轧机减速机", "热轧车间", SERIAL, "质保至 2027年12月", "2 小时内到场"):
        assert text in page  # the last is a VIP's own promise
    del typed["address"]
    answer = client.post(path, data=typed)
    assert answer.status_code == 303
    assert (one().asset_id, one().customer_id, one().channel) == (wuxi.machine, wuxi.customer, "asset_qr")


@pytest.mark.parametrize("token", ["x", "1.abc", "9" * 40, "1." + "A" * 27, "🛠️"])
def test_a_code_that_is_not_ours_leads_nowhere(sqlite_app: Flask, wuxi: Wuxi, token: str) -> None:
    client = sqlite_app.test_client()
    assert client.get(f"/a/{token}").status_code == 404
    assert client.post(f"/a/{token}", data={}).status_code == 404


def test_a_typed_serial_tells_the_machine_but_not_whose_it_is(
    sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]
) -> None:
    client = sqlite_app.test_client()
    part = client.get("/report/machine?serial=mc3+18+20457").get_data(as_text=True)
    assert "2# 轧机减速机" in part
    for secret in ("盛源", "热轧", "新吴", "何工"):
        assert secret not in part
    assert "没有这个序列号" in client.get("/report/machine?serial=ZZ-1").get_data(as_text=True)
    looked = client.post("/report", data={**typed, "serial": SERIAL, "look": "1"})  # without scripts
    assert looked.status_code == 200
    assert "2# 轧机减速机" in looked.get_data(as_text=True)
    assert count() == 0
    del typed["address"]
    assert client.post("/report", data={**typed, "serial": "mc3 18 20457"}).status_code == 303
    assert one().asset_id == wuxi.machine


def test_an_unknown_serial_is_accepted_with_its_address(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    assert sqlite_app.test_client().post("/report", data={**typed, "serial": "ZZ-1"}).status_code == 303
    assert (one().serial_given, one().asset_id) == ("ZZ-1", None)


# Places -----------------------------------------------------------------------------------------------


def test_an_unclear_place_is_asked_back_and_then_taken(wuxi: Wuxi, client: FlaskClient, typed: dict[str, Any]) -> None:
    given = {**typed, "address": "西湖区文三路90号"}
    answer = client.post("/report", data=given)
    assert answer.status_code == 422
    labels = {choice.text for choice in Page(answer).all(within="division_code", class_="choice")}
    assert labels == {"浙江省杭州市西湖区", "江西省南昌市西湖区"}
    assert client.post("/report", data={**given, "division_code": "330106"}).status_code == 303
    assert one().division_code == "330106"


def test_a_place_nobody_knows_is_picked_step_by_step_without_scripts(
    sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]
) -> None:
    client, given = sqlite_app.test_client(), {**typed, "address": "厂区后门"}
    steps = [("320000", "江苏省"), ("320200", "无锡市"), ("320214", "新吴区")]
    for code, name in steps:
        answer = client.post("/report", data=given)
        assert answer.status_code == 422
        page = Page(answer)
        assert page.one("option", value=code).text == name
        given |= {"division_code": code, "division_asked": page.one(name="division_asked")["value"]}
    assert client.post("/report", data=given).status_code == 303
    assert (one().division_code, one().precision) == ("320214", "county")


def test_the_part_of_the_place_tells_how_an_address_is_read(sqlite_app: Flask) -> None:
    client = sqlite_app.test_client()
    assert "江苏省无锡市新吴区" in client.get("/report/place", query_string={"address": "无锡新吴区长江路"}).get_data(
        as_text=True
    )
    assert 'type="radio"' in client.get("/report/place", query_string={"address": "西湖区文三路"}).get_data(
        as_text=True
    )
    for value in HOSTILE:
        answer = client.get("/report/place", query_string={"address": value, "division_code": value, "latitude": value})
        assert answer.status_code in (200, 422)


def test_the_position_of_the_phone_is_enough(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    given = {**typed, "address": "", "latitude": "31.55", "longitude": "120.36"}
    assert sqlite_app.test_client().post("/report", data=given).status_code == 303
    assert (one().precision, one().latitude) == ("point", 31.55)


def test_with_no_station_open_the_form_comes_back(sqlite_app: Flask, typed: dict[str, Any]) -> None:
    answer = sqlite_app.test_client().post("/report", data=typed)
    assert answer.status_code == 409
    assert "热线" in answer.get_data(as_text=True)
    assert typed["description"] in answer.get_data(as_text=True)


# Photos -----------------------------------------------------------------------------------------------


def test_photos_are_kept_by_a_refused_form(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    answer = client.post(
        "/report", data={**typed, "phone": "1", "photos": [(picture(), "a.jpg"), (picture((1, 2, 3)), "b.jpg")]}
    )
    held = [field["value"] for field in Page(answer).all(name="held")]
    assert len(held) == 2
    assert client.post("/report", data={**typed, "held": held}).status_code == 303
    stored = files.files_of([one()])["service_request", one().id]
    assert [(file.name, file.state) for file in stored] == [("a.jpg", "received"), ("b.jpg", "received")]


def test_what_is_no_photo_is_told_beside_the_field(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    answer = client.post(
        "/report", data={**typed, "photos": [(BytesIO(b"MZ not a picture"), "virus.jpg"), (picture(), "a.jpg")]}
    )
    page = Page(answer)
    assert answer.status_code == 422
    assert "JPEG" in page.one(id="photos-error").text
    assert len(page.all(name="held")) == 1  # the good one is not lost


def test_at_most_ten_photos(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    photos = [(picture((n, n, n)), f"{n}.jpg") for n in range(11)]
    answer = sqlite_app.test_client().post("/report", data={**typed, "photos": photos})
    assert (answer.status_code, count()) == (422, 0)


# The edge ---------------------------------------------------------------------------------------------


def test_five_reports_a_minute_from_one_address(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    answers = [client.post("/report", data={**typed, "description": f"故障 {n}"}).status_code for n in range(6)]
    assert answers == [303] * 5 + [429]
    body = {
        "contact": {"name": "Li", "phone": "13912345678"},
        "description": "x y",
        "severity": "minor",
        "site": {"division_code": "320214"},
    }
    assert client.post("/api/v1/service-requests", json=body).status_code == 429  # one count for all ways
    assert count() == 5


def test_a_correction_does_not_cost_a_report(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    for _try in range(8):
        assert client.post("/report", data={**typed, "phone": "1"}).status_code == 422
    assert client.post("/report", data=typed).status_code == 303


def test_staff_on_the_public_form_need_their_token(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client, token = signed_in(sqlite_app, "agent")
    assert client.post("/report", data=typed).status_code == 403
    assert Page(client.get("/report")).one("input", name="csrf_token")
    assert client.post("/report", data={**typed, "csrf_token": token}).status_code == 303


def test_another_site_cannot_send_the_form(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    answer = sqlite_app.test_client().post("/report", data=typed, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_speaks_the_customers_language(
    sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any], language: str
) -> None:
    sqlite_app.test_client().post(f"/report?lang={language}", data=typed)
    assert one().language == language


def test_the_confirmation_is_private(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    client = sqlite_app.test_client()
    client.post("/report", data=typed)
    number = one().number
    for token in (number, f"{number}.x", link_token("asset", number), "x" * 400):
        assert client.get(f"/report/done/{token}").status_code == 404


def test_a_limited_station_still_takes_reports(sqlite_app: Flask, wuxi: Wuxi, typed: dict[str, Any]) -> None:
    write(lambda: move(station_by_code("WXXW"), "limited", at=now()))
    assert sqlite_app.test_client().post("/report", data=typed).status_code == 303
