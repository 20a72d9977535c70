"""Parts that were handed out for work that is over and were not used: they are in the van, and come back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.parts import queries as stock
from fieldservice.parts import services as ledger
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.models import PartUse, WorkOrder

OVER = ("completed", "cannot_complete", "closed", "cancelled")  # states of orders that need nothing any more
SINCE = timedelta(days=60)
MOST = 500  # of what was handed out
NOTHING = Decimal(0)
Key = tuple[int, int, int]  # van, part, order


@dataclass(frozen=True)
class Unused:
    """So much of a part lies in a van for an order that is over."""

    van: StockLocation
    technician: Technician | None
    part: Part
    order: WorkOrder
    quantity: Decimal
    handed_at: datetime


def unused_of(station: Station, at: datetime) -> list[Unused]:
    """What is to be brought back to the station's store, the oldest first; seven queries."""
    wanted: Any = (
        select(
            StockMove.to_id, StockMove.part_id, StockMove.for_id, func.sum(StockMove.quantity), func.max(StockMove.at)
        )
        .join(StockLocation, StockLocation.id == StockMove.to_id)
        .join(WorkOrder, WorkOrder.id == StockMove.for_id)
        .where(StockMove.for_type == WorkOrder.subject_type, StockMove.cause == "transfer", StockMove.at >= at - SINCE)
        .where(StockLocation.kind == "van", StockMove.station_id == station.id, WorkOrder.state.in_(OVER))
        .group_by(StockMove.to_id, StockMove.part_id, StockMove.for_id)
        .order_by(func.max(StockMove.at))
        .limit(MOST)
    )
    rows: Sequence[Any] = session.execute(wanted).all()
    handed = {(van, part, order): Decimal(many) for van, part, order, many, _at in rows}
    left, when = _left(handed), {(van, part, order): moment for van, part, order, _many, moment in rows}
    vans = _by_id(StockLocation, {van for van, _part, _order in left})
    crew = _by_id(Technician, {van.technician_id for van in vans.values() if van.technician_id})
    parts, orders = stock.parts_by_id({key[1] for key in left}), _by_id(WorkOrder, {key[2] for key in left})
    return [
        Unused(vans[key[0]], crew.get(vans[key[0]].technician_id or 0), parts[key[1]], orders[key[2]], many, when[key])
        for key, many in left.items()
    ]


def bring_back(van_id: int, part_id: int, order_id: int, station: Station, at: datetime, serial: str = "") -> Unused:
    """All of it goes into the station's store. Raises Conflict `already_back`, and what `post_move` raises."""
    session.scalar(select(WorkOrder.id).where(WorkOrder.id == order_id).with_for_update())
    key = (van_id, part_id, order_id)
    found = next((one for one in unused_of(station, at) if (one.van.id, one.part.id, one.order.id) == key), None)
    if found is None:
        raise Conflict(_l("This was brought back already, or used since. Look at the list again."), code="already_back")
    store = stock.warehouses_of([station.id]).get(station.id)
    if store is None:
        raise Conflict(_l("This station has no store. Open one under stock places first."), code="no_store")
    ledger.post_move(
        part=found.part, quantity=found.quantity, cause="return", at=at, source=found.van, about=found.order,
        target=session.get_one(StockLocation, store), unnamed=not serial,
        serials=(serial,) if serial and found.part.serial_tracked else (),
    )  # fmt: skip
    return found


def scan(label: gs1.Label, station: Station, at: datetime) -> Unused:
    """Bring back what a label names. Raises Invalid `unknown_part`, Conflict `not_unused`, `several`."""
    part = catalogue.scanned(label)
    if part is None:
        raise Invalid({"code": [_l("This part is not in the catalogue.")]}, code="unknown_part")
    fitting = [one for one in unused_of(station, at) if one.part.id == part.id]
    if not fitting:
        raise Conflict(
            _l("Nobody has this part to bring back. Choose the line it belongs to, or move it by hand."),
            code="not_unused",
        )
    if len({one.van.id for one in fitting}) > 1:
        raise Conflict(_l("Several people have this part. Choose the line it is."), code="several")
    first = fitting[0]
    return bring_back(first.van.id, part.id, first.order.id, station, at, label.serial)


def _left(handed: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """What was neither used nor brought back, and lies in the van."""
    if not handed:
        return {}
    orders = {order for _van, _part, order in handed}
    used = _sums(
        select(StockMove.from_id, StockMove.part_id, PartUse.work_order_id, func.sum(PartUse.quantity))
        .join(PartUse, PartUse.move_id == StockMove.id)
        .where(PartUse.work_order_id.in_(orders))
        .group_by(StockMove.from_id, StockMove.part_id, PartUse.work_order_id)
    )
    back = _sums(
        select(StockMove.from_id, StockMove.part_id, StockMove.for_id, func.sum(StockMove.quantity))
        .where(StockMove.for_type == WorkOrder.subject_type, StockMove.cause == "return")
        .where(StockMove.for_id.in_(orders))
        .group_by(StockMove.from_id, StockMove.part_id, StockMove.for_id)
    )
    lying = dict(stock.stock_of({part for _van, part, _order in handed}, {van for van, _part, _order in handed}))
    left = {}
    for (van, part, order), many in handed.items():
        key = (van, part, order)
        rest = min(many - used[key] - back[key], lying.get((part, van), NOTHING))
        if rest > 0:
            left[key] = rest
            lying[part, van] -= rest
    return left


def _sums(statement: Any) -> defaultdict[Key, Decimal]:
    return defaultdict(Decimal, {(a, b, c): Decimal(many) for a, b, c, many in session.execute(statement)})


def _by_id(model: Any, ids: Iterable[int]) -> dict[int, Any]:
    wanted = set(ids)
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}
