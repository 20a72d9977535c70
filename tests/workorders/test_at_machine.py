"""At the machine and on the way to it: findings, follow-up work, corrected times, leaving, arriving, location."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.mechanisms.events import Event, history, notes_of
from fieldservice.stations.models import Shift
from fieldservice.workorders import visits
from fieldservice.workorders.models import TabletCommand, TabletUpload, Visit, WorkOrder
from fieldservice.workorders.onsite import arriving, leaving, raised
from fieldservice.workorders.onsite.models import Arrival, Finding, FollowUp, LocationConsent, TimeCorrection
from tests.workorders.cast import DAY
from tests.workorders.desk import post
from tests.workorders.on_tour import Tour, make_tour
from tests.workorders.scene import make_station
from tests.workorders.test_tablet_commands import Tablet

CONDUCT = ["uniform", "badge", "safety_gear"]


@pytest.fixture
def tablet(app: Flask, clock: Clock) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def lite(sqlite_app: Flask, clock: Clock) -> Tablet:
    return Tablet(sqlite_app, make_tour())


def found(tour: Tour) -> list[tuple[str, str, str]]:
    rows = session.scalars(select(Finding).where(Finding.work_order_id == tour.order_id).order_by(Finding.id))
    return [(one.field, one.state, one.note) for one in rows]


def count(model: Any) -> int:
    return session.scalar(select(func.count(model.id))) or 0


def said(tour: Tour, kind: str) -> list[dict[str, Any]]:
    return [dict(event.facts) for event in history(tour.visit) if event.kind == kind]


# Findings -----------------------------------------------------------------------------------------------

OUT, FINE = ("vibration", 4.9), ("vibration", 4.1)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(*OUT, "")], [("vibration", "found", "")]),
        ([(*FINE, "")], []),
        ([(*OUT, ""), (*FINE, "")], [("vibration", "corrected", "")]),
        ([(*OUT, "联轴器待换")], [("vibration", "tolerated", "联轴器待换")]),
        ([(*OUT, ""), (*OUT, "联轴器待换")], [("vibration", "tolerated", "联轴器待换")]),
        ([(*OUT, "联轴器待换"), (*OUT, "")], [("vibration", "found", "")]),
        ([(*OUT, "联轴器待换"), (*FINE, "")], [("vibration", "corrected", "联轴器待换")]),
        ([(*OUT, ""), ("vibration", None, "")], [("vibration", "withdrawn", "")]),
        ([(*OUT, ""), (*FINE, ""), (*OUT, "")], [("vibration", "corrected", ""), ("vibration", "found", "")]),
        ([("dry_run", False, "")], [("dry_run", "found", "")]),
        ([("dry_run", False, "仍有渗漏")], [("dry_run", "tolerated", "仍有渗漏")]),
        ([("dry_run", False, ""), ("dry_run", True, "")], [("dry_run", "corrected", "")]),
        ([("dry_run", True, "")], []),
    ],
)
def test_readings_out_of_tolerance_and_failed_checks_raise_findings(
    tablet: Tablet, answers: list[tuple[str, Any, str]], expected: list[tuple[str, str, str]]
) -> None:
    tablet.tour.at_work()
    for field, value, note in answers:
        assert tablet.send("answer", field=field, value=value, note=note)["status"] == "accepted"
    assert found(tablet.tour) == expected
    assert all((one.settled_at is None) == (one.state == "found") for one in session.scalars(select(Finding)))


def test_a_replayed_answer_raises_its_finding_once(tablet: Tablet) -> None:
    tablet.tour.at_work()
    command = tablet.command("answer", field=OUT[0], value=OUT[1])
    assert tablet.post(command) == tablet.post(command)
    assert count(Finding) == 1


def test_a_later_visit_settles_what_an_earlier_one_found(tablet: Tablet) -> None:
    tour = tablet.tour.at_work()
    tablet.send("answer", field=OUT[0], value=OUT[1])
    finding = session.scalars(select(Finding)).one()
    assert (finding.visit_id, finding.station_id, finding.asset_id) == (
        tour.visit_id, tour.station_id, tour.order.asset_id,
    )  # fmt: skip
    assert [one.is_open for one in raised.findings_of(tour.order, raised.catalogue.checklist_of(tour.order))] == [True]
    assert said(tour, "finding.raised")[0]["label"]["en"] == "Vibration RMS"


def test_open_findings_do_not_keep_a_visit_from_ending(tablet: Tablet) -> None:
    tour = tablet.tour.at_work().record_all()
    tablet.send("answer", field=OUT[0], value=OUT[1])
    assert tablet.send("move", to="completed", restored=True)["status"] == "accepted"
    assert found(tour) == [("vibration", "found", "")]


@pytest.mark.parametrize(("note", "code"), [("", "not_finished"), ("密封面有划痕", "")])
def test_a_failed_check_counts_as_answered_once_it_says_why(lite: Tablet, note: str, code: str) -> None:
    lite.tour.at_work().record_all()
    lite.send("answer", field="dry_run", value=False, note=note)
    assert lite.send("move", to="completed", restored=True)["code"] == code


# Follow-up work -----------------------------------------------------------------------------------------


def test_follow_up_work_becomes_an_order_of_the_same_machine_once(tablet: Tablet) -> None:
    tour = tablet.tour.at_work()
    command = tablet.command("follow_up", words="联轴器弹性体下月更换", urgency="normal")
    assert [one["status"] for one in (*tablet.post(command), *tablet.post(command))] == ["accepted"] * 2
    [made] = session.scalars(select(FollowUp)).all()
    order = made.work_order
    assert (order.state, order.priority, order.asset_id, order.site_id, order.station_id, order.request_id) == (
        "ready", "P4", tour.order.asset_id, tour.order.site_id, tour.station_id, None,
    )  # fmt: skip
    assert [item.words for item in order.items if item.kind == "follow_up"] == ["联轴器弹性体下月更换"]
    assert said(tour, "visit.follow_up")[0]["work_order"] == order.number
    shown = tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["follow_ups"]
    assert [(one["words"], one["number"]) for one in shown] == [("联轴器弹性体下月更换", order.number)]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"words": "", "urgency": "soon"}, "invalid"),
        ({"words": "x", "urgency": "at once"}, "malformed"),
        ({"words": "x" * 301, "urgency": "soon"}, "malformed"),
        ({"words": "x", "urgency": "soon", "work_type": "nothing"}, "invalid"),
        ({"urgency": "soon"}, "malformed"),
    ],
)
def test_follow_up_work_that_says_nothing_is_refused(lite: Tablet, payload: dict[str, Any], code: str) -> None:
    lite.tour.at_work()
    result = lite.send("follow_up", **payload)
    assert (result["status"], result["code"]) == ("rejected", code)
    assert result["detail"]
    assert count(WorkOrder) == 1


def test_follow_up_work_needs_an_arrival_and_may_name_its_kind_and_finding(lite: Tablet) -> None:
    assert lite.send("follow_up", words="x", urgency="soon")["code"] == "not_at_work"
    lite.tour.at_work()
    lite.send("answer", field=OUT[0], value=OUT[1])
    lite.send("follow_up", words="复测", urgency="soon", work_type="gearbox_diagnosis", field="vibration")
    made = session.scalars(select(FollowUp)).one()
    assert (made.work_order.work_type, made.work_order.priority) == ("gearbox_diagnosis", "P3")
    assert found(lite.tour) == [("vibration", "followed_up", "")]
    lite.send("answer", field=FINE[0], value=FINE[1])
    assert found(lite.tour) == [("vibration", "followed_up", "")]


@pytest.fixture
def desk(app: Flask, clock: Clock, sign_in: Callable[..., Any]) -> tuple[Tour, Any, Finding]:
    tour = make_tour().at_work()
    tour.do(visits.answer, *OUT)
    return tour, sign_in("dispatcher", tour.station_id), session.scalars(select(Finding)).one()


def test_the_dispatcher_makes_follow_up_work_of_a_finding_in_one_press(desk: tuple[Tour, Any, Finding]) -> None:
    tour, browser, finding = desk
    page = browser.get(f"/work-orders/{tour.order.number}?lang=en").text
    address = f"/work-orders/{tour.order.number}/findings/{finding.id}/follow-up"
    assert address in page
    assert "To be settled" in page
    answer = post(browser, address)
    assert answer.status_code == 303
    again = post(browser, address)
    assert again.status_code == 409  # somebody was faster
    assert count(FollowUp) == 1
    page = browser.get(f"/work-orders/{tour.order.number}?lang=en").text
    made = session.scalars(select(FollowUp)).one()
    assert made.work_order.number in page
    assert address not in page
    assert tour.order.number in browser.get(f"/work-orders/{made.work_order.number}").text
    assert post(browser, f"/work-orders/{made.work_order.number}/findings/{finding.id}/follow-up").status_code == 404


def test_a_finding_of_another_station_is_not_found(
    desk: tuple[Tour, Any, Finding], sign_in: Callable[..., Any]
) -> None:
    tour, _browser, finding = desk
    other = write(lambda: make_station("SZWZ").id)
    stranger = sign_in("dispatcher", other)
    address = f"/work-orders/{tour.order.number}/findings/{finding.id}/follow-up"
    assert post(stranger, address).status_code == 404
    assert count(FollowUp) == 0


# Pictures of before and after -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "moment"),
    [
        ({"field": "seal_before"}, "before"),
        ({"field": "seal_after"}, "after"),
        ({"field": "seal_after", "moment": "before"}, "after"),  # the checklist says it
        ({"moment": "before"}, "before"),
        ({}, None),
    ],
)
def test_a_picture_knows_whether_it_is_of_before_or_after(
    sqlite_app: Flask, clock: Clock, payload: dict[str, Any], moment: str | None
) -> None:
    tablet = Tablet(sqlite_app, make_tour(work_type_version=2))
    tablet.tour.at_work()
    assert tablet.send("photo", upload="photo-1", **payload)["status"] == "accepted"
    assert session.scalars(select(TabletUpload)).one().moment == moment
    assert tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["photos"][0]["moment"] == moment


def test_a_missing_picture_of_before_keeps_the_visit_open(sqlite_app: Flask, clock: Clock) -> None:
    tablet = Tablet(sqlite_app, make_tour(work_type_version=2))
    tablet.tour.at_work().record_all()
    tablet.send("answer", field="seal_before", value=None)
    result = tablet.send("move", to="completed", restored=True)
    assert (result["code"], "旧油封与漏点" in result["detail"]) == ("not_finished", True)
    tablet.send("photo", upload="photo-2", field="seal_before")
    assert tablet.send("move", to="completed", restored=True)["status"] == "accepted"


# Times ------------------------------------------------------------------------------------------------------


def test_a_time_is_corrected_with_both_figures_kept(tablet: Tablet, clock: Clock) -> None:
    tablet.go("accepted", "en_route")
    clock.advance(minutes=40)
    tablet.go("on_site")
    first = tablet.command("time", kind="travel", minutes=25, reason="途中吃饭 15 分钟")
    assert tablet.post(first, first)[1]["status"] == "accepted"
    assert tablet.send("time", kind="travel", minutes=30, reason="吃饭 10 分钟")["status"] == "accepted"
    row = session.scalars(select(TimeCorrection)).one()
    assert (row.minutes, row.recorded, row.reason) == (30, 40, "吃饭 10 分钟")
    assert [facts["minutes"] for facts in said(tablet.tour, "visit.time_corrected")] == [25, 30]
    assert tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["corrections"] == {
        "travel": {"minutes": 30, "reason": "吃饭 10 分钟"}
    }


@pytest.mark.parametrize(
    "payload",
    [
        {"kind": "travel", "minutes": 5},
        {"kind": "travel", "minutes": 5, "reason": " "},
        {"kind": "sleep", "minutes": 5, "reason": "x"},
        {"kind": "work", "minutes": -1, "reason": "x"},
        {"kind": "work", "minutes": 1441, "reason": "x"},
        {"kind": "work", "minutes": "5", "reason": "x"},
        {"kind": "work", "minutes": 5, "reason": "x" * 301},
    ],
)
def test_times_that_say_nothing_are_refused(lite: Tablet, payload: dict[str, Any]) -> None:
    lite.tour.at_work()
    result = lite.send("time", **payload)
    assert (result["status"], bool(result["detail"])) == ("rejected", True)
    assert count(TimeCorrection) == 0


# Leaving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readiness", "facts", "note"),
    [
        (None, {}, ""),
        ({"missing": []}, {"ready": True, "missing": []}, ""),
        (
            {"missing": ["tools", "contact", "tools", "later_version"], "reason": "千分尺送检，现场借用"},
            {"ready": False, "missing": ["tools", "contact"]},
            "千分尺送检，现场借用",
        ),
        ({"missing": ["parts"], "reason": None}, {"ready": False, "missing": ["parts"]}, ""),
    ],
)
def test_f04_what_was_not_ready_is_kept_with_the_step(
    tablet: Tablet, readiness: Any, facts: dict[str, Any], note: str
) -> None:
    tablet.go("accepted")
    result = tablet.send("move", to="en_route", readiness=readiness)
    assert (result["status"], tablet.tour.visit.state) == ("accepted", "en_route")
    [event] = [one for one in history(tablet.tour.visit) if one.kind == "visit.en_route"]
    assert {name: event.facts[name] for name in ("ready", "missing") if name in event.facts} == facts
    assert notes_of([event]).get(event.id, "") == note
    left = leaving.unready_of([tablet.tour.visit_id])
    assert [(one.missing, one.reason) for one in left.values()] == (
        [(tuple(facts["missing"]), note)] if facts.get("missing") else []
    )


def test_f04_the_order_page_says_what_was_missing(tablet: Tablet, sign_in: Callable[..., Any]) -> None:
    tablet.go("accepted")
    tablet.send("move", to="en_route", readiness={"missing": ["tools"], "reason": "现场借用"})
    browser = sign_in("dispatcher", tablet.tour.station_id)
    page = browser.get(f"/work-orders/{tablet.tour.order.number}?lang=en").text
    assert "Left without: Tools" in page
    assert "现场借用" in page


@pytest.mark.parametrize(
    ("work_type_version", "zone", "tools", "permits"),
    [
        (1, None, [], []),
        (2, None, ["micrometer", "puller"], []),
        (1, "zone_1", [], ["ex_zone"]),
        (1, "none", [], []),
    ],
)
def test_f04_the_tablet_is_told_which_tools_and_permits_to_have(
    sqlite_app: Flask, clock: Clock, work_type_version: int, zone: str | None, tools: list[str], permits: list[str]
) -> None:
    tour = make_tour(work_type_version=work_type_version)

    def mark() -> None:
        assert tour.order.site is not None
        tour.order.site.environment = {"hazard_zone": zone} if zone else {}

    write(mark)
    [visit] = Tablet(sqlite_app, tour).get("/api/v1/tablet/snapshot").json["visits"]
    assert [one["code"] for one in visit["tools"]] == tools
    assert [one["code"] for one in visit["permits"]] == permits


@pytest.mark.parametrize(
    ("required", "conduct", "state"),
    [
        (False, [], "en_route"),
        (True, [], "accepted"),
        (True, ["uniform", "badge"], "accepted"),
        (True, ["uniform", "badge", "smile"], "accepted"),
        (True, CONDUCT, "en_route"),
    ],
)
def test_s09_nobody_leaves_without_the_ticks_a_station_asks_for(
    tablet: Tablet, required: bool, conduct: list[str], state: str
) -> None:
    write(lambda: leaving.require_conduct(tablet.tour.order.station, required, now()))
    tablet.go("accepted")
    assert tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["conduct"] is required
    result = tablet.send("move", to="en_route", conduct=conduct)
    assert tablet.tour.visit.state == state
    assert result["code"] == ("" if state == "en_route" else "conduct")
    if required and state == "en_route":
        assert said(tablet.tour, "visit.en_route")[0]["conduct"] == CONDUCT


def test_s09_the_policy_is_set_by_a_command(sqlite_app: Flask, clock: Clock) -> None:
    tour = make_tour()
    runner = sqlite_app.test_cli_runner()
    for word, wanted in (("require", True), ("waive", False), ("waive", False)):
        assert runner.invoke(args=["conduct", word, "WXXW"]).exit_code == 0
        session.rollback()
        assert leaving.conduct_required(tour.station_id) is wanted
    assert runner.invoke(args=["conduct", "require", "NOPE"]).exit_code != 0


# Arriving ---------------------------------------------------------------------------------------------------


def consent(tablet: Tablet, given: bool = True) -> dict[str, Any]:
    command = tablet.command("consent", given=given, version=arriving.CONSENT_VERSION)
    del command["payload"]["visit"]
    return tablet.post(command)[0]


def arrive(tablet: Tablet, north_m: float | None, accuracy: float = 20, reason: str = "") -> dict[str, Any]:
    """Arrive so many metres north of the site; None: without a position."""
    tablet.go("accepted", "en_route")
    order = tablet.tour.order
    assert order.latitude is not None
    place = None
    if north_m is not None:
        place = {"latitude": order.latitude + north_m / 111_195, "longitude": order.longitude, "accuracy_m": accuracy}
    return tablet.send("move", to="on_site", check_in="geofence", position=place, reason=reason)


@pytest.mark.parametrize(
    ("north_m", "accuracy", "check_in"),
    [
        (0, 20, "geofence"), (299, 0, "geofence"), (310, 0, "hand"), (310, 20, "geofence"), (330, 20, "hand"),
        (5000, 20, "hand"), (5000, 4900, "hand"), (100, 1001, "hand"), (None, 0, "hand"),
    ],
)  # fmt: skip
def test_an_arrival_near_the_site_checks_in_by_itself(
    tablet: Tablet, north_m: float | None, accuracy: float, check_in: str
) -> None:
    consent(tablet)
    assert arrive(tablet, north_m, accuracy, "客户换了车间")["status"] == "accepted"
    row = session.scalars(select(Arrival)).one()
    assert (row.check_in, row.reason) == (check_in, "客户换了车间")
    assert row.distance_m == (pytest.approx(north_m, abs=2) if north_m is not None else None)
    assert tablet.tour.visit.state == "on_site"
    assert tablet.get("/api/v1/tablet/snapshot").json["visits"][0]["check_in"] == check_in


def test_a_site_that_is_not_known_as_a_point_is_checked_in_by_hand(sqlite_app: Flask, clock: Clock) -> None:
    tablet = Tablet(sqlite_app, make_tour(precision="county"))
    consent(tablet)
    arrive(tablet, 0)
    assert session.scalars(select(Arrival)).one().check_in == "hand"


@pytest.mark.parametrize(
    ("given", "duty", "kept"),
    [
        (None, "shift", False), (False, "shift", False), (True, "shift", True), (True, "on_call", True),
        (True, "draft", False), (True, "over", False), (True, "none", False),
    ],
)  # fmt: skip
def test_n14_a_position_is_kept_only_with_consent_and_on_duty(
    tablet: Tablet, given: bool | None, duty: str, kept: bool
) -> None:
    if given is not None:
        consent(tablet, True)
        consent(tablet, given)

    def roster() -> None:
        for shift in session.scalars(select(Shift)):
            session.delete(shift)
        session.flush()
        hours = {"over": (6, 9)}.get(duty, (8, 18))
        if duty != "none":
            session.add(Shift(
                technician_id=tablet.tour.technician_id, station_id=tablet.tour.station_id, on_call=duty == "on_call",
                starts_at=at_local(DAY, hours[0]), ends_at=at_local(DAY, hours[1]),
                state="draft" if duty == "draft" else "published",
            ))  # fmt: skip

    write(roster)
    result = arrive(tablet, 10)
    assert result["status"] == "accepted"
    assert bool(result["detail"]) is not kept
    row = session.scalars(select(Arrival)).one()
    assert (row.latitude is not None, row.distance_m is not None) == (kept, kept)
    assert row.check_in == ("geofence" if kept else "hand")
    assert not any("position" in one.payload for one in session.scalars(select(TabletCommand)))


def test_n14_coordinates_are_forgotten_after_a_month_and_the_distance_stays(tablet: Tablet, clock: Clock) -> None:
    consent(tablet)
    arrive(tablet, 10)
    for days, there in ((29, True), (2, False)):
        clock.advance(minutes=days * 24 * 60)
        write(lambda: arriving.forget_positions(now()))
        row = session.scalars(select(Arrival).execution_options(populate_existing=True)).one()
        assert (row.latitude is not None, row.distance_m) == (there, 10)


def test_n14_consent_is_kept_with_its_version_and_times_and_withdrawing_forgets_places(
    tablet: Tablet, clock: Clock
) -> None:
    shown = lambda: tablet.get("/api/v1/tablet/snapshot").json["location"]  # noqa: E731
    assert shown() == {"version": 1, "given": False}
    assert consent(tablet)["status"] == "accepted"
    consent(tablet)
    assert shown() == {"version": 1, "given": True}
    arrive(tablet, 10)
    clock.advance(minutes=5)
    consent(tablet, False)
    assert shown() == {"version": 1, "given": False}
    [row] = session.scalars(select(LocationConsent)).all()
    assert (row.version, row.withdrawn_at - row.given_at) == (1, timedelta(minutes=5))  # type: ignore[operator]
    assert session.scalars(select(Arrival)).one().latitude is None
    kinds = [event.kind for event in session.scalars(select(Event).order_by(Event.id))]
    assert [kind for kind in kinds if kind.startswith("user.location")] == [
        "user.location_allowed", "user.location_withdrawn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "payload", [{}, {"given": "perhaps", "version": 1}, {"given": True}, {"given": True, "version": 99}]
)
def test_n14_consent_to_nothing_is_refused(lite: Tablet, payload: dict[str, Any]) -> None:
    result = lite.send("consent", **payload)
    assert (result["status"], result["code"]) == ("rejected", "malformed")
    assert count(LocationConsent) == 0


@pytest.mark.parametrize(
    "position",
    [
        "here", [], {}, {"latitude": 91, "longitude": 0, "accuracy_m": 1},
        {"latitude": "NaN", "longitude": 0, "accuracy_m": 1}, {"latitude": 1, "longitude": 1, "accuracy_m": -1},
        {"latitude": 1, "longitude": 1, "accuracy_m": 1e300},
    ],
)  # fmt: skip
def test_positions_that_are_none_are_refused_and_not_kept(lite: Tablet, position: Any) -> None:
    lite.go("accepted", "en_route")
    result = lite.send("move", to="on_site", position=position)
    assert (result["status"], result["code"]) == ("rejected", "malformed")
    assert count(Arrival) == 0
    assert "position" not in session.scalars(select(TabletCommand).order_by(TabletCommand.id.desc())).first().payload  # type: ignore[union-attr]


def test_an_older_tablet_arrives_without_a_word(lite: Tablet) -> None:
    lite.go("accepted", "en_route", "on_site")
    assert count(Arrival) == 0
    assert session.get_one(Visit, lite.tour.visit_id).state == "on_site"
