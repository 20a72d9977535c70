"""D-04: a P1 arrives; the best way to put it into the day stands on the board, and one press does it."""

from datetime import timedelta
from typing import Any

import pytest

from fieldservice.dispatch.plans import urgent
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import DeferredJob, claim, run
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from tests.dispatch.test_day_plan import Browser
from tests.workorders.scene import Scene, local_at, make_order, make_request, make_technician


@pytest.fixture
def desk(scene: Scene, sign_in: Any) -> Browser:
    return Browser(sign_in("dispatcher", scene.station.id, name="周敏"))


def arrive(scene: Scene, priority: str = "P1", **facts: Any) -> WorkOrder:
    """An order that becomes ready now, as triage releases it."""

    def work() -> WorkOrder:
        request = make_request(scene.station, priority=priority)
        order = make_order(scene.station, request=request, state="draft", **facts)
        move(order, "ready")
        return order

    return write(work)


def thought() -> None:
    """What was asked for after the commit is done."""
    for one in write(lambda: claim(20)):
        run(one)
    session.rollback()


def full_day(scene: Scene) -> Visit:
    """The only one who can do it has a P4 at the time it matters."""
    other = write(lambda: make_order(scene.station, priority="P4"))
    return write(lambda: booking.schedule_visit(session.merge(other), session.merge(scene.lu), local_at(11, 15)))


def test_a_free_technician_is_offered(scene: Scene) -> None:
    order = arrive(scene)
    thought()
    (offer,) = urgent.offers([scene.station.id], now())
    assert offer.order.id == order.id
    assert offer.change is not None
    assert offer.change.after is not None
    assert offer.change.after.technician.id == scene.lu.id
    assert (offer.moved, offer.dropped) == (0, 0)


def test_the_best_insertion_moves_what_matters_less(scene: Scene) -> None:
    write(lambda: make_technician(scene.station, "马俊", "Ma Jun"))
    write(lambda: move(session.merge(scene.order), "cancelled", reason="test"))
    full_day(scene)
    arrive(scene)
    thought()
    (offer,) = urgent.offers([scene.station.id], now())
    assert offer.change is not None
    assert [promise.late_after for promise in offer.change.promises] == [0, 0]


def test_one_press_sends_somebody_and_the_board_is_clear(scene: Scene, desk: Browser) -> None:
    order = arrive(scene)
    thought()
    page = desk.get("/dispatch")
    assert "立即派去" in page.text
    assert "不影响别人" in page.text
    plan = session.query(DispatchPlan).one()
    page = desk.done(desk.post(f"/dispatch/plans/{plan.id}/apply", all="1", back=""))
    assert "安排了" in page.text
    assert "立即派去" not in page.text
    session.rollback()
    assert session.get_one(WorkOrder, order.id).state == "scheduled"


def test_who_was_booked_by_hand_is_not_offered_again(scene: Scene, desk: Browser) -> None:
    order = arrive(scene)
    thought()
    write(lambda: booking.schedule_visit(session.merge(order), session.merge(scene.lu), local_at(15)))
    assert urgent.offers([scene.station.id], now()) == []
    assert "立即派去" not in desk.get("/dispatch/part/urgent").text


def test_nobody_can_go_and_why(scene: Scene, desk: Browser) -> None:
    arrive(scene, skills={"spindle": 3})
    thought()
    (offer,) = urgent.offers([scene.station.id], now())
    assert offer.change is None
    assert offer.help
    assert "今明两天没人能去" in desk.get("/dispatch").text


@pytest.mark.parametrize("priority", ["P2", "P3", "P4"])
def test_only_p1_is_urgent(scene: Scene, priority: str) -> None:
    arrive(scene, priority)
    assert session.query(DeferredJob).filter_by(task="dispatch.urgent").count() == 0


def test_an_answer_grows_old(scene: Scene) -> None:
    arrive(scene)
    thought()
    assert urgent.offers([scene.station.id], now() + timedelta(hours=9)) == []


def test_other_stations_and_readers_see_no_offer(scene: Scene, sign_in: Any) -> None:
    arrive(scene)
    thought()
    assert "立即派去" not in sign_in("agent", scene.station.id).get("/dispatch").text
