"""What the pages of figures ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.display import date_short
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.words import pick
from fieldservice.insight import charts, figures
from fieldservice.mechanisms.metrics import (
    Metric,
    MetricResult,
    Period,
    Scope,
    measure_many,
    measure_stations,
    value_text,
)
from fieldservice.mechanisms.tasks import Task, tasks_for
from fieldservice.stations.models import Station

CASES = 50
TREND_DAYS = 84


@dataclass(frozen=True)
class Tile:
    """A figure as it is shown."""

    metric: Metric
    result: MetricResult
    text: str
    on_target: bool | None
    weeks: list[float | None]
    change: float | None  # against the period before, in the figure's unit


def stations_of(person: Person) -> list[Station]:
    """The stations a person reads, by code; closed ones too, so that parts add up to the whole."""
    covered = person.stations()
    statement = select(Station).order_by(Station.code)
    if covered is not None:
        statement = statement.where(Station.id.in_(sorted(covered)))
    return list(session.scalars(statement))


def station_by_code(code: str) -> Station:
    """Raises NotFound."""
    station = session.scalar(select(Station).where(Station.code == code))
    if station is None:
        raise NotFound()
    return station


def chosen_of(code: str | None, stations: Sequence[Station]) -> Station | None:
    """The station with this code among those a person reads; None when none is asked for. Raises NotFound."""
    if not code:
        return None
    chosen = next((station for station in stations if station.code == code), None)
    if chosen is None:
        raise NotFound()
    return chosen


def scope_of(person: Person, chosen: Station | None) -> Scope:
    """The chosen station, else all the person reads."""
    return Scope.of(chosen.id) if chosen is not None else Scope(person.stations())


def tile(known: Metric, period: Period, scope: Scope) -> Tile:
    """A figure with its last twelve weeks and the change against the period before."""
    days = (period.last - period.first).days + 1
    earlier = Period(period.first - timedelta(days=days), period.first - timedelta(days=1))
    weeks = Period.last_days(TREND_DAYS).weeks()
    result, before, *trend = measure_many(known.code, [period, earlier, *weeks], scope)
    change = result.value - before.value if result.value is not None and before.value is not None else None
    return Tile(
        known, result, value_text(known, result.value), known.on_target(result.value),
        [week.value for week in trend], change,
    )  # fmt: skip


def station_chart(known: Metric, period: Period, scope: Scope, stations: Sequence[Station]) -> charts.DotChart | None:
    """The figure per station, or None with fewer than two to compare."""
    parts = measure_stations(known.code, period, scope, [station.id for station in stations])
    names = {station.id: pick(station.names) for station in stations}
    rows = [
        (names[key], part.value, value_text(known, part.value)) for key, part in parts.items() if part.value is not None
    ]
    return charts.dots(rows, known.target, known.better) if len(rows) > 1 else None


def week_chart(shown: Tile) -> charts.LineChart | None:
    """The weeks of a tile as a line, or None while there is nothing to draw."""
    if sum(value is not None for value in shown.weeks) < 2:
        return None
    labels = [date_short(week.first) for week in Period.last_days(TREND_DAYS).weeks()]
    texts = [value_text(shown.metric, value) for value in shown.weeks]
    return charts.line(labels, shown.weeks, texts, shown.metric.target)


def cases_of(code: str, period: Period, scope: Scope, after: str = "") -> tuple[list[Any], str | None]:
    """The cases behind a figure, misses first: (number, station id, moment, value), and the key of the next page."""
    rows = getattr(figures, code)(period, scope).subquery()
    worst_first = rows.c.value.desc() if code == "first_response" else rows.c.value
    key = func.row_number().over(order_by=(worst_first, rows.c.moment.desc(), rows.c.number)).label("place")
    placed = select(rows, key).subquery()
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0
    page = select(placed).where(placed.c.place > start).order_by(placed.c.place).limit(CASES + 1)
    found = session.execute(page).all()
    more = str(found[CASES - 1].place) if len(found) > CASES else None
    return list(found[:CASES]), more


WAYS = {  # what a task is about → its page, by the number among the task's facts
    "work_order": "/work-orders/", "visit": "/work-orders/", "service_request": "/requests/",
    "opportunity": "/opportunities/", "transfer": "/parts/transfers/",
}  # fmt: skip


def way_to(task: Task) -> str:
    """The address of what a task is about; empty where the task does not name its number."""
    number = task.facts.get("number")
    return f"{WAYS[task.subject_type]}{number}" if number and task.subject_type in WAYS else ""


def tasks_at(person: Person, station_id: int, limit: int = 8) -> list[Any]:
    """The reader's open tasks at a station."""
    return [task for task in tasks_for(person, limit=50) if task.station_id in (station_id, None)][:limit]
