"""Ten seconds to take a step back. The signed token says what was done, so nothing has to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer

from fieldservice.dispatch import changes, scope
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, queries
from fieldservice.workorders.models import Visit

SECONDS = 10
GRACE = timedelta(seconds=5)  # the way of the last press to us
REASON = "undone"
LONGEST = 8000  # signs of a token: what twenty visits need


@dataclass(frozen=True)
class Before:
    """What a visit was before it was changed."""

    technician_id: int
    starts_at: datetime
    minutes: int

    @classmethod
    def of(cls, visit: Visit) -> "Before":
        return cls(visit.technician_id, visit.starts_at, round((visit.ends_at - visit.starts_at).total_seconds() / 60))


@dataclass(frozen=True)
class Step:
    """What was done to a visit: booked, changed (from `before`) or sent."""

    visit: Visit
    done: str
    before: Before | None = None


def offer(steps: Sequence[Step], at: datetime) -> str:
    """A token that undoes all of this until ten seconds from `at`."""
    return str(_signer().dumps({"at": at.isoformat(), "steps": [_content(step) for step in steps]}))


def undo(token: str, somebody: Person, at: datetime) -> list[Visit]:
    """Take it all back. Raises Conflict when the time has passed, PreconditionFailed when others went on."""
    try:
        content = _signer().loads(token[:LONGEST])
    except BadSignature:
        content = None
    if not content or at > datetime.fromisoformat(content["at"]) + timedelta(seconds=SECONDS) + GRACE:
        raise Conflict(_l("The time to undo this has passed. Change it by hand."), code="undo_passed")
    steps = [(_visit(step, somebody), step) for step in content["steps"]]
    for visit, step in steps if len(steps) > 1 else ():
        if step["done"] == "changed":
            booking.release(visit, at)  # none of them stands in the way of another
    for visit, step in steps:
        _take_back(visit, step, at)
    return [visit for visit, _step in steps]


def _visit(step: dict[str, Any], somebody: Person) -> Visit:
    visit = queries.visit_by_id(step["visit"], somebody)
    scope.require_planner(somebody, visit.station_id)
    changes.require_version(visit, step["version"])
    return visit


def _take_back(visit: Visit, step: dict[str, Any], at: datetime) -> None:
    match step["done"]:
        case "booked":
            booking.cancel_visit(visit, REASON, at)
        case "sent":
            booking.recall_visit(visit, at)
        case _:
            booking.reschedule_visit(
                visit,
                technician=session.get_one(Technician, step["technician"]),
                starts_at=datetime.fromisoformat(step["starts_at"]),
                duration_min=step["min"],
                at=at,
            )


def _content(step: Step) -> dict[str, Any]:
    content: dict[str, Any] = {"visit": step.visit.id, "version": step.visit.version, "done": step.done}
    if step.before is not None:
        content |= {
            "technician": step.before.technician_id,
            "starts_at": step.before.starts_at.isoformat(),
            "min": step.before.minutes,
        }
    return content


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="dispatch.undo")
