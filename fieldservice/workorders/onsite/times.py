"""Travel, work and waiting: what the steps recorded, and what the technician says it really was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.workorders.models import Visit
from fieldservice.workorders.onsite.models import TimeCorrection

KINDS = ("travel", "work", "waiting")
MOST_MINUTES, MOST_REASON = 1440, 300


def recorded(visit: Visit) -> Mapping[str, int | None]:
    """Minutes by kind, as the steps recorded them; None for what has not ended."""
    work = _minutes(visit.started_at, visit.finished_at)
    return {
        "travel": _minutes(visit.en_route_at, visit.on_site_at),
        "work": max(0, work - visit.paused_min) if work is not None else None,
        "waiting": visit.paused_min if visit.started_at is not None else None,
    }


def _minutes(start: datetime | None, end: datetime | None) -> int | None:
    """Whole minutes, half up as the tablet reckons; None for what has not ended."""
    return max(0, int(((end - start).total_seconds() + 30) // 60)) if start is not None and end is not None else None


def correct(visit: Visit, kind: str, minutes: int, reason: str, at: datetime) -> TimeCorrection:
    """Say how long it was, and why the steps have it otherwise; a later word replaces the earlier. Raises Invalid."""
    why = plain_text(reason, MOST_REASON, field="reason")
    errors = {}
    if kind not in KINDS:
        errors["kind"] = [_l("Choose one of the options.")]
    if not 0 <= minutes <= MOST_MINUTES:
        errors["minutes"] = [_l("Enter between 0 and %(most)s minutes.", most=MOST_MINUTES)]
    if not why:
        errors["reason"] = [_l("Please give a reason.")]
    if errors:
        raise Invalid(errors)
    mine = select(TimeCorrection).where(TimeCorrection.visit_id == visit.id, TimeCorrection.kind == kind)
    row = session.scalar(mine.with_for_update())
    if row is None:
        row = TimeCorrection(visit_id=visit.id, kind=kind)
        session.add(row)
    row.minutes, row.reason, row.at, row.recorded = minutes, why, at, recorded(visit)[kind]
    session.flush()
    facts = {"kind": kind, "minutes": minutes, "recorded": row.recorded}
    record("visit.time_corrected", visit, facts, at=at, note=why)
    return row


def corrected_minutes(visit_ids: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    """Of each visit the minutes that were corrected, by kind."""
    found: dict[int, dict[str, int]] = {}
    for row in corrections_of(visit_ids):
        found.setdefault(row.visit_id, {})[row.kind] = row.minutes
    return found


def corrections_of(visit_ids: Collection[int]) -> Sequence[TimeCorrection]:
    """What was corrected at these visits."""
    return session.scalars(select(TimeCorrection).where(TimeCorrection.visit_id.in_(visit_ids))).all()
