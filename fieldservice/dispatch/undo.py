"""Ten seconds to take a step back. The signed token says what was done, so nothing has to be stored."""

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


@dataclass(frozen=True)
class Before:
    """What a visit was before it was changed; None of it for a new one."""

    technician_id: int
    starts_at: datetime
    minutes: int

    @classmethod
    def of(cls, visit: Visit) -> "Before":
        return cls(visit.technician_id, visit.starts_at, round((visit.ends_at - visit.starts_at).total_seconds() / 60))


def offer(visit: Visit, done: str, at: datetime, before: Before | None = None) -> str:
    """A token that undoes `done` (booked, changed, sent) until ten seconds from `at`."""
    content: dict[str, Any] = {"visit": visit.id, "version": visit.version, "done": done, "at": at.isoformat()}
    if before is not None:
        content |= {
            "technician": before.technician_id,
            "starts_at": before.starts_at.isoformat(),
            "min": before.minutes,
        }
    return str(_signer().dumps(content))


def undo(token: str, somebody: Person, at: datetime) -> Visit:
    """Take the step back. Raises Conflict when the time has passed, PreconditionFailed when others went on."""
    try:
        content = _signer().loads(token[:2000])
    except BadSignature:
        content = None
    if not content or at > datetime.fromisoformat(content["at"]) + timedelta(seconds=SECONDS) + GRACE:
        raise Conflict(_l("The time to undo this has passed. Change it by hand."), code="undo_passed")
    visit = queries.visit_by_id(content["visit"], somebody)
    scope.require_planner(somebody, visit.station_id)
    changes.require_version(visit, content["version"])
    match content["done"]:
        case "booked":
            booking.cancel_visit(visit, REASON, at)
        case "sent":
            booking.recall_visit(visit, at)
        case _:
            booking.reschedule_visit(
                visit,
                technician=session.get_one(Technician, content["technician"]),
                starts_at=datetime.fromisoformat(content["starts_at"]),
                duration_min=content["min"],
                at=at,
            )
    return visit


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="dispatch.undo")
