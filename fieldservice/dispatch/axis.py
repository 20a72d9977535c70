"""The time axis of a day plan: local days side by side, each showing the same hours. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import NamedTuple

from fieldservice.foundation.time import at_local, local

FIRST_HOUR, LAST_HOUR = 8, 18  # shown at least


class Mark(NamedTuple):
    """A line of the grid: a full hour, `first` of its day, labelled where there is room (`told`)."""

    place: float
    hour: int
    day: date
    first: bool
    told: bool


@dataclass(frozen=True)
class Axis:
    """Maps moments to per cent of the lane's width."""

    first: date
    days: int = 1
    from_hour: int = FIRST_HOUR
    to_hour: int = LAST_HOUR

    @property
    def hours(self) -> int:
        """Hours shown of each day."""
        return self.to_hour - self.from_hour

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    @property
    def start(self) -> datetime:
        return at_local(self.first)

    @property
    def end(self) -> datetime:
        return at_local(self.first + timedelta(days=self.days))

    def place(self, moment: datetime) -> float:
        """Where `moment` stands, 0…100; hours that are not shown lie at the edge of their day."""
        clock = local(moment)
        day = (clock.date() - self.first).days
        if not 0 <= day < self.days:
            return 0.0 if day < 0 else 100.0
        hour = clock.hour + clock.minute / 60 + clock.second / 3600
        within = min(max(hour - self.from_hour, 0.0), float(self.hours))
        return 100.0 * (day * self.hours + within) / (self.days * self.hours)

    def box(self, starts_at: datetime, ends_at: datetime) -> tuple[float, float] | None:
        """(start, length) of a span, or None when nothing of it is shown."""
        start, end = self.place(starts_at), self.place(ends_at)
        return (start, end - start) if end > start else None

    def shows(self, moment: datetime) -> bool:
        """Whether `moment` lies within the hours shown."""
        clock = local(moment)
        return self.start <= moment < self.end and self.from_hour <= clock.hour < self.to_hour

    def marks(self) -> Iterator[Mark]:
        """Every line to be drawn; only so many are labelled that the labels keep apart."""
        step = 1 if self.days == 1 else 2 if self.days <= 3 else self.hours
        told = (1 if self.hours <= 12 else 2) if self.days == 1 else max(4, 2 * (self.hours // 6))
        for number, day in enumerate(self.dates):
            for hour in range(0, self.hours, step):
                place = 100.0 * (number * self.hours + hour) / (self.days * self.hours)
                yield Mark(place, self.from_hour + hour, day, hour == 0, hour % told == 0)


def axis_for(first: date, days: int, spans: Iterable[tuple[datetime, datetime]]) -> Axis:
    """An axis wide enough for these spans (ordinary shifts and visits) on their own days."""
    low, high = FIRST_HOUR, LAST_HOUR
    end = first + timedelta(days=days)
    for starts_at, ends_at in spans:
        begins, ends = local(starts_at), local(ends_at)
        if first <= begins.date() < end:
            low = min(low, begins.hour)
        if first <= ends.date() < end and ends.date() == begins.date():
            high = max(high, ceil(ends.hour + ends.minute / 60))
        elif first <= begins.date() < end and ends > begins:
            high = 24
    return Axis(first, days, low, high)
