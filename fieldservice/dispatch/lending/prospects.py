"""What would come of lending somebody: visits in the way, what the home station could still do, further ways, cost.

Also who could come at all. The number of statements does not depend on how many people are looked at.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from fieldservice.dispatch.lending.costs import Cost, Way, cost, stays
from fieldservice.dispatch.lending.rates import terms_of
from fieldservice.foundation.db import among, session
from fieldservice.foundation.places import Point, travel
from fieldservice.foundation.time import local
from fieldservice.stations import roster
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES
from fieldservice.stations.roster import Member
from fieldservice.workorders.booking import OPEN_STATES
from fieldservice.workorders.days import stops_of
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span, Stop
from fieldservice.workorders.queries import MOST_TECHNICIANS

MOST_STATIONS = 12  # the nearest ones are looked at
MOST_VISITS = 100  # named of those in the way


@dataclass(frozen=True)
class InTheWay:
    """A visit that would have to go to somebody else first, or be kept."""

    visit_id: int
    number: str
    titles: Mapping[str, str]
    state: str
    starts_at: datetime
    ends_at: datetime
    technician_id: int
    station_id: int


@dataclass(frozen=True)
class Cover:
    """A skill he takes along, and how many of those who stay have it at that level."""

    skill: str
    level: int
    others: int


@dataclass(frozen=True)
class Prospect:
    """A technician, if lent."""

    member: Member
    minutes: int  # on duty then, without absences
    days: frozenset[date]
    visits: tuple[InTheWay, ...]
    absences: tuple[Stop, ...]
    cover: tuple[Cover, ...]
    way: Way
    lodges: bool
    cost: Cost
    lent: bool = False  # to somebody already then

    @property
    def uncovered(self) -> tuple[Cover, ...]:
        """What nobody at home could do meanwhile."""
        return tuple(one for one in self.cover if not one.others)

    @property
    def free(self) -> bool:
        """Whether nothing is in the way."""
        return not self.visits and not self.lent and self.minutes > 0


def able(member: Member, skills: Mapping[str, int]) -> bool:
    """Whether he has all of it."""
    return all(member.skills.get(skill, 0) >= level for skill, level in skills.items())


def prospects(
    members: Sequence[Member], team: Sequence[Member], to: Station, span: Span, homes: Mapping[int, Station],
    *, lodges: bool | None = None,
) -> list[Prospect]:  # fmt: skip
    """One for each of `members`, of whom and of whose colleagues `team` holds the duties of that time.

    `lodges` says where they sleep; None: by distance.
    """
    ids = [member.id for member in members]
    visits = in_the_way(ids, to.id, span)
    absences = stops_of(ids, *span)
    terms = terms_of({member.station_id for member in members})
    stay = [one for one in team if not one.absent and _minutes(one, span, ())[0] and not _lent(one, span)]
    ways = _ways(members, to, homes)
    found = []
    for member, way in zip(members, ways, strict=True):
        away = tuple(stop for stop in absences.get(member.id, ()) if stop.cause != "visit")
        minutes, days = _minutes(member, span, away)
        sleeps = stays(way, terms[member.station_id]) if lodges is None else lodges
        found.append(
            Prospect(
                member, minutes, days, tuple(one for one in visits if one.technician_id == member.id), away,
                _cover(member, stay), way, sleeps,
                cost(minutes, days, way, lodges=sleeps, terms=terms[member.station_id]), _lent(member, span),
            )
        )  # fmt: skip
    return found


def prospects_at(
    home: Station,
    to: Station,
    span: Span,
    *,
    technician_id: int | None = None,
    skills: Mapping[str, int] | None = None,
    lodges: bool | None = None,
) -> list[Prospect]:
    """The named technician, or all with the skills; who leaves least behind and costs least first."""
    team = roster.members_of([home.id], *span, MOST_TECHNICIANS)
    if technician_id is not None:
        chosen = [member for member in team if member.id == technician_id]
    else:
        chosen = [member for member in team if able(member, skills or {}) and not member.absent]
    found = prospects(chosen, team, to, span, {home.id: home}, lodges=lodges)
    return sorted(found, key=_trouble)


def who_could_come(to: Station, span: Span, skills: Mapping[str, int]) -> list[tuple[Station, list[Prospect]]]:
    """The nearest stations where somebody with these skills is on duty then, with everybody who is."""
    rows = session.scalars(select(Station).where(Station.state.in_(SERVES), Station.id != to.id).order_by(Station.id))
    others = list(rows)
    if not others:
        return []
    points = [Point(one.latitude, one.longitude) for one in others]
    away = travel.distances_km(Point(to.latitude, to.longitude), points)
    near = [station for _km, station in sorted(zip(away, others, strict=True), key=lambda one: (one[0], one[1].id))]
    near = near[:MOST_STATIONS]
    homes = {station.id: station for station in near}
    team = roster.members_of(homes, *span, MOST_TECHNICIANS)
    chosen = [member for member in team if able(member, skills) and not member.absent and member.duties]
    by_home: dict[int, list[Prospect]] = {}
    for one in prospects(chosen, team, to, span, homes):
        if one.minutes and not one.lent:
            by_home.setdefault(one.member.station_id, []).append(one)
    return [(station, by_home[station.id]) for station in near if station.id in by_home]


def in_the_way(technician_ids: Collection[int], to_station_id: int, span: Span) -> list[InTheWay]:
    """Open visits of these people then for any station but the borrowing one, by start."""
    if not technician_ids:
        return []
    rows = session.execute(
        select(
            Visit.id, WorkOrder.number, WorkOrder.titles, Visit.state, Visit.starts_at, Visit.ends_at,
            Visit.technician_id, Visit.station_id,
        )
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .where(among(Visit.technician_id, technician_ids), Visit.state.in_(OPEN_STATES))
        .where(Visit.station_id != to_station_id, Visit.starts_at < span.ends_at, Visit.ends_at > span.starts_at)
        .order_by(Visit.starts_at, Visit.id)
    )  # fmt: skip
    return [InTheWay(*row) for row in rows]


def way_of(member: Member, to: Station, home: Station) -> Way:
    """From where he lives to the borrowing station."""
    return _ways([member], to, {home.id: home})[0]


# Inside -------------------------------------------------------------------------------------------


def _trouble(one: Prospect) -> tuple[bool, bool, int, int, int]:
    return (one.lent or not one.minutes, bool(one.visits), len(one.uncovered), one.cost.total, one.member.id)


def _lent(member: Member, span: Span) -> bool:
    return any(one.touches(*span) for one in member.lent)


def _minutes(member: Member, span: Span, away: Iterable[Stop]) -> tuple[int, frozenset[date]]:
    """Ordinary duty within the time, without absences: minutes, and local days of it."""
    total, days = 0.0, set()
    gone = list(away)
    for start, end in member.regular:
        begins, ends = max(start, span.starts_at), min(end, span.ends_at)
        if ends <= begins:
            continue
        there = (ends - begins).total_seconds()
        for stop in gone:
            there -= max(0.0, (min(stop.ends_at, ends) - max(stop.starts_at, begins)).total_seconds())
        if there > 0:
            total += there
            days.add(local(begins).date())
    return round(total / 60), frozenset(days)


def _cover(member: Member, stay: Sequence[Member]) -> tuple[Cover, ...]:
    others = [one for one in stay if one.station_id == member.station_id and one.id != member.id]
    found = (
        Cover(skill, level, sum(1 for one in others if one.skills.get(skill, 0) >= level))
        for skill, level in sorted(member.skills.items())
    )
    return tuple(sorted(found, key=lambda one: (one.others, one.skill)))


def _ways(members: Sequence[Member], to: Station, homes: Mapping[int, Station]) -> list[Way]:
    if not members:
        return []
    points = [member.home for member in members]
    stations = {one.id: Point(one.latitude, one.longitude) for one in (to, *homes.values())}
    there = list(stations.values())
    km = travel.kilometres(points, there) * travel.ROAD_FACTOR
    minutes = travel.DEFAULT.matrix(points, there)
    column = {station: at for at, station in enumerate(stations)}
    return [
        Way(
            float(km[row, column[to.id]]), float(km[row, column[member.station_id]]),
            float(minutes[row, column[to.id]]), float(minutes[row, column[member.station_id]]),
        )
        for row, member in enumerate(members)
    ]  # fmt: skip
