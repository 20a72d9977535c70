"""Opportunities as pages: the list, one of them with its moves, and the panel on the page of the order."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid, PreconditionFailed
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.time import now
from fieldservice.foundation.web import navigation
from fieldservice.sales import queries, services
from fieldservice.sales.models import Opportunity
from fieldservice.workorders import triage_form
from fieldservice.workorders.queries import READERS as READ_ORDERS
from fieldservice.workorders.queries import order_by_number
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.rescue.form import money
from fieldservice.workorders.rescue.queries import rescue_of

blueprint = Blueprint("sales", __name__)
navigation("sales.list_opportunities", _l("Opportunities"), *queries.READERS)
REFUSALS = (Conflict, Invalid, PreconditionFailed)


@blueprint.get("/opportunities")
@roles(*queries.READERS)
def list_opportunities() -> Any:
    """Opportunities of the person's stations, newest first."""
    filters = queries.Filters.read(request.args)
    page = "sales/_list.html" if request.headers.get("HX-Request") else "sales/list.html"
    return render_template(
        page, listed=queries.listed(current(), filters), filters=filters, stations=queries.stations_for(current()),
        states=queries.STATES, who=queries.who,
    )  # fmt: skip


@blueprint.get("/opportunities/<number>")
@roles(*queries.READERS)
def opportunity_page(number: str) -> Any:
    """One opportunity: where it came from, what our speed was worth, and its next step."""
    return _page(queries.opportunity_by_number(number, current()))


@blueprint.post("/opportunities/<number>/moves", endpoint="move")
@roles(*queries.FOLLOWERS)
def advance(number: str) -> Any:
    """Qualified, quoted, won, lost."""
    typed = request.form
    to = typed.get("to", "")[:24]

    def work() -> None:
        services.advance(
            _followed(number), to, now(), value=money(typed.get("value", ""), "value"), reason=typed.get("reason", "")
        )

    return _step(number, work, to)


@blueprint.post("/opportunities/<number>/notes", endpoint="note")
@roles(*queries.FOLLOWERS)
def write_note(number: str) -> Any:
    """What it may be worth, the maker's own time, and a word about it."""
    typed = request.form

    def work() -> None:
        errors: dict[str, list[Any]] = {}
        minutes = triage_form.hours(typed.get("their_hours", ""), errors)
        if errors:
            raise Invalid(errors)
        found = _followed(number)
        services.note(found, now(), value=money(typed.get("value", ""), "value"), words=typed.get("words", ""))
        rescue = rescue_of(found.work_order)
        if rescue is not None and "their_hours" in typed:
            rescues.note_their_time(rescue, minutes, now())

    return _step(number, work, "note")


@blueprint.get("/work-orders/<number>/opportunity")
@roles(*READ_ORDERS)
def of_order(number: str) -> Any:
    """The opportunity that an order opened: a panel on the order's page, with a link for those who may follow it."""
    order = order_by_number(number, current())
    opens = current().has(*queries.READERS) and current().covers(order.station_id, *queries.READERS)
    return render_template("sales/_of_order.html", found=queries.opportunity_of(order), opens=opens)


# Inside -------------------------------------------------------------------------------------------


def _followed(number: str) -> Opportunity:
    """Raises NotFound, or Forbidden when the person only reads it."""
    found = queries.opportunity_by_number(number, current())
    if not current().covers(found.station_id, *queries.FOLLOWERS):
        raise Forbidden()
    return found


def _step(number: str, work: Callable[[], Any], form: str) -> Any:
    """Do it and show the page; a refusal shows it as it is now, why, and what was typed."""
    try:
        write(work)
    except REFUSALS as error:
        return _page(queries.opportunity_by_number(number, current()), error, form), error.status
    return redirect(url_for("sales.opportunity_page", number=number), 303)


def _page(found: Opportunity, error: DomainError | None = None, form: str = "") -> str:
    return render_template(
        "sales/opportunity.html", sheet=queries.sheet_of(found, current()), who=queries.who(found), refused=error,
        refused_form=form, errors=getattr(error, "errors", {}), typed=request.form, phone_text=phone_text,
    )  # fmt: skip
