"""A refill as a page: from where, confirmed, on its way, signed for – always with the next step."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.files import Received
from fieldservice.parts.consignment import queries, refills
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.consignment.queries import KEEPERS, READERS
from fieldservice.parts.consignment.refills import Proof
from fieldservice.parts.models import StockLocation

blueprint = Blueprint("refills", __name__)


@blueprint.get("/parts/refills/<number>")
@roles(*READERS)
def refill_page(number: str) -> Any:
    """One refill and what can be done next."""
    return _page(queries.refill_of(current(), number))


@blueprint.post("/parts/refills/<number>/confirm")
@roles(*KEEPERS)
def confirm(number: str) -> Any:
    """Promise it: from which store, and how much."""

    def work() -> None:
        refill = _mine(number)
        given = request.form.get("quantity", "").strip()
        refills.confirm(refill, at=now(), quantity=_number(given) if given else None, source=_source(refill))

    return _step(number, work)


@blueprint.post("/parts/refills/<number>/ship")
@roles(*KEEPERS)
def ship(number: str) -> Any:
    """It leaves now."""
    return _step(number, lambda: refills.ship(_mine(number), at=now()))


@blueprint.post("/parts/refills/<number>/deliver")
@roles(*KEEPERS)
def deliver(number: str) -> Any:
    """It was signed for: who, how much, and a picture of the note."""
    _mine(number)
    try:
        note = _note()
    except Invalid as error:
        return _page(_mine(number), error), error.status

    def work() -> None:
        given = request.form.get("quantity", "").strip()
        proof = Proof(request.form.get("received_by", "")[:200], note)
        refills.deliver(_mine(number), _number(given) if given else None, proof, at=now())

    return _step(number, work)


@blueprint.post("/parts/refills/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """It is not sent after all."""
    reason = request.form.get("reason", "")[:300]
    return _step(number, lambda: refills.cancel(_mine(number), reason, at=now()))


@blueprint.get("/parts/refills/<number>/files/<int:file_id>")
@roles(*READERS)
def signed_note(number: str, file_id: int) -> Any:
    """The picture of the signed note."""
    found = files.file_of(queries.refill_of(current(), number), file_id)
    return files.send(found, thumbnail="small" in request.args)


# Inside -------------------------------------------------------------------------------------------


def _mine(number: str) -> RefillOrder:
    """Raises NotFound where the person does not keep that station."""
    return queries.refill_of(current(), number, *KEEPERS)


def _source(refill: RefillOrder) -> StockLocation | None:
    """The store that was chosen among those that have some. Raises Invalid for another."""
    code = request.form.get("source", "")[:40]
    if not code or refill.state != "proposed":
        return None
    found = next((way.place for way in refills.ways_of(refill, now()) if way.place.code == code), None)
    if found is None:
        raise Invalid({"source": [_l("This store has none of it free. Choose another.")]})
    return found


def _note() -> Received | None:
    """The uploaded picture; read before the transaction."""
    given = request.files.get("note")
    return files.receive(given.stream, given.filename, field="note") if given and given.filename else None


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({"quantity": [_l("Write a number such as 12 or 12.5.")]}) from None


def _step(number: str, work: Callable[[], Any]) -> Any:
    """Do it and show the page; a refusal shows it as it is now, and why."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _page(_mine(number), error), error.status
    return redirect(url_for("refills.refill_page", number=number), 303)


def _page(found: RefillOrder, error: DomainError | None = None) -> str:
    mine, at = current(), now()
    may_keep = mine.has(*KEEPERS) and mine.covers(found.station_id, *KEEPERS)
    known = clocks.views(clocks.of(found), at)
    return render_template(
        "parts/refill.html", found=found, refused=error, errors=getattr(error, "errors", {}),
        typed=request.form if error else {}, clock=known[-1] if known else None, may_keep=may_keep,
        ways=refills.ways_of(found, at) if found.state == "proposed" and may_keep else [],
        customer=queries.customer_at(found.line.location), left=queries.quantity_left(found),
        notes=files.files_of([found]).get((found.subject_type, found.id), []),
    )  # fmt: skip
