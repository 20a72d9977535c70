"""Parts sent for a visit that come too late for it, or are not here when they should be: its dispatcher is told.

Looked at by the clock: a transfer is agreed to later than was hoped, a visit is moved forward, or a parcel is lost.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.mechanisms import tasks
from fieldservice.parts.availability.models import OPEN, Reservation
from fieldservice.parts.models import Part
from fieldservice.parts.transfers.models import COMING, Transfer
from fieldservice.workorders.models import Visit, WorkOrder

WITHIN = timedelta(hours=4)  # so soon somebody looks after it, or before the visit where that is sooner
AWAITED = ("scheduled", "dispatched", "accepted", "en_route")  # states of visits that begin yet
LATE, OVERDUE = "transfer_late", "transfer_overdue"  # titles of tasks
MOST = 500


@dataclass(frozen=True)
class Late:
    """What one transfer brings for one visit."""

    transfer: Transfer
    visit: Visit
    parts: list[Part]

    def title(self, at: datetime) -> str:
        """`transfer_overdue` where it should be here, else `transfer_late`."""
        return OVERDUE if self.transfer.expected_at <= at else LATE

    def key(self, at: datetime) -> str:
        """The same cause asks once: another time of the visit is another cause."""
        return f"{self.title(at)}-{self.transfer.id}-{self.visit.id}-{self.visit.starts_at:%m%d%H%M}"

    def facts(self) -> dict[str, str]:
        """What the task tells."""
        more = f" +{len(self.parts) - 1}" if len(self.parts) > 1 else ""
        return {
            "number": self.visit.work_order.number, "transfer": self.transfer.number,
            "part": self.parts[0].number + more, "visit": _moment(self.visit.starts_at),
            "arrives": _moment(self.transfer.expected_at),
        }  # fmt: skip


def is_due(at: datetime) -> bool:
    """Whether anybody is to be told, or need not look after it any more; without writing."""
    wanted = late(at)
    return any(tasks.difference((LATE, OVERDUE), wanted))


def tell(at: datetime) -> None:
    """Tell the dispatcher of each visit once, and take back what is not so any more: it came, or the visit moved."""
    wanted = late(at)
    fresh, stale = tasks.difference((LATE, OVERDUE), wanted)
    for key in sorted(fresh):
        one = wanted[key]
        tasks.open_task(
            one.title(at), one.visit, due_at=max(at, min(at + WITHIN, one.visit.starts_at)), at=at, facts=one.facts(),
            owner_role="dispatcher", station_id=one.visit.work_order.station_id, key=key,
        )  # fmt: skip
    for task in stale:
        tasks.cancel(task, at=at, again=True)


def late(at: datetime) -> Mapping[str, Late]:
    """Key of the task → what is late; one query, as an order has one visit that begins yet."""
    found: Any = (
        select(Transfer, Visit, Part)
        .join(Reservation, (Reservation.waits_type == Transfer.subject_type) & (Reservation.waits_id == Transfer.id))
        .join(WorkOrder, (Reservation.for_type == WorkOrder.subject_type) & (Reservation.for_id == WorkOrder.id))
        .join(Visit, Visit.work_order_id == WorkOrder.id)
        .join(Part, Part.id == Reservation.part_id)
        .where(Reservation.state.in_(OPEN), Transfer.state.in_(COMING), Visit.state.in_(AWAITED))
        .where(or_(Transfer.expected_at > Visit.starts_at, Transfer.expected_at <= at))
        .options(joinedload(Visit.work_order))
        .order_by(Visit.starts_at, Visit.id, Transfer.id, Part.number)
        .limit(MOST)
    )
    parts: defaultdict[tuple[int, int], list[Part]] = defaultdict(list)
    rows: dict[tuple[int, int], tuple[Transfer, Visit]] = {}
    for transfer, visit, part in session.execute(found):
        rows[transfer.id, visit.id] = (transfer, visit)
        if part not in parts[transfer.id, visit.id]:
            parts[transfer.id, visit.id].append(part)
    several = [Late(transfer, visit, parts[pair]) for pair, (transfer, visit) in rows.items()]
    return {one.key(at): one for one in several}


def _moment(moment: datetime) -> str:
    return f"{local(moment):%m-%d %H:%M}"
