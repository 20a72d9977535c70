"""The page on which a manager says what holds for his station's work in the field: conduct, rates, goodwill."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.admin.views import blueprint
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.stations.models import Station
from fieldservice.workorders import field_rules

SETTERS = ("admin", "station_manager")
LOOKERS = (*SETTERS, "director", "finance")


@blueprint.get("/field-rules")
@roles(*LOOKERS)
def field_rules_page() -> Any:
    """What holds at a station, and who changed it."""
    return _page(_station(request.args.get("station", "")))


@blueprint.post("/field-rules/<code>")
@roles(*SETTERS)
def set_field_rules(code: str) -> Any:
    """Keep what was typed; an empty amount goes back to what holds everywhere."""
    sent = request.form

    def work() -> None:
        station = _station(code)
        if station is None or not current().covers(station.id, *SETTERS):
            raise NotFound()
        field_rules.keep(
            station, {name: sent.get(name, "") for name in field_rules.LABELS}, sent.get("seen", ""), now()
        )

    try:
        write(work)
    except (Invalid, PreconditionFailed) as refused:
        session.rollback()
        return _page(_station(code), refused, typed=sent if isinstance(refused, Invalid) else None), refused.status
    flash(_("Saved. Every job is shown by these rules from now on."))
    return redirect(url_for("admin.field_rules_page", station=code), 303)


def _page(station: Station | None, refused: DomainError | None = None, typed: Any = None) -> str:
    station_id = station.id if station is not None else None
    return render_template(
        "admin/field_rules.html", station=station, stations=_stations(), refused=refused, typed=typed,
        errors=getattr(refused, "errors", None) or {}, amounts=field_rules.AMOUNTS,
        rules=field_rules.rules_of(station_id) if station_id is not None else [],
        seen=field_rules.seen_of(station_id) if station_id is not None else "",
        changes=field_rules.changes_of(station_id) if station_id is not None else [],
        may_set=station_id is not None and current().covers(station_id, *SETTERS),
    )  # fmt: skip


def _stations() -> Any:
    mine = current().stations(*LOOKERS)
    every = select(Station).order_by(Station.code).limit(500)
    return session.scalars(every if mine is None else every.where(Station.id.in_(mine))).all()


def _station(code: str) -> Station | None:
    """The station of that code, the first one unsaid. Raises NotFound for one the person may not see."""
    mine = _stations()
    if not code:
        return mine[0] if mine else None
    found: Station | None = next((one for one in mine if one.code == code), None)
    if found is None:
        raise NotFound()
    return found
