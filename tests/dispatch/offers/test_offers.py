"""Times offered to a customer: truly free, held for some minutes, chosen once, given back."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from fieldservice.dispatch.offers import finding, services
from fieldservice.dispatch.offers.punctuality import spread
from fieldservice.dispatch.offers.services import Offered
from fieldservice.dispatch.offers.windows import LENGTH
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import Clock, local, now, today
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.events import Event
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, held_time
from fieldservice.workorders.models import Booking, Visit, WorkOrder
from fieldservice.workorders.placement import Span
from tests.workorders.cast import DAY, FAR, at
from tests.workorders.scene import Scene, make_order, make_request, make_technician


def order_of(order_id: int) -> WorkOrder:
    return session.get_one(WorkOrder, order_id)


def ask(order_id: int) -> list[Offered]:
    """What a customer who asks for times is held."""
    order = order_of(order_id)
    found = finding.find(order, services.open_visit(order), today(), now())

    def work() -> list[Offered]:
        order = order_of(order_id)
        return services.hold(order, services.open_visit(order), found, now())

    return write(work)


def take(order_id: int, offer_id: int, *, agrees: bool = True, by_customer: bool = True) -> int:
    """The visit."""

    def work() -> int:
        order = order_of(order_id)
        visit = services.open_visit(order)
        return services.choose(order, visit, offer_id, now(), agrees=agrees, by_customer=by_customer).id

    return write(work)


def held_of(order_id: int) -> int:
    rows = select(func.count(Booking.id)).where(Booking.work_order_id == order_id, Booking.state == "held")
    return session.scalar(rows) or 0


@pytest.fixture
def order_id(scene: Scene) -> int:
    """A P3 that nobody planned; Lu alone can do it, on duty from 8 to 18 on three days. It is 8:30."""
    return write(lambda: make_order(scene.station, request=make_request(scene.station, priority="P3")).id)


def test_every_offered_time_is_free_and_can_be_taken(scene: Scene, order_id: int) -> None:
    offered = ask(order_id)
    assert len(offered) == services.MOST
    assert [one.span.starts_at for one in offered] == sorted(one.span.starts_at for one in offered)
    assert {one.technician.id for one in offered} == {scene.lu.id}
    assert sum(one.best for one in offered) >= 1
    for one in offered:
        assert one.told.starts_at <= one.span.starts_at <= one.told.ends_at
        assert one.span.starts_at >= now() + finding.SOONEST
    for number in range(services.MOST):
        offered = ask(order_id)
        assert len(offered) == services.MOST
        visit = session.get_one(Visit, take(order_id, offered[number].id), populate_existing=True)
        told = (visit.window_starts_at, visit.window_ends_at)
        assert (visit.starts_at, *told) == (offered[number].span.starts_at, *offered[number].told)
        assert visit.confirmed_at == now()
        assert held_of(order_id) == 0


def test_choosing_twice_is_choosing_once(order_id: int) -> None:
    [one, *_more] = ask(order_id)
    assert take(order_id, one.id) == take(order_id, one.id)
    kinds = session.scalars(select(Event.kind).where(Event.kind.in_(["visit.agreed", "visit.scheduled"]))).all()
    assert sorted(kinds) == ["visit.agreed", "visit.scheduled"]


def test_held_time_is_nobody_elses_until_it_lapses(scene: Scene, order_id: int, clock: Clock) -> None:
    offered = ask(order_id)
    other_id = write(lambda: make_order(scene.station).id)
    taken = [Span(*one.span) for one in offered]
    assert not any(one.span.touches(*span) for one in ask(other_id) for span in taken)
    with pytest.raises(Conflict) as refused:
        write(lambda: booking.schedule_visit(order_of(other_id), scene.lu, offered[0].span.starts_at))
    assert refused.value.code == "overlap"
    assert refused.value.facts["offered"]
    clock.advance(minutes=10)
    write(lambda: booking.schedule_visit(order_of(other_id), scene.lu, offered[0].span.starts_at))
    with pytest.raises(Conflict) as gone:
        take(order_id, offered[0].id)
    assert gone.value.code == "offer_gone"


def test_the_way_to_an_offered_time_is_kept_free_too(scene: Scene, order_id: int) -> None:
    """Somebody an hour away is done five minutes before the offered time begins."""
    [first, *_more] = ask(order_id)
    far_id = write(lambda: make_order(scene.station, place=FAR, duration_min=30).id)
    with pytest.raises(Conflict) as refused:
        write(lambda: booking.schedule_visit(order_of(far_id), scene.lu, first.span.starts_at - timedelta(minutes=35)))
    assert refused.value.code == "travel"


def test_a_P1_takes_time_that_was_only_offered(scene: Scene, order_id: int) -> None:
    offered = ask(order_id)
    write(lambda: booking.schedule_visit(order_of(scene.order.id), scene.lu, offered[0].span.starts_at))
    with pytest.raises(Conflict, match="offer_gone"):
        take(order_id, offered[0].id)
    assert take(order_id, offered[-1].id)


def test_who_falls_ill_is_not_kept_by_an_offer(scene: Scene, order_id: int) -> None:
    ask(order_id)
    lu = scene.lu.id
    write(lambda: held_time.book_absence(session.get_one(Technician, lu), "sick", at(8), at(18)))
    assert held_of(order_id) == services.MOST - 2  # two of that day


def test_planning_the_order_itself_gives_back_what_was_held(scene: Scene, order_id: int) -> None:
    [first, *_more] = ask(order_id)
    write(lambda: booking.schedule_visit(order_of(order_id), scene.lu, first.span.starts_at))
    assert held_of(order_id) == 0


def test_asking_again_holds_the_same_number_of_times(order_id: int) -> None:
    first, again = ask(order_id), ask(order_id)
    assert [one.span for one in first] == [one.span for one in again]
    assert held_of(order_id) == services.MOST


def test_lapsed_offers_are_swept(order_id: int, clock: Clock) -> None:
    ask(order_id)
    clock.advance(minutes=9)
    assert write(lambda: held_time.release_lapsed(now(), 100)) == 0
    clock.advance(minutes=1)
    assert session.scalars(select(Booking).where(Booking.counts(now()))).all() == []
    assert write(lambda: held_time.release_lapsed(now(), 100)) == services.MOST
    assert held_of(order_id) == 0


def test_E_14_what_is_later_than_promised_needs_the_customers_word(scene: Scene) -> None:
    order_id = write(lambda: make_order(scene.station, request=make_request(scene.station, priority="P2")).id)
    offered = ask(order_id)
    within = [one for one in offered if not one.after_promise]
    [later, *_more] = [one for one in offered if one.after_promise]
    due = booking.arrival_due_of(order_of(order_id))
    assert within
    assert due is not None
    assert all(one.told.ends_at <= due for one in within)
    with pytest.raises(Invalid) as refused:
        take(order_id, later.id, agrees=False, by_customer=False)
    assert refused.value.code == "beyond_limit"
    take(order_id, later.id)
    request = order_of(order_id).request
    assert {one.kind: one.state for one in clocks.of(request)} == {"arrival": "void", "restore": "running"}  # type: ignore[arg-type]


def test_a_promise_that_no_offered_time_keeps_is_not_forgiven(scene: Scene) -> None:
    def build() -> int:
        return make_order(scene.station, request=make_request(scene.station, priority="P2", arrival="30 min")).id

    order_id = write(build)
    offered = ask(order_id)
    assert all(one.after_promise for one in offered)
    take(order_id, offered[0].id)
    request = order_of(order_id).request
    assert {one.kind: one.state for one in clocks.of(request)}["arrival"] == "running"  # type: ignore[arg-type]


def test_S_03_customers_change_a_visit_until_the_cut_off(scene: Scene, order_id: int, clock: Clock) -> None:
    [first, second, *_more] = ask(order_id)
    take(order_id, first.id)
    offered = ask(order_id)
    start = first.span.starts_at
    clock.fix(start - timedelta(minutes=61))
    offered = ask(order_id)
    moved = session.get_one(Visit, take(order_id, offered[-1].id))
    assert moved.starts_at == offered[-1].span.starts_at > second.span.starts_at
    clock.fix(moved.starts_at - timedelta(minutes=59))
    with pytest.raises(Conflict) as late:
        services.require_choice(order_of(order_id), moved, now(), by_customer=True)
    assert late.value.code == "too_late_to_change"
    services.require_choice(
        order_of(order_id), moved, now(), by_customer=False
    )  # the dispatcher may, with the customer


def test_a_station_sets_its_own_cut_off_and_holding_time(scene: Scene, order_id: int) -> None:
    def agree() -> None:
        policies.set_override(services.CUT_OFF, "station", scene.station.id, 240, at=now())
        policies.set_override(services.HOLD, "station", scene.station.id, 5, at=now())

    write(agree)
    [first, *_more] = ask(order_id)
    assert first.expires_at == now() + timedelta(minutes=5)
    take(order_id, first.id)
    with pytest.raises(Conflict):
        services.require_choice(order_of(order_id), services.open_visit(order_of(order_id)), now(), by_customer=True)
    for wrong in (0, 61, True, "10", None):
        with pytest.raises(Invalid):
            write(lambda wrong=wrong: policies.set_override(services.HOLD, "station", 1, wrong, at=now()))  # type: ignore[misc]


def test_urgent_work_is_planned_by_us_and_not_left_to_choice(scene: Scene) -> None:
    order = scene.order  # P1
    assert not services.may_choose_first(order)
    with pytest.raises(Conflict) as refused:
        services.require_choice(order, None, now(), by_customer=True)
    assert refused.value.code == "chosen_by_us"


def test_nobody_free_is_an_empty_answer(scene: Scene) -> None:
    order_id = write(lambda: make_order(scene.station, skills={"spindle": 3}).id)
    assert ask(order_id) == []


@pytest.mark.parametrize(("began", "today_too"), [((11, 0), True), ((16, 0), False)])
def test_a_technician_who_runs_late_is_not_offered_for_a_time_he_will_miss(
    scene: Scene, order_id: int, clock: Clock, began: tuple[int, int], today_too: bool
) -> None:
    """Planned from 11 to 13, and five hours late at worst: free at 18 at the earliest."""

    def begin() -> None:
        visit = booking.schedule_visit(make_order(scene.station), scene.lu, at(11))
        there = {"state": "in_progress", "on_site_at": at(*began), "started_at": at(*began)}
        session.execute(update(Visit).where(Visit.id == visit.id).values(**there))

    write(begin)
    clock.fix(at(*began))
    days = {local(one.span.starts_at).date() for one in ask(order_id) if one.told.ends_at < at(18)}
    assert (DAY in days) == today_too


@pytest.mark.parametrize(
    ("late", "expected"),
    [([5] * 29, LENGTH), ([0] * 40, timedelta(minutes=10)), ([5] * 38 + [50] * 2, timedelta(minutes=50)),
     ([300] * 40, LENGTH)],
)  # fmt: skip
def test_windows_are_as_wide_as_the_station_is_punctual(scene: Scene, late: Sequence[int], expected: timedelta) -> None:
    def arrive() -> None:
        for number, minutes in enumerate(late):
            start = at(8) - timedelta(days=1 + number)
            session.add(
                Visit(
                    work_order_id=scene.order.id, station_id=scene.station.id, technician_id=scene.lu.id,
                    home_station_id=scene.station.id, starts_at=start, ends_at=start + timedelta(hours=1),
                    window_starts_at=start, window_ends_at=start + timedelta(hours=2), state="completed",
                    on_site_at=start + timedelta(minutes=minutes),
                )
            )  # fmt: skip

    write(arrive)
    assert spread(scene.station.id, now()) == expected


def test_two_customers_who_ask_at_once_are_never_held_the_same_time(app: Flask, scene: Scene) -> None:
    def build() -> list[int]:
        make_technician(scene.station, "吴强", "Wu Qiang")
        return [make_order(scene.station).id for _number in range(4)]

    orders = write(build)
    session.remove()
    together, held = Barrier(len(orders)), dict[int, list[tuple[int, datetime, datetime]]]()

    def customer(order_id: int) -> None:
        with app.app_context():
            order = order_of(order_id)
            found = finding.find(order, None, today(), now())
            together.wait()
            offered = write(lambda: services.hold(order_of(order_id), None, found, now()))
            held[order_id] = [(one.technician.id, *one.span) for one in offered]

    threads = [Thread(target=customer, args=[order_id]) for order_id in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(span for spans in held.values() for span in spans)
    assert len(held) == len(orders)
    for one, following in itertools.pairwise(every):
        assert one[0] != following[0] or one[2] <= following[1]


def test_a_choice_and_a_dispatcher_at_once_have_one_winner(app: Flask, scene: Scene, order_id: int) -> None:
    [one, *_more] = ask(order_id)
    start, other = one.span.starts_at, write(lambda: make_order(scene.station, priority="P1").id)
    lu, outcome = scene.lu.id, list[str]()
    session.remove()
    together = Barrier(2)

    def customer() -> None:
        with app.app_context():
            together.wait()
            try:
                take(order_id, one.id)
                outcome.append("customer")
            except DomainError:
                outcome.append("customer refused")

    def dispatcher() -> None:
        with app.app_context():
            together.wait()
            try:
                write(lambda: booking.schedule_visit(order_of(other), session.get_one(Technician, lu), start))
                outcome.append("dispatcher")
            except DomainError:
                outcome.append("dispatcher refused")

    threads = [Thread(target=customer), Thread(target=dispatcher)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome) in (["customer", "dispatcher refused"], ["customer refused", "dispatcher"])
