"""What can be done with a station's week: publish it once somebody is always there, or drop its drafts (T-03)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from sqlalchemy import Select, select

from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.holes import there, within, without
from fieldservice.dispatch.cover.reading import (
    DRAFT,
    WEEK,
    Hole,
    Turn,
    away_between,
    states_of,
    turns_between,
    week_of,
)
from fieldservice.dispatch.cover.telling import hole_told, spans_text
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import day_span
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move_many
from fieldservice.stations.models import Shift, Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.workorders.placement import Span


def publish_week(station: Station, monday: date, at: datetime) -> int:
    """Publish every draft of this station and week; how many. Again publishes nothing, and is no error.

    Raises Conflict `gap` with `gaps` when at some time that is still to come nobody would be on duty or on call, of
    those who are not away; then nothing is published.
    """
    take_turns(f"roster:{station.id}")
    week = week_of(station, monday, at)
    if week.holes:
        raise _gap(week.holes)
    shifts = session.scalars(_drafts(station, monday).with_for_update()).all()
    move_many(shifts, "published", at=at)
    if shifts:
        record("station.week_published", station, {"week": monday.isoformat(), "shifts": len(shifts)}, at=at)
    return len(shifts)


def discard_drafts(station: Station, monday: date, at: datetime) -> int:
    """Drop every draft of this station and week, to begin anew; how many."""
    take_turns(f"roster:{station.id}")
    shifts = session.scalars(_drafts(station, monday).with_for_update()).all()
    for shift in shifts:
        session.delete(shift)
    if shifts:
        record("station.drafts_discarded", station, {"week": monday.isoformat(), "shifts": len(shifts)}, at=at)
    return len(shifts)


def torn_by_shifts(changes: Sequence[tuple[Turn, Turn | None]], at: datetime) -> dict[int, list[Span]]:
    """station → when nobody is there any more once these published shifts are changed (None: gone)."""
    if not changes:
        return {}
    gone = {old.id for old, _new in changes}
    new = [one for _old, one in changes if one is not None]
    start, end = min(old.starts_at for old, _new in changes), max(old.ends_at for old, _new in changes)
    places = {old.station_id for old, _new in changes}
    turns = turns_between(start, end, stations=places, drafts=False)
    people = {one.technician_id for one in (*turns, *new)}
    away = away_between(states_of(people), start, end)
    after = [one for one in turns if one.id not in gone] + new
    return _torn(places, turns, after, away, away, at)


def torn_by_absence(technician_id: int, span: Span, at: datetime) -> dict[int, list[Span]]:
    """station → when nobody is there any more once this technician is away then."""
    own = turns_between(*span, technicians=[technician_id], drafts=False)
    places = {one.station_id for one in own}
    turns = turns_between(*span, stations=places, drafts=False)
    away = away_between(states_of({one.technician_id for one in turns}), *span)
    more = {**away, technician_id: [*away.get(technician_id, ()), span]}
    return _torn(places, turns, turns, away, more, at)


def torn_text(torn: dict[int, list[Span]]) -> list[str]:
    """A sentence for each station."""
    stations = stations_by_id(torn)
    return [
        _(
            "Nobody is there any more at %(station)s: %(times)s. The roster shows the hole; please fill it.",
            station=pick(stations[one].names), times=spans_text(spans),
        )
        for one, spans in sorted(torn.items())
    ]  # fmt: skip


# Inside -------------------------------------------------------------------------------------------


def _drafts(station: Station, monday: date) -> Select[Any]:
    start, end = day_span(monday, WEEK)
    mine = select(Shift).where(Shift.station_id == station.id, Shift.state == DRAFT)
    mine = mine.where(Shift.starts_at >= start, Shift.starts_at < end)
    return mine.order_by(Shift.id).execution_options(populate_existing=True)


def _gap(holes: Sequence[Hole]) -> Conflict:
    def sentence() -> str:
        words = ngettext(
            "Nobody is there at one time of this week: %(times)s. Fill it, then publish again.",
            "Nobody is there at %(num)s times of this week: %(times)s. Fill them, then publish again.",
            len(holes),
            times=spans_text(one.span for one in holes),
        )
        return str(words)

    return Conflict(LazyString(sentence), code="gap", gaps=[hole_told(one) for one in holes])


def _torn(
    places: set[int], before: Sequence[Turn], after: Sequence[Turn], away: dict[int, list[Span]],
    away_after: dict[int, list[Span]], at: datetime,
) -> dict[int, list[Span]]:  # fmt: skip
    found: dict[int, list[Span]] = {}
    for station in stations_by_id(places).values():
        held = there([_pair(one) for one in before if one.station_id == station.id], away)
        holds = there([_pair(one) for one in after if one.station_id == station.id], away_after)
        lost = [one for one in without(held, holds) if one.ends_at > at]
        if lost:
            start, end = max(at, lost[0].starts_at), lost[-1].ends_at
            needed = rules.required(station, start, end)
            found[station.id] = [one for span in needed for one in within(lost, *span)]
    return {one: spans for one, spans in found.items() if spans}


def _pair(turn: Turn) -> tuple[int, Span]:
    return turn.technician_id, turn.span
