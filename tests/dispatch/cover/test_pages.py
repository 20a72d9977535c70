"""Roster, duties and swaps as pages and JSON: who may see and do what, refusals in words, statements counted."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from fieldservice.dispatch.cover import schemas, swaps
from fieldservice.dispatch.cover.models import ShiftSwap
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import now
from fieldservice.stations.models import Shift
from tests.admin.test_pages import post, token_of
from tests.conftest import make_user
from tests.dispatch.cover.conftest import MONDAY, SignIn, Team, moment, put, round_the_clock
from tests.dispatch.cover.test_load import DAY, fill, on_duty
from tests.dispatch.test_api import Caller
from tests.workorders.scene import make_station, make_technician

PAGE = "/admin/roster?station=WXXW&week=2026-11-30"
WEEK = {"station": "WXXW", "week": "2026-11-30"}


@pytest.fixture
def manager(team: Team, sign_in: SignIn) -> Any:
    return sign_in("station_manager", team.station)


def states() -> list[str]:
    return sorted(set(session.scalars(select(Shift.state))))


def test_t03_fill_refused_filled_published(team: Team, manager: Any) -> None:
    facts = {**WEEK, "technician": [str(team.lu), str(team.xu)], "weekday": list("012345"), "weeks": "1"}
    assert post(manager, "/admin/roster", PAGE, **facts, start="00:00", end="00:00").status_code == 303
    assert states() == ["draft"]
    page = manager.get(f"{PAGE}&lang=en").text
    assert "12 drafts" in page
    refused = post(manager, "/admin/roster/publish", f"{PAGE}&lang=en", **WEEK)
    assert refused.status_code == 409
    assert "Nobody is there at one time of this week: Sun 6 Dec 00:00–24:00" in refused.text
    assert states() == ["draft"]
    link = refused.text.split('<a class="btn btn-s" href="')[1].split('"')[0].replace("&amp;", "&")
    form = manager.get(link.split("#")[0]).text
    assert 'name="weekday" value="6" checked' in form
    assert f'value="{team.wu}" checked' in form, "somebody who is free is chosen"
    filled = {**WEEK, "technician": [str(team.wu)], "weekday": ["6"], "weeks": "1", "start": "00:00", "end": "00:00"}
    assert post(manager, "/admin/roster", PAGE, **filled, on_call="1").status_code == 303
    assert post(manager, "/admin/roster/publish", PAGE, **WEEK).status_code == 303
    assert states() == ["published"]
    assert "Published" in manager.get(f"{PAGE}&lang=en").text


def test_a_pattern_never_changes_what_was_published(team: Team, manager: Any) -> None:
    put(team, team.lu, [0], 8, 18, state="published")
    facts = {**WEEK, "technician": [str(team.lu)], "weekday": ["0"], "weeks": "1", "start": "08:00"}
    assert post(manager, "/admin/roster", PAGE, **facts, end="16:00").status_code == 422
    assert post(manager, "/admin/roster", PAGE, **facts, end="18:00").status_code == 303, "the same again is no harm"
    assert states() == ["published"]


def test_drafts_are_discarded_and_rules_kept(team: Team, manager: Any) -> None:
    round_the_clock(team)
    assert post(manager, "/admin/roster/discard", PAGE, **WEEK).status_code == 303
    assert states() == ["published"]
    answer = post(manager, "/admin/roster/rules", PAGE, **WEEK, cover="business", warn_above="95", reason="")
    assert answer.status_code == 422
    for wrong in ("", "abc", "9999", "10"):
        facts = {**WEEK, "cover": "always", "warn_above": wrong}
        assert post(manager, "/admin/roster/rules", PAGE, **facts).status_code == 422
    kept = {**WEEK, "cover": "business", "warn_above": "95", "reason": "夜间由无锡站值守"}
    assert post(manager, "/admin/roster/rules", PAGE, **kept).status_code == 303
    page = manager.get(PAGE).text
    assert 'value="95"' in page
    assert "夜间由无锡站值守" in page


def test_other_stations_and_roles_stay_out(team: Team, sign_in: SignIn) -> None:
    write(lambda: make_station("SZYQ"))
    stranger = sign_in("station_manager", write(lambda: make_station("KSKF")).id)
    for where in ("", "/publish", "/discard", "/rules"):
        assert post(stranger, f"/admin/roster{where}", "/admin/roster", **WEEK).status_code == 404
    assert stranger.get(PAGE).status_code == 404
    reader = sign_in("dispatcher", team.station)
    page = reader.get(PAGE)
    assert page.status_code == 200
    assert "Publish the week" not in page.text
    token = token_of(reader.get("/dispatch"))
    assert reader.post("/admin/roster/publish", data={"csrf_token": token, **WEEK}).status_code == 403


def statements(work: Callable[[], Any]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_the_roster_takes_the_same_statements_for_a_large_team(team: Team, manager: Any) -> None:
    round_the_clock(team)
    manager.get(PAGE)
    few = statements(lambda: manager.get(PAGE))
    more = write(lambda: [make_technician(team.here, f"工程师{n}", days=0).id for n in range(12)])
    for one in more:
        put(team, one, [0, 1, 2, 3], 8, 17)
    assert statements(lambda: manager.get(PAGE)) == few


# JSON ---------------------------------------------------------------------------------------------


def test_t03_the_week_as_json_and_a_hole_of_two_hours(app: Flask, team: Team) -> None:
    caller = Caller(app, "station_manager", team.station)
    round_the_clock(team, nights=[0, 1, 3, 4, 5, 6])
    put(team, team.xu, [2], 20, 32, on_call=True)
    told = caller.get("/stations/WXXW/roster?week=2026-12-02").json
    assert told.keys() == set(schemas.RosterSchema().fields) - {"days"} | {"load"}
    assert told["shifts"][0].keys() == set(schemas.RosterShiftSchema().fields)
    assert told["load"][0].keys() == set(schemas.DayLoadSchema().fields)
    assert (told["week"], told["published"], told["drafts"], len(told["load"])) == ("2026-11-30", False, 14, 7)
    (gap,) = told["gaps"]
    assert gap.keys() == set(schemas.GapSchema().fields)
    assert gap["day"] == "2026-12-02"
    refused = caller.send("POST", "/stations/WXXW/roster/publish", {"week": "2026-11-30"})
    assert (refused.status_code, refused.json["code"]) == (409, "gap")
    assert refused.json["gaps"] == [gap]
    assert states() == ["draft", "published"]
    put(team, team.wu, [2], 18, 20)
    done = caller.send("POST", "/stations/WXXW/roster/publish", {"week": "2026-11-30"})
    assert (done.status_code, done.json["published"]) == (200, 15)
    again = caller.send("POST", "/stations/WXXW/roster/publish", {"week": "2026-11-30"})
    assert (again.status_code, again.json["published"]) == (200, 0)
    assert caller.get("/stations/WXXW/roster?week=2026-11-30").json["published"] is True


def test_rosters_of_other_stations_are_not_there(app: Flask, team: Team) -> None:
    write(lambda: make_station("SZYQ"))
    caller = Caller(app, "station_manager", team.station)
    assert caller.get("/stations/SZYQ/roster").status_code == 404
    assert caller.get("/stations/nothing-like-it/roster").status_code == 404
    assert caller.send("POST", "/stations/SZYQ/roster/publish", {"week": "2026-11-30"}).status_code == 404
    assert caller.send("POST", "/stations/WXXW/roster/publish", {}).status_code == 422
    assert caller.get("/stations/WXXW/roster?week=soon").status_code == 422
    reader = Caller(app, "dispatcher", team.station)
    assert reader.get("/stations/WXXW/roster").status_code == 200
    assert reader.send("POST", "/stations/WXXW/roster/publish", {"week": "2026-11-30"}).status_code == 403


# Duties and swaps ---------------------------------------------------------------------------------


@pytest.fixture
def week(team: Team) -> Team:
    put(team, team.lu, [0], 8, 18, state="published")
    put(team, team.xu, [1], 8, 18, state="published")
    return team


def test_a_swap_from_the_technicians_page_to_the_managers(week: Team, sign_in: SignIn, manager: Any) -> None:
    lu = sign_in("technician", week.station, technician_id=week.lu)
    xu = sign_in("technician", week.station, technician_id=week.xu)
    wu = sign_in("technician", week.station, technician_id=week.wu)
    mine = lu.get("/roster/mine?lang=en").text
    assert "Mon 30 Nov" in mine
    assert "Tue 1 Dec" not in mine
    shift = session.scalars(select(Shift.id).where(Shift.technician_id == week.lu)).one()
    theirs = session.scalars(select(Shift.id).where(Shift.technician_id == week.xu)).one()
    page = f"/roster/shifts/{shift}"
    assert f'value="t{week.xu}"' in lu.get(page).text
    assert f'value="s{theirs}"' in lu.get(page).text
    assert wu.get(page).status_code == 404, "another's shift"
    for wrong in ("", "t0", "t99999999999999999999", "s1x", "x1"):
        assert post(lu, f"{page}/swap", page, to=wrong).status_code == 422
    assert post(lu, f"{page}/swap", page, to=f"s{theirs}", words="家长会").status_code == 303
    refused = post(lu, f"{page}/swap", f"{page}?lang=en", to=f"t{week.wu}")
    assert refused.status_code == 409
    assert "offered already" in refused.text
    swap = session.scalars(select(ShiftSwap.id)).one()
    where = f"/roster/swaps/{swap}"
    assert wu.get(where).status_code == 404
    assert "家长会" in xu.get("/roster/mine").text
    early = post(manager, f"{where}/agree", where)
    assert early.status_code == 409
    assert post(lu, f"{where}/accept", where).status_code == 403
    assert post(xu, f"{where}/accept", where).status_code == 303
    assert "Look and decide" in manager.get("/admin/roster?station=WXXW&lang=en").text
    assert post(manager, f"{where}/agree", where).status_code == 303
    assert "Tue 1 Dec" in lu.get("/roster/mine?lang=en").text
    assert post(manager, f"{where}/agree", where).status_code == 409
    assert lu.get(page).status_code == 200, "the old shift says that it was swapped"


def test_t03_a_manager_is_told_why_a_swap_cannot_be(week: Team, sign_in: SignIn, manager: Any) -> None:
    put(week, week.wu, [0], 17, 20, state="published")
    shift = session.scalars(select(Shift.id).where(Shift.technician_id == week.lu)).one()
    page = f"/roster/shifts/{shift}"
    assert "Wu Hao is on duty then already (Mon 30 Nov 17:00–20:00)" in manager.get(f"{page}?lang=en").text
    refused = post(manager, f"{page}/swap", page, to=f"t{week.wu}")
    assert refused.status_code == 409
    assert "Wu Hao is on duty then already" in refused.text
    done = post(manager, f"{page}/swap", page, to=f"t{week.xu}")
    assert done.status_code == 303
    assert session.scalars(select(Shift.technician_id).where(
        Shift.starts_at == moment(0, 8), Shift.state == "published")).all() == [week.xu]  # fmt: skip


def test_declining_and_withdrawing(week: Team, sign_in: SignIn, manager: Any) -> None:
    for person in (week.xu, week.wu):
        make_user("technician", week.station, technician_id=person)
    lu = sign_in("technician", week.station, technician_id=week.lu)

    def offered() -> str:
        def work() -> int:
            given = session.scalars(select(Shift).where(Shift.technician_id == week.lu)).one()
            return swaps.ask(given, week.person(week.xu), at=now()).id

        return f"/roster/swaps/{write(work)}"

    where = offered()
    assert post(manager, f"{where}/decline", where, reason="无人可顶替").status_code == 303
    assert post(manager, f"{where}/decline", where).status_code == 409
    where = offered()
    assert post(manager, f"{where}/withdraw", where).status_code == 403
    assert post(lu, f"{where}/withdraw", where).status_code == 303
    assert sorted(session.scalars(select(ShiftSwap.state))) == ["declined", "withdrawn"]


def test_somebody_without_a_technician_has_no_duties(team: Team, sign_in: SignIn) -> None:
    page = sign_in("technician", team.station).get("/roster/mine")
    assert page.status_code == 200
    assert MONDAY.isoformat() not in page.text


def test_q12_the_board_the_counters_and_the_station_page_warn(team: Team, sign_in: SignIn) -> None:
    on_duty(team, team.lu, DAY)
    on_duty(team, team.xu, DAY)
    fill(team, team.lu, DAY, 228)
    fill(team, team.xu, DAY, 225)
    client = sign_in("dispatcher", team.station)
    told = client.get("/dispatch/lanes?lang=en").json
    assert told["groups"][0]["warn"] is True
    assert told["groups"][0]["note"] == "94 % loaded · 2 on duty · overloaded"
    notes = {lane["id"]: (lane["note"], lane["warn"]) for lane in told["lanes"]}
    assert notes[str(team.lu)] == ("load 95 %", True)
    assert notes[str(team.wu)] == ("", False)
    assert "Overloaded</span> <b>2</b>" in client.get("/dispatch/part/counters?lang=en").text
    assert "94 %" in client.get("/stations/WXXW?lang=en").text
    assert "94 % loaded" in client.get("/admin/roster?station=WXXW&lang=en").text
    assert "overloaded" in client.get("/dispatch/table?lang=en").text
