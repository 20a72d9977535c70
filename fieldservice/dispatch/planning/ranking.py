"""Who could take a job best, of everybody: all gaps of a live board at once, and only the best ones priced exactly.

The arrays say for each gap what it costs at least to put the job there; a gap that they refuse cannot be driven. Gaps
are then priced exactly from the least bound on, until no other can be better. So the answer is the one that pricing
every gap would give, for a small part of the effort (DESIGN §6).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.planning.gaps import Gaps, Whole
from fieldservice.dispatch.planning.model import Job, Window
from fieldservice.dispatch.planning.objectives import (
    BORROWED,
    CHANGED_DAY,
    CHANGED_PERSON,
    LATE,
    LATER,
    MOST_LATE,
    MOST_LATER,
    NOT_PREFERRED,
    UNEVEN,
)
from fieldservice.dispatch.planning.pricing import Fault, price_route, windows_of
from fieldservice.dispatch.planning.slack import NEVER
from fieldservice.foundation.places.course import Course

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
ROUNDING = 1e-6  # seconds by which a bound may miss for its being reckoned in another order
AT_ONCE = 32  # bounds that are put in order at a time


class Offer(NamedTuple):
    """A technician-day with the job put in before its job number `at`, priced exactly."""

    cost: float  # weighted seconds more than without the job
    day: int
    at: int
    start: int
    travel: int  # seconds more
    late: float  # of `cost`: broken promises, the job's own and others'


@dataclass(frozen=True)
class Ranking:
    """The best offer of each of the best technicians, the best first, and the technician-days of everybody else who
    seems to have room, by what it would cost at least."""

    offers: tuple[Offer, ...]
    others: tuple[int, ...]


class _Gap(NamedTuple):
    """Gaps that may take the job, as parallel arrays."""

    bound: Floats
    day: Numbers
    slot: Numbers
    into: Whole  # travel seconds at an ordinary hour from the stop before
    out: Whole  # and to the one after


def rank(gaps: Gaps, job: int, most: int = 3, dearer: Floats | None = None) -> Ranking:
    """The `most` best technicians for a job that stands nowhere on the board, each with the best gap of all days.

    `dearer` is what the job costs more on each technician-day for reasons of the caller's; where it is infinite, the
    day is not asked.

    The job is taken for itself: members of a crew are asked for one by one, and a job that waits for another needs a
    moment in `gaps.agreed`. Raises ValueError for a job that is pinned: it stands where it is.
    """
    if gaps.problem.jobs[job].pinned:
        raise ValueError("a pinned job is where it is")
    found = _bounds(gaps, job, dearer)
    offers: list[Offer] = []
    people: set[int] = set()
    for offer in _exactly(gaps, job, found, people, dearer):
        offers.append(offer)
        people.add(gaps.problem.days[offer.day].technician)
        if len(offers) >= most:
            break
    return Ranking(tuple(offers), _others(gaps, found, people))


def _exactly(gaps: Gaps, job: int, found: _Gap, people: set[int], dearer: Floats | None = None) -> Iterator[Offer]:
    """Offers from the cheapest on; those of `people`, who are known already, are passed over."""
    waiting: list[Offer] = []
    for bound, day, slot, *legs in _in_order(found):
        while waiting and waiting[0].cost <= bound:
            offer = heapq.heappop(waiting)
            if gaps.problem.days[offer.day].technician not in people:
                yield offer
        if gaps.problem.days[day].technician in people:
            continue
        priced = offer_of(gaps, job, day, slot, legs)
        if priced is not None:
            if dearer is not None:
                priced = priced._replace(cost=priced.cost + float(dearer[day]))
            heapq.heappush(waiting, priced)
    while waiting:
        offer = heapq.heappop(waiting)
        if gaps.problem.days[offer.day].technician not in people:
            yield offer


def offer_of(gaps: Gaps, job: int, day: int, at: int, between: Sequence[int] | None = None) -> Offer | None:
    """A gap priced exactly; None where the job does not fit. `between` is the travel into the job and from it at an
    ordinary hour, where that is known; whoever collects parts for the job goes other ways, and is asked without."""
    route, legs = gaps.routes[day], None
    if between is not None and not gaps.problem.jobs[job].needs:
        ways = gaps.ways[day, : len(route) + 1].tolist()
        legs = [*ways[:at], *between, *ways[at + 1 :]]
    timed = price_route(gaps.problem, day, (*route[:at], job, *route[at:]), gaps.agreed, legs)
    if isinstance(timed, Fault):
        return None
    travel = sum(timed.legs) - int(gaps.driven[day])
    late = timed.amounts.promises - float(gaps.late[day])
    return Offer(timed.amounts.total - float(gaps.cost[day]), day, at, timed.starts[at], travel, late)


def _in_order(found: _Gap) -> Iterator[tuple[float, int, int, int, int]]:
    """Gaps from the least bound on, put in order by and by: most are never looked at."""
    left = np.arange(len(found.bound))
    many = AT_ONCE
    while len(left):
        if len(left) > many:
            cut = np.argpartition(found.bound[left], many)
            now, left = left[cut[:many]], left[cut[many:]]
        else:
            now, left = left, left[:0]
        now = now[np.argsort(found.bound[now], kind="stable")]
        yield from zip(*(column[now].tolist() for column in found))
        many *= 4


def _others(gaps: Gaps, found: _Gap, people: set[int]) -> tuple[int, ...]:
    """The technician-days of everybody else, the least bound first."""
    if not len(found.bound):
        return ()
    least = np.full(len(gaps.routes), np.inf)
    np.minimum.at(least, found.day, found.bound)
    if people:
        least[np.isin(gaps.technician, list(people))] = np.inf
    days = np.flatnonzero(least < np.inf)
    return tuple(days[np.argsort(least[days], kind="stable")].tolist())


# Bounds -------------------------------------------------------------------------------------------


def _bounds(gaps: Gaps, job: int, dearer: Floats | None = None) -> _Gap:
    """What each gap costs at least, without those in which the job does not fit."""
    wanted, windows = gaps.problem.jobs[job], windows_of(gaps.problem, job, gaps.agreed)
    able, fetches = _able(gaps, job)
    if dearer is not None:
        able = able[dearer[able] < np.inf]
    day, slot = _roomy(gaps, able, windows, wanted.seconds)
    wait: Whole | int = 0
    more: Whole | int = 0
    if fetches is None or not fetches[day].any():
        into = _into(gaps, wanted, day, slot)
        begin = _first_in(windows, _driven(gaps.soonest[day, slot], into, gaps.problem.hours))
        still = np.flatnonzero(begin + wanted.seconds <= gaps.latest[day, slot])
        day, slot, into = day[still], slot[still], into[still]
    else:
        into, wait, more = _over_stores(gaps, wanted, day, slot, fetches)
    if not len(day):
        return _Gap(np.zeros(0), day, slot, into, into)
    out = gaps.problem.travel.block([wanted.place], gaps.points[day, slot + 1])[0] * gaps.leads[day, slot]
    out = _paced(gaps, out, day)
    begin = _begins(gaps, day, slot, windows, wanted.seconds, into, out * gaps.takes[day, slot], wait)
    fits = np.flatnonzero(begin < NEVER)
    detour = (into + out - gaps.ways[day, slot] + more)[fits]
    bound = _cost(gaps, wanted, day[fits], begin[fits], detour) - ROUNDING
    if dearer is not None:
        bound += dearer[day[fits]]
    return _Gap(bound, day[fits], slot[fits], into[fits], out[fits])


def _able(gaps: Gaps, job: int) -> tuple[Numbers, NDArray[np.bool_] | None]:
    """Days that may do the job and get its parts, and which of all days would collect for it alone."""
    needs, may = gaps.problem.jobs[job].needs, gaps.problem.eligible[job]
    if not needs:
        return np.flatnonzero(may), None
    may, fetches = may.copy(), np.zeros(len(may), dtype=bool)
    nothing = np.zeros(len(may))
    for part, quantity in _wanted(gaps, job).items():
        used, van = gaps.used.get(part, nothing), gaps.van.get(part, nothing)
        lying = np.array([gaps.problem.there_by(one.station, part, one.start) for one in gaps.problem.days])
        short = np.maximum(used + quantity - van, 0.0)
        may &= (short == 0) | (short <= lying + ROUNDING)
        fetches |= short > ROUNDING
    stores = np.array([one.store_place is not None for one in gaps.problem.days])
    return np.flatnonzero(may & (stores | ~fetches)), fetches & ~gaps.collects


def _wanted(gaps: Gaps, job: int) -> dict[str, Floats]:
    """part → how much the job wants of it from each day beyond what is held for it in that van."""
    wanted: dict[str, Floats] = {}
    for at, day in enumerate(gaps.problem.days):
        for part, quantity in gaps.problem.jobs[job].wants(day.technician):
            wanted.setdefault(part, np.zeros(len(gaps.problem.days)))[at] += quantity
    return wanted


def _roomy(gaps: Gaps, able: Numbers, windows: tuple[Window, ...], seconds: int) -> tuple[Numbers, Numbers]:
    """(day, slot) of gaps that would hold the work even if nobody had to drive: a full board has few of them."""
    begin = _first_in(windows, gaps.soonest[able])
    row, slot = np.nonzero(begin + seconds <= gaps.latest[able])
    return able[row], slot


def _into(gaps: Gaps, job: Job, day: Numbers, slot: Numbers) -> Whole:
    """Seconds into the job."""
    into = gaps.problem.travel.block(gaps.points[day, slot], [job.place])[:, 0]
    return _paced(gaps, into + gaps.ahead[day] * (slot == 0), day)


def _paced(gaps: Gaps, legs: Whole, day: Numbers) -> Whole:
    if gaps.alike:
        return legs
    found: Whole = np.ceil(legs * gaps.pace[day]).astype(np.int64)
    return found


def _over_stores(
    gaps: Gaps, job: Job, day: Numbers, slot: Numbers, fetches: NDArray[np.bool_]
) -> tuple[Whole, Whole, Whole]:
    """(seconds into the job, of collecting before, of travel elsewhere): whoever collects for this job alone drives to
    the store before the first job of the day."""
    travel, into = gaps.problem.travel, _into(gaps, job, day, slot)
    wait, more = np.zeros_like(into), np.zeros_like(into)
    for at in np.flatnonzero(fetches[day]).tolist():
        one, first = gaps.problem.days[day[at]], job.place if slot[at] == 0 else int(gaps.points[day[at], 1])
        store = one.start_place if one.store_place is None else one.store_place
        over = ceil(sum(travel.along([one.start_place, store, first])) * one.pace)
        if slot[at] == 0:
            into[at], wait[at] = over, one.collect
        else:  # that this makes the rest of the day later is left to the exact price
            more[at] = over - gaps.ways[day[at], 0]
    return into, wait, more


def _begins(
    gaps: Gaps,
    day: Numbers,
    slot: Numbers,
    windows: tuple[Window, ...],
    seconds: int,
    into: Whole,
    out: Whole,
    wait: Whole | int,
) -> Whole:
    """When the job would begin at the earliest so that the rest of the day can follow; NEVER where it cannot.

    Breaks may be had before the gap, on the way to the job or on the way from it (see `pricing.arrivals`).
    """
    pauses, many, hours = gaps.pauses[:, :, day, 0], len(gaps.pauses), gaps.problem.hours
    free, reach = gaps.free[:, day, slot], gaps.reach[:, day, slot]
    arrives: Whole = np.full_like(free, NEVER)
    for taken in range(many + 1):
        for had, moment in _arrivals(free[taken] + wait, into, taken, pauses, hours):
            np.minimum(arrives[had], moment, out=arrives[had])
    best: Whole = np.full(len(day), NEVER, dtype=np.int64)
    for taken in range(many + 1):
        begin = _first_in(windows, arrives[taken])
        for had, moment in _arrivals(begin + seconds, out, taken, pauses, hours):
            np.minimum(best, begin, out=best, where=moment <= reach[had])
    return best


def _arrivals(free: Whole, leg: Whole, taken: int, pauses: Whole, hours: Course | None) -> Iterator[tuple[int, Whole]]:
    """(breaks had, arrival), as `pricing.arrivals` has it."""
    base, arrives = free, _driven(free, leg, hours)
    yield taken, arrives
    for had in range(taken, len(pauses)):
        earliest, latest, seconds = pauses[had]
        if hours is None or had > taken:
            after = np.maximum(arrives, earliest) + seconds
        else:
            begins = np.maximum(base, earliest)
            left = np.maximum(0.0, leg - (hours.by_all(begins) - hours.by_all(base)))
            goes_on = begins + seconds
            after = hours.arrivals_by(hours.by_all(goes_on) + left, goes_on, left)
        arrives = np.where(base <= latest, after, NEVER)
        base = arrives
        yield had + 1, arrives


def _driven(free: Whole, leg: Whole, hours: Course | None) -> Whole:
    return free + leg if hours is None else hours.arrivals(free, leg)


def _first_in(windows: tuple[Window, ...], arrives: Whole) -> Whole:
    """The first moment from arrival on at which work may begin; NEVER where there is none."""
    begin: Whole = np.full_like(arrives, NEVER)
    for window in reversed(windows):
        begin = np.where(arrives <= window.end, np.maximum(arrives, window.start), begin)
    return begin


def _cost(gaps: Gaps, job: Job, day: Numbers, begin: Whole, detour: Whole) -> Floats:
    """What it costs more at least: exact but for what becomes later behind the job."""
    goals, weights = gaps.problem.goals, gaps.problem.goals.weights
    cost: Floats = detour * (weights.travel + gaps.dearer[day] * weights.station_cost)
    cost += _late(job, begin) * weights.promises
    cost += _pair(gaps, job, day)
    if weights.balance:
        before, after = gaps.busy[day] - goals.fair_share, gaps.busy[day] - goals.fair_share + job.seconds + detour
        cost += UNEVEN * weights.balance * (np.maximum(after, 0.0) - np.maximum(before, 0.0))
    # On tables where a detour may be quicker than the direct way, the rest of the day may even become earlier.
    most = 1.0 if gaps.problem.hours is None else gaps.problem.hours.most
    cost -= np.where(gaps.trades[day] | (detour * most + job.seconds < 0), gaps.soft[day], 0.0)
    return cost


def _late(job: Job, begin: Whole) -> Floats | float:
    if job.due is None and job.restore_due is None:
        return 0.0
    late = np.zeros(len(begin))
    if job.due is not None:
        late += np.maximum(0, begin - job.due)
    if job.restore_due is not None:
        late += np.maximum(0, begin + job.seconds - job.restore_due)
    beyond = np.clip(LATER * (late - MOST_LATE / LATE), 0, MOST_LATER)
    return (np.minimum(LATE * late, MOST_LATE) + beyond) * job.weight


def _pair(gaps: Gaps, job: Job, day: Numbers) -> Floats:
    """`pricing.pair_amounts` for many days."""
    weights, days = gaps.problem.goals.weights, gaps.problem.days
    cost: Floats = np.where(gaps.station[day] != job.station, BORROWED, 0.0) * weights.station_cost
    cost += gaps.dearer[day] * (job.seconds * weights.station_cost)
    if job.prefers:
        cost += np.where(np.isin(gaps.technician[day], list(job.prefers)), 0.0, NOT_PREFERRED * weights.preference)
    if job.held:
        same = np.isin(gaps.technician[day], [days[one.day].technician for one in job.held])
        change = np.where(same, CHANGED_DAY, CHANGED_PERSON) * weights.changes
        cost += np.where(np.isin(day, [one.day for one in job.held]), 0.0, change)
    return cost
