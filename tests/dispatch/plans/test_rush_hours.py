"""With the table of hours that every installation begins with, on both databases: plan, apply, drive, be told."""

import random
from datetime import timedelta

import pytest

from fieldservice.dispatch.plans import services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, local
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit, WorkOrder
from tests.dispatch.plans.planned import changes, planned
from tests.dispatch.plans.test_plans import _company
from tests.workorders.cast import HOME, NEAR
from tests.workorders.scene import Scene, local_at, make_order, roster

MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.usefixtures("rush_hours")


@pytest.mark.parametrize(("now", "starts", "minutes"), [((13, 0), "13:15", 15), ((17, 0), "17:20", 18)])
def test_a_drive_in_the_rush_hour_is_planned_longer_and_applied(
    scene: Scene, clock: Clock, now: tuple[int, int], starts: str, minutes: int
) -> None:
    """A quarter of an hour away: at a quarter more it takes almost nineteen minutes, and starts are round."""
    clock.fix(local_at(*now))
    write(lambda: roster(session.merge(scene.lu), session.merge(scene.station), hours=(18, 22)))
    plan = planned([scene.station])
    (change,) = plan.outcome["changes"]
    assert (change["to"]["technician"], change["to"]["travel_min"]) == (scene.lu.id, minutes)
    (visit,) = write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    assert f"{local(visit.starts_at):%H:%M}" == starts
    assert visit.travel_min == minutes, "booking says the same as the plan"
    assert changes(planned([scene.station])) == {}, "what was planned stands"


@pytest.mark.parametrize(("ends", "fits"), [((14, 0), True), ((17, 30), False)])
def test_booking_asks_for_the_hour(scene: Scene, clock: Clock, ends: tuple[int, int], fits: bool) -> None:
    """A quarter of an hour between two visits is enough for the way in the afternoon, and not in the rush hour."""
    clock.fix(local_at(12))
    write(lambda: roster(session.merge(scene.lu), session.merge(scene.station), hours=(18, 22)))
    over = local_at(*ends)

    def book() -> None:
        lu, station = session.merge(scene.lu), session.merge(scene.station)
        first = make_order(station, place=HOME, duration_min=60)
        booking.schedule_visit(first, lu, over - timedelta(hours=1))
        booking.schedule_visit(make_order(station, duration_min=60), lu, over + 15 * MINUTE)

    if fits:
        write(book)
    else:
        with pytest.raises(Conflict) as refused:
            write(book)
        assert (refused.value.code, refused.value.facts["side"]) == ("travel", "before")


@pytest.mark.parametrize("seed", range(4))
def test_what_is_planned_by_the_hour_can_always_be_applied(scene: Scene, clock: Clock, seed: int) -> None:
    dice = random.Random(seed)
    clock.fix(local_at(dice.choice([7, 10, 15]), dice.randrange(60)))
    stations = write(lambda: _company(scene.station, dice, orders=18))
    plan = planned(stations, days=dice.choice([1, 2]), objective=dice.choice(["promises", "travel"]), effort=16)
    assert plan.state == "ready"
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))
    for change in plan.outcome["changes"]:
        order = session.query(WorkOrder).filter_by(number=change["work_order"]).one()
        assert order.state in (("ready",) if change["kind"] == "dropped" else ("scheduled", "dispatched"))


@pytest.mark.parametrize(("hour", "minute", "way"), [(14, 0, 15), (17, 30, 19)])
def test_the_customer_is_told_the_arrival_of_that_hour(
    scene: Scene, clock: Clock, hour: int, minute: int, way: int
) -> None:
    """Booked for a quarter past two; who sets off at half past five takes longer than a quarter of an hour."""

    def work() -> int:
        order = make_order(scene.station, place=NEAR, precision="point")
        visit = booking.schedule_visit(order, session.merge(scene.lu), local_at(14, 15))
        booking.send_visit(visit)
        return visit.id

    visit_id = write(work)
    at = local_at(hour, minute)
    clock.fix(at)

    def go() -> None:
        visit = session.get_one(Visit, visit_id)
        visits.accept(visit, at)
        visits.set_off(visit, at)

    write(go)
    visit = session.get_one(Visit, visit_id, populate_existing=True)
    assert visit.travel_min == 15
    assert visit.eta_at == at + way * MINUTE
