"""The lines of an order – parts, labour, travel, extra work – with who pays each, and the customer's approvals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import local
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts import services as ledger
from fieldservice.parts.models import Part
from fieldservice.parts.queries import parts_by_id, parts_by_number
from fieldservice.workorders.coverage import (
    COVERAGES,
    Cover,
    Decision,
    Line,
    beyond_goodwill,
    cost_of,
    decide,
    needs_approval,
)
from fieldservice.workorders.models import ExtraWork, LineChoice, PartUse, Visit, WorkOrder
from fieldservice.workorders.onsite import times
from fieldservice.workorders.rates import rates_of

MOST_REASON, MOST_WORDS, MOST_LINES, MOST_NAME = 300, 300, 20, 80
MOST_PRICE = 10_000_000_00  # minor units for one


@dataclass(frozen=True)
class WorkLine:
    """One line: what, how much, what it is worth, who pays."""

    key: str  # use-<id>, labour-<visit>, travel-<visit>, extra-<id>-<number>
    kind: str  # part, labour, travel, extra
    quantity: Decimal  # minutes of labour and travel
    worth: int  # minor units
    decision: Decision
    visit: Visit
    part: Part | None = None
    use: PartUse | None = None
    words: str = ""  # of extra work; of a choice: the technician's reason
    included: bool = False  # its price stands in extra work the customer approved
    over_limit: bool = False  # goodwill that the station manager is asked about (goodwill.py)

    @property
    def pays(self) -> int:
        """What the customer pays, in minor units; nothing before he approved what needs it."""
        free = self.decision.coverage != "billable" or self.decision.pending or self.included
        return 0 if free else self.worth


@dataclass
class _Approved:
    """Parts in approved extra work, by number, until they are fitted."""

    left: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def take(self, number: str, quantity: Decimal) -> bool:
        if self.left[number] < quantity:
            return False
        self.left[number] -= quantity
        return True


def lines_of(order: WorkOrder) -> list[WorkLine]:
    """Every line of the order; a fixed number of queries."""
    uses = session.scalars(select(PartUse).where(PartUse.work_order_id == order.id).order_by(PartUse.id)).all()
    parts = parts_by_id(use.part_id for use in uses)
    extras, chosen = extras_of(order.id), choices_of(order.id)
    cover, visits, rates = cover_of(order), {visit.id: visit for visit in order.visits}, rates_of(order.station_id)
    approved, corrected = _approved(extras), times.corrected_minutes(visits)
    lines: list[WorkLine] = []

    def add(key: str, kind: str, quantity: Decimal, worth: int, visit: Visit, **facts: Any) -> None:
        part, choice = facts.get("part"), chosen.get(key)
        included = part is not None and approved.take(part.number, quantity)
        line = Line(
            kind, day_of(visit), wears=part is not None and part.wears, approved=included or kind == "extra",
            chosen=choice.coverage if choice is not None else None,
        )  # fmt: skip
        decision = decide(cover, line)
        if decision.reason == "chosen" and choice is not None:
            facts["words"] = choice.reason
        lines.append(WorkLine(key, kind, quantity, worth, decision, visit, included=included, **facts))

    for use in uses:
        part = parts[use.part_id]
        worth = rounded(use.quantity * part.price)
        add(f"use-{use.id}", "part", use.quantity, worth, visits[use.visit_id], part=part, use=use)
    for visit in order.visits:
        labour, travel = minutes_of(visit, corrected.get(visit.id, {}))
        for kind, minutes, rate in (("labour", labour, rates.labour), ("travel", travel, rates.travel)):
            if minutes:
                add(f"{kind}-{visit.id}", kind, Decimal(minutes), cost_of(minutes, rate), visit)
    for extra in extras:
        for number, given in enumerate(extra.lines if extra.decision == "approved" else []):
            quantity = Decimal(given["quantity"])
            worth = rounded(quantity * given["price"])
            key = f"extra-{extra.id}-{number}"
            add(key, "extra", quantity, worth, visits[extra.visit_id], words=given["words"])
    over = beyond_goodwill([(line.decision, line.worth) for line in lines], rates.goodwill)
    return [replace(line, over_limit=True) if above else line for line, above in zip(lines, over, strict=True)]


def cover_of(order: WorkOrder) -> Cover:
    """What decides about the whole order."""
    asset = order.asset
    return Cover(
        order.coverage, asset.warranty_until if asset is not None else None, asset is not None,
        order.kind == "competitor_rescue",
    )  # fmt: skip


def minutes_of(visit: Visit, corrected: Mapping[str, int]) -> tuple[int, int]:
    """Minutes at work and on the road, as recorded or as `corrected` by kind; nothing before a visit has ended."""
    if visit.finished_at is None or visit.on_site_at is None:
        return 0, 0
    found = {**times.recorded(visit), **corrected}
    return found["work"] or 0, found["travel"] or 0


def day_of(visit: Visit) -> Any:
    """The calendar day a visit counts for."""
    return local(visit.on_site_at or visit.starts_at).date()


def rounded(amount: Decimal) -> int:
    """Whole minor units, half up."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def extras_of(order_id: int) -> Sequence[ExtraWork]:
    """What the customer was asked to approve, oldest first."""
    return session.scalars(select(ExtraWork).where(ExtraWork.work_order_id == order_id).order_by(ExtraWork.id)).all()


def choices_of(order_id: int) -> dict[str, LineChoice]:
    """What technicians decided about single lines."""
    return {row.line: row for row in session.scalars(select(LineChoice).where(LineChoice.work_order_id == order_id))}


def _approved(extras: Sequence[ExtraWork]) -> _Approved:
    approved = _Approved()
    for extra in extras:
        for given in extra.lines if extra.decision == "approved" else []:
            if given["part"]:
                approved.left[given["part"]] += Decimal(given["quantity"])
    return approved


def pending(order: WorkOrder) -> list[WorkLine]:
    """Lines that would be paid inside warranty and wait for the customer's approval."""
    if not needs_approval(cover_of(order), "billable"):
        return []
    return [line for line in lines_of(order) if line.decision.pending]


# What a technician does --------------------------------------------------------------------------------


def cover_line(visit: Visit, line: str, coverage: str, reason: str, at: datetime) -> LineChoice:
    """Say who pays for a line of this visit, with a reason the customer can read.

    Raises Conflict `approval_needed` for a paid line inside warranty: it has to be extra work the customer approved.
    """
    words = forms.plain_text(reason, MOST_REASON, field="reason")
    errors: dict[str, list[Any]] = {}
    if coverage not in COVERAGES:
        errors["coverage"] = [_l("Choose one of the options.")]
    if not words:
        errors["reason"] = [_l("Give the reason, in words the customer can read.")]
    if not _is_line_of(visit, line):
        errors["line"] = [_l("This line is not there any more. Look at the list again.")]
    if errors:
        raise Invalid(errors)
    if needs_approval(cover_of(visit.work_order), coverage):
        raise Conflict(
            _l("Paid work under warranty needs the customer's approval: enter it as extra work and let him sign."),
            code="approval_needed",
        )
    row = choices_of(visit.work_order_id).get(line)
    if row is None:
        row = LineChoice(work_order_id=visit.work_order_id, line=line)
        session.add(row)
    row.visit_id, row.coverage, row.reason, row.at = visit.id, coverage, words, at
    session.flush()
    record("visit.line_covered", visit, {"line": line, "coverage": coverage}, at=at, note=words)
    return row


def _is_line_of(visit: Visit, line: str) -> bool:
    kind, _dash, number = line.partition("-")
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return False
    if kind in ("labour", "travel"):
        return int(number) == visit.id
    use = session.get(PartUse, int(number)) if kind == "use" else None
    return use is not None and use.work_order_id == visit.work_order_id


def drop_choice(use: PartUse) -> None:
    """The part was taken back: nobody pays for it."""
    row = choices_of(use.work_order_id).get(f"use-{use.id}")
    if row is not None:
        session.delete(row)


def decide_extra(
    visit: Visit, extra_id: str, words: str, given: Sequence[Mapping[str, Any]], decision: str, at: datetime, *,
    file: StoredFile | None = None, name: str = "",
) -> ExtraWork:  # fmt: skip
    """Keep what the customer decided about work beyond the order; his name is kept erasable.

    Raises Conflict `extra_decided` when he had decided about this already, Invalid for lines that cannot be meant.
    """
    known = (ExtraWork.work_order_id == visit.work_order_id) & (ExtraWork.extra_id == extra_id)
    if session.scalar(select(ExtraWork.id).where(known)) is not None:
        raise Conflict(
            _l("The customer has decided about this already. Enter it as new extra work."), code="extra_decided"
        )
    said, who = forms.plain_text(words, MOST_WORDS, field="words"), forms.plain_text(name, MOST_NAME, field="name")
    lines = _checked(given)
    errors: dict[str, list[Any]] = {}
    if not said:
        errors["words"] = [_l("Say what is to be done.")]
    if decision == "approved" and not who:
        errors["name"] = [_l("Enter the name of who signs.")]
    if not lines:
        errors["lines"] = [_l("Enter at least one line with its price.")]
    if errors:
        raise Invalid(errors)
    total = sum(rounded(Decimal(line["quantity"]) * line["price"]) for line in lines)
    extra = ExtraWork(
        extra_id=extra_id, work_order_id=visit.work_order_id, visit_id=visit.id, words=said, lines=lines, total=total,
        decision=decision, at=at,
    )  # fmt: skip
    session.add(extra)
    session.flush()
    facts = {"extra": extra.id, "value": total, "file": file.id if file is not None else None}
    record(f"visit.extra_{decision}", visit, facts, at=at, note=who or None)
    return extra


def _checked(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    numbers = {str(line["part"]) for line in given if line.get("part")}
    unknown = numbers - parts_by_number(numbers).keys()
    if unknown:
        raise Invalid({"lines": [_l("This part is not in the catalogue. Search for it by name.")]})
    lines = []
    for line in given:
        quantity, price, words = (
            Decimal(line["quantity"]),
            int(line["price"]),
            forms.plain_text(str(line["words"]), MOST_WORDS, field="lines"),
        )
        if not words or not 0 <= price <= MOST_PRICE:
            raise Invalid({"lines": [_l("Each line needs words, a quantity above zero and a price.")]})
        ledger.check_quantity(quantity)
        text = decimal_text(quantity)
        lines.append({"words": words, "part": line.get("part") or None, "quantity": text, "price": price})
    return lines
