"""Who works where and when: technicians with skills, certificates and published shifts, many in few queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Select, select, union

from fieldservice.foundation.db import LONGEST, among, session, touching
from fieldservice.foundation.places import Point
from fieldservice.stations.lendings import Lent, borrowed_by, lent_of, stretches
from fieldservice.stations.models import Certificate, Shift, Technician, TechnicianSkill

COUNTS = ("published", "worked", "locked")  # a draft may still change, a swapped shift is another's
FACTS = (
    Technician.id, Technician.station_id, Technician.latitude, Technician.longitude, Technician.names, Technician.state,
)  # fmt: skip
ABSENT_STATES = ("leave", "suspended")  # until somebody sets them available again


@dataclass(frozen=True)
class Duty:
    """Time on duty, or on call, at a station (usually the home one; elsewhere the technician is lent)."""

    starts_at: datetime
    ends_at: datetime
    station_id: int
    on_call: bool = False


@dataclass(frozen=True)
class Member:
    """A technician as planning sees one: plain values."""

    id: int
    station_id: int
    home: Point
    names: Mapping[str, str] = field(default_factory=dict)
    skills: Mapping[str, int] = field(default_factory=dict)  # skill → level 1…3
    certificates: Mapping[str, date] = field(default_factory=dict)  # kind → last valid day
    duties: tuple[Duty, ...] = ()  # by start; those in a lending are at the station that borrows
    state: str = "available"
    lent: tuple[Lent, ...] = ()  # by start

    @cached_property
    def regular(self) -> tuple[tuple[datetime, datetime], ...]:
        """Ordinary duty; duties that touch are one."""
        return _merged(duty for duty in self.duties if not duty.on_call)

    @cached_property
    def with_on_call(self) -> tuple[tuple[datetime, datetime], ...]:
        """Ordinary duty and on-call time; those that touch are one (a shift that goes over into on-call)."""
        return _merged(self.duties)

    @property
    def absent(self) -> bool:
        """Away without a known end."""
        return self.state in ABSENT_STATES

    def lent_at(self, moment: datetime) -> Lent | None:
        """The lending that holds then."""
        return next((one for one in self.lent if one.starts_at <= moment < one.ends_at), None)

    def home_at(self, moment: datetime) -> Point:
        """Where the day begins and ends then: at home, or where a lending lodges him."""
        lent = self.lent_at(moment) if self.lent else None
        return lent.lodging if lent is not None and lent.lodging is not None else self.home


def stationed(duties: Iterable[Duty], lents: Sequence[Lent]) -> tuple[Duty, ...]:
    """Duties cut at the edges of lendings; what lies in one is duty at the station that borrows. Nothing is lost."""
    return tuple(
        replace(duty, starts_at=starts_at, ends_at=ends_at, station_id=lent.station_id if lent else duty.station_id)
        for duty in duties
        for starts_at, ends_at, lent in stretches(duty.starts_at, duty.ends_at, lents)
    )


def _merged(duties: Iterable[Duty]) -> tuple[tuple[datetime, datetime], ...]:
    spans: list[tuple[datetime, datetime]] = []
    for duty in sorted(duties, key=lambda one: one.starts_at):
        if spans and duty.starts_at <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], duty.ends_at))
        else:
            spans.append((duty.starts_at, duty.ends_at))
    return tuple(spans)


def members_of(station_ids: Collection[int], start: datetime, end: datetime, limit: int = 400) -> list[Member]:
    """Technicians at home at these stations, with their duties touching [start, end); five queries."""
    mine = select(*FACTS).where(among(Technician.station_id, station_ids))
    return _members(mine.order_by(Technician.station_id, Technician.id).limit(limit), start, end)


def members_by_id(technician_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, Member]:
    """These technicians, with their duties touching [start, end); five queries."""
    wanted = set(technician_ids)
    if not wanted:
        return {}
    return {member.id: member for member in _members(select(*FACTS).where(among(Technician.id, wanted)), start, end)}


def lent_to(station_ids: Collection[int], start: datetime, end: datetime) -> set[int]:
    """Technicians of other stations who are rostered here in that time, or lent: for everybody to see."""
    rostered = (
        select(Shift.technician_id)
        .join(Technician, Technician.id == Shift.technician_id)
        .where(Shift.station_id.in_(station_ids), Technician.station_id.not_in(station_ids))
        .where(Shift.state.in_(COUNTS), *touching(Shift, start, end))
    )
    return set(session.scalars(union(rostered, borrowed_by(station_ids, start, end))))


def _members(technicians: Select[Any], start: datetime, end: datetime) -> list[Member]:
    rows = session.execute(technicians).all()
    ids = [row.id for row in rows]
    duties, lent = _duties(ids, start, end), lent_of(ids, start - LONGEST, end + LONGEST)
    skills = _by_technician(ids, TechnicianSkill.technician_id, TechnicianSkill.skill, TechnicianSkill.level)
    held = _by_technician(ids, Certificate.technician_id, Certificate.kind, Certificate.valid_until)
    return [
        Member(
            id=row.id,
            station_id=row.station_id,
            home=Point(row.latitude, row.longitude),
            names=row.names,
            skills=skills.get(row.id, {}),
            certificates=held.get(row.id, {}),
            duties=stationed(duties.get(row.id, ()), lent.get(row.id, ())),
            state=row.state,
            lent=tuple(lent.get(row.id, ())),
        )
        for row in rows
    ]


def _by_technician(ids: Sequence[int], owner: Any, name: Any, worth: Any) -> dict[int, dict[str, Any]]:
    """technician → name → worth, in one statement without an object for each"""
    grouped: dict[int, dict[str, Any]] = {}
    for technician, what, much in session.execute(select(owner, name, worth).where(among(owner, ids))):
        grouped.setdefault(technician, {})[what] = much
    return grouped


def _duties(technician_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, list[Duty]]:
    grouped: dict[int, list[Duty]] = {}
    if not technician_ids:
        return grouped
    rows = session.execute(
        select(Shift.technician_id, Shift.starts_at, Shift.ends_at, Shift.station_id, Shift.on_call)
        .where(among(Shift.technician_id, technician_ids), Shift.state.in_(COUNTS))
        .where(*touching(Shift, start, end))
        .order_by(Shift.starts_at, Shift.id)
    )
    for technician_id, starts_at, ends_at, station_id, on_call in rows:
        grouped.setdefault(technician_id, []).append(Duty(starts_at, ends_at, station_id, on_call))
    return grouped
