"""The parts of an order: planned and fitted, promised to it and where, still lacking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.words import pick
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability import waiting
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.models import Part, StockLocation, StockMove
from fieldservice.parts.queries import parts_by_id
from fieldservice.workorders.models import PartUse, WorkOrder


@dataclass(frozen=True)
class PartLine:
    """A part of the order: what was planned and what was fitted."""

    part: Part
    planned: Decimal | None
    fitted: Decimal
    source: str  # where the fitted ones came from
    required: bool
    ended: bool = False  # the order's work is over
    words: str = ""  # why it is needed
    held: Sequence[Reservation] = ()  # what is promised to the order, and what it waits for
    sources: Mapping[int, waiting.Source] = field(default_factory=dict)  # reservation → what is to bring it
    visited: bool = False  # somebody is planned to come, so that the parts should be promised

    @property
    def lacks(self) -> Decimal:
        """Planned for a visit that has its time, and neither fitted nor promised."""
        promised = sum((one.quantity for one in self.held if one.state in HOLDING), self.fitted)
        return max(Decimal(0), (self.planned or Decimal(0)) - promised) if self.visited else Decimal(0)

    @property
    def goes_back(self) -> bool:
        """Planned and not needed after all: it goes back to where it came from."""
        return self.ended and self.fitted < (self.planned or 0)

    @property
    def is_short(self) -> bool:
        """Needed and not fitted yet."""
        return self.required and self.fitted < (self.planned or 0)


def part_lines(order: WorkOrder) -> list[PartLine]:
    """Each part once, planned and fitted together."""
    planned = [item for item in order.items if item.kind == "part" and item.part_id is not None]
    uses = session.execute(
        select(PartUse.part_id, PartUse.quantity, StockLocation.names)
        .join(StockMove, StockMove.id == PartUse.move_id)
        .outerjoin(StockLocation, StockLocation.id == StockMove.from_id)
        .where(PartUse.work_order_id == order.id).order_by(PartUse.id)
    ).all()  # fmt: skip
    ids = dict.fromkeys([*(item.part_id for item in planned if item.part_id), *(use.part_id for use in uses)])
    known = parts_by_id(ids)
    held = promises.open_for(order) if ids else ()
    sources = waiting.sources_of(held)
    lines = []
    for part_id in ids:
        wanted = [item for item in planned if item.part_id == part_id]
        fitted = [use for use in uses if use.part_id == part_id]
        lines.append(
            PartLine(
                part=known[part_id],
                planned=sum((item.quantity or Decimal(1) for item in wanted), Decimal(0)) if wanted else None,
                fitted=sum((use.quantity for use in fitted), Decimal(0)),
                source=str(_(", ")).join(dict.fromkeys(pick(use.names) for use in fitted if use.names)),
                required=any(item.required and item.done_at is None for item in wanted),
                ended=order.state in ("completed", "closed"),
                words=" · ".join(item.words for item in wanted if item.opened_visit_id is not None and item.words),
                held=[one for one in held if one.part_id == part_id],
                sources=sources,
                visited=order.state in ("scheduled", "dispatched", "in_progress"),
            )
        )
    return lines
