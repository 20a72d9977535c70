"""T-05, S-03: a time that is held for a customer holds its parts, too, and no longer than itself."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import policies
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.models import Part
from fieldservice.parts.transfers.models import Transfer
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkItem
from tests.dispatch.offers.test_offers import ask, order_of, take
from tests.workorders.cast import FAR
from tests.workorders.scene import Scene, local_at, make_order, make_request, make_station, need_part, stock


def held(order_id: int) -> Sequence[Reservation]:
    rows = select(Reservation).where(Reservation.for_id == order_id, Reservation.state.in_(HOLDING))
    return session.scalars(rows.order_by(Reservation.id).execution_options(populate_existing=True)).all()


@pytest.fixture
def wanting(scene: Scene) -> tuple[int, int]:
    """Two orders that want the same seal: the one times are asked for, and another."""

    def work() -> tuple[int, int]:
        one = make_order(scene.station, request=make_request(scene.station, priority="P3"), duration_min=60)
        other = make_order(scene.station, duration_min=60)
        part = need_part(one)
        other.items.append(WorkItem(kind="part", part_id=part.id, quantity=1, required=True, opened_at=now()))
        session.flush()
        return one.id, other.id

    return write(work)


def lies(scene: Scene, order_id: int, technician: Technician | None = None) -> int:
    """One seal, at the station or in a van; the place."""

    def work() -> int:
        part = session.get_one(Part, order_of(order_id).items[0].part_id)
        return stock(part, scene.station, 1, technician and session.merge(technician)).id

    return write(work)


def book(order_id: int, technician: Technician, hour: int) -> int:
    return write(lambda: booking.schedule_visit(order_of(order_id), session.merge(technician), local_at(hour)).id)


def test_the_part_is_kept_as_long_as_the_times_are(scene: Scene, wanting: tuple[int, int], clock: Clock) -> None:
    mine, other = wanting
    place = lies(scene, mine)
    offered = ask(mine)
    assert offered
    [one] = held(mine)
    assert (one.location_id, one.quantity, one.expires_at) == (place, 1, offered[0].expires_at)
    assert ask(other) == [], "the only seal is held"
    with pytest.raises(Conflict) as refused:
        book(other, scene.lu, 17)
    assert refused.value.code == "part"
    ask(mine)
    assert len(held(mine)) == 1, "asked again, held once"
    clock.advance(minutes=10)
    assert write(lambda: promises.expire(now())) == 1
    assert held(mine) == []
    book(other, scene.lu, 17)


def test_who_chooses_has_the_part_for_good(scene: Scene, wanting: tuple[int, int], clock: Clock) -> None:
    mine, _other = wanting
    lies(scene, mine)
    offered = ask(mine)
    take(mine, offered[-1].id)
    clock.advance(minutes=30)
    assert write(lambda: promises.expire(now())) == 0
    assert [(one.quantity, one.expires_at) for one in held(mine)] == [(1, None)]


def test_a_part_in_the_van_is_kept_there(scene: Scene, wanting: tuple[int, int]) -> None:
    """Another lies in the store: who comes with the van needs it not, and it stays free."""
    mine, other = wanting
    van = lies(scene, mine, scene.lu)
    lies(scene, mine)
    offered = ask(mine)
    assert [one.location_id for one in held(mine)] == [van]
    take(mine, offered[0].id)
    assert [(one.location_id, one.expires_at) for one in held(mine)] == [(van, None)]
    assert ask(other)


def test_what_has_to_be_brought_is_kept_where_it_lies_until_somebody_chooses(
    scene: Scene, wanting: tuple[int, int], clock: Clock
) -> None:
    """No time is offered that the part cannot keep when chosen at the last moment; then it is sent for."""
    mine, other = wanting
    source = write(lambda: neighbour(scene, mine))
    offered = ask(mine)
    [one] = held(mine)
    assert (one.location_id, session.scalars(select(Transfer)).all()) == (source, [])
    assert all(offer.span.starts_at >= one.need_at for offer in offered)
    assert ask(other) == [], "the neighbour's only seal is held"
    clock.advance(minutes=9)
    visit = session.get_one(Visit, take(mine, offered[0].id))
    sent = session.scalars(select(Transfer)).one()
    assert sent.expected_at <= visit.starts_at
    assert [(one.location_id, one.expires_at) for one in held(mine)] == [(sent.to_id, None)]
    clock.advance(minutes=5)
    assert write(lambda: promises.expire(now())) == 0


def neighbour(scene: Scene, order_id: int) -> int:
    """A seal lies at a station that shares its stock; where."""
    part = session.get_one(Part, order_of(order_id).items[0].part_id)
    stock(part, session.merge(scene.station), 0)
    near = make_station("SZYQ", FAR, "苏州园区站", "Suzhou Yuanqu")
    near.functions = ["service", "spare_part"]
    policies.set_override("parts.shared_with_visits", "station", near.id, True, at=now())
    return stock(part, near, 1).id


def test_who_ordered_first_keeps_it(scene: Scene, wanting: tuple[int, int]) -> None:
    """The seal is booked for the other order: times are offered only where another one could be had, so none."""
    mine, other = wanting
    lies(scene, mine)
    book(other, scene.lu, 17)
    assert ask(mine) == []
    assert held(mine) == []
    assert len(held(other)) == 1


def test_planning_the_order_by_hand_takes_over_what_is_held(scene: Scene, wanting: tuple[int, int]) -> None:
    mine, _other = wanting
    lies(scene, mine)
    ask(mine)
    visit_id = book(mine, scene.lu, 17)
    assert [(one.quantity, one.expires_at) for one in held(mine)] == [(1, None)]
    write(lambda: booking.cancel_visit(session.get_one(Visit, visit_id), reason="Not now"))
    assert held(mine) == []
