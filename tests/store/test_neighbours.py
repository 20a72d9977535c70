"""Another station's part for an order: it is asked, keeps it meanwhile, agrees, refuses with a reason, or is silent."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now
from fieldservice.mechanisms.tasks import Task, title_text
from fieldservice.parts.availability import services as promises
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number, unbalanced
from fieldservice.parts.transfers import neighbours
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.parts.transfers.queries import why
from fieldservice.store import sourcing
from fieldservice.store.sourcing import Need
from fieldservice.workorders import booking, findings, orders, promised_parts, visits
from fieldservice.workorders.models import WorkItem, WorkOrder
from tests.store.scene import Desk, cancel, make_desk
from tests.store.test_sourcing import code_of, step, take, third_station
from tests.workorders.desk import token as form_token

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(app: Flask) -> Desk:
    made = make_desk()
    made.fill(made.far_store, 3)
    return made


def ask(desk: Desk, number: str, place: int | None = None, person: Person | None = None) -> int:
    """The order asks for two; the transfer's id."""

    def work() -> int:
        order = desk.order(number)
        need = Need(part_by_number("SEAL"), desk.station_row(), Decimal(2), now() + HOUR, order)
        done = sourcing.secure(need, code_of(place or desk.far_store), "SEAL", now(), person)
        assert done.transfer is not None
        return done.transfer.id

    return write(work)


def do(transfer: int, work: Callable[..., Any], *args: Any, **more: Any) -> str:
    """Do something with it, or be refused; the code."""
    try:
        write(lambda: work(session.get_one(Transfer, transfer), *args, **{"at": now(), **more}))
    except DomainError as error:
        session.rollback()
        return str(error.code)
    return "done"


def state(transfer: int) -> str:
    session.rollback()
    return session.get_one(Transfer, transfer).state


def tasks(station: int) -> list[tuple[str, str, str]]:
    """(title, role, state) of a station's tasks, oldest first."""
    rows = session.scalars(select(Task).where(Task.station_id == station).order_by(Task.id))
    return [(one.title, str(one.owner_role), one.state) for one in rows]


def free_there(desk: Desk) -> bool:
    """Whether all three seals of the other station could be promised to somebody now."""

    def work() -> None:
        place = session.get_one(StockLocation, desk.far_store)
        promises.take_turns("look")
        shelf = promises.shelves([part_by_number("SEAL").id], [place.id], now())[part_by_number("SEAL").id, place.id]
        assert promises.phased.fits(shelf.pool, Decimal(3), now())

    try:
        write(work)
    except AssertionError:
        session.rollback()
        return False
    return True


def test_a_neighbour_is_asked_and_agrees(desk: Desk) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    assert state(sent) == "asked"
    assert not free_there(desk)  # kept while it is asked
    assert [one.state for one in desk.held() if one.for_type == "work_order"] == ["requested"]
    assert desk.how() == [("SEAL", "missing", 2)]  # nothing is promised yet
    assert [one.number for one in desk.tours()[0].lines[0].asked] == [session.get_one(Transfer, sent).number]
    assert tasks(desk.far) == [("transfer_asked", "storekeeper", "open")]
    title = title_text(session.scalars(select(Task)).one())
    assert "SHHQ" in title or session.get_one(Transfer, sent).number in title
    before = session.get_one(Transfer, sent).expected_at
    assert do(sent, transfers.approve, at=now() + timedelta(minutes=20)) == "done"
    assert session.get_one(Transfer, sent).expected_at - before >= timedelta(minutes=20)
    assert tasks(desk.far) == [("transfer_asked", "storekeeper", "done")]
    (mine,) = [one for one in desk.held() if one.for_type == "work_order"]
    assert (mine.state, mine.need_at >= session.get_one(Transfer, sent).expected_at) == ("reserved", True)
    assert desk.how() == [("SEAL", "coming", 2)]
    assert [do(sent, transfers.ship), do(sent, transfers.receive)] == ["done", "done"]
    assert desk.how() == [("SEAL", "ready", 2)]
    assert unbalanced() == []


@pytest.mark.parametrize(
    ("end", "title"), [("refused", "transfer_refused"), ("expired", "transfer_unanswered"), ("cancelled", "")]
)
def test_what_is_not_sent_is_free_again_and_the_asker_is_told(desk: Desk, end: str, title: str) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    if end == "refused":
        assert do(sent, neighbours.refuse, " ") == "reason_needed"
        assert do(sent, neighbours.refuse, "自己下午要用") == "done"
        assert why(session.get_one(Transfer, sent)) == "自己下午要用"
    elif end == "cancelled":
        assert do(sent, transfers.cancel) == "done"
    else:
        assert not neighbours.due(now())
        assert neighbours.due(now() + HOUR)
        assert [write(lambda: neighbours.expire(now() + HOUR)) for _turn in range(2)] == [1, 0]
    assert state(sent) == end
    assert free_there(desk)
    assert [one for one in tasks(desk.far) if one[2] == "open"] == []
    told = [one[0] for one in tasks(desk.station) if one[2] == "open"]
    assert told == ([title] if title else []) + ["part_lost"]  # the storekeeper, and the order's dispatcher
    assert desk.how() == [("SEAL", "missing", 2)]
    again = ask(desk, number)  # and may be asked again
    assert state(again) == "asked"
    assert [one.waits_id for one in desk.held() if one.for_type == "work_order"] == [again]


def test_it_stays_tied_when_the_visit_moves_or_somebody_declines_it(desk: Desk) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    write(lambda: promised_parts.secure(desk.order(number).visits[0], now()))
    assert [one.waits_id for one in desk.held() if one.for_type == "work_order"] == [sent]
    write(lambda: visits.decline(desk.order(number).visits[0], "家里有事", now()))
    assert [one.waits_id for one in desk.held() if one.for_type == "work_order"] == [sent]
    assert state(sent) == "asked"


WAYS_OUT: dict[str, Callable[[WorkOrder], Any]] = {
    "the order is called off": lambda order: orders.cancel(order, "客户取消", now()),
    "its visit is called off": lambda order: booking.cancel_visit(order.visits[0], "客户改期"),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_what_is_not_needed_any_more_need_not_be_answered(desk: Desk, sign_in: Any, way: str) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    write(lambda: WAYS_OUT[way](desk.order(number)))
    assert state(sent) == "cancelled"
    assert desk.held() == []
    assert free_there(desk)
    assert tasks(desk.far) == [("transfer_asked", "storekeeper", "done")]
    assert [one for one in tasks(desk.station) if one[2] == "open"] == []
    assert do(sent, transfers.approve) == "move_forbidden"
    code = session.get_one(Transfer, sent).number
    theirs = sign_in("storekeeper", desk.far)
    page = theirs.get(f"/parts/transfers/{code}").text
    assert "申请已撤回" in page
    assert "我们无法调出" not in page
    assert code not in theirs.get("/parts").text
    assert step(theirs, code, "approve") == 409
    assert "工单已不需要" in sign_in("storekeeper", desk.station).get(f"/parts/transfers/{code}").text
    assert unbalanced() == []


def test_who_calls_it_off_by_hand_withdraws_no_need(desk: Desk, sign_in: Any) -> None:
    sent = ask(desk, desk.job(2))
    assert do(sent, transfers.cancel) == "done"
    page = sign_in("storekeeper", desk.far).get(f"/parts/transfers/{session.get_one(Transfer, sent).number}").text
    assert "申请方已取消" in page
    assert "已不需要" not in page


def test_what_was_agreed_already_comes_into_stock(desk: Desk) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    assert do(sent, transfers.approve) == "done"
    cancel(number)
    assert state(sent) == "approved"
    assert [one for one in desk.held() if one.for_type == "work_order"] == []
    assert [do(sent, work) for work in (transfers.ship, transfers.receive)] == ["done", "done"]


def test_a_withdrawn_need_withdraws_what_was_asked_for_it_alone(desk: Desk) -> None:
    number = desk.job(2)
    sent = ask(desk, number)

    def need() -> int:
        visit = desk.order(number).visits[0]
        for to in ("accepted", "en_route", "on_site", "in_progress"):
            visits.step(visit, to, now())
        return findings.need(visit, now(), part=part_by_number("SEAL"), quantity=Decimal(1)).id

    item = write(need)

    def withdraw() -> None:
        found = session.get_one(WorkItem, item)
        findings.withdraw_need(desk.order(number).visits[0], found, now())

    write(withdraw)
    assert state(sent) == "asked"  # the two that were planned are still wanted
    planned = write(lambda: desk.order(number).items[0].id)

    def drop_the_rest() -> None:
        session.get_one(WorkItem, planned).opened_visit_id = desk.order(number).visits[0].id
        findings.withdraw_need(desk.order(number).visits[0], session.get_one(WorkItem, planned), now())

    write(drop_the_rest)
    assert state(sent) == "cancelled"
    assert [one for one in tasks(desk.far) if one[2] == "open"] == []


def test_who_asks_twice_asks_once(desk: Desk) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    with pytest.raises(DomainError) as refused:
        ask(desk, number)
    assert refused.value.code == "already_reserved"
    session.rollback()
    assert session.scalars(select(Transfer.id)).all() == [sent]
    assert do(sent, transfers.approve) == "done"
    assert [do(sent, work) for work in (transfers.approve, neighbours.ask)] == ["move_forbidden"] * 2
    assert do(sent, neighbours.refuse, "zu spät") == "move_forbidden"


def test_the_central_store_and_who_keeps_both_are_not_asked(desk: Desk) -> None:
    order = desk.job(2)  # planned before: from a central store the visit would have sent for it by itself
    write(lambda: session.get_one(StockLocation, desk.far_store).__setattr__("kind", "central"))
    assert state(ask(desk, order)) == "approved"


def test_who_keeps_both_stores_asks_nobody(desk: Desk) -> None:
    keeper = Person(1, "", "", roles={"storekeeper": frozenset({desk.station, desk.far})})
    assert state(ask(desk, desk.job(2), person=keeper)) == "approved"


@pytest.mark.parametrize("other", ["refuse", "expire", "cancel", "withdraw"])
def test_two_answers_at_once(desk: Desk, app: Flask, other: str) -> None:
    number = desk.job(2)
    sent = ask(desk, number)
    start, said = Barrier(2), []
    session.remove()
    late = now() + HOUR
    works: dict[str, Callable[[], Any]] = {
        "approve": lambda: transfers.approve(session.get_one(Transfer, sent), at=late),
        "refuse": lambda: neighbours.refuse(session.get_one(Transfer, sent), "self", at=late),
        "cancel": lambda: transfers.cancel(session.get_one(Transfer, sent), at=late),
        "expire": lambda: neighbours.expire(late),
        "withdraw": lambda: orders.cancel(desk.order(number), "客户取消", late),
    }

    def press(name: str) -> None:
        with app.app_context():
            start.wait()
            try:
                said.append((name, write(works[name])))
            except DomainError as error:
                said.append((name, error.code))
            finally:
                session.remove()

    people = [Thread(target=press, args=(name,)) for name in ("approve", other)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    ended = state(sent)
    held = [one.state for one in desk.held() if one.for_type == "transfer"]
    mine = [one.state for one in desk.held() if one.for_type == "work_order"]
    if ended == "approved":
        assert (held, mine) == (["reserved"], [] if other == "withdraw" else ["reserved"])
    elif other == "withdraw":
        assert (ended, held, mine) == ("cancelled", [], [])
    else:  # an approved one may be cancelled as well
        assert ended in ("refused", "expired", "cancelled")
        assert (held, mine) == ([], ["requested"])
    assert len(said) == 2


def test_the_pages_of_both_stations(desk: Desk, sign_in: Any) -> None:
    number = desk.job(2)
    here, far = sign_in("storekeeper", desk.station), sign_in("storekeeper", desk.far)
    assert take(here, desk, number, desk.far_store).status_code == 303
    sent = session.scalars(select(Transfer)).one().number
    assert sent in here.get("/parts").text  # on the pick list, beside what is missing
    assert sent in far.get("/parts").text
    mine, theirs = here.get(f"/parts/transfers/{sent}").text, far.get(f"/parts/transfers/{sent}").text
    assert "已向调出站提出申请" in mine
    assert "我们无法调出" not in mine
    assert "我们无法调出" in theirs
    assert step(here, sent, "approve") == 404
    assert step(here, sent, "refuse", reason="x") == 404
    assert step(sign_in("storekeeper", write(third_station)), sent, "refuse", reason="x") == 404
    form = {"csrf_token": form_token(far, "/parts/catalogue"), "reason": ""}
    assert far.post(f"/parts/transfers/{sent}/refuse", data=form).status_code == 422
    assert step(far, sent, "refuse", reason="自己要用") == 303
    assert step(far, sent, "refuse", reason="自己要用") == 409
    assert "自己要用" in here.get(f"/parts/transfers/{sent}").text
    order = sign_in("dispatcher", desk.station).get(f"/work-orders/{number}").text
    assert sent not in order  # it waits for nothing any more


def test_the_order_says_whom_it_waits_for(desk: Desk, sign_in: Any) -> None:
    number = desk.job(2)
    sent = session.get_one(Transfer, ask(desk, number)).number
    assert f"/parts/transfers/{sent}" in sign_in("dispatcher", desk.station).get(f"/work-orders/{number}").text
    agent = sign_in("agent", desk.station).get(f"/work-orders/{number}").text
    assert sent in agent
    assert f"/parts/transfers/{sent}" not in agent
