"""Unused parts as a page: what is to be brought back, taken in by one scan or press."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.parts.catalogue import gs1
from fieldservice.stations.models import Station
from fieldservice.store import unused
from fieldservice.store.old_part_views import blueprint, chosen, mine, stations
from fieldservice.store.returning import KEEPERS, READERS
from fieldservice.workorders import unused_parts
from fieldservice.workorders.queries import READERS as ORDER_READERS
from fieldservice.workorders.unused_parts import Unused


@blueprint.get("/parts/returns/unused")
@roles(*READERS)
def unused_page() -> Any:
    """What was handed out for work that is over and not used."""
    return _list(chosen(request.args.get("station", "")))


@blueprint.post("/parts/returns/unused/<code>/scan")
@roles(*KEEPERS)
def scan_unused(code: str) -> Any:
    """A label takes its part in."""
    label = gs1.read(request.form.get("code", "")[:200])
    return _step(mine(code), lambda station: unused.scan(label, station, now()))


@blueprint.post("/parts/returns/unused/<code>")
@roles(*KEEPERS)
def bring_back(code: str) -> Any:
    """A line is taken in."""
    van, part, order = (_id(name) for name in ("van", "part", "order"))
    return _step(mine(code), lambda station: unused.bring_back(van, part, order, station, now()))


def _id(name: str) -> int:
    """0, which no row has, for what is no id."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _step(station: Station, work: Callable[[Station], Unused]) -> Any:
    code = str(station.code)

    def step() -> str:
        part = work(mine(code)).part
        return str(_("%(part)s %(name)s is back in the store.", part=part.number, name=pick(part.names)))

    try:
        said = write(step)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _list(mine(code), error), error.status
    flash(said)
    return redirect(url_for("old_parts.unused_page", station=code), 303)


def _list(station: Station, error: DomainError | None = None) -> str:
    person, at = current(), now()
    return render_template(
        "store/unused.html", station=station, stations=stations(), at=at,
        found=unused_parts.unused(at, station_id=station.id),
        keeps=person.has(*KEEPERS) and person.covers(station.id, *KEEPERS), refused=error,
        errors=getattr(error, "errors", {}), reads_orders=person.has(*ORDER_READERS),
    )  # fmt: skip
