"""The server as a process: Flask and the live feed on one port, one leader, kills and stops."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, g
from PIL import Image
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.live import live_ticket
from fieldservice.foundation.time import Clock
from fieldservice.foundation.time import clock as the_clock
from fieldservice.mechanisms import files
from fieldservice.mechanisms.events import first_broken_link, record, unlogged_count
from fieldservice.mechanisms.files import StoredFile
from fieldservice.mechanisms.subjects import Ref
from tests.served import Served
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def served(app: Flask, tmp_path: Path, clock: Clock) -> Iterator[Served]:
    with Served(app, db.engine, tmp_path / "server.log") as server:
        yield server


def happen(number: int, station: int = 1) -> None:
    write(lambda: record("visit.moved", Ref("visit", number, station)))


def watch(app: Flask, served: Served, after: int | None = None) -> HTTPResponse:
    """A dispatcher of station 1 opens the stream."""
    the_clock.advance(hours=1)  # the server's clock runs on, and a ticket made now must not end on the way
    with app.test_request_context():
        g.person, g.live_after = Person(7, "Ann", "a@demo.test", roles={"dispatcher": frozenset({1})}), 0
        query = {"ticket": live_ticket()}
    the_clock.advance(hours=-1)
    answer = served.get("/events?" + urlencode(query), {} if after is None else {"Last-Event-ID": str(after)})
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    return answer


def next_fact(stream: HTTPResponse) -> dict[str, Any]:
    """The next notice; comments and ids are passed over. Ends with an error when the stream does."""
    while line := stream.readline():
        if line.startswith(b'data: {"seq'):
            fact: dict[str, Any] = json.loads(line[6:])
            return fact
    raise EOFError


def workers_of(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found


def test_pages_and_events_come_from_one_port(app: Flask, served: Served) -> None:
    assert served.get("/no-such-page").status == 404
    assert served.get("/events").status == 401
    stream = watch(app, served)
    happen(1)
    happen(2, station=2)
    happen(3)
    assert [next_fact(stream)["id"], next_fact(stream)["id"]] == [1, 3]


def test_a_kill_loses_no_event_and_the_stream_goes_on(app: Flask, served: Served) -> None:
    stream = watch(app, served)
    happen(1)
    last = next_fact(stream)["seq"]
    for round_ in range(2):
        served.kill()
        with pytest.raises((EOFError, ConnectionError)):
            next_fact(stream)
        happen(10 + round_)
        served.start()
        stream = watch(app, served, after=last)
        fact = next_fact(stream)
        assert (fact["id"], fact["seq"]) == (10 + round_, last + 1)
        last = fact["seq"]
    session.rollback()
    assert unlogged_count() == 0
    assert first_broken_link() is None


def test_a_second_server_is_refused_with_a_sentence(app: Flask, served: Served, tmp_path: Path) -> None:
    second = Served(app, db.engine, tmp_path / "second.log")
    second.start(ready=False)
    assert second.process is not None
    assert served.process is not None
    try:
        assert second.process.wait(90) == 3
    finally:
        second.kill()
    assert f"Process {served.process.pid} already runs the background work" in second.log.read_text()
    assert served.answers()


def test_a_stop_ends_open_streams_cleanly_and_at_once(app: Flask, served: Served) -> None:
    stream = watch(app, served)
    happen(1)
    next_fact(stream)
    served.stop()
    with pytest.raises(EOFError):  # the last chunk came: not a broken connection
        next_fact(stream)
    log = served.log.read_text()
    assert "Traceback" not in log
    assert "timeout graceful shutdown exceeded" not in log
    assert "Finished server process" in log


def test_a_kill_while_a_picture_is_processed_loses_nothing(app: Flask, served: Served) -> None:
    assert served.process is not None
    content = BytesIO()
    Image.linear_gradient("L").resize((6300, 6300)).convert("RGB").save(content, "PNG", compress_level=9)
    content.seek(0)
    received = files.receive(content, "large.png")
    file = write(lambda: files.attach(received, Ref("service_request", 1, 1)))

    def status() -> str | None:
        session.rollback()
        return session.scalar(select(DeferredJob.status))

    wait_until(lambda: status() == "running", what="the job starts")
    left = wait_until(lambda: workers_of(served.process.pid if served.process else 0), what="a worker starts")
    served.kill()
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in left), what="workers end with their server")
    session.rollback()
    if status() == "running":  # else it was quicker than the kill
        assert session.get_one(StoredFile, file.id).state == "received"
    served.start()
    wait_until(lambda: session.rollback() or session.get_one(StoredFile, file.id).state == "ready", seconds=90)
    with app.test_request_context():
        answer = files.send(session.get_one(StoredFile, file.id), thumbnail=True)
        with Image.open(BytesIO(answer.get_data())) as image:
            assert image.size == (480, 480)
