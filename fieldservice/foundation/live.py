"""Live feed: who watches is told `{seq, station, kind, subject, id}` of each new fact and fetches what it shows.

`/events` (server-sent events) runs natively in ASGI, one small task per browser. It is authorised by a
short-lived signed ticket that carries the person and the stations they may watch.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import Blueprint, Flask, Response, current_app, g, jsonify
from itsdangerous import BadSignature, URLSafeSerializer

from fieldservice.foundation.access import Person, current, signed_in
from fieldservice.foundation.time import now

TICKET_FOR = timedelta(seconds=60)  # to connect; a stream then lives on for STREAM_FOR (see stream.py)
EXTENSION = "fieldservice.live"
views = Blueprint("live", __name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """That something happened: enough to decide whether to fetch, and nothing to keep secret.

    `subject` and `id` name what it is about; `seq` is its place in the event log.
    """

    seq: int
    station: int | None
    kind: str
    subject: str
    id: int

    def frame(self) -> bytes:
        """As a server-sent event."""
        return f"id: {self.seq}\ndata: {json.dumps(asdict(self), separators=(',', ':'))}\n\n".encode()


@dataclass(frozen=True)
class View:
    """What somebody may watch: some stations (None: all), or only the named subjects (a customer's own line).

    Facts of no station are for those who watch all.
    """

    stations: frozenset[int] | None = None
    subjects: frozenset[tuple[str, int]] = frozenset()

    def sees(self, notice: Notice) -> bool:
        if self.subjects:
            return (notice.subject, notice.id) in self.subjects
        return self.stations is None or notice.station in self.stations


@dataclass(frozen=True)
class Source:
    """Where the feed reads what was told before: the event log, which stands in a later tier."""

    latest: Callable[[], int]
    since: Callable[[int, View], Sequence[Notice]]


@dataclass(frozen=True)
class Ticket:
    """What may be watched, and up to which sequence the page already knows."""

    view: View
    after: int


class Watcher:
    """One connected browser. What it has not taken yet is bounded: past MOST_PENDING it is dropped."""

    __slots__ = ("_waiter", "ended", "pending", "view")
    MOST_PENDING = 100  # batches, of a relay's turn each

    def __init__(self, view: View) -> None:
        self.view = view
        self.pending: list[bytes] = []
        self.ended = False
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, frames: bytes) -> None:
        if len(self.pending) >= self.MOST_PENDING:
            self.end()
        elif not self.ended:
            self.pending.append(frames)
            self._wake()

    def end(self) -> None:
        """Send no more; the browser comes back and asks for what it missed."""
        self.ended = True
        self.pending.clear()
        self._wake()

    async def wait(self, seconds: float) -> None:
        """Until there is something to send, the end, or so many seconds have passed."""
        if self.pending or self.ended:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        alarm = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            alarm.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Feed:
    """Everybody who watches this process. Published from any thread, delivered in the event loop."""

    MOST_WATCHERS = 10_000

    def __init__(self, source: Source, stations_of: Callable[[Person], frozenset[int] | None]) -> None:
        self.source, self.stations_of = source, stations_of
        self.latest = 0
        self.watchers: set[Watcher] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, loop: asyncio.AbstractEventLoop, latest: int) -> None:
        self._loop, self.latest = loop, latest

    @property
    def is_open(self) -> bool:
        return self._loop is not None and len(self.watchers) < self.MOST_WATCHERS

    def close(self) -> None:
        """End all streams, so that the server can stop; in the event loop."""
        self._loop = None
        for watcher in tuple(self.watchers):
            watcher.end()

    def publish(self, notices: Sequence[Notice]) -> None:
        """Tell the watchers. Without any (commands, tests) nobody is told; the event log keeps everything."""
        loop = self._loop
        if loop is not None and notices and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, notices)

    def _deliver(self, notices: Sequence[Notice]) -> None:
        self.latest = max(self.latest, notices[-1].seq)
        batches: dict[View, bytes] = {}  # many people share a view
        for watcher in tuple(self.watchers):
            if watcher.view not in batches:
                batches[watcher.view] = b"".join(notice.frame() for notice in notices if watcher.view.sees(notice))
            if batches[watcher.view]:
                watcher.offer(batches[watcher.view])


def feed() -> Feed:
    """The feed of this app."""
    found: Feed = current_app.extensions[EXTENSION]
    return found


def install(
    app: Flask,
    source: Source,
    stations_of: Callable[[Person], frozenset[int] | None] = lambda person: person.stations(),
) -> None:
    """Fit the app with its feed. `stations_of` says which stations a person may watch."""
    app.extensions[EXTENSION] = Feed(source, stations_of)
    app.register_blueprint(views)
    app.before_request(_remember_sequence)
    app.jinja_env.globals["live_ticket"] = live_ticket


# Tickets ------------------------------------------------------------------------------------------


def _remember_sequence() -> None:
    """Before a page reads anything: what happens from here on may be missing on it and is told to it."""
    g.live_after = feed().latest


def _signer(app: Flask) -> URLSafeSerializer:
    return URLSafeSerializer(str(app.secret_key), salt="live-ticket")


def live_ticket(*subjects: tuple[str, int]) -> str:
    """A ticket to put into a page: for the stations of whoever is signed in, or for the named subjects alone.

    Subjects are given as (type, id) on pages that authorise otherwise, such as a customer's private link.
    """
    stations: frozenset[int] | None = frozenset()
    if not subjects:
        stations = feed().stations_of(current())
    content = {
        "stations": None if stations is None else sorted(stations),
        "subjects": sorted(subjects),
        "after": g.get("live_after", 0),
        "expires": int((now() + TICKET_FOR).timestamp()),
    }
    return str(_signer(current_app).dumps(content))


def read_ticket(app: Flask, text: str) -> Ticket | None:
    """The ticket behind a text of ours that is still good, else None."""
    try:
        content = _signer(app).loads(text)
    except BadSignature:
        return None
    if content["expires"] < now().timestamp():
        return None
    stations = None if content["stations"] is None else frozenset(content["stations"])
    subjects = frozenset((kind, number) for kind, number in content["subjects"])
    return Ticket(View(stations, subjects), content["after"])


@views.get("/events/ticket")
@signed_in
def ticket() -> Response:
    """A new ticket, for a page whose stream ended."""
    return jsonify(ticket=live_ticket(), expires_in=int(TICKET_FOR.total_seconds()))
