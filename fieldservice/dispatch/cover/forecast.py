"""Work to be expected at a station: the mean of each weekday over its last weeks, with their spread (Q-12).

An estimate that anybody can check by hand: hours of work that came in (orders by the day they were made, called-off
ones left out, with the usual way), averaged by weekday over at most eight whole weeks. It knows no seasons and no
holidays; with fewer than four weeks it is called a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean, stdev

from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.time import day_span, local
from fieldservice.workorders.models import Visit, WorkOrder

WEEKS, ENOUGH = 8, 4
WEEK = 7


@dataclass(frozen=True)
class Demand:
    """Hours of work on a weekday: the mean, and the standard deviation around it (0 where there is one week only)."""

    hours: float
    spread: float


@dataclass(frozen=True)
class Forecast:
    """By weekday, Monday first; from so many whole weeks. Without any nothing is told."""

    weeks: int = 0
    weekdays: tuple[Demand, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether there is history enough to lean on."""
        return self.weeks >= ENOUGH

    def on(self, day: date) -> Demand | None:
        return self.weekdays[day.weekday()] if self.weeks else None


def forecast(hours: Mapping[date, float], first: date | None, today: date) -> Forecast:
    """What came in by day, and the day of the very first work: what is to be expected. Today is not over: not used."""
    weeks = min(WEEKS, (today - first).days // WEEK) if first is not None else 0
    if weeks < 1:
        return Forecast()
    days = [today - timedelta(days=number) for number in range(1, weeks * WEEK + 1)]
    return Forecast(weeks, tuple(_demand(hours, days, weekday) for weekday in range(WEEK)))


def _demand(hours: Mapping[date, float], days: Sequence[date], weekday: int) -> Demand:
    values = [hours.get(day, 0.0) for day in days if day.weekday() == weekday]
    return Demand(mean(values), stdev(values) if len(values) > 1 else 0.0)


def forecast_of(station_id: int, today: date) -> Forecast:
    """The forecast of a station; three statements."""
    start, end = day_span(today - timedelta(days=WEEKS * WEEK), WEEKS * WEEK)
    mine = WorkOrder.station_id == station_id
    first = session.scalar(select(func.min(WorkOrder.created_at)).where(mine))
    came = select(WorkOrder.created_at, WorkOrder.duration_min).where(
        mine, WorkOrder.state != "cancelled", WorkOrder.created_at >= start, WorkOrder.created_at < end
    )
    ways = select(func.avg(Visit.travel_min)).where(
        Visit.station_id == station_id, Visit.starts_at >= start, Visit.starts_at < end
    )
    way = float(session.scalar(ways) or 0)
    hours: dict[date, float] = {}
    for created_at, minutes in session.execute(came):
        day = local(created_at).date()
        hours[day] = hours.get(day, 0.0) + (minutes + way) / 60
    return forecast(hours, local(first).date() if first is not None else None, today)
