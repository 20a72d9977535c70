"""What can be asked about supply orders."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.availability import waiting
from fieldservice.parts.supply.models import SupplyOrder, SupplyOrderLine

READERS = ("storekeeper", "station_manager", "quality", "finance", "director", "admin")
OPEN = ("draft", "approved", "sent", "acknowledged", "part_received", "received")
PAGE = 50


def order_of(person: Person, number: str) -> SupplyOrder:
    """An order the person may see, with its lines. Raises NotFound."""
    wanted = select(SupplyOrder).where(SupplyOrder.number == number)
    found: SupplyOrder | None = session.scalar(
        scoped(wanted, SupplyOrder, person, *READERS).options(
            joinedload(SupplyOrder.location), joinedload(SupplyOrder.supplier),
            selectinload(SupplyOrder.lines).joinedload(SupplyOrderLine.part),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound()
    return found


def tied_of(order: SupplyOrder) -> dict[int, Decimal]:
    """part → how much of it is for somebody already; one query."""
    found: dict[int, Decimal] = {}
    for one in waiting.tied_to(order):
        found[one.part_id] = found.get(one.part_id, Decimal(0)) + one.quantity
    return found


def orders_of(person: Person, *, closed: bool = False, before: int = 0) -> Sequence[SupplyOrder]:
    """Orders the person may see, the newest first, with their lines; one page and one more. `closed`: also those that
    are over. `before`: with a smaller id only."""
    wanted = scoped(select(SupplyOrder), SupplyOrder, person, *READERS)
    if not closed:
        wanted = wanted.where(SupplyOrder.state.in_(OPEN))
    if before:
        wanted = wanted.where(SupplyOrder.id < before)
    told = (joinedload(SupplyOrder.location), joinedload(SupplyOrder.supplier), selectinload(SupplyOrder.lines))
    return session.scalars(wanted.options(*told).order_by(SupplyOrder.id.desc()).limit(PAGE + 1)).all()
