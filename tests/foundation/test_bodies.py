"""Request bodies: whole before a thread is used, bounded, and complete in the app."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request

from fieldservice.foundation import bodies
from fieldservice.foundation.live import EXTENSION, Feed, Source
from fieldservice.foundation.server import Server

MOST = 3_000_000


@pytest.fixture
def server() -> Iterator[Server]:
    """A small app that tells what it received, behind our server with a single thread."""
    app = Flask("small")
    app.config["MAX_CONTENT_LENGTH"] = MOST
    app.extensions[EXTENSION] = Feed(Source(lambda: 0, lambda _seq, _view: []), lambda _person: None)

    @app.post("/")
    def take() -> str:
        content = request.get_data()
        return f"{len(content)} {hashlib.sha256(content).hexdigest()}"

    @app.get("/")
    def page() -> str:
        return "page"

    made = Server(app, threads=1)
    yield made
    made._pages.executor.shutdown()


class Call:
    """One request whose body comes in parts; None is a lost connection, and a queue may stay silent."""

    def __init__(
        self, method: str, parts: list[bytes | None], length: int | None = None, open_end: bool = False
    ) -> None:
        headers = [] if length is None else [(b"content-length", str(length).encode())]
        self.scope = {
            "type": "http", "method": method, "path": "/", "query_string": b"", "headers": headers,
            "http_version": "1.1", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip
        self.parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number, part in enumerate(parts):
            more = open_end or number + 1 < len(parts)
            message = {"type": "http.request", "body": part, "more_body": more}
            self.parts.put_nowait({"type": "http.disconnect"} if part is None else message)
        self.status, self.body = 0, b""

    async def send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    async def on(self, server: Server) -> "Call":
        async with asyncio.timeout(20):
            await server(self.scope, self.parts.get, self.send)
        return self


@pytest.mark.parametrize("size", [0, 1, 1000, bodies.CHUNK - 1, bodies.CHUNK, bodies.CHUNK + 1, 2 * bodies.CHUNK, MOST])
@pytest.mark.parametrize("told", [True, False])
def test_the_app_gets_every_byte(server: Server, size: int, told: bool) -> None:
    content = (
        bytes(number * 7 % 251 for number in range(size)) if size < 10_000 else b"ab" * (size // 2) + b"c" * (size % 2)
    )
    parts: list[bytes | None] = [content[at : at + 65_536] for at in range(0, size, 65_536)] or [b""]
    call = asyncio.run(Call("POST", parts, size if told else None).on(server))
    assert call.body.decode() == f"{size} {hashlib.sha256(content).hexdigest()}"


def test_slow_senders_take_no_thread(server: Server) -> None:
    async def play() -> None:
        slow = [Call("POST", [b"x"], open_end=True) for _ in range(20)]
        sending = [asyncio.create_task(call.on(server)) for call in slow]
        assert (await Call("GET", [b""]).on(server)).body == b"page"
        for call in slow:
            call.parts.put_nowait({"type": "http.request", "body": b"y", "more_body": False})
        await asyncio.gather(*sending)
        assert {call.body[:2] for call in slow} == {b"2 "}

    asyncio.run(play())


def test_too_long_a_body_is_refused_while_it_comes(server: Server) -> None:
    call = asyncio.run(Call("POST", [b"x" * 1_000_000] * 4).on(server))
    assert (call.status, b"too_large" in call.body) == (413, True)


def test_too_long_a_declared_body_is_refused_by_the_app_without_reading(server: Server) -> None:
    call = asyncio.run(Call("POST", [], MOST + 1).on(server))
    assert call.status == 413


def test_a_sender_that_falls_silent_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "QUIET_FOR", 0.01)
    call = asyncio.run(Call("POST", [b"x"], open_end=True).on(server))
    assert call.status == 408


def test_half_a_body_never_reaches_the_app(server: Server) -> None:
    call = asyncio.run(Call("POST", [b"half", None]).on(server))
    assert (call.status, call.body) == (0, b"")
