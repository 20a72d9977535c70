"""The day plan: technicians with duties, absences, visits and travel over one or several days.

A constant number of statements. Time of a technician that belongs to another station's order is shown
as taken, without saying by what.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from math import inf
from operator import eq
from typing import Any

from sqlalchemy import select

from fieldservice.customers.models import Customer
from fieldservice.dispatch.axis import Axis, axis_for
from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.load import NOTHING, Load, Loads, day_loads
from fieldservice.dispatch.day import estimating
from fieldservice.dispatch.day.outlook import Awaited, Expected, outlook
from fieldservice.dispatch.day.reading import arrivals_due, stop_of
from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import among, session, touching
from fieldservice.foundation.places import travel, travel_minutes
from fieldservice.foundation.time import day_span, local
from fieldservice.foundation.words import pick
from fieldservice.stations import roster
from fieldservice.stations.models import Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.stations.roster import Duty, Member
from fieldservice.workorders import pickups
from fieldservice.workorders.days import stops_of
from fieldservice.workorders.eligibility import OFFER
from fieldservice.workorders.models import AWAY, Visit, WorkOrder
from fieldservice.workorders.pickups import Pickup, Planned
from fieldservice.workorders.placement import Place, Span, Stop, place_of
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
    # '', 'promise', 'window': starts (planned or expected) after the promised arrival or the time told, 'start': should
    # have set off by now
    risk: str = ""
    station_id: int = 0
    order_id: int = 0
    place: Place = field(default_factory=Place)
    awaited: Awaited | None = None  # of today's: as far as it has come, for estimates
    expected: Expected | None = None  # where that is later than planned
    pickup: Pickup | None = None  # where parts are collected for it, and for others after it

    @property
    def done(self) -> bool:
        return self.state in DONE


@dataclass(frozen=True)
class Lane:
    """A technician's row. Who is lent has one at home and, where that board is shown too, one as a `guest`."""

    member: Member
    bars: tuple[Bar, ...] = ()
    taken: tuple[Stop, ...] = ()  # absences, and time taken for other stations' orders
    loads: Mapping[date, Loads] = field(default_factory=dict)  # of the days shown, by station where it is worked
    guest: int | None = None  # the station that borrows
    home: Station | None = None  # a guest's, to be named
    twin: bool = False  # at home, while the guest's row stands on the same board

    @property
    def duties(self) -> tuple[Duty, ...]:
        """Those that this row is about."""
        return tuple(one for one in self.member.duties if self._ours(one.station_id, one.starts_at))

    @property
    def load(self) -> Load:
        """Over all days shown."""
        return sum((load for loads in self.loads.values() for load in loads.values()), NOTHING)

    def heaviest(self, threshold: float) -> Load | None:
        """The day that passes the threshold most, if one does."""
        days = (sum(loads.values(), NOTHING) for loads in self.loads.values())
        return _heaviest(days, threshold)

    def with_loads_of(self, wanted: Callable[[int], bool]) -> "Lane":
        """The row with what is worked at some stations."""
        loads = {
            day: {station: load for station, load in mine.items() if wanted(station)}
            for day, mine in self.loads.items()
        }
        return replace(self, loads=loads)

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
    loads: Mapping[date, Load] = field(default_factory=dict)  # of everybody who works here on the days shown
    threshold: float = 1.0  # above that share of its capacity a day warns

    @property
    def load(self) -> Load:
        """Over all days shown."""
        return sum(self.loads.values(), NOTHING)

    @property
    def on_duty(self) -> int:
        return sum(1 for lane in self.lanes if lane.load.capacity > 0)

    @property
    def heaviest(self) -> Load | None:
        """The day that passes the threshold most, if one does."""
        return _heaviest(self.loads.values(), self.threshold)


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
    stops = stops_of(ids, start, end)
    bars = _collecting(_bars(somebody, ids, start, end, at), {one.id: one for one in members}, stops, at)
    taken = _taken(stops, {bar.visit_id for lane in bars.values() for bar in lane})
    dates = [first + timedelta(days=number) for number in range(days)]
    lanes = [_lane(one, bars.get(one.id, ()), taken.get(one.id, ()), dates) for one in members]
    if start <= at < end:
        lanes = _expecting(lanes, at)
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
            here = lane.with_loads_of(partial(eq, host))
            guests.append(replace(here, bars=bars, guest=host, home=homes[lane.member.station_id]))
        if lane.member.station_id in shown or not mine:
            bars = tuple(bar for bar in lane.bars if bar.station_id not in mine)
            at_home = lane.with_loads_of(partial(_not_in, mine)) if mine else lane
            found.append(replace(at_home, bars=bars, twin=bool(mine)))
    return found + guests


def _not_in(stations: Collection[int], station: int) -> bool:
    return station not in stations


def _lane(member: Member, bars: Sequence[Bar], taken: Sequence[Stop], dates: Sequence[date]) -> Lane:
    away = [Span(one.starts_at, one.ends_at) for one in taken if one.cause in AWAY]
    work = [Span(one.starts_at, one.ends_at) for one in taken if one.cause == "visit"]
    work += [
        Span(bar.starts_at - timedelta(minutes=bar.travel_min), bar.ends_at) for bar in bars if bar.state != "declined"
    ]
    if member.absent:
        away.append(Span(*day_span(dates[0], len(dates))))
    loads = {day: day_loads(member.duties, away, work, Span(*day_span(day)), member.station_id) for day in dates}
    return Lane(member, tuple(bars), tuple(taken), loads)


def _groups(stations: Sequence[Station], lanes: Sequence[Lane]) -> tuple[Group, ...]:
    loads, warn_above = _loads_by_station(lanes), rules.thresholds([station.id for station in stations])
    by_station: dict[int, list[Lane]] = {station.id: [] for station in stations}
    for lane in lanes:
        by_station.setdefault(lane.guest or lane.member.station_id, []).append(lane)
    known = {station.id: station for station in stations}
    others = stations_by_id(by_station.keys() - known.keys())
    own = [
        Group(known[one], tuple(by_station[one]), loads=loads.get(one, {}), threshold=warn_above[one])
        for one in known
        if by_station[one]
    ]
    return (*own, *(Group(others[one], tuple(by_station[one]), lent=True) for one in sorted(others)))


def _loads_by_station(lanes: Sequence[Lane]) -> dict[int, dict[date, Load]]:
    """station → day → load of everybody who works there, whoever's technician they are"""
    found: dict[int, dict[date, Load]] = {}
    for lane in lanes:
        for day, loads in lane.loads.items():
            for station, load in loads.items():
                days = found.setdefault(station, {})
                days[day] = days.get(day, NOTHING) + load
    return found


def _heaviest(loads: Iterable[Load], threshold: float) -> Load | None:
    above = [load for load in loads if load.above(threshold)]
    return max(above, key=lambda load: load.share if load.share is not None else inf, default=None)


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
            WorkOrder.latitude, WorkOrder.longitude, WorkOrder.precision, Visit.window_ends_at, Visit.en_route_at,
            Visit.started_at, Visit.paused_at, Visit.paused_min,
        )
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .outerjoin(Customer, Customer.id == WorkOrder.customer_id)
        .where(among(Visit.technician_id, technician_ids), *touching(Visit, start, end))
        .where(Visit.state.not_in(HIDDEN), in_scope(Visit, somebody, *READERS))
        .order_by(Visit.starts_at, Visit.id)
    ).all()  # fmt: skip
    due = arrivals_due({row.request_id for row in rows if row.state in BEFORE_SITE and row.request_id})
    grouped: dict[int, list[Bar]] = {}
    today = day_span(local(at).date())
    for row in rows:
        starts_at, ends_at = _actual(row, at)
        place, promised = place_of(row.latitude, row.longitude, row.precision), due.get(row.request_id)
        bar = Bar(
            visit_id=row.id, version=row.version, order=row.number, title=pick(row.titles), customer=row.names or {},
            priority=row.priority, state=row.state, starts_at=starts_at, ends_at=ends_at, travel_min=row.travel_min,
            risk=_risk(row, promised, at), station_id=row.station_id, order_id=row.work_order_id, place=place,
            awaited=Awaited(stop_of(row, place.point), row.window_ends_at, promised) if _is_of(row, *today) else None,
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


# What will come otherwise -------------------------------------------------------------------------


def _expecting(lanes: Sequence[Lane], at: datetime) -> list[Lane]:
    """The lanes with what is to be expected of today's visits; what they are planned from is all here already."""
    areas = tuple(travel.DEFAULT.slow_areas())
    begins, ends = day_span(local(at).date())

    def expecting(lane: Lane) -> Lane:
        today = [one.awaited for one in lane.bars if one.awaited is not None]
        away = [
            estimating.Stop(None, estimating.AWAY, Span(one.starts_at, one.ends_at), one.place.point)
            for one in lane.taken
            if one.cause != OFFER and one.starts_at < ends and one.ends_at > begins
        ]
        found = outlook(today, away, at, estimating.Ways(travel_minutes, areas, lane.member.home))
        return replace(lane, bars=tuple(_told(bar, found) for bar in lane.bars)) if found else lane

    return [expecting(lane) for lane in lanes]


def _is_of(row: Any, begins: datetime, ends: datetime) -> bool:
    """Of the day; or of the night before and still under way."""
    return begins <= row.starts_at < ends or (row.starts_at < begins and row.state in ("en_route", *AT_WORK))


def _told(bar: Bar, found: Mapping[int, Expected]) -> Bar:
    expected = found.get(bar.visit_id)
    if expected is None:
        return bar
    return replace(
        bar, expected=expected, risk=expected.missed if bar.risk != "promise" and expected.missed else bar.risk
    )


def _collecting(
    bars: dict[int, list[Bar]], members: Mapping[int, Member], stops: Mapping[int, Sequence[Stop]], at: datetime
) -> dict[int, list[Bar]]:
    """The same with the stops at stores that are still ahead; five statements, one where nobody has to collect."""
    planned = [
        Planned(
            bar.visit_id, bar.order_id, bar.order, bar.station_id, bar.priority, technician,
            Span(bar.starts_at, bar.ends_at), bar.place, bar.state == "en_route",
        )
        for technician, mine in bars.items()
        for bar in mine
        if bar.state in BEFORE_SITE
    ]  # fmt: skip
    found = pickups.by_visit(pickups.pickups_of(planned, members, stops, at))
    if not found:
        return bars
    return {
        technician: [replace(bar, pickup=found.get(bar.visit_id)) for bar in mine] for technician, mine in bars.items()
    }


def _taken(stops: Mapping[int, Sequence[Stop]], shown: set[int]) -> dict[int, list[Stop]]:
    return {technician: [one for one in mine if one.visit_id not in shown] for technician, mine in stops.items()}
