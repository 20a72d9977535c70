"""Clocks on a subject: started once, warned, kept or breached, paused with evidence, never lengthened."""

from datetime import date, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldservice.foundation.db import is_sqlite, session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock as WallClock
from fieldservice.foundation.time import now
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.calendars import import_days
from fieldservice.mechanisms.clocks import Clock, Limit
from fieldservice.mechanisms.clocks.services import breach_key
from fieldservice.mechanisms.events import Event, history
from fieldservice.mechanisms.subjects import Ref
from fieldservice.mechanisms.tasks import Task, tasks_about
from tests.mechanisms.people_and_things import OTHER_PUMP, PUMP, statements, threads

FOUR_HOURS = Limit.parse("4 h", "tier")


def start(kind: str = "arrival", limit: Limit = FOUR_HOURS, subject: Ref = PUMP, **facts: Any) -> Clock:
    """A committed clock, started now."""
    return write(lambda: clocks.start(subject, kind, limit, **{"started_at": now(), "priority": "P1", **facts}))


def stop(kind: str = "arrival", **earlier: float) -> Clock | None:
    """Stop the clock now, or so much earlier."""
    return write(lambda: clocks.stop(PUMP, kind, now() - timedelta(**earlier)))


def pause(kind: str = "arrival", **facts: Any) -> Any:
    told = {"at": now(), "reason": "no_access", "evidence": "gate photo 17", "customer_told_at": now()}
    return write(lambda: clocks.pause(PUMP, kind, **{**told, **facts}))


def resume(kind: str = "arrival") -> Clock | None:
    return write(lambda: clocks.resume(PUMP, kind, at=now()))


def tick() -> int:
    return write(lambda: clocks.tick(now()))


def kinds() -> list[str]:
    """What was told about the pump, oldest first."""
    return [event.kind for event in history(PUMP)]


def told_shares() -> list[int]:
    return [event.facts["share"] for event in history(PUMP) if event.kind == "clock.warned"]


# Start, stop, void ---------------------------------------------------------------------------------


def test_a_clock_carries_its_limit_and_origin(app: Flask) -> None:
    clock = start(quoted_at=now() + timedelta(hours=2))
    assert clock.limit == FOUR_HOURS
    assert clock.due_at == now() + timedelta(hours=4)
    assert clock.quoted_at == now() + timedelta(hours=2)
    assert (clock.station_id, clock.told, clock.is_open) == (3, True, True)
    assert clock.next_check_at == now() + timedelta(hours=2)


def test_a_quote_never_promises_less_than_the_limit(app: Flask) -> None:
    assert start(quoted_at=now() + timedelta(hours=9)).quoted_at == now() + timedelta(hours=4)


def test_starting_again_changes_nothing(app: Flask, clock: WallClock) -> None:
    first = start()
    clock.advance(hours=1)
    assert start(limit=Limit.parse("1 h")).id == first.id
    assert first.due_at == now() + timedelta(hours=3)
    assert start("restore").id != first.id
    assert start(subject=OTHER_PUMP).id != first.id


def test_one_clock_of_a_kind_even_at_the_same_moment(app: Flask) -> None:
    def begin(_number: int) -> str:
        try:
            start()
        except Conflict:
            return "conflict"
        return "started"

    outcomes = threads(app, begin, 6)
    assert "started" in outcomes
    assert session.scalar(select(func.count(Clock.id))) == 1


def test_kept_when_in_time(app: Flask, clock: WallClock) -> None:
    start()
    clock.advance(hours=4)  # to the very moment
    stopped = stop()
    assert stopped is not None
    assert (stopped.state, stopped.stopped_at, stopped.next_check_at) == ("kept", now(), None)
    assert kinds() == ["clock.kept"]
    assert stop() is None
    assert kinds() == ["clock.kept"]


def test_breached_when_late_even_before_the_scan_saw_it(app: Flask, clock: WallClock) -> None:
    start()
    clock.advance(hours=4, seconds=1)
    stopped = stop()
    assert stopped is not None
    assert stopped.state == "breached"
    assert kinds() == ["clock.breached"]


def test_a_late_report_of_a_timely_fact_corrects_the_breach(app: Flask, clock: WallClock) -> None:
    """A tablet was without network: the technician was there in time."""
    clock_row = start()
    clock.advance(hours=5)
    assert tick() == 1
    (task,) = tasks_about(PUMP)
    assert (clock_row.state, task.state) == ("breached", "open")
    stop(hours=2)
    assert (clock_row.state, task.state) == ("kept", "cancelled")


def test_a_breach_stays_one_when_the_fact_was_late(app: Flask, clock: WallClock) -> None:
    clock_row = start()
    clock.advance(hours=5)
    tick()
    stop()
    assert (clock_row.state, clock_row.is_open) == ("breached", False)
    assert tasks_about(PUMP)[0].state == "open"
    assert kinds().count("clock.breached") == 1


def test_a_device_that_runs_behind_does_not_stop_before_the_start(app: Flask) -> None:
    start()
    stopped = stop(hours=1)
    assert stopped is not None
    assert (stopped.state, stopped.stopped_at) == ("kept", stopped.started_at)


def test_T_06_what_cannot_be_kept_any_more_is_broken_before_its_time_and_for_good(app: Flask, clock: WallClock) -> None:
    start()
    clock.advance(minutes=30)
    broken = write(lambda: clocks.miss(PUMP, "arrival", at=now()))
    assert broken is not None
    assert (broken.state, broken.stopped_at, broken.next_check_at) == ("breached", now(), None)
    assert [task.key for task in tasks_about(PUMP)] == [breach_key(broken)]
    assert (stop(), write(lambda: clocks.miss(PUMP, "arrival", at=now()))) == (None, None), "it is over"
    clock.advance(hours=10)
    assert tick() == 0


def test_void_takes_open_clocks_out_of_count(app: Flask, clock: WallClock) -> None:
    start("first_answer", Limit.parse("15 min"))
    start("arrival")
    start("restore", Limit.parse("24 h"))
    stop("first_answer")
    clock.advance(hours=5)
    tick()
    gone = write(lambda: clocks.void(PUMP, at=now(), reason="duplicate of SR-2026-000001"))
    assert [row.kind for row in gone] == ["arrival", "restore"]
    assert {row.kind: row.state for row in clocks.of(PUMP)} == {
        "first_answer": "kept", "arrival": "void", "restore": "void",
    }  # fmt: skip
    assert tasks_about(PUMP)[0].state == "cancelled"
    assert tick() == 0
    assert write(lambda: clocks.void(PUMP, at=now())) == []


def test_a_finished_clock_can_be_followed_by_a_new_one(app: Flask) -> None:
    first = start()
    stop()
    assert start().id != first.id  # reopened


# Warnings, breach, escalation -----------------------------------------------------------------------


def test_T_05_warnings_at_50_75_and_90_percent(app: Flask, clock: WallClock) -> None:
    clock.fix(now().replace(year=2026, month=9, day=30, hour=15, minute=0))  # 23:00 in Shanghai, a holiday eve
    clock_row = start("restore", Limit.parse("24 h"))
    assert clock_row.due_at == now() + timedelta(hours=24)
    told = []
    for hours in (11.9, 0.1, 5.9, 0.1, 3.5, 0.1, 2.4, 0.1):
        clock.advance(hours=hours)
        told.append((tick(), clock_row.warned, clock_row.state))
    assert told == [
        (0, 0, "running"), (1, 50, "running"), (0, 50, "running"), (1, 75, "running"), (0, 75, "running"),
        (1, 90, "running"), (0, 90, "running"), (1, 100, "breached"),
    ]  # fmt: skip
    assert told_shares() == [50, 75, 90]
    assert kinds().count("clock.breached") == 1


def test_a_breach_is_escalated_to_the_station_manager(app: Flask, clock: WallClock) -> None:
    clock_row = start()
    clock.advance(hours=5)
    tick()
    (task,) = tasks_about(PUMP)
    assert (task.owner_role, task.supervisor_role, task.station_id) == ("station_manager", "director", 3)
    assert task.due_at == now() + timedelta(minutes=30)
    assert task.key == breach_key(clock_row)
    assert task.facts["kind"] == "arrival"
    assert tick() == 0
    assert len(tasks_about(PUMP)) == 1


def test_after_downtime_only_the_highest_share_is_told(app: Flask, clock: WallClock) -> None:
    start()
    clock.advance(hours=3, minutes=40)
    assert tick() == 1
    assert told_shares() == [90]


def test_the_scan_works_in_batches(app: Flask, clock: WallClock) -> None:
    write(lambda: [start(subject=Ref("pump", n)) for n in range(7)] and None)
    clock.advance(hours=2)
    counts = [write(lambda: clocks.tick(now(), 3)) for _ in range(4)]
    assert counts == [3, 3, 1, 0]


def test_two_scans_at_once_tell_each_share_once(app: Flask, clock: WallClock) -> None:
    many = 40
    write(lambda: [start(subject=Ref("pump", n)) for n in range(many)] and None)
    clock.advance(hours=3)

    def scan(_number: int) -> int:
        done = 0
        while found := write(lambda: clocks.tick(now(), 5)):
            done += found
        return done

    assert sum(threads(app, scan, 4)) == many
    warned = select(func.count(Event.id)).where(Event.kind == "clock.warned")
    assert session.scalar(warned) == many
    assert session.scalar(select(func.count(Clock.id)).where(Clock.warned == 75)) == many


def test_scans_and_stops_at_once_agree_on_one_outcome(app: Flask, clock: WallClock) -> None:
    """Whoever comes first: a clock stopped in time is kept, its task cancelled, and nothing is told twice."""
    many = 12
    write(lambda: [start(subject=Ref("pump", n)) for n in range(many)] and None)
    in_time = now() + timedelta(hours=1)
    clock.advance(hours=5)

    def work(number: int) -> None:
        if number % 2:
            while write(lambda: clocks.tick(now(), 2)):
                pass
            return
        for n in range(many):
            write(lambda n=n: clocks.stop(Ref("pump", n), "arrival", in_time))

    threads(app, work, 4)
    assert set(session.scalars(select(Clock.state))) == {"kept"}
    assert set(session.scalars(select(Task.state))) <= {"cancelled"}
    kept = select(func.count(Event.id)).where(Event.kind == "clock.kept")
    assert session.scalar(kept) == many


# Shorten --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "due_in", "told"),
    [("2 h", 2, True), ("4 h", 4, False), ("8 h", 4, False), ("1 bh", 1, True), ("1 bd", 4, False)],
)
def test_triage_shortens_and_never_lengthens(app: Flask, limit: str, due_in: float, *, told: bool) -> None:
    clock_row = start()
    write(lambda: clocks.shorten(PUMP, "arrival", Limit.parse(limit, "customer"), at=now(), priority="P1"))
    assert clock_row.due_at == now() + timedelta(hours=due_in)
    assert clock_row.origin == ("customer" if told else "tier")
    assert ("clock.shortened" in kinds()) is told


def test_shortening_counts_from_the_start(app: Flask, clock: WallClock) -> None:
    clock_row = start(quoted_at=now() + timedelta(hours=3))
    clock.advance(hours=1)
    write(lambda: clocks.shorten(PUMP, "arrival", Limit.parse("2 h"), at=now(), quoted_at=now() + timedelta(hours=5)))
    assert clock_row.due_at == now() + timedelta(hours=1)
    assert clock_row.quoted_at == clock_row.due_at
    assert tick() == 1  # half of it has passed already
    assert told_shares() == [50]


def test_shares_told_before_are_not_told_again(app: Flask, clock: WallClock) -> None:
    clock_row = start()
    clock.advance(hours=3)
    tick()
    write(lambda: clocks.shorten(PUMP, "arrival", Limit.parse("230 min"), at=now()))
    assert clock_row.due_at == clock_row.started_at + timedelta(minutes=230)
    clock.advance(minutes=26)
    assert tick() == 0
    clock.advance(minutes=1)
    assert tick() == 1
    assert told_shares() == [75, 90]


def test_what_is_over_is_not_shortened(app: Flask, clock: WallClock) -> None:
    assert write(lambda: clocks.shorten(PUMP, "arrival", FOUR_HOURS, at=now())) is None
    clock_row = start()
    clock.advance(hours=5)
    tick()
    write(lambda: clocks.shorten(PUMP, "arrival", Limit.parse("1 h"), at=now()))
    assert clock_row.due_at == clock_row.started_at + timedelta(hours=4)


# Pauses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacking", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"evidence": ""}, "evidence"),
        ({"customer_told_at": None}, "customer_told_at"),
        ({"reason": "x" * 41}, "reason"),
        ({"evidence": "x" * 2001}, "evidence"),
        ({"evidence": "photo\x00"}, "evidence"),
    ],
)
def test_a_pause_needs_reason_evidence_and_word_to_the_customer(
    app: Flask, lacking: dict[str, Any], field: str
) -> None:
    start()
    with pytest.raises(Invalid) as refused:
        pause(**lacking)
    assert list(refused.value.errors) == [field]
    assert clocks.of(PUMP)[0].paused_at is None


def test_a_promise_never_stands_still(app: Flask, clock: WallClock) -> None:
    """Promise clocks never pause: the pause is noted beside them, for the net figure."""
    clock_row = start()
    clock.advance(hours=1)
    pause()
    clock.advance(hours=1)
    assert tick() == 1
    assert told_shares() == [50]
    resume()
    assert clock_row.due_at == clock_row.started_at + timedelta(hours=4)
    (row,) = clocks.pauses_of([clock_row])[clock_row.id]
    assert (row.reason, row.evidence) == ("no_access", "gate photo 17")
    assert row.ends_at == now()
    clock.advance(hours=1)
    stop()
    spans = [(row.starts_at, row.ends_at)]
    assert clocks.net_minutes(clock_row.started_at, now(), spans) == 120


def test_an_inner_limit_stands_still_and_gets_its_time_back(app: Flask, clock: WallClock) -> None:
    clock_row = start(pausable=True, told=False)
    clock.advance(hours=1)
    pause(customer_told_at=None)
    clock.advance(hours=10)
    assert tick() == 0
    resume()
    assert clock_row.due_at == now() + timedelta(hours=3)
    clock.advance(hours=1)
    assert tick() == 1
    assert told_shares() == [50]
    assert [kind for kind in kinds() if kind.startswith("clock.")] == ["clock.paused", "clock.resumed", "clock.warned"]


def test_stopping_a_standing_clock_gives_the_paused_time_back_first(app: Flask, clock: WallClock) -> None:
    clock_row = start(pausable=True, told=False)
    clock.advance(hours=3)
    pause(customer_told_at=None)
    clock.advance(hours=20)
    stop()
    assert clock_row.state == "kept"
    assert clock_row.due_at == now() + timedelta(hours=1)
    assert clocks.pauses_of([clock_row])[clock_row.id][0].ends_at == now()


def test_pausing_twice_is_pausing_once(app: Flask, clock: WallClock) -> None:
    start()
    first = pause()
    clock.advance(minutes=10)
    assert pause().id == first.id
    resume()
    assert resume() is not None
    assert kinds().count("clock.paused") == kinds().count("clock.resumed") == 1
    assert write(lambda: clocks.pause(OTHER_PUMP, "arrival", at=now(), reason="x", evidence="y")) is None


def test_pausing_at_the_same_moment_is_pausing_once(app: Flask) -> None:
    """Also when each has seen the clock before it gets the lock."""
    start()
    all_have_looked = Barrier(5)

    def look_and_pause(_number: int) -> None:
        def work() -> None:
            (seen,) = clocks.of(PUMP)
            if not is_sqlite():  # there a writer is alone from its beginning
                all_have_looked.wait(timeout=20)
            clocks.pause(PUMP, "arrival", at=now(), reason="r", evidence="e", customer_told_at=now())
            assert seen.paused_at is not None

        write(work)

    threads(app, look_and_pause, 5)
    assert len(clocks.pauses_of(clocks.of(PUMP))[clocks.of(PUMP)[0].id]) == 1
    assert kinds().count("clock.paused") == 1


def test_a_pause_lies_within_its_clock(app: Flask) -> None:
    start()
    with pytest.raises(Conflict) as refused:
        pause(at=now() - timedelta(hours=1))
    assert refused.value.code == "pause_too_early"


def test_a_pause_reported_late_gives_no_minute_back_twice(app: Flask, clock: WallClock) -> None:
    clock_row = start(pausable=True, told=False)
    clock.advance(hours=1)
    pause(customer_told_at=None)
    clock.advance(hours=1)
    resume()
    pause(customer_told_at=None, at=now() - timedelta(minutes=30))  # half of it was given back already
    clock.advance(minutes=30)
    resume()
    assert clock_row.due_at == clock_row.started_at + timedelta(hours=4 + 1.5)
    spans = [(row.starts_at, row.ends_at) for row in clocks.pauses_of([clock_row])[clock_row.id]]
    assert clocks.net_minutes(clock_row.started_at, now(), spans) == 60


ANOTHER = count(1000)  # every example has a pump of its own
STEPS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "shorten", "tick"]), st.integers(0, 200), st.integers(1, 600)),
    max_size=8,
)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, limit=st.sampled_from(["4 h", "4 bh", "1 bd"]), pausable=st.booleans())
def test_no_order_of_events_lengthens_a_promise(
    app: Flask, clock: WallClock, steps: list[tuple[str, int, int]], limit: str, pausable: bool
) -> None:
    """A promise only ever gets shorter; an inner limit gets back at most the time it stood."""
    subject = Ref("pump", next(ANOTHER))
    row = start(limit=Limit.parse(limit), subject=subject, pausable=pausable, told=False)
    due, began = row.due_at, now()
    for step, minutes, length in steps:
        clock.advance(minutes=minutes)
        if step == "pause":
            write(lambda: clocks.pause(subject, "arrival", at=now(), reason="r", evidence="e"))
        elif step == "resume":
            write(lambda: clocks.resume(subject, "arrival", at=now()))
        elif step == "shorten":
            before = row.due_at
            write(lambda length=length: clocks.shorten(subject, "arrival", Limit(length), at=now()))
            assert row.due_at <= before
        else:
            tick()
        if not pausable:
            assert row.due_at <= due
            due = row.due_at
    if pausable and row.paused_at is None:
        # shortening to the present limit replays every pause and must change nothing
        before = row.due_at
        write(lambda: clocks.shorten(subject, "arrival", row.limit, at=now()))
        assert row.due_at == before
    assert row.started_at == began


# Business time --------------------------------------------------------------------------------------


def test_business_limits_follow_imported_days(app: Flask, clock: WallClock) -> None:
    write(lambda: import_days({date(2026, 11, 26): False}, "local holiday"))
    clock.advance(hours=6)  # 16:30
    assert start(limit=Limit.parse("2 bh")).due_at == now() + timedelta(hours=41)  # an hour today, one on the 27th


def test_N_13_a_year_nobody_published_is_asked_for_once(app: Flask, clock: WallClock) -> None:
    clock.fix(now().replace(year=2048, month=12, day=30))
    start(limit=Limit.parse("4 h"))
    assert session.scalar(select(func.count(Task.id))) == 0  # the wall needs no calendar
    start("restore", Limit.parse("5 bd"))
    start("restore", Limit.parse("5 bd"), subject=OTHER_PUMP)
    asked = session.scalars(select(Task).order_by(Task.id)).all()
    assert [(task.title, task.facts["year"], task.owner_role) for task in asked] == [
        ("calendar_year_missing", 2048, "admin"),
        ("calendar_year_missing", 2049, "admin"),
    ]


# Reading --------------------------------------------------------------------------------------------


def test_clocks_of_many_subjects_cost_one_query(app: Flask) -> None:
    write(lambda: [start(kind, subject=Ref("pump", n)) for n in range(20) for kind in ("arrival", "restore")] and None)
    with statements() as sent:
        found = clocks.of_many("pump", range(30))
        labels = [clocks.view(clock, now()).label for rows in found.values() for clock in rows]
    assert len(found) == 20
    assert len(labels) == 40
    assert len(sent) == 1
    with statements() as sent:
        assert clocks.of_many("pump", []) == {}
        assert len(clocks.pauses_of([])) == 0
    assert len(sent) <= 1


def test_clocks_follow_their_subject_to_another_station(app: Flask) -> None:
    start()
    stopped = start("restore", Limit.parse("24 h"))
    stop("restore")
    write(lambda: clocks.hand_over(PUMP, 9))
    assert {row.kind: row.station_id for row in clocks.of(PUMP)} == {"arrival": 9, "restore": 3}
    assert stopped.station_id == 3


def test_the_most_urgent_comes_first_and_finished_ones_last(app: Flask) -> None:
    start("restore", Limit.parse("24 h"))
    start("arrival")
    start("first_answer", Limit.parse("15 min"))
    stop("first_answer")
    views = clocks.views(clocks.of(PUMP), now())
    assert [(view.kind, view.is_open) for view in views] == [
        ("arrival", True), ("restore", True), ("first_answer", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("passed", "state", "tone", "en", "zh"),
    [
        (0, "running", "ok", "4 h · 14:30", "4 小时 · 14:30"),
        (121, "running", "mute", "1 h 59 min · 14:30", "1 小时 59 分 · 14:30"),
        (181, "running", "warn", "59 min · 14:30", "59 分钟 · 14:30"),
        (240, "running", "warn", "0 min · 14:30", "0 分钟 · 14:30"),
        (250, "over", "bad", "10 min over · 14:30", "已超 10 分钟 · 14:30"),
        (240.2, "over", "bad", "1 min over · 14:30", "已超 1 分钟 · 14:30"),
    ],
)
def test_a_clock_shows_what_is_left_and_when_it_is_due(
    sqlite_app: Flask, clock: WallClock, passed: float, state: str, tone: str, en: str, zh: str
) -> None:
    row = start()
    clock.advance(minutes=passed)
    for language, label in (("en", en), ("zh", zh)):
        with force_locale(language):
            view = clocks.view(row, now())
        assert (view.state, view.tone, view.label) == (state, tone, label)


@pytest.mark.parametrize(
    ("hours", "en", "zh"),
    [(4, "14:30", "14:30"), (24, "Thu 10:30", "周四 10:30"), (200, "3 Dec 18:30", "12月3日 18:30")],
)
def test_a_due_moment_is_as_short_as_it_can_be(sqlite_app: Flask, hours: float, en: str, zh: str) -> None:
    for language, text in (("en", en), ("zh", zh)):
        with force_locale(language):
            assert clocks.moment_text(now() + timedelta(hours=hours), now()) == text


def test_a_standing_clock_shows_what_is_left_since_it_stands(sqlite_app: Flask, clock: WallClock) -> None:
    row = start(pausable=True, told=False)
    clock.advance(hours=1)
    pause(customer_told_at=None)
    clock.advance(hours=9)
    view = clocks.view(row, now())
    assert (view.state, view.remaining) == ("paused", timedelta(hours=3))
