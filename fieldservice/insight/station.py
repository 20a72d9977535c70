"""The four panels of a station's page: sale, spare part, service, survey – with what is known today."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer
from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.load import Load, load_of
from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import session
from fieldservice.foundation.time import day_span, now, today
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.sales.models import Opportunity
from fieldservice.sales.queries import OPEN as OPEN_OPPORTUNITIES
from fieldservice.workorders.models import Visit, WorkOrder

ROWS = 5
KINDS = ("warehouse", "van")
OPEN_REQUESTS = ("new", "triaged", "remote", "converted", "reopened")


@dataclass(frozen=True)
class Service:
    """A station's day in numbers, and the open requests whose promise falls due first."""

    visits: int
    on_the_way: int
    done: int
    open_requests: int
    unassigned: int
    breached: int
    load: Load
    load_tomorrow: Load
    warn_above: float  # share of the capacity
    urgent: list[tuple[ServiceRequest, clocks.ClockView]]


@dataclass(frozen=True)
class Sale:
    """Customers and machines the station cares for, and its chances; `busiest` are (customer, machines)."""

    customers: int
    machines: int
    under_warranty: int
    busiest: list[tuple[Customer, int]]
    opportunities: int  # open ones
    worth: int  # what is known of their value, minor units


@dataclass(frozen=True)
class Sparepart:
    """Good stock of the station's warehouse and vans; `lowest` are (part, in the warehouse, in vans), least first."""

    kinds: int
    places: int
    out: int
    lowest: list[tuple[Part, Any, Any]]


@dataclass(frozen=True)
class Voices:
    """Surveys: how many were sent and answered, and the latest answers with their request."""

    sent: int
    answered: int
    latest: list[tuple[Survey, ServiceRequest, int]]


def service_of(station_id: int) -> Service:
    """Counts of today's visits and of open work."""
    start, end = day_span(today())
    days_visits = select(Visit.state, func.count()).where(
        Visit.station_id == station_id, Visit.starts_at >= start, Visit.starts_at < end
    )
    by_state: dict[str, int] = dict(session.execute(days_visits.group_by(Visit.state)).all())
    clock, request = clocks.Clock, ServiceRequest
    broken = (
        clock.station_id == station_id, clock.stopped_at.is_(None), clock.state == "breached",
        clock.subject_type == request.subject_type,
    )  # fmt: skip
    loads = load_of([station_id], today(), 2)
    return Service(
        visits=sum(number for state, number in by_state.items() if state not in ("cancelled", "declined", "missed")),
        on_the_way=by_state.get("en_route", 0),
        done=by_state.get("completed", 0) + by_state.get("partially_completed", 0),
        open_requests=_count(request, request.station_id == station_id, request.state.in_(OPEN_REQUESTS)),
        unassigned=_count(WorkOrder, WorkOrder.station_id == station_id, WorkOrder.state == "ready"),
        load=loads.station(station_id, today()),
        load_tomorrow=loads.station(station_id, today() + timedelta(days=1)),
        warn_above=rules.thresholds([station_id])[station_id],
        breached=_count(clock, *broken),
        urgent=_urgent(station_id),
    )


def sale_of(station_id: int) -> Sale:
    """Who is cared for here."""
    here = Customer.station_id == station_id
    machines = func.count(Asset.id)
    owned = select(Customer, machines).join(Asset, Asset.customer_id == Customer.id).where(here)
    busiest = session.execute(owned.group_by(Customer.id).order_by(machines.desc(), Customer.id).limit(ROWS))
    of_ours = Asset.customer_id.in_(select(Customer.id).where(here))
    chance = Opportunity
    worth = func.coalesce(func.sum(chance.value), 0)
    open_ = select(func.count(chance.id), worth).where(
        chance.station_id == station_id, chance.state.in_(OPEN_OPPORTUNITIES)
    )  # fmt: skip
    opportunities, value = session.execute(open_).one()
    return Sale(
        customers=_count(Customer, here),
        machines=_count(Asset, of_ours),
        under_warranty=_count(Asset, of_ours, Asset.warranty_until >= today()),
        busiest=list(busiest),
        opportunities=opportunities,
        worth=int(value or 0),
    )


def sparepart_of(station_id: int) -> Sparepart:
    """What lies where."""
    place, balance = StockLocation, StockBalance
    good = (place.station_id == station_id) & place.kind.in_(KINDS) & (balance.condition == "good")
    of_kind = {kind: func.sum(case((place.kind == kind, balance.on_hand), else_=0)) for kind in KINDS}
    total = func.sum(balance.on_hand)
    grouped = (
        select(balance.part_id, total.label("total"), *(column.label(kind) for kind, column in of_kind.items()))
        .join(place, place.id == balance.location_id)
        .where(good)
        .group_by(balance.part_id)
    ).subquery()
    lowest = session.execute(
        select(Part, grouped.c.warehouse, grouped.c.van)
        .join(grouped, grouped.c.part_id == Part.id)
        .order_by(grouped.c.total, Part.number)
        .limit(ROWS)
    )
    return Sparepart(
        kinds=session.scalar(select(func.count()).select_from(grouped).where(grouped.c.total > 0)) or 0,
        places=_count(place, place.station_id == station_id, place.kind.in_(KINDS)),
        out=session.scalar(select(func.count()).select_from(grouped).where(grouped.c.total <= 0)) or 0,
        lowest=list(lowest),
    )


def voices_of(station_id: int) -> Voices:
    """What customers say."""
    here = Survey.station_id == station_id
    rows = session.execute(
        select(Survey, ServiceRequest)
        .join(ServiceRequest, ServiceRequest.id == Survey.request_id)
        .where(here, Survey.state == "answered", ~ServiceRequest.is_test)
        .order_by(Survey.answered_at.desc(), Survey.id.desc())
        .limit(ROWS)
    )
    return Voices(
        sent=_count(Survey, here, Survey.sent_at.is_not(None)),
        answered=_count(Survey, here, Survey.state == "answered"),
        latest=[(survey, request, min(survey.scores.values())) for survey, request in rows if survey.scores],
    )


def _count(model: Any, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(model.id)).where(*conditions)) or 0


def _urgent(station_id: int) -> list[tuple[ServiceRequest, clocks.ClockView]]:
    clock, request = clocks.Clock, ServiceRequest
    of = (clock.subject_type == request.subject_type) & (clock.subject_id == request.id)
    running = (clock.station_id == station_id) & clock.stopped_at.is_(None) & (clock.state != "void")
    rows = session.execute(
        select(request, clock)
        .join(clock, of)
        .where(running, request.state.in_(OPEN_REQUESTS))
        .order_by(clock.due_at)
        .limit(ROWS * 3)
    )
    seen: dict[int, tuple[ServiceRequest, clocks.ClockView]] = {}
    for found, due in rows:
        seen.setdefault(found.id, (found, clocks.view(due, now())))
    return list(seen.values())[:ROWS]
