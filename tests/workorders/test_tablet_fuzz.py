"""Whatever a tablet sends, broken or hostile: no 5xx, nothing applied twice, and the office can read all of it.

`TABLET_FUZZ=10000` asks for more examples than the suite does.
"""

import os
import re
from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import Event
from fieldservice.parts.queries import unbalanced
from fieldservice.workorders import booking
from fieldservice.workorders.models import PartUse, TabletCommand
from fieldservice.workorders.tablet.kinds import KINDS
from tests.conftest import make_user
from tests.workorders.on_tour import PATTERN, SEAL, make_tour
from tests.workorders.test_tablet_commands import Tablet

EXAMPLES = int(os.environ.get("TABLET_FUZZ", "300"))
FUZZ = settings(
    max_examples=EXAMPLES, derandomize=EXAMPLES < 1000, deadline=None, database=None, phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
STATES = ("accepted", "en_route", "on_site", "in_progress", "paused", "partially_completed", "completed", "declined")
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "0", "1e999", "NaN", "use-1", "../x", SEAL, PATTERN, "\u202e", "𝄞" * 30]),
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PAYLOADS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "move": {"to": st.sampled_from(STATES), "reason": st.sampled_from(["no_access", "等放行"]),
             "restored": st.booleans()},
    "answer": {"field": st.sampled_from(["vibration", "lockout", "nowhere"]),
               "value": st.sampled_from(["1.2", True, None])},
    "part": {"part": st.just(SEAL), "quantity": st.sampled_from([1, "0.001", 0.5]),
             "returns": st.sampled_from([None, "use-1", "fuzz-00000001"])},
    "photo": {"upload": st.sampled_from(["p-1", "p-2"]), "field": st.sampled_from([None, "seal_photo"])},
    "summary": {"summary": st.sampled_from(["换了油封", ""]), "technical_note": st.none()},
    "failure": {"pattern": st.sampled_from([PATTERN, None]), "codes": st.just({"failure_mode": "UNK"})},
    "signature": {"upload": st.sampled_from(["s-1"]), "name": st.just("何工")},
    "note": {"words": st.sampled_from(["门卫换人", " "])},
}  # fmt: skip
ENVELOPE = ("id", "seq", "kind", "at", "device_at", "base_at", "base_version", "payload")
ids = count(1)


@st.composite
def commands(draw: st.DrawFn, visit: int) -> dict[str, Any]:
    """Mostly what a tablet would send; now and then any part of it is something else."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    payload: dict[str, Any] = {"visit": visit}
    for name, values in PAYLOADS.get(kind, {}).items():
        payload[name] = draw(values)
    if draw(st.integers(0, 3)) == 0:
        payload[draw(st.sampled_from([*payload, "x"]))] = draw(anything)
    command = {
        "id": f"fuzz-{draw(st.sampled_from(range(1, 40))):08d}" if draw(st.integers(0, 5)) == 0
        else f"fuzz-new-{next(ids):08d}",
        "seq": draw(st.integers(0, 50)), "kind": kind,
        "at": (now() + timedelta(minutes=draw(st.sampled_from([0, 0, 0, -30, 30])))).isoformat(),
        "base_version": 1, "payload": payload,
    }  # fmt: skip
    if draw(st.integers(0, 5)) == 0:
        command[draw(st.sampled_from(ENVELOPE))] = draw(anything)
    return command


@pytest.mark.slow
def test_random_commands_break_nothing_and_are_applied_once(sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite_app.config, "API_RATE", 10**9)
    tablet = Tablet(sqlite_app, make_tour())
    tablet.go("accepted", "en_route", "on_site", "in_progress")
    noted = told("visit.noted")
    odd_report = st.dictionaries(st.sampled_from(["waiting", "storage", "offset_ms"]), anything)
    reports = st.one_of(st.none(), st.none(), st.just({"waiting": {"commands": 1}, "offset_ms": 5}), odd_report)
    statuses: Counter[str] = Counter()

    @FUZZ
    @given(
        batch=st.lists(commands(tablet.tour.visit_id), max_size=3),
        report=reports,
        odd=anything,
        which=st.integers(0, 40),
    )
    def send(batch: list[Any], report: Any, odd: Any, which: int) -> None:
        body: dict[str, Any] = {"device_id": "tab-1", "client": 2, "report": report, "commands": batch}
        if which < 5:
            body[("device_id", "client", "sent_at", "report", "commands")[which]] = odd
        first, again = (
            tablet.http.post("/api/v1/tablet/commands", json=body, headers=tablet.headers) for _ in range(2)
        )  # fmt: skip
        assert first.status_code == again.status_code < 500, (body, first.text)
        if first.status_code == 200:
            assert first.json["results"] == again.json["results"], body  # type: ignore[index]  # an object
            statuses.update(one["status"] for one in first.json["results"])  # type: ignore[index]

    send()
    assert set(statuses) == {"accepted", "accepted_with_flag", "rejected"}
    rows = session.scalars(select(TabletCommand)).all()
    assert len({row.command_id for row in rows}) == len(rows)
    applied = [row for row in rows if row.status != "rejected"]
    fitted, returned = (
        sum(row.kind == "part" and name in row.detail for row in applied) for name in ("use", "returned")
    )
    assert session.scalar(select(func.count(PartUse.id))) == fitted - returned
    assert told("visit.noted") - noted == sum(row.kind == "note" for row in applied)
    assert unbalanced() == []
    assert session.get_one(type(tablet.tour.visit), tablet.tour.visit_id).state in booking.Visit.lifecycle.states
    read_all(sqlite_app, tablet)


def told(kind: str) -> int:
    return session.scalar(select(func.count(Event.id)).where(Event.kind == kind)) or 0


def read_all(app: Flask, tablet: Tablet) -> None:
    """Every page of what was rejected opens, in both languages."""
    client: FlaskClient = app.test_client()
    mark = make_user("dispatcher", tablet.tour.station_id).fs_uniquifier
    session.rollback()
    with client.session_transaction() as browser:
        browser["_user_id"], browser["fresh_at"] = mark, int(now().timestamp())
    for language in ("zh", "en"):
        url = "/tablets/reviews"
        for _ in range(10):
            page = client.get(f"{url}{'&' if '?' in url else '?'}lang={language}")
            assert page.status_code == 200
            found = re.search(r'rel="next" href="([^"]+)"', page.text)
            if found is None:
                break
            url = found[1].replace("&amp;", "&")


@pytest.mark.slow
def test_random_uploads_break_nothing(sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite_app.config, "API_RATE", 10**9)
    tablet = Tablet(sqlite_app, make_tour())
    names = st.sampled_from(["up-1", "up-2"]) | st.text(min_size=1, max_size=12)
    # a finished picture is re-encoded in another process, which is what test_tablet_uploads tries
    whole = st.dictionaries(st.sampled_from(["sha256", "name"]), anything | st.just("0" * 64), max_size=2)

    @FUZZ
    @given(name=names, index=st.integers(-1, 3) | st.integers(), body=st.binary(max_size=300), end=whole | anything)
    def send(name: str, index: int, body: bytes, end: Any) -> None:
        path = f"/api/v1/tablet/uploads/{name.replace('/', '_').replace('?', '_').replace('#', '_')}"
        for _ in range(2):
            answer = tablet.http.put(f"{path}/{index}", data=body, headers=tablet.headers)
            assert answer.status_code < 500, answer.text
        assert tablet.http.post(f"{path}/complete", json=end, headers=tablet.headers).status_code < 500

    send()
