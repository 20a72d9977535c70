"""What the roster page shows of a station's week: duties, load, gaps, swaps, and work to be expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select

from fieldservice.dispatch.cover import queries, rules, swaps
from fieldservice.dispatch.cover.chart import DemandChart, demand_chart
from fieldservice.dispatch.cover.filling import by_day, who_could
from fieldservice.dispatch.cover.forecast import Forecast, forecast_of
from fieldservice.dispatch.cover.holes import in_pieces
from fieldservice.dispatch.cover.load import load_of
from fieldservice.dispatch.cover.models import ShiftSwap
from fieldservice.dispatch.cover.reading import DRAFT, WEEK, Hole, Turn, Week
from fieldservice.dispatch.cover.telling import span_text
from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import at_local, day_span, local, today
from fieldservice.foundation.words import pick
from fieldservice.stations.models import Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.workorders.models import Booking
from fieldservice.workorders.placement import Span

FORECAST_DAYS = 14
MOST_HOLES = 42


@dataclass(frozen=True)
class Cell:
    """A shift or an absence in the grid. `at` names the station where it is worked elsewhere."""

    kind: str  # shift, on_call, absence
    text: str
    id: int
    draft: bool = False
    at: str = ""
    swappable: bool = False


@dataclass(frozen=True)
class Gap:
    """A piece of a hole with the way to the filled-in form."""

    text: str
    url: str
    before: bool


@dataclass(frozen=True)
class Ask:
    """A swap that waits, with what should be thought of."""

    swap: ShiftSwap
    warnings: list[str]


def shown(week: Week, at: datetime) -> dict[str, Any]:
    """All of it; a constant number of statements."""
    station, first = week.station, today()
    threshold = rules.thresholds([station.id])[station.id]
    expected = forecast_of(station.id, first)
    return {
        "week": week, "days": week.days, "cells": _cells(week, at), "gaps": gaps_of(week),
        "loads": load_of([station.id], week.monday, WEEK, drafts=True), "threshold": threshold,
        "asks": _asks(station), "expected": expected, "chart": _chart(station.id, expected, first),
        "cover": rules.cover_of(station), "cover_reason": rules.reason_of(station),
    }  # fmt: skip


def _chart(station_id: int, expected: Forecast, first: date) -> DemandChart | None:
    """The coming two weeks; None where nothing is known of the past."""
    if not expected.weeks:
        return None
    ahead = load_of([station_id], first, FORECAST_DAYS, drafts=True)
    days = [first + timedelta(days=number) for number in range(FORECAST_DAYS)]
    return demand_chart(days, expected, lambda day: ahead.station(station_id, day).capacity / 60)


def gaps_of(week: Week) -> list[Gap]:
    """Holes in pieces that one shift fills, each with somebody who could preselected."""
    pieces = [(hole, piece) for hole in week.holes for piece in in_pieces(hole.span)]
    return [_gap(week, hole, piece) for hole, piece in pieces[:MOST_HOLES]]


def _gap(week: Week, hole: Hole, piece: Span) -> Gap:
    starts, ends = local(piece.starts_at), local(piece.ends_at)
    home = [one.id for one in week.team if one.station_id == week.station.id]
    could = who_could(piece, home, week.turns, week.away)
    url = url_for(
        "admin.roster", station=week.station.code, week=week.monday.isoformat(), weekday=starts.weekday(),
        start=f"{starts:%H:%M}", end=f"{ends:%H:%M}", on_call=None if by_day(piece) else "1", weeks="1",
        technician=could[0] if could else None, _anchor="fill",
    )  # fmt: skip
    return Gap(span_text(piece), url, hole.before)


def _cells(week: Week, at: datetime) -> dict[tuple[int, date], list[Cell]]:
    """(technician, day) → what is planned then."""
    found: dict[tuple[int, date], list[Cell]] = {}
    elsewhere = stations_by_id({one.station_id for one in week.turns} - {week.station.id})
    for turn in week.turns:
        if turn.day in week.days:
            other = elsewhere.get(turn.station_id)
            found.setdefault((turn.technician_id, turn.day), []).append(_cell(turn, other, week, at))
    for absence in _absences([one.id for one in week.team], week.monday):
        for day in week.days:
            if absence.starts_at < at_local(day + timedelta(days=1)) and absence.ends_at > at_local(day):
                found.setdefault((absence.technician_id, day), []).append(Cell("absence", absence.cause, absence.id))
    return found


def _cell(turn: Turn, other: Station | None, week: Week, at: datetime) -> Cell:
    return Cell(
        kind="on_call" if turn.on_call else "shift",
        text=f"{local(turn.starts_at):%H:%M}–{local(turn.ends_at):%H:%M}",
        id=turn.id,
        draft=turn.state == DRAFT,
        at=pick(other.names) if other is not None else "",
        swappable=turn.state == "published" and turn.starts_at > at and turn.station_id == week.station.id,
    )


def _absences(team: Sequence[int], monday: date) -> Sequence[Booking]:
    start, end = day_span(monday, WEEK)
    rows = select(Booking).where(among(Booking.technician_id, team), Booking.away(), Booking.state == "held")
    return session.scalars(rows.where(Booking.touching(start, end)).order_by(Booking.starts_at)).all() if team else ()


def _asks(station: Station) -> list[Ask]:
    waiting = queries.open_swaps_at(station.id)
    return [Ask(swap, said) for swap, said in zip(waiting, swaps.warnings_of(waiting), strict=True)]
