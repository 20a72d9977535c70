"""Reading customers' stock: what is missing against the ledger was used; what is too much is asked about.

A reading is compared with what lies there by the ledger in its moment. Less was used: a move says so, and it is billed
as agreed. More cannot come by itself: whoever reads confirms it, and beyond the tolerance of counts a manager does.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import day_span, local
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms import policies, tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as ledger
from fieldservice.parts.consignment import lines, outlook, watching
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading
from fieldservice.parts.counts.rules import TOLERANCE, is_beyond
from fieldservice.parts.models import WHOLE, Part, StockMove

BACK = 3  # days: a weekend may be entered on Monday, while nothing was moved since
LOOKED_AT = timedelta(hours=24)  # for a manager to decide about what was found


def read(
    line: ConsignmentLine, counted: Decimal, *, at: datetime, on: date | None = None, source: str = "station",
    sure: bool = False,
) -> ConsignmentReading:  # fmt: skip
    """So much lay there on a day (today). Reading a day again replaces what was read; the same again changes nothing.

    Raises Invalid for a senseless quantity or day; Conflict `ended`, `read_later` (there is a newer reading),
    `moved_since` (a day that is over, and stock came or went after it), `more_than_there` (fact: expected) where more
    was read than lies there and nobody said that he is `sure`.
    """
    line = lines.held(line)
    if source not in all_words()["reading_source"]:
        raise Invalid({"source": [_l("Say who read it.")]})
    on_day = on or local(at).date()
    known = _of_day(line, on_day)
    lies = _expected(line, counted, on_day, known, at, sure=sure)
    if known is not None and known.counted == counted and known.state != "refused" and _stands(known, line):
        return known
    if known is not None:
        _take_back(known, at)
    _drop_waiting(line, on_day, at)
    reading = _kept(known, line, on_day, at)
    reading.counted, reading.expected, reading.source = counted, lies, source
    reading.read_by, reading.read_at = actor(), at
    reading.used = max(Decimal(0), lies - counted) + _used_by_others(line, reading, at)
    _settle(reading, at)
    tasks.cancel_keyed(watching.unread_key(line), at=at)
    outlook.reckon(line, at)
    watching.follow(line, at=at)
    return reading


def why_not(line: ConsignmentLine, counted: Decimal, *, at: datetime, on: date, sure: bool) -> DomainError | None:
    """What `read` would refuse, without reading: for tables that are looked at before they are taken in."""
    try:
        _expected(line, counted, on, _of_day(line, on), at, sure=sure)
    except DomainError as refused:
        return refused
    return None


def approve(reading: ConsignmentReading, *, at: datetime) -> None:
    """The manager agrees that more lay there. Twice is once. Raises Conflict `counted_by_you` for whoever read it."""
    lines.held(reading.line)
    session.refresh(reading, with_for_update=True)
    if reading.state == "posted":
        return
    if actor() == reading.read_by:
        raise Conflict(_l("You read it yourself. Another manager approves the difference."), code="counted_by_you")
    move(reading, "posted", at=at)
    _post_more(reading, at)
    tasks.cancel_keyed(_more_key(reading), at=at)
    outlook.reckon(reading.line, at)


def refuse(reading: ConsignmentReading, *, at: datetime) -> None:
    """The manager does not: it has to be read again. Twice is once."""
    lines.held(reading.line)
    session.refresh(reading, with_for_update=True)
    if reading.state == "refused":
        return
    move(reading, "refused", at=at)
    tasks.cancel_keyed(_more_key(reading), at=at)


def check_counted(counted: Decimal, part: Part) -> None:
    """Raises Invalid for what nobody can have read."""
    if not counted.is_finite() or not 0 <= counted <= ledger.MOST or counted != counted.quantize(ledger.SMALLEST):
        raise Invalid({"counted": [_l("Write what lies there: zero or more, at most three decimals.")]})
    if part.unit in WHOLE and counted != counted.to_integral_value():
        raise Invalid({"counted": [_l("Enter whole pieces.")]})


# Inside -------------------------------------------------------------------------------------------


def _expected(
    line: ConsignmentLine, counted: Decimal, on: date, known: ConsignmentReading | None, at: datetime, *, sure: bool
) -> Decimal:  # fmt: skip
    """What should lie there, without what the reading of that day posted. Raises what `read` tells."""
    if line.state != "active":
        raise Conflict(_l("This agreement has ended. Nothing is read any more."), code="ended")
    check_counted(counted, line.part)
    _check_day(line, on, known, at)
    lies = outlook.on_hand(line)
    if known is not None and known.move_id is not None:
        lies += known.expected - known.counted
    if counted > lies and not sure:
        raise Conflict(
            _l("Only %(there)s should lie there. Read again; if it is right, confirm it.", there=decimal_text(lies)),
            code="more_than_there",
            expected=decimal_text(lies),
        )
    return lies


def _check_day(line: ConsignmentLine, on: date, known: ConsignmentReading | None, at: datetime) -> None:
    today = local(at).date()
    if on > today:
        raise Invalid({"on": [_l("This day is still to come. Read the stock on the day itself.")]})
    if on < line.active_from:
        raise Invalid({"on": [_l("The agreement began later: on %(day)s.", day=line.active_from.isoformat())]})
    if on < today - timedelta(days=BACK):
        raise Invalid({"on": [_l("Enter readings at most %(days)s days back. Read the stock today.", days=BACK)]})
    later = session.scalar(
        select(func.max(ConsignmentReading.on_day)).where(
            ConsignmentReading.line_id == line.id, ConsignmentReading.on_day > on
        )
    )
    if later is not None:
        raise Conflict(
            _l("It was read again on %(day)s. An older reading would change what is billed.", day=later.isoformat()),
            code="read_later",
        )
    if on < today and _moved_since(line, day_span(on)[1], known):
        raise Conflict(
            _l("Stock came or went since that day. Read what lies there today."), code="moved_since"
        )  # fmt: skip


def _moved_since(line: ConsignmentLine, moment: datetime, known: ConsignmentReading | None) -> bool:
    """Whether anything else than what a reading itself posted came or went."""
    here = (StockMove.from_id == line.location_id) | (StockMove.to_id == line.location_id)
    since = select(StockMove.id).where(StockMove.part_id == line.part_id, here, StockMove.at >= moment)
    if known is not None:
        own = select(StockMove.id).where(StockMove.for_type == known.subject_type, StockMove.for_id == known.id)
        since = since.where(StockMove.id.not_in(own), func.coalesce(StockMove.reverses_id, 0).not_in(own))
    return session.scalar(since.limit(1)) is not None


def _drop_waiting(line: ConsignmentLine, on: date, at: datetime) -> None:
    """A newer reading says it anew: what older ones found must not be added a second time."""
    waiting = select(ConsignmentReading).where(ConsignmentReading.line_id == line.id, ConsignmentReading.on_day < on)
    for older in session.scalars(waiting.where(ConsignmentReading.state == "awaiting")):
        move(older, "refused", at=at)
        tasks.cancel_keyed(_more_key(older), at=at)


def _of_day(line: ConsignmentLine, on: date) -> ConsignmentReading | None:
    mine = (ConsignmentReading.line_id == line.id, ConsignmentReading.on_day == on)
    return session.scalar(select(ConsignmentReading).where(*mine))


def _stands(known: ConsignmentReading, line: ConsignmentLine) -> bool:
    """Whether nothing was moved there since it was read."""
    return outlook.on_hand(line) == (known.counted if known.state == "posted" else known.expected)


def _kept(known: ConsignmentReading | None, line: ConsignmentLine, on: date, at: datetime) -> ConsignmentReading:
    if known is not None:
        return known
    made = ConsignmentReading(
        line=line, station_id=line.station_id, on_day=on, counted=Decimal(0), expected=Decimal(0), used=Decimal(0),
        source="station", read_by=actor(), read_at=at,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _take_back(known: ConsignmentReading, at: datetime) -> None:
    """What it posted is reversed; a new reading of that day takes its place."""
    if known.move_id is not None:
        ledger.reverse(session.get_one(StockMove, known.move_id), at=at)
        known.move_id = None
    tasks.cancel_keyed(_more_key(known), at=at)


def _settle(reading: ConsignmentReading, at: datetime) -> None:
    """Post what was used, or what was found; what is beyond the tolerance waits for the manager."""
    more = reading.counted - reading.expected
    waits = more > 0 and _beyond(reading)
    part = reading.line.part
    to = "awaiting" if waits else "posted"
    if reading.state != to:
        move(reading, to, at=at)
    told = {"part": part.number, "counted": decimal_text(reading.counted), "used": decimal_text(reading.used)}
    record("consignment_reading.read", reading, told, at=at)
    if waits:
        tasks.open_task(
            "consignment_more_found", reading, owner_role="station_manager", supervisor_role="director",
            due_at=at + LOOKED_AT, at=at, key=_more_key(reading),
            facts={"part": part.number, "place": reading.line.location.code, "more": decimal_text(more)},
        )  # fmt: skip
    elif more > 0:
        _post_more(reading, at)
    elif more < 0:
        reading.move_id = ledger.post_move(
            part=part, quantity=-more, cause="use", at=at, source=reading.line.location, about=reading, unnamed=True
        ).id
    session.flush()


def _post_more(reading: ConsignmentReading, at: datetime) -> None:
    reading.move_id = ledger.post_move(
        part=reading.line.part, quantity=reading.counted - reading.expected, cause="count", at=at,
        target=reading.line.location, about=reading, unnamed=True,
    ).id  # fmt: skip
    session.flush()


def _beyond(reading: ConsignmentReading) -> bool:
    part = reading.line.part
    limits = policies.effective(TOLERANCE, station_id=reading.station_id).value[part.criticality]
    return is_beyond(
        reading.expected, reading.counted, part.price, percent=limits["percent"], money=limits["money"]
    )  # fmt: skip


def _used_by_others(line: ConsignmentLine, reading: ConsignmentReading, at: datetime) -> Decimal:
    """Taken there by technicians on visits since the reading before, and not taken back."""
    before = session.scalar(
        select(func.max(ConsignmentReading.read_at)).where(
            ConsignmentReading.line_id == line.id, ConsignmentReading.on_day < reading.on_day
        )
    )
    taken_back = aliased(StockMove)
    wanted = select(func.sum(StockMove.quantity)).where(
        StockMove.part_id == line.part_id, StockMove.from_id == line.location_id, StockMove.cause == "use",
        StockMove.at <= at, func.coalesce(StockMove.for_type, "") != ConsignmentReading.subject_type,
        ~select(taken_back.id).where(taken_back.reverses_id == StockMove.id).exists(),
    )  # fmt: skip
    if before is not None:
        wanted = wanted.where(StockMove.at > before)
    return Decimal(session.scalar(wanted) or 0)


def _more_key(reading: ConsignmentReading) -> str:
    return f"consignment_more:{reading.id}:{reading.read_at.isoformat()}"
