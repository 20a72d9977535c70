"""Where a part can come from and when, as a page; reserving it there for an order. On the blueprint of views.py."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.display import datetime_short
from fieldservice.foundation.display import quantity as quantity_text
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import clock, local, now
from fieldservice.parts import queries as stock
from fieldservice.parts.availability.asking import ASKING
from fieldservice.parts.posting import KEEPERS
from fieldservice.parts.services import check_quantity
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code
from fieldservice.store import desk, sourcing, telling
from fieldservice.store.sourcing import Need
from fieldservice.store.views import blueprint
from fieldservice.workorders.models import WorkOrder

Typed = MultiDict[str, str]
MINUTE = timedelta(minutes=1)


@blueprint.get("/parts/<number>/sources")
@roles(*ASKING)
def sources(number: str) -> Any:
    """Four quantities, a dated promise, and the sources in order with their reasons."""
    return _page(number, request.args)


@blueprint.post("/parts/<number>/sources")
@roles(*KEEPERS)
def secure(number: str) -> Any:
    """Reserve from one of the sources: in place, or sent to the station's store."""
    typed = request.form

    def work() -> tuple[str, str]:
        at = now()
        need = _need(number, typed, at, *KEEPERS)
        named = typed.get("source_part", "")[:40]
        if supplier := typed.get("supplier", "")[:40]:
            return need.station.code, _ordered(sourcing.order_from(need, supplier, named, at))
        done = sourcing.secure(need, typed.get("place", "")[:40], named, at, current())
        if done.transfer is None:
            return need.station.code, _("Reserved. It stands on the pick list.")
        if done.transfer.answer_by is not None:
            facts = {"number": done.transfer.number, "time": datetime_short(done.transfer.answer_by)}
            said = _("That station is asked for it with transfer %(number)s and answers by %(time)s.", **facts)
            return need.station.code, said
        arrives = datetime_short(done.transfer.expected_at)
        said = _("Reserved. Transfer %(number)s brings it by %(time)s.", number=done.transfer.number, time=arrives)
        return need.station.code, said

    try:
        station, said = write(work)
    except (Conflict, Invalid) as error:
        session.rollback()
        return _page(number, typed, error), error.status
    flash(said)
    return redirect(url_for("store.page", station=station), 303)


def _ordered(done: sourcing.Secured) -> str:
    assert done.supply is not None
    line = next(one for one in done.supply.lines if one.part_id == done.reservation.part_id)
    facts = {"number": done.supply.number, "quantity": quantity_text(line.quantity)}
    said = _("On supply order %(number)s, now %(quantity)s in all. Approve it and give it to the supplier.", **facts)
    return str(said)


def _need(number: str, typed: Typed, at: datetime, *names: str) -> Need:
    """What is asked for. Raises Invalid, and NotFound for another station or its order."""
    part = stock.part_by_number(number[:40])
    order = _order(typed.get("work_order", "").strip(), *names)
    visit = sourcing.next_visit(order) if order is not None else None
    if order is not None:
        station = session.get_one(Station, order.station_id)
    else:
        station = _station(typed.get("station", "")[:12], *names)
    require_station(station.id, *names)
    needed = _moment(typed.get("needed_at", "")) or (visit.starts_at if visit is not None else at)
    if at - MINUTE < needed < at:  # the form tells minutes: this one is now
        needed = at
    quantity = _quantity(typed.get("quantity", "") or "1")
    check_quantity(quantity, part)
    return Need(part, station, quantity, needed, order, visit)


def _order(number: str, *names: str) -> WorkOrder | None:
    try:
        return sourcing.order_at(number, current(), *names) if number else None
    except NotFound:
        raise Invalid({"work_order": [_l("There is no such order in your stations. Check its number.")]}) from None


def _station(code: str, *names: str) -> Station:
    """The one asked for, else the person's first."""
    if code:
        return station_by_code(code)
    mine = current().stations(*names)
    found = next((one for one in desk.open_stations() if mine is None or one.id in mine), None)
    if found is None:
        raise NotFound()
    return found


def _quantity(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", "")[:20])
    except InvalidOperation:
        raise Invalid({"quantity": [_l("Enter a quantity greater than zero.")]}) from None


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        given = datetime.fromisoformat(text.strip()[:40])
        return (given if given.tzinfo else given.replace(tzinfo=clock.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid({"needed_at": [_l("Enter day and time, for example 25.11.2026 14:30.")]}) from None


def _page(number: str, typed: Typed, error: DomainError | None = None) -> Any:
    """The answer to what was asked; what cannot be understood is shown beside its field, with the answer for now."""
    part, person, at = stock.part_by_number(number[:40]), current(), now()
    try:
        need = _need(number, typed, at, *ASKING)
    except Invalid as wrong:
        error = error or wrong
        kept = ("station",) if "work_order" in wrong.errors else ("station", "work_order")
        need = _need(number, MultiDict({name: typed.get(name, "") for name in kept}), at, *ASKING)
    found = sourcing.answer(need, at)
    own = person.stations(*ASKING)
    page = render_template(
        "store/sources.html", part=part, need=need, answer=found, refused=error, at=at,
        errors=getattr(error, "errors", {}), needed=local(need.needed_at).strftime("%Y-%m-%dT%H:%M"),
        stations=[one for one in desk.open_stations() if own is None or one.id in own],
        told=[telling.told(one, found) for one in found.sources], totals=telling.totals(found),
        may_reserve=person.has(*KEEPERS) and person.covers(need.station.id, *KEEPERS),
        may_send=lambda place: person.covers(place.station_id, *KEEPERS), sent=sourcing.SENT,
        in_place=sourcing.IN_PLACE,
    )  # fmt: skip
    return (page, error.status) if error is not None and request.method == "GET" else page
