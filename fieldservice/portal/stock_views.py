"""The customer's own stock of ours: how long it lasts, what it released, today's reading, refills under way."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.foundation.web import limiter
from fieldservice.mechanisms import clocks
from fieldservice.parts.consignment import daily, queries, refills
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.consignment.refills import Proof

blueprint = Blueprint("customer_stock", __name__)
DEEDS = "30 per minute"


@blueprint.get("/my-stock")
@roles("customer")
def page() -> Any:
    """What lies at the customer's, and what can be done about it."""
    return _page()


@blueprint.post("/my-stock/readings")
@roles("customer")
@limiter.limit(DEEDS)
def read() -> Any:
    """What the customer read today; what is left empty was not read."""
    failed: list[int] = []

    def work() -> str:
        failed.clear()
        lines = [one.line for one in queries.lines_of_customer(_customer())]
        given = [line for line in lines if request.form.get(f"counted-{line.id}", "").strip()]
        if not given:
            raise Invalid({"counted": [_l("Write what lies there of at least one part.")]})
        for line in sorted(given, key=lambda one: one.id):
            failed.append(line.id)
            sure = request.form.get(f"sure-{line.id}") == "1"
            daily.read(line, _number(request.form[f"counted-{line.id}"]), at=now(), source="customer", sure=sure)
        return str(ngettext("%(num)s reading is kept.", "%(num)s readings are kept.", len(given)))

    return _step(work, failed)


@blueprint.post("/my-stock/refills/<number>/received")
@roles("customer")
@limiter.limit(DEEDS)
def received(number: str) -> Any:
    """The customer's account signs for what arrived."""

    def work() -> str:
        refill = queries.refill_of_customer(_customer(), number)
        proof = Proof(request.form.get("received_by", "")[:200], by_account=True)
        refills.deliver(refill, _number(request.form.get("quantity", "")), proof, at=now())
        return str(_("Thank you. The delivery is signed for."))

    return _step(work, [])


# Inside -------------------------------------------------------------------------------------------


def _customer() -> int:
    """Whose account this is. Raises NotFound for one that belongs to no customer."""
    customer_id = current().customer_id
    if customer_id is None:
        raise NotFound()
    return customer_id


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({"counted": [_l("Write a number such as 12 or 12.5.")]}) from None


def _step(work: Callable[[], str], failed: list[int]) -> Any:
    """Do it and come back with thanks; a refusal shows what was typed, and why."""
    try:
        said = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _page(error, failed[-1] if failed else 0), error.status
    flash(said)
    return redirect(url_for("customer_stock.page"), 303)


def _page(error: DomainError | None = None, failed: int = 0) -> str:
    customer_id = _customer()
    found, sent = queries.lines_of_customer(customer_id), queries.refills_of_customer(customer_id)
    known = clocks.of_many(RefillOrder.subject_type, [refill.id for refill in sent])
    return render_template(
        "portal/stock.html", found=found, refills=sent, today=today(), refused=error,
        errors=getattr(error, "errors", {}), typed=request.form if error else {}, failed=failed,
        asks=getattr(error, "code", "") == "more_than_there", left=queries.quantity_left,
        released=sum(one.line.released for one in found),
        days_now={one.line.id: queries.days_now(one.line) for one in found},
        clocks={number: clocks.view(of[-1], now()) for number, of in known.items()},
    )  # fmt: skip
