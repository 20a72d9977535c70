"""Slow areas as the board's map takes them (static/src/dispatch/map/element.js), in the reader's language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.dispatch import scope
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.dispatch.areas.services import MOST_FACTOR
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import among, session

PRESETS = (("slow", 1.5), ("very_slow", 2.5), ("closed", MOST_FACTOR))  # what the form offers [D]


def on_map(areas: Sequence[DrawnArea], somebody: Person, at: datetime) -> list[dict[str, Any]]:
    """Each with who drew it, and whether this person may end it; at most one statement."""
    names = _names({area.user_id for area in areas if area.user_id is not None})
    return [_told(area, names.get(area.user_id or 0, ""), somebody, at) for area in areas]


def how_slow(factor: float) -> str:
    """'2.5×', or that no road is open."""
    return str(_("closed")) if factor >= MOST_FACTOR else f"{factor:g}×"


def _told(area: DrawnArea, name: str, somebody: Person, at: datetime) -> dict[str, Any]:
    begins = _("from %(time)s", time=display.datetime_short(area.starts_at)) if area.starts_at > at else ""
    until = _("until %(time)s", time=display.datetime_short(area.until))
    return {
        "id": str(area.id), "title": area.name, "factor": area.factor, "how": how_slow(area.factor),
        "points": area.corners, "until": f"{begins} {until}".strip(), "untilAt": area.until.isoformat(),
        "who": name, "station": str(area.station_id),
        "mine": scope.may_plan(somebody, area.station_id),
    }  # fmt: skip


def _names(ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(session.execute(select(User.id, User.name).where(among(User.id, sorted(ids)))).all())
