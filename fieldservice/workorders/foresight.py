"""What the levels of parts may know from work: what was planned, which jobs there are, where machines stand."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.mechanisms.events import Event
from fieldservice.parts.models import StockMove
from fieldservice.parts.stocking.foresight import Fitted, Jobs, Machines, PlannedUse, Sources
from fieldservice.workorders.models import PartUse, Visit, WorkOrder

STANDING = ("installed", "in_service", "down", "retired")  # a planned machine asks for nothing yet


def planned(since: datetime) -> Sequence[PlannedUse]:
    """What orders that nobody reported used; a use that was taken back has no row any more."""
    rows = session.execute(
        select(StockMove.part_id, StockMove.from_id, PartUse.quantity, StockMove.at, WorkOrder.created_at)
        .join(PartUse, PartUse.move_id == StockMove.id)
        .join(WorkOrder, WorkOrder.id == PartUse.work_order_id)
        .where(StockMove.at >= since, WorkOrder.request_id.is_(None))
    )
    return [
        PlannedUse(part, place, quantity, at, planned_at)
        for part, place, quantity, at, planned_at in rows
        if place is not None
    ]


def jobs(since: datetime) -> Sequence[Jobs]:
    """Orders on known machines that were visited; where an order was cancelled, no part was needed."""
    visited = select(Visit.id).where(Visit.work_order_id == WorkOrder.id, Visit.state != "cancelled").exists()
    rows = session.execute(
        select(WorkOrder.station_id, WorkOrder.work_type, Asset.model, func.count())
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(WorkOrder.created_at >= since, WorkOrder.state != "cancelled", visited)
        .group_by(WorkOrder.station_id, WorkOrder.work_type, Asset.model)
        .order_by(WorkOrder.station_id, WorkOrder.work_type, Asset.model)
    )
    return [Jobs(*row) for row in rows]


def machines() -> Sequence[Machines]:
    """Machines of the station that had the last order at their site; of a site nobody was ever at, nobody knows."""
    last = select(WorkOrder.site_id, func.max(WorkOrder.id).label("id")).group_by(WorkOrder.site_id).subquery()
    retired = (
        select(Event.subject_id, func.max(Event.at).label("at"))
        .where(Event.subject_type == "asset", Event.kind == "asset.retired")
        .group_by(Event.subject_id)
        .subquery()
    )
    rows = session.execute(
        select(WorkOrder.station_id, Asset.model, Asset.installed_on, Asset.state, retired.c.at, func.count())
        .join(last, last.c.site_id == Asset.site_id)
        .join(WorkOrder, WorkOrder.id == last.c.id)
        .outerjoin(retired, retired.c.subject_id == Asset.id)
        .where(Asset.state.in_(STANDING))
        .group_by(WorkOrder.station_id, Asset.model, Asset.installed_on, Asset.state, retired.c.at)
    )
    return [
        Machines(station, model, since, local(at).date() if state == "retired" else None, number)
        for station, model, since, state, at, number in rows
        if state != "retired" or at is not None
    ]


def fitted(since: datetime) -> Sequence[Fitted]:
    """Which parts went into machines of which model, by work that somebody reported: what is planned is known."""
    rows = session.execute(
        select(PartUse.part_id, Asset.model, func.sum(PartUse.quantity))
        .join(WorkOrder, WorkOrder.id == PartUse.work_order_id)
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(PartUse.at >= since, WorkOrder.request_id.is_not(None))
        .group_by(PartUse.part_id, Asset.model)
    )
    return [Fitted(*row) for row in rows]


SOURCES = Sources(planned, jobs, machines, fitted)
