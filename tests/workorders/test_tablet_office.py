"""Tablets as the office sees them: devices with what waits on them, and entries that somebody has to look at."""

import re
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.accounts.models import ApiToken, SignIn
from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.events import Event, notes_of
from fieldservice.parts.queries import unbalanced
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import PartUse, TabletCommand
from fieldservice.workorders.tablet import review_list
from fieldservice.workorders.tablet.kinds import KINDS
from fieldservice.workorders.tablet.models import TabletDevice
from tests.conftest import make_user
from tests.mechanisms.people_and_things import statements
from tests.workorders.desk import post
from tests.workorders.on_tour import SEAL, another_technician, make_tour
from tests.workorders.scene import make_station
from tests.workorders.test_tablet_commands import Tablet

WAITING = {"commands": 3, "uploads": 2, "held": 0, "oldest_at": None}


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    return Tablet(sqlite_app, make_tour())


@pytest.fixture
def office(app: Flask, tablet: Tablet, sign_in: Any) -> FlaskClient:
    return sign_in("dispatcher", tablet.tour.station_id)  # type: ignore[no-any-return]  # the fixture's own client


def hello(tablet: Tablet, status: int = 200, device: str = "tab-1", **more: Any) -> Any:
    body = {"device_id": device, "client": 2, "commands": [], **more}
    answer = tablet.http.post("/api/v1/tablet/commands", json=body, headers={**tablet.headers, "User-Agent": IPAD})
    assert answer.status_code == status, answer.text
    return answer.json


IPAD = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1"


def device() -> TabletDevice:
    session.rollback()
    return session.scalars(select(TabletDevice)).one()


def entry() -> TabletCommand:
    session.rollback()
    return session.scalars(select(TabletCommand).order_by(TabletCommand.id.desc()).limit(1)).one()


def events(start: str) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Event.kind).where(Event.kind.startswith(start)).order_by(Event.id)))


# Devices ---------------------------------------------------------------------------------------------------


def test_an_exchange_tells_how_the_tablet_fares(tablet: Tablet, clock: Clock) -> None:
    oldest = now() - timedelta(hours=9)
    report = {
        "waiting": {**WAITING, "oldest_at": oldest.isoformat()}, "offset_ms": -1500,
        "storage": {"persisted": False, "usage": 5 * 2**20, "quota": 2**30},
    }  # fmt: skip
    assert hello(tablet, report=report)["device"] == {"state": "active"}
    one = device()
    assert (one.waiting, one.oldest_waiting_at, one.persisted, one.offset_ms) == (5, oldest, False, -1500)
    assert (one.client, one.last_sync_at, one.station_id) == (2, None, tablet.tour.station_id)
    clock.advance(minutes=2)
    hello(tablet, report={"waiting": {"commands": 0}})
    one = device()
    assert (one.waiting, one.last_sync_at, one.last_seen_at, one.oldest_waiting_at) == (0, now(), now(), None)
    assert one.persisted is False, "what was not told again stays"
    assert events("tablet_device.") == ["tablet_device.added"]


def test_nothing_is_written_within_a_minute_while_nothing_changes(tablet: Tablet, clock: Clock) -> None:
    hello(tablet, report={"waiting": WAITING})
    first = device().last_seen_at
    clock.advance(seconds=30)
    hello(tablet, report={"waiting": WAITING, "storage": None, "offset_ms": 80})
    assert device().last_seen_at == first
    hello(tablet, report={"waiting": {**WAITING, "commands": 2}})
    assert device().last_seen_at == now()


@pytest.mark.parametrize("report", [
    {"waiting": {"commands": 2**70, "uploads": -5, "held": 10**12, "oldest_at": "9999-12-31T23:59:59+00:00"},
     "storage": {"usage": 2**80, "quota": -1, "persisted": None}, "offset_ms": -(2**90)},
    {"waiting": {"commands": 1, "oldest_at": "0001-01-01T00:00:00+00:00"}}, {}, None,
])  # fmt: skip
def test_no_report_is_too_odd_to_be_kept(tablet: Tablet, report: Any) -> None:
    hello(tablet, report=report, sent_at="1970-01-01T00:00:00Z")
    assert device().state == "active"


@pytest.mark.parametrize("report", [[], "x", {"waiting": 3}, {"waiting": {}}, {"waiting": {"commands": "many"}},
                                    {"storage": {"persisted": "perhaps"}}, {"offset_ms": "x"}])  # fmt: skip
def test_reports_that_cannot_be_read_are_told(lite: Tablet, report: Any) -> None:
    assert "report" in str(hello(lite, 422, report=report)["errors"])


def test_two_tabs_that_call_at_once_are_one_device(tablet: Tablet, app: Flask) -> None:
    begin, statuses = Barrier(4), []

    def call() -> None:
        with app.app_context():
            client = app.test_client()
            begin.wait()
            body = {"device_id": "tab-1", "commands": []}
            statuses.append(client.post("/api/v1/tablet/commands", json=body, headers=tablet.headers).status_code)

    threads = [Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    assert device().device_id == "tab-1"


def test_a_named_tablet_carries_its_name_and_others_their_browser(app: Flask, tablet: Tablet, office: Any) -> None:
    hello(tablet)
    page = office.get("/tablets/devices?lang=en").text
    assert "Safari, iPad" in page
    write(lambda: session.add(SignIn(
        token_hash="x", user_id=tablet.tour.user_id, content={}, created_at=now(), last_seen_at=now(),
        expires_at=now() + timedelta(days=1), device="Blue iPad 3",
    )))  # fmt: skip
    sign_in_id = session.scalar(select(SignIn.id).where(SignIn.token_hash == "x"))

    def came_by_browser() -> None:
        session.scalars(select(TabletDevice)).one().sign_in_id = sign_in_id
        session.scalars(select(TabletDevice)).one().name = "Blue iPad 3"

    write(came_by_browser)
    assert "Blue iPad 3" in office.get("/tablets/devices").text


# Signing out from afar ------------------------------------------------------------------------------------


def test_asked_to_sign_out_it_sends_everything_first(tablet: Tablet, office: FlaskClient, clock: Clock) -> None:
    hello(tablet, report={"waiting": WAITING})
    url = f"/tablets/devices/{device().id}"
    assert post(office, f"{url}/ask").status_code == 303
    assert "等待平板下次联网" in office.get(url).text
    answer = hello(tablet)
    assert answer["device"] == {"state": "sign_out_asked"}
    note = tablet.command("note", words="最后一条")
    assert tablet.post(note)[0]["status"] == "accepted"
    out = tablet.http.post("/api/v1/tablet/signed-out", json={"device_id": "tab-1"}, headers=tablet.headers)
    assert (out.status_code, out.json) == (200, {})
    assert device().state == "signed_out"
    assert tablet.get("/api/v1/tablet/snapshot").status_code == 401
    assert events("tablet_device.")[1:] == ["tablet_device.sign_out_asked", "tablet_device.signed_out"]
    clock.advance(minutes=1)
    tablet.token = write(lambda: create_token(email="lu@demo.test", name="again"))
    hello(tablet)
    assert device().state == "active"


def test_the_ask_can_be_withdrawn_and_the_tablet_stays(tablet: Tablet, office: FlaskClient) -> None:
    hello(tablet)
    url = f"/tablets/devices/{device().id}"
    post(office, f"{url}/ask")
    post(office, f"{url}/withdraw")
    assert hello(tablet)["device"] == {"state": "active"}
    out = tablet.http.post("/api/v1/tablet/signed-out", json={"device_id": "tab-1"}, headers=tablet.headers)
    assert (out.status_code, out.json["code"]) == (409, "not_asked")  # type: ignore[index]  # a problem
    again = post(office, f"{url}/withdraw")
    assert again.status_code == 409


def test_a_lost_tablet_is_ended_at_once_with_a_reason(tablet: Tablet, office: FlaskClient) -> None:
    hello(tablet)
    url = f"/tablets/devices/{device().id}"
    assert post(office, f"{url}/revoke", reason=" ").status_code == 422
    assert device().state == "active"
    assert post(office, f"{url}/revoke", reason="在工地丢失").status_code == 303
    page = office.get(url).text
    assert "未发送的记录仍在平板上" in page
    assert "在工地丢失" in page, "the history says why"
    assert device().state == "revoked"
    assert hello(tablet, 401)["code"] == "token_unknown"
    assert session.scalar(select(func.count(ApiToken.id)).where(ApiToken.revoked_at.is_(None))) == 0
    assert post(office, f"{url}/revoke", reason="again").status_code == 409


def test_a_browsers_sign_in_is_ended_the_same_way(app: Flask, tablet: Tablet, office: FlaskClient) -> None:
    page = browser_of(app, tablet)
    body = {"device_id": "tab-2", "commands": [], "client": 2}
    assert page.post("/tablet/commands", json=body, headers=csrf(page)).status_code == 200
    post(office, f"/tablets/devices/{device().id}/ask")
    answer = page.post("/tablet/commands", json=body, headers=csrf(page))
    assert answer.json["device"] == {"state": "sign_out_asked"}  # type: ignore[index]
    assert page.post("/tablet/signed-out", json={"device_id": "tab-9"}, headers=csrf(page)).status_code == 404
    assert page.post("/tablet/signed-out", json={"device_id": "tab-2"}, headers=csrf(page)).status_code == 200
    assert page.get("/tablet/snapshot").status_code == 401
    assert device().state == "signed_out"


def browser_of(app: Flask, tablet: Tablet) -> FlaskClient:
    """Lu signed in on the page."""
    from fieldservice.accounts.models import User

    client = app.test_client()
    mark = session.get_one(User, tablet.tour.user_id).fs_uniquifier
    session.rollback()
    with client.session_transaction() as browser:
        browser["_user_id"], browser["fresh_at"] = mark, int(now().timestamp())
    return client


def csrf(client: FlaskClient) -> dict[str, str]:
    return {"X-CSRFToken": client.get("/tablet/session").json["csrf"]}  # type: ignore[index]


WORRIES = [
    ({"waiting": {"commands": 1, "oldest_at": "2026-11-25T01:00:00+08:00"}}, "9 h 30 min", 'data-s="warn"'),
    ({"waiting": {"commands": 1, "oldest_at": "2026-11-23T01:00:00+08:00"}}, "2 d 9 h", 'data-s="bad"'),
    ({"waiting": {"commands": 0, "held": 2}}, "2 set aside", ""),
    ({"storage": {"persisted": False}}, "Storage may be cleared", 'data-s="warn"'),
    ({"storage": {"usage": 9, "quota": 10}}, "Storage 90 % full", 'data-s="warn"'),
    ({"offset_ms": 600_000}, "Clock 10 min slow", 'data-s="warn"'),
    ({"offset_ms": -600_000}, "Clock 10 min fast", 'data-s="warn"'),
]  # fmt: skip


def test_what_should_worry_somebody_is_shown(lite: Tablet, sign_in_lite: FlaskClient) -> None:
    for index, (report, _words, _mark) in enumerate(WORRIES):
        hello(lite, device=f"tab-{index}", report=report)
    page = sign_in_lite.get("/tablets/devices?lang=en").text
    trouble = sign_in_lite.get("/tablets/devices?show=trouble&lang=en").text
    rows = list(reversed(page.split("<tr>")[2:]))
    for row, (report, words, mark) in zip(rows, WORRIES, strict=True):
        assert words in row, (report, row)
        assert mark in row, (report, row)
        assert words in trouble


@pytest.fixture
def sign_in_lite(sqlite_app: Flask, lite: Tablet) -> FlaskClient:
    client = sqlite_app.test_client()
    mark = make_user("dispatcher", lite.tour.station_id).fs_uniquifier
    session.rollback()
    with client.session_transaction() as browser:
        browser["_user_id"], browser["fresh_at"] = mark, int(now().timestamp())
    return client


def test_an_outdated_page_is_shown_and_a_good_tablet_is_no_trouble(lite: Tablet, sign_in_lite: FlaskClient) -> None:
    hello(lite)
    assert "Lu Jianguo" not in sign_in_lite.get("/tablets/devices?show=trouble&lang=en").text
    hello(lite, client=1)
    assert "Page out of date" in sign_in_lite.get("/tablets/devices?show=trouble&lang=en").text
    assert sign_in_lite.get("/tablets/devices?show=x").status_code == 422
    assert sign_in_lite.get("/tablets/devices?after=x").status_code == 422


# Entries to look at ----------------------------------------------------------------------------------------


def test_a_rejected_entry_is_applied_by_hand_once_the_cause_is_mended(tablet: Tablet, office: FlaskClient) -> None:
    tablet.go("accepted")
    early = tablet.command("move", to="on_site")
    result = tablet.post(early)[0]
    assert result["status"] == "rejected"
    assert '<span class="count">1</span>' in office.get("/tablets/reviews").text
    page = post(office, f"/tablets/reviews/{entry().id}/apply", lang="zh")
    assert page.status_code == 409
    assert "任务现为" in page.text
    assert entry().review is None
    tablet.go("en_route")
    assert post(office, f"/tablets/reviews/{entry_of(early).id}/apply", reason="电话确认已到").status_code == 303
    assert tablet.tour.visit.state == "on_site"
    row = entry_of(early)
    assert (row.status, row.review, row.review_reason) == ("rejected", "applied", "电话确认已到")
    assert tablet.post(early)[0] == result, "the tablet's replay is answered as before"
    told = session.scalars(select(Event).where(Event.kind == "tablet.applied")).one()
    assert (told.subject_type, told.subject_id) == ("visit", tablet.tour.visit_id)
    assert told.actor == f"user:{row.reviewed_by}"
    assert notes_of([told]) == {told.id: "电话确认已到"}
    moved = session.scalars(select(Event).where(Event.kind == "visit.on_site")).one()
    assert moved.actor == told.actor
    assert "没有待处理" in office.get("/tablets/reviews").text
    assert "电话确认已到" in office.get("/tablets/reviews?show=done").text


def entry_of(command: dict[str, Any]) -> TabletCommand:
    session.rollback()
    return session.scalars(select(TabletCommand).where(TabletCommand.command_id == command["id"])).one()


def test_a_step_that_no_longer_fits_names_the_state_and_leads_to_the_order(tablet: Tablet, office: FlaskClient) -> None:
    tablet.go("accepted")
    tablet.send("move", to="accepted")
    page = post(office, f"/tablets/reviews/{entry().id}/apply?lang=en")
    assert page.status_code == 409
    assert "the job is now “Accepted”" in page.text
    assert f"/work-orders/{tablet.tour.order.number}" in page.text
    assert entry().review is None


def test_a_step_of_a_job_given_away_is_made_once_it_is_given_back(tablet: Tablet, office: FlaskClient) -> None:
    tablet.go("accepted")
    lu, xu = tablet.tour.technician_id, another_technician(tablet.tour).id

    def give(to: int) -> None:
        booking.reschedule_visit(tablet.tour.visit, technician=session.get_one(Technician, to))
        booking.send_visit(tablet.tour.visit)

    write(lambda: give(xu))
    assert tablet.send("move", to="accepted")["code"] == "reassigned"
    assert "许晓峰" in office.get("/tablets/reviews").text
    refused = post(office, f"/tablets/reviews/{entry().id}/apply")
    assert refused.status_code == 409  # it would be made in Xu's name
    assert tablet.tour.visit.state == "dispatched"
    write(lambda: give(lu))
    assert post(office, f"/tablets/reviews/{entry().id}/apply").status_code == 303
    assert tablet.tour.visit.state == "accepted"


# what a tablet says before the arrival, where it is rejected; then applied once the technician is there
FACTS: list[tuple[str, dict[str, Any]]] = [
    ("answer", {"field": "vibration", "value": "2"}),
    ("part", {"part": SEAL, "quantity": 1}),
    ("photo", {"upload": "photo-1"}),
    ("summary", {"summary": "换了油封"}),
    ("failure", {"pattern": "gearbox_output_seal_leak"}),
    ("signature", {"upload": "sign-1", "name": "何工"}),
]


def test_each_kind_can_be_applied_by_hand(tablet: Tablet, office: FlaskClient) -> None:
    tablet.go("accepted")
    given = [tablet.command(kind, **payload) for kind, payload in FACTS]
    assert {result["code"] for result in tablet.post(*given)} == {"not_at_work"}
    rows = {command["kind"]: entry_of(command).id for command in given}
    page = post(office, f"/tablets/reviews/{rows['part']}/apply")
    assert (page.status_code, entry_of(given[1]).review) == (409, None)
    tablet.go("en_route", "on_site")
    for kind, row_id in rows.items():
        assert post(office, f"/tablets/reviews/{row_id}/apply").status_code == 303, kind
    for command in given:
        row = entry_of(command)
        assert (row.review, row.status, row.detail["code"]) == ("applied", "rejected", "not_at_work")
    assert (tablet.tour.order.summary, tablet.tour.order.pattern) == ("换了油封", "gearbox_output_seal_leak")
    assert tablet.tour.in_van() == 1
    assert tablet.send("part", returns=given[1]["id"])["status"] == "accepted"
    assert tablet.tour.in_van() == 2
    assert unbalanced() == []


def test_two_dispatchers_at_once_apply_it_once(tablet: Tablet, office: FlaskClient, app: Flask, sign_in: Any) -> None:
    tablet.go("accepted")
    tablet.send("part", part=SEAL, quantity=1)
    row_id = entry().id
    tablet.go("en_route", "on_site")
    others = [office, *(sign_in("dispatcher", tablet.tour.station_id) for _ in range(3))]
    tokens = [token_of(client) for client in others]
    begin, statuses = Barrier(4), []

    def press(client: FlaskClient, token: str) -> None:
        with app.app_context():
            begin.wait()
            answer = client.post(f"/tablets/reviews/{row_id}/apply", data={"csrf_token": token})
            statuses.append(answer.status_code)

    threads = [Thread(target=press, args=one) for one in zip(others, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert sorted(statuses) == [303, 409, 409, 409]
    assert session.scalar(select(func.count(PartUse.id))) == 1
    assert events("tablet.applied") == ["tablet.applied"]


def token_of(client: FlaskClient) -> str:
    return client.get("/tablets/reviews").text.split('name="csrf-token" content="')[1].split('"')[0]


def test_dismissing_needs_a_reason_and_noting_none(tablet: Tablet, office: FlaskClient) -> None:
    tablet.send("move", to="on_site")
    rejected = entry().id
    assert post(office, f"/tablets/reviews/{rejected}/note").status_code == 409
    assert post(office, f"/tablets/reviews/{rejected}/dismiss", reason=" ").status_code == 422
    assert post(office, f"/tablets/reviews/{rejected}/dismiss", reason="重复").status_code == 303
    assert post(office, f"/tablets/reviews/{rejected}/dismiss", reason="再来").status_code == 409
    tablet.post(tablet.command("note", now() + timedelta(hours=1), words="时钟"))
    flagged = entry().id
    assert post(office, f"/tablets/reviews/{flagged}/apply").status_code == 409
    assert post(office, f"/tablets/reviews/{flagged}/note").status_code == 303
    assert events("tablet.") == ["tablet.rejected", "tablet.dismissed", "tablet.flagged", "tablet.noted"]


def test_what_concerns_no_job_can_be_read_and_dismissed(tablet: Tablet, office: FlaskClient) -> None:
    tablet.post(tablet.command("note", words="没有这个任务", visit=987654))
    page = office.get("/tablets/reviews").text
    assert "没有这个任务" in page
    assert post(office, f"/tablets/reviews/{entry().id}/apply").status_code == 409
    assert post(office, f"/tablets/reviews/{entry().id}/dismiss", reason="误录").status_code == 303
    told = session.scalars(select(Event).where(Event.kind == "tablet.dismissed")).one()
    assert (told.subject_type, told.station_id) == ("tablet_command", tablet.tour.station_id)


def test_a_kind_of_a_newer_page_can_be_applied_after_an_update(
    tablet: Tablet, office: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = {**tablet.command("note", words="新的"), "kind": "telegram"}
    assert tablet.post(command)[0]["code"] == "malformed"
    assert "新的" in office.get("/tablets/reviews").text
    monkeypatch.setitem(KINDS, "telegram", KINDS["note"])  # type: ignore[arg-type]  # a plain dict
    assert post(office, f"/tablets/reviews/{entry().id}/apply").status_code == 303
    assert events("visit.noted") == ["visit.noted"]


def test_other_stations_see_and_touch_nothing(tablet: Tablet, office: FlaskClient, sign_in: Any) -> None:
    hello(tablet)
    tablet.send("move", to="on_site")
    device_id, row_id = device().id, entry().id
    elsewhere = write(lambda: make_station("NJ")).id
    stranger = sign_in("dispatcher", elsewhere)
    assert "没有待处理" in stranger.get("/tablets/reviews").text
    assert tablet.tour.order.number not in stranger.get("/tablets/reviews").text
    assert f"/tablets/devices/{device_id}" not in stranger.get("/tablets/devices").text
    assert stranger.get(f"/tablets/devices/{device_id}").status_code == 404
    for path in (f"devices/{device_id}/ask", f"devices/{device_id}/revoke", f"reviews/{row_id}/apply",
                 f"reviews/{row_id}/dismiss", f"reviews/{row_id}/note", "reviews/0/apply", f"reviews/{2**70}/note",
                 f"devices/{2**70}/ask"):  # fmt: skip
        assert post(stranger, f"/tablets/{path}", reason="x").status_code == 404, path
    assert (device().state, entry().review) == ("active", None)
    for role, status in (("technician", 403), ("agent", 403), ("station_manager", 200), ("admin", 200)):
        station = None if role == "admin" else tablet.tour.station_id
        assert sign_in(role, station).get("/tablets/reviews").status_code == status
        assert sign_in(role, station).get("/tablets/devices").status_code == status


# Reading -------------------------------------------------------------------------------------------------------

SAID: list[tuple[str, Any, list[str]]] = [
    ("move", {"to": "completed", "restored": True, "open_items": ["复查油位"]}, ["Completed", "Yes", "复查油位"]),
    ("move", {"to": "cannot_complete", "reason": "no_access"}, ["Cannot complete", "No access"]),
    ("answer", {"field": "vibration", "value": "2.10", "note": "冷态"}, ["2.1", "mm/s", "冷态"]),
    ("answer", {"field": "lockout", "value": True}, ["Yes"]),
    ("answer", {"field": "vibration", "value": None}, ["taken back"]),
    ("answer", {"field": "nowhere", "value": {"a": [1]}}, ["nowhere", "a 1"]),
    ("part", {"part": SEAL, "quantity": 9}, [SEAL, "Oil seal", "9"]),
    ("part", {"returns": "use-1"}, ["taken back"]),
    ("photo", {"upload": "p", "field": "seal_photo"}, ["Photo"]),
    ("summary", {"summary": "换了油封", "technical_note": "轴磨损"}, ["换了油封", "轴磨损"]),
    ("failure", {"codes": {"failure_mode": "UNK"}, "unknown_reason": "拆检"}, ["拆检"]),
    ("failure", {"pattern": "gearbox_output_seal_leak"}, ["Oil drips"]),
    ("signature", {"upload": "s", "name": "何工"}, ["何工"]),
    ("note", {"words": "门卫<b>换人</b>"}, ["门卫&lt;b&gt;换人&lt;/b&gt;"]),
    ("odd", {"metres": 7, "of": {"deep": [1, {"x": None}]}}, ["metres", "7"]),
    ("summary", {"summary": [1, {"a": "b"}], "technical_note": 7}, ["a b"]),
    ("failure", {"codes": [1], "pattern": {"x": 1}}, ["x 1"]),
    ("move", {"to": {"x": 1}, "reason": ["a"]}, ["x 1"]),
    ("part", {"part": ["x"], "quantity": None}, ["x"]),
]


def test_what_an_entry_carries_is_told_in_words(lite: Tablet, sign_in_lite: FlaskClient) -> None:
    lite.post(*(
        {**lite.command("note"), "kind": kind, "payload": {"visit": lite.tour.visit_id, **payload}}
        for kind, payload, _words in SAID
    ))  # fmt: skip

    def reject() -> None:
        for row in session.scalars(select(TabletCommand)):
            row.status = "rejected"

    write(reject)
    page = sign_in_lite.get("/tablets/reviews?lang=en").text
    articles = list(reversed(page.split("<article")[1:]))
    assert len(articles) == len(SAID)
    for article, (kind, payload, words) in zip(articles, SAID, strict=True):
        for said in words:
            assert said.lower() in article.lower(), (kind, payload, said, article)
    assert "{&#39;" not in page, "no raw data"


def test_pages_take_the_same_queries_however_long(lite: Tablet, sign_in_lite: FlaskClient) -> None:
    def fill(many: int) -> None:
        lite.post(*(lite.command(kind, **payload) for kind, payload in FACTS for _ in range(many)))

    sign_in_lite.get("/tablets/reviews")
    counted: list[int] = []
    for many in (1, 4):
        fill(many)
        hello(lite, device=f"tab-{many}")
        with statements() as asked:
            sign_in_lite.get("/tablets/reviews")
            sign_in_lite.get("/tablets/devices")
        counted.append(len(asked))
    assert counted[0] == counted[1], counted


def test_lists_come_in_pages(lite: Tablet, sign_in_lite: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_list, "PAGE", 2)
    lite.post(*(lite.command("move", to="on_site") for _ in range(5)))
    seen: list[str] = []
    url = "/tablets/reviews"
    for _ in range(3):
        page = sign_in_lite.get(url).text
        seen += [part.split('"')[0] for part in page.split('<article class="sec" id="')[1:]]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        url = found[1].replace("&amp;", "&") if found else ""
    assert (len(seen), len(set(seen)), url) == (5, 5, "")
