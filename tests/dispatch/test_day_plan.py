"""The dispatch page, on both databases: what is shown, every step by form, two dispatchers, undo, bad input."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from fieldservice.dispatch import scope
from fieldservice.dispatch.filters import read_back, read_filters
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import Clock, now, today
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, queries
from fieldservice.workorders.models import Visit, WorkOrder
from tests.workorders.cast import FAR
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_request,
    make_scene,
    make_station,
    make_technician,
    need_part,
    roster,
    stock,
    team,
)  # fmt: skip

AT_13 = "2026-11-25T13:00"


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


class Browser:
    """A dispatcher's browser, with the token that its pages carry."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = client.get("/dispatch").text.split('name="csrf-token" content="')[1].split('"')[0]

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, **form: Any) -> Any:
        return self.client.post(path, data={"csrf_token": self.token, **form}, follow_redirects=False)

    def done(self, response: Any) -> Any:
        """The page after a step that worked."""
        assert response.status_code == 303, response.text
        return self.client.get(response.headers["Location"])


@pytest.fixture
def desk(scene: Scene, sign_in: Any) -> Browser:
    return Browser(sign_in("dispatcher", scene.station.id, name="周敏"))


def visits() -> list[Visit]:
    return list(session.scalars(select(Visit).order_by(Visit.id)))


def planned(scene: Scene, hour: int = 13) -> Visit:
    return write(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(hour)))


def assign(desk: Browser, scene: Scene, **changes: Any) -> Any:
    form = {"order": scene.order.number, "technician": scene.lu.id, "starts_at": AT_13, "version": scene.order.version}
    return desk.post("/dispatch/visits", **{**form, **changes})


# Looking ------------------------------------------------------------------------------------------


def test_the_page_shows_queue_lanes_and_counters(scene: Scene, desk: Browser) -> None:
    planned(scene)
    write(lambda: make_order(scene.station, customer=scene.customer, titles={"zh": "液压站漏油", "en": "Oil leak"}))
    page = desk.get("/dispatch?lang=en").text
    for text in ("To place", "Oil leak", "Gearboxes L2", "No parts", "VIP"):
        assert text in page, text
    assert re.search(r"P1 open <b>1</b>", page)
    assert re.search(r"Unassigned <b>1</b>", page)
    assert "待派工单" in desk.get("/dispatch?lang=zh").text


def test_who_is_where_is_also_a_table(scene: Scene, desk: Browser) -> None:
    visit = planned(scene)
    page = desk.get("/dispatch/table?lang=en").text
    for text in ("Lu Jianguo", "Xu Xiaofeng", "2 on duty", "Shengyuan Steel · Gearbox seal change", "13:00–15:00"):
        assert text in page, text
    assert f"/dispatch?visit={visit.id}" in page
    chinese = desk.get("/dispatch/table?lang=zh").text
    for text in ("陆建国", "无锡新吴站", "2 人在岗", "已排程"):
        assert text in chinese, text
    assert "/dispatch/table" in desk.get("/dispatch").text, "whoever has no scripts is led there"


def test_the_most_urgent_stands_first_and_hold_says_why(scene: Scene, desk: Browser) -> None:
    soon = write(lambda: make_request(scene.station, arrival="30 min"))
    urgent = write(lambda: make_order(scene.station, request=soon))
    held = write(lambda: make_order(scene.station, priority="P4"))
    write(lambda: move(held, "on_hold", reason="等停机许可"))
    page = desk.get("/dispatch?lang=zh").text
    order = [page.index(one.number[-6:] + "</span>") for one in (urgent, scene.order, held)]
    assert order == sorted(order)
    assert "挂起：等停机许可" in page


def test_an_order_opens_with_suggestions_and_everybody_refused(scene: Scene, desk: Browser) -> None:
    page = desk.get(f"/dispatch?order={scene.order.number}&lang=en").text
    for text in ("Suggested technicians", "3 h 45 min before the promise", "Gearboxes L1 &lt; L2", "pair with an L2"):
        assert text in page, text
    county = write(lambda: make_order(scene.station, precision="county"))
    assert "about 15 min" in desk.get(f"/dispatch?order={county.number}&lang=en").text


def test_parts_have_a_light(scene: Scene, desk: Browser) -> None:
    part = write(lambda: need_part(scene.order))
    assert "1 missing" in desk.get("/dispatch?lang=en").text
    write(lambda: stock(part, scene.station, 1, scene.lu))
    assert "Parts ready" in desk.get("/dispatch?lang=en").text


def test_T_05_what_can_be_brought_is_coming_and_not_missing(scene: Scene, desk: Browser) -> None:
    """Queue, drawer, the order's page and the API say the same: from where, by when; what nobody has is missing."""

    def want() -> None:
        part = need_part(scene.order)
        stock(part, scene.station, 0)
        near = make_station("SZYQ", FAR, "苏州园区站", "Suzhou Yuanqu")
        near.functions = ["service", "spare_part"]
        policies.set_override("parts.shared_with_visits", "station", near.id, True, at=now())
        stock(part, near, 1)

    write(want)
    number = scene.order.number
    for url in ("/dispatch", f"/dispatch?order={number}", f"/work-orders/{number}"):
        page = desk.get(f"{url}{'&' if '?' in url else '?'}lang=en").text
        assert re.search(r"by 12:\d\d from Stock", page), url
        assert "1 missing" not in page, url
    write(lambda: need_part(session.get_one(WorkOrder, scene.order.id), number="NOWHERE"))
    for url in ("/dispatch", f"/dispatch?order={number}", f"/work-orders/{number}"):
        assert "1 missing" in desk.get(f"{url}{'&' if '?' in url else '?'}lang=en").text, url


def test_the_queue_is_searched(scene: Scene, desk: Browser) -> None:
    write(lambda: make_order(scene.station, titles={"zh": "主轴修理", "en": "Spindle repair"}, skills={"spindle": 3}))
    for words, hits in (
        ("主轴", 1),
        ("gearbox", 1),
        ("Shengyuan", 1),
        (scene.order.number[-6:], 1),
        ("nothing %_", 0),
        ("换油封 盛源", 1),
    ):
        page = desk.get(f"/dispatch?q={words}").text
        assert page.count('class="qc"') == hits, words


def test_counters_tell_promises_at_risk_and_broken(scene: Scene, desk: Browser, clock: Clock) -> None:
    clock.advance(hours=3, minutes=10)
    write(lambda: clocks.tick(clock.now()))
    assert re.search(r"At risk <b>1</b>", desk.get("/dispatch?lang=en").text)
    clock.advance(hours=1)
    write(lambda: clocks.tick(clock.now()))
    assert re.search(r"Broken <b>1</b>", desk.get("/dispatch?lang=en").text)


@pytest.mark.parametrize("name", ["counters", "queue", "drawer"])
def test_parts_are_fetched_alone(scene: Scene, desk: Browser, name: str) -> None:
    part = desk.get(f"/dispatch/part/{name}?order={scene.order.number}")
    assert part.status_code == 200
    assert f'id="{name}"' in part.text
    assert "<html" not in part.text
    assert desk.get("/dispatch/part/everything").status_code == 404


def test_the_panel_of_an_order_stands_alone(scene: Scene, desk: Browser) -> None:
    panel = desk.get(f"/dispatch/suggestions/{scene.order.number}?lang=en")
    assert "Suggested technicians" in panel.text
    assert 'name="back_to" value="order"' in panel.text
    booked = assign(desk, scene, back_to="order")
    assert booked.headers["Location"] == f"/work-orders/{scene.order.number}"
    page = desk.done(booked)
    assert f"{scene.order.number} assigned to Lu Jianguo" in page.text
    back = desk.post("/dispatch/undo", token=undo_token(page), back_to="order")
    assert back.headers["Location"] == booked.headers["Location"]


def test_days_and_absences_are_shown(scene: Scene, desk: Browser) -> None:
    write(lambda: booking.book_absence(session.get_one(Technician, scene.xu.id), "training", local_at(9), local_at(12)))
    assert "培训" in desk.get("/dispatch/table?lang=zh").text
    assert "26 Nov" in desk.get("/dispatch/table?days=3&lang=en").text
    assert "Thu 26 Nov 2026" in desk.get("/dispatch?date=2026-11-26&lang=en").text


# Steps --------------------------------------------------------------------------------------------


def test_S_05_assigning_is_one_press_and_told(scene: Scene, desk: Browser) -> None:
    page = desk.done(assign(desk, scene))
    (visit,) = visits()
    assert (visit.technician_id, visit.starts_at, visit.state) == (scene.lu.id, local_at(13), "scheduled")
    assert f"{scene.order.number} 已派给陆建国" in page.text
    assert "/dispatch/undo" in page.text


def test_a_visit_moves_is_sent_and_cancelled_by_form(scene: Scene, desk: Browser) -> None:
    visit = planned(scene)
    base = f"/dispatch/visits/{visit.id}"
    desk.done(desk.post(f"{base}/change", technician=scene.lu.id, starts_at="2026-11-25T15:00", version=visit.version))
    session.refresh(visit)
    assert visit.starts_at == local_at(15)
    desk.done(desk.post(f"{base}/send", version=visit.version))
    session.refresh(visit)
    assert visit.state == "dispatched"
    refused = desk.post(f"{base}/cancel", version=visit.version, reason=" ", act="cancel")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    desk.done(desk.post(f"{base}/cancel", version=visit.version, reason="客户改期"))
    session.refresh(visit)
    assert (visit.state, session.get_one(WorkOrder, scene.order.id).state) == ("cancelled", "ready")


def test_a_refusal_says_why_and_keeps_what_was_typed(scene: Scene, desk: Browser) -> None:
    answer = assign(
        desk, scene, technician=scene.xu.id, starts_at="2026-11-25T14:05", duration_min=95, by_hand="1",
        back=f"order={scene.order.number}",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "齿轮箱 L1 &lt; L2" in answer.text
    assert 'role="alert"' in answer.text
    for typed in ('value="2026-11-25T14:05"', 'value="95"', f'<option value="{scene.xu.id}" selected'):
        assert typed in answer.text, typed
    assert visits() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"starts_at": ""}, 422), ({"starts_at": "soon"}, 422), ({"starts_at": "9999-12-31T23:59"}, 422),
        ({"starts_at": "0001-01-01T00:00"}, 422), ({"starts_at": "2026-11-25T13:00:00+99:00"}, 422),
        ({"technician": ""}, 422), ({"technician": "x"}, 422), ({"technician": "-1"}, 422),
        ({"technician": "9" * 30}, 422),
        ({"technician": "٣"}, 422), ({"technician": 99999}, 404), ({"duration_min": "4"}, 422),
        ({"duration_min": "1e3"}, 422), ({"duration_min": "9" * 40}, 422), ({"version": "x"}, 422),
        ({"order": "WO-2026-999999"}, 404), ({"order": ""}, 404),
        ({"order": "x" * 5000}, 404), ({"back": "date=x&days=99&visit=" + "9" * 40}, 303), ({"back": "\ud83d"}, 303),
    ],
)  # fmt: skip
def test_hostile_forms_are_refused_in_words(scene: Scene, desk: Browser, changes: dict[str, Any], code: int) -> None:
    safe = {
        name: value.encode("utf-8", "ignore") if isinstance(value, str) else value for name, value in changes.items()
    }
    assert assign(desk, scene, **safe).status_code == code


@pytest.mark.parametrize(
    "query",
    [
        "date=2026-13-45", "date=0001-01-01", "date=9999-12-31", "days=0", "days=x", "visit=x", "visit=" + "9" * 40,
        "q=%27%22%3Cscript%3E", "q=" + "%F0%9F%98%80" * 200, "days=7&date=2099-12-31",
    ],
)  # fmt: skip
def test_a_mistyped_address_shows_a_page(scene: Scene, desk: Browser, query: str) -> None:
    assert desk.get(f"/dispatch?{query}").status_code == 200


# Two dispatchers ----------------------------------------------------------------------------------


def test_a_stale_step_is_refused_with_what_changed(scene: Scene, desk: Browser, sign_in: Any) -> None:
    other = Browser(sign_in("dispatcher", scene.station.id, name="王海涛"))
    chen = write(lambda: make_technician(scene.station, "陈志远", "Chen Zhiyuan"))
    visit = planned(scene)
    seen = visit.version
    other.done(other.post(f"/dispatch/visits/{visit.id}/change", technician=chen.id, starts_at=AT_13, version=seen))
    late = desk.post(f"/dispatch/visits/{visit.id}/send", version=seen, back=f"visit={visit.id}")
    assert late.status_code == 422
    assert "王海涛 在 10:30 改过，现在是：陈志远、13:00、已排程" in late.text
    session.refresh(visit)
    assert visit.state == "scheduled"


def test_an_order_planned_meanwhile_is_refused(scene: Scene, desk: Browser, sign_in: Any) -> None:
    other = Browser(sign_in("dispatcher", scene.station.id, name="王海涛"))
    seen = scene.order.version
    other.done(assign(other, scene, version=seen))
    late = assign(desk, scene, version=seen, starts_at="2026-11-25T15:00", back=f"order={scene.order.number}")
    assert late.status_code == 422
    assert "改过，现在是：已排程" in late.text
    assert len(visits()) == 1


# Undo ---------------------------------------------------------------------------------------------


def undo_token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, "no undo is offered"
    return found.group(1)


def test_booking_moving_and_sending_are_undone(scene: Scene, desk: Browser, clock: Clock) -> None:
    token = undo_token(desk.done(assign(desk, scene)))
    clock.advance(seconds=9)
    desk.done(desk.post("/dispatch/undo", token=token))
    (first,) = visits()
    assert (first.state, session.get_one(WorkOrder, scene.order.id).state) == ("cancelled", "ready")
    visit = planned(scene)
    base = f"/dispatch/visits/{visit.id}"
    moved = desk.post(f"{base}/change", technician=scene.lu.id, starts_at="2026-11-25T15:00", version=visit.version)
    desk.done(desk.post("/dispatch/undo", token=undo_token(desk.done(moved))))
    session.refresh(visit)
    assert visit.starts_at == local_at(13)
    sent = desk.post(f"{base}/send", version=visit.version)
    desk.done(desk.post("/dispatch/undo", token=undo_token(desk.done(sent))))
    session.refresh(visit)
    assert visit.state == "scheduled"


def test_undo_ends_after_its_time_and_when_others_went_on(scene: Scene, desk: Browser, clock: Clock) -> None:
    token = undo_token(desk.done(assign(desk, scene)))
    clock.advance(seconds=16)
    late = desk.post("/dispatch/undo", token=token)
    assert late.status_code == 422
    (visit,) = visits()
    sent = undo_token(desk.done(desk.post(f"/dispatch/visits/{visit.id}/send", version=visit.version)))
    session.refresh(visit)
    write(lambda: move(visit, "accepted"))
    assert desk.post("/dispatch/undo", token=sent).status_code == 422
    for forged in ("", "x", sent[:-2] + "xx", "é" * 50):
        assert desk.post("/dispatch/undo", token=forged).status_code == 422
    session.refresh(visit)
    assert visit.state == "accepted"


# Scope and roles ----------------------------------------------------------------------------------


def steps(scene: Scene, visit: Visit) -> list[str]:
    base = f"/dispatch/visits/{visit.id}"
    return ["/dispatch/visits", f"{base}/change", f"{base}/send", f"{base}/cancel", f"{base}/miss"]


def test_another_station_s_work_is_not_there(scene: Scene, sign_in: Any) -> None:
    visit = planned(scene)
    elsewhere = write(lambda: make_station("SZYQ", FAR))
    stranger = Browser(sign_in("dispatcher", elsewhere.id))
    assert "陆建国" not in stranger.get("/dispatch/table?lang=zh").text
    number = scene.order.number
    for path in (f"?order={number}", f"?visit={visit.id}", f"?station={scene.station.code}", f"/suggestions/{number}"):
        assert stranger.get(f"/dispatch{path}").status_code == 404, path
    form = {"order": number, "technician": scene.lu.id, "starts_at": AT_13, "reason": "x"}
    for path in steps(scene, visit):
        assert stranger.post(path, **form).status_code == 404, path


@pytest.mark.parametrize("role", ["agent", "director", "quality"])
def test_whoever_only_looks_cannot_step(scene: Scene, sign_in: Any, role: str) -> None:
    visit = planned(scene)
    looking = Browser(sign_in(role, scene.station.id))
    page = looking.get(f"/dispatch?visit={visit.id}")
    assert page.status_code == 200
    assert "/dispatch/visits/" not in page.text
    for path in (*steps(scene, visit), "/dispatch/undo"):
        assert looking.post(path).status_code == 403, path


@pytest.mark.parametrize("role", ["technician", "storekeeper", "sales", "engineer", "finance", "admin", "customer"])
def test_others_do_not_see_the_board(scene: Scene, sign_in: Any, role: str) -> None:
    client = sign_in(role, scene.station.id)
    for path in (
        "/dispatch",
        "/dispatch/table",
        "/dispatch/lanes",
        "/dispatch/part/queue",
        f"/dispatch/suggestions/{scene.order.number}",
    ):
        assert client.get(path).status_code == 403, path


def test_nobody_unknown_sees_the_board(scene: Scene, client: FlaskClient) -> None:
    assert client.get("/dispatch").status_code == 302
    assert client.post("/dispatch/visits").status_code in (400, 401, 403)


def test_a_lent_technician_stands_on_both_boards(scene: Scene, sign_in: Any) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR, "苏州园区站", "Suzhou SIP"))
    shen = write(lambda: make_technician(suzhou, "沈磊", "Shen Lei", home=FAR))
    write(lambda: roster(shen, scene.station, hours=(18, 19)))
    visit = write(lambda: booking.schedule_visit(scene.order, shen, local_at(15)))
    host, home = (Browser(sign_in("dispatcher", one)) for one in (scene.station.id, suzhou.id))
    for browser in (host, home):
        page = browser.get("/dispatch/table?lang=zh").text
        assert "沈磊" in page
        assert scene.order.number in page
    assert "外站支援" in host.get("/dispatch/table?lang=zh").text
    looked = home.get(f"/dispatch?visit={visit.id}")
    assert looked.status_code == 200
    assert f"/dispatch/visits/{visit.id}/send" not in looked.text
    assert home.post(f"/dispatch/visits/{visit.id}/send").status_code == 403


# Cost and addresses -------------------------------------------------------------------------------


@contextmanager
def statements() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_the_number_of_statements_does_not_grow(scene: Scene, desk: Browser) -> None:
    counts = []
    for size in (1, 12):
        people = write(lambda size=size: [one.id for one in team(scene.station, size)])
        for technician_id in people:
            order = write(lambda: make_order(scene.station, customer=scene.customer))
            write(
                lambda order=order, who=technician_id: booking.schedule_visit(
                    order, session.get_one(Technician, who), local_at(13)
                )
            )
            part_of = write(lambda: make_order(scene.station, customer=scene.customer))
            write(lambda part_of=part_of: need_part(part_of, number=f"P-{part_of.id}"))
        desk.get("/dispatch")
        with statements() as page:
            assert desk.get(f"/dispatch?order={scene.order.number}").status_code == 200
        with statements() as lanes:
            assert desk.get("/dispatch/lanes").status_code == 200
        with statements() as verdicts:
            assert desk.get(f"/dispatch/verdicts?order={scene.order.number}").status_code == 200
        counts.append([len(page), len(lanes), len(verdicts)])
    assert counts[0] == counts[1]
    assert all(count <= most for count, most in zip(counts[1], (60, 25, 30), strict=True)), counts


def test_filters_live_in_the_address(sqlite_app: Flask) -> None:
    with sqlite_app.test_request_context():
        filters = read_filters(
            {
                "date": "2026-11-27",
                "days": "3",
                "station": "WXXW",
                "order": "WO-2026-000001",
                "q": "油 &",
                "show": "x,p1",
            }
        )
        assert read_back(filters.query) == filters
        assert read_filters({}).query == ""
        assert read_filters({}).day == today()
        assert filters.show == "p1"
        assert "show=p1%2Crisk" in filters.toggled("risk")
        assert "show" not in filters.toggled("p1")
        assert filters.url(order="").startswith("/dispatch?date=2026-11-27&days=3&station=WXXW")


def test_planners_may_also_read() -> None:
    assert set(queries.PLANNERS) <= set(queries.READERS)
    assert scope.LARGEST_ID > 2**31
