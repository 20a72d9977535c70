"""The time axis of the board: local days one after another, each showing the same hours. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from fieldservice.foundation.time import at_local, local

FIRST_HOUR, LAST_HOUR = 8, 18  # shown at least


@dataclass(frozen=True)
class Axis:
    """Which hours of which days are shown."""

    first: date
    days: int = 1
    from_hour: int = FIRST_HOUR
    to_hour: int = LAST_HOUR

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    @property
    def start(self) -> datetime:
        return at_local(self.first)

    @property
    def end(self) -> datetime:
        return at_local(self.first + timedelta(days=self.days))

    @property
    def spans(self) -> list[tuple[datetime, datetime]]:
        """What is shown of each day; hours between are cut out."""
        return [(_hour(day, self.from_hour), _hour(day, self.to_hour)) for day in self.dates]


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


def _hour(day: date, hour: int) -> datetime:
    return at_local(day, hour) if hour < 24 else at_local(day + timedelta(days=1))
