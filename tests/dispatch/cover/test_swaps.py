"""Shifts change hands: asked, accepted, agreed – each once, and never into trouble. On both databases (T-03)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.dispatch.cover import queries, swaps
from fieldservice.dispatch.cover.models import ShiftSwap
from fieldservice.dispatch.cover.swapping import Trade
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.tasks import Task
from fieldservice.stations.models import Shift
from fieldservice.workorders import booking
from tests.conftest import make_user
from tests.dispatch.cover.conftest import Team, moment, put
from tests.workorders.scene import make_order, make_station, make_technician


@pytest.fixture
def week(team: Team) -> Team:
    """Lu works Monday, Xu Tuesday, both published; both can sign in."""
    for person in (team.lu, team.xu, team.wu):
        make_user("technician", team.station, technician_id=person)
    put(team, team.lu, [0], 8, 18, state="published")
    put(team, team.xu, [1], 8, 18, state="published")
    return team


def shift_of(technician: int) -> Shift:
    rows = select(Shift).where(Shift.technician_id == technician, Shift.state != "swapped").order_by(Shift.id)
    return session.scalars(rows).first()  # type: ignore[return-value]  # there is one


def ask(team: Team, to: int, *, back: bool = False, by_manager: bool = False) -> int:
    def work() -> int:
        given = shift_of(team.lu)
        other = shift_of(to) if back else None
        return swaps.ask(given, team.person(to), back=other, by_manager=by_manager, at=now()).id

    return write(work)


def do(deed: Callable[..., None], swap_id: int) -> None:
    write(lambda: deed(session.get_one(ShiftSwap, swap_id), now()))


def code_of(deed: Callable[[], Any]) -> str:
    with pytest.raises(Conflict) as caught:
        deed()
    assert str(caught.value.message)
    session.rollback()
    return caught.value.code


def who(day: int) -> list[int]:
    """Whose published shift it is on that day of the week."""
    rows = select(Shift.technician_id).where(Shift.starts_at == moment(day, 8), Shift.state == "published")
    return list(session.scalars(rows))


def tasks() -> dict[str, str]:
    return {task.title: task.state for task in session.scalars(select(Task))}


def test_t03_a_shift_is_handed_over_step_by_step(week: Team) -> None:
    swap = ask(week, week.xu)
    assert tasks() == {"swap_asked": "open"}
    assert session.scalars(select(Message.template)).all() == ["swap_asked"]
    assert code_of(lambda: do(swaps.agree, swap)) == "not_accepted"
    do(swaps.accept, swap)
    assert tasks() == {"swap_asked": "done", "swap_accepted": "open"}
    assert who(0) == [week.lu], "until the manager agrees it stays where it is"
    do(swaps.agree, swap)
    assert who(0) == [week.xu]
    assert tasks() == {"swap_asked": "done", "swap_accepted": "done"}
    old = session.scalars(select(Shift).where(Shift.state == "swapped")).one()
    assert (old.technician_id, old.starts_at) == (week.lu, moment(0, 8)), "the old one stays on record"
    told = session.scalars(select(Message.template).order_by(Message.id)).all()
    assert told == ["swap_asked", "swap_agreed", "swap_agreed"]
    assert code_of(lambda: do(swaps.agree, swap)) == "move_forbidden"


def test_t03_shifts_are_exchanged(week: Team) -> None:
    swap = ask(week, week.xu, back=True)
    do(swaps.accept, swap)
    do(swaps.agree, swap)
    assert (who(0), who(1)) == ([week.xu], [week.lu])


def test_a_manager_swaps_at_once(week: Team) -> None:
    ask(week, week.wu, by_manager=True)
    assert who(0) == [week.wu]
    assert tasks() == {}


def test_declined_or_withdrawn_the_shift_stays_and_can_be_offered_again(week: Team) -> None:
    first = ask(week, week.xu)
    assert code_of(lambda: ask(week, week.wu)) == "offered"
    do(swaps.decline, first)
    assert session.scalars(select(Message.template).order_by(Message.id)).all() == ["swap_asked", "swap_refused"]
    second = ask(week, week.wu)
    do(swaps.withdraw, second)
    assert who(0) == [week.lu]
    assert set(tasks().values()) == {"done"}
    assert code_of(lambda: do(swaps.accept, second)) == "move_forbidden"


def test_t03_the_receiver_must_be_free_and_there(week: Team) -> None:
    put(week, week.wu, [0], 16, 20, state="draft")
    assert code_of(lambda: ask(week, week.wu)) == "duty"
    write(lambda: booking.book_absence(week.person(week.xu), "leave", moment(0, 17), moment(0, 20)))
    assert code_of(lambda: ask(week, week.xu)) == "absence"


def test_t03_whoever_falls_ill_after_accepting_does_not_get_it(week: Team) -> None:
    swap = ask(week, week.xu)
    do(swaps.accept, swap)
    write(lambda: booking.book_absence(week.person(week.xu), "sick", moment(0, 0), moment(0, 24)))
    assert code_of(lambda: do(swaps.agree, swap)) == "absence"
    assert session.get_one(ShiftSwap, swap).state == "accepted", "nothing has happened"


def test_t03_visits_are_moved_first(week: Team) -> None:
    def book() -> str:
        order = make_order(week.here)
        booking.schedule_visit(order, week.person(week.lu), moment(0, 10))
        return order.number

    number = write(book)
    swap = ask(week, week.xu)
    do(swaps.accept, swap)
    with pytest.raises(Conflict) as caught:
        do(swaps.agree, swap)
    assert caught.value.code == "visits"
    assert caught.value.facts["work_orders"] == [number]
    assert number in str(caught.value.message)


def test_only_shifts_to_come_and_only_colleagues(week: Team, clock: Clock) -> None:
    stranger = write(lambda: make_technician(make_station("SZYQ"), days=0).id)
    with pytest.raises(Invalid):
        ask(week, stranger, by_manager=True)
    session.rollback()
    with pytest.raises(Invalid):
        ask(week, week.lu)
    session.rollback()
    swap = ask(week, week.xu)
    clock.fix(moment(0, 9))
    assert code_of(lambda: do(swaps.accept, swap)) == "begun"


def test_a_shift_that_was_changed_meanwhile_is_asked_for_anew(week: Team) -> None:
    swap = ask(week, week.xu)
    write(lambda: setattr(shift_of(week.lu), "technician_id", week.wu))
    assert code_of(lambda: do(swaps.accept, swap)) == "shift"


def test_other_offers_of_a_shift_that_went_mean_nothing_any_more(week: Team) -> None:
    first = ask(week, week.xu, back=True)  # Lu wants Xu's Tuesday

    def give_tuesday() -> int:
        return swaps.ask(shift_of(week.xu), week.person(week.wu), by_manager=True, at=now()).id

    write(give_tuesday)
    assert session.get_one(ShiftSwap, first).state == "withdrawn"


def test_short_rest_is_told_and_not_refused(week: Team) -> None:
    put(week, week.xu, [0], 22, 30, state="published", on_call=True)  # on call is rest
    put(week, week.wu, [0], 20, 30, state="published")
    shift = shift_of(week.lu)
    assert swaps.rest_warnings(Trade(swaps.turn_of(shift), week.xu)) == []
    (said,) = swaps.rest_warnings(Trade(swaps.turn_of(shift), week.wu))
    assert "2 " in said
    ask(week, week.wu, by_manager=True)
    assert who(0) == [week.wu]


def test_warnings_of_many_take_one_statement(week: Team) -> None:
    ask(week, week.xu)
    (waiting,) = queries.open_swaps_at(week.station)
    assert swaps.warnings_of([waiting]) == [[]]
    colleagues = queries.colleagues_for(shift_of(week.lu), now())
    assert [one.technician.id for one in colleagues] == [week.xu, week.wu]
    assert [len(one.back) for one in colleagues] == [1, 0]


def together(app: Flask, works: list[Callable[[], Any]]) -> list[str]:
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> str:
        with app.app_context():
            barrier.wait()
            try:
                work()
            except Conflict as refused:
                return refused.code
            return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(run, works))


def test_two_managers_agree_at_once_and_one_wins(app: Flask, week: Team) -> None:
    swap = ask(week, week.xu)
    do(swaps.accept, swap)
    assert together(app, [lambda: do(swaps.agree, swap)] * 2) == ["done", "move_forbidden"]
    assert who(0) == [week.xu]


def test_the_same_shift_offered_twice_at_once_is_offered_once(app: Flask, week: Team) -> None:
    assert together(app, [lambda: ask(week, week.xu), lambda: ask(week, week.wu)]) == ["done", "offered"]


def test_two_shifts_that_go_to_one_colleague_at_the_same_time_go_once(app: Flask, week: Team) -> None:
    put(week, week.xu, [0], 9, 12, state="published")

    def give(technician: int) -> None:
        rows = select(Shift).where(Shift.technician_id == technician, Shift.starts_at < moment(1, 0))
        given = session.scalars(rows.where(Shift.state == "published")).one()
        swaps.ask(given, week.person(week.wu), by_manager=True, at=now())

    outcome = together(app, [lambda: write(lambda: give(week.lu)), lambda: write(lambda: give(week.xu))])
    assert outcome == ["done", "duty"]


def test_duties_of_the_next_four_weeks(week: Team) -> None:
    put(week, week.lu, [40], 8, 18, state="published")
    put(week, week.lu, [2], 8, 18, state="draft")
    assert [one.starts_at for one in queries.duties_of(week.lu, now())] == [moment(0, 8)]
