"""Customers' stock as pages: what runs out first, one place with its history, reading it, and what is agreed."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import day_span, local, now, today
from fieldservice.foundation.words import all_words, word
from fieldservice.mechanisms import clocks
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.consignment import charts, daily, lines, queries, refills
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentLine, RefillOrder
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import place_by_code, places_of

blueprint = Blueprint("consignment", __name__)
LONGEST_ID = 18  # digits


@blueprint.get("/parts/consignment")
@roles(*queries.READERS)
def list_lines() -> Any:
    """What runs out first, what it released, and which refills are under way."""
    mine, words = current(), request.args.get("q", "")[:60]
    found = queries.lines_of(mine, words=words, after=_after(request.args.get("after", "")))
    shown = found[: queries.PAGE]
    under_way = queries.refills_of(mine)
    since = day_span(today() - timedelta(days=queries.KEPT_DAYS))[0]
    last = shown[-1].line if len(found) > queries.PAGE else None
    return render_template(
        "parts/consignment.html", shown=shown, words=words, refills=under_way, released=queries.released_of(mine),
        kept=queries.kept_of(mine, since), kept_days=queries.KEPT_DAYS, today=today(),
        more=f"{last.runs_out_on.isoformat()}_{last.id}" if last else None, clocks=_clocks(under_way),
        may_keep=mine.has(*queries.KEEPERS), first=not request.args.get("after"),
    )  # fmt: skip


@blueprint.get("/parts/consignment/places/<code>")
@roles(*queries.READERS)
def place_page(code: str) -> Any:
    """One place: its history by day, what is under way, and today's reading."""
    return _place(_place_of(code, *queries.READERS))


@blueprint.post("/parts/consignment/places/<code>/readings")
@roles(*queries.KEEPERS)
def read(code: str) -> Any:
    """What lies there of each part; what is left empty was not read."""
    place = _place_of(code, *queries.KEEPERS)
    failed: list[int] = []

    def work() -> int:
        failed.clear()
        given = [one.line for one in queries.lines_at(place) if request.form.get(f"counted-{one.line.id}", "").strip()]
        if not given:
            raise Invalid({"counted": [_l("Write what lies there of at least one part.")]})
        on = _day(request.form.get("on", ""), "on") or today()
        for line in sorted(given, key=lambda one: one.id):
            failed.append(line.id)
            counted = _number(request.form[f"counted-{line.id}"], "counted")
            daily.read(line, counted, at=now(), on=on, sure=request.form.get(f"sure-{line.id}") == "1")
        return len(given)

    try:
        done = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _place(_place_of(code, *queries.KEEPERS), error, failed[-1] if failed else 0), error.status
    flash(ngettext("%(num)s reading is kept.", "%(num)s readings are kept.", done))
    return redirect(url_for("consignment.place_page", code=code), 303)


@blueprint.post("/parts/consignment/readings/<int:reading_id>/<any(approve, refuse):step>")
@roles(*queries.DECIDERS)
def decide(reading_id: int, step: str) -> Any:
    """A manager decides about more than should lie there."""
    reading = queries.reading_of(current(), _known(reading_id), *queries.DECIDERS)
    code = str(reading.line.location.code)

    def work() -> None:
        found = queries.reading_of(current(), reading_id, *queries.DECIDERS)
        (daily.approve if step == "approve" else daily.refuse)(found, at=now())

    return _step(code, work)


@blueprint.get("/parts/consignment/new")
@roles(*queries.KEEPERS)
def new_line() -> Any:
    """Which part, at which place, on which terms."""
    return _form(None)


@blueprint.post("/parts/consignment/new")
@roles(*queries.KEEPERS)
def begin() -> Any:
    """Agree on it."""

    def work() -> str:
        place = _place_of(request.form.get("place", ""), *queries.KEEPERS)
        part = catalogue.scanned(gs1.read(request.form.get("part", "")[:200]))
        if part is None:
            raise Invalid({"part": [_l("This part is not in the catalogue. Scan its label, or look it up.")]})
        lines.agree(place, part, _terms(), at=now())
        return str(place.code)

    try:
        code = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _form(None, error), error.status
    except NotFound:
        session.rollback()
        missing = Invalid({"place": [_l("Choose a place of consignment stock at a customer's site.")]})
        return _form(None, missing), missing.status
    return redirect(url_for("consignment.place_page", code=code), 303)


@blueprint.get("/parts/consignment/lines/<int:line_id>")
@roles(*queries.KEEPERS)
def line_page(line_id: int) -> Any:
    """What is agreed, to be changed."""
    return _form(_line(line_id))


@blueprint.post("/parts/consignment/lines/<int:line_id>")
@roles(*queries.KEEPERS)
def change(line_id: int) -> Any:
    """Agree on something else."""
    code = str(_line(line_id).location.code)
    try:
        write(lambda: lines.change(_line(line_id), _terms(), at=now()))
    except (Conflict, Invalid) as error:
        session.rollback()
        return _form(_line(line_id), error), error.status
    return redirect(url_for("consignment.place_page", code=code), 303)


@blueprint.post("/parts/consignment/lines/<int:line_id>/<any(end, resume):step>")
@roles(*queries.KEEPERS)
def end(line_id: int, step: str) -> Any:
    """It holds no more, or again."""
    code = str(_line(line_id).location.code)
    return _step(code, lambda: (lines.end if step == "end" else lines.take_up)(_line(line_id), at=now()))


@blueprint.post("/parts/consignment/lines/<int:line_id>/refill")
@roles(*queries.KEEPERS)
def propose(line_id: int) -> Any:
    """A refill by hand."""
    line = _line(line_id)

    def work() -> str:
        quantity = _number(request.form.get("quantity", ""), "quantity")
        return refills.propose(_line(line_id), quantity, at=now()).number

    try:
        number = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _place(_line(line_id).location, error, line.id), error.status
    return redirect(url_for("refills.refill_page", number=number), 303)


# Inside -------------------------------------------------------------------------------------------


def _place_of(code: str, *needed: str) -> StockLocation:
    """A customer's place. Raises NotFound."""
    place = place_by_code(code, current(), *needed)
    if place.kind != "customer":
        raise NotFound()
    return place


def _line(line_id: int) -> ConsignmentLine:
    return queries.line_of(current(), _known(line_id), *queries.KEEPERS)


def _known(number: int) -> int:
    if not 0 < number < 10**LONGEST_ID:
        raise NotFound()
    return number


def _after(text: str) -> tuple[date, int] | None:
    """The last line of the page before. Raises NotFound for what is no place of a list."""
    if not text:
        return None
    day, _under, number = text.partition("_")
    try:
        return date.fromisoformat(day), int(number[:LONGEST_ID])
    except ValueError:
        raise NotFound() from None


def _number(text: str, field: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({field: [_l("Write a number such as 12 or 12.5.")]}) from None


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10]) if text.strip() else None
    except ValueError:
        raise Invalid({field: [_l("Write a day such as 2026-11-25.")]}) from None


def _whole(name: str) -> int:
    text = request.form.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise Invalid({name: [_l("Write whole days.")]})
    return int(text)


def _money(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    amount = _number(text, name)
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
        raise Invalid({name: [_l("Write a price of zero or more.")]})
    return int(amount * 100)


def _terms() -> Terms:
    return Terms(
        _whole("baseline_days"), _whole("target_days"), _whole("safety_days"), _money("price"),
        request.form.get("billing", "")[:12], _day(request.form.get("active_from", ""), "active_from"),
        _day(request.form.get("active_to", ""), "active_to"),
    )  # fmt: skip


def _step(code: str, work: Callable[[], Any]) -> Any:
    """Do it and show the place; a refusal shows it as it is now, and why."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _place(_place_of(code, *queries.READERS), error), error.status
    return redirect(url_for("consignment.place_page", code=code), 303)


def _clocks(found: Any) -> dict[int, Any]:
    """The promise of each refill, ready to be shown; one query."""
    known = clocks.of_many(RefillOrder.subject_type, [refill.id for refill in found])
    return {number: clocks.view(of[-1], now()) for number, of in known.items()}


def _place(place: StockLocation, error: DomainError | None = None, failed: int = 0) -> str:
    mine, at = current(), now()
    found = queries.lines_at(place)
    ids = [one.line.id for one in found]
    read = queries.readings_since(ids, today() - queries.HISTORY)
    brought = queries.refills_at(ids)
    pictures = {
        one.line.id: charts.draw(
            [charts.Seen(each.on_day, float(each.counted), float(each.used)) for each in read.get(one.line.id, ())],
            [
                (local(refill.delivered_at).date(), float(refill.delivered))
                for refill in brought
                if refill.line_id == one.line.id and refill.delivered_at is not None
                and refill.delivered_at >= day_span(today() - queries.HISTORY)[0]
            ],
            float(one.line.reorder_at),
        )
        for one in found
    }  # fmt: skip
    return render_template(
        "parts/consignment_place.html", place=place, customer=queries.customer_at(place), found=found, read=read,
        charts=pictures, refills=brought, clocks=_clocks(brought), today=today(), at=at, refused=error,
        errors=getattr(error, "errors", {}), typed=request.form if error else {}, failed=failed,
        asks=getattr(error, "code", "") == "more_than_there", waiting=queries.waiting_at(ids),
        may_keep=mine.has(*queries.KEEPERS) and mine.covers(place.station_id, *queries.KEEPERS),
        may_decide=mine.has(*queries.DECIDERS) and mine.covers(place.station_id, *queries.DECIDERS),
        size=(charts.WIDTH, charts.HEIGHT, charts.LEFT, charts.BOTTOM),
        released=sum(one.line.released for one in found),
    )  # fmt: skip


def _form(line: ConsignmentLine | None, error: DomainError | None = None) -> str:
    known = {} if line is None else {
        "baseline_days": line.baseline_days, "target_days": line.target_days, "safety_days": line.safety_days,
        "price": f"{line.price / 100:.2f}" if line.price is not None else "", "billing": line.billing,
        "active_from": line.active_from.isoformat(), "active_to": line.active_to.isoformat() if line.active_to else "",
    }  # fmt: skip
    usual = {"safety_days": 1, "billing": "use", "active_from": today().isoformat(), "place": request.args.get("place")}
    typed = {**(known or usual), **(request.form.to_dict() if error else {})}
    places = [] if line is not None else places_of(current(), *queries.KEEPERS, kinds=("customer",))
    return render_template(
        "parts/consignment_line.html", line=line, typed=typed, refused=error, errors=getattr(error, "errors", {}),
        places=places, most_days=lines.MOST_DAYS,
        billings=[(code, word("stock_billing", code)) for code in all_words()["stock_billing"]],
    )  # fmt: skip
