"""Work that waits for a technician, the most urgent first, and the counters above the board."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, Subquery, Text, and_, case, cast, distinct, func, or_, select
from sqlalchemy.orm import contains_eager, load_only

from fieldservice.customers.models import Customer
from fieldservice.foundation.db import among, session
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.mechanisms.events import Event, EventNote
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.part_lights import DARK, Light, lights
from fieldservice.workorders.rescue.queries import awaiting
from fieldservice.workorders.skills import certificate_word, skill_word

MOST = 100
WAITING = ("ready", "on_hold")
OPEN = ("ready", "on_hold", "scheduled", "dispatched", "in_progress")
SHOWN = (
    load_only(
        WorkOrder.number, WorkOrder.titles, WorkOrder.priority, WorkOrder.state, WorkOrder.skills,
        WorkOrder.certificates, WorkOrder.duration_min, WorkOrder.station_id, WorkOrder.request_id,
        WorkOrder.customer_id, WorkOrder.version, WorkOrder.kind, raiseload=True,
    ),
    contains_eager(WorkOrder.customer).load_only(Customer.names, Customer.tier, raiseload=True),
)  # fmt: skip
AT_RISK_FROM = 75  # per cent of a promise used up


@dataclass(frozen=True)
class Waiting:
    """An order to place."""

    order: WorkOrder
    clock: ClockView | None
    light: Light
    hold: str  # why it is on hold
    awaits: bool = False  # a rescue that nobody approved yet: to be planned, not sent

    @property
    def asks(self) -> str:
        """Skills and certificates in a few words: 'Gearboxes L2'."""
        skills = [f"{skill_word(skill)} L{level}" for skill, level in sorted(self.order.skills.items())]
        return str(_(", ")).join([*skills, *map(certificate_word, self.order.certificates)])


@dataclass(frozen=True)
class Counters:
    """What needs somebody now."""

    p1_open: int
    at_risk: int
    unassigned: int
    breached: int


def waiting(station_ids: Collection[int], at: datetime, words: str = "") -> tuple[list[Waiting], int]:
    """The queue (at most MOST) and how long it is in all."""
    rows = _waiting(station_ids, words)
    total = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    due = _due()
    rows = rows.outerjoin(due, due.c.subject_id == WorkOrder.request_id)
    urgent = (case((due.c.due_at.is_(None), 1), else_=0), due.c.due_at, WorkOrder.priority, WorkOrder.id)
    orders = list(session.scalars(rows.options(*SHOWN).order_by(*urgent).limit(MOST)))
    first = clocks.first_open_of("service_request", [order.request_id for order in orders if order.request_id])
    lit = lights({order.id: order.station_id for order in orders}, at)
    holds = _hold_reasons([order.id for order in orders if order.state == "on_hold"])
    undecided = awaiting(orders)
    queue = []
    for order in orders:
        clock = first.get(order.request_id or 0)
        shown = clocks.view(clock, at) if clock is not None else None
        queue.append(Waiting(order, shown, lit.get(order.id, DARK), holds.get(order.id, ""), order.id in undecided))
    return queue, total


def counters(station_ids: Collection[int]) -> Counters:
    """Open P1 work, promises at risk and broken (by request), work without a technician; two statements."""
    orders = session.execute(
        select(
            func.count(case((and_(WorkOrder.priority == "P1", WorkOrder.state.in_(OPEN)), 1))),
            func.count(case((WorkOrder.state == "ready", 1))),
        ).where(WorkOrder.station_id.in_(station_ids), WorkOrder.state.in_(OPEN))
    ).one()
    promises = session.execute(
        select(
            func.count(
                distinct(case((and_(Clock.state == "running", Clock.warned >= AT_RISK_FROM), Clock.subject_id)))
            ),
            func.count(distinct(case((Clock.state == "breached", Clock.subject_id)))),
        ).where(Clock.station_id.in_(station_ids), Clock.stopped_at.is_(None), Clock.subject_type == "service_request")
    ).one()
    return Counters(p1_open=orders[0], at_risk=promises[0], unassigned=orders[1], breached=promises[1])


def _waiting(station_ids: Collection[int], words: str) -> Select[WorkOrder]:
    rows = (
        select(WorkOrder)
        .outerjoin(Customer, Customer.id == WorkOrder.customer_id)
        .where(WorkOrder.station_id.in_(station_ids), WorkOrder.state.in_(WAITING))
    )
    for word in words.split()[:5]:
        pattern = f"%{word.replace('%', '').replace('_', '')}%"
        mappings = (WorkOrder.titles, Customer.names, WorkOrder.skills)
        texts = (WorkOrder.number, *(cast(column, Text) for column in mappings))
        rows = rows.where(or_(*(text.ilike(pattern) for text in texts)))
    return rows


def _due() -> Subquery[Any]:
    """The first open due moment of each request."""
    return (
        select(Clock.subject_id, func.min(Clock.due_at).label("due_at"))
        .where(Clock.subject_type == "service_request", Clock.stopped_at.is_(None))
        .group_by(Clock.subject_id)
        .subquery()
    )


def _hold_reasons(order_ids: Collection[int]) -> dict[int, str]:
    """What people wrote when they put these orders on hold, the latest word of each."""
    if not order_ids:
        return {}
    rows = session.execute(
        select(Event.subject_id, EventNote.words)
        .join(EventNote, EventNote.event_id == Event.id)
        .where(
            Event.subject_type == "work_order", among(Event.subject_id, order_ids), Event.kind == "work_order.on_hold"
        )
        .order_by(Event.id)
    )
    return dict(rows.all())
