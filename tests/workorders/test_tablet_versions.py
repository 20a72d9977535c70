"""Versions of the tablet's page are accepted for ever; both clocks are kept; what a tablet overwrites is told."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import TabletCommand
from fieldservice.workorders.tablet import commands
from fieldservice.workorders.tablet.kinds import KINDS, Kind
from fieldservice.workorders.tablet.models import TabletDevice
from tests.conftest import make_user
from tests.workorders.cast import DAY
from tests.workorders.on_tour import another_technician, make_tour
from tests.workorders.test_tablet_commands import Tablet, stored

RECORDED = yaml.safe_load((Path(__file__).parent / "data" / "tablet_v1.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def tablet(app: Flask) -> Tablet:
    return Tablet(app, make_tour())


@pytest.fixture
def lite(sqlite_app: Flask) -> Tablet:
    return Tablet(sqlite_app, make_tour())


def post(tablet: Tablet, given: list[Any], status: int = 200, **more: Any) -> Any:
    body = {"device_id": "tab-1", "commands": given, **more}
    answer = tablet.http.post("/api/v1/tablet/commands", json=body, headers=tablet.headers)
    assert answer.status_code == status, answer.text
    return answer.json


# Version 1 ---------------------------------------------------------------------------------------------


def test_every_kind_of_version_1_is_recorded() -> None:
    eldest = {"move", "answer", "part", "photo", "summary", "failure", "signature", "note"}
    assert {one["kind"] for one in RECORDED} == eldest
    assert eldest <= set(KINDS)


def test_what_version_1_sent_is_accepted_for_ever(tablet: Tablet) -> None:
    last = ""
    for one in RECORDED:
        payload = {**one["payload"]}
        if payload.get("returns") == "{last}":
            payload["returns"] = last
        command = tablet.command(one["kind"], **payload)
        last = command["id"]
        answer = post(tablet, [command])
        assert answer["results"][0]["status"] == "accepted", (one, answer)
    assert tablet.tour.visit.state == "partially_completed"
    assert set(session.scalars(select(TabletCommand.client))) == {1}


@pytest.mark.parametrize(("client", "status"), [(0, 409), (1, 200), (2, 200), (3, 200), (-1, 422), ("x", 422)])
def test_two_versions_before_ours_are_understood(lite: Tablet, client: Any, status: int) -> None:
    answer = post(lite, [lite.command("note", words="门卫换人")], status, client=client)
    if status == 409:
        assert (answer["code"], answer["oldest"]) == ("client_too_old", 1)
        assert "不会丢失" in answer["detail"]
    if status == 200:
        assert answer["client"] == {"current": 2, "oldest": 1}
    assert stored() == (1 if status == 200 else 0)


def test_older_ones_are_asked_to_update_once_we_are_further(lite: Tablet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "CURRENT", 5)
    assert post(lite, [], 409, client=2)["code"] == "client_too_old"
    assert post(lite, [], client=3)["client"] == {"current": 5, "oldest": 3}


# Both clocks -------------------------------------------------------------------------------------------


def test_both_clocks_and_the_offset_are_kept(tablet: Tablet, clock: Clock) -> None:
    clock.fix(at_local(DAY, 12))
    told = at_local(DAY, 11, 30)
    off = {**tablet.command("note", told, words="一"), "device_at": (told - timedelta(minutes=7)).isoformat()}
    without = tablet.command("note", told, words="二")
    answer = post(tablet, [off, without], client=2, report={"offset_ms": 420_500})
    assert [one["status"] for one in answer["results"]] == ["accepted", "accepted"]
    rows = session.scalars(select(TabletCommand).order_by(TabletCommand.seq)).all()
    assert [(row.at, row.device_at, row.offset_ms, row.client) for row in rows] == [
        (told, told - timedelta(minutes=7), 420_000, 2), (told, None, 420_500, 2),
    ]  # fmt: skip
    assert {row.counted_at for row in rows} == {told}


def test_a_corrected_time_is_no_flag_and_a_wrong_one_is(lite: Tablet) -> None:
    good = {**lite.command("note", words="一"), "device_at": "1999-01-01T00:00:00+08:00"}
    wrong = lite.command("note", now() + timedelta(minutes=10), words="二")
    assert [one["code"] for one in post(lite, [good, wrong])["results"]] == ["", "clock"]


# Broken on our side --------------------------------------------------------------------------------------


class Broken(RuntimeError):
    """A defect of ours."""


def test_a_command_that_breaks_the_server_leaves_nothing_and_the_others_keep_their_results(
    tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def do(deed: Any, words: str) -> Mapping[str, Any]:
        visits.note(deed.visit, words, deed.at)
        session.flush()
        if words == "毒":
            raise Broken
        return {}

    monkeypatch.setitem(KINDS, "note", Kind(KINDS["note"].schema, do))  # type: ignore[arg-type]  # a plain dict
    batch = [tablet.command("note", words="毒" if index == 20 else f"第 {index} 条") for index in range(50)]
    with pytest.raises(Broken):
        post(tablet, batch)
    session.rollback()
    assert stored() == 20
    again = [command for command in batch if command is not batch[20]]
    results = post(tablet, again)["results"]
    assert [one["status"] for one in results] == ["accepted"] * 49
    assert stored() == 49
    assert len(set(session.scalars(select(TabletCommand.command_id)))) == 49
    with pytest.raises(Broken):
        post(tablet, [batch[20]])
    session.rollback()
    assert stored() == 49, "the poison item is not stored half"


# Overwriting ------------------------------------------------------------------------------------------------


def colleague_writes(tablet: Tablet, deed: Any, *args: Any) -> None:
    """Somebody in the office writes something, now."""
    from flask import g

    user = make_user("dispatcher", tablet.tour.station_id)
    g.actor = f"user:{user.id}"
    tablet.tour.do(deed, *args)
    g.pop("actor")


def test_a_summary_the_office_changed_meanwhile_is_overwritten_with_a_flag(tablet: Tablet, clock: Clock) -> None:
    tablet.tour.at_work()
    post(tablet, [tablet.command("summary", summary="第一版")])
    clock.advance(minutes=10)
    colleague_writes(tablet, lambda visit, at: visits.set_summary(visit, "办公室版", at, "办公室备注"))
    clock.advance(minutes=10)
    result = post(tablet, [tablet.command("summary", summary="平板版")])["results"][0]
    assert (result["status"], result["code"]) == ("accepted_with_flag", "overwritten")
    row = session.scalars(select(TabletCommand).order_by(TabletCommand.id.desc()).limit(1)).one()
    assert row.detail["former"] == {"summary": "办公室版"}
    assert tablet.tour.order.summary == "平板版"
    assert tablet.tour.order.technical_note == "办公室备注"
    after = post(tablet, [tablet.command("summary", summary="平板版二")])["results"][0]
    assert after["status"] == "accepted", "it is its own word now"


@pytest.mark.parametrize("known", ["last contact", "base_at", "the same words"])
def test_what_the_tablet_had_seen_is_no_conflict(lite: Tablet, clock: Clock, known: str) -> None:
    lite.tour.at_work()
    clock.advance(minutes=1)
    colleague_writes(lite, lambda visit, at: visits.set_summary(visit, "办公室版", at))
    clock.advance(minutes=5)
    if known == "last contact":
        post(lite, [])
    clock.advance(minutes=5)
    words = "办公室版" if known == "the same words" else "平板版"
    command = lite.command("summary", summary=words)
    if known == "base_at":
        command["base_at"] = (now() - timedelta(minutes=2)).isoformat()
    assert post(lite, [command])["results"][0]["status"] == "accepted"


def test_codes_and_answers_are_watched_too(lite: Tablet, clock: Clock) -> None:
    lite.tour.at_work()
    post(lite, [])
    clock.advance(minutes=10)
    colleague_writes(lite, lambda visit, at: visits.answer(visit, "vibration", 3, at, "办公室"))
    colleague_writes(lite, lambda visit, at: visits.set_failure(visit, {"failure_mode": "UNK"}, at, "未知"))
    clock.advance(minutes=10)
    results = post(lite, [
        lite.command("answer", field="vibration", value="2"), lite.command("answer", field="lockout", value=True),
        lite.command("failure", pattern="gearbox_output_seal_leak"),
    ])["results"]  # fmt: skip
    assert [one["code"] for one in results] == ["overwritten", "", "overwritten"]
    rows = session.scalars(select(TabletCommand).order_by(TabletCommand.seq)).all()
    assert rows[0].detail["former"]["content"]["value"] == "3"
    assert rows[2].detail["former"]["failure_mode"] == "UNK"


# Whose station looks at it -----------------------------------------------------------------------------------


def test_what_concerns_no_visit_is_seen_by_the_technicians_own_station(lite: Tablet) -> None:
    post(lite, [lite.command("note", words="x", visit=987654), {**lite.command("note", words="y"), "kind": "explode"}])
    rows = session.scalars(select(TabletCommand).order_by(TabletCommand.id)).all()
    assert {row.station_id for row in rows} == {lite.tour.station_id}
    assert [row.visit_id for row in rows] == [None, lite.tour.visit_id]


def test_a_step_on_a_job_given_away_still_names_the_job(lite: Tablet) -> None:
    lite.go("accepted")
    xu = another_technician(lite.tour)
    write(lambda: booking.reschedule_visit(lite.tour.visit, technician=xu))
    assert lite.send("move", to="en_route")["code"] == "reassigned"
    row = session.scalars(select(TabletCommand).order_by(TabletCommand.id.desc()).limit(1)).one()
    assert (row.visit_id, row.station_id) == (lite.tour.visit_id, lite.tour.station_id)


def test_devices_are_known_after_one_exchange(lite: Tablet) -> None:
    post(lite, [])
    assert session.scalar(select(func.count(TabletDevice.id))) == 1
