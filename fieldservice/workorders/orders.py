"""What can be done with work orders. Between ready and completed the state follows the visits (derivation.py)."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.intake import services as intake
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders.derivation import derive
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder

ENDED = ("completed", "cannot_complete")


def settle(order: WorkOrder, at: datetime) -> None:
    """Derive the order's state from its visits and open items, and move it there; called after any change of them.

    Completed work restores and resolves the request; work left opens the order for planning again.
    """
    session.flush()
    states = session.scalars(
        select(Visit.state).where(Visit.work_order_id == order.id).order_by(func.coalesce(Visit.finished_at, Visit.starts_at), Visit.id)
    ).all()  # fmt: skip
    open_required = session.scalar(
        select(func.count(WorkItem.id)).where(
            WorkItem.work_order_id == order.id, WorkItem.required, WorkItem.done_at.is_(None)
        )
    )
    wanted = derive(order.state, states, bool(open_required))
    if wanted == order.state:
        return
    for step in _way(order, wanted):
        reason = "visit" if step == "cannot_complete" else None
        move(order, step, at=at, by="system", reason=reason)
    order.completed_at = at if wanted in ENDED else None
    if wanted == "completed" and order.request is not None:
        if order.restored_at is None:
            order.restored_at = at
        intake.resolve(order.request, at)


def _way(order: WorkOrder, wanted: str) -> list[str]:
    """The moves that lead there: a visit reported late may skip steps the table does not."""
    if order.lifecycle.allows(order.state, wanted):
        return [wanted]
    if order.lifecycle.allows(order.state, "in_progress") and order.lifecycle.allows("in_progress", wanted):
        return ["in_progress", wanted]
    return ["ready", wanted]


def hold(order: WorkOrder, reason: str, at: datetime) -> None:
    """Wait for something: a part, a permit, the customer."""
    move(order, "on_hold", reason=reason, at=at)


def release(order: WorkOrder, at: datetime) -> None:
    """Go on with what was on hold."""
    move(order, "ready", at=at)
    settle(order, at)


def cancel(order: WorkOrder, reason: str, at: datetime) -> None:
    """Not needed any more. Raises Conflict while somebody is planned: cancel the visit first."""
    if any(visit.state not in ("cancelled", "missed", "declined") for visit in order.visits):
        raise Conflict(_l("A visit is planned or was made. Cancel the visit first."), code="visit_planned")
    move(order, "cancelled", reason=reason, at=at)
    if order.request is not None and order.request.lifecycle.allows(order.request.state, "cancelled"):
        intake.cancel(order.request, reason, at)


def close(order: WorkOrder, at: datetime) -> None:
    """Nothing is left to do and the customer is content."""
    move(order, "closed", at=at)
    order.closed_at = at


def close_with_request(request_id: int, at: datetime) -> None:
    """The customer signed off, or stayed silent: finished orders of the request close too."""
    finished = select(WorkOrder).where(WorkOrder.request_id == request_id, WorkOrder.state.in_(ENDED))
    for order in session.scalars(finished):
        close(order, at)
