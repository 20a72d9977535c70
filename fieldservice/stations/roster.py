"""Who works where and when: technicians with skills, certificates and published shifts, many in few queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Select, select

from fieldservice.foundation.db import session
from fieldservice.foundation.places import Point
from fieldservice.stations.models import Shift, Technician

COUNTS = ("published", "worked", "locked")  # a draft may still change, a swapped shift is another's
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
    duties: tuple[Duty, ...] = ()  # by start
    state: str = "available"

    @property
    def absent(self) -> bool:
        """Away without a known end."""
        return self.state in ABSENT_STATES


def members_of(station_ids: Collection[int], start: datetime, end: datetime, limit: int = 400) -> list[Member]:
    """Technicians at home at these stations, with their duties touching [start, end); four queries."""
    mine = select(Technician).where(Technician.station_id.in_(station_ids))
    return _members(mine.order_by(Technician.station_id, Technician.id).limit(limit), start, end)


def members_by_id(technician_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, Member]:
    """These technicians, with their duties touching [start, end); four queries."""
    wanted = set(technician_ids)
    if not wanted:
        return {}
    return {member.id: member for member in _members(select(Technician).where(Technician.id.in_(wanted)), start, end)}


def lent_to(station_ids: Collection[int], start: datetime, end: datetime) -> set[int]:
    """Technicians of other stations who are rostered here in that time: lent, for everybody to see."""
    rows = (
        select(Shift.technician_id)
        .join(Technician, Technician.id == Shift.technician_id)
        .where(Shift.station_id.in_(station_ids), Technician.station_id.not_in(station_ids))
        .where(Shift.state.in_(COUNTS), Shift.starts_at < end, Shift.ends_at > start)
    )
    return set(session.scalars(rows.distinct()))


def _members(technicians: Select[Technician], start: datetime, end: datetime) -> list[Member]:
    rows = session.scalars(technicians).all()
    duties = _duties([row.id for row in rows], start, end)
    return [
        Member(
            id=row.id,
            station_id=row.station_id,
            home=Point(row.latitude, row.longitude),
            names=row.names,
            skills={skill.skill: skill.level for skill in row.skills},
            certificates={certificate.kind: certificate.valid_until for certificate in row.certificates},
            duties=tuple(duties.get(row.id, ())),
            state=row.state,
        )
        for row in rows
    ]


def _duties(technician_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, list[Duty]]:
    grouped: dict[int, list[Duty]] = {}
    if not technician_ids:
        return grouped
    rows = session.execute(
        select(Shift.technician_id, Shift.starts_at, Shift.ends_at, Shift.station_id, Shift.on_call)
        .where(Shift.technician_id.in_(technician_ids), Shift.state.in_(COUNTS))
        .where(Shift.starts_at < end, Shift.ends_at > start)
        .order_by(Shift.starts_at, Shift.id)
    )
    for technician_id, starts_at, ends_at, station_id, on_call in rows:
        grouped.setdefault(technician_id, []).append(Duty(starts_at, ends_at, station_id, on_call))
    return grouped
