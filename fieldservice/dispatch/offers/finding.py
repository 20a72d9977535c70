"""Which times could be offered for an order: read, priced by the planning engine in a worker, most wanted first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from fieldservice.dispatch.offers.punctuality import spread
from fieldservice.dispatch.offers.windows import Choice, Window, windows
from fieldservice.dispatch.planning import model
from fieldservice.dispatch.planning.objectives import Amounts, Goals
from fieldservice.dispatch.planning.ranking import Offer
from fieldservice.dispatch.planning.windows import price_windows
from fieldservice.dispatch.plans import services as plans
from fieldservice.dispatch.plans.compiling import World, compiled
from fieldservice.dispatch.plans.reading import free_for, read
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import day_span
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.slots import STEP, round_up
from fieldservice.workorders.suggestions import aim_of

DAYS = 4  # from the asked one on
SOONEST = timedelta(hours=2)  # earlier than this from now nobody is asked to be ready
PATIENCE = 20.0  # seconds
ASKED = 3  # technicians for each window


def find(order: WorkOrder, visit: Visit | None, first: date, at: datetime) -> list[Choice]:
    """Every window of the days from `first` on that somebody of the order's station could keep, with its price.

    Empty where there is none. Reads and computes: not for a write transaction, and it ends the reading one. Raises
    ComputeTimeout.
    """
    station_id, order_id = order.station_id, order.id
    aim, margin = aim_of(order, at), spread(station_id, at)
    begin, end = day_span(first, DAYS)
    told = Span(visit.window_starts_at, visit.window_ends_at) if visit is not None else None
    asked = [one for one in windows(begin, end, at + SOONEST, margin, aim.arrival_due) if one.told != told]
    try:
        material = free_for(read([station_id], first, DAYS, at), order, visit)
    except DomainError:
        return []  # more than can be planned at once: people find a time
    world = compiled(material, Goals(Amounts(**plans.mixed("promises", station_id))))
    session.rollback()
    job = next((one for one, work in enumerate(world.works) if work is not None and work.order_id == order_id), None)
    if job is None or not world.problem.days or not asked:
        return []
    asked = list(_after_parts(world, job, asked))
    try:
        priced = compute(price_windows, world.problem, job, _seconds(world, asked), ASKED, timeout=PATIENCE)
    except ValueError:
        return []  # what stands breaks a rule by now: a dispatcher has to mend that first
    return [
        choice for one, offers in zip(asked, priced, strict=True)
        for choice in _choices(world, job, one, offers, aim.arrival_due, aim.restore_due)
    ]  # fmt: skip


def _after_parts(world: World, job: int, asked: Sequence[Window]) -> Iterator[Window]:
    """The windows, none beginning before its parts can be there where they are collected on the way to the job."""
    if job not in world.over_store:
        yield from asked
        return
    for starts in world.problem.jobs[job].starts:
        for one in asked:
            soonest = round_up(world.moment(starts.start), STEP)
            if one.last >= soonest:
                yield replace(one, first=max(one.first, soonest))


def _seconds(world: World, asked: Sequence[Window]) -> list[model.Window]:
    def seconds(moment: datetime) -> int:
        return int((moment - world.origin).total_seconds())

    return [model.Window(seconds(one.first), seconds(one.last)) for one in asked]


def _choices(
    world: World, job: int, window: Window, offers: Sequence[Offer], arrival: datetime | None, restore: datetime | None
) -> Iterator[Choice]:
    length = timedelta(seconds=world.problem.jobs[job].seconds)
    for offer in offers:
        start = round_up(world.moment(offer.start), STEP)
        if start > window.last:
            continue
        late = arrival is not None and window.told.ends_at > arrival
        late = late or (restore is not None and start + length > restore)
        yield Choice(
            technician_id=world.shifts[offer.day].member.id,
            span=Span(start, start + length),
            told=window.told,
            cost=offer.cost,
            travel_min=round(offer.travel / 60),
            after_promise=late,
        )
