"""The store's desk as a page: look, scan, tick, hand out, keep for tomorrow."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.foundation.web import navigation
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.metrics import metric, value_text
from fieldservice.mechanisms.records.fields import SEVERAL
from fieldservice.parts import sheet
from fieldservice.parts.catalogue import gs1
from fieldservice.parts.counts.queries import READERS as COUNTERS
from fieldservice.parts.posting import KEEPERS
from fieldservice.parts.receipts.queries import READERS as RECEIVERS
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code
from fieldservice.store import desk, handing, topping
from fieldservice.store.returning import READERS as RETURNERS
from fieldservice.workorders.queries import READERS as ORDER_READERS

blueprint = Blueprint("store", __name__)
navigation("store.page", _l("Parts"), *sheet.READERS)


@blueprint.get("/parts")
@roles(*sheet.READERS)
def page() -> Any:
    """The desk of a station's store; whoever has no store, or looks for a part, is led to the catalogue."""
    stations = desk.stations_of(current()) if current().has(*desk.READERS) else []
    if not stations or "q" in request.args or "after" in request.args:
        words, after = (request.args.get(name, "")[:200] or None for name in ("q", "after"))
        return redirect(url_for("parts.list_parts", q=words, after=after), 302)
    return _desk(_chosen(request.args.get("station", "")))


@blueprint.post("/parts/desk/<code>/scan")
@roles(*KEEPERS)
def scan(code: str) -> Any:
    """A label ticks its line."""
    station = _mine(code)

    def work() -> str:
        held = handing.scan(gs1.read(request.form.get("code", "")[:200]), station, now())
        batches = ", ".join(handing.batches_of(held))
        told = {"part": held.part.number, "name": pick(held.part.names), "batch": batches}
        said = _("%(part)s %(name)s is ticked, batch %(batch)s.", **told)
        return str(said if batches else _("%(part)s %(name)s is ticked.", **told))

    return _step(station, work)


@blueprint.post("/parts/desk/<code>/lines/<int:reservation_id>")
@roles(*KEEPERS)
def line(code: str, reservation_id: int) -> Any:
    """Tick a line, or put what was picked back."""
    station = _mine(code)
    work = handing.untick if request.form.get("to") == "shelf" else handing.tick

    def step() -> None:
        work(_known(reservation_id), station, now())

    return _step(station, step, anchor=f"line-{reservation_id}")


@blueprint.post("/parts/desk/<code>/hand-out")
@roles(*KEEPERS)
def hand_out(code: str) -> Any:
    """Everything picked for a technician's day goes into his van."""
    station = _mine(code)
    serials = {
        int(name[8:]): [one.strip() for one in SEVERAL.split(given[:8_000]) if one.strip()]
        for name, given in request.form.items()
        if name.startswith("serials-") and name[8:].isascii() and name[8:].isdecimal() and len(name) < 27
    }

    def work() -> str:
        technician_id = _known(request.form.get("technician", 0, int))
        tour = handing.hand_out(technician_id, _day(), station, serials, now())
        return str(_("Handed out to %(name)s.", name=pick(tour.technician.names)))

    return _step(station, work)


@blueprint.post("/parts/desk/<code>/top-up")
@roles(*KEEPERS)
def top_up(code: str) -> Any:
    """Keep for a technician's jobs of a day what is free now."""
    station = _mine(code)

    def work() -> str:
        kept = topping.keep(_known(request.form.get("technician", 0, int)), _day(), station, now())
        return str(ngettext("%(num)s line joined the pick list.", "%(num)s lines joined the pick list.", kept))

    return _step(station, work)


# Inside -------------------------------------------------------------------------------------------


def _chosen(code: str) -> Station:
    """The station asked for, else the person's first. Raises NotFound for another's."""
    stations = desk.stations_of(current())
    found = next((one for one in stations if one.code == code), None) if code else stations[0]
    if found is None:
        raise NotFound()
    return found


def _mine(code: str) -> Station:
    """Raises NotFound where the person does not keep that store."""
    station = station_by_code(code)
    require_station(station.id, *KEEPERS)
    return station


def _known(number: int) -> int:
    """An id a row may have. Raises NotFound."""
    if not 0 < number < 2**62:
        raise NotFound()
    return number


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("day", "")[:10])
    except ValueError:
        return today()


def _step(station: Station, work: Callable[[], str | None], anchor: str = "") -> Any:
    """Do it and show the desk; a refusal shows it as it is now, and why."""
    try:
        said = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _desk(_mine(station.code), error), error.status
    if said:
        flash(said)
    return redirect(url_for("store.page", station=station.code) + (f"#{anchor}" if anchor else ""), 303)


def _desk(station: Station, error: DomainError | None = None) -> str:
    at, person = now(), current()
    found = desk.desk_of(station, at)
    kept = metric("promise_kept")
    return render_template(
        "store/desk.html", desk=found, station=station, stations=desk.stations_of(person), at=at, today=today(),
        may_hand=person.has(*KEEPERS) and person.covers(station.id, *KEEPERS), refused=error,
        errors=getattr(error, "errors", {}), typed=request.form, kept_text=value_text(kept, found.kept.value),
        kept_metric=kept, may_count=person.has(*COUNTERS), may_receive=person.has(*RECEIVERS),
        may_return=person.has(*RETURNERS),
        reads_orders=person.has(*ORDER_READERS), reads_figures=person.has("station_manager", "dispatcher", "admin"),
    )  # fmt: skip
