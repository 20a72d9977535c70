"""What must always hold of old parts: those that were dropped off and did not leave lie in the ledger."""

from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.parts.models import StockBalance
from fieldservice.parts.returns.models import LYING, OldPart


def astray() -> list[tuple[int, int, Decimal, Decimal]]:
    """(place, part, old parts that should lie there, defective ones that do) where these are fewer."""
    lying: Any = (
        select(OldPart.place_id, OldPart.part_id, func.sum(OldPart.quantity).label("wanted"))
        .where(OldPart.state.in_(LYING))
        .group_by(OldPart.place_id, OldPart.part_id)
        .subquery()
    )
    there = (
        select(StockBalance.location_id, StockBalance.part_id, func.sum(StockBalance.on_hand).label("there"))
        .where(StockBalance.condition == "defective")
        .group_by(StockBalance.location_id, StockBalance.part_id)
        .subquery()
    )
    found: Any = func.coalesce(there.c.there, 0)
    rows = session.execute(
        select(lying.c.place_id, lying.c.part_id, lying.c.wanted, found)
        .outerjoin(there, (there.c.location_id == lying.c.place_id) & (there.c.part_id == lying.c.part_id))
        .where(found < lying.c.wanted)
        .order_by(lying.c.place_id, lying.c.part_id)
    )
    return [(place, part, Decimal(wanted), Decimal(lies)) for place, part, wanted, lies in rows]
