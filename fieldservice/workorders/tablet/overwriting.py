"""Values that a tablet overwrites although somebody else changed them where it could not see it (DESIGN §8).

The last writer wins, and what stood there before is kept with the command, for the office to look at. A visit's
version tells nothing of this: it moves with steps, not with words. So times are compared, and only where a value
is truly replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import Event
from fieldservice.workorders.findings import CODES
from fieldservice.workorders.models import Answer, TabletCommand, Visit
from fieldservice.workorders.tablet.models import TabletDevice

WRITTEN_BY: Mapping[str, tuple[str, ...]] = {  # kind of command → events that tell of its values
    "summary": ("visit.summarised", "visit.coded"),
    "failure": ("visit.coded", "visit.summarised"),
    "answer": ("visit.answered",),
}
RECENT = 30  # events looked through for one field of a checklist


@dataclass(frozen=True)
class Former:
    """What stood there before a command, and when somebody else wrote it."""

    values: Mapping[str, Any]
    written_at: datetime


def former_of(kind: str, visit: Visit, payload: Mapping[str, Any], person: Person) -> Former | None:
    """What a command of this kind is about to replace, if somebody else wrote it last."""
    if kind not in WRITTEN_BY:
        return None
    values = _values(kind, visit, payload)
    if not values:
        return None
    last = _last_written(kind, visit, payload)
    if last is None or last.actor == f"user:{person.user_id}":
        return None
    return Former(values, last.at)


def replaced(former: Former, kind: str, visit: Visit, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The former values that are other ones now."""
    present = _values(kind, visit, payload)
    return {name: value for name, value in former.values.items() if present.get(name) != value}


def seen_until(person: Person, device_id: str, at: datetime) -> datetime:
    """Until when a tablet can have known what stood here, when it recorded something at `at`: it last called then.

    Unknown (a page of version 1 that never sent anything): `at`, so that only what came later counts.
    """
    mine = (TabletCommand.device_id == device_id, TabletCommand.user_id == person.user_id)
    heard = session.scalar(select(func.max(TabletCommand.received_at)).where(*mine, TabletCommand.received_at < at))
    seen = session.scalar(
        select(TabletDevice.last_seen_at).where(
            TabletDevice.device_id == device_id, TabletDevice.user_id == person.user_id, TabletDevice.last_seen_at <= at
        )
    )
    return max((moment for moment in (heard, seen) if moment is not None), default=at)


def _values(kind: str, visit: Visit, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are there, by name."""
    order = visit.work_order
    if kind == "answer":
        found = select(Answer).where(Answer.visit_id == visit.id, Answer.field == payload["field"])
        row = session.scalar(found)
        return {"field": row.field, "content": row.content, "note": row.note} if row is not None else {}
    names = ("summary", "technical_note") if kind == "summary" else ("pattern", *CODES, "unknown_reason", "summary")
    return {name: value for name in names if (value := getattr(order, name))}


def _last_written(kind: str, visit: Visit, payload: Mapping[str, Any]) -> Event | None:
    """The newest event that tells of these values: of this visit, or, where they stand with the order, of any."""
    about = [visit.id] if kind == "answer" else select(Visit.id).where(Visit.work_order_id == visit.work_order_id)
    newest = (
        select(Event)
        .where(Event.subject_type == "visit", Event.subject_id.in_(about), Event.kind.in_(WRITTEN_BY[kind]))
        .order_by(Event.id.desc())
        .limit(RECENT if kind == "answer" else 1)
    )
    events = session.scalars(newest)
    return next((one for one in events if kind != "answer" or one.facts.get("field") == payload["field"]), None)
