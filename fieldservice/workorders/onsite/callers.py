"""Whose contact speaks for an order: the request it came from, or that of the work it follows."""

from collections.abc import Collection

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.intake.models import ServiceRequest
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.onsite.models import FollowUp


def callers_of(orders: Collection[WorkOrder]) -> dict[int, ServiceRequest]:
    """By order: the request whose contact speaks for it. Follow-up work has none of its own: it is that of the work
    it follows, however often; one query, none where every order was asked for by itself."""
    found = {order.id: order.request for order in orders if order.request is not None}
    others = [order.id for order in orders if order.request is None]
    if not others:
        return found
    before = (
        select(FollowUp.work_order_id.label("order_id"), Visit.work_order_id.label("before_id"))
        .join(Visit, Visit.id == FollowUp.visit_id).where(FollowUp.work_order_id.in_(others))
        .cte("before", recursive=True)
    )  # fmt: skip
    before = before.union(
        select(before.c.order_id, Visit.work_order_id)
        .join(FollowUp, FollowUp.work_order_id == before.c.before_id).join(Visit, Visit.id == FollowUp.visit_id)
    )  # fmt: skip
    asked = (
        select(before.c.order_id, ServiceRequest)
        .join(WorkOrder, WorkOrder.id == before.c.before_id)
        .join(ServiceRequest, ServiceRequest.id == WorkOrder.request_id)
    )
    for order_id, request in session.execute(asked):
        found[order_id] = request
    return found


def caller_of(order: WorkOrder) -> ServiceRequest | None:
    """The request whose contact speaks for this order."""
    return callers_of([order]).get(order.id)
