"""What can be done with work orders. Between ready and completed the state follows the visits (derivation.py)."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Conflict
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders import held_time, needs
from fieldservice.workorders.derivation import AT_WORK, DERIVED, ENDED, UNDER_WAY, derive
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder

FINISHED = ("completed", "cannot_complete")
OVER = (*FINISHED, "closed", "cancelled")  # nobody works on it any more
DECIDED = ("ready", "on_hold", "cannot_complete", "cancelled", "closed")  # what people may ask for; the rest follows
REPLANNED = ("on_hold", "cannot_complete")  # from where people send an order back to be planned
PASSED = DERIVED | {"cannot_complete"}  # states a derived move may pass through
MOST_REASON = 300


# What follows from the visits ------------------------------------------------------------------------


def settle(order: WorkOrder, at: datetime) -> None:
    """Derive the order's state from its visits and open items, and move it there; called after any change of them.

    Completed work resolves the request; work left opens the order for planning again.
    """
    session.flush()
    # two visits of one order may end at once: the second waits here and sees the first
    lock_rows(order)
    visits = _visits_in_order(order)
    wanted = derive(order.state, [visit.state for visit in visits], _open_required(order))
    if wanted == order.state:
        return
    for step in way(order.state, wanted):
        move(order, step, at=at, by="system", reason=_end_reason(visits) if step == "cannot_complete" else None)
    order.completed_at = at if wanted in FINISHED else None
    if wanted == "completed":
        order.restored_at = order.restored_at or at
        if order.request is not None and not _others_open(order):
            intake.resolve(order.request, at)


def way(state: str, wanted: str) -> list[str]:
    """The shortest allowed moves from one state to the other: a visit told late may skip what the table does not."""
    before: dict[str, str] = {}
    waiting = deque([state])
    while waiting and wanted not in before:
        here = waiting.popleft()
        for to in sorted(WorkOrder.lifecycle.moves.get(here, ())):
            if to in PASSED and to not in before and to != state:
                before[to] = here
                waiting.append(to)
    steps = [wanted]
    while before.get(steps[0], state) != state:
        steps.insert(0, before[steps[0]])
    return steps


def _visits_in_order(order: WorkOrder) -> Sequence[Visit]:
    """As they ended, those under way as they are planned."""
    since = func.coalesce(Visit.finished_at, Visit.starts_at)
    return session.scalars(select(Visit).where(Visit.work_order_id == order.id).order_by(since, Visit.id)).all()


def _open_required(order: WorkOrder) -> bool:
    still = select(WorkItem.id).where(WorkItem.work_order_id == order.id, WorkItem.required, WorkItem.done_at.is_(None))
    return session.scalar(still.limit(1)) is not None


def _end_reason(visits: Sequence[Visit]) -> str:
    return next((visit.end_reason for visit in reversed(visits) if visit.end_reason), None) or "other"


def _others_open(order: WorkOrder) -> bool:
    others = select(WorkOrder.id).where(
        WorkOrder.request_id == order.request_id, WorkOrder.id != order.id, WorkOrder.state.not_in(OVER)
    )
    return session.scalar(others.limit(1)) is not None


# What people decide ----------------------------------------------------------------------------------


def decide(order: WorkOrder, to: str, at: datetime, reason: str = "") -> None:
    """Move an order as somebody asks. Raises Conflict `derived_state` for a state that only visits can bring."""
    if to not in DECIDED:
        raise Conflict(
            _l("This state follows from the visits; nobody sets it by hand."),
            code="derived_state", state=order.state, to=to, allowed=allowed(order),
        )  # fmt: skip
    acts = {"on_hold": hold, "cancelled": cancel, "cannot_complete": give_up}
    if to in acts:
        acts[to](order, reason, at)
    elif to == "closed":
        close(order, at)
    else:
        release(order, at)


def allowed(order: WorkOrder) -> list[str]:
    """What people may ask for in the present state, with the visits there are."""
    visits = {visit.state for visit in order.visits}
    found = set(DECIDED) & order.lifecycle.moves.get(order.state, frozenset())
    if order.state not in REPLANNED:
        found.discard("ready")  # elsewhere it follows from the visits
    if visits & (AT_WORK | ENDED):
        found.discard("cancelled")
    if visits & AT_WORK - {"paused"}:
        found.discard("on_hold")
    if visits & UNDER_WAY:
        found.discard("cannot_complete")
    return sorted(found)


def hold(order: WorkOrder, reason: str, at: datetime) -> None:
    """Wait for something: a part, a permit, the customer. Needs a reason.

    Raises Conflict `at_work` while the technician works on: pause or end the visit first.
    """
    if any(visit.state in AT_WORK - {"paused"} for visit in _locked_visits(order)):
        raise _at_work(order, "on_hold")
    move(order, "on_hold", reason=_reason(reason), at=at)


def release(order: WorkOrder, at: datetime) -> None:
    """Go on with what was on hold, or plan again what could not be done."""
    if order.state not in REPLANNED:
        raise Conflict(
            _l("Only work on hold, or work that could not be completed, can be planned again."),
            code="move_forbidden", state=order.state, to="ready", allowed=allowed(order),
        )  # fmt: skip
    move(order, "ready", at=at)
    order.completed_at = None
    settle(order, at)


def cancel(order: WorkOrder, reason: str, at: datetime) -> None:
    """Not needed any more: planned visits fall through, the request is cancelled unless other work of it is open.

    Raises Conflict `on_site` when somebody is, or was, at the machine.
    """
    visits = _locked_visits(order)
    if any(visit.state in AT_WORK | ENDED for visit in visits):
        raise Conflict(
            _l("Somebody was on site already. End the work as impossible, with the reason."),
            code="on_site", state=order.state, to="cancelled", allowed=allowed(order),
        )  # fmt: skip
    said = _reason(reason)
    for visit in visits:
        if visit.state in UNDER_WAY | {"declined"}:
            move(visit, "cancelled", reason=said or "cancelled", at=at)
            held_time.release(visit, at)
    move(order, "cancelled", reason=said, at=at)
    request = order.request
    if request is not None and not _others_open(order) and request.lifecycle.allows(request.state, "cancelled"):
        intake.cancel(request, said, at)


def give_up(order: WorkOrder, reason: str, at: datetime) -> None:
    """What is left of the work cannot, or shall not, be done. Needs a reason; the request stays to be answered."""
    if any(visit.state in UNDER_WAY for visit in _locked_visits(order)):
        raise _at_work(order, "cannot_complete")
    move(order, "cannot_complete", reason=_reason(reason), at=at)
    order.completed_at = at
    for item in order.items:
        if item.done_at is None and item.opened_visit_id is not None:
            needs.not_needed(item, at)


def close(order: WorkOrder, at: datetime) -> None:
    """The customer is content: the order closes, and with it a resolved request (whose other orders follow)."""
    request = order.request
    if order.state == "completed" and request is not None and request.state == "resolved":
        intake.close(request, at)  # handlers.close_with_request closes its finished orders
    if order.state != "closed":
        _close(order, at)


def _close(order: WorkOrder, at: datetime) -> None:
    move(order, "closed", at=at)
    order.closed_at = at


def _at_work(order: WorkOrder, to: str) -> Conflict:
    return Conflict(
        _l("A visit is under way. End or cancel it first."),
        code="at_work",
        state=order.state,
        to=to,
        allowed=allowed(order),
    )


def lock_with_visits(order: WorkOrder) -> None:
    """Hold an order and its visits, in this order everywhere, for whoever may cancel it."""
    _locked_visits(order)
    lock_rows(order)


def _locked_visits(order: WorkOrder) -> Sequence[Visit]:
    """Visits are locked before their order, as everywhere."""
    rows = select(Visit).where(Visit.work_order_id == order.id).order_by(Visit.id)
    return session.scalars(rows.with_for_update().execution_options(populate_existing=True)).all()


def _reason(words: str) -> str:
    return plain_text(words, MOST_REASON, field="reason")


# With the request ------------------------------------------------------------------------------------


def close_with_request(request_id: int, at: datetime) -> None:
    """The customer signed off, or stayed silent: finished orders of the request close too."""
    for order in _orders_of(request_id):
        if order.state in FINISHED:
            _close(order, at)


def cancel_with_request(request: ServiceRequest, reason: str, at: datetime) -> None:
    """A cancelled request needs no work. Raises Conflict `on_site` when somebody is at the machine."""
    for order in _orders_of(request.id):
        if order.state not in OVER:
            cancel(order, reason, at)


def _orders_of(request_id: int) -> Sequence[WorkOrder]:
    return session.scalars(select(WorkOrder).where(WorkOrder.request_id == request_id).order_by(WorkOrder.id)).all()
