"""2,000 real maintenance texts on real divisions are imported; 50 are triaged, assigned, visited and closed by API.

Reads `../shared/data`, which is never copied into the repository; where it is absent the test says so.
"""

import csv
import hashlib
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from config import ROOT
from fieldservice.accounts.services import create_token
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, at_local, local, now
from fieldservice.insight.verify import verify
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.records import ServiceRequests
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import log_new_events
from fieldservice.mechanisms.metrics import Period, Scope, all_metrics, measure, value_text
from fieldservice.mechanisms.records import kind_of
from fieldservice.mechanisms.records.importing import import_table
from fieldservice.workorders import catalogue
from fieldservice.workorders.skills import skill_codes
from tests import factories
from tests.conftest import make_user

DATA = ROOT.parent / "shared" / "data"
ROWS, CLOSED = 2000, 50
NEAR = "^(31|320[1-6]|330[4-5])"  # divisions that twelve people around Wuxi can reach
PATTERN = "gearbox_output_seal_leak"  # where the words speak of none
SUMMARY = "Found the fault, put it right and tested it with the operator."


def real_rows(count: int) -> Iterator[dict[str, str]]:
    """Real texts at real counties, with invented people."""
    with (DATA / "work_order_texts" / "short_texts_train.csv").open(encoding="utf-8") as file:
        texts = list(dict.fromkeys(row["raw"] for row in csv.DictReader(file) if len(row["raw"]) > 6))
    with (DATA / "cn_divisions" / "divisions.csv").open(encoding="utf-8") as file:
        counties = [row["adcode"] for row in csv.DictReader(file) if row["level"] == "3"]
    chance = random.Random(7)
    for number in range(count):
        yield {
            "external_id": f"MT-{number:05d}", "channel": "phone", "language": "en",
            "contact_name": f"Operator {number % 97}",
            "contact_phone": f"139{chance.randrange(10**8):08d}", "division_code": chance.choice(counties),
            "description": texts[number % len(texts)],
            "severity": chance.choices(["safety", "line_stop", "degraded", "minor"], [1, 3, 5, 6])[0],
        }  # fmt: skip


@pytest.fixture
def real_file(tmp_path: Path) -> Path:
    if not (DATA / "work_order_texts").exists():
        pytest.skip(
            f"NOT RUN: the real texts are absent ({DATA / 'work_order_texts'}); put ../shared/data beside the checkout"
        )
    path = tmp_path / "real.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ServiceRequests().columns)
        writer.writeheader()
        writer.writerows(real_rows(ROWS))
    return path


@pytest.mark.slow
def test_real_texts_are_imported_once_and_worked_off_by_api(app: Flask, real_file: Path, clock: Clock) -> None:
    company = write(_company)
    tried = import_table(kind_of("service-requests"), real_file, dry_run=True)
    assert session.scalar(select(func.count(ServiceRequest.id))) == 0
    first = import_table(kind_of("service-requests"), real_file)
    print(f"{first.create} of {ROWS} rows arrived; refused: {first.notes}")
    assert (tried.create, tried.refused) == (first.create, first.refused)
    assert first.create + first.refused == ROWS
    assert first.create > 0.99 * ROWS
    assert len(first.notes) == first.refused  # a row arrives, or is listed with its reason
    again = import_table(kind_of("service-requests"), real_file)
    assert (again.create, again.same, again.refused) == (0, first.create, first.refused)

    api = Api(app, company)
    near = ServiceRequest.division_code.regexp_match(NEAR)
    wanted = (
        select(ServiceRequest.number).where(near).order_by(ServiceRequest.priority, ServiceRequest.id).limit(CLOSED)
    )
    numbers = session.scalars(wanted).all()
    orders = [api.triage(number) for number in numbers]
    visits = [visit for order in orders if (visit := api.assign(order)) is not None]
    assert len(visits) == CLOSED
    for visit in sorted(visits, key=lambda one: one["starts_at"]):
        api.do(visit, clock)
    for number in numbers:
        api.close(number)
    session.rollback()
    states = session.scalars(select(ServiceRequest.state).where(ServiceRequest.number.in_(numbers))).all()
    assert set(states) == {"closed"}
    _report(clock)


def _company() -> dict[str, Any]:
    """Two stations' worth of people who can do everything."""
    home = factories.station()
    people = [
        factories.technician(home, skills=dict.fromkeys(skill_codes(), 3), days=6, hours=(0, 23), van=False).id
        for _ in range(12)
    ]
    return {"station": home.id, "technicians": people}


class Api:
    """A dispatcher and twelve technicians who know nothing but the JSON calls."""

    def __init__(self, app: Flask, company: dict[str, Any]) -> None:
        self.client: FlaskClient = app.test_client()
        self.dispatcher = self._token("dispatcher")
        self.tokens = {one: self._token("technician", technician_id=one) for one in company["technicians"]}
        self.sequence = 0

    def _token(self, role: str, **facts: Any) -> dict[str, str]:
        email = make_user(role, **facts).email
        return {"Authorization": f"Bearer {write(lambda: create_token(email=email, name='proof'))}"}

    def post(self, path: str, body: Any, headers: dict[str, str], status: int = 200) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:500]}"
        return answer.json

    def triage(self, number: str) -> str:
        request = self.client.get(f"/api/v1/service-requests/{number}", headers=self.dispatcher).json
        hints = [*catalogue.suggest_work_types(request["description"]), *catalogue.work_types()]
        kind = next(one for one in hints if not one.certificates)
        body = {"priority": request["priority"], "work_type": kind.code, "parts": []}
        return str(self.post(f"/service-requests/{number}/triage", body, self.dispatcher, 201)["number"])

    def assign(self, order: str) -> dict[str, Any] | None:
        query = {"from": now().isoformat(), "to": (now() + timedelta(days=3)).isoformat(), "limit": 5}
        answer = self.client.get(
            f"/api/v1/work-orders/{order}/suggestions", query_string=query, headers=self.dispatcher
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)[:400]
        found = answer.json["suggestions"]
        assert found, answer.json["refused"][:3]
        technician = found[0]["technician"]
        technician_id = technician["id"] if isinstance(technician, dict) else technician
        body = {"work_order": order, "technician_id": technician_id, "starts_at": found[0]["starts_at"]}
        visit: dict[str, Any] = self.post("/visits", body, self.dispatcher, 201)
        self.post(f"/visits/{visit['id']}/moves", {"to": "dispatched"}, self.dispatcher)
        return {**visit, "technician_id": technician_id, "order": order}

    def do(self, visit: dict[str, Any], clock: Clock) -> None:
        """From accepting to finishing, by the tablet's commands, at the planned time."""
        starts = max(now(), datetime.fromisoformat(visit["starts_at"]))
        headers = self.tokens[visit["technician_id"]]
        clock.fix(starts)
        for to in ("accepted", "en_route", "on_site", "in_progress"):
            self._command(visit, "move", {"to": to}, headers)
        snapshot = self.client.get("/api/v1/tablet/snapshot", headers=headers).json
        shown = next(one for one in snapshot["visits"] if one["id"] == visit["id"])
        for field in snapshot["forms"][shown["form"]]:
            if field["required"] and field["type"] == "photo":
                self._photo(visit, field["code"], headers)
            elif field["required"]:
                self._command(visit, "answer", {"field": field["code"], "value": _value(field)}, headers)
        self._command(visit, "failure", {"pattern": (shown["likely"] or [PATTERN])[0]}, headers)
        self._command(visit, "summary", {"summary": SUMMARY}, headers)
        self._command(visit, "move", {"to": "completed", "restored": True}, headers)

    def _photo(self, visit: dict[str, Any], field: str, headers: dict[str, str]) -> None:
        """Said by a command, brought by the lane of pictures."""
        upload, made = f"proof-photo-{self.sequence}", BytesIO()
        Image.new("RGB", (64, 48), "#336655").save(made, "JPEG")
        self._command(visit, "photo", {"upload": upload, "field": field}, headers)
        part = self.client.put(f"/api/v1/tablet/uploads/{upload}/0", data=made.getvalue(), headers=headers)
        assert part.status_code == 200, part.get_data(as_text=True)
        whole = {"sha256": hashlib.sha256(made.getvalue()).hexdigest(), "name": "photo.jpg"}
        self.post(f"/tablet/uploads/{upload}/complete", whole, headers)

    def _command(self, visit: dict[str, Any], kind: str, payload: dict[str, Any], headers: dict[str, str]) -> None:
        self.sequence += 1
        command = {
            "id": f"proof-{self.sequence:08d}", "seq": self.sequence, "kind": kind, "at": local(now()).isoformat(),
            "base_version": None, "payload": {"visit": visit["id"], **payload},
        }  # fmt: skip
        result = self.post("/tablet/commands", {"device_id": "proof", "commands": [command]}, headers)["results"][0]
        assert result["status"] != "rejected", (kind, payload, result)

    def close(self, number: str) -> None:
        self.post(f"/service-requests/{number}/moves", {"to": "closed"}, self.dispatcher)


def _value(field: dict[str, Any]) -> Any:
    if field["type"] == "check":
        return True
    if field["type"] == "number":
        return next(one for one in (field["nominal"], field["low"], field["high"], 1) if one is not None)
    return field["options"][0]["code"] if field["type"] == "choice" else "ok"


def _report(clock: Clock) -> None:
    """The figures of what was done, printed with `-s`."""
    clock.advance(days=1)
    write(lambda: clocks.tick(now(), 20_000))
    while write(lambda: len(log_new_events(2000))):
        pass
    period = Period.last_days(28)
    for known in all_metrics():
        result = measure(known.code, period, Scope())
        print(f"{known.code}: {value_text(known, result.value)} ({result.numerator} / {result.denominator})")
    assert measure("resolve_24h", period, Scope()).denominator == CLOSED
    assert [f"{check.code}: {check.seen}" for check in verify() if not check.sound] == []
    assert at_local(local(now()).date()) <= now()
