"""What can be asked about counts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.parts.counts.models import StockCount, StockCountLine

READERS = ("storekeeper", "station_manager", "quality", "director", "admin")


def count_of(person: Person, number: str) -> StockCount:
    """A count the person may see, with its lines. Raises NotFound."""
    wanted = select(StockCount).where(StockCount.number == number)
    lines = selectinload(StockCount.lines)
    found: StockCount | None = session.scalar(
        scoped(wanted, StockCount, person, *READERS).options(
            joinedload(StockCount.location), lines.joinedload(StockCountLine.part),
            lines.joinedload(StockCountLine.batch),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound()
    return found


def counts_of(person: Person, limit: int = 50) -> Sequence[StockCount]:
    """The newest counts the person may see."""
    newest = select(StockCount).options(joinedload(StockCount.location))
    return session.scalars(
        scoped(newest, StockCount, person, *READERS).order_by(StockCount.id.desc()).limit(limit)
    ).all()


def line_of(count: StockCount, line_id: int) -> StockCountLine:
    """Raises NotFound."""
    found = next((line for line in count.lines if line.id == line_id), None)
    if found is None:
        raise NotFound()
    return found
