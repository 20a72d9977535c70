"""Shifts and absences as plain values, and a station's week made of them; a constant number of statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select

from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.holes import holes
from fieldservice.foundation.db import among, session, touching
from fieldservice.foundation.time import day_span, local
from fieldservice.stations.lendings import Lent, borrowed_by, lent_of, stretches
from fieldservice.stations.models import Shift, Station, Technician
from fieldservice.stations.roster import ABSENT_STATES, COUNTS
from fieldservice.workorders.models import Booking
from fieldservice.workorders.placement import Span

DRAFT = "draft"
MOST_TEAM = 200
WEEK = 7
SLIP = timedelta(minutes=1)  # many write 23:59 for midnight; nobody is missed in that minute
TURN = (
    Shift.id, Shift.technician_id, Shift.station_id, Shift.starts_at, Shift.ends_at, Shift.on_call, Shift.state,
)  # fmt: skip
Away = Mapping[int, Sequence[Span]]  # technician → when they are not there, whatever the roster says


@dataclass(frozen=True)
class Turn:
    """A shift, or time on call, as plain values."""

    id: int
    technician_id: int
    station_id: int
    starts_at: datetime
    ends_at: datetime
    on_call: bool = False
    state: str = "published"

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def day(self) -> date:
        """The local day on which it begins: whose week it belongs to."""
        return local(self.starts_at).date()

    @property
    def week(self) -> date:
        """The Monday of its week."""
        return monday_of(self.day)


@dataclass(frozen=True)
class Hole:
    """Nobody is there. `before`: a draft of the week before would fill it; publishing that week does."""

    starts_at: datetime
    ends_at: datetime
    before: bool = False

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)


@dataclass(frozen=True)
class Week:
    """A station's week: who belongs to it, their shifts anywhere, when they are away, and when nobody is there."""

    station: Station
    monday: date
    team: Sequence[Technician] = ()  # at home here first, then who is lent here
    turns: Sequence[Turn] = ()  # of the team, and of everybody rostered here; touching the week, by start
    away: Away = field(default_factory=dict)
    holes: Sequence[Hole] = ()

    @property
    def days(self) -> list[date]:
        return days_of(self.monday)

    @property
    def drafts(self) -> list[Turn]:
        """What publishing this week would publish."""
        return [one for one in self.turns if is_draft_of(one, self.station.id, self.monday)]

    @property
    def published(self) -> bool:
        """Whether the team was told of this week: there are shifts of it, and none is a draft."""
        here = [one for one in self.turns if one.station_id == self.station.id and in_week(one, self.monday)]
        return bool(here) and not self.drafts


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def days_of(monday: date) -> list[date]:
    return [monday + timedelta(days=number) for number in range(WEEK)]


def in_week(turn: Turn, monday: date) -> bool:
    return monday <= turn.day < monday + timedelta(days=WEEK)


def is_draft_of(turn: Turn, station_id: int, monday: date) -> bool:
    return turn.state == DRAFT and turn.station_id == station_id and in_week(turn, monday)


def week_of(station: Station, monday: date, at: datetime) -> Week:
    """The week as it stands at `at`; holes are counted from then on."""
    start, end = day_span(monday, WEEK)
    home = select(Technician).where(Technician.station_id == station.id).order_by(Technician.id).limit(MOST_TEAM)
    team = list(session.scalars(home))
    borrowed = session.scalars(borrowed_by([station.id], start, end)).all()
    turns = turns_between(start, end, stations=[station.id], technicians=[*(one.id for one in team), *borrowed])
    lent = sorted({one.technician_id for one in turns} - {one.id for one in team})
    team += (
        session.scalars(select(Technician).where(among(Technician.id, lent)).order_by(Technician.id)) if lent else ()
    )
    away = away_between({one.id: one.state for one in team}, start, end)
    found = holes_of(station, monday, turns, away, at)
    return Week(station, monday, team, turns, away, found)


def holes_of(station: Station, monday: date, turns: Sequence[Turn], away: Away, at: datetime) -> list[Hole]:
    """When nobody would be there if the week's drafts were published now; of what is past nobody asks. Whoever is lent
    to another station is there, not here."""
    start, end = day_span(monday, WEEK)
    needed = rules.required(station, max(start, _next_minute(at)), end)
    lents = lent_of({one.technician_id for one in turns}, start, end)
    here = [
        piece for one in turns for piece in _where_worked(one, lents.get(one.technician_id, ()))
        if piece.station_id == station.id
    ]  # fmt: skip
    counted = [one for one in here if one.state in COUNTS or is_draft_of(one, station.id, monday)]
    open_still = [one for one in holes(needed, _duties(counted), away) if one.ends_at - one.starts_at > SLIP]
    others = [one for one in here if one.state == DRAFT and one not in counted]
    left = holes(open_still, _duties(others), away)
    return [Hole(*one, before=not any(one.touches(*span) for span in left)) for one in open_still]


def _where_worked(turn: Turn, lents: Sequence[Lent]) -> list[Turn]:
    """The shift cut at the edges of lendings."""
    return [
        replace(turn, starts_at=starts_at, ends_at=ends_at, station_id=lent.station_id if lent else turn.station_id)
        for starts_at, ends_at, lent in stretches(*turn.span, lents)
    ]


def _duties(turns: Iterable[Turn]) -> list[tuple[int, Span]]:
    return [(one.technician_id, one.span) for one in turns]


def turns_between(
    start: datetime, end: datetime, *, stations: Collection[int] = (), technicians: Collection[int] = (),
    drafts: bool = True,
) -> list[Turn]:  # fmt: skip
    """Shifts touching [start, end) that are worked at these stations or by these technicians, by start; one query."""
    if not stations and not technicians:
        return []
    whose = or_(among(Shift.station_id, stations), among(Shift.technician_id, technicians))
    states = (*COUNTS, DRAFT) if drafts else COUNTS
    rows = select(*TURN).where(whose, Shift.state.in_(states), *touching(Shift, start, end))
    return [Turn(*row) for row in session.execute(rows.order_by(Shift.starts_at, Shift.id))]


def away_between(states: Mapping[int, str], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """technician → when away within [start, end): booked absences, and whoever is away without a known end; one query.

    `states` holds the present state of each.
    """
    found = {one: [Span(start, end)] for one, state in states.items() if state in ABSENT_STATES}
    if states:
        rows = select(Booking.technician_id, Booking.starts_at, Booking.ends_at).where(
            among(Booking.technician_id, states), Booking.state == "held", Booking.away(),
            Booking.touching(start, end),
        )  # fmt: skip
        for technician, starts_at, ends_at in session.execute(rows.order_by(Booking.starts_at)):
            found.setdefault(technician, []).append(Span(starts_at, ends_at))
    return found


def states_of(technician_ids: Collection[int]) -> dict[int, str]:
    """technician → present state"""
    if not technician_ids:
        return {}
    rows = session.execute(select(Technician.id, Technician.state).where(among(Technician.id, technician_ids)))
    return {row.id: row.state for row in rows}


def _next_minute(at: datetime) -> datetime:
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=1)
