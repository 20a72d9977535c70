"""Late running on both databases: estimates, tasks and messages follow what happens, each once (B4, S-05)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.dispatch.day import late
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.time import Clock, now
from fieldservice.jobs import watch_days
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.tasks import Task, title_text
from fieldservice.workorders import booking, visits
from fieldservice.workorders.models import Visit
from tests.workorders.scene import Scene, local_at, make_order, make_request

EARLY, OUTSIDE = (
    local_at(13),
    local_at(14),
)  # a start that leaves the next visit in its told window, and one that does not


@dataclass
class Day:
    """Lu goes to one machine at eleven and to the next at half past one."""

    technician: int
    first: int
    second: int
    clock: Clock

    @property
    def next(self) -> Visit:
        return session.get_one(Visit, self.second, populate_existing=True)

    def begin(self, at: datetime) -> None:
        """Work at the first machine begins."""
        self.clock.fix(at)
        for state in ("accepted", "en_route", "on_site", "in_progress"):
            self.step(self.first, state)
        self.notice()

    def step(self, visit: int, state: str) -> None:
        write(lambda: visits.step(session.get_one(Visit, visit), state, now()))

    def notice(self) -> None:
        if late.is_due(self.technician, now()):
            write(lambda: late.notice(self.technician, now()))


def make_day(scene: Scene, clock: Clock, precision: str = "point", arrival: str | None = None) -> Day:
    def build() -> tuple[int, int]:
        request = make_request(scene.station, priority="P3", arrival=arrival)
        order = make_order(scene.station, request=request, precision=precision, duration_min=60)
        lu, first = session.merge(scene.lu), session.merge(scene.order)
        both = booking.schedule_visit(first, lu, local_at(11)), booking.schedule_visit(order, lu, local_at(13, 30))
        for visit in both:
            booking.send_visit(visit)
        return both[0].id, both[1].id

    first, second = write(build)
    clock.advance(minutes=1)
    return Day(scene.lu.id, first, second, clock)


@pytest.fixture
def day(scene: Scene, clock: Clock) -> Day:
    return make_day(scene, clock)


def told() -> list[Message]:
    return list(session.scalars(select(Message).where(Message.template.startswith("visit_runs_late"))))


def asked(state: str = "open") -> list[Task]:
    return list(session.scalars(select(Task).where(Task.title == late.TITLE, Task.state == state)))


def estimated() -> int:
    return session.query(Event).filter_by(kind="visit.estimated").count()


def test_B4_a_day_on_time_writes_nothing(day: Day) -> None:
    day.begin(local_at(11))
    assert not late.is_due(day.technician, now())
    assert (day.next.eta_at, told(), asked(), estimated()) == (None, [], [], 0)


def test_B4_a_late_start_moves_the_estimate_and_nothing_else(day: Day) -> None:
    version = day.next.version
    day.begin(EARLY)
    assert day.next.eta_at == local_at(15)
    assert day.next.version == version, "an estimate is no decision: open forms and plans stay good"
    assert (told(), asked()) == ([], []), "within what the customer was told"
    day.notice()
    assert estimated() == 1


def test_B4_S_05_who_will_miss_the_window_is_told_once_and_the_dispatcher_asked(day: Day) -> None:
    day.begin(OUTSIDE)
    (message,), (one,) = told(), asked()
    assert (day.next.eta_at, message.facts["eta_at"]) == (local_at(16), local_at(16).isoformat())
    text = messages.render(message.template, "zh", message.facts, "sms").body
    assert "预计 16:00 到达（原定 13:30–15:30）" in text
    assert (one.owner_role, one.subject_id, one.facts["what"]) == ("dispatcher", day.second, "window")
    assert "16:00" in title_text(one)
    for _again in range(2):
        write(lambda: late.notice(day.technician, now()))
    assert (len(told()), len(asked()), estimated()) == (1, 1, 1)


def test_the_promise_to_arrive_is_named_first(scene: Scene, clock: Clock) -> None:
    day = make_day(scene, clock, arrival="4 h")  # 14:30
    day.begin(OUTSIDE)
    (one,) = asked()
    assert (one.facts["what"], one.facts["due"]) == ("promise", "14:30")


def test_a_newer_estimate_is_told_after_twenty_minutes(day: Day) -> None:
    """The first job should have ended at four and goes on."""
    day.begin(OUTSIDE)
    for moment, many in (((16, 10), 2), ((16, 20), 2), ((16, 29), 2), ((16, 31), 3)):
        day.clock.fix(local_at(*moment))
        day.notice()
        assert _queued_ever() == many, moment
    assert day.next.eta_at == local_at(16, 35)
    assert len(asked()) == 1


def _queued_ever() -> int:
    """An estimate that was not sent yet is replaced by the next one."""
    kinds = [
        event for event in session.scalars(select(Event).where(Event.kind == "message.queued"))
        if event.facts["template"] == "visit_runs_late"
    ]  # fmt: skip
    return len(kinds)


def test_whoever_catches_up_is_neither_told_nor_asked_about(day: Day) -> None:
    """Within the seconds in which nothing is sent yet, the first job is called off."""
    day.clock.fix(local_at(15, 45))
    day.notice()
    assert (len(told()), len(asked())) == (2, 2)
    write(lambda: booking.cancel_visit(session.get_one(Visit, day.first), "客户停产"))
    write(lambda: booking.reschedule_visit(day.next, starts_at=local_at(16, 30)))
    assert (told(), asked()) == ([], [])
    assert len(asked("cancelled")) == 2
    day.notice()
    assert day.next.eta_at is None


def test_a_task_is_closed_when_the_technician_is_there(day: Day) -> None:
    day.begin(OUTSIDE)
    day.clock.fix(local_at(15, 50))
    day.step(day.second, "accepted")
    day.step(day.second, "en_route")
    day.notice()
    assert (len(asked()), told()) == (1, []), "still late, but the customer is told the way instead"
    day.step(day.second, "on_site")
    day.notice()
    assert asked() == []


def test_a_place_known_about_is_given_no_time(scene: Scene, clock: Clock) -> None:
    """DESIGN §6: county precision never feeds an arrival time; the dispatcher is asked all the same."""
    day = make_day(scene, clock, precision="county")
    day.begin(OUTSIDE)
    assert day.next.eta_at is None
    (message,) = told()
    assert message.template == "visit_runs_late_unsaid"
    assert "16:" not in messages.render(message.template, "en", message.facts, "sms").body
    assert len(asked()) == 1


def test_an_estimate_is_not_taken_for_an_arrival_time(scene: Scene, clock: Clock) -> None:
    """Setting off and moving replace it."""
    day = make_day(scene, clock)
    day.begin(EARLY)
    write(lambda: booking.reschedule_visit(day.next, starts_at=local_at(16)))
    assert day.next.eta_at is None


# Who asks -----------------------------------------------------------------------------------------


def test_steps_of_a_visit_ask_for_it_after_the_commit(day: Day) -> None:
    asked_before = session.query(DeferredJob).filter_by(task="dispatch.late").count()
    day.clock.fix(OUTSIDE)
    day.step(day.first, "accepted")
    assert session.query(DeferredJob).filter_by(task="dispatch.late").count() == asked_before
    for state in ("en_route", "on_site", "in_progress"):
        day.step(day.first, state)
    assert session.query(DeferredJob).filter_by(task="dispatch.late").count() == asked_before + 3
    done = late.notice_late.work(day.technician)
    session.rollback()
    assert done is not None
    assert done.effect is not None
    write(done.effect)
    assert day.next.eta_at == local_at(16)
    assert late.notice_late.work(day.technician) is None, "a replay finds nothing to do"


@pytest.mark.parametrize(
    ("hour", "minute", "found"),
    [
        pytest.param(10, 40, False, id="before the first visit"),
        pytest.param(11, 1, True, id="not set off"),
    ],
)
def test_B4_the_clock_alone_finds_who_is_overdue(day: Day, hour: int, minute: int, found: bool) -> None:
    day.clock.fix(local_at(hour, minute))
    assert (day.technician in late.overdue(now())) == found


def test_the_round_asks_only_where_something_is_to_be_written(day: Day) -> None:
    asked_for = select(DeferredJob).where(DeferredJob.task == "dispatch.late")
    day.clock.fix(local_at(10, 59))
    watch_days()
    assert session.scalars(asked_for).all() == []
    day.clock.fix(local_at(12, 1))
    watch_days()
    (job,) = session.scalars(asked_for)
    assert job.arguments == {"technician_id": day.technician}
    day.notice()
    day.clock.advance(minutes=2)
    watch_days()
    assert len(session.scalars(asked_for).all()) == 1


def test_two_who_notice_at_once_tell_and_ask_once(app: Flask, day: Day) -> None:
    day.clock.fix(OUTSIDE)
    for state in ("accepted", "en_route", "on_site", "in_progress"):
        day.step(day.first, state)
    session.rollback()
    gate = Barrier(4)

    def run(_thread: int) -> None:
        with app.app_context():
            gate.wait(60)
            write(lambda: late.notice(day.technician, now()))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert (len(told()), len(asked()), estimated()) == (1, 1, 1)


def test_a_visit_of_yesterday_that_nobody_closed_does_not_make_today_late(day: Day) -> None:
    day.clock.fix(local_at(9) + timedelta(days=1))
    assert not late.is_due(day.technician, now())
