"""What the board and the drawer tell of visits that will come later, on both databases; and slow areas in it (B4)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.dispatch.areas import services as areas
from fieldservice.dispatch.areas.handlers import notice_slowed
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.dispatch.board import Bar, board
from fieldservice.dispatch.day import late
from fieldservice.dispatch.day.outlook import outlook_of
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.time import Clock, now
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit
from tests.conftest import make_user
from tests.dispatch.areas.snow import drawn
from tests.dispatch.test_board import Board
from tests.mechanisms.people_and_things import statements
from tests.workorders.cast import DAY, FAR, HOME
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_request,
    make_scene,
    make_station,
    make_technician,
    roster,
)  # fmt: skip


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def booked(scene: Scene, hour: int, minute: int = 0, arrival: str | None = None, **facts: Any) -> int:
    """A visit of an hour by Lu."""

    def work() -> int:
        request = make_request(scene.station, priority="P3", arrival=arrival)
        order = make_order(scene.station, request=request, **{"duration_min": 60, **facts})
        return booking.schedule_visit(order, session.merge(scene.lu), local_at(hour, minute)).id

    return write(work)


def begin(visit_id: int, *states: str) -> None:
    def work() -> None:
        visit = session.get_one(Visit, visit_id)
        booking.send_visit(visit)
        for state in states:
            visits.step(visit, state, now())

    write(work)


def bars(scene: Scene, station: Station | None = None) -> dict[int, Bar]:
    """The board of a dispatcher of that station."""
    place = station or scene.station
    session.rollback()
    somebody = make_user("dispatcher", place.id).as_person()
    session.rollback()
    return dict(board(somebody, [session.merge(place)], DAY, 1, now()).bars)


def told(bar: Bar) -> tuple[str, str] | None:
    if bar.expected is None:
        return None
    zone = timedelta(hours=8)
    return f"{bar.expected.span.starts_at + zone:%H:%M}", f"{bar.expected.span.ends_at + zone:%H:%M}"


def test_B4_a_day_on_time_expects_nothing_else(scene: Scene) -> None:
    first, second = booked(scene, 11), booked(scene, 13)
    found = bars(scene)
    assert (found[first].expected, found[second].expected) == (None, None)


def test_B4_work_begun_late_and_what_comes_after_it(scene: Scene, clock: Clock) -> None:
    """The first should have ended at noon; the second then begins at one instead of half past twelve."""
    first, second, third = booked(scene, 11), booked(scene, 12, 30), booked(scene, 15)
    clock.fix(local_at(11, 45))
    begin(first, "accepted", "en_route", "on_site", "in_progress")
    found = bars(scene)
    assert told(found[first]) == ("11:45", "12:45")
    assert found[first].expected is not None
    assert (found[first].expected.begun, found[first].risk) == (True, "")
    assert (told(found[second]), found[second].risk) == (("12:45", "13:45"), "")
    assert told(found[third]) is None, "the afternoon catches up"


@pytest.mark.parametrize(
    ("arrival", "begins", "risk"),
    [
        pytest.param(None, (12, 55), "", id="within what was told"),
        pytest.param(None, (14, 10), "window", id="after what was told"),
        pytest.param("4 h", (13, 50), "promise", id="after the promised arrival"),
    ],
)
def test_B4_what_will_be_missed_is_at_risk(
    scene: Scene, clock: Clock, arrival: str | None, begins: tuple[int, int], risk: str
) -> None:
    first, second = booked(scene, 12), booked(scene, 13, 0, arrival)  # told until 15:00, promised until 14:30
    clock.fix(local_at(*begins))
    begin(first, "accepted", "en_route", "on_site", "in_progress")
    clock.advance(minutes=1)
    found = bars(scene)
    assert found[second].expected is not None
    assert found[second].expected.missed == risk
    assert found[second].risk == risk


def test_who_set_off_late_and_who_should_have(scene: Scene, clock: Clock) -> None:
    visit = booked(scene, 11)
    clock.fix(local_at(11, 10))
    assert told(bars(scene)[visit]) == ("11:25", "12:25")
    begin(visit, "accepted", "en_route")
    clock.advance(minutes=1)
    assert told(bars(scene)[visit]) == ("11:25", "12:25")
    assert bars(scene)[visit].risk == ""


def test_another_day_and_the_past_expect_nothing(scene: Scene, clock: Clock) -> None:
    visit = booked(scene, 11)
    clock.fix(local_at(11) + timedelta(days=1))
    assert bars(scene)[visit].expected is None


def test_work_for_another_station_takes_its_time_and_is_not_told(scene: Scene, clock: Clock) -> None:
    """Lu comes to help: his work at home is no bar there, and stands in the way as it was booked."""
    other = write(lambda: make_station("SZYQ", FAR))
    at_home = booked(scene, 11, place=HOME)

    def lend() -> int:
        roster(session.merge(scene.lu), session.merge(other), hours=(8, 18))
        order = make_order(session.merge(other), duration_min=60)
        return booking.schedule_visit(order, session.merge(scene.lu), local_at(12, 30)).id

    abroad = write(lend)
    clock.fix(local_at(12, 25))
    found = bars(scene, other)
    assert at_home not in found
    assert told(found[abroad]) == ("12:40", "13:40")


# The calls ----------------------------------------------------------------------------------------


@pytest.fixture
def asking(scene: Scene, sign_in: Any) -> Board:
    return Board(sign_in("dispatcher", scene.station.id))


def test_lanes_and_the_board_tell_it(scene: Scene, asking: Board, clock: Clock) -> None:
    visit = booked(scene, 11)
    clock.fix(local_at(11, 10))
    (bar,) = asking.get("/dispatch/lanes").json["bars"]
    assert bar["expected"] == {key: int(moment.timestamp() * 1000) for key, moment in (
        ("start", local_at(11, 25)), ("end", local_at(12, 25)), ("at", local_at(11, 25)),
    )}  # fmt: skip
    assert "≈" not in asking.client.get("/dispatch/table?lang=en").text
    assert "expected 11:25–12:25" in asking.client.get("/dispatch/table?lang=en").text
    text = asking.client.get(f"/dispatch?visit={visit}&lang=zh").text
    assert "预计 11:25–12:25，晚 25 分" in text


def test_the_drawer_says_what_it_touches(scene: Scene, asking: Board, clock: Clock) -> None:
    first, second = booked(scene, 12), booked(scene, 13)
    clock.fix(local_at(14))
    begin(first, "accepted", "en_route", "on_site", "in_progress")
    text = asking.client.get(f"/dispatch?visit={first}&lang=en").text
    assert "Expected to end at 15:00, 2 h late" in text
    assert "Touches later the same day" in text
    assert f"visit={second}" in text
    assert "≈ 15:00" in text
    text = asking.client.get(f"/dispatch?visit={second}&lang=en").text
    assert "Expected 15:00–16:00, 2 h late" in text
    visit = session.get_one(Visit, second)
    assert outlook_of(visit, frozenset(), now()).later == ()


def test_the_number_of_statements_does_not_grow(scene: Scene, asking: Board, clock: Clock) -> None:
    counts = []
    for size in (1, 6):
        for _number in range(size):
            who = write(lambda: make_technician(scene.station))
            write(
                lambda who=who: booking.schedule_visit(  # type: ignore[misc]
                    make_order(scene.station, request=make_request(scene.station)), session.merge(who), local_at(13)
                )
            )
        clock.fix(local_at(13, 30))
        asking.get("/dispatch/lanes")
        with statements() as sent:
            answer = asking.get("/dispatch/lanes")
        assert all("expected" in bar for bar in answer.json["bars"])
        counts.append(len(sent))
        clock.fix(local_at(10, 30))
    assert counts[0] == counts[1] <= 26


# Slow areas ---------------------------------------------------------------------------------------


def test_B4_estimates_follow_a_slow_area_and_its_end(scene: Scene, clock: Clock) -> None:
    """From one customer to the next across the snow: 29 minutes instead of 15, and half of them were planned for."""
    first = booked(scene, 11, place=HOME)
    second = booked(scene, 12, 15)
    clock.fix(local_at(11))
    begin(first, "accepted", "en_route", "on_site", "in_progress")
    assert bars(scene)[second].expected is None
    area = drawn(scene.station).area.id
    assert told(bars(scene)[second]) == ("12:30", "13:30")
    _run_what_was_asked()
    assert session.get_one(Visit, second).eta_at is None, "a quarter of an hour is not reached: 14 minutes"
    write(lambda: areas.end(session.get_one(DrawnArea, area)))
    assert bars(scene)[second].expected is None


def test_B4_drawing_has_whoever_it_makes_late_noticed_and_ending_too(scene: Scene, clock: Clock) -> None:
    first = booked(scene, 11, place=HOME)
    second = booked(scene, 12, 15)
    clock.fix(local_at(11))
    begin(first, "accepted", "en_route", "on_site", "in_progress")
    area = drawn(scene.station, factor=8.0).area.id
    assert _run_what_was_asked() == {scene.lu.id}
    eta = session.get_one(Visit, second, populate_existing=True).eta_at
    assert eta is not None
    assert eta > local_at(12, 30)
    clock.advance(minutes=1)
    write(lambda: areas.end(session.get_one(DrawnArea, area)))
    assert _run_what_was_asked() == {scene.lu.id}
    assert session.get_one(Visit, second, populate_existing=True).eta_at is None


def test_an_area_in_nobody_s_way_asks_for_nothing(scene: Scene) -> None:
    booked(scene, 11)
    drawn(scene.station, corners=[[30.0, 118.0], [30.0, 118.1], [30.1, 118.1]])
    assert _run_what_was_asked() == set()


def test_the_way_from_home_is_slowed_too(scene: Scene, clock: Clock) -> None:
    visit = booked(scene, 11)
    clock.fix(local_at(10, 45))
    assert bars(scene)[visit].expected is None
    drawn(scene.station)
    assert told(bars(scene)[visit]) == ("11:15", "12:15")
    assert session.get_one(Technician, scene.lu.id).latitude == HOME.latitude


def _run_what_was_asked() -> set[int]:
    """As the runner would: what the areas asked for, then what that asked for. The technicians noticed."""
    noticed: set[int] = set()
    for task in (notice_slowed, late.notice_late):
        jobs = session.query(DeferredJob).filter_by(task=task.name, status="queued").order_by(DeferredJob.id).all()
        for job in jobs:
            done = task.work(**job.arguments)
            noticed |= {job.arguments["technician_id"]} if task is late.notice_late else set()
            session.rollback()
            if done is not None and done.effect is not None:
                write(done.effect)
        write(lambda jobs=jobs: [setattr(session.merge(job), "status", "done") for job in jobs])  # type: ignore[misc]
    return noticed
