"""Plans as pages and as JSON: scope, bad input, and everything a dispatcher reads before deciding."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from fieldservice.accounts.services import create_token
from fieldservice.dispatch.plans import running
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit
from tests.conftest import make_user
from tests.dispatch.plans.planned import planned
from tests.dispatch.test_api import Caller
from tests.dispatch.test_day_plan import Browser
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, local_at, make_order, make_station

TODAY = "2026-11-25"


@pytest.fixture
def desk(scene: Scene, sign_in: Any) -> Browser:
    return Browser(sign_in("dispatcher", scene.station.id, name="周敏"))


@pytest.fixture
def dispatcher(app: Flask, scene: Scene) -> Caller:
    return Caller(app, "dispatcher", scene.station.id)


def newest() -> DispatchPlan:
    session.rollback()
    found = session.query(DispatchPlan).order_by(DispatchPlan.id.desc()).first()
    assert found is not None
    return found


# Pages --------------------------------------------------------------------------------------------


def test_a_plan_by_form_from_asking_to_applying(scene: Scene, desk: Browser) -> None:
    """D-07: progress while it is computed, then the changes, then one press."""
    page = desk.done(desk.post("/dispatch/plans", date=TODAY, days="1", objective="promises", station=""))
    assert "正在找更好的安排" in page.text
    assert 'hx-trigger="every 1s"' in page.text
    plan = newest()
    assert session.query(DeferredJob).filter_by(task="dispatch.plan").count() == 1
    running.run_here(plan.id)
    page = desk.get(f"/dispatch/plans/{plan.id}")
    assert 'hx-trigger="every 1s"' not in page.text
    for words in (scene.order.number, "陆建国", "10:45", "新排", "余 3 小时 45 分", "采用 1 项改动"):
        assert words in page.text, words
    page = desk.done(desk.post(f"/dispatch/plans/{plan.id}/apply", all="1"))
    assert "安排了 1 次上门" in page.text
    assert "已采用" in page.text
    assert session.query(Visit).one().technician_id == scene.lu.id
    assert "方案" in desk.get("/dispatch/plans").text


def test_a_stale_plan_says_what_changed_and_offers_a_new_one(scene: Scene, desk: Browser) -> None:
    plan = planned([scene.station])
    write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(15)))
    answer = desk.post(f"/dispatch/plans/{plan.id}/apply", all="1")
    assert answer.status_code == 409
    assert f"{scene.order.number}：现为 陆建国" in answer.text
    assert "15:00" in answer.text
    assert "按当前情况重新排" in answer.text
    desk.done(desk.post(f"/dispatch/plans/{plan.id}/again"))
    assert newest().id != plan.id


def test_nothing_ticked_keeps_the_plan(scene: Scene, desk: Browser) -> None:
    plan = planned([scene.station])
    answer = desk.post(f"/dispatch/plans/{plan.id}/apply")
    assert answer.status_code == 422
    assert "请至少选择此方案中的一项改动" in answer.text
    assert session.query(Visit).count() == 0


def test_ticked_changes_alone(scene: Scene, desk: Browser) -> None:
    write(lambda: make_order(scene.station))
    plan = planned([scene.station])
    desk.done(desk.post(f"/dispatch/plans/{plan.id}/apply", change=["2"]))
    assert session.query(Visit).count() == 1
    assert "未采用" in desk.get(f"/dispatch/plans/{plan.id}").text


def test_discarded_and_called_off(scene: Scene, desk: Browser) -> None:
    plan = planned([scene.station])
    assert "未作任何改动" in desk.done(desk.post(f"/dispatch/plans/{plan.id}/discard")).text
    desk.done(desk.post("/dispatch/plans", date=TODAY, days="1", objective="travel"))
    asked = newest()
    desk.done(desk.post(f"/dispatch/plans/{asked.id}/cancel"))
    running.run_here(asked.id)
    assert "已取消" in desk.get(f"/dispatch/plans/{asked.id}").text


def test_left_out_work_tells_what_would_help(scene: Scene, desk: Browser) -> None:
    """D-06: in the reader's language, whichever it was computed in."""
    write(lambda: make_order(scene.station, skills={"spindle": 2}))
    plan = planned([scene.station])
    for language, words in (("zh", "可于"), ("en", "could go at")):
        text = desk.get(f"/dispatch/plans/{plan.id}?lang={language}").text
        assert words in text
        assert re.search("主轴|spindle", text, re.IGNORECASE)


@pytest.mark.parametrize(
    "form",
    [
        {"date": "soon"}, {"date": "2020-01-01"}, {"days": "0"}, {"days": "x"}, {"days": "99"}, {"objective": "gold"},
        {"weight_travel": "-1"}, {"weight_travel": "x"}, {"weight_travel": "nan"}, {"weight_travel": "1e400"},
    ],
)  # fmt: skip
def test_forms_that_cannot_be_meant(scene: Scene, desk: Browser, form: dict[str, str]) -> None:
    answer = desk.post("/dispatch/plans", **{"date": TODAY, "days": "1", "objective": "promises", **form})
    assert answer.status_code == 422
    assert session.query(DispatchPlan).count() == 0


def test_weights_typed_once(scene: Scene, desk: Browser) -> None:
    desk.done(desk.post("/dispatch/plans", date=TODAY, days="1", objective="promises", weight_travel="2.5"))
    assert newest().weights["travel"] == 2.5


@pytest.mark.parametrize("path", ["/dispatch/plans/{id}", "/dispatch/plans/99999999999999999999"])
def test_plans_of_other_stations_are_not_found(scene: Scene, desk: Browser, path: str) -> None:
    other = write(lambda: make_station("SZYQ", FAR))
    plan = planned([other])
    assert desk.get(path.format(id=plan.id)).status_code == 404
    assert desk.post(f"/dispatch/plans/{plan.id}/apply", all="1").status_code == 404


@pytest.mark.parametrize("role", ["agent", "director", "quality", "technician", "customer"])
def test_only_planners(scene: Scene, sign_in: Any, role: str) -> None:
    client = sign_in(role, scene.station.id)
    assert client.get("/dispatch/plans").status_code in (403, 404)


# JSON ---------------------------------------------------------------------------------------------


def test_the_contract(scene: Scene, dispatcher: Caller) -> None:
    asked = dispatcher.send("POST", "/dispatch/plans", {"date": TODAY, "objective": "promises", "seed": 3, "effort": 8})
    assert asked.status_code == 202, asked.text
    assert (asked.json["status"], asked.json["progress"], asked.json["seed"]) == ("asked", 0, 3)
    number = asked.json["id"]
    running.run_here(number)
    plan = dispatcher.get(f"/dispatch/plans/{number}").json
    assert (plan["status"], plan["progress"], plan["placed"], plan["unplaced"]) == ("ready", 1.0, 1, [])
    assert plan["score"] < plan["score_before"]
    assert sum(plan["figures"]["goals"].values()) == pytest.approx(plan["figures"]["score"], abs=6)
    (change,) = plan["changes"]
    assert (change["kind"], change["work_order"], change["before"]) == ("placed", scene.order.number, None)
    assert change["after"]["technician"] == {"id": scene.lu.id, "names": scene.lu.names}
    done = dispatcher.send("POST", f"/dispatch/plans/{number}/apply", {})
    assert (done.status_code, done.json["status"], done.json["applied"]) == (200, "applied", [1])
    assert [one["id"] for one in dispatcher.get("/dispatch/plans").json] == [number]


def test_the_same_key_applies_once(scene: Scene, dispatcher: Caller) -> None:
    plan = planned([scene.station])
    path = f"/dispatch/plans/{plan.id}/apply"
    first, again = (dispatcher.send("POST", path, {"changes": [1]}, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert session.query(Visit).count() == 1
    assert dispatcher.send("POST", path, {}).status_code == 409


def test_a_stale_plan_names_what_changed(scene: Scene, dispatcher: Caller) -> None:
    plan = planned([scene.station])
    write(lambda: booking.schedule_visit(session.merge(scene.order), session.merge(scene.lu), local_at(15)))
    answer = dispatcher.send("POST", f"/dispatch/plans/{plan.id}/apply", {})
    assert (answer.status_code, answer.json["code"]) == (409, "plan_outdated")
    assert answer.json["changed"][0]["work_order"] == scene.order.number


@pytest.mark.parametrize(
    "body",
    [
        {}, {"date": "x"}, {"date": TODAY, "days": 8}, {"date": TODAY, "objective": "gold"},
        {"date": TODAY, "seed": 2**40},
        {"date": TODAY, "weights": {"luck": 1}}, {"date": TODAY, "weights": {"travel": -1}}, {"date": TODAY, "more": 1},
        {"date": TODAY, "stations": ["NONE"]}, {"date": TODAY, "effort": 1.5}, {"date": "2020-01-01"},
        {"date": TODAY, "stations": ["\0"]}, {"date": TODAY, "weights": {"travel": "NaN"}},
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_meant(scene: Scene, dispatcher: Caller, body: dict[str, Any]) -> None:
    answer = dispatcher.send("POST", "/dispatch/plans", body)
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"]


def test_scope_of_tokens(scene: Scene, dispatcher: Caller, app: Flask) -> None:
    other = write(lambda: make_station("SZYQ", FAR))
    plan = planned([scene.station, other])
    assert dispatcher.get(f"/dispatch/plans/{plan.id}").status_code == 404
    for verb in ("apply", "discard", "again"):
        assert dispatcher.send("POST", f"/dispatch/plans/{plan.id}/{verb}", {}).status_code == 404
    agent = Caller(app, "agent", scene.station.id)
    assert agent.send("POST", "/dispatch/plans", {"date": TODAY}).status_code == 403


# The command --------------------------------------------------------------------------------------


def test_the_command_plans_and_applies(scene: Scene, app: Flask, command: Callable[..., Any]) -> None:
    shown = command("plan", "--date", TODAY, "--station", scene.station.code)
    assert shown.exit_code == 0, shown.output
    assert scene.order.number in shown.output
    assert session.query(Visit).count() == 0
    done = command("plan", "--date", TODAY, "--apply", "--json")
    assert done.exit_code == 0, done.output
    assert session.query(Visit).count() == 1
    wrong = command("plan", "--date", "2020-01-01")
    assert wrong.exit_code == 1
    assert "三个月" in wrong.output


@pytest.fixture
def command(app: Flask) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        answer = app.test_cli_runner().invoke(args=list(arguments))
        session.rollback()
        return answer

    return run


def test_a_token_of_a_user_can_plan(scene: Scene, app: Flask) -> None:
    """What the guide shows: a token, one call, one answer."""
    user = make_user("station_manager", scene.station.id)
    token = write(lambda: create_token(email=user.email, name="planner"))
    answer = app.test_client().post(
        "/api/v1/dispatch/plans", json={"date": TODAY}, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 202
