"""Many visits planned, moved and called off at once: all of it, or nothing.

What moves gives up its time before anything takes its new one, so two visits may change places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import among, session
from fieldservice.foundation.errors import Conflict, DomainError
from fieldservice.foundation.time import now
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, held_time, orders
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span, Stop

SENT = ("dispatched", "accepted")


@dataclass(frozen=True)
class Arrangement:
    """What is to become of an order: a visit by that technician at that time, or none. Versions are those on which it
    was decided; a visit that does not exist yet has neither id nor version."""

    order_id: int
    order_version: int
    visit_id: int | None = None
    visit_version: int | None = None
    technician_id: int | None = None  # None: the visit is called off
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def rearrange(arrangements: Sequence[Arrangement], reason: str, at: datetime | None = None) -> list[Visit]:
    """Carry all of them out. What had been sent to a technician is sent again.

    Raises Conflict `plan_outdated` (facts `changed`: what is no longer as it was decided upon), or the refusing rule
    as code with the order's number; nothing has happened then. `reason` is kept with visits that are called off.
    """
    at = at or now()
    visits = _visits({one.visit_id for one in arrangements if one.visit_id is not None})
    found = _orders({one.order_id for one in arrangements})
    if changed := [fact for one in arrangements if (fact := _changed(one, visits, found))]:
        text = _l("The day changed since this was planned. Look at what changed and plan anew.")
        raise Conflict(text, code="plan_outdated", changed=changed)
    wanted = {one.technician_id for one in arrangements if one.technician_id is not None}
    held_time.lock(*{*wanted, *(visit.technician_id for visit in visits.values())})
    sent = {visit.id for visit in visits.values() if visit.state in SENT}
    technicians = {
        one.id: one for one in session.scalars(select(Technician).where(among(Technician.id, sorted(wanted))))
    }
    for moving in visits.values():
        held_time.release(moving, at)
    placed = []
    in_turn = sorted(arrangements, key=_by_time)
    for number, one in enumerate(in_turn):
        visit, order = visits.get(one.visit_id or 0), found[one.order_id]
        if one.technician_id is None:
            assert visit is not None
            move(visit, "cancelled", reason=reason, at=at, technician=visit.technician_id)
            orders.settle(order, at)
            continue
        coming = _coming(one.technician_id, in_turn[number + 1 :])
        placed.append(_placed(one, visit, order, technicians[one.technician_id], coming, at))
        if placed[-1].id in sent:
            booking.send_visit(placed[-1], at)
    return placed


def named(number: str, refused: DomainError) -> Conflict:
    """A refusal that says of which order of several it speaks."""
    text = LazyString(lambda: _("%(order)s: %(why)s", order=number, why=refused.message))
    return Conflict(text, code=refused.code, **{**refused.facts, "work_order": number})


def _visits(ids: set[int]) -> dict[int, Visit]:
    rows = select(Visit).where(among(Visit.id, sorted(ids))).order_by(Visit.id)
    locked = rows.with_for_update().execution_options(populate_existing=True)
    return {visit.id: visit for visit in session.scalars(locked)} if ids else {}


def _orders(ids: set[int]) -> dict[int, WorkOrder]:
    rows = select(WorkOrder).where(among(WorkOrder.id, sorted(ids))).order_by(WorkOrder.id)
    locked = rows.with_for_update().execution_options(populate_existing=True)
    return {order.id: order for order in session.scalars(locked)}


def _changed(one: Arrangement, visits: Mapping[int, Visit], found: Mapping[int, WorkOrder]) -> dict[str, Any] | None:
    """What is different from what was decided upon, if anything is."""
    order = found.get(one.order_id)
    if order is None:
        return {"work_order": one.order_id, "state": "cancelled"}
    if one.visit_id is None:
        same = order.version == one.order_version and order.state == "ready"
        return None if same else {"work_order": order.number, "state": order.state, **_newest(order)}
    visit = visits.get(one.visit_id)
    if visit is not None and visit.version == one.visit_version and visit.state in booking.CHANGEABLE:
        return None
    return {"work_order": order.number, **(_whereabouts(visit) if visit is not None else {"state": "cancelled"})}


def _newest(order: WorkOrder) -> dict[str, Any]:
    rows = select(Visit).where(Visit.work_order_id == order.id, Visit.state.in_(booking.OPEN_STATES))
    visit = session.scalar(rows.order_by(Visit.id.desc()).limit(1))
    return _whereabouts(visit) if visit is not None else {}


def _whereabouts(visit: Visit) -> dict[str, Any]:
    return {"state": visit.state, "technician": visit.technician_id, "starts_at": visit.starts_at.isoformat()}


def _by_time(one: Arrangement) -> tuple[float, int]:
    """What is called off first."""
    return one.starts_at.timestamp() if one.starts_at is not None else 0.0, one.order_id


def _coming(technician_id: int, later: Sequence[Arrangement]) -> list[Stop]:
    """What the same technician gets next: whoever goes by way of it does not go straight to what stands after it.
    Without places, since each of them is asked for its own way when its turn comes."""
    return [
        Stop(one.starts_at, one.ends_at)
        for one in later
        if one.technician_id == technician_id and one.starts_at is not None and one.ends_at is not None
    ]


def _placed(
    one: Arrangement,
    visit: Visit | None,
    order: WorkOrder,
    technician: Technician,
    coming: Sequence[Stop],
    at: datetime,
) -> Visit:
    assert one.starts_at is not None
    assert one.ends_at is not None
    span = Span(one.starts_at, one.ends_at)
    try:
        if visit is None:
            minutes = (span.ends_at - span.starts_at) // timedelta(minutes=1)
            return booking.schedule_visit(order, technician, span.starts_at, duration_min=minutes, coming=coming, at=at)
        booking.replan(visit, order, technician, span, at, coming)
    except Conflict as refused:
        raise named(order.number, refused) from refused
    orders.settle(order, at)
    return visit
