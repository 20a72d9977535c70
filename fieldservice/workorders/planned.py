"""Planned work: an order that nobody reported – a service, a sampling, an inspection on an agreed day."""

from datetime import datetime

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import in_warranty
from fieldservice.customers.models import Site
from fieldservice.foundation.db import session
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.time import local
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.queries import parts_by_number
from fieldservice.stations.models import Station
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import WorkItem, WorkOrder

PRIORITY = "P4"


def plan_work(*, station: Station, site: Site, asset: Asset, work_type: str, language: str, at: datetime) -> WorkOrder:
    """An order without a report, ready to be placed; the work type brings duration, skills, checklist, usual parts.

    There is no promise: the day is agreed with the customer. Raises Invalid for an unknown work type.
    """
    kind = catalogue.work_type(work_type)
    order = WorkOrder(
        number=next_number("WO", at), station_id=station.id, customer_id=asset.customer_id, site_id=site.id,
        asset_id=asset.id, title=f"{pick(asset.names, language)} · {pick(kind.names, language)}"[:120],
        work_type=kind.code, work_type_version=kind.version, kind=kind.kind, priority=PRIORITY,
        duration_min=kind.duration_min, skills=dict(kind.skills), certificates=list(kind.certificates),
        latitude=site.latitude, longitude=site.longitude, precision=site.precision,
        coverage="warranty" if in_warranty(asset, local(at).date()) else "billable", created_at=at,
    )  # fmt: skip
    session.add(order)
    session.flush()
    known = parts_by_number(number for number, _quantity in kind.parts)
    for number, quantity in kind.parts:
        if number in known:
            item = WorkItem(
                work_order_id=order.id, kind="part", part_id=known[number].id, quantity=quantity, opened_at=at
            )  # fmt: skip
            session.add(item)
    record("work_order.created", order, {"work_type": kind.code, "priority": PRIORITY}, at=at)
    move(order, "ready", at=at)
    session.flush()
    return order
