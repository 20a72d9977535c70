"""The ASGI face of the app: `/events` natively, all else Flask in threads, background work in its lifespan.

Run by `uvicorn wsgi:asgi --lifespan on --timeout-graceful-shutdown 3`.
"""

import asyncio
import gc
import logging
import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from a2wsgi import WSGIMiddleware
from flask import Flask
from sqlalchemy.pool import QueuePool

from fieldservice.foundation.bodies import BodyRefused, Message, Receive, Scope, Send, SenderGone, whole_body
from fieldservice.foundation.crowding import Crowded, Door
from fieldservice.foundation.db import db
from fieldservice.foundation.jobs import AlreadyRunning, Leader, run_leader
from fieldservice.foundation.live import EXTENSION, Feed
from fieldservice.foundation.stream import EventStream, refuse
from fieldservice.foundation.web import settings

THREADS_WITHOUT_POOL = 8
# What tablets ask for while nobody waits before a screen
TABLETS = ("/tablet/session", "/tablet/snapshot", "/tablet/commands", "/tablet/uploads/", "/api/v1/tablet/")
YOUNG = 10_000  # new objects between two looks; a page makes some thousands and leaves them at once
log = logging.getLogger(__name__)


def make_asgi(app: Flask) -> "Server":
    """The app for an ASGI server. Importing it starts nothing; its lifespan does."""
    with app.app_context():
        pool = db.engine.pool
    threads = pool.size() if isinstance(pool, QueuePool) else THREADS_WITHOUT_POOL
    return Server(app, threads)


class Server:
    """Routes `/events` to the stream, the lifespan to the background work, and the rest to Flask."""

    def __init__(self, app: Flask, threads: int) -> None:
        self._app = app
        self._feed: Feed = app.extensions[EXTENSION]
        self._events = EventStream(app)
        wsgi: Any = self._flask  # Flask's types and a2wsgi's describe the same protocol in other words
        self._pages: Any = WSGIMiddleware(wsgi, workers=threads)  # as many as connections: none waits for one
        self._leader: Leader | None = None
        self._tablets = Door()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/events":
            await self._events(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        try:
            async with whole_body(scope, receive, self._app.config["MAX_CONTENT_LENGTH"]) as body:
                if scope["path"].startswith(TABLETS):
                    await self._for_tablet(scope, body, send)
                else:
                    await self._pages(scope, body, send)
        except BodyRefused as refusal:
            await refuse(send, refusal.status, refusal.code)
        except Crowded as crowded:
            await refuse(send, 429, "crowded", {"Retry-After": str(crowded.after)})
        except SenderGone:
            return

    async def _for_tablet(self, scope: Scope, body: Receive, send: Send) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        async with self._tablets.place(_caller(scope)):
            await self._pages(scope, body, keep)
        for message in answer:  # whoever reads slowly keeps no place from others
            await send(message)

    def _flask(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input_terminated"] = True  # the body ends by itself, also one sent without its length
        return self._app(environ, start_response)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except AlreadyRunning as refusal:
            await send({"type": "lifespan.startup.failed", "message": str(refusal)})
            return
        except Exception:
            log.exception("the background work did not start")
            await send({"type": "lifespan.startup.failed", "message": "The background work did not start; see above."})
            return
        settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._feed.close()
        if self._leader is not None:
            await asyncio.to_thread(self._leader.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        if not self._wanted():
            return
        loop = asyncio.get_running_loop()
        self._feed.open(loop, await asyncio.to_thread(self._latest))
        try:
            self._leader = await asyncio.to_thread(run_leader, self._app)
        except BaseException:
            self._feed.close()
            raise
        _before_stopping(loop, self._feed.close)

    def _wanted(self) -> bool:
        with self._app.app_context():
            return settings().background

    def _latest(self) -> int:
        with self._app.app_context():
            return self._feed.source.latest()


def _caller(scope: Scope) -> int:
    """Who calls, as far as one has to tell apart: a browser's session, a token, else an address."""
    proof = [value for name, value in scope["headers"] if name in (b"cookie", b"authorization")]
    return hash((*proof, *(scope.get("client") or ("",))[:1]))


def settle_memory() -> None:
    """What is imported now stays for good: looking through it for garbage again and again makes some answers wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def _before_stopping(loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
    """Have `close` called when a signal asks the server to stop.

    uvicorn waits for open responses before it ends the lifespan, so streams have to be ended by the
    signal itself; its own handler is called next.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)
        if not callable(handler):
            continue

        def stop(number: int, frame: FrameType | None, handler: Callable[..., Any] = handler) -> None:
            loop.call_soon_threadsafe(close)
            handler(number, frame)

        signal.signal(number, stop)
