"""Agreeing with a customer on stock of ours at his place, changing it and ending it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import local
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.consignment import outlook
from fieldservice.parts.consignment.models import OPEN, ConsignmentLine, RefillOrder
from fieldservice.parts.models import Part, StockLocation

MOST_DAYS = 730
MOST_PRICE = 100_000_000_00  # minor units
EARLIEST = date(2000, 1, 1)
LATEST = timedelta(days=3_650)


@dataclass(frozen=True)
class Terms:
    """What is agreed for a part at a place. Days of use, money in minor units."""

    baseline_days: int
    target_days: int
    safety_days: int = 1
    price: int | None = None
    billing: str = "use"
    active_from: date | None = None
    active_to: date | None = None


def agree(place: StockLocation, part: Part, terms: Terms, *, at: datetime) -> ConsignmentLine:
    """From a day on, this part lies there for the customer's use.

    Raises Invalid for another kind of place, a part that cannot lie there, or senseless terms; Conflict
    `consignment_known` (fact: line) where it is agreed on already.
    """
    if place.kind != "customer" or place.site_id is None or place.state == "closed":
        raise Invalid({"place": [_l("Choose a place of consignment stock at a customer's site.")]})
    check_part(part)
    take_turns(f"consignment:{place.id}:{part.id}")
    same = (ConsignmentLine.location_id == place.id, ConsignmentLine.part_id == part.id)
    known = session.scalar(select(ConsignmentLine).where(*same))
    if known is not None:
        raise Conflict(
            _l("This part is agreed on for this place already. Change what is agreed, or take an ended one up again."),
            code="consignment_known",
            line=known.id,
        )
    began = terms.active_from or local(at).date()
    check_terms(terms, began)
    line = ConsignmentLine(
        location=place, part=part, station_id=place.station_id, active_from=began, **_plain(terms),
    )  # fmt: skip
    session.add(line)
    session.flush()
    record("consignment_line.active", line, {"part": part.number, "place": place.code}, at=at)
    outlook.reckon(line, at)
    return line


def change(line: ConsignmentLine, terms: Terms, *, at: datetime) -> None:
    """Agree on something else. Raises Invalid for senseless terms."""
    line = held(line)
    began = terms.active_from or line.active_from
    check_terms(terms, began)
    line.active_from = began
    for name, value in _plain(terms).items():
        setattr(line, name, value)
    session.flush()
    record("consignment_line.changed", line, {"part": line.part.number}, at=at)
    outlook.reckon(line, at)


def end(line: ConsignmentLine, *, at: datetime) -> None:
    """No more refills; what lies there is fetched or sold. Raises Conflict `refill_open` while one is under way."""
    line = held(line)
    if line.state == "ended":
        return
    if open_refill(line) is not None:
        raise Conflict(
            _l("A refill of it is under way. Have it delivered, or call it off first."), code="refill_open"
        )  # fmt: skip
    move(line, "ended", at=at)


def take_up(line: ConsignmentLine, *, at: datetime) -> None:
    """An ended agreement holds again."""
    line = held(line)
    if line.state == "ended":
        line.active_to = None
        move(line, "active", at=at)
        outlook.reckon(line, at)


def held(line: ConsignmentLine) -> ConsignmentLine:
    """The line as it is now, held until the transaction ends; it is held before refills and balances."""
    session.flush()
    mine = select(ConsignmentLine).where(ConsignmentLine.id == line.id).with_for_update(of=ConsignmentLine)
    return session.scalars(mine.execution_options(populate_existing=True)).one()


def open_refill(line: ConsignmentLine) -> RefillOrder | None:
    """The refill of it that is under way; at most one is."""
    return session.scalar(select(RefillOrder).where(RefillOrder.line_id == line.id, RefillOrder.state.in_(OPEN)))


def check_part(part: Part) -> None:
    """Raises Invalid for a part that cannot lie at a customer's."""
    if part.state not in ("active", "superseded"):
        raise Invalid({"part": [_l("This part is not sold any more. Choose its successor.")]})
    if part.serial_tracked:
        raise Invalid(
            {"part": [_l("Pieces with serial numbers are not read as a quantity. Keep this part in a store.")]}
        )


def check_terms(terms: Terms, began: date) -> None:
    """Raises Invalid with a sentence for each that makes no sense."""
    wrong: dict[str, list[object]] = {}
    for name, least in (("baseline_days", 0), ("target_days", 1), ("safety_days", 0)):
        if not least <= getattr(terms, name) <= MOST_DAYS:
            wrong[name] = [_l("Write days from %(least)s to %(most)s.", least=least, most=MOST_DAYS)]
    if not wrong and terms.safety_days >= terms.target_days:
        wrong["safety_days"] = [_l("Fewer days of safety than the target: else it is refilled without end.")]
    if terms.price is not None and not 0 <= terms.price <= MOST_PRICE:
        wrong["price"] = [_l("Write a price of zero or more.")]
    if terms.billing not in all_words()["stock_billing"]:
        wrong["billing"] = [_l("Say how use is billed.")]
    if not EARLIEST <= began <= EARLIEST + LATEST * 10:
        wrong["active_from"] = [_l("Write a day such as 2026-11-25.")]
    elif terms.active_to is not None and not began <= terms.active_to <= began + LATEST:
        wrong["active_to"] = [_l("It ends on or after the day it begins, at most ten years on.")]
    if wrong:
        raise Invalid(wrong)


def _plain(terms: Terms) -> dict[str, object]:
    return {
        "baseline_days": terms.baseline_days, "target_days": terms.target_days, "safety_days": terms.safety_days,
        "price": terms.price, "billing": terms.billing, "active_to": terms.active_to,
    }  # fmt: skip
