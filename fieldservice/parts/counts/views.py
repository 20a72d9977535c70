"""Counts as pages: begin, enter line after line without seeing what should be there, finish; the manager decides."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records.fields import SEVERAL
from fieldservice.parts import services as ledger
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.catalogue import queries as catalogue
from fieldservice.parts.counts import queries, services
from fieldservice.parts.counts.models import StockCount
from fieldservice.parts.queries import parts_by_number, place_by_code, places_of

blueprint = Blueprint("counts", __name__)
READERS = queries.READERS
KEEPERS = ("storekeeper", "station_manager")
MANAGERS = ("station_manager",)
DECISIONS: dict[str, Callable[..., Any]] = {"approve": services.approve, "again": services.send_back}


@blueprint.get("/parts/counts")
@roles(*READERS)
def list_counts() -> Any:
    """The newest counts, and the form to begin one."""
    return _list()


@blueprint.post("/parts/counts")
@roles(*KEEPERS)
def begin() -> Any:
    """Begin to count a place: everything, or the parts named."""
    typed = request.form

    def work() -> str:
        place = place_by_code(typed.get("location", ""), current(), *KEEPERS)
        named = [one.strip() for one in SEVERAL.split(typed.get("parts", "")[:8_000]) if one.strip()]
        known = parts_by_number(named)
        if unknown := [one for one in named if one not in known]:
            raise Invalid({"parts": [_l("“%(text)s” is not in the catalogue.", text=unknown[0][:40])]})
        return services.open_count(place, list(known.values()) if named else None, at=now()).number

    try:
        number = write(work)
    except Conflict as error:
        if error.code != "count_open":
            return _list(error), error.status
        number = str(error.facts["count"])
    except Invalid as error:
        return _list(error), error.status
    return redirect(url_for("counts.count_page", number=number), 303)


@blueprint.get("/parts/counts/<number>")
@roles(*READERS)
def count_page(number: str) -> Any:
    """One sheet; the line to be counted next waits for its entry."""
    return _page(queries.count_of(current(), number[:20]), chosen=request.args.get("line", 0, int))


@blueprint.post("/parts/counts/<number>/scan")
@roles(*KEEPERS)
def scan(number: str) -> Any:
    """A label chooses its line; something nobody expected gets one."""
    label = gs1.read(request.form.get("code", "")[:200])

    def work() -> int:
        part = catalogue.scanned(label)
        if part is None:
            raise Invalid({"code": [_l("This part is not in the catalogue.")]})
        batch = ledger.known_batch(part, label.batch) if label.batch else None
        return services.line_for(_mine(number), part, batch).id

    try:
        line_id = write(work)
    except (Conflict, Invalid) as error:
        return _page(queries.count_of(current(), number[:20]), error), error.status
    return redirect(url_for("counts.count_page", number=number, line=line_id) + "#entry", 303)


@blueprint.post("/parts/counts/<number>/lines/<int:line_id>")
@roles(*KEEPERS)
def enter(number: str, line_id: int) -> Any:
    """What was found on one line."""
    typed = request.form
    serials = [one.strip() for one in SEVERAL.split(typed.get("serials", "")[:64_000]) if one.strip()]

    def work() -> None:
        given = typed.get("counted", "").strip().replace(",", "")[:20] or (str(len(serials)) if serials else "")
        try:
            counted = Decimal(given)
        except InvalidOperation:
            raise Invalid({"counted": [_l("Write what you counted: zero or more.")]}) from None
        services.enter(queries.line_of(_mine(number), line_id), counted, at=now(), serials=serials)

    return _step(number, work, line_id)


@blueprint.post("/parts/counts/<number>/finish")
@roles(*KEEPERS)
def finish(number: str) -> Any:
    """Post what is within tolerance, or put it before the manager."""
    return _step(number, lambda: services.finish(_mine(number), at=now()))


@blueprint.post("/parts/counts/<number>/cancel")
@roles(*KEEPERS)
def cancel(number: str) -> Any:
    """Nothing of it is posted."""
    return _step(number, lambda: services.cancel(_mine(number), at=now()))


@blueprint.post("/parts/counts/<number>/decide")
@roles(*MANAGERS)
def decide(number: str) -> Any:
    """The manager approves the differences, or has them counted again."""
    todo = DECISIONS.get(request.form.get("decision", ""))

    def work() -> None:
        if todo is None:
            raise Invalid({"decision": [_l("Choose one of the options.")]})
        todo(_mine(number, *MANAGERS), at=now())

    return _step(number, work)


# Inside -------------------------------------------------------------------------------------------


def _mine(number: str, *names: str) -> StockCount:
    """Raises NotFound where the person does not keep (or lead) that store."""
    count = queries.count_of(current(), number[:20])
    require_station(count.station_id, *(names or KEEPERS))
    return count


def _step(number: str, work: Callable[[], Any], line_id: int = 0) -> Any:
    try:
        write(work)
    except (Conflict, Invalid) as error:
        return _page(queries.count_of(current(), number[:20]), error, line_id), error.status
    return redirect(url_for("counts.count_page", number=number) + ("#entry" if line_id else ""), 303)


def _page(found: StockCount, error: DomainError | None = None, chosen: int = 0) -> str:
    lines = sorted(found.lines, key=lambda line: (line.part.number, line.batch.number if line.batch else ""))
    following = next((line for line in lines if line.id == chosen), None)
    following = following or next((line for line in lines if line.counted is None), None)
    return render_template(
        "parts/count.html", found=found, lines=lines, following=following, refused=error,
        errors=getattr(error, "errors", {}), typed=request.form, difference=services.difference,
        open=sum(line.counted is None for line in lines),
        may_count=current().has(*KEEPERS) and current().covers(found.station_id, *KEEPERS),
        may_decide=current().has(*MANAGERS) and current().covers(found.station_id, *MANAGERS),
    )  # fmt: skip


def _list(error: DomainError | None = None) -> str:
    return render_template(
        "parts/counts.html", found=queries.counts_of(current()), refused=error, errors=getattr(error, "errors", {}),
        places=places_of(current(), *KEEPERS) if current().has(*KEEPERS) else [], typed=request.form,
    )  # fmt: skip
