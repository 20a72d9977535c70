"""Request bodies are taken in whole before a thread is given to the request.

A phone on a slow network sends its photos for minutes; sixteen of them must not hold up every page.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

IN_MEMORY = 1024 * 1024  # bytes; the rest of a body waits on disk
QUIET_FOR = 60.0  # seconds without a byte after which a sender is given up
CHUNK = 256 * 1024  # bytes handed on at a time


class BodyRefused(Exception):
    """A body that will not be read to its end; `status` and `code` say why."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code
        super().__init__(code)


class SenderGone(Exception):
    """The connection ended before the body did; there is nobody to answer."""


@asynccontextmanager
async def whole_body(scope: Scope, receive: Receive, most: int) -> AsyncIterator[Receive]:
    """A `receive` that gives the complete body, at most `most` bytes, without waiting for anybody.

    A length that is declared too large is left to the app, which refuses it in the reader's language.
    Raises BodyRefused and SenderGone.
    """
    if _declared(scope) > most:
        yield receive
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        size, message = 0, await _next(receive)
        while True:
            size += spool.write(message.get("body", b""))
            if size > most:
                raise BodyRefused(413, "too_large")
            if not message.get("more_body"):
                break
            message = await _next(receive)
        spool.seek(0)

        async def give() -> Message:
            chunk = spool.read(CHUNK)
            return {"type": "http.request", "body": chunk, "more_body": len(chunk) == CHUNK}

        yield give


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(QUIET_FOR):
            message = await receive()
    except TimeoutError as error:
        raise BodyRefused(408, "too_slow") from error
    if message["type"] == "http.disconnect":
        raise SenderGone
    return message


def _declared(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length" and value.isdigit()]
    return int(lengths[0][:20]) if lengths else 0
