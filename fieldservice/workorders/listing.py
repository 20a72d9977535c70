"""Work orders in lists of the API: plain columns of a page, told without an object for each row.

Objects with their relations cost six times as much here (`make bench`), and a partner pages through thousands.
tests/workorders/test_api.py compares with the schema that documents them, field by field.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer
from fieldservice.foundation.db import among, session
from fieldservice.foundation.words import language, pick
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.clocks import Clock
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.booking import OPEN_STATES
from fieldservice.workorders.models import Visit, WorkOrder

OWN = (
    WorkOrder.id, WorkOrder.number, WorkOrder.request_id, WorkOrder.titles, WorkOrder.state, WorkOrder.priority,
    WorkOrder.kind, WorkOrder.work_type, WorkOrder.duration_min, WorkOrder.skills, WorkOrder.certificates,
    WorkOrder.customer_id, WorkOrder.created_at, WorkOrder.completed_at, WorkOrder.closed_at, WorkOrder.version,
)  # fmt: skip
OF_OTHERS = (
    Station.code.label("station"), Customer.names.label("customer"), Asset.serial.label("serial"),
    ServiceRequest.number.label("request"),
)  # fmt: skip
VISIT = (
    Visit.work_order_id, Visit.id, Visit.state, Visit.starts_at, Visit.ends_at, Visit.window_starts_at,
    Visit.window_ends_at, Visit.eta_at, Visit.on_site_at, Visit.finished_at, Visit.restored, Visit.end_reason,
    Visit.version, Visit.technician_id, Technician.names, Technician.station_id,
)  # fmt: skip


def columns(statement: Select[Any]) -> Select[Any]:
    """The same orders, as the columns that a list tells."""
    return (
        statement.join(Station, Station.id == WorkOrder.station_id)
        .outerjoin(Customer, Customer.id == WorkOrder.customer_id)
        .outerjoin(Asset, Asset.id == WorkOrder.asset_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == WorkOrder.request_id)
        .with_only_columns(*OWN, *OF_OTHERS)
    )


def told(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A page of such rows as `OrderSchema` describes them: two more statements for all of them."""
    due = _due([row.request_id for row in rows if row.request_id is not None])
    visits = _visits([row.id for row in rows])
    spoken = language()
    return [
        {
            "number": row.number, "request": row.request, "station": row.station, "title": pick(row.titles, spoken),
            "state": row.state, "priority": row.priority, "kind": row.kind, "work_type": row.work_type,
            "duration_min": row.duration_min, "skills": row.skills, "certificates": row.certificates,
            "customer": row.customer, "customer_id": row.customer_id, "asset_serial": row.serial,
            "created_at": row.created_at, "completed_at": row.completed_at,
            "closed_at": row.closed_at, "etag": str(row.version),
            "due_at": due.get(row.request_id), "visit": visits.get(row.id),
        }
        for row in rows
    ]  # fmt: skip


def _due(requests: Sequence[int]) -> Mapping[int, datetime]:
    """request → when its most urgent open promise falls due"""
    if not requests:
        return {}
    of_requests = (Clock.subject_type == ServiceRequest.subject_type, among(Clock.subject_id, requests))
    still_open = select(Clock.subject_id, func.min(Clock.due_at)).where(*of_requests, Clock.stopped_at.is_(None))
    return dict(session.execute(still_open.group_by(Clock.subject_id)).all())


def _visits(orders: Sequence[int]) -> dict[int, dict[str, Any]]:
    """order → the visit under way, else the last one"""
    if not orders:
        return {}
    found = session.execute(
        select(*VISIT).join(Technician, Technician.id == Visit.technician_id).where(among(Visit.work_order_id, orders))
        .order_by(Visit.state.in_(OPEN_STATES), Visit.starts_at, Visit.id)
    )  # fmt: skip
    last = {row.work_order_id: row for row in found}  # the last one of each stays
    return {order: _visit(row) for order, row in last.items()}


def _visit(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "state": row.state,
        "technician": {"id": row.technician_id, "names": row.names, "station_id": row.station_id},
        "starts_at": row.starts_at, "ends_at": row.ends_at,
        "window_starts_at": row.window_starts_at, "window_ends_at": row.window_ends_at,
        "eta_at": row.eta_at, "on_site_at": row.on_site_at, "finished_at": row.finished_at,
        "restored": row.restored, "end_reason": row.end_reason, "etag": str(row.version),
    }  # fmt: skip
