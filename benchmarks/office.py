"""The people who ask and what they ask for: calls against a told company, made ready before anything is timed."""

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from http.client import HTTPConnection
from io import BytesIO
from typing import Any
from urllib.parse import quote

from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from benchmarks.clients import Call, answer
from fieldservice.accounts.models import RoleGrant, User
from fieldservice.accounts.services import create_token
from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import day_span, local, now, today
from fieldservice.stations.models import Station
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import Visit, WorkOrder

API = "/api/v1"
DAY_OF = 200  # visits of the day plan
SPREAD = 40  # different questions, so that no answer is warm only because it was the last one
SUMMARY = "Found the fault, put it right and tested it with the operator."


class Office:
    """Accounts with tokens, and the calls of a working day."""

    def __init__(self, app: Flask, port: int) -> None:
        self.app, self.port = app, port
        self.chance = random.Random(360)
        with app.app_context():
            self.agent, self.planner = self._token("agent@demo.test"), self._everywhere("dispatcher@demo.test")
            self.stations = [str(code) for code in session.scalars(select(Station.code).order_by(Station.id))]
            self.serials = [str(one) for one in session.scalars(select(Asset.serial).order_by(Asset.id).limit(400))]
            self.words = self._words()
            self.pattern = next(iter(catalogue.patterns())).code  # where a visit suggests none
            session.remove()

    def _token(self, email: str) -> str:
        return write(lambda: create_token(email=email, name="bench"))

    def _everywhere(self, email: str) -> str:
        """A dispatcher of all stations, so that a question is as wide as it can be."""

        def widen() -> None:
            user = session.scalars(select(User).where(User.email == email)).one()
            session.add(RoleGrant(user_id=user.id, role="dispatcher", station_id=None))

        write(widen)
        return self._token(email)

    def _words(self) -> list[str]:
        """What people look for: a customer, a serial number, a number, a word of a title; and what there is not."""
        names = [names["zh"][:4] for names in session.scalars(select(Customer.names).order_by(Customer.id).limit(12))]
        numbers = [number[-6:] for number in session.scalars(select(WorkOrder.number).order_by(WorkOrder.id).limit(12))]
        return [*names, *numbers, *self.serials[:12], "spindle", "主轴", "hydraulic", "no such thing"]

    def ask(self, call: Call) -> Any:
        """One call and its content, untimed."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            _status, content = answer(connection, call)
            return json.loads(content) if content else None
        finally:
            connection.close()

    # Questions ---------------------------------------------------------------------------------------

    def lists(self, *, count: bool) -> list[Call]:
        """Open orders of one station, a page of 80."""
        more = "&count=true" if count else ""
        return [
            Call("GET", f"{API}/work-orders?status=open&station={code}&limit=80{more}", self.planner)
            for code in self.stations
        ]

    def searches(self) -> list[Call]:
        """All orders, open and closed, by words."""
        return [Call("GET", f"{API}/work-orders?status=all&q={quote(word)}", self.planner) for word in self.words]

    def day_plan(self) -> tuple[list[Call], int]:
        """The day whose visits at all stations are nearest to 200, and how many they are."""
        with self.app.app_context():
            days = [today() + timedelta(days=number) for number in range(-6, 7)]
            shown = Visit.state.not_in(("cancelled", "missed"))
            counts = {}
            for day in days:
                start, end = day_span(day)
                within = (shown, Visit.starts_at < end, Visit.ends_at > start)
                counts[day] = session.scalar(select(func.count(Visit.id)).where(*within)) or 0
            session.remove()
        best = min(counts, key=lambda day: abs(counts[day] - DAY_OF))
        return [Call("GET", f"{API}/dispatch/board?date={best}&days=1", self.planner)], counts[best]

    def suggestions(self) -> list[Call]:
        """Who could do a ready order within three days, over all technicians."""
        return [Call("GET", self._suggest(number), self.planner) for number in self.ready_orders(SPREAD)]

    def _suggest(self, number: str, limit: int = 10) -> str:
        start = local(now())
        span = {"from": start.isoformat(), "to": (start + timedelta(days=3)).isoformat()}
        query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in span.items())
        return f"{API}/work-orders/{number}/suggestions?{query}&limit={limit}"

    def ready_orders(self, most: int) -> list[str]:
        """Orders that wait for somebody to be sent, the same ones every time."""
        with self.app.app_context():
            waiting = select(WorkOrder.number).where(WorkOrder.state == "ready").order_by(WorkOrder.id).limit(most)
            numbers = [str(number) for number in session.scalars(waiting)]
            session.remove()
        return numbers

    # Deeds -------------------------------------------------------------------------------------------

    def reports(self, count: int) -> list[Call]:
        """Faults of known machines and of strangers."""
        calls = []
        for number in range(count):
            body = {
                "channel": "phone", "language": "zh", "severity": ("line_stop", "degraded", "minor")[number % 3],
                "contact": {"name": f"操作工 {number}", "phone": f"139{self.chance.randrange(10**8):08d}"},
                "site": {"division_code": "320214"}, "description": f"主轴异响，加工时振动 {number}",
            }  # fmt: skip
            if number % 2:
                body["asset_serial"] = self.chance.choice(self.serials)
            calls.append(Call("POST", f"{API}/service-requests", self.agent, body, (201,)))
        return calls

    def assignments(self, most: int) -> list[Call]:
        """Somebody for each ready order: the best suggestion that no earlier one of these takes."""
        taken: list[tuple[int, str, str]] = []
        calls = []
        for number in self.ready_orders(most):
            found = self.ask(Call("GET", self._suggest(number, 40), self.planner))["suggestions"]
            free = (one for one in found if not any(_clash(one, held) for held in taken))
            chosen = next(free, None)
            if chosen is None:
                continue
            technician = _id(chosen)
            taken.append((technician, chosen["starts_at"], chosen["ends_at"]))
            body = {"work_order": number, "technician_id": technician, "starts_at": chosen["starts_at"]}
            calls.append(Call("POST", f"{API}/visits", self.planner, body, (201, 409)))
        return calls

    def completions(self, most: int) -> list[Call]:
        """Visits brought to the moment at which only the last records and *completed* are missing; one batch each."""
        with self.app.app_context():
            busy = select(Visit.technician_id).where(Visit.state.in_(("en_route", "on_site", "in_progress", "paused")))
            later = (
                select(Visit).where(Visit.state.in_(("scheduled", "dispatched")), Visit.starts_at > now())
                .where(Visit.technician_id.not_in(busy)).order_by(Visit.starts_at, Visit.id)
            )  # fmt: skip
            first: dict[int, Visit] = {}
            for visit in session.scalars(later):
                first.setdefault(visit.technician_id, visit)
            chosen = [(one.id, one.technician_id, one.state) for one in first.values()][:most]
            tokens = {person: self._token(self._email(person)) for _visit, person, _state in chosen}
            session.remove()
        return [self._made_ready(visit, state, tokens[person]) for visit, person, state in chosen]

    def _email(self, technician_id: int) -> str:
        return session.scalars(select(User.email).where(User.technician_id == technician_id)).one()

    def _made_ready(self, visit: int, state: str, token: str) -> Call:
        """Do everything of a visit but its last batch, which is given."""
        if state == "scheduled":
            self.ask(Call("POST", f"{API}/visits/{visit}/moves", self.planner, {"to": "dispatched"}))
        hand = Hand(self, visit, token)
        for to in ("accepted", "en_route", "on_site", "in_progress"):
            hand.send([("move", {"to": to})])
        snapshot = self.ask(Call("GET", f"{API}/tablet/snapshot", token))
        shown = next(one for one in snapshot["visits"] if one["id"] == visit)
        last: list[tuple[str, dict[str, Any]]] = []
        for field in snapshot["forms"][shown["form"]]:
            if field["required"] and field["type"] == "photo":
                hand.photo(field["code"])
            elif field["required"]:
                last.append(("answer", {"field": field["code"], "value": _value(field)}))
        pattern = (shown["likely"] or [self.pattern])[0]
        last += [("failure", {"pattern": pattern}), ("summary", {"summary": SUMMARY})]
        return hand.call([*last, ("move", {"to": "completed", "restored": True})])

    def completed(self, visits: Iterable[int]) -> int:
        """How many of these are done."""
        with self.app.app_context():
            done = select(func.count(Visit.id)).where(Visit.id.in_(list(visits)), Visit.state == "completed")
            number = session.scalar(done) or 0
            session.remove()
        return number


class Hand:
    """A technician's tablet at one visit."""

    def __init__(self, office: Office, visit: int, token: str) -> None:
        self.office, self.visit, self.token, self.sequence = office, visit, token, 0

    def call(self, commands: Sequence[tuple[str, dict[str, Any]]]) -> Call:
        """A batch of commands."""
        rows = []
        for kind, payload in commands:
            self.sequence += 1
            rows.append({
                "id": f"bench-{self.visit}-{self.sequence:04d}", "seq": self.sequence, "kind": kind,
                "at": local(now()).isoformat(), "base_version": None, "payload": {"visit": self.visit, **payload},
            })  # fmt: skip
        body = {"device_id": f"bench-{self.visit}", "commands": rows}
        return Call("POST", f"{API}/tablet/commands", self.token, body)

    def send(self, commands: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Untimed. Raises RuntimeError when one is rejected."""
        for result in self.office.ask(self.call(commands))["results"]:
            if result["status"] == "rejected":
                raise RuntimeError(f"visit {self.visit}: {result}")

    def photo(self, field: str) -> None:
        """A required picture, said by a command and brought by the lane of pictures."""
        upload, made = f"bench-photo-{self.visit}-{self.sequence}", BytesIO()
        Image.new("RGB", (64, 48), "#336655").save(made, "JPEG")
        self.send([("photo", {"upload": upload, "field": field})])
        connection = HTTPConnection("127.0.0.1", self.office.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request("PUT", f"{API}/tablet/uploads/{upload}/0", made.getvalue(), headers)
        connection.getresponse().read()
        connection.close()
        whole = {"sha256": hashlib.sha256(made.getvalue()).hexdigest(), "name": "photo.jpg"}
        self.office.ask(Call("POST", f"{API}/tablet/uploads/{upload}/complete", self.token, whole))


def _value(field: dict[str, Any]) -> Any:
    if field["type"] == "check":
        return True
    if field["type"] == "number":
        return next(one for one in (field["nominal"], field["low"], field["high"], 1) if one is not None)
    return field["options"][0]["code"] if field["type"] == "choice" else "ok"


def _id(suggestion: dict[str, Any]) -> int:
    technician = suggestion["technician"]
    return int(technician["id"] if isinstance(technician, dict) else technician)


def _clash(suggestion: dict[str, Any], held: tuple[int, str, str]) -> bool:
    """Whether a suggestion would stand near somebody's time that is taken already (with the way in between)."""
    technician, starts_at, ends_at = held
    if _id(suggestion) != technician:
        return False
    around = timedelta(hours=2)
    begins, ends = (datetime.fromisoformat(suggestion[name]) for name in ("starts_at", "ends_at"))
    return begins < datetime.fromisoformat(ends_at) + around and datetime.fromisoformat(starts_at) < ends + around
