"""How long a customer's stock lasts, reckoned from its readings and kept on its line."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from math import floor, isinf

from sqlalchemy import func, select

from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.mechanisms import policies
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.consignment import runout
from fieldservice.parts.consignment.models import NEVER, ConsignmentLine, ConsignmentReading
from fieldservice.parts.consignment.runout import Use
from fieldservice.parts.models import WHOLE, Part, StockBalance
from fieldservice.parts.services import GOOD, SMALLEST

HORIZON = timedelta(days=120)  # what lies further back has no weight in the smoothed use any more
RECENT = timedelta(days=28)  # whose stock says how many days lie there now
LONGEST_LEFT = 3_650  # days: a stock that lasts longer counts as one that nobody uses
SURE = "consignment.safety_deviations"  # z: how many deviations of daily use a refill leaves room for
policies.register_defaults(SURE, 2.0, worth=policies.PLAIN)


def on_hand(line: ConsignmentLine) -> Decimal:
    """What lies there by the ledger."""
    lies = session.scalar(
        select(func.sum(StockBalance.on_hand)).where(
            StockBalance.part_id == line.part_id, StockBalance.location_id == line.location_id,
            StockBalance.condition == GOOD,
        )
    )  # fmt: skip
    return Decimal(lies or 0)


def coming(line: ConsignmentLine, at: datetime) -> Decimal:
    """What is on its way there or promised to be sent."""
    return shelves([line.part_id], [line.location_id], at)[line.part_id, line.location_id].in_transit


def readings_of(line: ConsignmentLine, since: date) -> Sequence[ConsignmentReading]:
    """Readings that hold, oldest first."""
    return session.scalars(
        select(ConsignmentReading)
        .where(ConsignmentReading.line_id == line.id, ConsignmentReading.on_day >= since)
        .where(ConsignmentReading.state == "posted")
        .order_by(ConsignmentReading.on_day)
    ).all()


def use_of(readings: Sequence[ConsignmentReading], began: date) -> Use:
    """The smoothed daily use. `began`: the day from which the first reading counts."""
    steps, before = [], began
    for reading in readings:
        steps.append(((reading.on_day - before).days, float(reading.used)))
        before = reading.on_day
    return runout.smoothed(runout.by_day(steps))


def deviations(line: ConsignmentLine) -> float:
    """z of the reorder point."""
    return float(policies.effective(SURE, station_id=line.station_id).value)


def reckon(line: ConsignmentLine, at: datetime) -> None:
    """Keep on the line what is known of it now. Since the last reading it was used as usual."""
    today = local(at).date()
    readings = readings_of(line, today - HORIZON)
    before = _read_before(line, today - HORIZON) or line.active_from
    use = use_of(readings, before)
    line.read_on = readings[-1].on_day if readings else _read_before(line, today - HORIZON)
    line.daily_use, line.deviation = use.daily, use.deviation
    lies = on_hand(line)
    unread = (today - line.read_on).days if line.read_on else 0
    line.stock = about(line.part, max(0.0, float(lies) - use.daily * unread)) if unread and use.daily else lies
    stock, z = float(line.stock), deviations(line)
    found = runout.run_out(
        stock, use, line.target_days, z=z, safety=line.safety_days, coming=float(coming(line, at))
    )  # fmt: skip
    left = runout.days_left(stock, use) if use.daily > 0 else float("inf")
    line.days_left = None if isinf(left) or left > LONGEST_LEFT else left
    line.runs_out_on = _day(today, left)
    line.contact_on = today if found.refill > 0 else _day(today, found.contact_in if use.daily > 0 else float("inf"))
    line.reorder_at = about(line.part, runout.reorder_point(use, z))
    recent = [float(reading.counted) for reading in readings if reading.on_day > today - RECENT]
    line.released = released_by(line, use, recent)
    line.reckoned_at = at
    session.flush()


def released_by(line: ConsignmentLine, use: Use, recent: Sequence[float]) -> int:
    """Money the customer has no longer bound in this part (T-07): against what lay there on average lately.

    Before anything was read nothing is known, and nothing is claimed.
    """
    if not recent or use.daily <= 0:
        return 0
    days_now = sum(recent) / len(recent) / use.daily
    return runout.released_capital(line.baseline_days, days_now, use.daily, line.unit_price)


def to_bring(line: ConsignmentLine, at: datetime) -> Decimal:
    """How much a refill brings now: up to the target, in whole packs."""
    missing = runout.up_to_target(
        float(line.stock), Use(line.daily_use, line.deviation), line.target_days, z=deviations(line),
        coming=float(coming(line, at)),
    )  # fmt: skip
    return packed(line.part, missing)


def packed(part: Part, wanted: float) -> Decimal:
    """In whole packs; what is measured, in whole units."""
    size = Decimal(part.pack_size if part.unit in WHOLE else 1)
    return (quantity(wanted) / size).to_integral_value(ROUND_CEILING) * size


def about(part: Part, value: float) -> Decimal:
    """A reckoned quantity as people say it: whole pieces, tenths of what is measured."""
    return Decimal(f"{value:.0f}" if part.unit in WHOLE else f"{value:.1f}")


def quantity(value: float) -> Decimal:
    """A reckoned number as a quantity."""
    return Decimal(f"{value:.3f}").quantize(SMALLEST)


def _read_before(line: ConsignmentLine, day: date) -> date | None:
    return session.scalar(
        select(func.max(ConsignmentReading.on_day)).where(
            ConsignmentReading.line_id == line.id, ConsignmentReading.state == "posted",
            ConsignmentReading.on_day < day,
        )
    )  # fmt: skip


def _day(today: date, days: float) -> date:
    return NEVER if isinf(days) or days > LONGEST_LEFT else today + timedelta(days=floor(days + 1e-9))
