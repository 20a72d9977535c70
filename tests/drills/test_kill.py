"""kill -9 of the server during a stream of reports, again and again: no acknowledged report is lost (issue, part D)."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import db, session, write
from fieldservice.insight.verify import verify
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import log_new_events
from tests.conftest import make_user
from tests.served import Served
from tests.workorders.scene import make_station

KILLS = 20
SENDERS = 4
BODY = {
    "channel": "phone", "contact": {"name": "Drill", "phone": "13912345678"}, "site": {"division_code": "320214"},
    "description": "Pump does not start", "severity": "line_stop", "language": "en",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.xdist_group("drill")
def test_no_acknowledged_report_is_lost(app: Flask, tmp_path: Path) -> None:
    write(make_station)
    user = make_user("agent")
    email = user.email
    token = write(lambda: create_token(email=email, name="drill"))
    session.rollback()
    chance, acknowledged = random.Random(7), list[str]()
    with Served(app, db.engine, tmp_path / "server.log") as server:
        for turn in range(KILLS):
            if turn:
                server.start()
            acknowledged += _send_until_killed(server, token, chance.randint(3, 25))
    session.rollback()
    assert len(acknowledged) >= KILLS * 3
    assert len(set(acknowledged)) == len(acknowledged)
    stored = dict(session.execute(select(ServiceRequest.number, ServiceRequest.id)).all())
    assert set(acknowledged) <= set(stored)
    promised = clocks.of_many(ServiceRequest.subject_type, [stored[number] for number in acknowledged])
    assert all({one.kind for one in rows} == {"first_answer", "arrival", "restore"} for rows in promised.values())
    assert len(promised) == len(acknowledged)
    while write(lambda: len(log_new_events(500))):
        pass
    assert [f"{check.code}: {check.seen}" for check in verify() if not check.sound] == []
    print(f"{len(acknowledged)} acknowledged, {len(stored)} stored, {KILLS} kills")


def _send_until_killed(server: Served, token: str, after: int) -> list[str]:
    """Report from several senders at once; kill the server after so many answers, in the middle of the others."""
    stop, answered = Event(), list[str]()

    def send() -> list[str]:
        mine: list[str] = []
        while not stop.is_set():
            connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
            try:
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request("POST", "/api/v1/service-requests", json.dumps(BODY), headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 201:
                    mine.append(json.loads(content)["number"])
                    answered.append("")
                    if len(answered) == after:
                        server.kill()
                        stop.set()
                else:
                    raise AssertionError(f"{answer.status}: {content[:300]!r}")
            except (OSError, HTTPException):
                stop.set()  # the kill
            finally:
                connection.close()
        return mine

    with ThreadPoolExecutor(SENDERS) as pool:
        senders = [pool.submit(send) for _ in range(SENDERS)]
        return [number for sender in senders for number in sender.result()]
