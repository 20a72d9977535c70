"""Business time: workdays of a country, station hours, and arithmetic over them.

The pure part takes and gives aware UTC. Workdays of China come from the `chinesecalendar` package,
make-up days included; imported rows win over it. A year nobody published yet falls back to plain
weekends and is reported (`missing_years`), never raised (N-13, DOMAIN §7).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

import chinese_calendar
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, session
from fieldservice.foundation.time import clock, local
from fieldservice.mechanisms.remembered import forget, remembered

MAX_DAYS_AHEAD = 4000  # a calendar closed for ten years is a mistake in its data


class CalendarDay(Base):
    """An imported day that differs from (or confirms) what the package says."""

    __tablename__ = "calendar_day"
    day: Mapped[date] = mapped_column(primary_key=True)
    workday: Mapped[bool]
    source: Mapped[str] = mapped_column(String(120), default="")


@cache
def published_years() -> frozenset[int]:
    """Years the package knows."""
    return frozenset(day.year for day in chinese_calendar.holidays)


@cache
def _published(day: date) -> bool:
    """The package looks a day up slowly and is asked for the same ones all the time: a promise in business hours
    is measured against the last hundred. A few thousand days at most."""
    return bool(chinese_calendar.is_workday(day))


@dataclass(frozen=True)
class Days:
    """Which days are worked: imported rows first, then the published year, then plain weekends."""

    imported: Mapping[date, bool] = field(default_factory=dict)

    def is_workday(self, day: date) -> bool:
        known = self.imported.get(day)
        if known is not None:
            return known
        if day.year in published_years():
            return _published(day)
        return day.weekday() < 5

    def knows(self, year: int) -> bool:
        """Whether holidays of `year` were published or imported."""
        return year in published_years() or any(day.year == year for day in self.imported)


Span = tuple[time, time]
STANDARD_HOURS: tuple[Span, ...] = ((time(8, 30), time(12, 0)), (time(13, 0), time(17, 30)))


@dataclass(frozen=True)
class BusinessCalendar:
    """Opening hours on workdays. `weekdays` (0 = Monday) replaces the hours of single weekdays."""

    days: Days = field(default_factory=Days)
    hours: tuple[Span, ...] = STANDARD_HOURS
    weekdays: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    zone: tzinfo = field(default_factory=lambda: clock.zone)

    def __post_init__(self) -> None:
        if not self.hours:
            raise ValueError("a business calendar needs hours")
        for spans in (self.hours, *self.weekdays.values()):
            ends = [moment for span in spans for moment in span]
            if ends != sorted(set(ends)):
                raise ValueError("business hours are in order and do not overlap")

    def is_workday(self, day: date) -> bool:
        """Whether people work on this local day."""
        return self.days.is_workday(day)

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The open spans of a local day as UTC moments; none on a day off."""
        if not self.is_workday(day):
            return []
        return [
            (
                datetime.combine(day, opens, self.zone).astimezone(UTC),
                datetime.combine(day, closes, self.zone).astimezone(UTC),
            )
            for opens, closes in self.weekdays.get(day.weekday(), self.hours)
        ]

    def _spans_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = start.astimezone(self.zone).date()
        for _ in range(MAX_DAYS_AHEAD):
            for opens, closes in self.spans(day):
                if closes > start:
                    yield max(opens, start), closes
            day += timedelta(days=1)
        raise ValueError("this calendar has no open hours for years: check its imported days")

    def add(self, start: datetime, minutes: float) -> datetime:
        """The moment `minutes` (≥ 0) of open time after `start`. Ends on a closing time, not the next opening."""
        start, left = _utc(start), timedelta(minutes=minutes)
        if left < timedelta(0):
            raise ValueError("business time is added forwards only")
        if not left:
            return start
        for opens, closes in self._spans_from(start):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("unreachable")

    def minutes_between(self, start: datetime, end: datetime) -> float:
        """Open minutes from `start` to `end`; negative when `end` is earlier."""
        start, end = _utc(start), _utc(end)
        if end < start:
            return -self.minutes_between(end, start)
        total, day, last = timedelta(0), start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self.spans(day):
                total += max(timedelta(0), min(closes, end) - max(opens, start))
            day += timedelta(days=1)
        return total.total_seconds() / 60

    def is_open(self, moment: datetime) -> bool:
        """Whether `moment` lies in business hours."""
        moment = _utc(moment)
        return any(opens <= moment < closes for opens, closes in self.spans(moment.astimezone(self.zone).date()))

    def missing_years(self, start: datetime, end: datetime) -> list[int]:
        """Years touched whose holidays nobody published: the fact behind `calendar_year_missing`."""
        first, last = (moment.astimezone(self.zone).year for moment in (start, end))
        return [year for year in range(first, last + 1) if not self.days.knows(year)]


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"naive time {moment!r}: give it a zone")
    return moment.astimezone(UTC)


def stored_days(since: datetime) -> Days:
    """Workdays with the imported rows of the year of `since` and later."""
    first = date(local(since).year, 1, 1)
    rows = session.execute(select(CalendarDay.day, CalendarDay.workday).where(CalendarDay.day >= first))
    return Days({row.day: row.workday for row in rows})


def standard_calendar(since: datetime) -> BusinessCalendar:
    """The default hours over the stored days from the year of `since` on; read once in a transaction."""
    return remembered("calendar", local(since).year, lambda: BusinessCalendar(stored_days(since)))


def import_days(days: Mapping[date, bool], source: str) -> int:
    """Take over published days (True = worked); repeats replace. Returns how many changed."""
    changed = 0
    forget("calendar")
    for day, workday in days.items():
        known = session.get(CalendarDay, day)
        if known is None:
            session.add(CalendarDay(day=day, workday=workday, source=source))
        elif known.workday == workday:
            continue
        else:
            known.workday, known.source = workday, source
        changed += 1
    session.flush()
    return changed
