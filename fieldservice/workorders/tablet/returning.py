"""What a technician has to bring back, as the tablet shows it with the van: old parts, and parts not used."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.returns.models import OldPart
from fieldservice.parts.returns.queries import owed_by
from fieldservice.stations.models import Technician
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.tablet.values import number, time_text
from fieldservice.workorders.unused_parts import Unused, unused


@dataclass(frozen=True)
class ToReturn:
    """Rows of what one technician has to bring back, what is due first leading."""

    old_parts: list[OldPart]
    unused: list[Unused]
    orders: dict[int, WorkOrder]  # of the old parts

    def parts(self) -> dict[int, Part]:
        """Every part named."""
        return {one.id: one for one in (*(old.part for old in self.old_parts), *(left.part for left in self.unused))}

    def content(self) -> dict[str, Any]:
        """As the snapshot tells it; ages are reckoned on the tablet."""
        return {
            "old_parts": [
                {
                    "id": one.id, "part": one.part_id, "quantity": number(one.quantity), "serial": one.removed_serial,
                    **_of(self.orders.get(one.work_order_id or 0)), "since": time_text(one.opened_at),
                    "due_at": time_text(one.due_at),
                }
                for one in self.old_parts
            ],
            "unused": [
                {
                    "part": one.part.id, "quantity": number(one.quantity), **_of(one.order),
                    "since": time_text(one.over_at), "due_at": time_text(one.due_at),
                }
                for one in self.unused
            ],
        }  # fmt: skip


def to_return(technician: Technician, places: Iterable[StockLocation]) -> ToReturn:
    """At most 100 old parts, and what lies unused in the technician's own van; three queries, six more where there is
    any of it."""
    van = next((one for one in places if one.technician_id == technician.id), None)
    owed = list(owed_by(technician.id))
    ids = {one.work_order_id for one in owed if one.work_order_id is not None}
    orders = session.scalars(select(WorkOrder).where(WorkOrder.id.in_(ids))) if ids else ()
    left = unused(now(), van_id=van.id) if van is not None else []
    return ToReturn(owed, sorted(left, key=lambda one: one.due_at), {order.id: order for order in orders})


def _of(order: WorkOrder | None) -> dict[str, Any]:
    return {"order": order.number if order else "", "title": pick(order.titles) if order else ""}
