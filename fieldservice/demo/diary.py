"""Technicians' time while stories are made up: who is free when, by the same rules that booking asks later.

Plain values. It is quicker than the table of eligibility rules because it looks at one day's stops only,
and never laxer: what it gives, booking accepts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

from fieldservice.demo.dice import Dice
from fieldservice.demo.roster import Duty
from fieldservice.demo.still import absences
from fieldservice.demo.world import TechnicianPlan, World
from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.foundation.places.legs import Leg, leg
from fieldservice.foundation.time import at_local, local

ROUND = timedelta(minutes=5)
LEG = timedelta(hours=16)  # eligibility.LONGEST_LEG
EPOCH = at_local(date(2000, 1, 1))


@dataclass(frozen=True)
class Stop:
    starts_at: datetime
    ends_at: datetime
    point: Point | None


@dataclass(frozen=True)
class Need:
    """What a job asks of whoever does it."""

    station: str
    point: Point
    priority: str
    length: timedelta
    skills: Mapping[str, int]
    certificates: tuple[str, ...]


@dataclass(frozen=True)
class Slot:
    technician: TechnicianPlan
    starts_at: datetime
    ends_at: datetime
    travel: timedelta
    free_at: datetime  # when the technician could set off at the earliest


@dataclass
class Diary:
    """What everybody has booked so far."""

    world: World
    stops: dict[str, dict[int, list[Stop]]] = field(default_factory=dict)  # technician → day → stops, by start
    _skilled: dict[tuple[tuple[str, int], ...], list[TechnicianPlan]] = field(default_factory=dict)
    _turns: dict[tuple[str, date], list[Duty]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for technician, _cause, days, hours in absences(self.world):
            day = self.world.today + timedelta(days=days)
            self.book(technician.key, Stop(at_local(day, hours[0]), at_local(day, hours[1]), None))

    def book(self, technician: str, stop: Stop) -> None:
        days = self.stops.setdefault(technician, {})
        for number in {_number(stop.starts_at), _number(stop.ends_at)}:
            days[number] = sorted([*days.get(number, ()), stop], key=lambda one: one.starts_at)

    def drop(self, technician: str, stop: Stop) -> None:
        """The stop does not happen after all."""
        days = self.stops.get(technician, {})
        for number in {_number(stop.starts_at), _number(stop.ends_at)}:
            days[number] = [one for one in days.get(number, ()) if one != stop]

    def find(
        self, need: Need, earliest: datetime, latest: datetime, dice: Dice, only: TechnicianPlan | None = None
    ) -> Slot | None:
        """The best start in [earliest, latest] among everybody able: soon, near, and not always the same person."""
        best: tuple[float, Slot] | None = None
        for technician in self._able(need, earliest):
            if only is not None and technician != only:
                continue
            slot = next(self.slots(technician, need, earliest, latest), None)
            if slot is None:
                continue
            cost = (slot.starts_at - earliest).total_seconds() / 60 + slot.travel.total_seconds() / 60
            cost += dice.uniform(0, 90) - 20 * self._fit(technician, need)
            if best is None or cost < best[0]:
                best = (cost, slot)
        return best[1] if best else None

    def slots(self, technician: TechnicianPlan, need: Need, earliest: datetime, latest: datetime) -> Iterator[Slot]:
        """Starts of one technician in [earliest, latest]: from home, and from each stop."""
        for duty in self._duties(technician, need, earliest, latest):
            around = self._around(technician.key, duty)
            from_home = _leg(technician.home, need.point).soonest(duty.starts_at)
            tries = {max(from_home, earliest)}
            for stop in around:
                if duty.starts_at < stop.ends_at < duty.ends_at:
                    there = _leg(stop.point, need.point).soonest(stop.ends_at) if stop.point else stop.ends_at
                    tries.add(max(there, earliest))
            for start in sorted(map(_up, tries)):
                end = start + need.length
                # from home too: the stop before may be told of later than this one
                if from_home <= start <= latest and self._fits(duty, around, need, start, end):
                    free_at, origin = self._comes_from(technician, duty, around, start)
                    travel = timedelta(minutes=_leg(origin, need.point).minutes(start))
                    yield Slot(technician, start, end, travel, free_at)

    def _comes_from(
        self, technician: TechnicianPlan, duty: Duty, around: list[Stop], start: datetime
    ) -> tuple[datetime, Point]:
        """Since when the technician is free, and where: at the last stop of the duty, else at home."""
        free_at, origin = duty.starts_at, technician.home
        for stop in around:
            if duty.starts_at < stop.ends_at <= start:
                free_at, origin = stop.ends_at, stop.point or origin
        return free_at, origin

    def _able(self, need: Need, moment: datetime) -> list[TechnicianPlan]:
        """Who may do it and works at the job's station around then."""
        key = tuple(sorted(need.skills.items()))
        if key not in self._skilled:
            self._skilled[key] = [
                technician
                for technician in self.world.technicians
                if all(technician.skills.get(skill, 0) >= level for skill, level in key)
            ]
        today = local(moment).date()
        days = (today, today + timedelta(days=1))
        return [
            technician
            for technician in self._skilled[key]
            if technician.station == need.station or any(technician.station_on(day) == need.station for day in days)
        ]

    def _fit(self, technician: TechnicianPlan, need: Need) -> int:
        return sum(technician.skills[skill] - level for skill, level in need.skills.items())

    def _duties(self, technician: TechnicianPlan, need: Need, earliest: datetime, latest: datetime) -> Iterator[Duty]:
        """Duties that count for the job, merged where they touch; on call only for what is urgent."""
        day, last = local(earliest).date() - timedelta(days=1), local(latest).date()
        merged: list[Duty] = []
        while day <= last:
            if technician.station_on(day) == need.station and _certified(technician, need, day):
                for duty in self._duties_of(technician, day):
                    if duty.on_call and need.priority not in ("P1", "P2"):
                        continue
                    if merged and duty.starts_at <= merged[-1].ends_at:
                        merged[-1] = Duty(merged[-1].starts_at, max(merged[-1].ends_at, duty.ends_at))
                    else:
                        merged.append(duty)
            day += timedelta(days=1)
        return (duty for duty in merged if duty.ends_at > earliest and duty.starts_at <= latest)

    def _duties_of(self, technician: TechnicianPlan, day: date) -> list[Duty]:
        key = (technician.key, day)
        if key not in self._turns:
            self._turns[key] = technician.duties(day)
        return self._turns[key]

    def _around(self, technician: str, duty: Duty) -> list[Stop]:
        days = self.stops.get(technician, {})
        first, last = _number(duty.starts_at) - 1, _number(duty.ends_at) + 1
        stops = {stop for number in range(first, last + 1) for stop in days.get(number, ())}
        return sorted(stops, key=lambda one: one.starts_at)

    def _fits(self, duty: Duty, around: list[Stop], need: Need, start: datetime, end: datetime) -> bool:
        if end > duty.ends_at:
            return False
        for stop in around:
            if start < stop.ends_at and end > stop.starts_at:
                return False
            if stop.point is None:
                continue
            way = _leg(stop.point, need.point)
            if timedelta(0) <= start - stop.ends_at < LEG and way.soonest(stop.ends_at) > start:
                return False
            if timedelta(0) <= stop.starts_at - end < LEG and way.soonest(end) > stop.starts_at:
                return False
        return True


def _certified(technician: TechnicianPlan, need: Need, day: date) -> bool:
    """Valid on the next day too, in case the work goes on past midnight."""
    after = day + timedelta(days=1)
    return all(kind in technician.certificates and technician.certificates[kind] >= after for kind in need.certificates)


@cache
def _minutes(here: Point, there: Point) -> float:
    return travel_minutes(here, there)


def _leg(here: Point, there: Point) -> Leg:
    return leg(here, there, _minutes(here, there))


def _number(moment: datetime) -> int:
    return local(moment).toordinal()


def _up(moment: datetime) -> datetime:
    return EPOCH + -(-(moment - EPOCH) // ROUND) * ROUND
