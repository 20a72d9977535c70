"""From what was read to a problem of the planning engine: technician-days, jobs, travel, and what stands. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from fieldservice.dispatch.planning import people
from fieldservice.dispatch.planning.model import Break, Day, Job, Matrix, Placement, Problem, Window, held_plan
from fieldservice.dispatch.planning.objectives import Goals
from fieldservice.dispatch.planning.pricing import Fault, price_route
from fieldservice.dispatch.plans import parts
from fieldservice.dispatch.plans.reading import Material, Work
from fieldservice.dispatch.plans.ways import OverStore, Places
from fieldservice.foundation.places import Point, TravelProvider, travel, travel_minutes
from fieldservice.foundation.places.course import Course
from fieldservice.stations.lendings import Lent, stretches
from fieldservice.stations.roster import Member
from fieldservice.workorders.collecting import HANDING_OVER
from fieldservice.workorders.placement import Span, Stop, TechnicianDay
from fieldservice.workorders.slots import LUNCH_TAKES, lunch_within

WEIGHTS = {"P1": 8.0, "P2": 4.0, "P3": 2.0, "P4": 1.0}  # what leaving a job of that priority out is worth [D]
TOLD = 5.0  # more, where the customer was told a time: only a P1 pushes out a P3 or P4 that somebody waits for [D]
SOON = timedelta(hours=4)  # the longest drive between two pieces of duty that is thought of
SHORTEST = timedelta(minutes=15)  # a piece of a shift in which nothing can be done is left out


@dataclass(frozen=True)
class Shift:
    """A piece of somebody's duty: a technician-day of the problem."""

    member: Member
    span: Span
    begins_at: Point  # where the technician is then
    ends_at: Point | None = None  # where somebody has to be at its end, since more follows
    lent: Lent | None = None  # to another station meanwhile

    @property
    def station(self) -> int:
        """Whose technician he is then."""
        return self.lent.station_id if self.lent is not None else self.member.station_id


@dataclass(frozen=True)
class World:
    """A problem, and what its numbers mean."""

    problem: Problem
    works: tuple[Work | None, ...]  # by job; None for what stands and is not ours to move
    shifts: tuple[Shift, ...]  # by technician-day
    people: tuple[TechnicianDay, ...]  # likewise, as the rules see them
    origin: datetime
    over_store: frozenset[int] = frozenset()  # jobs that are done by way of the store

    def moment(self, seconds: int) -> datetime:
        return self.origin + timedelta(seconds=seconds)


def compiled(material: Material, goals: Goals, provider: TravelProvider = travel.DEFAULT) -> World:
    """The problem. What stands and breaks a rule by now is not held to: it may go anywhere, like new work. What stands
    outside a piece of duty (over the end of a shift into time on call) is left alone.

    Drives take as long as the hours of the installation say: whole minutes, as booking reckons them. So what the plan
    reckoned with is never less.
    """
    places = Places()
    works = _ours(material)
    movable = {work.visit.visit_id for work in works if work.visit is not None and work.stands}
    shifts, pinned = _shifts(material, movable)
    seconds = _clock(material.start)
    planned = [work for work in works if _loose(work) or _held(work, shifts, seconds)]
    team, spans = [_person(material, shift.member) for shift in shifts], [shift.span for shift in shifts]
    eligible = np.zeros((len(planned) + len(pinned), len(shifts)), dtype=bool)
    if planned and shifts:
        eligible[: len(planned)] = people.table([work.job for work in planned], team, spans)
    known = parts.Team(team, spans, [shift.station for shift in shifts])
    stock = parts.shared_out(material, planned, known, eligible[: len(planned)])
    jobs = [_job(material, work, wants, places, shifts, seconds) for work, wants in zip(planned, stock.wanted)]
    jobs += [_pinned(stop, at, places, shifts, seconds) for at, stop in pinned]
    days = [_day(material, shift, places, seconds) for shift in shifts]
    meant = (*planned, *(None for _one in pinned))
    minutes = places.minutes(provider, material.areas)
    hours = _hours(material, shifts)
    if hours is None:
        minutes = np.ceil(minutes)
    problem = Problem(
        jobs=tuple(jobs),
        days=tuple(days),
        travel=Matrix(np.ceil(minutes * 60).astype(np.int32)),
        eligible=eligible,
        goals=replace(goals, fair_share=_fair_share(jobs, days)),
        lying=stock.lying,
        hours=hours,
        coming={store: tuple((seconds(moment), much) for moment, much in lots) for store, lots in stock.coming.items()},
    )
    over = frozenset(at for at, wants in enumerate(stock.wanted) if wants.over_store is not None and not wants.stays)
    return World(_standing(problem), meant, tuple(shifts), tuple(team), material.start, over)


def _hours(material: Material, shifts: Sequence[Shift]) -> Course | None:
    """Of the planned days; whoever drives on after them does so by the last of these hours, which is of no shift."""
    hours, begins = travel.DEFAULT.hours, material.start
    if hours is None:
        return None
    ends = max([material.end, *(shift.span.ends_at for shift in shifts)])
    return hours.course(begins, (ends - begins) // timedelta(days=1) + 1)


def _clock(origin: datetime) -> Callable[[datetime], int]:
    return lambda moment: int((moment - origin).total_seconds())


def _ours(material: Material) -> list[Work]:
    """All but what a technician keeps for the home station while lent: nobody could give it back to him."""
    members = {member.id: member for member in material.members if member.lent}

    def kept(work: Work) -> bool:
        visit = work.visit
        if visit is None or _loose(work) or visit.technician_id not in members:
            return False
        lents = members[visit.technician_id].lent
        return any(one.station_id != work.job.station_id and one.touches(*visit.span) for one in lents)

    return [work for work in material.works if not kept(work)] if members else list(material.works)


# People -------------------------------------------------------------------------------------------


def _shifts(material: Material, movable: set[int]) -> tuple[list[Shift], list[tuple[int, Stop]]]:
    """Pieces of duty, and the visits in them that are not ours to move: (number of the piece, stop)."""
    shifts: list[Shift] = []
    pinned: list[tuple[int, Stop]] = []
    for member in material.members:
        stops = material.stops.get(member.id, ())
        cutting = [stop for stop in stops if stop.cause != "visit" or stop.starts_at <= material.at]
        others = [stop for stop in stops if stop not in cutting]
        while True:
            pieces = list(_pieces(material, member, cutting))
            astray = [stop for stop in others if _holding(pieces, stop) is None and _touched(pieces, stop)]
            if not astray:
                break
            cutting, others = cutting + astray, [stop for stop in others if stop not in astray]
        for stop in others:
            at = _holding(pieces, stop)
            if at is not None and stop.visit_id not in movable:
                pinned.append((len(shifts) + at, stop))
        shifts += _followed(pieces, cutting)
    return shifts, pinned


def _pieces(material: Material, member: Member, cutting: Sequence[Stop]) -> Iterator[Shift]:
    """Ordinary duty, then the time on call beside it, without what is taken and what is past."""
    regular = [Span(*span) for span in member.regular]
    on_call = [piece for span in member.with_on_call for piece in _without(Span(*span), regular)]
    taken = [Span(stop.starts_at, stop.ends_at) for stop in cutting]
    soonest = max(material.start, _next_minute(material.at))
    for duty in (*regular, *on_call):
        if duty.starts_at >= material.end or duty.ends_at <= soonest:
            continue
        for begins, ends, lent in stretches(*duty, member.lent):  # as booking cuts it: a stretch begins at home
            left = Span(max(begins, soonest), ends)
            for span in _without(left, taken):
                if span.ends_at - span.starts_at >= SHORTEST:
                    yield Shift(member, span, _whereabouts(member, Span(begins, ends), span, cutting), lent=lent)


def _followed(pieces: Sequence[Shift], taken: Sequence[Stop]) -> Iterator[Shift]:
    """Who has a visit right after a piece must be there by then; who goes on duty again, back at home."""
    for piece in pieces:
        ends, soon = piece.span.ends_at, piece.span.ends_at + SOON
        visits = [one for one in taken if one.place.point and ends <= one.starts_at < soon]
        again = any(ends <= other.span.starts_at < soon for other in pieces)
        nearest = min(visits, key=lambda one: one.starts_at, default=None)
        home = piece.member.home_at(ends)
        yield replace(piece, ends_at=nearest.place.point if nearest else home if again else None)


def _without(span: Span, taken: Sequence[Span]) -> list[Span]:
    found, begins = [], span.starts_at
    for one in sorted(taken):
        if one.starts_at < span.ends_at and one.ends_at > begins:
            found.append(Span(begins, one.starts_at))
            begins = one.ends_at
    return [one for one in (*found, Span(begins, span.ends_at)) if one.ends_at > one.starts_at]


def _whereabouts(member: Member, duty: Span, span: Span, begun: Sequence[Stop]) -> Point:
    """Where somebody is at the beginning of a piece: at the last place of that duty, else at home."""
    been = [stop.place.point for stop in begun if stop.place.point and duty.starts_at < stop.ends_at <= span.starts_at]
    return been[-1] if been else member.home_at(span.starts_at)


def _holding(pieces: Sequence[Shift], stop: Stop) -> int | None:
    within = (
        at
        for at, piece in enumerate(pieces)
        if piece.span.starts_at <= stop.starts_at and stop.ends_at <= piece.span.ends_at
    )
    return next(within, None)


def _touched(pieces: Sequence[Shift], stop: Stop) -> bool:
    return any(piece.span.touches(stop.starts_at, stop.ends_at) for piece in pieces)


def _person(material: Material, member: Member) -> TechnicianDay:
    return TechnicianDay(member, van=material.vans.get(member.id, {}), lends=member.station_id not in material.strict)


def _day(material: Material, shift: Shift, places: Places, seconds: Callable[[datetime], int]) -> Day:
    member, span = shift.member, shift.span
    store = material.stores.get(shift.station)
    return Day(
        key=f"{member.id}:{span.starts_at.isoformat()}",
        technician=member.id,
        start=seconds(span.starts_at),
        end=seconds(span.ends_at),
        start_place=places.number(shift.begins_at),
        station=shift.station,
        breaks=tuple(_lunch(span, seconds)),
        van={str(part): float(quantity) for part, quantity in material.vans.get(member.id, {}).items()},
        end_place=None if shift.ends_at is None else places.number(shift.ends_at),
        home_after=False,
        dearer=_dearer(material, shift),
        store_place=places.number(store) if store is not None else None,
    )


def _dearer(material: Material, shift: Shift) -> float:
    """What a second of somebody borrowed costs above one of the borrowing station's own people."""
    if shift.lent is None:
        return 0.0
    own = material.rates.get(shift.station, 0)
    return max(0.0, shift.lent.hour_rate / own - 1) if own else 0.0


def _lunch(span: Span, seconds: Callable[[datetime], int]) -> Iterable[Break]:
    """The midday break of a shift that goes on before and after it."""
    room = lunch_within(span)
    if room is not None:
        yield Break(seconds(room.starts_at), seconds(room.ends_at), int(LUNCH_TAKES.total_seconds()))


# Work ---------------------------------------------------------------------------------------------


def _job(
    material: Material,
    work: Work,
    wants: parts.Wanted,
    places: Places,
    shifts: Sequence[Shift],
    seconds: Callable[[datetime], int],
) -> Job:
    station = work.job.station_id
    due, window = _due(work), _window(material, work, seconds)
    point = work.job.place.point or material.stores[station]  # a place nobody knows: as far as the station
    place: Point | OverStore = point
    if wants.stays and work.visit is not None:
        window = Window(seconds(work.visit.span.starts_at), seconds(work.visit.span.starts_at))
    elif wants.over_store is not None:
        place = OverStore(work.job.number, material.stores[station], point)
        way = timedelta(minutes=ceil(travel_minutes(place.store, point)))  # an ordinary one, as booking asks for
        soonest = ceil((wants.over_store + HANDING_OVER + way - material.start).total_seconds())
        window = Window(max(window.start, soonest), window.end)
    return Job(
        key=work.job.number,
        place=places.number(place),
        seconds=int(work.job.duration.total_seconds()),
        starts=(window,) if window.start <= window.end else (),
        weight=WEIGHTS.get(work.job.priority, 1.0) + (TOLD if work.stands else 0.0),
        due=None if due is None else seconds(due),
        restore_due=None if work.restore_due is None else seconds(work.restore_due),
        station=station,
        held=_held(work, shifts, seconds),
        prefers=work.job.prefers,
        needs=wants.needs,
        in_vans=wants.in_vans,
    )


def _window(material: Material, work: Work, seconds: Callable[[datetime], int]) -> Window:
    """What the customer was told holds; who was told nothing, or a time that is past, may be served any time."""
    soonest = max(material.start, _next_minute(material.at))
    if work.visit is not None and work.stands and work.visit.told.ends_at > soonest:
        told = work.visit.told
        if work.visit.freed:  # not before the told time; after it is better than not at all, and costs (`_due`)
            return Window(seconds(max(told.starts_at, soonest)), seconds(material.end) - 1)
        begins = min(max(told.starts_at, soonest), work.visit.span.starts_at)
        return Window(seconds(begins), seconds(max(told.ends_at, work.visit.span.starts_at)))
    return Window(seconds(soonest), seconds(material.end) - 1)


def _loose(work: Work) -> bool:
    """Whether nothing holds it where it is."""
    return work.visit is None or work.visit.declined or work.visit.freed


def _due(work: Work) -> datetime | None:
    """Until when somebody is to be there: as promised; who lost a technician, as told."""
    told = [work.visit.told.ends_at] if work.visit is not None and work.visit.freed else []
    return min([*told, *([work.arrival_due] if work.arrival_due else [])], default=None)


def _held(work: Work, shifts: Sequence[Shift], seconds: Callable[[datetime], int]) -> tuple[Placement, ...]:
    if work.visit is None or _loose(work):
        return ()
    span = work.visit.span
    for at, shift in enumerate(shifts):
        if (
            shift.member.id == work.visit.technician_id
            and shift.span.starts_at <= span.starts_at
            and span.ends_at <= shift.span.ends_at
        ):
            return (Placement(at, seconds(span.starts_at)),)
    return ()


def _pinned(stop: Stop, at: int, places: Places, shifts: Sequence[Shift], seconds: Callable[[datetime], int]) -> Job:
    begins = seconds(stop.starts_at)
    return Job(
        key=f"visit {stop.visit_id}",
        place=places.number(stop.place.point or shifts[at].begins_at),
        seconds=seconds(stop.ends_at) - begins,
        starts=(Window(begins, begins),),
        station=shifts[at].station,
        held=(Placement(at, begins),),
        pinned=True,
    )


def _standing(problem: Problem) -> Problem:
    """Days on which what stands cannot be done as it stands get rid of what is in the way: the break, having to be
    somewhere afterwards, then work that may go elsewhere, the least weighty first."""
    days, jobs = list(problem.days), list(problem.jobs)
    for at, route in enumerate(held_plan(problem).routes):
        agreed = {job: jobs[job].held[0].start for job in route if not jobs[job].pinned}
        if not route or _can_be_done(problem, at, route, agreed):
            continue
        for ease in ({"breaks": ()}, {"breaks": (), "end_place": None}):
            days[at] = replace(days[at], **ease)
            if _can_be_done(replace(problem, days=tuple(days)), at, route, agreed):
                break
        freed = replace(problem, days=tuple(days))
        left = list(route)
        while left and isinstance(price_route(freed, at, left), Fault):
            loose = [job for job in left if not jobs[job].pinned]
            if not loose:
                break
            out = min(loose, key=lambda job: (jobs[job].weight, -job))
            left.remove(out)
            jobs[out] = replace(jobs[out], held=())
    return replace(problem, jobs=tuple(jobs), days=tuple(days))


def _can_be_done(problem: Problem, day: int, route: Sequence[int], agreed: Mapping[int, int]) -> bool:
    return not isinstance(price_route(problem, day, route, agreed), Fault)


def _fair_share(jobs: Sequence[Job], days: Sequence[Day]) -> int:
    """Work of a day if all of it were spread evenly; travel comes on top for everybody."""
    return ceil(sum(job.seconds * job.crew for job in jobs) / len(days)) if days else 0


def _next_minute(moment: datetime) -> datetime:
    return (
        moment
        if moment.second == moment.microsecond == 0
        else moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    )
