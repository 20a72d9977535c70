"""The door for tablets: a few at once, a short queue, and an appointment for whoever would wait too long."""

import asyncio
from collections.abc import MutableMapping
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.crowding import EXCHANGE, LATEST_S, Crowded, Door
from fieldservice.foundation.server import make_asgi


class Hands:
    """A clock that is set by hand, and requests that end when told to."""

    def __init__(self, at_once: int = 2, inside: int = 4) -> None:
        self.time = 100.0
        self.door = Door(at_once, inside, lambda: self.time)
        self.done = asyncio.Event()
        self.inside = self.most = 0

    async def request(self, caller: int) -> None:
        async with self.door.place(caller):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.done.wait()
            self.inside -= 1

    async def slow(self, seconds: float, count: int) -> None:
        """Teach the door that answers take so long."""
        for _ in range(count):
            async with self.door.place(0):
                self.time += seconds
        self.time += 10

    async def fill(self) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.request(caller)) for caller in range(1, 5)]
        for _ in range(5):
            await asyncio.sleep(0)
        return tasks

    async def refused(self, caller: int) -> int:
        with pytest.raises(Crowded) as told:
            await self.request(caller)
        return told.value.after


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_few_at_once() -> None:
    async def scene() -> int:
        hands = Hands()
        tasks = await hands.fill()
        assert hands.inside == 2
        hands.done.set()
        await asyncio.gather(*tasks)
        return hands.most

    assert run(scene()) == 2


def test_who_finds_no_room_gets_an_appointment_of_his_own_and_keeps_it() -> None:
    async def scene() -> list[int]:
        hands = Hands()
        await hands.slow(2.0, 200)  # two threads, an answer each second
        tasks = await hands.fill()
        told = [await hands.refused(caller) for caller in range(5, 9)]
        assert await hands.refused(5) == told[0]  # asked again, the same
        hands.done.set()
        await asyncio.gather(*tasks)
        return told

    told = run(scene())
    assert [later - sooner for sooner, later in pairwise(told)] == [EXCHANGE] * 3


def test_whoever_is_inside_finishes_his_exchange() -> None:
    async def scene() -> None:
        hands = Hands()
        tasks = await hands.fill()
        await hands.refused(5)
        hands.done.set()
        await asyncio.gather(*tasks)
        await hands.request(1)
        await hands.refused(6)  # no room yet: the four were heard of just now
        hands.time += 3
        await hands.request(5)  # and he who has an appointment comes before others
        await hands.request(7)

    run(scene())


def test_who_waits_for_a_place_inside_has_not_gone() -> None:
    """Else more are let in than there is room for, and all wait longer and longer."""

    async def scene() -> None:
        hands = Hands()
        tasks = await hands.fill()
        hands.time += 60  # two are in work and two wait, for a minute
        await hands.refused(5)
        hands.done.set()
        await asyncio.gather(*tasks)
        hands.time += 60
        await hands.request(5)

    run(scene())


def test_who_came_in_time_and_found_no_room_is_asked_back_one_after_the_other() -> None:
    """Were all of them to come again each second, the asking alone would keep everybody waiting."""

    async def scene() -> list[int]:
        hands = Hands()
        await hands.slow(2.0, 200)  # an answer each second
        tasks = await hands.fill()
        for caller in range(5, 9):
            await hands.refused(caller)
        hands.time += 60  # all of them are overdue, and the four inside still work
        told = [await hands.refused(caller) for caller in range(5, 9)]
        assert await hands.refused(6) == told[1]
        hands.done.set()
        await asyncio.gather(*tasks)
        return told

    told = run(scene())
    assert [later - sooner for sooner, later in pairwise(told)] == [EXCHANGE] * 3


def test_those_with_an_appointment_keep_half_of_the_room() -> None:
    async def scene() -> None:
        hands = Hands()
        await hands.slow(2.0, 200)
        tasks = await hands.fill()
        await hands.refused(5)
        hands.done.set()
        await asyncio.gather(*tasks)
        hands.time += 3  # all four have gone; the appointment is still ahead
        await hands.request(6)
        await hands.request(7)
        await hands.refused(8)
        await hands.request(5)

    run(scene())


def test_nobody_is_sent_away_for_longer_than_five_minutes() -> None:
    async def scene() -> int:
        hands = Hands()
        await hands.slow(60.0, 200)
        tasks = await hands.fill()
        told = [await hands.refused(caller) for caller in range(5, 50)]
        hands.done.set()
        await asyncio.gather(*tasks)
        return told[-1]

    assert run(scene()) == LATEST_S


def test_an_error_leaves_its_place_free() -> None:
    async def scene() -> None:
        door = Door(1)
        for _ in range(3):
            with pytest.raises(KeyError):
                async with door.place(1):
                    raise KeyError
        async with asyncio.timeout(5), door.place(2):
            pass

    run(scene())


def asked(path: str, client: int = 1) -> MutableMapping[str, Any]:
    """What an ASGI server says of a request."""
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": (f"127.0.0.{client}", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip


async def nothing_more() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_who_reads_slowly_keeps_no_place_from_others(sqlite_app: Flask) -> None:
    async def scene() -> None:
        server = make_asgi(sqlite_app)
        server._tablets = Door(1, 4)
        stuck, reading, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slowly(_message: MutableMapping[str, Any]) -> None:
            reading.set()
            await stuck.wait()

        async def at_once(_message: MutableMapping[str, Any]) -> None:
            answered.set()

        slow = asyncio.create_task(server(asked("/tablet/session", 1), nothing_more, slowly))
        await reading.wait()
        async with asyncio.timeout(20):
            await server(asked("/tablet/session", 2), nothing_more, at_once)
        assert answered.is_set()
        assert not slow.done()
        stuck.set()
        await slow

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

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def scene() -> None:
        server = make_asgi(app)
        full = Hands(1, 0)
        full.door._pace_s = 9.0
        server._tablets = full.door
        await server(asked(path), nothing_more, send)

    run(scene())
    start = sent[0]
    assert start["status"] == status
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert headers.get("retry-after") == ("64" if status == 429 else None)
