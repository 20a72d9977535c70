"""Stops at a store that visits still have ahead of them: where, when, and which parts are collected there.

Reckoned from what is held for the orders, by the same ways as booking reckons (`collecting.py`), whenever somebody
looks: a visit that moves takes its stop along, and what has been handed out is no stop any more.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.places import Point, travel_minutes
from fieldservice.foundation.words import pick
from fieldservice.parts import queries as stock
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.reading import arrivals_of, holdings, waiting_for_more
from fieldservice.parts.models import Part
from fieldservice.stations import roster
from fieldservice.stations.models import Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.stations.roster import Member
from fieldservice.workorders.collecting import HANDING_OVER, on_the_way
from fieldservice.workorders.days import AROUND, stops_of
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.part_lights import AHEAD
from fieldservice.workorders.placement import Job, Need, Place, Span, Stop, Supply, TechnicianDay, place_of


class Planned(NamedTuple):
    """A visit that nobody has arrived at."""

    visit_id: int
    order_id: int
    order: str
    station_id: int
    priority: str
    technician_id: int
    span: Span
    place: Place
    begun: bool = False  # somebody has set off


@dataclass(frozen=True)
class Collected:
    """So much of a part for one order."""

    order: str
    number: str
    names: Mapping[str, str]
    quantity: Decimal


@dataclass(frozen=True)
class Pickup:
    """A stop at a store, as late as may be. `visit_ids` are those whose parts are collected then, the first first."""

    technician_id: int
    visit_ids: tuple[int, ...]
    span: Span
    names: Mapping[str, str]
    address: str
    point: Point
    parts: tuple[Collected, ...]
    in_time: bool = True  # whether the way leaves time for it

    @property
    def words(self) -> str:
        """Where, when and what, in the reader's language: '13:05–13:15 collect at Wuxi station: Oil seal ×1'."""
        told = _(
            "%(start)s–%(end)s collect at %(place)s: %(parts)s",
            start=display.clock_time(self.span.starts_at),
            end=display.clock_time(self.span.ends_at),
            place=pick(self.names),
            parts=_(", ").join(self.things),
        )
        return str(told if self.in_time else told + " · " + _("too little time on the way"))

    @property
    def things(self) -> list[str]:
        """Each part with how many; where it is for several orders, with the order."""
        several = len({one.order for one in self.parts}) > 1
        return [
            f"{pick(one.names)} ×{decimal_text(one.quantity)}" + (f" ({one.order})" if several else "")
            for one in self.parts
        ]


def pickups_of(
    planned: Sequence[Planned], members: Mapping[int, Member], stops: Mapping[int, Sequence[Stop]], at: datetime
) -> list[Pickup]:
    """The stops of these visits, in order of time; at most five statements, none where nobody is to collect anything.

    `stops` is all taken time of the technicians, these visits among it.
    """
    return _pickups(planned, _Held.of({visit.order_id for visit in planned}, at), members, stops, at)


def _pickups(
    planned: Sequence[Planned],
    held: "_Held",
    members: Mapping[int, Member],
    stops: Mapping[int, Sequence[Stop]],
    at: datetime,
) -> list[Pickup]:
    found: defaultdict[tuple[int, int, datetime], list[Planned]] = defaultdict(list)
    late: set[int] = set()
    for visit in sorted(planned, key=lambda one: (one.span, one.visit_id)):
        member, mine = members.get(visit.technician_id), held.by_order.get(visit.order_id)
        if member is None or not mine:
            continue
        store = held.stations[mine[0].station_id]
        others = tuple(one for one in stops.get(visit.technician_id, ()) if one.visit_id != visit.visit_id)
        way = on_the_way(held.job(visit, store, at), TechnicianDay(member, others), visit.span, travel_minutes)
        if way is not None:
            found[visit.technician_id, store.id, way.collects_at].append(visit)
            late |= set() if way.fits or visit.begun else {visit.visit_id}
    return [
        held.pickup(technician, held.stations[store], moment, visits, in_time=late.isdisjoint(one[0] for one in visits))
        for (technician, store, moment), visits in sorted(found.items(), key=lambda one: one[0][2])
    ]


def pickups_for(visits: Collection[Visit], at: datetime) -> list[Pickup]:
    """Of visits with their orders, those that nobody has arrived at; one statement, eleven where something is to be
    collected."""
    planned = [
        Planned(
            one.id, one.work_order_id, one.work_order.number, one.station_id, one.work_order.priority,
            one.technician_id, Span(one.starts_at, one.ends_at),
            place_of(one.work_order.latitude, one.work_order.longitude, one.work_order.precision),
            one.state == "en_route",
        )
        for one in visits
        if one.state in AHEAD
    ]  # fmt: skip
    held = _Held.of({one.order_id for one in planned}, at)
    if not held.by_order:
        return []
    begin, end = min(one.span.starts_at for one in planned) - AROUND, max(one.span.ends_at for one in planned) + AROUND
    people = {one.technician_id for one in planned}
    return _pickups(planned, held, roster.members_by_id(people, begin, end), stops_of(list(people), begin, end), at)


@dataclass(frozen=True)
class _Held:
    """What is held in stores for orders, and when what is not there yet has come."""

    by_order: Mapping[int, Sequence[Reservation]]
    ready: Mapping[int, datetime]
    parts: Mapping[int, Part]
    stations: Mapping[int, Station]

    @classmethod
    def of(cls, order_ids: Collection[int], at: datetime) -> "_Held":
        held = [
            one
            for one in holdings(WorkOrder.subject_type, order_ids)
            if one.location.technician_id is None and one.expires_at is None  # else for a time that is only offered
        ]
        waiting = waiting_for_more({(one.part_id, one.location_id) for one in held if one.state == "reserved"})
        coming = [one for one in held if one.state == "reserved" and (one.part_id, one.location_id) in waiting]
        by_order: defaultdict[int, list[Reservation]] = defaultdict(list)
        for one in held:
            by_order[one.for_id].append(one)
        return cls(
            by_order,
            {one.id: one.need_at for one in coming} | arrivals_of(coming, at),
            stock.parts_by_id({one.part_id for one in held}),
            stations_by_id({one.station_id for one in held}),
        )

    def job(self, visit: Planned, store: Station, at: datetime) -> Job:
        """The visit as work that wants just what is held for it."""
        return Job(
            number=visit.order,
            station_id=visit.station_id,
            priority=visit.priority,
            duration=visit.span.ends_at - visit.span.starts_at,
            place=visit.place,
            needs=tuple(self._need(one) for one in self.by_order[visit.order_id]),
            store=Point(store.latitude, store.longitude),
            asked_at=at,
        )

    def _need(self, one: Reservation) -> Need:
        moment = self.ready.get(one.id)
        later = () if moment is None else (Supply(moment, one.quantity, "station", one.location.names, held=True),)
        return Need(one.part_id, "", {}, one.quantity, Decimal(0) if later else one.quantity, later=later)

    def _by_part(self, order_id: int) -> Mapping[int, Decimal]:
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        for one in self.by_order[order_id]:
            found[one.part_id] += one.quantity
        return found

    def pickup(
        self, technician: int, store: Station, moment: datetime, visits: Sequence[Planned], *, in_time: bool
    ) -> Pickup:
        """The stop of these visits."""
        return Pickup(
            technician_id=technician,
            visit_ids=tuple(visit.visit_id for visit in visits),
            span=Span(moment, moment + HANDING_OVER),
            names=store.names,
            address=store.address,
            point=Point(store.latitude, store.longitude),
            parts=tuple(
                Collected(visit.order, self.parts[part].number, self.parts[part].names, quantity)
                for visit in visits
                for part, quantity in self._by_part(visit.order_id).items()
            ),
            in_time=in_time,
        )


def by_visit(pickups: Iterable[Pickup]) -> dict[int, Pickup]:
    """The first visit that each is made for → the stop."""
    return {one.visit_ids[0]: one for one in pickups}
