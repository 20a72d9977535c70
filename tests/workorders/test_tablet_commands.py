"""Commands of tablets: exactly once, in order, each with a kept result; nothing is lost, nothing foreign touched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, select

from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.mechanisms.events import Event
from fieldservice.parts.queries import unbalanced
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, catalogue, visits
from fieldservice.workorders.models import Answer, PartUse, TabletCommand
from fieldservice.workorders.tablet import commands, reviews
from fieldservice.workorders.tablet.models import TabletDevice
from tests.conftest import make_user
from tests.workorders.cast import DAY
from tests.workorders.on_tour import PATTERN, SEAL, Tour, another_technician, fitting, make_tour

_numbers = count(1)


class Tablet:
    """A tablet by token: posts commands with ids and sequence of its own."""

    def __init__(self, app: Flask, tour: Tour, email: str = "lu@demo.test") -> None:
        self.tour = tour
        self.http: FlaskClient = app.test_client()
        self.token = write(lambda: create_token(email=email, name="tablet"))
        self.seq = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "zh"}

    def command(self, kind: str, /, at: Any = None, **payload: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "id": f"0190-test-{next(_numbers):08d}",
            "seq": self.seq,
            "kind": kind,
            "at": (at or now()).isoformat() if not isinstance(at, str) else at,
            "base_version": 1,
            "payload": {"visit": self.tour.visit_id, **payload},
        }

    def post(self, *given: Any, status: int = 200) -> list[dict[str, Any]]:
        answer = self.http.post(
            "/api/v1/tablet/commands", json={"device_id": "tab-1", "commands": list(given)}, headers=self.headers
        )
        assert answer.status_code == status, answer.text
        return answer.json["results"] if status == 200 else answer.json  # type: ignore[index,no-any-return]

    def send(self, kind: str, /, **payload: Any) -> dict[str, Any]:
        return self.post(self.command(kind, **payload))[0]

    def go(self, *states: str) -> None:
        for result in self.post(*(self.command("move", to=state) for state in states)):
            assert result["status"] == "accepted", result

    def get(self, path: str, **facts: Any) -> Any:
        return self.http.get(path, headers=self.headers, **facts)


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    return Tablet(sqlite_app, make_tour())


@contextmanager
def counted_commits() -> Iterator[list[str]]:
    """The transactions that wrote within the block."""
    seen: list[str] = []

    def note(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            seen.append("write")

    event.listen(db.engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "commit", note)


def stored() -> int:
    return session.scalar(select(func.count(TabletCommand.id))) or 0


# The whole job ------------------------------------------------------------------------------------------


def test_a_whole_visit_by_commands(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site", "in_progress")
    order = tablet.tour.order
    form = [
        tablet.command("answer", field=field.code, value=fitting(field))
        for field in catalogue.checklist_of(order).fields
        if field.type != "photo"
    ]
    rest = [
        tablet.command("photo", upload="photo-1", field="seal_photo"),
        tablet.command("failure", pattern=PATTERN),
        tablet.command("part", part=SEAL, quantity=1),
        tablet.command("summary", summary="换了油封，试运行无滴漏。", technical_note="轴磨损 0.05 mm"),
        tablet.command("signature", upload="sign-1", name="何建平"),
        tablet.command("note", words="门卫换人了"),
        tablet.command("move", to="completed", restored=True),
    ]
    results = tablet.post(*form, *rest)
    assert [result["status"] for result in results] == ["accepted"] * len(results)
    assert (tablet.tour.visit.state, tablet.tour.order.state) == ("completed", "completed")
    assert tablet.tour.in_van() == 1
    assert unbalanced() == []
    assert stored() == 4 + len(results)


def test_results_come_in_the_order_sent_though_applied_by_sequence(tablet: Tablet) -> None:
    first, second = tablet.command("move", to="accepted"), tablet.command("move", to="en_route")
    results = tablet.post(second, first)
    assert [result["id"] for result in results] == [second["id"], first["id"]]
    assert {result["status"] for result in results} == {"accepted"}


def test_a_refused_command_leaves_the_others_of_its_post_alone(tablet: Tablet) -> None:
    results = tablet.post(
        tablet.command("move", to="accepted"),
        tablet.command("move", to="in_progress"),
        tablet.command("move", to="en_route"),
    )
    assert [result["status"] for result in results] == ["accepted", "rejected", "accepted"]
    assert tablet.tour.visit.state == "en_route"


def test_what_is_told_of_one_visit_is_written_together(tablet: Tablet) -> None:
    tablet.send("note", words="the office knows this tablet")
    told = [tablet.command("note", words=f"note {number}") for number in range(commands.AT_ONCE + 1)]
    with counted_commits() as one:
        tablet.post(told[0])
    with counted_commits() as many:
        tablet.post(*told[1:])
    assert many == one
    assert stored() == len(told) + 1


# Exactly once ---------------------------------------------------------------------------------------------


def test_a_replay_gets_the_stored_result_and_does_nothing_more(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site")
    use = tablet.command("part", part=SEAL, quantity=1)
    first = tablet.post(use)
    again = tablet.post(use, use)
    assert first[0] == again[0] == again[1]
    assert session.scalar(select(func.count(PartUse.id))) == 1
    assert tablet.tour.in_van() == 1


def test_a_rejected_command_stays_rejected_when_sent_again(tablet: Tablet) -> None:
    early = tablet.command("move", to="en_route")
    first = tablet.post(early)[0]
    tablet.go("accepted")
    assert tablet.post(early)[0] == first
    assert tablet.tour.visit.state == "accepted"


def test_two_posts_at_once_apply_it_once(tablet: Tablet, app: Flask) -> None:
    tablet.go("accepted", "en_route", "on_site")
    use = tablet.command("part", part=SEAL, quantity=1)
    begin, results = Barrier(4), []

    def post() -> None:
        with app.app_context():
            client = app.test_client()
            begin.wait()
            body = {"device_id": "tab-1", "commands": [use]}
            answer = client.post("/api/v1/tablet/commands", json=body, headers=tablet.headers)
            results.append((answer.status_code, answer.json["results"][0]["status"]))  # type: ignore[index]

    threads = [Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert results == [(200, "accepted")] * 4
    assert session.scalar(select(func.count(PartUse.id))) == 1
    assert unbalanced() == []


def test_an_id_of_somebody_else_tells_nothing(tablet: Tablet, app: Flask) -> None:
    command = tablet.command("note", words="秘密")
    tablet.post(command)
    xu = another_technician(tablet.tour).id
    make_user("technician", tablet.tour.station_id, email="xu@demo.test", technician_id=xu)
    other = Tablet(app, tablet.tour, "xu@demo.test")
    result = other.post({**command, "payload": {"visit": 1, "words": "x"}})[0]
    assert (result["status"], result["code"]) == ("rejected", "id_used")
    assert stored() == 1


# Refused, with a sentence; and kept -----------------------------------------------------------------------


def test_a_rejection_says_what_happened_in_the_technicians_language(tablet: Tablet) -> None:
    result = tablet.send("move", to="on_site")
    assert (result["status"], result["code"]) == ("rejected", "move_forbidden")
    assert "已派工" in result["detail"]
    row = session.scalars(select(TabletCommand)).one()
    assert (row.status, row.payload["to"]) == ("rejected", "on_site")
    assert session.scalar(select(func.count(Event.id)).where(Event.kind == "tablet.rejected")) == 1


def test_S_13_finish_without_summary_is_rejected_with_all_that_is_missing(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site", "in_progress")
    result = tablet.send("move", to="completed", restored=True)
    assert result["code"] == "not_finished"
    assert {"summary", "failure", "checklist"} == set(result["errors"])
    assert tablet.tour.visit.state == "in_progress"


def test_too_few_parts_are_told_with_what_is_there(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site")
    result = tablet.send("part", part=SEAL, quantity=5)
    assert (result["code"], "2" in result["detail"]) == ("part_short", True)
    assert tablet.tour.in_van() == 2


def test_a_part_is_taken_back_by_the_command_that_fitted_it(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site")
    use = tablet.command("part", part=SEAL, quantity=1)
    tablet.post(use)
    assert tablet.send("part", returns=use["id"])["status"] == "accepted"
    assert tablet.tour.in_van() == 2
    assert tablet.send("part", returns=use["id"])["code"] == "already_returned"
    assert tablet.tour.in_van() == 2


def test_a_part_fitted_otherwise_is_taken_back_by_its_number(tablet: Tablet) -> None:
    tablet.tour.at_work()
    use = tablet.tour.do(visits.use_part, tablet.tour.part(), Decimal(1))
    assert tablet.send("part", returns=f"use-{use.id}")["status"] == "accepted"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("move", {}),
        ("move", {"to": 5}),
        ("move", {"to": "accepted", "open_items": "x"}),
        ("move", {"to": "x" * 25}),
        ("move", {"to": "accepted", "restored": "perhaps"}),
        ("move", {"to": "accepted", "done_items": [0]}),
        ("answer", {}),
        ("answer", {"field": "vibration"}),
        ("answer", {"field": None, "value": 1}),
        ("answer", {"field": "vibration", "value": 1, "note": "x" * 501}),
        ("part", {}),
        ("part", {"part": SEAL}),
        ("part", {"part": SEAL, "quantity": "many"}),
        ("part", {"part": SEAL, "quantity": "NaN"}),
        ("part", {"part": SEAL, "quantity": True, "location": -1}),
        ("part", {"part": "X", "quantity": 1}),
        ("part", {"part": SEAL, "quantity": "1e99999"}),
        ("part", {"part": SEAL, "quantity": 1, "location": 2**70}),
        ("part", {"returns": "use-99999999999999999999"}),
        ("part", {"returns": "use-x"}),
        ("part", {"returns": "٣"}),
        ("photo", {}),
        ("photo", {"upload": "../../etc"}),
        ("photo", {"upload": "a", "field": "nowhere"}),
        ("photo", {"upload": "a", "field": "lockout"}),
        ("summary", {}),
        ("summary", {"summary": 7}),
        ("summary", {"summary": "x" * 2001}),
        ("failure", {}),
        ("failure", {"pattern": "nope"}),
        ("failure", {"codes": {"failure_mode": {}}}),
        ("failure", {"codes": []}),
        ("signature", {}),
        ("signature", {"upload": "ok", "name": "x" * 81}),
        ("note", {}),
        ("note", {"words": ""}),
    ],
)
def test_hostile_payloads_are_rejected_and_kept(lite: Tablet, kind: str, payload: dict[str, Any]) -> None:
    lite.tour.at_work()
    before = session.scalar(select(func.count(Answer.id)))
    result = lite.send(kind, **payload)
    assert result["status"] == "rejected"
    assert result["detail"]
    assert stored() == 1
    assert session.scalar(select(func.count(Answer.id))) == before
    assert unbalanced() == []


@pytest.mark.parametrize("visit", [None, "1", 0, -1, 2**63, 1.5, [1], 987654321, True])
def test_visits_that_are_none_are_rejected(lite: Tablet, visit: Any) -> None:
    result = lite.send("note", words="x", visit=visit)
    assert result["status"] == "rejected" if visit is not True else result["status"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "explode"},
        {"kind": None},
        {"seq": -1},
        {"seq": 2**60},
        {"seq": "x"},
        {"at": "yesterday"},
        {"at": None},
        {"at": "2026-11-25T10:30:00"},
        {"payload": None},
        {"payload": []},
        {"base_version": "x"},
        {"base_version": -5},
    ],
)
def test_malformed_envelopes_are_rejected_and_kept(lite: Tablet, change: dict[str, Any]) -> None:
    command = {**lite.command("note", words="门卫换人"), **change}
    result = lite.post(command)[0]
    assert (result["id"], result["status"], result["code"]) == (command["id"], "rejected", "malformed")
    row = session.scalars(select(TabletCommand)).one()
    assert "门卫换人" in json.dumps(row.payload, ensure_ascii=False) or change.get("payload", 0) is not change


@pytest.mark.parametrize("given", [None, "", "x", 7, "a" * 41, "a b c d e f", {}, "\u202e" * 10])
def test_commands_without_a_usable_id_are_told_so(lite: Tablet, given: Any) -> None:
    good = lite.command("note", words="好")
    results = lite.post({**lite.command("note", words="x"), "id": given}, good)
    assert [result["status"] for result in results] == ["rejected", "accepted"]
    assert stored() == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"device_id": "a"},
        {"commands": []},
        {"device_id": "", "commands": []},
        {"device_id": 1, "commands": []},
        {"device_id": "a b", "commands": []},
        {"device_id": "x" * 65, "commands": []},
        {"device_id": "a", "commands": {}},
        {"device_id": "a", "commands": [1]},
        {"device_id": "a", "commands": [None]},
        {"device_id": "a", "commands": [{}] * 101},
    ],
)
def test_malformed_posts_are_422(lite: Tablet, body: Any) -> None:
    answer = lite.http.post("/api/v1/tablet/commands", json=body, headers=lite.headers)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_huge_post_is_refused(lite: Tablet) -> None:
    body = json.dumps({"device_id": "a", "commands": [lite.command("note", words="x" * 1_100_000)]})
    answer = lite.http.post("/api/v1/tablet/commands", data=body, content_type="application/json", headers=lite.headers)
    assert answer.status_code == 413


def test_what_no_database_can_keep_is_made_storable() -> None:
    deep: Any = "x"
    for _ in range(30):
        deep = [deep]
    kept = commands.storable(
        {"a\x00": "b\x00\ud800", "n": float("nan"), "i": float("inf"), "deep": deep, "ok": [1, True, None, 1.5]}
    )
    assert kept["a\ufffd"] == "b\ufffd\ufffd"
    assert (kept["n"], kept["i"], kept["ok"]) == ("nan", "inf", [1, True, None, 1.5])
    json.dumps(kept, allow_nan=False).encode()


# Times ------------------------------------------------------------------------------------------------------


def test_times_are_taken_as_they_happened(tablet: Tablet, clock: Clock) -> None:
    clock.fix(at_local(DAY, 12))
    tablet.post(*(
        tablet.command("move", at_local(DAY, 10, minute), to=state)
        for minute, state in ((35, "accepted"), (40, "en_route"), (58, "on_site"))
    ))  # fmt: skip
    visit = tablet.tour.visit
    assert (visit.accepted_at, visit.on_site_at) == (at_local(DAY, 10, 35), at_local(DAY, 10, 58))


@pytest.mark.parametrize(
    "at",
    ["2199-01-01T00:00:00+08:00", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)
def test_a_wrong_clock_is_corrected_and_flagged(lite: Tablet, at: str) -> None:
    result = lite.post(lite.command("move", at, to="accepted"))[0]
    assert (result["status"], result["code"]) == ("accepted_with_flag", "clock")
    assert lite.tour.visit.accepted_at == now()


def test_a_clock_seconds_ahead_is_no_news(lite: Tablet) -> None:
    result = lite.post(lite.command("move", now() + timedelta(seconds=30), to="accepted"))[0]
    assert result["status"] == "accepted"
    assert lite.tour.visit.accepted_at == now()


# Whose visit it is --------------------------------------------------------------------------------------------


def test_somebody_elses_visit_is_not_found(tablet: Tablet, app: Flask) -> None:
    xu = another_technician(tablet.tour).id
    make_user("technician", tablet.tour.station_id, email="xu@demo.test", technician_id=xu)
    result = Tablet(app, tablet.tour, "xu@demo.test").send("move", to="accepted")
    assert (result["status"], result["code"]) == ("rejected", "not_found")
    assert tablet.tour.visit.state == "dispatched"


def test_a_job_given_to_a_colleague_takes_no_steps_but_keeps_what_was_recorded(tablet: Tablet) -> None:
    tablet.go("accepted")
    xu = another_technician(tablet.tour).id
    write(lambda: booking.reschedule_visit(tablet.tour.visit, technician=session.get_one(Technician, xu)))
    step, fact = tablet.send("move", to="en_route"), tablet.send("note", words="客户说下午停机")
    assert (step["status"], step["code"]) == ("rejected", "reassigned")
    assert "许晓峰" in step["detail"]
    assert (fact["status"], fact["code"]) == ("accepted_with_flag", "reassigned")


@pytest.mark.parametrize("named", [True, False], ids=["from his van", "from nowhere named"])
def test_a_part_of_whoever_had_the_job_before_comes_out_of_his_own_van(tablet: Tablet, named: bool) -> None:
    tour = tablet.tour
    tablet.go("accepted")
    xu = another_technician(tour).id
    write(lambda: booking.reschedule_visit(tour.visit, technician=session.get_one(Technician, xu)))
    write(lambda: booking.send_visit(tour.visit))
    tour.at_work()
    facts = {"location": tour.van_id} if named else {}
    result = tablet.send("part", part=SEAL, quantity=1, **facts)
    assert (result["status"], result["code"]) == ("accepted_with_flag", "reassigned")
    assert tour.in_van() == 1


def test_an_answer_after_the_end_is_flagged(tablet: Tablet, clock: Clock) -> None:
    tablet.tour.at_work().record_all()
    tablet.tour.do(visits.finish, outcome="completed", restored=True)
    clock.advance(minutes=5)
    assert tablet.send("answer", field="vibration", value=2)["code"] == "after_end"
    assert tablet.send("signature", upload="s-1", name="何工")["status"] == "accepted"


def test_an_account_without_technician_is_told_what_to_do(app: Flask, clock: Clock) -> None:
    tour = make_tour()
    make_user("technician", tour.station_id, email="nobody@demo.test")
    answer = Tablet(app, tour, "nobody@demo.test").get("/api/v1/tablet/snapshot")
    assert (answer.status_code, answer.json["code"]) == (403, "no_technician")


# The page's own edge --------------------------------------------------------------------------------------------


@pytest.fixture
def page(app: Flask, clock: Clock) -> tuple[FlaskClient, Tour]:
    tour = make_tour()
    client = app.test_client()
    with client.session_transaction() as browser:
        browser["_user_id"] = session.get_one(User, tour.user_id).fs_uniquifier
        browser["_fresh"] = True
    session.rollback()
    return client, tour


def test_the_pages_commands_need_the_cross_site_token(page: tuple[FlaskClient, Tour]) -> None:
    client, tour = page
    body = {"device_id": "t", "commands": [{"id": "page-0001", "seq": 1, "kind": "move", "at": now().isoformat(),
            "payload": {"visit": tour.visit_id, "to": "accepted"}}]}  # fmt: skip
    answer = client.post("/tablet/commands", json=body)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")  # type: ignore[index]
    assert answer.mimetype == "application/problem+json"
    token = client.get("/tablet/session").json["csrf"]  # type: ignore[index]
    done = client.post("/tablet/commands", json=body, headers={"X-CSRFToken": token})
    assert done.json["results"][0]["status"] == "accepted"  # type: ignore[index]
    assert tour.visit.state == "accepted"


def test_signed_out_the_pages_calls_answer_401_as_json(app: Flask) -> None:
    client = app.test_client()
    for method, path in (("GET", "/tablet/snapshot"), ("POST", "/tablet/commands"), ("PUT", "/tablet/uploads/a/0")):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), path


# What was refused, and is sent again or applied by hand ---------------------------------------------------------


def office(tour: Tour) -> Any:
    return make_user("dispatcher", tour.station_id, email="hall@demo.test").as_person()


def test_what_the_office_applied_is_not_done_again_when_it_is_sent_again(tablet: Tablet) -> None:
    tour = tablet.tour
    early = tablet.command("part", part=SEAL, quantity=1)
    assert tablet.post(early)[0]["code"] == "not_at_work"
    tablet.go("accepted", "en_route", "on_site")
    hall = office(tour)
    row = session.scalars(select(TabletCommand).where(TabletCommand.command_id == early["id"])).one().id
    write(lambda: reviews.apply_by_hand(row, hall))
    assert tour.in_van() == 1
    again = tablet.post({**tablet.command("part", part=SEAL, quantity=1), "again_of": early["id"]})[0]
    assert (again["status"], again["code"]) == ("accepted", "applied_by_hand")
    assert tour.in_van() == 1


def test_what_was_sent_again_is_nobodys_task_any_more(tablet: Tablet) -> None:
    early = tablet.command("part", part=SEAL, quantity=1)
    tablet.post(early)
    tablet.go("accepted", "en_route", "on_site")
    again = tablet.post({**tablet.command("part", part=SEAL, quantity=1), "again_of": early["id"]})[0]
    assert again["status"] == "accepted"
    hall = office(tablet.tour)
    row = session.scalars(select(TabletCommand).where(TabletCommand.command_id == early["id"])).one()
    assert row.review == "sent_again"
    with pytest.raises(Conflict):
        write(lambda: reviews.apply_by_hand(row.id, hall))
    assert tablet.tour.in_van() == 1


def test_a_day_recorded_for_a_job_given_away_is_kept_whole(tablet: Tablet) -> None:
    """He had accepted and went without a network; the office gave the job to a colleague, who has not begun."""
    tour = tablet.tour
    tablet.go("accepted")
    xu = another_technician(tour).id
    write(lambda: booking.reschedule_visit(tour.visit, technician=session.get_one(Technician, xu)))
    told = tablet.post(
        tablet.command("move", to="en_route"), tablet.command("move", to="on_site"),
        tablet.command("answer", field="oil_temperature", value=61), tablet.command("part", part=SEAL, quantity=1),
        tablet.command("photo", upload="photo-1"), tablet.command("summary", summary="换了油封。"),
    )  # fmt: skip
    assert [one["status"] for one in told] == ["rejected"] * 2 + ["accepted_with_flag"] * 4
    assert {one["code"] for one in told} == {"reassigned"}
    assert tour.in_van() == 1
    hall = office(tour)
    step = session.scalars(
        select(TabletCommand).where(TabletCommand.kind == "move", TabletCommand.review.is_(None))
    ).first()
    assert step is not None
    with pytest.raises(Conflict, match="reassigned"):
        write(lambda: reviews.apply_by_hand(session.scalars(
            select(TabletCommand.id).where(TabletCommand.status == "rejected").limit(1)
        ).one(), hall))  # fmt: skip
    assert tour.visit.state == "scheduled"


def test_what_another_tablet_carries_does_not_wake_the_lost_one(tablet: Tablet) -> None:
    tablet.post(tablet.command("note", words="from the first"))
    body = {
        "device_id": "tab-1",
        "carried_by": "tab-2",
        "client": 2,
        "commands": [tablet.command("note", words="carried")],
    }
    answer = tablet.http.post("/api/v1/tablet/commands", json=body, headers=tablet.headers)
    assert answer.json["results"][0]["status"] == "accepted"  # type: ignore[index]
    rows = {row.device_id: row.last_seen_at for row in session.scalars(select(TabletDevice))}
    assert set(rows) == {"tab-1", "tab-2"}
    assert {row.device_id for row in session.scalars(select(TabletCommand))} == {"tab-1"}


def test_a_day_recorded_for_a_job_whose_time_was_changed_counts(tablet: Tablet, clock: Clock) -> None:
    tour = tablet.tour
    tablet.go("accepted")
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=tour.visit.starts_at + timedelta(hours=2)))
    told = tablet.post(
        tablet.command("move", to="en_route"), tablet.command("move", to="on_site"),
        tablet.command("move", to="in_progress"), tablet.command("part", part=SEAL, quantity=1),
    )  # fmt: skip
    assert [(one["status"], one["code"]) for one in told] == [
        ("accepted_with_flag", "rescheduled"), ("accepted", ""), ("accepted", ""), ("accepted", "")
    ]  # fmt: skip
    assert tour.visit.state == "in_progress"


def test_who_never_accepted_does_not_skip_accepting(tablet: Tablet) -> None:
    tour = tablet.tour
    write(lambda: booking.reschedule_visit(tour.visit, starts_at=tour.visit.starts_at + timedelta(hours=2)))
    assert tablet.send("move", to="en_route")["status"] == "rejected"
    assert tour.visit.state == "scheduled"


def test_taking_back_twice_never_takes_another_part(tablet: Tablet) -> None:
    tablet.go("accepted", "en_route", "on_site")
    first, second = tablet.command("part", part=SEAL, quantity=1), tablet.command("part", part=SEAL, quantity=1)
    back, again = tablet.command("part", returns=first["id"]), tablet.command("part", returns=first["id"])
    told = tablet.post(first, back, second, {**again, "seq": second["seq"] + 10})
    assert [one["status"] for one in told] == ["accepted", "accepted", "accepted", "rejected"]
    assert session.scalar(select(func.count(PartUse.id))) == 1
