"""Counting a place: blind entry, differences within tolerance posted at once, larger ones approved by the manager.

A line is compared with what lay there by the ledger in the moment of its entry; the difference holds whatever is moved
between then and posting, since such moves change what should be there and what is there alike.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import pieces
from fieldservice.parts import services as ledger
from fieldservice.parts.counts import rules
from fieldservice.parts.counts.models import StockCount, StockCountLine
from fieldservice.parts.models import WHOLE, Part, SerialUnit, StockBalance, StockBatch, StockLocation

OPEN = ("counting", "awaiting")
MOST_LINES = 2000


def open_count(location: StockLocation, parts: Sequence[Part] | None, *, at: datetime) -> StockCount:
    """A sheet for a place: of these parts, or (None) of everything the ledger knows there. The place shows that it is
    being counted; nothing is held up. Raises Conflict `count_open` (fact: count) where one is under way."""
    take_turns(f"stock_count:{location.id}")
    running = select(StockCount).where(StockCount.location_id == location.id, StockCount.state.in_(OPEN))
    known = session.scalar(running)
    if known is not None:
        raise Conflict(
            _l("This place is being counted already: %(number)s.", number=known.number),
            code="count_open",
            count=known.number,
        )
    if location.state == "closed":
        raise Invalid({"location": [_l("This place is closed.")]})
    count = StockCount(
        number=next_number("SC", at), station_id=location.station_id, location_id=location.id, whole=parts is None,
        opened_by=actor(), opened_at=at,
    )  # fmt: skip
    session.add(count)
    session.flush()
    count.lines = [StockCountLine(part_id=part_id, batch_id=batch_id) for part_id, batch_id in _there(location, parts)]
    if location.state == "active":
        move(location, "counting", at=at)
    record("stock_count.counting", count, {"lines": len(count.lines)}, at=at)
    session.flush()
    return count


def _there(location: StockLocation, parts: Sequence[Part] | None) -> list[tuple[int, int | None]]:
    """(part, batch) that the ledger knows in the place; a chosen part without any stands there too."""
    lying = (
        select(StockBalance.part_id, StockBalance.batch_id)
        .where(StockBalance.location_id == location.id, StockBalance.condition == ledger.GOOD)
        .where(StockBalance.on_hand > 0)
        .order_by(StockBalance.part_id, StockBalance.batch_id.is_not(None), StockBalance.batch_id)
        .limit(MOST_LINES)
    )
    if parts is not None:
        lying = lying.where(StockBalance.part_id.in_([part.id for part in parts]))
    rows = [(part_id, batch_id) for part_id, batch_id in session.execute(lying)]
    known = {part_id for part_id, _batch in rows}
    return rows + [(part.id, None) for part in parts or () if part.id not in known]


def line_for(count: StockCount, part: Part, batch: StockBatch | None) -> StockCountLine:
    """The line of a part and batch on a sheet; added where something turned up that nobody expected."""
    count = _held(count, "counting")
    wanted = batch.id if batch is not None else None
    found = next((line for line in count.lines if line.part_id == part.id and line.batch_id == wanted), None)
    if found is None:
        if len(count.lines) >= MOST_LINES:
            raise Invalid({"part": [_l("Use at most %(most)s entries.", most=MOST_LINES)]})
        found = StockCountLine(part_id=part.id, batch_id=wanted)
        count.lines.append(found)
        session.flush()
    return found


def enter(line: StockCountLine, counted: Decimal, *, at: datetime, serials: Sequence[str] = ()) -> StockCountLine:
    """What was found; a later entry replaces an earlier one. Of a part with serial numbers, the numbers found.

    Raises Invalid for a negative or impossible quantity, or a number found twice.
    """
    count = _held(line.count, "counting")
    part = line.part
    if not counted.is_finite() or not 0 <= counted <= ledger.MOST or counted != counted.quantize(ledger.SMALLEST):
        raise Invalid({"counted": [_l("Write what you counted: zero or more.")]})
    if part.unit in WHOLE and counted != counted.to_integral_value():
        raise Invalid({"counted": [_l("Enter whole pieces.")]})
    found = pieces.plain_serials(serials)
    if found and (not part.serial_tracked or len(found) != counted):
        raise Invalid({"serials": [_l("Scan the serial number of every piece.")]})
    line.expected = by_ledger(count.location_id, line)
    line.counted, line.serials = counted, found
    told = part.serial_tracked and (found or not counted)  # without numbers nobody knows which are missing
    line.missing = _missing(count.location_id, part, found) if told else []
    line.counted_by, line.counted_at = actor(), at
    session.flush()
    return line


def by_ledger(location_id: int, line: StockCountLine) -> Decimal:
    """What the ledger knows now of the line's part and batch."""
    of_batch = StockBalance.batch_id.is_(None) if line.batch_id is None else StockBalance.batch_id == line.batch_id
    lies = session.scalar(
        select(StockBalance.on_hand).where(
            StockBalance.location_id == location_id, StockBalance.part_id == line.part_id, of_batch,
            StockBalance.condition == ledger.GOOD,
        )
    )  # fmt: skip
    return Decimal(lies or 0)


def _missing(location_id: int, part: Part, found: Sequence[str]) -> list[str]:
    known = session.scalars(
        select(SerialUnit.serial)
        .where(SerialUnit.location_id == location_id, SerialUnit.part_id == part.id, SerialUnit.condition == "good")
        .order_by(SerialUnit.serial)
    )
    return [serial for serial in known if serial not in found]


def differences(count: StockCount) -> list[StockCountLine]:
    """Lines that were counted and differ from the ledger, in quantity or in numbers."""
    return [line for line in count.lines if line.counted is not None and (difference(line) or line.missing)]


def difference(line: StockCountLine) -> Decimal:
    """How much more was found than the ledger knew; negative for less."""
    return (line.counted or Decimal(0)) - (line.expected or Decimal(0))


def finish(count: StockCount, *, at: datetime) -> StockCount:
    """Close the sheet: posted where every difference is within tolerance, else put before the manager.

    Raises Conflict `not_counted` (fact: lines) while lines are empty. Finishing again changes nothing.
    """
    count = _held(count, *OPEN, "posted")
    if count.state != "counting":
        return count
    empty = sum(line.counted is None for line in count.lines)
    if empty or not count.lines:
        raise Conflict(_l("Some lines are not counted yet. Count them first."), code="not_counted", lines=empty)
    beyond = [line for line in differences(count) if rules.beyond(line.part, line, count.station_id)]
    if beyond:
        move(count, "awaiting", at=at, lines=len(beyond))
        return count
    _post(count, at)
    return count


def approve(count: StockCount, *, at: datetime) -> StockCount:
    """The manager agrees to the differences. Raises Conflict `counted_by_you` for whoever counted himself."""
    count = _held(count, "awaiting", "posted")
    if count.state == "posted":
        return count
    if actor() in {count.opened_by, *(line.counted_by for line in count.lines)}:
        raise Conflict(
            _l("You counted yourself. Another manager approves the differences."), code="counted_by_you"
        )  # fmt: skip
    count.decided_by = actor()
    _post(count, at)
    return count


def send_back(count: StockCount, *, at: datetime) -> None:
    """The manager wants the differing lines counted again: they are empty once more."""
    count = _held(count, "awaiting")
    for line in differences(count):
        line.counted = line.expected = line.counted_at = line.counted_by = None
        line.serials, line.missing = [], []
    move(count, "counting", at=at)


def cancel(count: StockCount, *, at: datetime) -> None:
    """Nothing of it is posted."""
    count = _held(count, *OPEN)
    move(count, "cancelled", at=at)
    _free(count.location, at)


def _post(count: StockCount, at: datetime) -> None:
    changed = differences(count)
    for line in sorted(changed, key=lambda one: (one.part_id, one.id)):
        _settle(count, line, at)
    count.posted_at = at
    move(count, "posted", at=at, differences=len(changed))
    _free(count.location, at)


def _settle(count: StockCount, line: StockCountLine, at: datetime) -> None:
    """Post what a line differs by. Numbered pieces that were not found go out, new ones come in."""
    new = _new_serials(count, line)
    gone = Decimal(len(line.missing))
    extra = difference(line) + gone  # what has to come in after the missing pieces went out
    if gone:
        line.move_id = _difference(count, line, -gone, line.missing, at)
    if extra:
        line.move_id = _difference(count, line, extra, new if extra > 0 else (), at)
    session.flush()


def _new_serials(count: StockCount, line: StockCountLine) -> list[str]:
    if not line.serials:
        return []
    here = set(
        session.scalars(
            select(SerialUnit.serial).where(
                SerialUnit.location_id == count.location_id, SerialUnit.part_id == line.part_id
            )
        )
    )
    return [serial for serial in line.serials if serial not in here]


def _difference(
    count: StockCount, line: StockCountLine, quantity: Decimal, serials: Sequence[str], at: datetime
) -> int:
    place = count.location
    posted = ledger.post_move(
        part=line.part, quantity=abs(quantity), cause="count", at=at, about=count, batch=line.batch,
        source=place if quantity < 0 else None, target=place if quantity > 0 else None, unnamed=True,
        serials=serials[: int(abs(quantity))],
    )  # fmt: skip
    return posted.id


def _free(location: StockLocation, at: datetime) -> None:
    if location.state == "counting":
        move(location, "active", at=at)


def _held(count: StockCount, *states: str) -> StockCount:
    """The count as it is now, held until the transaction ends. Raises Conflict `count_settled`."""
    session.flush()
    mine = select(StockCount).where(StockCount.id == count.id).with_for_update()
    count = session.scalars(mine.execution_options(populate_existing=True)).one()
    if count.state not in states:
        raise Conflict(_l("This count is settled already. Look at it again."), code="count_settled", state=count.state)
    return count
