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
from fieldservice.foundation.places.course import Course, course
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
        start, course = self._whole(local(first).date(), (last - first) // timedelta(days=1) + 3)
        since = (moments - np.datetime64(start.replace(tzinfo=None), "us")) / np.timedelta64(1, "s")
        return np.array(course.factors)[np.searchsorted(np.array(course.clock), since, side="right") - 1]

    def arrival(self, depart_at: datetime, base_minutes: float) -> datetime:
        """When a drive ends that starts then; UTC. Raises ValueError for a naive moment and a senseless length."""
        depart_at, base = _aware(depart_at).astimezone(UTC), _length(base_minutes)
        start, course = self._whole(local(depart_at).date(), self._days(base) + 1)
        left = (depart_at - start).total_seconds()
        return depart_at + timedelta(seconds=course.when(course.by(left) + base * 60) - left)

    def latest_departure(self, arrive_by: datetime, base_minutes: float) -> datetime:
        """The last moment to set out and arrive by then, UTC: the inverse of `arrival`, with its errors."""
        spent = self._departure(arrive_by, base_minutes)
        return spent if self.arrival(spent, base_minutes) <= arrive_by else spent - timedelta(microseconds=1)

    def minutes_from(self, depart_at: datetime, base_minutes: float) -> float:
        """Minutes on the way of who sets out then. Raises as `arrival` does."""
        return (self.arrival(depart_at, base_minutes) - depart_at) / timedelta(minutes=1)

    def minutes_until(self, arrive_by: datetime, base_minutes: float) -> float:
        """Minutes on the way of who arrives then. Raises as `arrival` does."""
        return (arrive_by - self._departure(arrive_by, base_minutes)) / timedelta(minutes=1)

    def ordinary(self, depart_at: datetime, arrive_at: datetime) -> float:
        """How many minutes at an ordinary hour a drive has that goes on between two aware moments, in this order."""
        days = (arrive_at - depart_at) // timedelta(days=1) + 2
        start, course = self._whole(local(_aware(depart_at)).date(), days)
        left, there = ((moment - start).total_seconds() for moment in (depart_at, _aware(arrive_at)))
        return (course.by(there) - course.by(left)) / 60

    def course(self, origin: datetime, days: int) -> Course:
        """The hours of so many days from an aware moment on, in seconds since then."""
        start, whole = self._whole(local(_aware(origin)).date() - timedelta(days=1), days + 3)
        before = (origin - start).total_seconds()
        return course([moment - before for moment in whole.clock], whole.factors)

    def of(self, day: date) -> Hours:
        """The factors of that day's 24 local hours."""
        return self.weekend if day.weekday() >= SATURDAY else self.weekday

    def _days(self, base: float) -> int:
        """Days a drive can take, rounded up, and one more, since days are cut short when clocks are put forward."""
        return int(base * max(*self.weekday, *self.weekend) // MINUTES) + 2

    def _departure(self, arrive_by: datetime, base_minutes: float) -> datetime:
        """`latest_departure`, to a microsecond or two."""
        arrive_by, base = _aware(arrive_by).astimezone(UTC), _length(base_minutes)
        before = self._days(base)
        start, course = self._whole(local(arrive_by).date() - timedelta(days=before), before + 1)
        there = (arrive_by - start).total_seconds()
        return arrive_by - timedelta(seconds=there - course.when(course.by(there) - base * 60))

    def _whole(self, first: date, days: int) -> tuple[datetime, Course]:
        """Whole local days: when the first begins (UTC), and their hours in seconds since then."""
        return _whole(self, str(clock.zone), first, days)


@lru_cache(maxsize=256)
def _whole(hours: Daytime, _zone: str, first: date, days: int) -> tuple[datetime, Course]:
    start = at_local(first)
    moments, factors = [0.0], [hours.of(first)[0]]
    for day in (first + timedelta(days=number) for number in range(days)):
        for hour, factor in enumerate(hours.of(day)):
            moment = (at_local(day, hour) - start).total_seconds()
            if factor == factors[-1]:
                continue
            if moment <= moments[-1]:  # an hour the clocks leap over in spring
                factors[-1] = factor
            else:
                moments.append(moment)
                factors.append(factor)
    return start, course(moments, factors)


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


def _length(base_minutes: float) -> float:
    if not 0 <= base_minutes <= LONGEST:
        raise ValueError("a drive takes no less than nothing and no more than a month")
    return base_minutes
