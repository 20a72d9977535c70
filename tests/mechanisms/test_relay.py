"""The relay: log first, then tell; at least once; nothing lost by a kill between the two."""

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.live import Notice, View
from fieldservice.mechanisms import relay as relaying
from fieldservice.mechanisms.events import EventLog, first_broken_link, record, unlogged_count
from fieldservice.mechanisms.relay import latest_seq, relay, since
from fieldservice.mechanisms.subjects import Ref


def happen(count: int = 1, station: int | None = 1, subject: str = "visit") -> None:
    write(lambda: [record(f"{subject}.moved", Ref(subject, number + 1, station)) for number in range(count)])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """Every notice the live feed was given."""
    notices: list[Notice] = []
    monkeypatch.setattr(relaying, "emit", lambda *new: notices.extend(new))
    return notices


def test_events_get_their_sequence_and_are_told_once(app: Flask, told: list[Notice]) -> None:
    happen(3)
    assert relay() is False
    assert [notice.seq for notice in told] == [1, 2, 3]
    assert told[0] == Notice(1, 1, "visit.moved", "visit", 1)
    assert latest_seq() == 3
    assert relay() is False
    assert len(told) == 3


def test_large_numbers_go_in_batches_without_a_pause(
    app: Flask, told: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "BATCH", 4)
    happen(9)
    assert [relay(), relay(), relay()] == [True, True, False]
    assert [notice.seq for notice in told] == list(range(1, 10))
    assert first_broken_link() is None


def test_an_idle_turn_takes_no_write_lock(app: Flask, told: list[Notice], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("an idle relay wrote")

    monkeypatch.setattr(relaying, "write", refused)
    assert relay() is False


def test_a_rolled_back_fact_is_never_told(app: Flask, told: list[Notice]) -> None:
    def fails() -> None:
        record("visit.moved", Ref("visit", 1, 1))
        raise LookupError

    with pytest.raises(LookupError):
        write(fails)
    relay()
    assert told == []


def test_a_kill_before_the_log_is_caught_up(app: Flask, told: list[Notice], monkeypatch: pytest.MonkeyPatch) -> None:
    happen(2)

    def killed(_limit: int) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(relaying, "log_new_events", killed)
        with pytest.raises(SystemExit):
            relay()
    assert unlogged_count() == 2
    relay()
    assert [notice.seq for notice in told] == [1, 2]


def test_a_kill_between_log_and_telling_leaves_the_log_to_ask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(2)

    def killed(*_: Notice) -> None:
        raise SystemExit

    monkeypatch.setattr(relaying, "emit", killed)
    with pytest.raises(SystemExit):
        relay()
    session.rollback()
    assert [notice.seq for notice in since(0, View())] == [1, 2]


def test_since_keeps_to_the_view(app: Flask, told: list[Notice]) -> None:
    happen(1, station=1)
    happen(1, station=2)
    happen(1, station=None)
    happen(1, station=2, subject="service_request")
    relay()
    seen = {
        "all": View(),
        "station 2": View(frozenset({2})),
        "nothing": View(frozenset()),
        "one subject": View(frozenset(), frozenset({("service_request", 1)})),
    }
    assert {name: [n.seq for n in since(0, view)] for name, view in seen.items()} == {
        "all": [1, 2, 3, 4],
        "station 2": [2, 4],
        "nothing": [],
        "one subject": [4],
    }
    assert [n.seq for n in since(2, View())] == [3, 4]
    assert [n for n in told if View(frozenset({2})).sees(n)] == since(0, seen["station 2"])


def test_a_second_relay_cannot_give_a_place_twice(app: Flask, told: list[Notice]) -> None:
    happen(1)
    relay()
    assert session.scalars(select(EventLog.seq)).all() == [1]
