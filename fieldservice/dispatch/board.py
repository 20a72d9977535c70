"""The day plan: technicians with duties, absences, visits and travel over one or several days.

A constant number of statements. Time of a technician that belongs to another station's order is shown
as taken, without saying by what.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from fieldservice.customers.models import Customer
from fieldservice.dispatch.axis import Axis, axis_for
from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import among, session, touching
from fieldservice.foundation.time import day_span, local
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.stations import roster
from fieldservice.stations.models import Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.stations.roster import Duty, Member
from fieldservice.workorders.days import stops_of
from fieldservice.workorders.eligibility import Place, Stop, place_of
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.queries import READERS

MOST_LANES = 300
HIDDEN = ("cancelled", "missed")
BEFORE_WAY = ("scheduled", "dispatched", "accepted")
BEFORE_SITE = (*BEFORE_WAY, "en_route")
AT_WORK = ("on_site", "in_progress", "paused")
DONE = ("completed", "partially_completed", "cannot_complete")


@dataclass(frozen=True)
class Bar:
    """A visit on the board, from its actual start to its actual end where these are known."""

    visit_id: int
    version: int
    order: str
    title: str
    customer: Mapping[str, str]
    priority: str
    state: str
    starts_at: datetime
    ends_at: datetime
    travel_min: int
    risk: str = ""  # '', 'promise': starts after the promised arrival, 'start': should have set off by now
    station_id: int = 0
    order_id: int = 0
    place: Place = field(default_factory=Place)

    @property
    def done(self) -> bool:
        return self.state in DONE


@dataclass(frozen=True)
class Lane:
    """A technician's row. Who is lent has one at home and, where that board is shown too, one as a `guest`."""

    member: Member
    bars: tuple[Bar, ...] = ()
    taken: tuple[Stop, ...] = ()  # absences, and time taken for other stations' orders
    guest: int | None = None  # the station that borrows
    home: Station | None = None  # a guest's, to be named
    twin: bool = False  # at home, while the guest's row stands on the same board

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Those that this row is about."""
        return tuple(one for one in self.member.duties if self._ours(one.station_id, one.starts_at))

    def load(self, start: datetime, end: datetime) -> tuple[float, float]:
        """(minutes planned, minutes on ordinary duty) within [start, end), for the station the row stands at."""
        bars = [bar for bar in self.bars if self._ours(bar.station_id, bar.starts_at)]
        work = sum(_minutes(bar.starts_at, bar.ends_at, start, end) for bar in bars)
        if self.guest is None:
            work += sum(_minutes(one.starts_at, one.ends_at, start, end) for one in self.taken if one.cause == "visit")
        return work, sum(_minutes(one.starts_at, one.ends_at, start, end) for one in self.duties if not one.on_call)

    def _ours(self, station_id: int, moment: datetime) -> bool:
        if self.guest is not None:
            return station_id == self.guest
        return not self.member.lent or self.member.lent_at(moment) is None


@dataclass(frozen=True)
class Group:
    """A station with its technicians; `lent` when only those of them are here who come to help."""

    station: Station
    lanes: tuple[Lane, ...]
    lent: bool = False

    def load_percent(self, axis: Axis) -> int | None:
        """Planned work in per cent of duty."""
        loads = [lane.load(axis.start, axis.end) for lane in self.lanes]
        duty = sum(minutes for _work, minutes in loads)
        return round(100 * sum(work for work, _minutes in loads) / duty) if duty else None

    def on_duty(self, axis: Axis) -> int:
        return sum(1 for lane in self.lanes if lane.load(axis.start, axis.end)[1] > 0)


@dataclass(frozen=True)
class Board:
    """All groups over the days of the axis."""

    axis: Axis
    groups: tuple[Group, ...] = ()
    truncated: bool = False
    bars: Mapping[int, Bar] = field(default_factory=dict)  # by visit id

    @property
    def lanes(self) -> list[Lane]:
        return [lane for group in self.groups for lane in group.lanes]

    @property
    def stations(self) -> set[int]:
        """Stations whose orders are worked on here."""
        return {bar.station_id for bar in self.bars.values()}


def board(somebody: Person, stations: Sequence[Station], first: date, days: int, at: datetime) -> Board:
    """The plan of these stations as this person may see it."""
    start, end = day_span(first, days)
    station_ids = [station.id for station in stations]
    members = roster.members_of(station_ids, start, end, MOST_LANES + 1)
    truncated = len(members) > MOST_LANES
    members = members[:MOST_LANES]
    helpers = roster.lent_to(station_ids, start, end) | _visiting(station_ids, start, end)
    helpers -= {member.id for member in members}
    members += list(roster.members_by_id(sorted(helpers)[:MOST_LANES], start, end).values())
    ids = [member.id for member in members]
    bars = _bars(somebody, ids, start, end, at)
    taken = _taken(ids, start, end, {bar.visit_id for lane in bars.values() for bar in lane})
    lanes = [Lane(one, tuple(bars.get(one.id, ())), tuple(taken.get(one.id, ()))) for one in members]
    over = day_span(local(at).date())[0] < start or end <= at  # what is done today need not widen the axis
    spans = [(bar.starts_at, bar.ends_at) for lane in lanes for bar in lane.bars if over or not bar.done]
    spans += [(one.starts_at, one.ends_at) for lane in lanes for one in lane.member.duties if not one.on_call]
    by_id = {bar.visit_id: bar for lane in lanes for bar in lane.bars}
    return Board(
        axis_for(first, days, spans), _groups(stations, _as_guests(stations, lanes, start, end)), truncated, by_id
    )


def _as_guests(stations: Sequence[Station], lanes: Sequence[Lane], start: datetime, end: datetime) -> list[Lane]:
    """A row for whoever is lent to one of these stations, after those of its own people; the row at home keeps the rest
    of the visits, and is left out where the home station is not shown."""
    shown = {station.id for station in stations}
    hosts = {
        lane.member.id: sorted({one.station_id for one in lane.member.lent if one.touches(start, end)} & shown)
        for lane in lanes if lane.member.lent
    }  # fmt: skip
    homes = stations_by_id({lane.member.station_id for lane in lanes if hosts.get(lane.member.id)})
    found, guests = [], []
    for lane in lanes:
        mine = hosts.get(lane.member.id, ())
        for host in mine:
            bars = tuple(bar for bar in lane.bars if bar.station_id == host)
            guests.append(replace(lane, bars=bars, guest=host, home=homes[lane.member.station_id]))
        if lane.member.station_id in shown or not mine:
            found.append(
                replace(lane, bars=tuple(bar for bar in lane.bars if bar.station_id not in mine), twin=bool(mine))
            )
    return found + guests


def _groups(stations: Sequence[Station], lanes: Sequence[Lane]) -> tuple[Group, ...]:
    by_station: dict[int, list[Lane]] = {station.id: [] for station in stations}
    for lane in lanes:
        by_station.setdefault(lane.guest or lane.member.station_id, []).append(lane)
    known = {station.id: station for station in stations}
    others = stations_by_id(by_station.keys() - known.keys())
    own = [Group(known[station_id], tuple(by_station[station_id])) for station_id in known if by_station[station_id]]
    return (*own, *(Group(others[one], tuple(by_station[one]), lent=True) for one in sorted(others)))


def _visiting(station_ids: Collection[int], start: datetime, end: datetime) -> set[int]:
    """Technicians of other stations with a visit here."""
    rows = select(Visit.technician_id).where(Visit.station_id.in_(station_ids), Visit.state.not_in(HIDDEN))
    rows = rows.where(Visit.home_station_id.not_in(station_ids), *touching(Visit, start, end))
    return set(session.scalars(rows.distinct()))


def _bars(
    somebody: Person, technician_ids: Sequence[int], start: datetime, end: datetime, at: datetime
) -> dict[int, list[Bar]]:
    """Visits the person may see, by technician and time; two statements."""
    rows = session.execute(
        select(
            Visit.id, Visit.version, Visit.technician_id, Visit.station_id, Visit.state, Visit.starts_at,
            Visit.ends_at, Visit.on_site_at, Visit.finished_at, Visit.travel_min, Visit.work_order_id,
            WorkOrder.number, WorkOrder.titles, WorkOrder.priority, WorkOrder.request_id, Customer.names,
            WorkOrder.latitude, WorkOrder.longitude, WorkOrder.precision,
        )
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .outerjoin(Customer, Customer.id == WorkOrder.customer_id)
        .where(among(Visit.technician_id, technician_ids), *touching(Visit, start, end))
        .where(Visit.state.not_in(HIDDEN), in_scope(Visit, somebody, *READERS))
        .order_by(Visit.starts_at, Visit.id)
    ).all()  # fmt: skip
    due = _arrivals_due({row.request_id for row in rows if row.state in BEFORE_SITE and row.request_id})
    grouped: dict[int, list[Bar]] = {}
    for row in rows:
        starts_at, ends_at = _actual(row, at)
        bar = Bar(
            visit_id=row.id, version=row.version, order=row.number, title=pick(row.titles), customer=row.names or {},
            priority=row.priority, state=row.state, starts_at=starts_at, ends_at=ends_at, travel_min=row.travel_min,
            risk=_risk(row, due.get(row.request_id), at), station_id=row.station_id, order_id=row.work_order_id,
            place=place_of(row.latitude, row.longitude, row.precision),
        )  # fmt: skip
        grouped.setdefault(row.technician_id, []).append(bar)
    return grouped


def _actual(row: Any, at: datetime) -> tuple[datetime, datetime]:
    starts_at = row.on_site_at or row.starts_at
    ends_at = row.finished_at or (max(row.ends_at, at) if row.state in AT_WORK else row.ends_at)
    return starts_at, max(ends_at, starts_at + timedelta(minutes=5))


def _risk(row: Any, due: datetime | None, at: datetime) -> str:
    if row.state in BEFORE_SITE and due is not None and row.starts_at > due:
        return "promise"
    if row.state in BEFORE_WAY and row.starts_at - timedelta(minutes=row.travel_min) < at:
        return "start"
    return ""


def _arrivals_due(request_ids: set[int]) -> dict[int, datetime]:
    """When people were promised to see somebody, by request; open promises only."""
    if not request_ids:
        return {}
    rows = select(Clock.subject_id, Clock.due_at).where(
        Clock.subject_type == "service_request", among(Clock.subject_id, request_ids), Clock.kind == "arrival",
        Clock.stopped_at.is_(None),
    )  # fmt: skip
    return dict(session.execute(rows).all())


def _taken(technician_ids: Sequence[int], start: datetime, end: datetime, shown: set[int]) -> dict[int, list[Stop]]:
    stops = stops_of(technician_ids, start, end)
    return {technician: [one for one in mine if one.visit_id not in shown] for technician, mine in stops.items()}


def _minutes(starts_at: datetime, ends_at: datetime, start: datetime, end: datetime) -> float:
    return max(0.0, (min(ends_at, end) - max(starts_at, start)).total_seconds() / 60)
