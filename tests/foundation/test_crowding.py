"""The door for tablets: a few at once, a short queue, and an appointment for whoever would wait too long."""

import asyncio
from collections.abc import MutableMapping
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.crowding import EXCHANGE, LATEST_S, SOONEST_S, Crowded, Door
from fieldservice.foundation.server import make_asgi


class Hands:
    """A clock that is set by hand, and requests that end when told to."""

    def __init__(self, at_once: int) -> None:
        self.time = 100.0
        self.door = Door(at_once, lambda: self.time)
        self.done = asyncio.Event()
        self.inside = self.most = 0

    async def request(self) -> None:
        async with self.door.place():
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.done.wait()
            self.inside -= 1

    async def slow(self, seconds: float, count: int) -> None:
        """Teach the door that answers take so long."""
        for _ in range(count):
            async with self.door.place():
                self.time += seconds

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_few_at_once() -> None:
    async def scene() -> int:
        hands = Hands(3)
        tasks = [asyncio.create_task(hands.request()) for _ in range(20)]
        await hands.settle()
        assert hands.inside == 3
        hands.done.set()
        await asyncio.gather(*tasks)
        return hands.most

    assert run(scene()) == 3


def test_who_would_wait_too_long_gets_an_appointment_of_his_own() -> None:
    async def scene() -> list[int]:
        hands = Hands(2)
        await hands.slow(2.0, 200)  # two places, an answer each second
        tasks = [asyncio.create_task(hands.request()) for _ in range(2)]
        await hands.settle()
        told = []
        for _ in range(4):
            with pytest.raises(Crowded) as refused:
                await hands.request()
            told.append(refused.value.after)
        hands.done.set()
        await asyncio.gather(*tasks)
        await hands.request()  # there is room again
        return told

    told = run(scene())
    assert told[0] >= SOONEST_S
    gaps = [later - sooner for sooner, later in pairwise(told)]
    assert all(abs(gap - EXCHANGE) <= 1 for gap in gaps), told  # one exchange of a tablet apart


def test_nobody_is_sent_away_for_longer_than_two_minutes() -> None:
    async def scene() -> int:
        hands = Hands(1)
        await hands.slow(30.0, 200)
        task = asyncio.create_task(hands.request())
        await hands.settle()
        for _ in range(50):
            with pytest.raises(Crowded) as refused:
                await hands.request()
        hands.done.set()
        await task
        return refused.value.after

    assert run(scene()) == LATEST_S


def test_an_error_leaves_its_place_free() -> None:
    async def scene() -> None:
        door = Door(1)
        for _ in range(3):
            with pytest.raises(KeyError):
                async with door.place():
                    raise KeyError
        async with asyncio.timeout(5), door.place():
            pass

    run(scene())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tablet/snapshot", 429), ("/tablet/commands", 429), ("/tablet/uploads/a/0", 429), ("/tablet/session", 429),
        ("/api/v1/tablet/snapshot", 429), ("/login", 200), ("/tablet/worker.js", 200),
    ],
)  # fmt: skip
def test_only_what_tablets_fetch_is_sent_away(app: Flask, path: str, status: int) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def scene() -> None:
        server = make_asgi(app)
        full = Hands(0)
        full.door._pace_s = 9.0
        server._tablets = full.door
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await server(scope, receive, send)

    run(scene())
    start = sent[0]
    assert start["status"] == status
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert headers.get("retry-after") == ("55" if status == 429 else None)
