"""Parts that were handed out for work that is over and were not used: they lie in the van, and are to come back.

Read from the ledger, not stored (docs/decisions/0032). Whoever does not bring them within the days a station sets is
asked, once for each order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import among, session
from fieldservice.mechanisms import policies, tasks
from fieldservice.mechanisms.events import Event
from fieldservice.parts import queries as stock
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.stations.models import Technician
from fieldservice.workorders.models import PartUse, WorkOrder

DAYS = "parts.unused_days"  # from the end of the work until unused parts are to be back in the store
policies.register_defaults(DAYS, 3, worth=policies.PLAIN)  # [D]
OVER = ("completed", "cannot_complete", "closed", "cancelled")  # states of orders that need nothing any more
ENDS = ("work_order.completed", "work_order.cannot_complete", "work_order.cancelled")
SINCE = timedelta(days=60)
WITHIN = timedelta(days=1)  # who is asked has so long
ASKED = "unused_due"  # the title of the task
MOST = 500
Key = tuple[int, int, int]  # van, part, order


@dataclass(frozen=True)
class Unused:
    """So much of a part lies in a van for an order that is over."""

    van: StockLocation
    technician: Technician | None
    part: Part
    order: WorkOrder
    quantity: Decimal
    over_at: datetime  # when the work ended, or what was too much was handed out
    due_at: datetime


def unused(at: datetime, *, station_id: int | None = None, van_id: int | None = None) -> list[Unused]:
    """What is to be brought back: to a station's store, from one van, or everywhere. What was handed out first leads;
    one query, and six more where there is any."""
    rows = session.execute(_handed(at, station_id, van_id)).all()
    if not rows:
        return []
    left = _lying({(row.van, row.part, row.order): Decimal(row.many) for row in rows})
    vans = _by_id(StockLocation, {van for van, _part, _order in left})
    crew = _crew({van.technician_id for van in vans.values() if van.technician_id})
    orders = _by_id(WorkOrder, {order for _van, _part, order in left})
    parts, ended, days = stock.parts_by_id({part for _van, part, _order in left}), _ended(orders), _days(vans.values())
    found = []
    for row in rows:
        van, many = vans.get(row.van), left.get((row.van, row.part, row.order))
        if van is not None and many is not None:
            over_at, mine = max(row.moment, ended.get(row.order, row.moment)), crew.get(van.technician_id or 0)
            due_at = over_at + days[van.station_id]
            found.append(Unused(van, mine, parts[row.part], orders[row.order], many, over_at, due_at))
    return found


# Asking for them --------------------------------------------------------------------------------------


def is_due(at: datetime) -> bool:
    """Whether anybody is to be asked, or need not be asked any more; without writing."""
    return any(tasks.difference((ASKED,), _late(at)))


def remind(at: datetime) -> None:
    """Ask each technician once for each order of which he still has parts, and take back what is not wanted any more.

    The storekeeper is asked where a van has nobody, and sees what nobody did in time.
    """
    late = _late(at)
    fresh, stale = tasks.difference((ASKED,), late)
    for key in sorted(fresh):
        several = late[key]
        first = several[0]
        account = first.technician.account if first.technician is not None else None
        owner: dict[str, Any] = {"owner_user_id": account.id} if account is not None else {"owner_role": "storekeeper"}
        what = first.part.number + (f" +{len(several) - 1}" if len(several) > 1 else "")
        tasks.open_task(
            ASKED, first.order, due_at=at + WITHIN, at=at, station_id=first.van.station_id, key=key,
            facts={"number": first.order.number, "what": what}, supervisor_role="storekeeper", **owner,
        )  # fmt: skip
    for task in stale:
        tasks.cancel(task, at=at, again=True)


def brought_back(one: Unused, at: datetime) -> None:
    """Nobody needs to be asked any more, where it was the last of its order in that van."""
    left = unused(at, van_id=one.van.id)
    if all(other.order.id != one.order.id for other in left):
        tasks.cancel_keyed(_key(one), at=at)


def _late(at: datetime) -> dict[str, list[Unused]]:
    """Key of a task → all that is out for its order in its van, where some of it should be back."""
    there: defaultdict[str, list[Unused]] = defaultdict(list)
    for one in unused(at):
        there[_key(one)].append(one)
    return {key: several for key, several in there.items() if any(one.due_at <= at for one in several)}


def _key(one: Unused) -> str:
    return f"unused-{one.van.id}-{one.order.id}"


# Reading ----------------------------------------------------------------------------------------------


def _handed(at: datetime, station_id: int | None, van_id: int | None) -> Select[Any]:
    """(van, part, order, how much was neither used nor brought back, when it was handed out last), the oldest first."""
    wanted = (
        select(
            StockMove.to_id.label("van"), StockMove.part_id.label("part"), StockMove.for_id.label("order"),
            func.sum(StockMove.quantity).label("many"), func.max(StockMove.at).label("moment"),
        )
        .join(StockLocation, StockLocation.id == StockMove.to_id)
        .join(WorkOrder, WorkOrder.id == StockMove.for_id)
        .where(StockMove.for_type == WorkOrder.subject_type, StockMove.cause == "transfer", StockMove.at >= at - SINCE)
        .where(StockLocation.kind == "van", WorkOrder.state.in_(OVER))
        .group_by(StockMove.to_id, StockMove.part_id, StockMove.for_id)
    )  # fmt: skip
    if station_id is not None:
        wanted = wanted.where(StockMove.station_id == station_id)
    if van_id is not None:
        wanted = wanted.where(StockMove.to_id == van_id)
    handed = wanted.cte("handed")
    orders = select(handed.c.order)
    used = (
        select(StockMove.from_id.label("van"), StockMove.part_id.label("part"), PartUse.work_order_id.label("order"),
               func.sum(PartUse.quantity).label("many"))
        .join(PartUse, PartUse.move_id == StockMove.id)
        .where(PartUse.work_order_id.in_(orders))
        .group_by(StockMove.from_id, StockMove.part_id, PartUse.work_order_id)
        .cte("used")
    )  # fmt: skip
    back = (
        select(StockMove.from_id.label("van"), StockMove.part_id.label("part"), StockMove.for_id.label("order"),
               func.sum(StockMove.quantity).label("many"))
        .where(StockMove.for_type == WorkOrder.subject_type, StockMove.cause == "return", StockMove.for_id.in_(orders))
        .group_by(StockMove.from_id, StockMove.part_id, StockMove.for_id)
        .cte("back")
    )  # fmt: skip
    rest: Any = handed.c.many - func.coalesce(used.c.many, 0) - func.coalesce(back.c.many, 0)

    def same(other: Any) -> Any:
        return (other.c.van == handed.c.van) & (other.c.part == handed.c.part) & (other.c.order == handed.c.order)

    return (
        select(handed.c.van, handed.c.part, handed.c.order, rest.label("many"), handed.c.moment)
        .outerjoin(used, same(used))
        .outerjoin(back, same(back))
        .where(rest > 0)
        .order_by(handed.c.moment, handed.c.order, handed.c.part)
        .limit(MOST)
    )


def _lying(wanted: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """At most what lies in each van; what was handed out first is counted first."""
    lying = dict(stock.stock_of({part for _van, part, _order in wanted}, {van for van, _part, _order in wanted}))
    left = {}
    for (van, part, order), many in wanted.items():
        rest = min(many, lying.get((part, van), Decimal(0)))
        if rest > 0:
            left[van, part, order] = rest
            lying[part, van] -= rest
    return left


def _ended(orders: Iterable[int]) -> dict[int, datetime]:
    """When the work of each order ended last, by its events."""
    wanted: Any = select(Event.subject_id, func.max(Event.at)).where(
        Event.subject_type == WorkOrder.subject_type, among(Event.subject_id, set(orders)), Event.kind.in_(ENDS)
    )
    ended: dict[int, datetime] = dict(session.execute(wanted.group_by(Event.subject_id)).all())
    return ended


def _days(vans: Iterable[StockLocation]) -> dict[int, timedelta]:
    stations = {van.station_id for van in vans}
    return {station: timedelta(days=float(policies.effective(DAYS, station_id=station).value)) for station in stations}


def _crew(ids: Iterable[int]) -> Mapping[int, Technician]:
    wanted = select(Technician).where(Technician.id.in_(set(ids))).options(joinedload(Technician.account))
    return {one.id: one for one in session.scalars(wanted)}


def _by_id(model: Any, ids: Iterable[int]) -> dict[int, Any]:
    rows: Sequence[Any] = session.scalars(select(model).where(model.id.in_(set(ids)))).all()
    return {row.id: row for row in rows}
