"""Stops at a store: before which visit, when, and what is collected (T-05)."""

from datetime import timedelta

import pytest

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import now
from fieldservice.parts.models import StockBalance, StockLocation
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit
from fieldservice.workorders.pickups import by_visit, pickups_for
from tests.workorders.cast import NEAR
from tests.workorders.scene import Scene, local_at, make_order, make_scene, need_part, stock


@pytest.fixture
def scene(app: object) -> Scene:
    return make_scene()


def _booked(scene: Scene, hour: int, minute: int = 0, quantity: int = 1, lying: int = 5) -> int:
    """A visit of Lu that needs seals, which lie at the station."""

    def work() -> int:
        order = make_order(scene.station, place=NEAR, duration_min=60)
        part = need_part(order, quantity, number=f"P{order.id}")
        place = session.query(StockLocation).filter_by(station_id=scene.station.id, kind="warehouse").first()
        if place is None:
            stock(part, scene.station, lying)
        else:
            session.add(StockBalance(part_id=part.id, location_id=place.id, on_hand=lying))
            session.flush()
        return booking.schedule_visit(order, session.merge(scene.lu), local_at(hour, minute)).id

    return write(work)


def _visits() -> list[Visit]:
    return list(session.query(Visit).order_by(Visit.starts_at))


def test_T_05_a_visit_that_needs_what_lies_at_the_station_comes_by_it_first(scene: Scene) -> None:
    visit_id = _booked(scene, 14, quantity=2)
    [stop] = pickups_for(_visits(), now())
    visit = session.get_one(Visit, visit_id)
    assert stop.visit_ids == (visit_id,)
    assert stop.span.ends_at - stop.span.starts_at == timedelta(minutes=10)
    assert stop.span.ends_at <= visit.starts_at
    assert [(one.order, one.quantity) for one in stop.parts] == [(visit.work_order.number, 2)]
    assert stop.names == scene.station.names
    assert "×2" in stop.words


def test_it_moves_with_the_visit_and_goes_with_it(scene: Scene) -> None:
    visit_id = _booked(scene, 14)
    before = pickups_for(_visits(), now())[0].span
    write(lambda: booking.reschedule_visit(session.get_one(Visit, visit_id), starts_at=local_at(15, 30)))
    after = pickups_for(_visits(), now())[0].span
    assert after.starts_at - before.starts_at == timedelta(minutes=90)
    write(lambda: booking.cancel_visit(session.get_one(Visit, visit_id), reason="Not now"))
    assert pickups_for(_visits(), now()) == []


def test_what_two_visits_collect_on_one_way_is_one_stop(scene: Scene) -> None:
    """One visit after the other, with no time to collect between them: both before the first."""
    first, second = _booked(scene, 13), _booked(scene, 14, 5)
    [stop] = pickups_for(_visits(), now())
    assert stop.visit_ids == (first, second)
    assert len({one.order for one in stop.parts}) == 2
    assert all(f"({one.order})" in stop.words for one in stop.parts), "each part says for which order"
    assert by_visit([stop]) == {first: stop}


def test_what_lies_in_the_van_is_collected_nowhere(scene: Scene) -> None:
    def work() -> None:
        order = make_order(scene.station, place=NEAR)
        stock(need_part(order), scene.station, 1, session.merge(scene.lu))
        booking.schedule_visit(order, session.merge(scene.lu), local_at(14))

    write(work)
    assert pickups_for(_visits(), now()) == []
