"""Claims against suppliers as pages: put together, send, enter the answer, take replacements in, settle, compare."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import day_span, local, now, today
from fieldservice.foundation.web import limiter
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import files
from fieldservice.mechanisms.records.tables import csv_file, csv_lines
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.returns import claims, settlement
from fieldservice.parts.returns.claims import Answer
from fieldservice.parts.returns.models import RESULTS, SupplierClaim
from fieldservice.store import returning
from fieldservice.store.old_part_views import chosen, mine, money_of, number_of, stations
from fieldservice.store.returning import KEEPERS, READERS

blueprint = Blueprint("claims", __name__)
ANSWERED = ("accepted", "partly_accepted", "refused")
ANSWERS_WITHIN = timedelta(days=14)  # proposed on the form
LONGEST = timedelta(days=1_100)  # a period of figures


@blueprint.get("/parts/claims")
@roles(*READERS)
def page() -> Any:
    """What may be claimed, and the station's claims."""
    return _list(request.args.get("station", ""))


@blueprint.post("/parts/claims/at/<code>/new")
@roles(*KEEPERS)
def begin(code: str) -> Any:
    """One claim of everything that waits for a supplier."""
    station = mine(code)

    def work() -> str:
        supplier = session.scalar(select(Supplier).where(Supplier.code == request.form.get("supplier", "")[:40]))
        if supplier is None:
            raise Invalid({"supplier": [_l("Choose the supplier.")]})
        wanted = {int(text) for text in request.form.getlist("line")[: claims.MOST_LINES + 1] if _is_id(text)}
        return claims.open_claim(supplier, station.id, wanted, at=now()).number

    try:
        number = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _list(code, error), error.status
    return redirect(url_for("claims.one", number=number), 303)


@blueprint.get("/parts/claims/figures")
@roles(*READERS)
def figures() -> Any:
    """What was claimed, credited and refused, by station and supplier."""
    first, last = _period()
    rows = settlement.figures(current(), *_span(first, last), readers=READERS)
    return render_template(
        "store/claim_figures.html", rows=rows, first=first, last=last,
        most=max((row.claimed for row in rows), default=0), total=settlement.total(rows),
    )  # fmt: skip


@blueprint.get("/parts/claims/figures.csv")
@roles(*READERS)
@limiter.limit("10 per minute")
def figures_table() -> Any:
    """The same figures as a table."""
    first, last = _period()
    header = (
        _("Station"), _("Supplier"), _("Pieces"), _("Claimed"), _("Credited"), _("Replaced"),
        _("Refused by the supplier"), _("Open"), _("Days to settle"),
    )  # fmt: skip
    rows = (
        [pick(row.station.names), pick(row.supplier.names), str(row.pieces),
         *(f"{amount / 100:.2f}" for amount in (row.claimed, row.credited, row.replaced, row.refused, row.open)),
         "" if row.days is None else f"{row.days:.1f}"]
        for row in settlement.figures(current(), *_span(first, last), readers=READERS)
    )  # fmt: skip
    answer = Response(csv_file(csv_lines(header, rows)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="claims.csv"'
    return answer


@blueprint.get("/parts/claims/<number>")
@roles(*READERS)
def one(number: str) -> Any:
    """One claim with its pieces and the next step."""
    return _page(number)


@blueprint.post("/parts/claims/<number>/lines")
@roles(*KEEPERS)
def put_amounts(number: str) -> Any:
    """Other amounts, while it is a draft."""

    def work() -> None:
        claim = _mine(number)
        for line in claim.lines:
            field = f"claimed-{line.id}"
            if field in request.form:
                claims.put_amount(claim, line.id, money_of(request.form[field], field), at=now())

    return _step(number, work)


@blueprint.post("/parts/claims/<number>/lines/<int:line_id>/drop")
@roles(*KEEPERS)
def drop_line(number: str, line_id: int) -> Any:
    """Take a piece off."""
    return _step(number, lambda: claims.drop_line(_mine(number), line_id, at=now()))


@blueprint.post("/parts/claims/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """It is not sent."""
    return _step(number, lambda: claims.cancel(_mine(number), at=now()))


@blueprint.post("/parts/claims/<number>/send")
@roles(*KEEPERS)
def send(number: str) -> Any:
    """The pieces leave with it."""
    typed = request.form

    def work() -> None:
        claims.send(
            _mine(number), at=now(), answer_due_at=_evening(typed.get("answer_due", "")),
            carrier=typed.get("carrier", ""), tracking=typed.get("tracking", ""),
            their_number=typed.get("their_number", ""),
        )  # fmt: skip

    return _step(number, work)


@blueprint.post("/parts/claims/<number>/answer")
@roles(*KEEPERS)
def answer(number: str) -> Any:
    """What the supplier says, line by line."""
    typed = request.form

    def work() -> None:
        claim = _mine(number)
        given = {line.id: _answer(line.id, typed) for line in claim.lines}
        claims.answer(claim, given, at=now(), their_number=typed.get("their_number", ""))

    return _step(number, work)


@blueprint.post("/parts/claims/<number>/lines/<int:line_id>/replacement")
@roles(*KEEPERS)
def replacement(number: str, line_id: int) -> Any:
    """The new piece is here."""
    typed = request.form
    label = gs1.read(typed.get("serial", "")[:200])
    return _step(
        number,
        lambda: claims.replacement_came(
            _mine(number), line_id, at=now(), serial=label.serial or label.text, batch=typed.get("batch", "")
        ),
    )


@blueprint.post("/parts/claims/<number>/settle")
@roles(*KEEPERS, "finance")
def settle(number: str) -> Any:
    """Everything the supplier owes is here."""
    note = request.form.get("credit_note", "")
    return _step(number, lambda: claims.settle(_mine(number, *KEEPERS, "finance"), at=now(), credit_note=note))


# Inside -------------------------------------------------------------------------------------------


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _mine(number: str, *wanted: str) -> SupplierClaim:
    """Raises NotFound where the person may not do this at its station."""
    claim = returning.claim_of(current(), number[:20])
    require_station(claim.station_id, *(wanted or KEEPERS))
    return claim


def _answer(line_id: int, typed: Any) -> Answer:
    result, credited = typed.get(f"result-{line_id}", ""), typed.get(f"credited-{line_id}", "").strip()
    field = f"credited-{line_id}"
    return Answer(result, money_of(credited, field) if credited and result == "credit" else 0)


def _evening(text: str) -> datetime:
    """The end of a day as typed."""
    try:
        return day_span(date.fromisoformat(text.strip()[:10]))[1] - timedelta(seconds=1)
    except (ValueError, OverflowError):
        raise Invalid({"answer_due": [_l("Say by when the supplier should answer: a day from tomorrow on.")]}) from None


def _period() -> tuple[date, date]:
    """The days asked for; else the last ninety. Never the wrong way round, nor longer than three years."""

    def day(name: str, otherwise: date) -> date:
        try:
            return date.fromisoformat(request.args.get(name, "")[:10])
        except ValueError:
            return otherwise

    last = min(day("to", today()), today() + timedelta(days=1))
    last = max(last, date(2000, 1, 1))
    first = day("from", last - timedelta(days=89))
    return max(min(first, last), last - LONGEST), last


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return day_span(first)[0], day_span(last)[1]


def _step(number: str, work: Callable[[], None]) -> Any:
    """Do it and show the page; a refusal shows it as it is now, and why."""
    try:
        write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _page(number, error), error.status
    return redirect(url_for("claims.one", number=number), 303)


def _list(code: str, error: DomainError | None = None) -> str:
    station, person = chosen(code), current()
    closed, supplier = request.args.get("closed") == "1", request.args.get("supplier", "")[:40]
    found, more = returning.claims_of(person, station.id, closed=closed, supplier=supplier, before=number_of("before"))
    return render_template(
        "store/claims.html", station=station, stations=stations(), found=found, more=more, closed=closed,
        supplier=supplier, waiting=returning.claimable(person, station.id), refused=error, at=now(),
        errors=getattr(error, "errors", {}), keeps=person.has(*KEEPERS) and person.covers(station.id, *KEEPERS),
    )  # fmt: skip


def _page(number: str, error: DomainError | None = None) -> str:
    person = current()
    claim = returning.claim_of(person, number[:20])
    return render_template(
        "store/claim.html", claim=claim, refused=error, errors=getattr(error, "errors", {}), typed=request.form,
        keeps=person.covers(claim.station_id, *KEEPERS), results=RESULTS, answered=claim.state in ANSWERED,
        settles=person.covers(claim.station_id, *KEEPERS, "finance"), at=now(),
        proposed=local(now() + ANSWERS_WITHIN).date().isoformat(),
        claimed=sum(line.claimed for line in claim.lines), credited=sum(line.credited for line in claim.lines),
        pictures=returning.photos_of(claim.lines), state_text=files.state_text,
    )  # fmt: skip
