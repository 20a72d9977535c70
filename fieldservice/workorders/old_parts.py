"""A fitted part may want the old piece back: why, and to which store (docs/decisions/0032)."""

from datetime import datetime

from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.returns import rules, services
from fieldservice.workorders.coverage import Line, decide
from fieldservice.workorders.lines import cover_of, day_of
from fieldservice.workorders.models import PartUse, Visit


def expect(visit: Visit, use: PartUse, part: Part, source: StockLocation, technician_id: int) -> None:
    """Open the old part of a use where it has to come back: to the station whose stock the new one was taken from."""
    order = visit.work_order
    paid_by = decide(cover_of(order), Line("part", day_of(visit), wears=part.wears)).coverage
    reasons = rules.reasons_of(part, use.removed_serial, paid_by)
    if not reasons:
        return
    use.wants_old = True
    services.expect(
        part, use.quantity, use_id=use.id, reasons=reasons, station_id=source.station_id, at=use.at,
        removed_serial=use.removed_serial, fitted_serial=use.serial, asset_id=order.asset_id, work_order_id=order.id,
        technician_id=technician_id,
    )  # fmt: skip


def take_back(use: PartUse, at: datetime) -> None:
    """The part was not fitted after all."""
    if use.wants_old:
        services.take_back(use.id, at=at)
