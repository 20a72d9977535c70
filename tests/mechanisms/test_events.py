"""Events: written in the transaction of their cause, logged in order, chained so that nobody can rewrite them."""

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import delete, func, select, update

from fieldservice.foundation.db import ReadOnly, session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import events
from fieldservice.mechanisms.events import (
    Event,
    EventLog,
    EventNote,
    erase_notes,
    first_broken_link,
    history,
    log_backlog,
    log_new_events,
    lost_events,
    notes_of,
    record,
    subscribe,
    unlogged_count,
)
from fieldservice.mechanisms.subjects import Ref
from tests.mechanisms.people_and_things import OTHER_PUMP, PUMP, statements

FACTS = {
    "text": "油封",
    "whole": 3,
    "part": 0.1,
    "none": None,
    "yes": True,
    "list": [1, "a"],
    "inner": {"b": 1, "a": 2},
}


@pytest.fixture
def wiring() -> Iterator[None]:
    """Tests may subscribe; the system's own wiring comes back."""
    kept = dict(events._handlers)
    yield
    subscribe(kept)


def some_events(count: int = 5) -> list[int]:
    """Ids of committed events about the pump, every other one with a note."""

    def work() -> list[int]:
        return [
            record("pump.checked", PUMP, {**FACTS, "n": n}, note=f"note {n}" if n % 2 else None).id
            for n in range(count)
        ]

    return write(work)


def test_a_fact_has_who_when_where_and_what(app: Flask) -> None:
    g.actor = "user:7"
    event = write(lambda: record("pump.checked", PUMP, FACTS))
    assert (event.kind, event.subject_type, event.subject_id, event.station_id) == ("pump.checked", "pump", 7, 3)
    assert (event.actor, event.at) == ("user:7", now())
    assert event.facts == FACTS


def test_time_station_and_actor_can_be_told(app: Flask) -> None:
    earlier = (now() - timedelta(hours=2)).astimezone(timezone(timedelta(hours=8)))
    event = write(lambda: record("pump.checked", PUMP, at=earlier, by="device:2", station_id=9))
    assert (event.at, event.actor, event.station_id) == (earlier, "device:2", 9)


def test_a_command_acts_as_the_system(app: Flask) -> None:
    assert write(lambda: record("pump.checked", PUMP)).actor == "system"


def test_no_fact_is_written_by_a_reader(app: Flask) -> None:
    with pytest.raises(ReadOnly):
        record("pump.checked", PUMP)


def test_no_fact_outlives_a_rollback(app: Flask) -> None:
    def work() -> None:
        record("pump.checked", PUMP, note="never said")
        raise RuntimeError("later in the same transaction")

    with pytest.raises(RuntimeError):
        write(work)
    assert history(PUMP) == []
    assert unlogged_count() == 0


def test_handlers_answer_in_the_same_transaction(app: Flask, wiring: None) -> None:
    def answer(event: Event) -> None:
        record("pump.answered", Ref("pump", event.subject_id), {"to": event.id})

    subscribe({"pump.checked": (answer,)})
    asked = write(lambda: record("pump.checked", PUMP))
    assert [event.kind for event in history(PUMP)] == ["pump.checked", "pump.answered"]

    def broken(_event: Event) -> None:
        raise RuntimeError("the answer fails")

    subscribe({"pump.checked": (answer, broken)})
    with pytest.raises(RuntimeError):
        write(lambda: record("pump.checked", PUMP))
    assert [event.facts.get("to") for event in history(PUMP)] == [None, asked.id]


def test_history_is_the_newest_oldest_first(app: Flask) -> None:
    ids = some_events(5)
    write(lambda: record("pump.checked", OTHER_PUMP))
    assert [event.id for event in history(PUMP, limit=3)] == ids[-3:]


def test_notes_of_a_history_cost_one_query(app: Flask) -> None:
    ids = some_events(6)
    told = history(PUMP)
    with statements() as sent:
        assert notes_of(told) == {ids[1]: "note 1", ids[3]: "note 3", ids[5]: "note 5"}
    assert len(sent) == 1
    assert notes_of([]) == {}


# The log and its chain ------------------------------------------------------------------------------


def test_the_relay_gives_each_event_its_place_once(app: Flask) -> None:
    ids = some_events(5)
    assert unlogged_count() == 5
    first = write(lambda: [(seq, event.id) for seq, event in log_new_events(3)])
    second = write(lambda: [(seq, event.id) for seq, event in log_new_events(3)])
    assert first + second == list(enumerate(ids, 1))
    assert write(log_new_events) == []
    assert (unlogged_count(), lost_events()) == (0, 0)
    assert first_broken_link() is None


def test_an_event_is_logged_when_its_slow_transaction_commits(app: Flask) -> None:
    """Ids do not come in the order of commits; what stands in event_pending is never passed over."""
    early, late = some_events(2)
    write(lambda: session.execute(delete(events.EventPending).where(events.EventPending.event_id == early)))
    assert [event.id for _, event in write(lambda: list(log_new_events()))] == [late]
    assert lost_events() == 1  # which is what `verify` would say of a vanished one
    write(lambda: session.add(events.EventPending(event_id=early)))
    assert [(seq, event.id) for seq, event in write(lambda: list(log_new_events()))] == [(2, early)]
    assert lost_events() == 0
    assert first_broken_link() is None


def test_looking_for_news_does_not_read_what_is_logged(app: Flask) -> None:
    some_events(3)
    write(log_new_events)
    with statements() as sent:
        write(log_new_events)
    assert len(sent) == 1
    assert "event_pending" in sent[0]


TAMPERED: list[tuple[str, Any]] = [
    ("at", now() - timedelta(days=1)),
    ("kind", "pump.forged"),
    ("subject_type", "valve"),
    ("subject_id", 8),
    ("actor", "user:1"),
    ("station_id", None),
    ("station_id", 4),
    ("facts", {}),
    ("facts", {**FACTS, "n": 2.5}),
    ("facts", {**FACTS, "n": 2, "more": 1}),
]


@pytest.mark.parametrize(("field", "value"), TAMPERED)
def test_tampering_with_any_field_breaks_the_chain_there(app: Flask, field: str, value: Any) -> None:
    ids = some_events(5)
    write(log_new_events)
    write(lambda: session.execute(update(Event).where(Event.id == ids[2]).values({field: value})))
    assert first_broken_link(batch=2) == 3


def test_tampering_with_the_log_breaks_the_chain(app: Flask) -> None:
    ids = some_events(5)
    write(log_new_events)
    write(lambda: session.execute(update(EventLog).where(EventLog.seq == 4).values(hash="0" * 64)))
    assert first_broken_link() == 4
    write(lambda: session.execute(delete(EventLog).where(EventLog.event_id == ids[1])))
    assert first_broken_link() == 3  # the first one after the gap
    assert lost_events() == 1


def test_swapping_two_events_breaks_the_chain(app: Flask) -> None:
    ids = some_events(4)
    write(log_new_events)

    def swap() -> None:
        for seq, event_id in ((2, -1), (3, ids[1]), (2, ids[2])):
            session.execute(
                update(EventLog).where(EventLog.seq == seq).values(event_id=event_id if event_id > 0 else spare)
            )

    spare = write(lambda: record("pump.spare", PUMP)).id
    write(swap)
    assert first_broken_link() == 2


def test_the_chain_is_of_what_is_stored(app: Flask) -> None:
    """In memory a fact may be a tuple or a local time; the hash is made of what the database gives back."""

    def both() -> None:
        local_time = now().astimezone(timezone(timedelta(hours=8)))
        record("pump.checked", PUMP, {"pair": (1, 2)}, at=local_time)
        log_new_events()

    write(both)
    assert first_broken_link() is None


def test_erasing_notes_keeps_the_chain(app: Flask) -> None:
    ids = some_events(6)
    write(lambda: record("pump.checked", OTHER_PUMP, note="stays"))
    write(log_new_events)
    assert write(lambda: erase_notes(PUMP)) == 3
    assert notes_of(history(PUMP)) == {}
    assert session.scalar(select(func.count()).select_from(EventNote)) == 1
    assert all("note" in session.get_one(Event, ids[n]).facts for n in (1, 3, 5))
    assert first_broken_link() is None


def test_a_note_cannot_be_guessed_from_the_chain(app: Flask) -> None:
    """The digest is salted: the same words twice give two digests."""
    one, two = write(lambda: [record("pump.checked", PUMP, note="yes").facts["note"] for _ in range(2)])
    assert one != two


def test_a_long_chain_is_walked_in_batches(app: Flask, clock: Clock) -> None:
    write(lambda: [record("pump.checked", PUMP, {"n": n}) for n in range(25)] and None)
    clock.advance(minutes=1)
    while write(lambda: len(log_new_events(10))) == 10:
        pass
    with statements() as sent:
        assert first_broken_link(batch=10) is None
    assert len(sent) == 4


def test_a_backlog_is_logged_at_once_and_the_relay_goes_on_from_it(app: Flask) -> None:
    some_events(7)
    assert write(log_backlog) == 7
    assert (unlogged_count(), lost_events(), first_broken_link()) == (0, 0, None)
    assert write(log_backlog) == 0
    some_events(2)
    assert [seq for seq, _event in write(lambda: list(log_new_events()))] == [8, 9]
    assert first_broken_link() is None
