"""Unused parts at the counter: taken into the store by a line or a scan."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.parts import queries as stock
from fieldservice.parts import services as ledger
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.models import StockLocation
from fieldservice.stations.models import Station
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.unused_parts import Unused, brought_back, unused


def bring_back(van_id: int, part_id: int, order_id: int, station: Station, at: datetime, serial: str = "") -> Unused:
    """All of it goes into the station's store. Raises Conflict `already_back`, and what `post_move` raises."""
    session.scalar(select(WorkOrder.id).where(WorkOrder.id == order_id).with_for_update())
    key, there = (van_id, part_id, order_id), unused(at, station_id=station.id)
    found = next((one for one in there if (one.van.id, one.part.id, one.order.id) == key), None)
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
    brought_back(found, at)
    return found


def scan(label: gs1.Label, station: Station, at: datetime) -> Unused:
    """Bring back what a label names. Raises Invalid `unknown_part`, Conflict `not_unused`, `several`."""
    part = catalogue.scanned(label)
    if part is None:
        raise Invalid({"code": [_l("This part is not in the catalogue.")]}, code="unknown_part")
    fitting = [one for one in unused(at, station_id=station.id) if one.part.id == part.id]
    if not fitting:
        raise Conflict(
            _l("Nobody has this part to bring back. Choose the line it belongs to, or move it by hand."),
            code="not_unused",
        )
    if len({one.van.id for one in fitting}) > 1:
        raise Conflict(_l("Several people have this part. Choose the line it is."), code="several")
    first = fitting[0]
    return bring_back(first.van.id, part.id, first.order.id, station, at, label.serial)
