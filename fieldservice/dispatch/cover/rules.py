"""What a station has to keep to: when somebody must be there, and from which load on it warns. Values by policy."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch.cover.holes import within
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.calendars import BusinessCalendar, standard_calendar
from fieldservice.mechanisms.events import Event, notes_of, record
from fieldservice.mechanisms.policies import PolicyOverride
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES, SERVICE
from fieldservice.stations.records import WEEKDAYS
from fieldservice.workorders.placement import Span

COVER, LOAD = "cover_required", "load_warning"
ALWAYS, BUSINESS = "always", "business"  # day and night, the promise of 003; or while the station is open
COVERS = (ALWAYS, BUSINESS)
WARN_ABOVE = 0.90  # of the capacity
LEAST, MOST = 0.5, 1.5
CHANGED = "station.cover_changed"
MOST_REASON = 300


def _cover(stored: Any) -> str:
    if stored not in COVERS:
        raise ValueError(f"{stored!r} is no cover: {', '.join(COVERS)}")
    return str(stored)


def _share(stored: Any) -> float:
    if isinstance(stored, bool) or not isinstance(stored, int | float) or not LEAST <= stored <= MOST:
        raise ValueError(f"a load warns between {LEAST:.0%} and {MOST:.0%}")
    return float(stored)


policies.register_defaults(COVER, ALWAYS, worth=replace(policies.PLAIN, read=_cover))
policies.register_defaults(LOAD, WARN_ABOVE, worth=replace(policies.PLAIN, read=_share))


def cover_of(station: Station) -> str:
    """`always` or `business`."""
    return str(policies.effective(COVER, station_id=station.id).value)


def thresholds(station_ids: Collection[int]) -> dict[int, float]:
    """station → the share of its capacity above which a load warns; one query."""
    rows = select(PolicyOverride).where(
        PolicyOverride.name == LOAD, PolicyOverride.scope_type == "station",
        PolicyOverride.scope_key.in_([str(one) for one in station_ids]),
    )  # fmt: skip
    own = {int(row.scope_key): float(row.value) for row in session.scalars(rows)} if station_ids else {}
    return {one: own.get(one, WARN_ABOVE) for one in station_ids}


def set_rules(station: Station, *, cover: str, warn_above: float, reason: str, at: datetime) -> None:
    """What holds at this station from now on. Less cover than day and night needs a reason, which stays on record.

    Raises Invalid naming the field.
    """
    errors: dict[str, list[Any]] = {}
    if cover not in COVERS:
        errors["cover"] = [_l("Choose one of the options.")]
    if not LEAST <= warn_above <= MOST:
        errors["warn_above"] = [_l("Enter a percentage from 50 to 150.")]
    reason = reason.strip()[:MOST_REASON]
    if cover == BUSINESS and cover_of(station) != BUSINESS and not reason:
        errors["reason"] = [_l("Please give a reason.")]
    if errors:
        raise Invalid(errors)
    if cover != cover_of(station):
        _keep(COVER, station, cover, ALWAYS, at)
        record(CHANGED, station, {"to": cover}, at=at, note=reason or None)
    if warn_above != thresholds([station.id])[station.id]:
        _keep(LOAD, station, warn_above, WARN_ABOVE, at)


def _keep(name: str, station: Station, value: Any, usual: Any, at: datetime) -> None:
    if value == usual:
        policies.clear_override(name, "station", station.id, at=at)
    else:
        policies.set_override(name, "station", station.id, value, at=at)


def reason_of(station: Station) -> str:
    """Why the station's cover was changed last; empty where it never was."""
    rows = select(Event).where(
        Event.subject_type == Station.subject_type, Event.subject_id == station.id, Event.kind == CHANGED
    )
    last = session.scalar(rows.order_by(Event.id.desc()).limit(1))
    return notes_of([last]).get(last.id, "") if last is not None else ""


def required(station: Station, start: datetime, end: datetime) -> list[Span]:
    """When somebody has to be there within [start, end). Never at a station that does not take work."""
    if station.state not in SERVES or SERVICE not in station.functions or start >= end:
        return []
    if cover_of(station) == ALWAYS:
        return [Span(start, end)]
    calendar, first, last = standard_calendar(start), local(start).date(), local(end).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return within((span for day in days for span in opening(station.hours, day, calendar)), start, end)


def opening(hours: Mapping[str, str], day: date, calendar: BusinessCalendar) -> list[Span]:
    """When a station is open on a local day: its own hours, else the usual ones. Nobody works on a public holiday, and
    at the weekend only where the station says so."""
    own = hours.get(WEEKDAYS[day.weekday()])
    if not hours:
        return [Span(*span) for span in calendar.spans(day)]
    if own is None or not (calendar.is_workday(day) or day.weekday() >= 5):
        return []
    return [Span(*(_at(day, text) for text in span.split("-"))) for span in own.split(", ")]


def _at(day: date, text: str) -> datetime:
    clock = time.fromisoformat(text.strip())
    return at_local(day, clock.hour, clock.minute)
