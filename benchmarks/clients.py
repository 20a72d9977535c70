"""Clients that ask as fast as they are answered, each in a process of its own, and the times they waited."""

import json
import multiprocessing
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from typing import Any

WARM_UP = 3  # first answers of each client that do not count


@dataclass(frozen=True)
class Call:
    """One request as bytes would leave: method, path with query, bearer token, body."""

    method: str
    path: str
    token: str = ""
    body: Any = None
    status: tuple[int, ...] = (200,)


@dataclass
class Times:
    """How long answers took, in milliseconds, and in how many seconds they came."""

    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: int = 0  # answers that say no by the rules, such as a slot that somebody else took

    def at(self, share: float) -> float:
        """The wait that this share of answers did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0


def for_a_while(port: int, calls: Sequence[Call], clients: int, seconds: float) -> Times:
    """Ask these calls in turn, again and again."""
    return _together(port, [list(calls[start:]) + list(calls[:start]) for start in _starts(calls, clients)], seconds)


def once_each(port: int, calls: Sequence[Call], clients: int) -> Times:
    """Ask every call once, shared out among the clients."""
    return _together(port, [list(calls[place::clients]) for place in range(clients)], None)


def _starts(calls: Sequence[Call], clients: int) -> list[int]:
    return [place * len(calls) // clients for place in range(clients)]


def _together(port: int, shares: Sequence[Sequence[Call]], seconds: float | None) -> Times:
    context = multiprocessing.get_context("fork")
    gate, answers = context.Barrier(len(shares)), context.SimpleQueue()
    workers = [context.Process(target=_ask, args=(port, share, seconds, gate, answers)) for share in shares]
    for worker in workers:
        worker.start()
    found = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    broken = [one for one in found if isinstance(one, str)]
    if broken:
        raise RuntimeError(broken[0])
    whole = Times(seconds=max(one.seconds for one in found))
    for one in found:
        whole.waits += one.waits
        whole.refused += one.refused
    return whole


def _ask(port: int, calls: Sequence[Call], seconds: float | None, gate: Any, answers: Any) -> None:
    """One client; reports its times, or in words what went wrong."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        endless: Iterable[Call] = cycle(calls) if seconds is not None else calls
        if seconds is not None:
            for call in calls[:WARM_UP]:
                answer(connection, call)
        gate.wait()
        times, began = Times(), time.perf_counter()
        for call in endless:
            asked = time.perf_counter()
            status, _content = answer(connection, call)
            if status == 409:
                times.refused += 1
            else:
                times.waits.append((time.perf_counter() - asked) * 1000)
            if seconds is not None and time.perf_counter() - began > seconds:
                break
        times.seconds = time.perf_counter() - began
        answers.put(times)
    except Exception as error:  # noqa: BLE001  # whatever it is, the measuring process has to hear of it
        gate.abort()
        answers.put(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def answer(connection: HTTPConnection, call: Call) -> tuple[int, bytes]:
    """Ask and read the whole answer. Raises RuntimeError for a status the call does not expect."""
    headers = {"Accept": "application/json"}
    if call.token:
        headers["Authorization"] = f"Bearer {call.token}"
    body = None
    if call.body is not None:
        body, headers["Content-Type"] = json.dumps(call.body), "application/json"
    connection.request(call.method, call.path, body, headers)
    response = connection.getresponse()
    content = response.read()
    if response.status not in call.status:
        raise RuntimeError(f"{call.method} {call.path}: {response.status} {content[:400]!r}")
    return response.status, content
