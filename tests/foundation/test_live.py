"""The live feed: tickets, and streams that are bounded, scoped and end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from fieldservice.foundation import stream
from fieldservice.foundation.access import Person
from fieldservice.foundation.live import EXTENSION, Feed, Notice, Source, View, Watcher, live_ticket, read_ticket
from fieldservice.foundation.stream import EventStream
from fieldservice.foundation.time import Clock

DISPATCHER = Person(7, "Ann", "ann@demo.test", roles={"dispatcher": frozenset({1, 2})})
DIRECTOR = Person(8, "Bob", "bob@demo.test", roles={"director": None})


def notice(seq: int, station: int | None = 1) -> Notice:
    return Notice(seq, station, "visit.moved", "visit", seq * 10)


class Browser:
    """One EventSource: what it sent, and what came back."""

    def __init__(self, query: str, headers: dict[str, str] | None = None, method: str = "GET") -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/events",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        self.status, self.body, self.closed = 0, b"", False
        self.stuck = asyncio.Event()
        self.stuck.set()
        self.news = asyncio.Event()
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.stuck.wait()
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")
        self.closed = message["type"] == "http.response.body" and not message.get("more_body", False)
        self.news.set()

    async def until(self, part: bytes) -> None:
        async with asyncio.timeout(10):
            while part not in self.body:
                self.news.clear()
                await self.news.wait()

    @property
    def seqs(self) -> list[int]:
        lines = self.body.decode().splitlines()
        return [json.loads(line[6:])["seq"] for line in lines if line.startswith('data: {"seq')]


class Stage:
    """A feed with its stream over a log that the test writes."""

    def __init__(self, app: Flask) -> None:
        self.app, self.log = app, [notice(seq, 1 + seq % 2) for seq in range(1, 11)]
        self.feed = Feed(Source(lambda: 10, self.since), lambda person: person.stations())
        app.extensions[EXTENSION] = self.feed
        self.stream = EventStream(app)

    def since(self, seq: int, view: View) -> list[Notice]:
        return [entry for entry in self.log if entry.seq > seq and view.sees(entry)]

    def ticket(self, person: Person = DISPATCHER, after: int = 10) -> str:
        with self.app.test_request_context():
            from flask import g

            g.person, g.live_after = person, after
            return live_ticket()

    async def connect(self, browser: Browser) -> "asyncio.Task[None]":
        task = asyncio.create_task(self.stream(browser.scope, browser.receive, browser.send))
        if browser.stuck.is_set():
            async with asyncio.timeout(10):
                await browser.news.wait()
        return task

    def run(self, play: Callable[["Stage"], Awaitable[None]]) -> None:
        async def open_and_play() -> None:
            self.feed.open(asyncio.get_running_loop(), 10)
            async with asyncio.timeout(20):
                await play(self)
            self.feed.close()

        asyncio.run(open_and_play())


@pytest.fixture
def stage(sqlite_app: Flask) -> Any:
    before = sqlite_app.extensions[EXTENSION]
    yield Stage(sqlite_app)
    sqlite_app.extensions[EXTENSION] = before


# Tickets ------------------------------------------------------------------------------------------


def test_a_ticket_carries_stations_and_sequence(stage: Stage) -> None:
    ticket = read_ticket(stage.app, stage.ticket(after=6))
    assert ticket is not None
    assert (ticket.view.stations, ticket.after) == (frozenset({1, 2}), 6)
    director = read_ticket(stage.app, stage.ticket(DIRECTOR))
    assert director is not None
    assert director.view.stations is None


def test_a_ticket_for_subjects_needs_no_sign_in_and_sees_only_them(stage: Stage) -> None:
    with stage.app.test_request_context():
        ticket = read_ticket(stage.app, live_ticket(("service_request", 5)))
    assert ticket is not None
    assert ticket.view.sees(Notice(1, 3, "service_request.triaged", "service_request", 5))
    assert not ticket.view.sees(Notice(1, 3, "service_request.triaged", "service_request", 6))
    assert not ticket.view.sees(Notice(1, 3, "visit.moved", "visit", 5))


def test_a_ticket_is_good_for_a_minute(stage: Stage, clock: Clock) -> None:
    text = stage.ticket()
    clock.advance(seconds=60)
    assert read_ticket(stage.app, text)
    clock.advance(seconds=1)
    assert read_ticket(stage.app, text) is None


@pytest.mark.parametrize("text", ["", "x", "a.b", "é" * 20, "W10.AAAA", "\x00"])
def test_what_we_did_not_sign_is_no_ticket(stage: Stage, text: str) -> None:
    assert read_ticket(stage.app, text) is None


def test_the_ticket_page(sign_in: Any, app: Flask) -> None:
    answer = sign_in("dispatcher", 3).get("/events/ticket")
    assert answer.status_code == 200
    assert answer.json["expires_in"] == 60
    ticket = read_ticket(app, answer.json["ticket"])
    assert ticket is not None
    assert ticket.view.stations == frozenset({3})
    assert answer.headers["Cache-Control"] == "no-store"


def test_nobody_gets_a_ticket_without_signing_in(client: Any) -> None:
    assert client.get("/events/ticket", headers={"Accept": "application/json"}).status_code == 401


# Streams ------------------------------------------------------------------------------------------


def test_a_browser_is_told_of_its_stations_as_it_happens(stage: Stage) -> None:
    async def play(stage: Stage) -> None:
        ann, bob = Browser(f"ticket={stage.ticket()}"), Browser(f"ticket={stage.ticket(DIRECTOR)}")
        tasks = [await stage.connect(browser) for browser in (ann, bob)]
        stage.feed.publish([notice(11, 1), notice(12, 3), notice(13, None), notice(14, 2)])
        await ann.until(b'"seq":14')
        await bob.until(b'"seq":14')
        assert ann.seqs == [11, 14]
        assert bob.seqs == [11, 12, 13, 14]
        assert b'id: 11\ndata: {"seq":11,"station":1,"kind":"visit.moved","subject":"visit","id":110}\n\n' in ann.body
        stage.feed.close()
        await asyncio.gather(*tasks)
        assert ann.closed
        assert bob.closed
        assert not stage.feed.watchers

    stage.run(play)


@pytest.mark.parametrize(
    ("query", "headers", "told"),
    [
        ("", {}, [5, 6, 7, 8, 9, 10]),  # what the page did not show yet
        ("&after=8", {}, [9, 10]),
        ("&after=8", {"last-event-id": "9"}, [10]),
        ("&after=10", {}, []),
        ("&after=99", {}, []),
        ("&after=0", {}, [5, 6, 7, 8, 9, 10]),
        ("&after=-1", {"last-event-id": "<script>"}, [5, 6, 7, 8, 9, 10]),
        ("&after=" + "9" * 400, {"last-event-id": ""}, [5, 6, 7, 8, 9, 10]),
    ],
)
def test_who_comes_back_is_told_what_it_missed(
    stage: Stage, query: str, headers: dict[str, str], told: list[int]
) -> None:
    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket(after=4)}{query}", headers)
        await stage.connect(browser)
        stage.feed.publish([notice(11)])
        await browser.until(b'"seq":11')
        assert browser.seqs == [*told, 11]
        browser.gone.set()

    stage.run(play)


def test_who_missed_too_much_fetches_everything(stage: Stage) -> None:
    async def play(stage: Stage) -> None:
        stage.feed.latest = 20_000
        browser = Browser(f"ticket={stage.ticket()}&after=18999")
        await stage.connect(browser)
        await browser.until(b"event: reset\nid: 20000\ndata: {}\n\n")
        assert browser.seqs == []
        browser.gone.set()

    stage.run(play)


def test_nothing_falls_between_replay_and_stream(stage: Stage) -> None:
    """A fact told while the replay is being read arrives too (perhaps twice)."""

    def slow(seq: int, view: View) -> list[Notice]:
        stage.feed.publish([notice(11)])
        return stage.log[seq:]

    stage.feed.source = Source(lambda: 10, slow)

    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}&after=9")
        await stage.connect(browser)
        await browser.until(b'"seq":11')
        assert browser.seqs == [10, 11]
        browser.gone.set()

    stage.run(play)


def test_silence_is_filled_and_moves_the_replay_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)

    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}")
        await stage.connect(browser)
        stage.feed.publish([notice(11, 3)])  # not for this browser
        await browser.until(b"id: 11\n: .\n\n")
        assert browser.seqs == []
        browser.gone.set()

    stage.run(play)


def test_a_browser_that_takes_nothing_is_dropped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SEND_WITHIN", 0.3)

    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}")
        task = await stage.connect(browser)
        await browser.until(b": .")
        browser.stuck.clear()
        [watcher] = stage.feed.watchers
        most = 0
        for seq in range(11, 400):
            stage.feed.publish([notice(seq)])
            await asyncio.sleep(0)  # lets the loop deliver; no time passes
            most = max(most, len(watcher.pending))
        assert most <= Watcher.MOST_PENDING
        assert watcher.ended
        await task
        assert not stage.feed.watchers

    stage.run(play)


def test_a_browser_that_went_is_forgotten(stage: Stage) -> None:
    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}")
        task = await stage.connect(browser)
        browser.gone.set()
        await task
        assert not stage.feed.watchers

    stage.run(play)


def test_a_stream_ends_so_that_lost_rights_end_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STREAM_FOR", 0.0)

    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}")
        await (await stage.connect(browser))
        assert browser.closed

    stage.run(play)


def test_a_cancelled_stream_still_ends_its_response(stage: Stage) -> None:
    async def play(stage: Stage) -> None:
        browser = Browser(f"ticket={stage.ticket()}")
        task = await stage.connect(browser)
        await browser.until(b": .")
        task.cancel()
        await task
        assert browser.closed
        assert not stage.feed.watchers

    stage.run(play)


@pytest.mark.parametrize(
    ("query", "method", "status"),
    [
        ("", "GET", 401),
        ("ticket=x", "GET", 401),
        ("ticket=" + quote("é\0☃"), "GET", 401),
        ("&".join(["ticket"] * 200), "GET", 401),
        ("ticket=%ff%fe", "GET", 401),
        ("good", "POST", 405),
    ],
)
def test_refusals(stage: Stage, query: str, method: str, status: int) -> None:
    async def play(stage: Stage) -> None:
        browser = Browser(query if query != "good" else f"ticket={stage.ticket()}", method=method)
        await (await stage.connect(browser))
        assert browser.status == status
        assert json.loads(browser.body)["status"] == status

    stage.run(play)


def test_without_a_feed_and_with_a_full_one_there_is_no_stream(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(stage: Stage) -> None:
        for spoil in (lambda: monkeypatch.setattr(Feed, "MOST_WATCHERS", 0), stage.feed.close):
            spoil()
            browser = Browser(f"ticket={stage.ticket()}")
            await (await stage.connect(browser))
            assert browser.status == 503

    stage.run(play)
