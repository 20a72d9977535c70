"""A bad line: an HTTP proxy that refuses requests, loses answers after the server has done its work, and delays.

What it does is drawn from a seed. Only what a tablet exchanges is touched; pages and built files pass as they are.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Self

FAULTY = ("/tablet/commands", "/tablet/snapshot", "/tablet/uploads/", "/tablet/session", "/tablet/signed-out")
MOST_HEAD = 64 * 1024


@dataclass
class Faults:
    """Shares of requests: refused before they reach the server, answered but the answer lost, and held back."""

    refused: float = 0.25
    lost: float = 0.35
    late: float = 0.3
    most_late_s: float = 0.05


NO_FAULTS = Faults(0, 0, 0, 0)


Beside = Callable[[str, bytes], tuple[int, Mapping[str, str] | list[tuple[str, str]], bytes]]


class Proxy:
    """Between a tablet and the server on `port`.

    `down` is a line that carries nothing; `poison` are bytes at which the server would crash; `instead` are bytes of
    answers and what comes in their place, of the same length. `beside` answers what is asked under /trial/, and
    `page_tag` goes into the tablet's page in place of its </body>.
    """

    def __init__(self, port: int, seed: int, faults: Faults | None = None) -> None:
        self.upstream = port
        self.faults = faults or Faults()
        self.down = False
        self.poison = b""
        self.instead: tuple[bytes, bytes] = (b"", b"")
        self.page_tag = b""
        self.beside: Beside | None = None
        self.told: Counter[str] = Counter()
        self.port = 0
        self._chance = random.Random(seed)
        self._talks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _serve(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=MOST_HEAD)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        # A connection accepted in the round before `close` would meet a server without sockets (an assertion inside
        # asyncio) and be left open by nobody's hand: so accepting ends first, and what was accepted becomes a talk.
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        await asyncio.sleep(0.05)
        self._server.close()
        talks = list(self._talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.05)  # closed ones say so

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._talk(reader, writer))
        self._talks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._talks.discard(done)
            writer.transport.abort()  # also of a talk that was cancelled before it began

        task.add_done_callback(ended)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            answer = await self._answer(head, body)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()

    async def _answer(self, head: bytes, body: bytes) -> bytes | None:
        path = head.split(b" ", 2)[1].decode("latin-1")
        if path.startswith("/events"):  # the live feed would never end
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        if path.startswith("/trial/") and self.beside is not None:
            return _written(*await self._loop.run_in_executor(None, self.beside, path, body))
        faulty = path.startswith(FAULTY)
        if self.down and faulty:
            self.told["down"] += 1
            return None
        fate = self._chance.random() if faulty else 1.0
        if faulty and self._chance.random() < self.faults.late:
            await asyncio.sleep(self._chance.random() * self.faults.most_late_s)
        if fate < self.faults.refused:
            self.told["refused"] += 1
            return None
        if faulty and self.poison and self.poison in body:
            self.told["poison"] += 1
            return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        answer = await self._forward(head, body)
        if answer is not None and self.instead[0]:
            answer = answer.replace(*self.instead)
        if answer is not None and self.page_tag and path.partition("?")[0] == "/tablet":
            answer = _with_tag(answer, self.page_tag)
        if faulty and answer is not None and fate < self.faults.refused + (1 - self.faults.refused) * self.faults.lost:
            self.told["lost"] += 1
            return None
        if faulty:
            self.told["passed" if answer is not None else "server gone"] += 1
            if answer is not None and answer.split(b" ", 2)[1][:1] == b"5":
                self.told["5xx"] += 1
        return answer

    async def _forward(self, head: bytes, body: bytes) -> bytes | None:
        """The whole answer of the server, None when it is gone."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            return None
        try:
            lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
            writer.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            await writer.drain()
            answer = await reader.read()
        except OSError:
            return None
        finally:
            writer.transport.abort()  # a server that was stopped would never take what is still to be written
        return answer if _is_whole(answer) else None


def _written(status: int, headers: Mapping[str, str] | list[tuple[str, str]], body: bytes) -> bytes:
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    lines = [f"{name}: {value}" for name, value in [*pairs, ("Content-Length", len(body)), ("Connection", "close")]]
    return "\r\n".join([f"HTTP/1.1 {status} Trial", *lines, "", ""]).encode() + body


def _with_tag(answer: bytes, tag: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    longer = body.replace(b"</body>", tag)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(longer)]) + b"\r\n\r\n" + longer


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


def _is_whole(answer: bytes) -> bool:
    """A killed server leaves half an answer; a browser may not take it for a whole one."""
    head, found, body = answer.partition(b"\r\n\r\n")
    return bool(found) and (len(body) >= _length(head))
