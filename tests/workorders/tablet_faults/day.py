"""A whole day of one technician in a real browser: jobs, entries and photos, while line, server and browser fail.

Each entry carries a number of its own. What the page said it had kept must arrive exactly once and in order; what was
on its way into the store when the browser was killed may have arrived once, or not at all.
"""

import base64
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import at_local
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts import services as parts
from fieldservice.parts.queries import unbalanced
from fieldservice.workorders import booking
from fieldservice.workorders.models import PartUse, TabletCommand, Visit
from tests.served import Served
from tests.waiting import wait_until
from tests.workorders.cast import DAY
from tests.workorders.scene import make_customer, make_order, make_request, make_station
from tests.workorders.tablet_faults.browsers import Tablet
from tests.workorders.tablet_faults.proxy import Proxy
from tests.workorders.tablet_faults.trials import PART, STEPS, technician_with_tablet

MINUTES = 12  # of a job, so that forty fit into a day


@dataclass(frozen=True)
class DayOf:
    """Who works, with which jobs, and how his browser proves who it is."""

    user_id: int
    visits: tuple[int, ...]
    cookies: dict[str, str]


@dataclass
class DayOutcome:
    """What happened, and everything that is not as it must be."""

    kept: int = 0
    photos: int = 0
    events: Counter[str] = field(default_factory=Counter)
    told: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def make_day(jobs: int) -> DayOf:
    """A technician with so many short jobs for tomorrow, all sent to his tablet. Committed."""

    def build() -> DayOf:
        station, customer = make_station(), make_customer()
        seal = parts.list_part(number=PART, names={"zh": "骨架油封", "en": "Oil seal"}, unit="pcs", price=26800)
        technician, user, cookies = technician_with_tablet(station, seal, 1)
        first, visits = at_local(DAY + timedelta(days=1), 8, 0), []
        for number in range(jobs):
            order = make_order(
                station, request=make_request(station, customer), customer=customer, duration_min=MINUTES,
                latitude=technician.latitude, longitude=technician.longitude,
            )  # fmt: skip
            visit = booking.schedule_visit(order, technician, first + timedelta(minutes=number * (MINUTES + 3)))
            booking.send_visit(visit)
            visits.append(visit.id)
        return DayOf(user.id, tuple(visits), cookies)

    return write(build)


def live_through(
    day: DayOf, tablet: Tablet, served: Served, line: Proxy, *, seed: int, commands: int, photos: int,
    turns: int, browser_kills: int, server_kills: int,
) -> DayOutcome:  # fmt: skip
    """The day: `turns` are reloads, second tabs and stretches without a network."""
    chance, outcome = random.Random(seed), DayOutcome()
    entries = list(_entries(day, chance, commands, photos))
    events = _events(chance, len(entries), turns, browser_kills, server_kills)
    kept: set[int] = set()
    for at, one in enumerate(entries):
        for event in events.get(at, ()):
            outcome.events[event] += 1
            _happen(event, tablet, served, line, one)
            if event == "browser killed":
                break
        else:
            tablet.call(*_deed(one))
            kept.add(one["payload"]["trial"])
    line.down = False
    _until_sent(tablet, seed)
    unsure = {one["visit"] for one in entries if one["payload"]["trial"] not in kept}
    outcome.wrong += [f"stuck: {row}" for row in tablet.call("stuck") if row[0] not in unsure]
    outcome.kept, outcome.photos = len(kept), sum(one["kind"] == "photo" for one in entries)
    outcome.told = dict(line.told)
    session.rollback()
    outcome.wrong += _wrong(day, entries, kept)
    return outcome


def _entries(day: DayOf, chance: random.Random, commands: int, photos: int) -> Iterator[dict[str, Any]]:
    """Job after job: the way there, then what is recorded; the last ones stay at work."""
    made = BytesIO()
    Image.new("RGB", (64, 48), "#336655").save(made, "JPEG")
    jpeg, trial = base64.b64encode(made.getvalue()).decode(), 0
    for number, visit in enumerate(day.visits):
        facts = commands // len(day.visits) - len(STEPS) + (number < commands % len(day.visits))
        pictures = photos // len(day.visits) + (number < photos % len(day.visits))
        kinds = ["fact"] * facts + ["photo"] * pictures
        chance.shuffle(kinds)
        for kind in [*STEPS, *kinds]:
            trial += 1
            if kind == "photo":
                yield {"kind": "photo", "visit": visit, "payload": {"trial": trial}, "jpeg": jpeg,
                       "more": round(chance.random() ** 4 * 600_000)}  # fmt: skip
            else:
                chosen, payload = ("move", {"to": kind}) if kind in STEPS else _fact(chance, trial)
                yield {"kind": chosen, "visit": visit, "payload": {**payload, "trial": trial}}


def _fact(chance: random.Random, trial: int) -> tuple[str, dict[str, Any]]:
    return chance.choice(
        [
            ("note", {"words": f"note {trial}"}),
            ("part", {"part": PART, "quantity": 1}),
            ("summary", {"summary": f"summary {trial}"}),
            ("answer", {"field": "oil_temperature", "value": str(40 + trial % 20)}),
        ]
    )


def _events(
    chance: random.Random, count: int, turns: int, browser_kills: int, server_kills: int
) -> dict[int, list[str]]:
    kinds = ["reload", "second tab", "no network", "network"] * (turns // 4 + 1)
    names = kinds[:turns] + ["browser killed"] * browser_kills + ["server killed"] * server_kills
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(chance.randrange(1, count), []).append(name)
    return found


def _happen(event: str, tablet: Tablet, served: Served, line: Proxy, one: dict[str, Any]) -> None:
    if event == "browser killed":  # in the middle of keeping an entry
        tablet.begin(*_deed(one))
        tablet.wait_until_taken()
        tablet.kill()
        tablet.start()
    elif event == "server killed":
        served.kill()
        served.start()
    elif event == "reload":
        tablet.reload()
    elif event == "second tab":
        tablet.second_tab()
    else:
        line.down = event == "no network"


def _deed(one: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if one["kind"] != "photo":
        return "record", one
    return "photo", {"visit": one["visit"], "trial": one["payload"]["trial"], "jpeg": one["jpeg"], "more": one["more"]}


def _until_sent(tablet: Tablet, seed: int) -> None:
    wait_until(lambda: tablet.call("left") == 0, seconds=600, what=f"everything is sent (seed {seed})")


# The count -----------------------------------------------------------------------------------------------


def _wrong(day: DayOf, entries: list[dict[str, Any]], kept: set[int]) -> list[str]:
    rows = session.scalars(
        select(TabletCommand).where(TabletCommand.user_id == day.user_id).order_by(TabletCommand.id)
    ).all()
    came = [int(row.payload["trial"]) for row in rows]
    times = Counter(came)
    lost = sorted(kept - times.keys())
    doubled = [trial for trial, count in times.items() if count > 1]
    wrong = [f"lost: {lost}"] if lost else []
    wrong += [f"doubled: {doubled}"] if doubled else []
    wrong += ["another order"] if came != sorted(came) else []
    # A step whose step before was killed on its way into the store is rightly refused; nothing else is.
    unsure = {one["visit"] for one in entries if one["payload"]["trial"] not in kept}
    wrong += [
        f"{row.kind} {row.payload} was {row.status}: {row.detail}"
        for row in rows
        if row.status != "accepted" and row.visit_id not in unsure and row.payload.get("visit") not in unsure
    ]
    return wrong + _wrong_effects(day, rows, unsure) + [f"the ledger does not balance: {row}" for row in unbalanced()]


def _wrong_effects(day: DayOf, rows: Any, unsure: set[int]) -> list[str]:
    done = [row.kind for row in rows if row.status != "rejected"]
    uses = session.scalar(select(func.count(PartUse.id)).where(PartUse.visit_id.in_(day.visits)))
    files = session.scalar(
        select(func.count(StoredFile.id)).where(
            StoredFile.subject_type == "visit", StoredFile.subject_id.in_(day.visits), StoredFile.kind == "photo"
        )
    )
    wrong = [] if uses == done.count("part") else [f"{uses} parts fitted, {done.count('part')} recorded"]
    wrong += [] if files == done.count("photo") else [f"{files} pictures, {done.count('photo')} recorded"]
    states = set(session.scalars(select(Visit.state).where(Visit.id.in_(set(day.visits) - unsure))))
    return wrong + ([f"states {states}"] if "dispatched" in states else [])
