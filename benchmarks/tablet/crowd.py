"""A thousand tablets that find the network within the same minute, each with entries, a photo and the day to fetch.

The server runs over PostgreSQL on this machine beside the clients. The baseline is a tenth of them in the same time,
which shows how cost grows. Who is told to come later (429 with Retry-After) comes later, as the tablet does; such an
answer is counted among the waits, so the figures also tell when the last tablet was through, how many were asked to
come later, and how a page of the office fared meanwhile. Any other answer than success is a failure.
"""

import asyncio
import base64
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from benchmarks.results import Measure
from benchmarks.tablet.stage import fresh_app, served
from fieldservice.foundation.db import session
from tests.conftest import NOW
from tests.workorders.tablet_faults.trials import STEPS, Bearer, bearers

WITHIN_S = 60.0
NOTES = 4
PART = 256 * 1024
MOST_P95_MS = 1000
OFFICE = "office"


@dataclass
class Waits:
    """How long each kind of request waited for its answer, ms, and the answers that were no 2xx."""

    by_kind: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    later: int = 0  # answers that said "come later"
    took_s: float = 0.0  # until the last tablet was through

    def at(self, share: float) -> float:
        """Of all requests together."""
        return _quantile([wait for kind, waits in self.by_kind.items() if kind != OFFICE for wait in waits], share)

    def of(self, kind: str, share: float) -> float:
        """Of one kind of request."""
        return _quantile(self.by_kind.get(kind, [0.0]), share)

    def told(self) -> str:
        """Medians and worst of each kind."""
        return ", ".join(
            f"{kind} {sorted(waits)[len(waits) // 2]:.0f}/{max(waits):.0f} ms" for kind, waits in self.by_kind.items()
        )


def _quantile(waits: Sequence[float], share: float) -> float:
    return sorted(waits)[int(share * (len(waits) - 1))]


def crowd(tablets: int = 1000) -> list[Measure]:
    """Figures of so many and, as the baseline, of a tenth."""
    fewer, more = (_crowd(count) for count in (tablets // 10, tablets))
    name, base = f"{tablets} tablets reconnecting within a minute", f"{tablets // 10} tablets"
    return [
        Measure(f"{name}, p95", more.at(0.95), "ms", "lower", fewer.at(0.95), base, MOST_P95_MS),
        Measure(f"{name}, answers that were no success", more.failed.total(), "answers", "lower", target=0),
        Measure(f"{name}, the last one through after", more.took_s, "s", "lower", fewer.took_s, base),
        Measure(f"{name}, asked to come later", more.later, "answers", "lower", fewer.later, base),
        Measure(
            f"{name}, a page of the office meanwhile, p95",
            more.of(OFFICE, 0.95),
            "ms",
            "lower",
            fewer.of(OFFICE, 0.95),
            base,
            MOST_P95_MS,
        ),
    ]


def _crowd(tablets: int) -> Waits:
    waits = Waits()
    with fresh_app("postgresql") as (app, folder):
        people = bearers(tablets)
        session.rollback()
        with served(app, folder) as server:
            began = time.perf_counter()
            asyncio.run(_all(server.port, people, waits))
            waits.took_s = time.perf_counter() - began
    print(f"  {tablets} tablets in {waits.took_s:.0f} s, {waits.later} asked to come later:"
          f" p50 {waits.at(0.5):.0f}, p95 {waits.at(0.95):.0f} ms; {waits.told()}; "
          f"failed {dict(waits.failed)}", flush=True)  # fmt: skip
    return waits


async def _all(port: int, people: Sequence[Bearer], waits: Waits) -> None:
    chance = random.Random(1)
    office = asyncio.create_task(_office(port, people[0], waits))
    await asyncio.gather(*(_tablet(port, one, chance.random() * WITHIN_S, waits) for one in people))
    office.cancel()


async def _office(port: int, one: Bearer, waits: Waits) -> None:
    line = Line(port, one.cookie, waits)
    while True:
        await line.ask(OFFICE, "GET", "/report", accept="text/html")
        await asyncio.sleep(0.5)


async def _tablet(port: int, one: Bearer, after: float, waits: Waits) -> None:
    """What sync.js does when the network comes back."""
    await asyncio.sleep(after)
    line = Line(port, one.cookie, waits)
    told = await line.ask("session", "GET", "/tablet/session")
    token = told["csrf"]
    photo = _photo(one.visit_id)
    commands: list[dict[str, Any]] = [
        *({"kind": "move", "payload": {"to": to}} for to in STEPS),
        *({"kind": "note", "payload": {"words": f"note {number}"}} for number in range(NOTES)),
        {"kind": "photo", "payload": {"upload": f"photo-{one.visit_id}"}},
    ]
    entries = [
        {"id": f"crowd-{one.visit_id:06d}-{seq:02d}", "seq": seq, "kind": each["kind"], "at": NOW.isoformat(),
         "base_version": 1, "payload": {"visit": one.visit_id, **each["payload"]}}
        for seq, each in enumerate(commands)
    ]  # fmt: skip
    post = {"device_id": f"tablet-{one.user_id}", "client": 2, "commands": entries}
    told = await line.ask("commands", "POST", "/tablet/commands", json.dumps(post).encode(), token)
    refused = [result for result in told.get("results", []) if result["status"] == "rejected"]
    waits.failed["rejected"] += len(refused)
    await line.ask("snapshot", "GET", "/tablet/snapshot?since=")
    for index in range(0, len(photo), PART):
        path = f"/tablet/uploads/photo-{one.visit_id}/{index // PART}"
        await line.ask("part", "PUT", path, photo[index : index + PART], token, "application/octet-stream")
    whole = json.dumps({"sha256": hashlib.sha256(photo).hexdigest(), "name": "photo.jpg"}).encode()
    await line.ask("complete", "POST", f"/tablet/uploads/photo-{one.visit_id}/complete", whole, token)
    await line.ask("snapshot", "GET", "/tablet/snapshot?since=")


def _photo(number: int) -> bytes:
    made = BytesIO()
    Image.new("RGB", (64, 48), "#336655").save(made, "JPEG")
    return made.getvalue() + base64.b64encode(number.to_bytes(8, "big")) * 25_000  # 300 KB: two parts


class Line:
    """One connection of one tablet."""

    def __init__(self, port: int, cookie: str, waits: Waits) -> None:
        self._port, self._cookie, self._waits = port, cookie, waits

    async def ask(
        self, kind: str, method: str, path: str, body: bytes = b"", token: str = "",
        content: str = "application/json", accept: str = "application/json",
    ) -> dict[str, Any]:  # fmt: skip
        """The answer's JSON, sooner or later; each answer's wait is counted, and whether it was a success."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {self._cookie}\r\n"
            f"Accept: {accept}\r\nX-CSRFToken: {token}\r\nContent-Type: {content}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        while True:
            status, fields, answer = await self._answer(kind, head.encode() + body)
            if status != "429":
                break
            self._waits.later += 1
            await asyncio.sleep(float(fields.get("retry-after", "1")))
        if status != "200":
            self._waits.failed[f"{kind} {status}"] += 1
            return {"csrf": "", "results": []}
        found: dict[str, Any] = json.loads(answer) if accept == "application/json" else {}
        return found

    async def _answer(self, kind: str, asked: bytes) -> tuple[str, dict[str, str], bytes]:
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(asked)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        self._waits.by_kind.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in rest)
        return (first.split(" ", 2)[1] if " " in first else "nothing"), fields, content
