"""A job to be placed, and the day of a technician it is placed in: plain values for rules, scores and the planner."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from fieldservice.foundation.places import Point
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.stations.lendings import spans_for
from fieldservice.stations.roster import Member

ON_CALL_FOR = frozenset({"P1", "P2"})  # who is on call is woken for these only
Minutes = Callable[[Point, Point], float]


class Span(NamedTuple):
    """[starts_at, ends_at)"""

    starts_at: datetime
    ends_at: datetime

    def touches(self, starts_at: datetime, ends_at: datetime) -> bool:
        return starts_at < self.ends_at and ends_at > self.starts_at


@dataclass(frozen=True)
class Place:
    """Where something is; without a point nobody knows, and `about` is as exact as a county's centre."""

    point: Point | None = None
    about: bool = False


def place_of(latitude: float | None, longitude: float | None, precision: str) -> Place:
    """A stored place. A prefecture or province is too wide to reckon travel from."""
    if latitude is None or longitude is None or precision not in ("point", "county"):
        return Place()
    return Place(Point(latitude, longitude), about=precision == "county")


class Supply(NamedTuple):
    """So much of a part that can be in the station's store from a time on, and from where (`kind` of the source).

    What is `held` for the order is nobody else's. Of the rest every order sees all there is: `place` and `there` (how
    much that place could give in all) tell whoever looks at several orders what is the same piece.
    """

    ready_at: datetime
    quantity: Decimal
    kind: str
    names: Mapping[str, str]
    held: bool = False
    place: int = 0
    there: Decimal = Decimal(0)


@dataclass(frozen=True)
class Need:
    """A part planned for the job, how much of it lies at the station, and what can be brought there, the soonest first.

    Without a required one nobody is sent.
    """

    part_id: int
    number: str
    names: Mapping[str, str]
    quantity: Decimal
    at_station: Decimal = Decimal(0)
    required: bool = True
    later: tuple[Supply, ...] = ()
    in_vans: Mapping[int, Decimal] = field(default_factory=dict)  # technician → what is held for the order in the van
    held: Decimal = Decimal(0)  # of what lies at the station: for this order
    store: int = 0  # the location it lies at, where the station has one

    def by(self, moment: datetime) -> Decimal:
        """How much the store can have by then."""
        return self.at_station + sum((one.quantity for one in self.later if one.ready_at <= moment), Decimal(0))

    def last_of(self, quantity: Decimal) -> Supply | None:
        """What has to come before the store has so much; None when it lies there, or when it can never have it."""
        have = self.at_station
        for one in self.later:
            if have >= quantity:
                break
            have += one.quantity
            if have >= quantity:
                return one
        return None


@dataclass(frozen=True)
class Job:
    """Work to be placed."""

    number: str
    station_id: int
    priority: str
    duration: timedelta
    place: Place = Place()
    skills: Mapping[str, int] = field(default_factory=dict)  # skill → least level
    certificates: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    prefers: frozenset[int] = frozenset()  # technicians whom the customer would like to see
    requires: frozenset[int] = frozenset()  # where there are some, one of these or nobody
    excludes: frozenset[int] = frozenset()  # and whom not
    store: Point | None = None  # where parts are collected that are not in the van; None: nobody knows the way there
    asked_at: datetime | None = None  # when it is planned: nobody collects before


@dataclass(frozen=True)
class Stop:
    """Time that is taken: a visit somewhere, or an absence (leave, training, travel)."""

    starts_at: datetime
    ends_at: datetime
    cause: str = "visit"
    place: Place = Place()
    label: str = ""  # number of its order, where it may be told
    visit_id: int | None = None
    offered_to: int | None = None  # the order whose customer may choose this time


@dataclass(frozen=True)
class TechnicianDay:
    """A technician with duties, taken time (by start) and what is in the van."""

    member: Member
    stops: tuple[Stop, ...] = ()
    van: Mapping[int, Decimal] = field(default_factory=dict)  # part id → quantity
    lends: bool = True  # the home station lends freely; else only by a shift rostered at the order's station
    areas: tuple[SlowArea, ...] = ()  # where driving is slow for a while


def lacking(need: Need, day: TechnicianDay) -> Decimal:
    """How much of it the technician does not have in the van; not above nought when it is all there."""
    return need.quantity - day.van.get(need.part_id, Decimal(0)) - need.in_vans.get(day.member.id, Decimal(0))


def usable_duties(job: Job, member: Member) -> list[Span]:
    """Duties that count for this job; those that touch are one, but for a lending, which cuts them."""
    return [Span(*span) for span in spans_for(job.station_id, counted(job, member), member.lent)]


def counted(job: Job, member: Member) -> Sequence[tuple[datetime, datetime]]:
    """Duties that are asked for work of its priority."""
    return member.with_on_call if job.priority in ON_CALL_FOR else member.regular


def visit_before(job: Job, day: TechnicianDay, span: Span) -> Stop | None:
    """The last visit of the same duty before it."""
    begins = duty_of(job, day, span).starts_at
    visits = [one for one in day.stops if one.cause == "visit" and begins < one.ends_at <= span.starts_at]
    return visits[-1] if visits else None


def duty_of(job: Job, day: TechnicianDay, span: Span) -> Span:
    """The first duty, lent or not, that has time in common: when the technician left home. The time itself without."""
    return next((Span(*one) for one in counted(job, day.member) if span.touches(*one)), span)
