"""The calls of the board, on both databases: lanes, verdicts, consequences before a drop, moves of one and of many."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.dispatch.lanes import milliseconds
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from tests.workorders.cast import FAR
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_scene,
    make_station,
    make_technician,
    need_part,
    stock,
)  # fmt: skip


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


class Board:
    """A dispatcher's board, asking as its scripts do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        page = client.get("/dispatch?lang=en")
        self.token = page.text.split('name="csrf-token" content="')[1].split('"')[0]

    def get(self, path: str) -> Any:
        return self.client.get(path, headers={"Accept": "application/json"})

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body, headers={"Accept": "application/json", "X-CSRFToken": self.token})

    def preview(self, *moves: dict[str, Any]) -> Any:
        answer = self.post("/dispatch/preview", {"moves": moves})
        assert answer.status_code == 200, answer.text
        return answer.json

    def move(self, *moves: dict[str, Any]) -> Any:
        return self.post("/dispatch/moves", {"moves": moves})


@pytest.fixture
def board(scene: Scene, sign_in: Any) -> Board:
    return Board(sign_in("dispatcher", scene.station.id, name="周敏"))


def planned(order: WorkOrder, technician: Technician, hour: int, minutes: int = 60) -> Visit:
    return write(lambda: booking.schedule_visit(order, technician, local_at(hour), duration_min=minutes))


def more(scene: Scene, hour: int, technician: Technician | None = None) -> Visit:
    """Another visit of an hour at the same place."""
    order = write(lambda: make_order(scene.station, customer=scene.customer))
    return planned(order, technician or scene.lu, hour)


def of_visit(visit: Visit, starts_at: datetime, technician: Technician | None = None, **facts: Any) -> dict[str, Any]:
    return {
        "visit": visit.id, "version": visit.version, "technician": technician.id if technician else visit.technician_id,
        "starts_at": starts_at.isoformat(), **facts,
    }  # fmt: skip


def of_order(scene: Scene, starts_at: datetime, technician: Technician | None = None) -> dict[str, Any]:
    return {
        "order": scene.order.number, "version": scene.order.version, "technician": (technician or scene.lu).id,
        "starts_at": starts_at.isoformat(),
    }  # fmt: skip


def texts(told: dict[str, Any]) -> str:
    return "\n".join(line["text"] for line in told["lines"])


# Lanes --------------------------------------------------------------------------------------------


def test_lanes_are_told_as_the_timeline_takes_them(scene: Scene, board: Board) -> None:
    part = write(lambda: need_part(scene.order))
    assert part.id
    visit = more(scene, 14)
    write(lambda: booking.book_absence(session.get_one(Technician, scene.xu.id), "training", local_at(9), local_at(12)))
    told = board.get("/dispatch/lanes").json
    assert [one["title"] for one in told["lanes"]] == ["Lu Jianguo", "Xu Xiaofeng"]
    group = {"id": str(scene.station.id), "title": "Wuxi Xinwu", "note": "8 % loaded · 2 on duty", "warn": False}
    assert told["groups"] == [group]
    (bar,) = told["bars"]
    assert (bar["id"], bar["lane"], bar["title"]) == (
        str(visit.id),
        str(scene.lu.id),
        "Shengyuan Steel Gearbox seal change",
    )
    assert (bar["start"], bar["end"]) == (milliseconds(local_at(14)), milliseconds(local_at(15)))
    assert (bar["state"], bar["movable"], bar["proposed"], bar["version"]) == ("scheduled", True, True, visit.version)
    assert told["lanes"][1]["away"][0]["title"] == "Training"
    noon = {"start": milliseconds(local_at(12)), "end": milliseconds(local_at(13))}
    assert told["lanes"][0]["breaks"] == [noon]
    assert told["axis"] == [{"start": milliseconds(local_at(8)), "end": milliseconds(local_at(18))}]
    assert len(board.get("/dispatch/lanes?days=7").json["axis"]) == 7


def test_T_05_a_bar_tells_of_the_stop_that_is_made_for_it(scene: Scene, board: Board) -> None:
    """In the lane before the visit, for who hears it, in the table and the drawer; it moves along."""

    def want() -> int:
        order = make_order(scene.station, duration_min=30)
        stock(need_part(order, 2), scene.station, 2)
        return booking.schedule_visit(order, session.merge(scene.lu), local_at(14)).id

    visit_id = write(want)
    [bar] = [one for one in board.get("/dispatch/lanes?lang=en").json["bars"] if one["id"] == str(visit_id)]
    pickup = bar["pickup"]
    assert pickup["end"] - pickup["start"] == 10 * 60_000
    assert pickup["end"] <= bar["start"]
    assert pickup["title"].endswith("collect at Wuxi Xinwu: Oil seal ×2")
    assert not pickup["late"]
    assert pickup["title"] in board.get("/dispatch/table?lang=en").text
    assert pickup["title"] in board.get(f"/dispatch?visit={visit_id}&lang=en").text
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit_id), starts_at=local_at(15)))
    [moved] = [one for one in board.get("/dispatch/lanes?lang=en").json["bars"] if one["id"] == str(visit_id)]
    assert moved["pickup"]["start"] - pickup["start"] == 60 * 60_000


def test_a_bar_says_that_parts_are_missing(scene: Scene, board: Board) -> None:
    order = write(lambda: make_order(scene.station))
    planned(order, scene.lu, 14)
    write(lambda: need_part(session.get_one(WorkOrder, order.id)))
    assert board.get("/dispatch/lanes").json["bars"][0]["parts"] == "missing"


def test_lanes_are_narrowed_to_what_is_asked_for(scene: Scene, board: Board, clock: Clock) -> None:
    planned(scene.order, scene.lu, 11, 360)

    def shown(what: str) -> list[str]:
        return [one["title"] for one in board.get(f"/dispatch/lanes?show={what}").json["lanes"]]

    assert shown("p1") == ["Lu Jianguo"]
    assert shown("free") == ["Xu Xiaofeng"]
    assert shown("risk") == []
    assert shown("nonsense") == ["Lu Jianguo", "Xu Xiaofeng"]
    clock.advance(hours=1)
    assert shown("risk") == ["Lu Jianguo"]  # should be on the way


@pytest.mark.parametrize("role", ["agent", "director", "quality"])
def test_whoever_only_looks_moves_nothing(scene: Scene, sign_in: Any, role: str) -> None:
    visit = more(scene, 14)
    looking = Board(sign_in(role, scene.station.id))
    assert looking.get("/dispatch/lanes").json["bars"][0]["movable"] is False
    for path in ("/dispatch/preview", "/dispatch/moves"):
        assert looking.post(path, {"moves": [of_visit(visit, local_at(15))]}).status_code == 403
    assert looking.get(f"/dispatch/verdicts?visit={visit.id}").status_code == 403


def test_another_station_s_work_is_not_there(scene: Scene, sign_in: Any) -> None:
    visit = more(scene, 14)
    elsewhere = write(lambda: make_station("SZYQ", FAR))
    stranger = Board(sign_in("dispatcher", elsewhere.id))
    assert stranger.get("/dispatch/lanes").json["lanes"] == []
    assert stranger.get(f"/dispatch/lanes?station={scene.station.code}").status_code == 404
    for query in (f"order={scene.order.number}", f"visit={visit.id}"):
        assert stranger.get(f"/dispatch/verdicts?{query}").status_code == 404
    for moves in ([of_visit(visit, local_at(15))], [of_order(scene, local_at(15))]):
        for path in ("/dispatch/preview", "/dispatch/moves"):
            assert stranger.post(path, {"moves": moves}).status_code == 404


# While something is in the hand -------------------------------------------------------------------


def test_S_05_each_lane_says_whether_it_fits(scene: Scene, board: Board) -> None:
    told = board.get(f"/dispatch/verdicts?order={scene.order.number}").json
    fits, refused = told[str(scene.lu.id)], told[str(scene.xu.id)]
    assert (fits["fits"], fits["text"]) == ("yes", "from 10:45")
    assert (refused["fits"], refused["text"]) == ("no", "No Gearboxes L2")
    assert "pair with an L2" in refused["why"]
    assert board.get(f"/dispatch/verdicts?order={scene.order.number}&date=2026-11-24").json == {}


def test_a_lane_warns_of_a_late_promise(scene: Scene, board: Board) -> None:
    write(
        lambda: booking.book_absence(session.get_one(Technician, scene.lu.id), "training", local_at(10), local_at(15))
    )
    told = board.get(f"/dispatch/verdicts?order={scene.order.number}").json
    assert told[str(scene.lu.id)]["fits"] == "warn"
    assert "late" in told[str(scene.lu.id)]["text"]


def test_a_shortened_visit_fits_where_its_order_would_not(scene: Scene, board: Board) -> None:
    visit = planned(scene.order, scene.lu, 11, 30)
    write(
        lambda: booking.book_absence(session.get_one(Technician, scene.lu.id), "training", local_at(12), local_at(18))
    )
    assert board.get(f"/dispatch/verdicts?visit={visit.id}").json[str(scene.lu.id)]["fits"] == "yes"


# Before the drop ----------------------------------------------------------------------------------


def test_the_consequences_of_a_drop_are_told_and_nothing_is_written(scene: Scene, board: Board) -> None:
    more(scene, 16)
    events = session.scalar(select(func.count()).select_from(Event))
    told = board.preview(of_order(scene, local_at(13, 40)))
    assert told["allowed"] is True
    for text in (
        "Lu Jianguo, 13:40–15:40",
        "15 min drive",
        "The customer is told 13:30–14:30",
        "50 min before the promise",
    ):
        assert text in texts(told), text
    assert "20 min to spare after the drive" in texts(told)
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert session.scalar(select(func.count()).select_from(Event)) == events


def test_a_confirmed_window_and_a_late_promise_are_pointed_out(scene: Scene, board: Board) -> None:
    visit = planned(scene.order, scene.lu, 13, 60)

    def confirmed() -> None:
        known = session.get_one(Visit, visit.id)
        known.confirmed_at = local_at(10)
        booking.send_visit(known)

    write(confirmed)
    session.refresh(visit)
    told = board.preview(of_visit(visit, local_at(16)))
    assert told["allowed"] is True
    for text in ("The customer confirmed 13:00–14:30 and is told 16:00–18:00 instead", "Arrives 1 h 30 min late"):
        assert text in texts(told), text
    assert "has to be sent again" in texts(told)
    stays = board.preview(of_visit(visit, visit.starts_at, duration_min=90))
    assert "The customer's window stays: 13:00–14:30" in texts(stays)


def test_a_start_within_the_same_window_changes_nothing_for_the_customer(scene: Scene, board: Board) -> None:
    visit = more(scene, 13)
    told = board.preview(of_visit(visit, local_at(13, 20)))
    assert "The customer's window stays: 13:00–15:00" in texts(told)


def test_a_refusal_says_why_and_offers_the_nearest_time(scene: Scene, board: Board) -> None:
    more(scene, 13)
    told = board.preview(of_order(scene, local_at(12)))
    assert told["allowed"] is False
    assert "13:00–14:00 taken by" in texts(told)
    assert told["offer"] == {"start": milliseconds(local_at(10, 45)), "text": "Start at 10:45 instead"}
    skill = board.preview(of_order(scene, local_at(12), scene.xu))
    assert (skill["allowed"], skill["offer"]) == (False, None)
    assert "Gearboxes L1 < L2 → pair with an L2" in texts(skill)
    past = board.preview(of_order(scene, local_at(9)))
    assert "Choose a start from now on" in texts(past)


def test_what_is_on_the_way_is_not_moved(scene: Scene, board: Board) -> None:
    visit = planned(scene.order, scene.lu, 13, 60)

    def on_the_way() -> None:
        known = session.get_one(Visit, visit.id)
        booking.send_visit(known)
        for state in ("accepted", "en_route"):
            move(known, state)

    write(on_the_way)
    session.refresh(visit)
    told = board.preview(of_visit(visit, local_at(15)))
    assert told["allowed"] is False
    assert "already on the way" in texts(told)


# Moves --------------------------------------------------------------------------------------------


def test_an_order_is_dropped_and_taken_back(scene: Scene, board: Board) -> None:
    done = board.move(of_order(scene, local_at(13)))
    assert done.status_code == 200
    assert done.json["text"] == f"{scene.order.number} assigned to Lu Jianguo"
    (visit,) = session.scalars(select(Visit))
    assert (visit.technician_id, visit.starts_at) == (scene.lu.id, local_at(13))
    back = board.post("/dispatch/undo", {"token": done.json["undo"]})
    assert back.json["text"] == f"{scene.order.number}: taken back"
    session.refresh(visit)
    assert visit.state == "cancelled"
    assert board.post("/dispatch/undo", {"token": "x"}).status_code == 409


def test_a_visit_goes_to_somebody_else(scene: Scene, board: Board) -> None:
    chen = write(lambda: make_technician(scene.station, "陈志远", "Chen Zhiyuan"))
    visit = planned(scene.order, scene.lu, 13, 60)
    done = board.move(of_visit(visit, local_at(14), chen))
    assert done.json["text"] == f"{scene.order.number} moved to Chen Zhiyuan, 14:00"
    session.refresh(visit)
    assert (visit.technician_id, visit.starts_at) == (chen.id, local_at(14))


def test_a_visit_is_made_longer(scene: Scene, board: Board) -> None:
    visit = planned(scene.order, scene.lu, 13, 60)
    assert board.move(of_visit(visit, visit.starts_at, duration_min=95)).status_code == 200
    session.refresh(visit)
    assert (visit.starts_at, visit.ends_at) == (local_at(13), local_at(14, 35))


def test_a_stale_drop_is_refused_with_what_changed(scene: Scene, board: Board, sign_in: Any) -> None:
    visit = planned(scene.order, scene.lu, 13, 60)
    seen = of_visit(visit, local_at(16))
    other = Board(sign_in("dispatcher", scene.station.id, name="王海涛"))
    assert other.move(of_visit(visit, local_at(15))).status_code == 200
    for path in ("/dispatch/preview", "/dispatch/moves"):
        late = board.post(path, {"moves": [seen]})
        assert late.status_code == 412
        assert "Changed by 王海涛 at 10:30: now Lu Jianguo, 15:00, Scheduled" in late.json["detail"]
    session.refresh(visit)
    assert visit.starts_at == local_at(15)


def test_several_move_together_though_each_takes_the_other_s_place(scene: Scene, board: Board) -> None:
    first, second = more(scene, 11), more(scene, 12)
    later = [of_visit(one, one.starts_at + timedelta(hours=1)) for one in (first, second)]
    assert board.preview(*later)["allowed"] is True
    done = board.move(*later)
    assert done.status_code == 200, done.text
    assert done.json["text"] == "2 visits moved"
    for visit, hour in ((first, 12), (second, 13)):
        session.refresh(visit)
        assert visit.starts_at == local_at(hour)
    assert board.post("/dispatch/undo", {"token": done.json["undo"]}).json["text"] == "2 visits: taken back"
    for visit, hour in ((first, 11), (second, 12)):
        session.refresh(visit)
        assert visit.starts_at == local_at(hour)


def test_one_refusal_refuses_all_and_names_the_order(scene: Scene, board: Board) -> None:
    chen = write(lambda: make_technician(scene.station, "陈志远", "Chen Zhiyuan"))
    first, second = more(scene, 11), more(scene, 14, chen)
    more(scene, 16, chen)
    wished = [of_visit(first, local_at(13)), of_visit(second, local_at(16))]
    told = board.preview(*wished)
    assert told["allowed"] is False
    assert "16:00–17:00 taken by" in texts(told)
    refused = board.move(*wished)
    assert refused.status_code == 409
    assert refused.json["code"] == "overlap"
    assert refused.json["work_order"] == second.work_order.number
    assert refused.json["detail"].startswith(second.work_order.number)
    session.refresh(first)
    assert first.starts_at == local_at(11)


@pytest.mark.parametrize(
    "changes",
    [
        {"technician": 0}, {"technician": "x"}, {"technician": None}, {"starts_at": "soon"}, {"starts_at": None},
        {"duration_min": 4}, {"duration_min": 1.5}, {"version": "x"}, {"visit": "1"}, {"visit": 2**80}, {"more": 1},
    ],
)  # fmt: skip
def test_hostile_moves_are_refused_in_words(scene: Scene, board: Board, changes: dict[str, Any]) -> None:
    answer = board.move({**of_order(scene, local_at(13)), **changes})
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"]


def test_moves_name_something_once(scene: Scene, board: Board) -> None:
    wished = of_order(scene, local_at(13))
    for body in (None, [], {}, {"moves": []}, {"moves": [wished] * 2}, {"moves": [wished] * 21}):
        assert board.post("/dispatch/moves", body).status_code == 422
    assert board.move({**wished, "order": "WO-2026-999999"}).status_code == 404
    assert board.move({**wished, "technician": 99999}).status_code == 404
