"""Somebody falls ill, on both databases: one action plans his jobs anew, one more carries it out (B4)."""

from datetime import datetime, timedelta

import pytest

from fieldservice.dispatch.day import absence
from fieldservice.dispatch.plans import running, services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.tasks import Task
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.placement import Span
from tests.conftest import make_user
from tests.dispatch.plans.planned import changes
from tests.workorders.cast import DAY, FAR
from tests.workorders.scene import Scene, local_at, make_order, make_station, make_technician, roster

TODAY = Span(local_at(8), local_at(18))


def booked(scene: Scene, hour: int, minute: int = 0, technician: Technician | None = None, **facts: object) -> int:
    """A visit of a new order, already with the technician."""

    def book() -> int:
        order = make_order(scene.station, **{"duration_min": 60, **facts})  # type: ignore[arg-type]
        visit = booking.schedule_visit(order, session.merge(technician or scene.lu), local_at(hour, minute))
        booking.send_visit(visit)
        return visit.id

    return write(book)


def ill(scene: Scene, span: Span = TODAY, somebody: Person | None = None) -> DispatchPlan:
    """Lu is ill: the plan, computed."""
    plan_id = write(lambda: absence.fall_ill(session.merge(scene.lu), span, "sick", somebody, run=False)).id
    running.run_here(plan_id)
    return session.get_one(DispatchPlan, plan_id, populate_existing=True)


def carry_out(plan: DispatchPlan) -> None:
    write(lambda: services.apply(session.get_one(DispatchPlan, plan.id)))


def visit_by_id(visit_id: int) -> Visit:
    return session.get_one(Visit, visit_id, populate_existing=True)


def away(scene: Scene) -> list[Booking]:
    return session.query(Booking).filter_by(technician_id=scene.lu.id, state="held", cause="sick").all()


def left() -> list[Task]:
    return session.query(Task).filter_by(title="order_without_technician", state="open").all()


@pytest.fixture
def ma(scene: Scene) -> Technician:
    """Somebody who can do what Lu does."""
    return write(lambda: make_technician(scene.station, "马俊", "Ma Jun"))


def test_B4_his_jobs_go_to_others_at_the_told_time_in_one_action(scene: Scene, ma: Technician) -> None:
    mine, late_one = booked(scene, 11), booked(scene, 14)
    told = {one: (visit_by_id(one).window_starts_at, visit_by_id(one).window_ends_at) for one in (mine, late_one)}
    other = booked(scene, 16, technician=ma)
    plan = ill(scene)
    assert {kind for kind, _who, _when in changes(plan).values()} == {"moved"}
    assert away(scene) == [], "nothing changes until it is applied"
    assert visit_by_id(mine).technician_id == scene.lu.id
    carry_out(plan)
    for one in (mine, late_one):
        visit = visit_by_id(one)
        assert (visit.technician_id, visit.state) == (ma.id, "dispatched")
        assert (visit.window_starts_at, visit.window_ends_at) == told[one], "the customer need not be told anew"
    assert visit_by_id(other).starts_at == local_at(16), "whoever is not needed stays"
    (held,) = away(scene)
    assert held.ends_at == local_at(18)
    assert session.get_one(WorkOrder, scene.order.id).state == "ready", "waiting work is not part of it"
    assert left() == []


def test_B4_what_nobody_can_take_is_called_off_with_a_task(scene: Scene) -> None:
    mine = booked(scene, 11)  # Xu knows too little about gearboxes
    plan = ill(scene)
    assert [one["kind"] for one in plan.outcome["changes"]] == ["dropped"]
    assert plan.outcome["unplaced"][0]["rules"], "and it is said why"
    carry_out(plan)
    visit = visit_by_id(mine)
    assert (visit.state, visit.work_order.state) == ("cancelled", "ready")
    (one,) = left()
    assert (one.subject_type, one.subject_id, one.owner_role) == ("work_order", visit.work_order_id, "dispatcher")
    assert len(away(scene)) == 1
    with pytest.raises(Conflict):
        carry_out(plan)
    assert (len(left()), len(away(scene))) == (1, 1)


def test_a_later_time_is_better_than_none(scene: Scene, ma: Technician) -> None:
    """Ma is taken during the told window by work that cannot move: he comes after it."""
    mine = booked(scene, 11)
    write(lambda: booking.book_absence(session.merge(ma), "training", local_at(10), local_at(15)))
    plan = ill(scene)
    carry_out(plan)
    assert visit_by_id(mine).technician_id == ma.id
    assert visit_by_id(mine).starts_at >= local_at(15)


def test_back_in_the_afternoon_he_does_some_of_it_himself(scene: Scene) -> None:
    morning, afternoon = booked(scene, 11), booked(scene, 16)
    carry_out(ill(scene, Span(local_at(8), local_at(13))))
    visit = visit_by_id(morning)
    assert (visit.technician_id, visit.state) == (scene.lu.id, "dispatched")
    assert visit.starts_at >= local_at(13)
    assert visit_by_id(afternoon).starts_at >= local_at(13)


def test_an_absence_without_jobs_is_booked_all_the_same(scene: Scene) -> None:
    carry_out(ill(scene))
    assert len(away(scene)) == 1


def test_several_days(scene: Scene, ma: Technician) -> None:
    mine = booked(scene, 11)
    plan = ill(scene, Span(local_at(8), local_at(18) + timedelta(days=2)))
    assert plan.days == 3
    carry_out(plan)
    assert visit_by_id(mine).technician_id == ma.id


def test_a_visit_whose_time_has_come_and_that_was_not_begun_goes_too(
    scene: Scene, ma: Technician, clock: Clock
) -> None:
    mine = booked(scene, 11)
    clock.fix(local_at(11, 10))
    carry_out(ill(scene))
    assert visit_by_id(mine).technician_id == ma.id
    assert visit_by_id(mine).starts_at >= now()


@pytest.mark.parametrize(
    ("until", "days"),
    [
        pytest.param(local_at(23), 1, id="the same day"),
        pytest.param(local_at(0) + timedelta(days=1), 1, id="back at midnight"),
        pytest.param(local_at(0, 5) + timedelta(days=1), 2, id="back after midnight"),
        pytest.param(local_at(0) + timedelta(days=7), 7, id="a week, back at midnight"),
    ],
)
def test_how_many_days_it_is_about(scene: Scene, until: datetime, days: int) -> None:
    span = Span(local_at(10, 30), until)
    assert write(lambda: absence.fall_ill(session.merge(scene.lu), span, "sick", None, run=False)).days == days


# What would come of it ----------------------------------------------------------------------------


def looked(scene: Scene, span: Span = TODAY, somebody: Person | None = None) -> absence.Consequences:
    person = somebody or make_user("dispatcher", scene.station.id).as_person()
    session.rollback()
    return absence.consequences(session.merge(scene.lu), span, "sick", person)


def test_it_is_said_before_what_an_absence_touches(scene: Scene) -> None:
    mine = [visit_by_id(booked(scene, hour)).work_order.number for hour in (11, 14)]
    session.rollback()
    told = looked(scene)
    assert (list(told.work_orders), told.hindrance) == (mine, "")
    assert looked(scene, Span(local_at(15), local_at(18))).work_orders == []
    assert session.query(DispatchPlan).count() == 0


def test_what_hinders_it_is_said_before(scene: Scene, clock: Clock) -> None:
    mine = booked(scene, 11)
    other = write(lambda: make_station("SZYQ", FAR))

    def lend() -> None:
        roster(session.merge(scene.lu), session.merge(other), hours=(15, 18))
        order = make_order(session.merge(other), place=FAR, duration_min=60)
        booking.schedule_visit(order, session.merge(scene.lu), local_at(16))

    write(lend)
    assert "不负责排程的服务站" in str(looked(scene).hindrance)
    clock.fix(local_at(11))
    for state in ("accepted", "en_route"):
        write(lambda state=state: visits.step(visit_by_id(mine), state, now()))  # type: ignore[misc]
    assert visit_by_id(mine).work_order.number in str(looked(scene).hindrance)
    with pytest.raises(Invalid):
        looked(scene, Span(local_at(18), local_at(8)))


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hour", [11, 14])
def test_B4_who_is_under_way_is_said(scene: Scene, ma: Technician, clock: Clock, hour: int) -> None:
    """Also when the work takes longer than planned."""
    mine = booked(scene, 11)
    clock.fix(local_at(hour))
    for state in ("accepted", "en_route", "on_site"):
        write(lambda state=state: visits.step(visit_by_id(mine), state, now()))  # type: ignore[misc]
    with pytest.raises(Conflict) as refused:
        ill(scene)
    assert (refused.value.code, refused.value.facts["work_orders"]) == (
        "at_work",
        [visit_by_id(mine).work_order.number],
    )
    assert session.query(DispatchPlan).count() == 0


def test_who_is_away_already(scene: Scene) -> None:
    write(lambda: booking.book_absence(session.merge(scene.lu), "leave", local_at(12), local_at(18)))
    with pytest.raises(Conflict) as refused:
        ill(scene)
    assert refused.value.code == "absence"


@pytest.mark.parametrize(
    "span",
    [
        pytest.param(Span(local_at(12), local_at(12)), id="empty"),
        pytest.param(Span(local_at(8), local_at(9)), id="past"),
        pytest.param(Span(local_at(8), local_at(8) + timedelta(days=7)), id="eight days"),
    ],
)
def test_times_that_cannot_be_meant(scene: Scene, span: Span) -> None:
    with pytest.raises(Invalid):
        ill(scene, span)


def test_an_absence_is_carried_out_whole(scene: Scene, ma: Technician) -> None:
    booked(scene, 11)
    booked(scene, 14)
    plan = ill(scene)
    with pytest.raises(Invalid):
        write(lambda: services.apply(session.get_one(DispatchPlan, plan.id), [1]))
    assert away(scene) == []


def test_who_set_off_meanwhile_makes_the_plan_stale(scene: Scene, ma: Technician) -> None:
    mine = booked(scene, 11)
    plan = ill(scene)
    for state in ("accepted", "en_route"):
        write(lambda state=state: visits.step(visit_by_id(mine), state, now()))  # type: ignore[misc]
    with pytest.raises(Conflict) as refused:
        carry_out(plan)
    assert refused.value.code == "plan_outdated"
    assert away(scene) == []


def test_two_plans_for_one_absence_are_carried_out_once(scene: Scene, ma: Technician) -> None:
    booked(scene, 11)
    first, again = ill(scene), ill(scene)
    carry_out(first)
    with pytest.raises(Conflict):
        carry_out(again)
    assert len(away(scene)) == 1


def test_a_job_put_into_the_absence_meanwhile_refuses_it(scene: Scene) -> None:
    plan = ill(scene)
    booked(scene, 14)
    with pytest.raises(Conflict) as refused:
        carry_out(plan)
    assert refused.value.code == "overlap"
    assert session.get_one(DispatchPlan, plan.id, populate_existing=True).state == "ready"


def test_a_double_click_asks_once_and_another_absence_is_another_plan(scene: Scene) -> None:
    def ask(span: Span) -> int:
        return write(lambda: absence.fall_ill(session.merge(scene.lu), span, "sick", None, run=False)).id

    assert ask(TODAY) == ask(TODAY)
    assert ask(Span(local_at(12), local_at(18))) != ask(TODAY)


def test_only_whose_work_one_plans(scene: Scene) -> None:
    """He is lent to a station that the person does not plan."""
    other = write(lambda: make_station("SZYQ", FAR))
    stranger = make_user("dispatcher", other.id).as_person()
    with pytest.raises(NotFound):
        absence.technician_by_id(scene.lu.id, stranger)

    def lend() -> None:
        lu = session.merge(scene.lu)
        roster(lu, other, DAY, (8, 18))
        booking.schedule_visit(make_order(session.merge(other), place=FAR), lu, local_at(14))

    write(lend)
    home = make_user("dispatcher", scene.station.id, email="home@demo.test").as_person()
    with pytest.raises(Forbidden):
        ill(scene, somebody=home)
