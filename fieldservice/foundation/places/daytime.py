"""The same way takes longer in the rush hours: factors by local hour, and drives that last over several hours.

A drive is `base_minutes` long at an ordinary hour (factor 1), as a `TravelProvider` tells it. Whoever sets out later
never arrives earlier: a vehicle moves at the pace of the hour it is in, rather than at that of the hour it left in
(Ichoua, Gendreau and Potvin, "Vehicle dispatching with time-dependent travel times", 2003).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.time import at_local, clock, local

TABLE = Path(__file__).parent / "data" / "daytime.yaml"
SATURDAY = 5
MINUTES = 60 * 24
LONGEST = 30.0 * MINUTES  # to the other side of the Earth are two weeks by straight line
Hours = tuple[float, ...]  # a factor for each of 24 local hours


@dataclass(frozen=True)
class Daytime:
    """Factors of travel time by local hour. Raises ValueError unless each day has 24 positive ones."""

    weekday: Hours
    weekend: Hours

    def __post_init__(self) -> None:
        for hours in (self.weekday, self.weekend):
            if len(hours) != 24 or not all(0 < factor < inf for factor in hours):
                raise ValueError("a day has 24 hours, each with a positive factor")

    def factor(self, at: datetime) -> float:
        """How many times longer than usual driving takes at this moment. Raises ValueError for a naive one."""
        there = local(_aware(at))
        return self.of(there.date())[there.hour]

    def factors(self, at: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """`factor` for many moments, given as UTC datetime64 of any shape."""
        moments = at.astype("datetime64[us]")
        if not moments.size:
            return np.ones(moments.shape)
        first, last = (moment.replace(tzinfo=UTC) for moment in (moments.min().item(), moments.max().item()))
        course = self._course(local(first).date(), (last - first) // timedelta(days=1) + 3)
        since = (moments - np.datetime64(course.start.replace(tzinfo=None), "us")) / np.timedelta64(1, "m")
        return course.factors[np.searchsorted(course.clock, since, side="right") - 1]

    def arrival(self, depart_at: datetime, base_minutes: float) -> datetime:
        """When a drive ends that starts then; UTC. Raises ValueError for a naive moment and a senseless length."""
        return _aware(depart_at).astimezone(UTC) + timedelta(minutes=float(self.driving(depart_at, base_minutes)))

    def latest_departure(self, arrive_by: datetime, base_minutes: float) -> datetime:
        """The last moment to set out and arrive by then, UTC: the inverse of `arrival`, with its errors."""
        arrive_by = _aware(arrive_by).astimezone(UTC)
        base = float(_lengths(base_minutes))
        before = self._days(base)
        course = self._course(local(arrive_by).date() - timedelta(days=before), before + 1)
        there = (arrive_by - course.start) / timedelta(minutes=1)
        left = np.interp(np.interp(there, course.clock, course.driven) - base, course.driven, course.clock)
        spent = arrive_by - timedelta(minutes=float(there - left))
        return spent if self.arrival(spent, base) <= arrive_by else spent - timedelta(microseconds=1)

    def driving(self, depart_at: datetime, base_minutes: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Minutes on the way for drives of any number that all start then, in the shape of `base_minutes`."""
        depart_at, base = _aware(depart_at), _lengths(base_minutes)
        course = self._course(local(depart_at).date(), self._days(float(base.max(initial=0.0))) + 1)
        left = (depart_at - course.start) / timedelta(minutes=1)
        there = np.interp(np.interp(left, course.clock, course.driven) + base, course.driven, course.clock)
        return np.asarray(there - left, dtype=np.float64)

    def of(self, day: date) -> Hours:
        """The factors of that day's 24 local hours."""
        return self.weekend if day.weekday() >= SATURDAY else self.weekday

    def _days(self, base: float) -> int:
        """Days a drive can take, rounded up, and one more, since days are cut short when clocks are put forward."""
        return int(base * max(*self.weekday, *self.weekend) // MINUTES) + 2

    def _course(self, first: date, days: int) -> "_Course":
        return _course(self, str(clock.zone), first, days)


@dataclass(frozen=True)
class _Course:
    """How far somebody comes who drives through whole days: minutes of the clock, and base minutes driven by then."""

    start: datetime  # UTC
    clock: NDArray[np.float64]  # since start, rising: each hour that differs from the one before, and the end
    driven: NDArray[np.float64]  # by then, rising
    factors: NDArray[np.float64]  # from then on


@lru_cache(maxsize=256)
def _course(hours: Daytime, _zone: str, first: date, days: int) -> _Course:
    start = at_local(first)
    moments, factors = [0.0], [hours.of(first)[0]]
    for day in (first + timedelta(days=number) for number in range(days)):
        for hour, factor in enumerate(hours.of(day)):
            moment = (at_local(day, hour) - start) / timedelta(minutes=1)
            if factor == factors[-1]:
                continue
            if moment <= moments[-1]:  # an hour the clocks leap over in spring
                factors[-1] = factor
            else:
                moments.append(moment)
                factors.append(factor)
    moments.append((at_local(first + timedelta(days=days)) - start) / timedelta(minutes=1))
    along, pace = np.array(moments), np.array(factors)
    driven = np.concatenate([[0.0], np.cumsum(np.diff(along) / pace)])
    return _Course(start, along, driven, np.append(pace, pace[-1]))


@cache
def default() -> Daytime:
    """The project's table (data/daytime.yaml)."""
    return read(read_yaml(TABLE))


def read(table: Mapping[str, Mapping[str, Any]]) -> Daytime:
    """A table of spans such as {'weekday': {'00-07': 0.9, …}, 'weekend': …}. Raises ValueError for gaps in a day."""
    if set(table) != {"weekday", "weekend"}:
        raise ValueError("a table of hours has weekday and weekend")
    return Daytime(_spread(table["weekday"]), _spread(table["weekend"]))


def _spread(spans: Mapping[str, Any]) -> Hours:
    hours: list[float] = []
    for span, factor in sorted(spans.items()):
        start, end = (int(hour) for hour in span.split("-"))
        if start != len(hours) or end <= start:
            raise ValueError(f"the hours {span} leave a gap or overlap")
        hours += [float(factor)] * (end - start)
    return tuple(hours)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset has no local hour")
    return moment


def _lengths(base_minutes: NDArray[np.float64] | float) -> NDArray[np.float64]:
    base = np.asarray(base_minutes, dtype=np.float64)
    if not ((base >= 0) & (base <= LONGEST)).all():
        raise ValueError("a drive takes no less than nothing and no more than a month")
    return base
