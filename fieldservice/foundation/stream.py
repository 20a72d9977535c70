"""`/events`: the live feed as server-sent events, natively in ASGI."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

from flask import Flask

from fieldservice.foundation.bodies import Receive, Scope, Send
from fieldservice.foundation.live import EXTENSION, Feed, Notice, Ticket, View, Watcher, read_ticket
from fieldservice.foundation.web import HEADERS

HEARTBEAT = 20.0  # seconds of silence before a comment keeps proxies from closing the stream
SEND_WITHIN = 10.0  # seconds a browser may leave its connection full before it is dropped
STREAM_FOR = 900.0  # seconds after which a new ticket is asked for, so that lost rights end a stream
REPLAY_MOST = 1000  # sequences; who missed more fetches everything afresh
RETRY_AFTER = 2000  # milliseconds the browser waits before it comes back
log = logging.getLogger(__name__)


class EventStream:
    """The ASGI application behind `/events`."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._feed: Feed = app.extensions[EXTENSION]
        # Replays read the database; two threads keep a crowd that comes back at once from crowding out pages.
        self._replays = ThreadPoolExecutor(2, thread_name_prefix="replay")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        ticket = read_ticket(self._app, query.get("ticket", [""])[-1])
        if scope["method"] != "GET":
            await refuse(send, 405, "method_not_allowed")
        elif ticket is None:
            await refuse(send, 401, "ticket_needed")
        elif not self._feed.is_open:
            await refuse(send, 503, "no_live_feed")
        else:
            await self._watch(ticket, _last_seen(scope, query, ticket), receive, send)

    async def _watch(self, ticket: Ticket, after: int, receive: Receive, send: Send) -> None:
        watcher = Watcher(ticket.view)
        self._feed.watchers.add(watcher)  # before the replay reads, so that nothing falls between the two
        gone = asyncio.get_running_loop().create_task(_until_gone(receive, watcher))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _headers("text/event-stream")})
            await _put(send, await self._missed(after, ticket.view))
            await self._follow(watcher, send)
            await _put(send, b"", more=False)
        except TimeoutError:
            log.info("a browser that takes nothing was dropped from the live feed")
        except asyncio.CancelledError:  # the server stops and will not wait; ending the response is all that is left
            await _put(send, b"", more=False)
        finally:
            gone.cancel()
            self._feed.watchers.discard(watcher)

    async def _follow(self, watcher: Watcher, send: Send) -> None:
        """Send what happens until the stream's time is up, the browser is gone or the server stops."""
        loop = asyncio.get_running_loop()
        until = loop.time() + STREAM_FOR
        while not watcher.ended and loop.time() < until:
            if watcher.pending:
                frames = b"".join(watcher.pending)
                watcher.pending.clear()
            else:
                frames = b"id: %d\n: .\n\n" % self._feed.latest  # keeps the next replay of a quiet stream short
            await _put(send, frames)
            await watcher.wait(HEARTBEAT)

    async def _missed(self, after: int, view: View) -> bytes:
        """What happened after a sequence, or the advice to fetch everything when that is too much."""
        start = b"retry: %d\n\n" % RETRY_AFTER
        latest = self._feed.latest
        if after >= latest:
            return start
        if latest - after > REPLAY_MOST:
            return start + b"event: reset\nid: %d\ndata: {}\n\n" % latest
        missed = await asyncio.get_running_loop().run_in_executor(self._replays, self._since, after, view)
        return start + b"".join(notice.frame() for notice in missed)

    def _since(self, after: int, view: View) -> Sequence[Notice]:
        with self._app.app_context():
            return self._feed.source.since(after, view)


def _last_seen(scope: Scope, query: dict[str, list[str]], ticket: Ticket) -> int:
    """What the browser knows: the header of a reconnect, else what its script says, else what its page showed."""
    wishes = [value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"]
    for wish in (*wishes, *query.get("after", ())):
        if wish.isascii() and wish.isdigit() and len(wish) <= 18 and int(wish):  # 0 is a page that knows nothing
            return int(wish)
    return ticket.after


async def _until_gone(receive: Receive, watcher: Watcher) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.end()


async def _put(send: Send, body: bytes, more: bool = True) -> None:
    """Send, or raise TimeoutError when the connection stays full."""
    async with asyncio.timeout(SEND_WITHIN):
        await send({"type": "http.response.body", "body": body, "more_body": more})


def _headers(content_type: str, **more: str) -> list[tuple[bytes, bytes]]:
    own = {"Content-Type": f"{content_type}; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return [(name.lower().encode(), value.encode()) for name, value in {**HEADERS, **own, **more}.items()]


async def refuse(send: Send, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
    """Problem details outside Flask: the reader is a script, so a code and no sentence."""
    content = json.dumps({"type": "about:blank", "title": code, "status": status, "code": code}).encode()
    told = _headers("application/problem+json", **(headers or {}))
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": content})
