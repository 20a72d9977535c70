"""Claims against suppliers: put together, sent with the pieces, answered line by line, settled.

A claim's row is held before its old parts', and these, by number, before any balance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.time import local
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts import services as ledger
from fieldservice.parts.catalogue.models import Supplier, SupplierOffer
from fieldservice.parts.returns import services as old_parts
from fieldservice.parts.returns.models import RESULTS, OldPart, SupplierClaim

MOST_LINES, MOST_TEXT = 200, 60
LONGEST = timedelta(days=365)


@dataclass(frozen=True)
class Answer:
    """What the supplier does about one piece; `credited` in minor units."""

    result: str
    credited: int = 0


def open_claim(supplier: Supplier, station_id: int, wanted: Iterable[int], *, at: datetime) -> SupplierClaim:
    """Claim for these old parts. Raises Invalid for none or too many, Conflict `not_claimable`."""
    ids = sorted(set(wanted))
    if not 0 < len(ids) <= MOST_LINES:
        raise Invalid({"lines": [_l("Choose at least one old part, at most %(most)s.", most=MOST_LINES)]})
    lines = _locked(OldPart.id.in_(ids))
    if len(lines) != len(ids) or not all(_claimable(line, supplier, station_id) for line in lines):
        raise Conflict(
            _l(
                "One of these is not to be claimed from this supplier, or is on a claim already."
                " Look at the list again."
            ),
            code="not_claimable",
        )
    claim = SupplierClaim(
        number=next_number("RMA", at), supplier_id=supplier.id, station_id=station_id, opened_by=actor(), opened_at=at
    )
    session.add(claim)
    session.flush()
    for line in lines:
        line.claim_id, line.claimed = claim.id, _worth(line, at)
    session.flush()
    record("supplier_claim.opened", claim, {"lines": len(lines)}, at=at)
    return claim


def _claimable(line: OldPart, supplier: Supplier, station_id: int) -> bool:
    return (line.state, line.finding, line.claim_id, line.supplier_id, line.station_id) == (
        "inspected", "claim", None, supplier.id, station_id,
    )  # fmt: skip


def _worth(line: OldPart, at: datetime) -> int:
    """What we paid for it by the supplier's offer of the day, else its list price."""
    day = local(at).date()
    price = session.scalar(
        select(SupplierOffer.price)
        .where(SupplierOffer.supplier_id == line.supplier_id, SupplierOffer.part_id == line.part_id)
        .where(SupplierOffer.valid_from <= day)
        .order_by(SupplierOffer.valid_from.desc())
        .limit(1)
    )
    worth = line.quantity * (price if price is not None else line.part.price)
    return int(worth.quantize(Decimal(1), ROUND_HALF_UP))


def put_amount(claim: SupplierClaim, line_id: int, amount: int, *, at: datetime) -> None:
    """Claim another amount for a piece. Raises Invalid, Conflict once it was sent."""
    old_parts.check_money(amount, f"claimed-{line_id}")
    _draft(claim)
    line = _line(claim, line_id)
    if line.claimed != amount:
        record("supplier_claim.amount", claim, {"old_part": line.id, "before": line.claimed, "amount": amount}, at=at)
        line.claimed = amount
    session.flush()


def drop_line(claim: SupplierClaim, line_id: int, *, at: datetime) -> None:
    """Take a piece off. Raises Conflict once it was sent."""
    _draft(claim)
    line = _line(claim, line_id)
    record("supplier_claim.dropped", claim, {"old_part": line.id}, at=at)
    _free(line)
    session.flush()


def cancel(claim: SupplierClaim, *, at: datetime) -> None:
    """It is not sent, and its pieces may be claimed otherwise. Raises Conflict `move_forbidden`."""
    move(claim, "cancelled", at=at)
    for line in _lines(claim):
        _free(line)
    session.flush()


def send(
    claim: SupplierClaim, *, at: datetime, answer_due_at: datetime, carrier: str = "", tracking: str = "",
    their_number: str = "",
) -> None:  # fmt: skip
    """The pieces leave with it. Raises Invalid for an empty claim or a senseless day, Conflict."""
    if not at < answer_due_at <= at + LONGEST:
        raise Invalid({"answer_due": [_l("Say by when the supplier should answer: a day from tomorrow on.")]})
    move(claim, "sent", at=at)
    lines = _lines(claim)
    if not lines:
        raise Invalid({"lines": [_l("There is no old part on this claim.")]})
    claim.sent_at, claim.answer_due_at = at, answer_due_at
    claim.carrier, claim.tracking = (
        plain_text(text, MOST_TEXT, field=field) for text, field in ((carrier, "carrier"), (tracking, "tracking"))
    )
    claim.their_number = plain_text(their_number, MOST_TEXT, field="their_number") or claim.their_number
    for line in sorted(lines, key=lambda line: (line.place_id or 0, line.part_id, line.id)):
        old_parts.send_back(line, at=at)


def answer(claim: SupplierClaim, answers: Mapping[int, Answer], *, at: datetime, their_number: str = "") -> None:
    """What the supplier says, line by line; refused ones are settled with it. Raises Invalid, Conflict."""
    lines = _lines(claim)
    errors = {f"result-{line.id}": [_wrong(line, answers.get(line.id))] for line in lines}
    if wrong := {field: said for field, said in errors.items() if said[0] is not None}:
        raise Invalid(wrong)
    refused = sum(answers[line.id].result == "refused" for line in lines)
    state = "accepted" if not refused else "refused" if refused == len(lines) else "partly_accepted"
    move(claim, state, at=at)
    claim.answered_at = at
    claim.their_number = plain_text(their_number, MOST_TEXT, field="their_number") or claim.their_number
    for line in lines:
        line.result, line.credited = answers[line.id].result, answers[line.id].credited
        if line.result == "refused":
            old_parts.settle(line, "refused", at=at)
    session.flush()


def _wrong(line: OldPart, given: Answer | None) -> Any:
    """Why an answer about a piece cannot be meant; None where it can."""
    if given is None or given.result not in RESULTS:
        return _l("Say for each piece what the supplier does.")
    if given.result == "credit" and not 0 < given.credited <= line.claimed:
        return _l("A credit is more than nothing and at most what was claimed.")
    if given.result != "credit" and given.credited:
        return _l("Only a credit has an amount.")
    return None


def replacement_came(claim: SupplierClaim, line_id: int, *, at: datetime, serial: str = "", batch: str = "") -> None:
    """The new piece is here and goes into the station's store. Raises Conflict, and what `receive` raises."""
    line = _line(_held(claim), line_id)
    if line.state != "claimed" or line.result != "replacement":
        raise Conflict(_l("No replacement is awaited for this piece."), code="no_replacement")
    serial, number = (
        plain_text(text, MOST_TEXT, field=field) for text, field in ((serial, "serial"), (batch, "batch"))
    )
    if line.part.batch_tracked and not number:
        raise Invalid({"batch": [_l("Write the batch number on the label.")]}, code="batch_needed")
    of = ledger.batch_of(line.part, number, at=at) if number and line.part.batch_tracked else None
    ledger.receive(
        line.part, old_parts.store_of(line), line.quantity, at=at, batch=of, about=line,
        serials=(serial,) if serial and line.part.serial_tracked else (),
    )  # fmt: skip
    old_parts.settle(line, "replacement", at=at)


def settle(claim: SupplierClaim, *, at: datetime, credit_note: str = "") -> None:
    """Everything he owes is here. Raises Invalid where a credit has no credit note, Conflict `replacement_missing`."""
    note = plain_text(credit_note, MOST_TEXT, field="credit_note")
    move(claim, "settled", at=at)
    lines = _lines(claim)
    waiting = [line for line in lines if line.state == "claimed"]
    if any(line.result == "replacement" for line in waiting):
        raise Conflict(_l("A replacement has not arrived yet. Take it in first."), code="replacement_missing")
    if any(line.result == "credit" for line in lines) and not note:
        raise Invalid({"credit_note": [_l("Write the number of the supplier's credit note.")]})
    claim.credit_note, claim.settled_at = note, at
    for line in waiting:
        old_parts.settle(line, "credit", at=at)
    session.flush()


# Inside -------------------------------------------------------------------------------------------


def _held(claim: SupplierClaim) -> SupplierClaim:
    wanted = select(SupplierClaim).where(SupplierClaim.id == claim.id).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def _draft(claim: SupplierClaim) -> None:
    if _held(claim).state != "draft":
        raise Conflict(
            _l("This step is not possible from the present state."), code="move_forbidden", state=claim.state
        )


def _locked(condition: ColumnElement[bool]) -> list[OldPart]:
    wanted = select(OldPart).where(condition).order_by(OldPart.id).with_for_update()
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def _lines(claim: SupplierClaim) -> list[OldPart]:
    return _locked(OldPart.claim_id == claim.id)


def _line(claim: SupplierClaim, line_id: int) -> OldPart:
    found = next((line for line in _lines(claim) if line.id == line_id), None)
    if found is None:
        raise Invalid({"lines": [_l("This piece is not on the claim. Look at the list again.")]})
    return found


def _free(line: OldPart) -> None:
    line.claim_id, line.claimed = None, 0
