"""Parts in a plan: which pieces are whose, when stores have them, and who comes by the store on the way to the job.
Pure.

What is held for an order counts for that order alone. Free pieces are anybody's as long as they lie in the store when a
duty begins: the engine sees to it that no more are collected than lie there by then. Work whose parts come while people
are on duty gets pieces of its own, and is done by way of the store (docs/decisions/0038).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.plans.reading import Material, Work
from fieldservice.foundation.places import travel_minutes
from fieldservice.workorders.collecting import ALWAYS, HANDING_OVER, on_the_way, short
from fieldservice.workorders.part_supply import HERE
from fieldservice.workorders.placement import Need, Span, TechnicianDay

NOTHING = Decimal(0)
UNTIL_APPLIED = timedelta(
    minutes=15
)  # what has yet to be sent for is sent when the plan is applied, not when it is asked
Store = tuple[int, str]  # (station, part as the engine names it)


Column = tuple[int, TechnicianDay, Span, int]  # number of the technician-day, the person, the time, whose then


@dataclass(eq=False)
class Lot:
    """So much of a part that a station's store can have from a time on. `place` is where it lies now, `left` what no
    work has been told of yet, `spent` what is kept for one."""

    station: int
    part: int
    ready_at: datetime
    place: int
    quantity: Decimal
    left: Decimal
    spent: Decimal = NOTHING


Pieces = list[tuple[Lot, Decimal]]


@dataclass(frozen=True)
class Wanted:
    """What a job asks of vans and stores in the engine's words.

    `over_store` is when the store has everything, for work that is done by way of it: that asks for nothing more.
    `stays` is for a visit whose parts are collected on another way of that day: it keeps its time.
    """

    needs: tuple[tuple[str, float], ...] = ()
    in_vans: Mapping[tuple[int, str], float] = field(default_factory=dict)
    over_store: datetime | None = None
    stays: bool = False


@dataclass(frozen=True)
class Shared:
    """Who wants what, by number of the work, and what that leaves in the stores."""

    wanted: Sequence[Wanted]
    lying: Mapping[Store, float]
    coming: Mapping[Store, tuple[tuple[datetime, float], ...]]


@dataclass(frozen=True)
class Team:
    """Technician-days: the person, the time, and whose technician that is then."""

    people: Sequence[TechnicianDay]
    spans: Sequence[Span]
    stations: Sequence[int]

    def columns(self) -> Iterator[Column]:
        """Each with its number."""
        return ((at, *one) for at, one in enumerate(zip(self.people, self.spans, self.stations, strict=True)))


def shared_out(material: Material, works: Sequence[Work], team: Team, eligible: NDArray[np.bool_]) -> Shared:
    """Who gets which pieces: what stands goes first, then by priority and by who ordered first.

    `eligible` (works × days) loses the days on which nobody could have the parts.
    """
    rows = [row for row, work in enumerate(works) if _required(work)]
    stores = _Stores([works[row] for row in rows], material.at)
    wanted = [Wanted()] * len(works)
    for row in sorted(rows, key=lambda at: (not works[at].stands, works[at].job.priority, works[at].order_id)):
        work = works[row]
        pieces = stores.take(work)
        ready = None if pieces is None else max([*_held_from(work), *(lot.ready_at for lot, _much in pieces)])
        if pieces is not None and ready is not None and _over_store(material, work, team, eligible[row], ready):
            stores.keep(pieces)
            wanted[row] = Wanted(over_store=ready, stays=_stays(material, work, team))
        else:
            wanted[row] = _plainly(work)
            _only_here(work, team, eligible[row])
        if wanted[row].stays:
            _only_its_own(work, team, eligible[row])
    lying, coming = stores.left()
    for row in rows:
        _add_held(works[row], wanted[row], lying, coming)
    return Shared(wanted, lying, {store: tuple(lots) for store, lots in coming.items()})


def _plainly(work: Work) -> Wanted:
    """Parts from the van, or collected at the beginning of a duty; those held in stores under names of their own."""
    needs: list[tuple[str, float]] = []
    in_vans: dict[tuple[int, str], float] = {}
    for need in _required(work):
        held = _held(need)
        if held:
            needs.append((_own(need, work), float(held)))
        if need.quantity > held:
            needs.append((str(need.part_id), float(need.quantity - held)))
        in_vans |= {(who, str(need.part_id)): float(quantity) for who, quantity in need.in_vans.items()}
    return Wanted(tuple(needs), in_vans)


def _own(need: Need, work: Work) -> str:
    return f"{need.part_id} {work.job.number}"


def _held(need: Need) -> Decimal:
    return min(need.quantity, need.held + sum((one.quantity for one in need.later if one.held), NOTHING))


def _held_from(work: Work) -> list[datetime]:
    """When what is held for the order in stores has come."""
    return [ALWAYS, *(one.ready_at for need in _required(work) for one in need.later if one.held)]


def _add_held(
    work: Work, wanted: Wanted, lying: dict[Store, float], coming: dict[Store, list[tuple[datetime, float]]]
) -> None:  # fmt: skip
    """What is held for an order lies in the store under a name that only its own job asks for."""
    if not wanted.needs:
        return
    for need in _required(work):
        store = (work.job.station_id, _own(need, work))
        if need.held:
            lying[store] = float(need.held)
        for one in need.later:
            if one.held:
                coming[store].append((one.ready_at, float(one.quantity)))


def _required(work: Work) -> list[Need]:
    return [need for need in work.job.needs if need.required]


def _only_here(work: Work, team: Team, row: NDArray[np.bool_]) -> None:
    """Another station's technician collects in the morning at his own store: only who has all in the van may come."""
    for at, person, _span, station in team.columns():
        if station != work.job.station_id and row[at] and short(work.job, person):
            row[at] = False


# By way of the store ------------------------------------------------------------------------------


def _over_store(material: Material, work: Work, team: Team, row: NDArray[np.bool_], ready: datetime) -> bool:
    """Whether it is done by way of the store: where that lets somebody come on the day on which the parts do, and
    nobody has them in the van; and where another station's technician is to come already."""
    if work.job.place.point is None or work.job.station_id not in material.stores:
        return False
    able = [one for one in team.columns() if row[one[0]]]
    mine = _its_own(work, able)
    if work.stands and mine is not None:
        _at, person, span, station = mine
        return bool(short(work.job, person)) and (ready > span.starts_at or station != work.job.station_id)
    if not all(short(work.job, person) for _at, person, _span, _station in able):
        return False
    least = HANDING_OVER + work.job.duration
    return any(span.starts_at < ready and ready + least <= span.ends_at for _at, _person, span, _station in able)


def _its_own(work: Work, able: Collection[Column]) -> Column | None:
    """The technician-day on which its visit stands."""
    visit = work.visit
    if visit is None or visit.declined or visit.freed:
        return None
    return next((one for one in able if one[1].member.id == visit.technician_id and one[2].touches(*visit.span)), None)


def _stays(material: Material, work: Work, team: Team) -> bool:
    """Whether the parts of what stands are collected on an earlier way of that day than the one to the job."""
    mine = _its_own(work, list(team.columns()))
    if mine is None or work.visit is None:
        return False
    stops = [one for one in material.stops.get(mine[1].member.id, ()) if one.visit_id != work.visit.visit_id]
    asked = replace(work.job, store=material.stores[work.job.station_id], asked_at=material.at)
    found = on_the_way(asked, replace(mine[1], stops=tuple(stops)), work.visit.span, travel_minutes)
    return found is None or not (found.last and found.fits)


def _only_its_own(work: Work, team: Team, row: NDArray[np.bool_]) -> None:
    for at, person, span, _station in team.columns():
        visit = work.visit
        row[at] &= visit is not None and person.member.id == visit.technician_id and span.touches(*visit.span)


# What stores have ---------------------------------------------------------------------------------


class _Stores:
    """What nobody holds of the parts that are wanted. A place that two stations look at gives each only what its work
    was told of."""

    def __init__(self, works: Sequence[Work], at: datetime) -> None:
        self._lots: dict[tuple[int, int], list[Lot]] = {}
        self._room: dict[tuple[int, int], Decimal] = {}  # (place, part) → what it can give in all
        self._at = at
        for work in works:
            for need in _required(work):
                self._see(work.job.station_id, need)
        seen = {(lot.place, lot.part, lot.station) for lots in self._lots.values() for lot in lots}
        views = [(place, part) for place, part, _station in seen if place]
        self._shared = {one for one in views if views.count(one) > 1}

    def _see(self, station: int, need: Need) -> None:
        """All orders of a station see the same; who wants more may have been told of more."""
        own = [one for one in need.later if not one.held]
        free = need.at_station - need.held
        lots = [Lot(station, need.part_id, self._at, need.store, free, free)] if free > 0 else []
        for one in own:
            ready = one.ready_at + (UNTIL_APPLIED if one.kind != HERE else timedelta(0))
            lots.append(Lot(station, need.part_id, ready, one.place, one.quantity, one.quantity))
        known = self._lots.get((station, need.part_id), [])
        if _total(lots) > _total(known) or not known:
            self._lots[station, need.part_id] = lots
        for place in {lot.place for lot in lots}:
            there = [sum((lot.quantity for lot in lots if lot.place == place), NOTHING)]
            there += [one.there for one in own if one.place == place]
            self._room[place, need.part_id] = max([self._room.get((place, need.part_id), NOTHING), *there])

    def take(self, work: Work) -> Pieces | None:
        """Pieces for all that is not held for it, the soonest first; None where there are not enough."""
        found: Pieces = []
        for need in _required(work):
            left = need.quantity - _held(need)
            for lot in self._lots.get((work.job.station_id, need.part_id), ()):
                much = min(left, lot.left, self._room[lot.place, lot.part])
                if much > 0:
                    found.append((lot, much))
                    left -= much
            if left > 0:
                return None
        for lot, much in found:
            lot.left -= much
            self._room[lot.place, lot.part] -= much
        return found

    def keep(self, pieces: Pieces) -> None:
        """For the work that took them, whatever becomes of it."""
        for lot, much in pieces:
            lot.spent += much

    def left(self) -> tuple[dict[Store, float], defaultdict[Store, list[tuple[datetime, float]]]]:
        """(what lies, what comes and when) for whoever of the station is planned with it."""
        lying: dict[Store, float] = {}
        coming: defaultdict[Store, list[tuple[datetime, float]]] = defaultdict(list)
        for (station, part), lots in self._lots.items():
            for lot in lots:
                told = lot.quantity - lot.left if (lot.place, lot.part) in self._shared else lot.quantity
                much = float(told - lot.spent)
                if lot.ready_at <= self._at:
                    lying[station, str(part)] = lying.get((station, str(part)), 0.0) + much
                elif much > 0:
                    coming[station, str(part)].append((lot.ready_at, much))
        return lying, coming


def _total(lots: Iterable[Lot]) -> Decimal:
    return sum((lot.quantity for lot in lots), NOTHING)
