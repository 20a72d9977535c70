"""Triage and work orders as JSON."""

from typing import Any

from flask import Response

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform, with_etag
from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.workorders import listing, orders, queries, schemas, triage
from fieldservice.workorders.acting import decided_order, planned_order, triaged_request
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.rescue.queries import DECIDERS
from fieldservice.workorders.sheets import OrderSheet, order_sheet

blueprint = ApiBlueprint("work_orders", __name__, "Triage and work orders")


@blueprint.post("/service-requests/<number>/triage")
@roles(*queries.TRIAGERS)
@blueprint.arguments(schemas.TriageSchema)
@blueprint.alt_response(201, schema=schemas.OrderSheetSchema)
def triage_request(args: dict[str, Any], number: str) -> Response:
    """A request becomes a work order; 409 when somebody else was faster."""

    def work() -> OrderSheet:
        given = args["parts"]
        parts = [triage.NeededPart(**part) for part in given] if given is not None else None
        order = triage.triage_request(
            triaged_request(number), priority=args["priority"], work_type=args["work_type"], reason=args["reason"],
            skills=args["required_skills"], parts=parts, planned_for=args["planned_for"], at=now(),
            told=triage.Told(args["brand"], round(args["their_hours"] * 60) if args["their_hours"] else None),
        )  # fmt: skip
        return _sheet(order)

    return perform(work, schemas.OrderSheetSchema(), 201)


@blueprint.get("/work-orders")
@roles(*queries.READERS)
@blueprint.arguments(schemas.OrderQuery, location="query")
@blueprint.alt_response(200, schema=schemas.OrderPageSchema)
def listed(args: dict[str, Any]) -> Response:
    """Work orders the person may see, newest first."""
    filters = queries.Filters.read(args)
    statement = listing.columns(queries.narrowed(current(), filters))
    return page(
        statement, WorkOrder.id, listing.told, limit=args["limit"], cursor=args["cursor"], count=args["count"]
    )  # fmt: skip


@blueprint.get("/work-orders/<number>")
@roles(*queries.READERS)
@blueprint.alt_response(200, schema=schemas.OrderSheetSchema)
def one(number: str) -> Response:
    """A work order with visits, clocks, parts, coverage, history."""
    order = queries.order_by_number(number, current())
    return with_etag(schemas.dump_sheet(order_sheet(order, current())), order.version)


@blueprint.post("/work-orders/<number>/moves")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.OrderMoveSchema)
@blueprint.alt_response(200, schema=schemas.OrderSheetSchema)
def move(args: dict[str, Any], number: str) -> Response:
    """Hold, release, give up, cancel, close; 409 with what is allowed for anything else."""

    def work() -> OrderSheet:
        order = planned_order(number)
        orders.decide(order, args["to"], now(), args["reason"])
        return _sheet(order)

    return perform(work, schemas.OrderSheetSchema(), 200)


@blueprint.post("/work-orders/<number>/approval")
@roles(*DECIDERS)
@blueprint.arguments(schemas.ApprovalSchema)
@blueprint.alt_response(200, schema=schemas.OrderSheetSchema)
def decide(args: dict[str, Any], number: str) -> Response:
    """Approve or refuse a rescue; 409 with what happened when somebody else was faster."""

    def work() -> OrderSheet:
        order = decided_order(number)
        said = rescues.Decision(
            approved=args["decision"] == "approved", coverage=args["coverage"], estimate=args["estimate_minor"],
            waiver=args["waiver"], reason=args["reason"],
        )  # fmt: skip
        rescues.decide(order, said, now())
        return _sheet(order)

    return perform(work, schemas.OrderSheetSchema(), 200)


def _sheet(order: WorkOrder) -> OrderSheet:
    session.flush()
    return order_sheet(queries.order_by_number(order.number, current()), current())
