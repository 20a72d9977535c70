"""What a lent technician did for the borrowing station: visits with hours and ways, and what that costs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from fieldservice.dispatch.board import AT_WORK, HIDDEN
from fieldservice.dispatch.lending.costs import Cost, Terms, cost
from fieldservice.dispatch.lending.prospects import way_of
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.stations import roster
from fieldservice.stations.lendings import Lending
from fieldservice.workorders.models import Visit, WorkOrder

MOST = 500  # visits of one lending


@dataclass(frozen=True)
class Done:
    """A visit for the borrowing station, with minutes of work and of travel so far."""

    visit: Visit
    work: int
    travel: int


@dataclass(frozen=True)
class Worked:
    """All of them, by start, and what they cost together."""

    visits: tuple[Done, ...]
    cost: Cost

    @property
    def work(self) -> int:
        return sum(one.work for one in self.visits)

    @property
    def travel(self) -> int:
        return sum(one.travel for one in self.visits)


def worked_for(lending: Lending, at: datetime) -> Worked:
    """Up to now. Hours of work and travel count; further ways and nights by the days on which he worked."""
    done = tuple(_done(visit, at) for visit in _visits(lending))
    days = {local(one.visit.on_site_at).date() for one in done if one.visit.on_site_at is not None}
    if lending.technician_id is None or not done:
        return Worked(done, Cost())
    member = roster.members_by_id([lending.technician_id], lending.starts_at, lending.ends_at)[lending.technician_id]
    minutes = sum(one.work + one.travel for one in done)
    terms = Terms(lending.hour_rate, lending.km_rate, lending.night_rate, 0)
    way = way_of(member, lending.to_station, lending.station)
    return Worked(done, cost(minutes, days, way, lodges=lending.lodges, terms=terms))


# Inside -------------------------------------------------------------------------------------------


def _visits(lending: Lending) -> list[Visit]:
    rows = (
        select(Visit)
        .join(WorkOrder, WorkOrder.id == Visit.work_order_id)
        .options(contains_eager(Visit.work_order))
        .where(Visit.technician_id == lending.technician_id, Visit.station_id == lending.to_station_id)
        .where(Visit.starts_at < lending.ends_at, Visit.ends_at > lending.starts_at, Visit.state.not_in(HIDDEN))
        .order_by(Visit.starts_at, Visit.id)
        .limit(MOST)
    )
    return list(session.scalars(rows))


def _done(visit: Visit, at: datetime) -> Done:
    if visit.on_site_at is None:
        return Done(visit, 0, 0)
    until = visit.finished_at or (at if visit.state in AT_WORK else visit.on_site_at)
    work = max(0, _minutes(visit.on_site_at, until) - visit.paused_min)
    way = _minutes(visit.en_route_at, visit.on_site_at) if visit.en_route_at is not None else visit.travel_min
    return Done(visit, work, max(0, way))


def _minutes(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() / 60)
