"""What can be asked about goods receipts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.receipts.models import GoodsReceipt, GoodsReceiptLine

READERS = ("storekeeper", "station_manager", "quality", "director", "admin")


def receipt_of(person: Person, number: str) -> GoodsReceipt:
    """A receipt the person may see, with its lines. Raises NotFound."""
    wanted = select(GoodsReceipt).where(GoodsReceipt.number == number)
    found: GoodsReceipt | None = session.scalar(
        scoped(wanted, GoodsReceipt, person, *READERS).options(
            joinedload(GoodsReceipt.location), joinedload(GoodsReceipt.supplier),
            selectinload(GoodsReceipt.lines).joinedload(GoodsReceiptLine.part),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound()
    return found


def receipts_of(person: Person, limit: int = 30) -> Sequence[GoodsReceipt]:
    """The newest receipts the person may see."""
    newest = select(GoodsReceipt).options(joinedload(GoodsReceipt.location), joinedload(GoodsReceipt.supplier))
    return session.scalars(
        scoped(newest, GoodsReceipt, person, *READERS).order_by(GoodsReceipt.id.desc()).limit(limit)
    ).all()


def waiting_in_quarantine(person: Person, limit: int = 50) -> Sequence[GoodsReceiptLine]:
    """Lines that wait for quality, oldest first."""
    waiting = (
        select(GoodsReceiptLine)
        .where(GoodsReceiptLine.state == "quarantined")
        .options(joinedload(GoodsReceiptLine.part), joinedload(GoodsReceiptLine.receipt))
    )
    return session.scalars(
        scoped(waiting, GoodsReceiptLine, person, *READERS).order_by(GoodsReceiptLine.id).limit(limit)
    ).all()


def line_of(receipt: GoodsReceipt, line_id: int) -> GoodsReceiptLine:
    """Raises NotFound."""
    found = next((line for line in receipt.lines if line.id == line_id), None)
    if found is None:
        raise NotFound()
    return found
