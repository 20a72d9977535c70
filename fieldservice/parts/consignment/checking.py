"""What must hold of customers' stock, for `verify`."""

from sqlalchemy import case, func, select

from fieldservice.foundation.db import session
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading, RefillOrder
from fieldservice.parts.models import StockMove
from fieldservice.parts.transfers.models import Transfer, TransferLine


def readings_astray() -> list[int]:
    """Readings whose move does not make up for what they differ by from the ledger: by id."""
    signed = case((StockMove.to_id == ConsignmentLine.location_id, StockMove.quantity), else_=-StockMove.quantity)
    posted = func.coalesce(signed, 0)
    differs = (
        select(ConsignmentReading.id, ConsignmentReading.counted, ConsignmentReading.expected, posted)
        .join(ConsignmentLine, ConsignmentLine.id == ConsignmentReading.line_id)
        .outerjoin(StockMove, StockMove.id == ConsignmentReading.move_id)
        .where(ConsignmentReading.state == "posted")
        .where(ConsignmentReading.counted - ConsignmentReading.expected != posted)
        .order_by(ConsignmentReading.id)
        .limit(50)
    )
    return [row[0] for row in session.execute(differs)]


def refills_astray() -> list[str]:
    """Refills that say more was delivered than their transfer brought, or whose promise contradicts it: by number."""
    brought = (
        select(TransferLine.transfer_id, func.sum(TransferLine.received).label("received"))
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .group_by(TransferLine.transfer_id)
        .subquery()
    )
    more = func.coalesce(brought.c.received, 0) < RefillOrder.delivered
    unsigned = RefillOrder.delivered_at.is_not(None) & (RefillOrder.received_by == "")
    late = (RefillOrder.kept.is_(True)) & (RefillOrder.delivered_at > RefillOrder.due_at)
    wrong = (
        select(RefillOrder.number)
        .outerjoin(brought, brought.c.transfer_id == RefillOrder.transfer_id)
        .where(more | unsigned | late)
        .order_by(RefillOrder.id)
        .limit(50)
    )
    return list(session.scalars(wrong))
