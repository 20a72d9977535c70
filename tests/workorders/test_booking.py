"""Planning visits on both databases: what is refused and why, and what a booking changes."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid, PreconditionFailed
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.days import LENDING, ROSTERED
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from tests.workorders.cast import FAR
from tests.workorders.scene import (
    Scene,
    local_at,
    make_order,
    make_scene,
    make_station,
    make_technician,
    need_part,
    roster,
    stock,
)  # fmt: skip


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def book(order: WorkOrder, technician: Technician, hour: int = 13, minute: int = 0, **facts: Any) -> Visit:
    return write(lambda: booking.schedule_visit(order, technician, local_at(hour, minute), **facts))


def refused(work: Callable[[], Any]) -> Conflict:
    with pytest.raises(Conflict) as caught:
        write(work)
    return caught.value


def held(technician: Technician) -> list[Booking]:
    rows = select(Booking).where(Booking.technician_id == technician.id, Booking.state == "held")
    return list(session.scalars(rows.order_by(Booking.starts_at)))


# Booking ------------------------------------------------------------------------------------------


def test_a_booking_holds_the_time_and_schedules_the_order(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    assert (visit.state, scene.order.state) == ("scheduled", "scheduled")
    assert (visit.starts_at, visit.ends_at) == (local_at(13), local_at(15))
    (taken,) = held(scene.lu)
    assert (taken.visit_id, taken.cause, taken.station_id) == (visit.id, "visit", scene.station.id)
    assert visit.travel_min == 15
    assert "visit.scheduled" in [event.kind for event in history(visit)]


def test_the_window_told_ends_with_the_promise(scene: Scene) -> None:
    visit = book(scene.order, scene.lu, 13, 40)
    assert (visit.window_starts_at, visit.window_ends_at) == (local_at(13, 30), local_at(14, 30))  # promised: 14:30
    assert booking.window_of(local_at(9, 10), None) == (local_at(9), local_at(11))
    assert booking.window_of(local_at(9, 10), local_at(9, 15)) == (local_at(9), local_at(9, 40))
    assert booking.window_of(local_at(9, 10), local_at(8)) == (local_at(9), local_at(11))  # late anyway


def test_skill_is_refused(scene: Scene) -> None:
    error = refused(lambda: booking.schedule_visit(scene.order, scene.xu, local_at(13)))
    assert (error.code, error.facts["have"], error.facts["need"]) == ("skill", 1, 2)
    assert "L1 < L2" in str(error.message)
    assert held(scene.xu) == []


def test_N_15_an_expired_certificate_cannot_be_booked(scene: Scene) -> None:
    write(lambda: setattr(scene.order, "certificates", ["hoisting"]))
    assert refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13))).code == "certificate"
    holder = write(
        lambda: make_technician(scene.station, "顾明", "Gu Ming", certificates={"hoisting": date(2026, 11, 24)})
    )
    error = refused(lambda: booking.schedule_visit(scene.order, holder, local_at(13)))
    assert (error.code, error.facts["valid_until"]) == ("certificate", "2026-11-24")


def test_T_03_shift_and_on_call_are_kept(scene: Scene) -> None:
    assert refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(17))).code == "shift"
    tang = write(lambda: make_technician(scene.station, "唐宁", "Tang Ning", hours=(18, 32), on_call=True))
    assert book(scene.order, tang, 20).state == "scheduled"
    planned = write(lambda: make_order(scene.station, priority="P4"))
    error = refused(lambda: booking.schedule_visit(planned, tang, local_at(22)))
    assert (error.code, error.facts.get("on_call")) == ("shift", True)


def test_overlap_names_the_order_in_the_way(scene: Scene) -> None:
    book(scene.order, scene.lu)
    other = write(lambda: make_order(scene.station))
    error = refused(lambda: booking.schedule_visit(other, scene.lu, local_at(14)))
    assert (error.code, error.facts["order"]) == ("overlap", scene.order.number)
    assert book(other, scene.lu, 15).starts_at == local_at(15)  # the end of one may be the start of the next


def test_travel_between_neighbours_is_kept(scene: Scene) -> None:
    book(scene.order, scene.lu)
    far = write(lambda: make_order(scene.station, place=FAR))
    error = refused(lambda: booking.schedule_visit(far, scene.lu, local_at(15, 10)))
    assert (error.code, error.facts["side"]) == ("travel", "before")
    assert refused(lambda: booking.schedule_visit(far, scene.lu, local_at(10, 40))).facts["side"] == "after"
    assert book(far, scene.lu, 16, 15, duration_min=60).travel_min == 73


def test_a_part_that_is_nowhere_refuses(scene: Scene) -> None:
    part = write(lambda: need_part(scene.order))
    error = refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    assert (error.code, error.facts["part"], error.facts["need"]) == ("part", "OS-TC-180", "1")
    write(lambda: stock(part, scene.station, 1))
    assert book(scene.order, scene.lu).state == "scheduled"


def test_an_order_is_planned_once(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    error = refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(15)))
    assert (error.code, error.facts["visit"], error.facts["technician"]) == ("already_booked", visit.id, scene.lu.id)


def test_an_order_on_hold_is_not_planned(scene: Scene) -> None:
    write(lambda: move(scene.order, "on_hold", reason="等停机许可"))
    error = refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(13)))
    assert (error.code, error.facts["state"], error.facts["allowed"]) == ("not_ready", "on_hold", ["ready"])


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"starts_at": timedelta(hours=-1)}, "starts_at"),
        ({"starts_at": timedelta(days=401)}, "starts_at"),
        ({"duration_min": 4}, "duration_min"),
        ({"duration_min": 0}, "duration_min"),
        ({"duration_min": 1441}, "duration_min"),
        ({"duration_min": -10}, "duration_min"),
    ],
)
def test_what_cannot_be_meant_is_refused(scene: Scene, facts: dict[str, Any], field: str) -> None:
    start = now() + facts.get("starts_at", timedelta(hours=2))
    with pytest.raises(Invalid) as caught:
        write(lambda: booking.schedule_visit(scene.order, scene.lu, start, duration_min=facts.get("duration_min")))
    assert field in caught.value.errors


# Lending ------------------------------------------------------------------------------------------


def test_a_lent_technician_is_held_at_home(scene: Scene) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR, "苏州园区站", "Suzhou SIP"))
    shen = write(lambda: make_technician(suzhou, "沈磊", "Shen Lei", home=FAR))
    visit = book(scene.order, shen, 13)
    assert (visit.station_id, visit.home_station_id) == (scene.station.id, suzhou.id)
    assert [one.station_id for one in held(shen)] == [suzhou.id]
    own = write(lambda: make_order(suzhou, place=FAR))
    error = refused(lambda: booking.schedule_visit(own, shen, local_at(14)))
    assert (error.code, error.facts["order"]) == ("overlap", "")  # the number belongs to another station


def test_a_strict_station_lends_by_the_roster_only(scene: Scene) -> None:
    suzhou = write(lambda: make_station("SZYQ", FAR))
    shen = write(lambda: make_technician(suzhou, "沈磊", "Shen Lei", home=FAR))
    write(lambda: policies.set_override(LENDING, "station", suzhou.id, ROSTERED, at=now()))
    assert refused(lambda: booking.schedule_visit(scene.order, shen, local_at(13))).code == "station"
    write(lambda: roster(shen, scene.station, hours=(18, 20)))
    assert book(scene.order, shen, 18, 0).technician_id == shen.id


# Moving -------------------------------------------------------------------------------------------


def test_S_03_a_visit_moves_in_time(scene: Scene, clock: Clock) -> None:
    visit = book(scene.order, scene.lu)
    write(lambda: booking.send_visit(visit))
    assert (visit.state, scene.order.state) == ("dispatched", "dispatched")
    write(lambda: setattr(visit, "confirmed_at", now()))
    moved = write(lambda: booking.reschedule_visit(visit, starts_at=local_at(16)))
    assert (moved.state, scene.order.state) == ("scheduled", "scheduled")
    assert (moved.starts_at, moved.confirmed_at, moved.dispatched_at) == (local_at(16), None, None)
    assert [one.starts_at for one in held(scene.lu)] == [local_at(16)]
    assert session.scalar(select(func.count(Booking.id)).where(Booking.state == "released")) == 1


@pytest.mark.parametrize(("minute", "kept"), [(0, True), (30, True), (31, False)])
def test_S_05_a_small_move_keeps_the_window_told(scene: Scene, minute: int, kept: bool) -> None:
    """Whoever was told 13:00 to 14:30 (the promise ends then) and said yes is not asked again when it becomes 14:30."""
    visit = book(scene.order, scene.lu)
    write(lambda: setattr(visit, "confirmed_at", now()))
    before = (visit.window_starts_at, visit.window_ends_at)
    write(lambda: booking.reschedule_visit(visit, starts_at=local_at(14) + timedelta(minutes=minute)))
    assert ((visit.window_starts_at, visit.window_ends_at) == before) is kept
    assert (visit.confirmed_at is not None) is kept


def test_another_technician_keeps_the_window_told(scene: Scene) -> None:
    chen = write(lambda: make_technician(scene.station, "陈志远", "Chen Zhiyuan"))
    visit = book(scene.order, scene.lu)
    write(lambda: setattr(visit, "confirmed_at", now()))
    before = (visit.window_starts_at, visit.window_ends_at)
    write(lambda: booking.reschedule_visit(visit, technician=chen))
    assert (visit.technician_id, (visit.window_starts_at, visit.window_ends_at)) == (chen.id, before)
    assert visit.confirmed_at is not None
    assert held(scene.lu) == []
    assert len(held(chen)) == 1
    facts = history(visit)[-1].facts
    assert facts["before"] == {"technician": scene.lu.id, "starts_at": local_at(13).isoformat()}


def test_a_visit_is_not_in_its_own_way(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    write(lambda: booking.reschedule_visit(visit, starts_at=local_at(13, 30), duration_min=150))
    assert (visit.starts_at, visit.ends_at) == (local_at(13, 30), local_at(16))


def test_a_refused_move_changes_nothing(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    version = visit.version
    assert refused(lambda: booking.reschedule_visit(visit, technician=scene.xu)).code == "skill"
    assert refused(lambda: booking.reschedule_visit(visit, starts_at=local_at(17))).code == "shift"
    session.refresh(visit)
    assert (visit.version, visit.technician_id, visit.starts_at) == (version, scene.lu.id, local_at(13))
    assert [one.starts_at for one in held(scene.lu)] == [local_at(13)]


def test_nobody_on_the_way_is_moved(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    for state in ("dispatched", "accepted", "en_route"):
        write(lambda to=state: move(visit, to))
    error = refused(lambda: booking.reschedule_visit(visit, starts_at=local_at(15)))
    assert (error.code, error.facts["state"]) == ("move_forbidden", "en_route")


def test_a_visit_sent_by_mistake_is_taken_back_until_it_is_accepted(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    write(lambda: booking.send_visit(visit))
    write(lambda: booking.recall_visit(visit))
    assert (visit.state, visit.dispatched_at, scene.order.state) == ("scheduled", None, "scheduled")
    for state in ("dispatched", "accepted"):
        write(lambda to=state: move(visit, to))
    assert refused(lambda: booking.recall_visit(visit)).code == "move_forbidden"


def test_a_step_on_what_changed_meanwhile_is_refused(scene: Scene) -> None:
    """Two planners read the same visit; the second one's move meets another version."""
    visit = book(scene.order, scene.lu)
    read = visit.version

    def late() -> None:
        mine = session.get_one(Visit, visit.id)
        assert mine.version == read
        faster = update(Visit).where(Visit.id == mine.id).values(version=read + 1)
        session.execute(faster.execution_options(synchronize_session=False))
        booking.reschedule_visit(mine, starts_at=local_at(15))

    with pytest.raises(PreconditionFailed):
        write(late)
    assert [one.starts_at for one in held(scene.lu)] == [local_at(13)]


# Ending -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [booking.cancel_visit, booking.miss_visit])
def test_a_visit_that_falls_through_frees_the_time(scene: Scene, end: Callable[..., None]) -> None:
    visit = book(scene.order, scene.lu)
    with pytest.raises(Invalid):
        write(lambda: end(visit, " "))
    write(lambda: end(visit, "客户改期"))
    assert visit.state in ("cancelled", "missed")
    assert scene.order.state == "ready"
    assert held(scene.lu) == []
    assert book(scene.order, scene.lu).id != visit.id


def test_time_left_over_can_be_booked_again(scene: Scene) -> None:
    visit = book(scene.order, scene.lu)
    write(lambda: booking.end_early(visit, local_at(14)))
    other = write(lambda: make_order(scene.station))
    assert book(other, scene.lu, 14).starts_at == local_at(14)
    write(lambda: booking.end_early(visit, local_at(12)))  # before its start: a tablet's clock ran wrong
    assert held(scene.lu)[0].ends_at == local_at(14)


def test_absence_keeps_its_time_free(scene: Scene) -> None:
    leave = write(lambda: booking.book_absence(scene.lu, "leave", local_at(13), local_at(18)))
    error = refused(lambda: booking.schedule_visit(scene.order, scene.lu, local_at(14)))
    assert (error.code, error.facts["cause"]) == ("absence", "leave")
    write(lambda: booking.end_absence(leave))
    book(scene.order, scene.lu, 14)
    assert refused(lambda: booking.book_absence(scene.lu, "training", local_at(15), local_at(18))).code == "overlap"


@pytest.mark.parametrize(
    ("cause", "hours", "field"), [("visit", 1, "cause"), ("party", 1, "cause"), ("leave", 0, "ends_at")]
)
def test_absence_needs_a_cause_and_a_length(scene: Scene, cause: str, hours: int, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        write(lambda: booking.book_absence(scene.lu, cause, local_at(13), local_at(13) + timedelta(hours=hours)))
    assert field in caught.value.errors


# The database's own guard -------------------------------------------------------------------------


def test_the_database_refuses_an_overlap_whoever_writes_it(scene: Scene) -> None:
    def hold(start: int, end: int) -> None:
        session.add(
            Booking(
                technician_id=scene.lu.id, station_id=scene.station.id, cause="travel", starts_at=local_at(start),
                ends_at=local_at(end),
            )
        )  # fmt: skip

    write(lambda: hold(9, 11))
    write(lambda: hold(11, 12))
    error = refused(lambda: hold(10, 12))
    assert error.code == "overlap"
    assert isinstance(error.__cause__, DBAPIError)


def test_one_technician_s_time_is_nobody_else_s(scene: Scene) -> None:
    book(scene.order, scene.lu)
    other = write(lambda: make_order(scene.station, skills={}))
    assert book(other, scene.xu).starts_at == local_at(13)
