"""Load: work that is booked, of the time there is for it (Q-12). Pure, but for the reading at the end.

*Capacity* is ordinary duty without absences and the usual midday break; time on call is none. *Booked* are visits with
the way to them. Work done wholly on call is not the shift's; work on no duty at all is, since somebody has to do it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.holes import merged, within, without
from fieldservice.dispatch.cover.reading import turns_between
from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import day_span
from fieldservice.stations.models import Technician
from fieldservice.stations.roster import ABSENT_STATES
from fieldservice.workorders.models import Booking, Visit
from fieldservice.workorders.placement import Span
from fieldservice.workorders.slots import LUNCH_TAKES, lunch_within

MOST_PEOPLE = 400


@dataclass(frozen=True)
class Load:
    """Minutes booked, and minutes there are."""

    booked: float = 0.0
    capacity: float = 0.0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.booked + other.booked, self.capacity + other.capacity)

    @property
    def share(self) -> float | None:
        """0.95 of the capacity; None where there is none."""
        return self.booked / self.capacity if self.capacity else None

    @property
    def percent(self) -> int | None:
        return None if self.share is None else round(100 * self.share)

    def above(self, threshold: float) -> bool:
        """Whether it warns: more than that share is booked, or anything where nobody is on duty."""
        return self.booked > threshold * self.capacity


NOTHING = Load()
Loads = Mapping[int, Load]  # by station


def day_loads(
    duties: Iterable[Any], away: Sequence[Span], work: Iterable[Span], day: Span, home: int
) -> dict[int, Load]:
    """Somebody's load of one day, by the station where it is worked.

    Duties have starts_at, ends_at, station_id and on_call. `work` spans begin with the way there, and belong to the
    day on which they begin.
    """
    mine = [one for one in duties if day.touches(one.starts_at, one.ends_at)]
    found: dict[int, Load] = {}
    for station, spans in _regular(mine).items():
        found[station] = Load(capacity=sum(_capacity(span, day) for span in without(spans, away)))
    for span in work:
        if day.starts_at <= span.starts_at < day.ends_at:
            place = _whose(span, mine, home)
            if place is not None:
                found[place] = found.get(place, NOTHING) + Load(booked=_minutes(span))
    return found


def _regular(duties: Iterable[Any]) -> dict[int, list[Span]]:
    """Ordinary duty by station; duties that touch are one, so that the break of a divided shift is found."""
    found: dict[int, list[Span]] = {}
    for one in duties:
        if not one.on_call:
            found.setdefault(one.station_id, []).append(Span(one.starts_at, one.ends_at))
    return {station: merged(spans) for station, spans in found.items()}


def _capacity(piece: Span, day: Span) -> float:
    """Minutes of a piece of duty that lie in the day, without its midday break."""
    minutes = sum(_minutes(one) for one in within([piece], *day))
    room = lunch_within(piece)
    rests = room is not None and day.starts_at <= room.starts_at < day.ends_at
    return minutes - LUNCH_TAKES.total_seconds() / 60 if rests else minutes


def _whose(span: Span, duties: Sequence[Any], home: int) -> int | None:
    """The station whose duty the work falls into; None for work done on call."""
    touched = [one for one in duties if span.touches(one.starts_at, one.ends_at)]
    regular = [one for one in touched if not one.on_call]
    if regular:
        return int(regular[0].station_id)
    return None if touched else home


def _minutes(span: Span) -> float:
    return (span.ends_at - span.starts_at).total_seconds() / 60


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TeamLoad:
    """Loads of some days: of each technician, and of each station by who works there."""

    technicians: Mapping[tuple[int, date], Load] = field(default_factory=dict)
    stations: Mapping[tuple[int, date], Load] = field(default_factory=dict)
    known: Mapping[int, tuple[int, str]] = field(default_factory=dict)  # technician → (home station, state)

    def technician(self, technician_id: int, day: date) -> Load:
        return self.technicians.get((technician_id, day), NOTHING)

    def station(self, station_id: int, day: date) -> Load:
        return self.stations.get((station_id, day), NOTHING)


def load_of(station_ids: Collection[int], first: date, days: int, *, drafts: bool = False) -> TeamLoad:
    """Loads of everybody at home at these stations or rostered there; three statements, at most MOST_PEOPLE of them."""
    start, end = day_span(first, days)
    home = select(Technician.id).where(among(Technician.station_id, station_ids)).order_by(Technician.id)
    people = list(session.scalars(home.limit(MOST_PEOPLE)))
    there = station_ids if len(people) < MOST_PEOPLE else ()  # of a whole country only the first people are looked at
    turns = turns_between(start, end, stations=there, technicians=people, drafts=drafts)
    if lent := sorted({one.technician_id for one in turns} - set(people)):  # of them also what they do elsewhere
        turns = turns_between(start, end, stations=there, technicians=[*people, *lent], drafts=drafts)
    known = _known([*people, *lent])
    away, work = _taken(known, start - timedelta(hours=12), end)
    return _summed(known, turns, away, work, first, days)


def overloaded(station_ids: Collection[int], first: date, days: int) -> int:
    """How many days of technicians at home at these stations pass the threshold of their station."""
    limits, loads = rules.thresholds(station_ids), load_of(station_ids, first, days)
    homes = {one: home for one, (home, _state) in loads.known.items()}
    watched = ((limits.get(homes[person]), load) for (person, _day), load in loads.technicians.items())
    return sum(1 for limit, load in watched if limit is not None and load.above(limit))


def _known(technician_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """technician → (home station, state)"""
    rows = select(Technician.id, Technician.station_id, Technician.state).where(among(Technician.id, technician_ids))
    return {row.id: (row.station_id, row.state) for row in session.execute(rows)} if technician_ids else {}


def _taken(
    known: Mapping[int, tuple[int, str]], start: datetime, end: datetime
) -> tuple[dict[int, list[Span]], dict[int, list[Span]]]:
    """(when away, what is booked with the way to it) by technician; one query."""
    away = {one: [Span(start, end)] for one, (_home, state) in known.items() if state in ABSENT_STATES}
    work: dict[int, list[Span]] = {}
    if not known:
        return away, work
    rows = (
        select(Booking.technician_id, Booking.cause, Booking.starts_at, Booking.ends_at, Visit.travel_min)
        .outerjoin(Visit, Visit.id == Booking.visit_id)
        .where(among(Booking.technician_id, known), Booking.state == "held", Booking.touching(start, end))
    )
    for row in session.execute(rows.order_by(Booking.starts_at)):
        kind = work if row.cause == "visit" else away
        before = timedelta(minutes=row.travel_min or 0)
        kind.setdefault(row.technician_id, []).append(Span(row.starts_at - before, row.ends_at))
    return away, work


def _summed(
    known: Mapping[int, tuple[int, str]], turns: Iterable[Any], away: Mapping[int, Sequence[Span]],
    work: Mapping[int, Sequence[Span]], first: date, days: int,
) -> TeamLoad:  # fmt: skip
    by_person: dict[int, list[Any]] = {}
    for one in turns:
        by_person.setdefault(one.technician_id, []).append(one)
    technicians: dict[tuple[int, date], Load] = {}
    stations: dict[tuple[int, date], Load] = {}
    for day in (first + timedelta(days=number) for number in range(days)):
        span = Span(*day_span(day))
        for person, (home, _state) in known.items():
            loads = day_loads(by_person.get(person, ()), away.get(person, ()), work.get(person, ()), span, home)
            for station, load in loads.items():
                stations[station, day] = stations.get((station, day), NOTHING) + load
            if loads:
                technicians[person, day] = sum(loads.values(), NOTHING)
    return TeamLoad(technicians, stations, known)
