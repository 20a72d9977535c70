"""Putting the parts of the day plan together for its templates, and reading its forms."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from fieldservice.dispatch import lanes, queue, scope
from fieldservice.dispatch.areas.showing import PRESETS
from fieldservice.dispatch.board import board
from fieldservice.dispatch.cover import load
from fieldservice.dispatch.drawer import Drawer, drawer_for, drawer_of
from fieldservice.dispatch.filters import RANGES, Filters
from fieldservice.dispatch.offers.services import Offered
from fieldservice.dispatch.plans import urgent
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.time import clock, local, now, today
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.forms import plain_text
from fieldservice.stations.models import Station
from fieldservice.workorders import queries, refusals
from fieldservice.workorders.models import AWAY, Visit
from fieldservice.workorders.placement import Span

Context = dict[str, Any]


def everything(
    somebody: Person,
    filters: Filters,
    at: datetime,
    *,
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Context:
    """All parts, after an optional refusal with what was typed."""
    stations = queries.stations_for(somebody)
    chosen = scope.chosen_stations(filters.station, stations)
    drawer = _drawer(somebody, filters, at)
    return {
        **_frame(filters, stations, at),
        **_counters(chosen, filters),
        **_urgent(somebody, chosen, at),
        **_queue(chosen, filters, at),
        "may_plan": partial(scope.may_plan, somebody),
        "own_stations": [one for one in stations if scope.may_plan(somebody, one.id)],
        "slow_presets": PRESETS,
        "absence_causes": AWAY,
        "drawer": drawer,
        "error": error,
        "typed": typed or {},
    }


def part(name: str, somebody: Person, filters: Filters, at: datetime) -> Context:
    """What one part needs, and no more."""
    stations = queries.stations_for(somebody)
    chosen = scope.chosen_stations(filters.station, stations)
    context: Context = {**_frame(filters, stations, at), "error": None, "typed": {}}
    if name == "counters":
        return context | _counters(chosen, filters)
    if name == "urgent":
        return context | _urgent(somebody, chosen, at)
    if name == "queue":
        return context | _queue(chosen, filters, at) | {"may_plan": partial(scope.may_plan, somebody)}
    return context | {"drawer": _drawer(somebody, filters, at)}


def table(somebody: Person, filters: Filters, at: datetime) -> Context:
    """The lanes to be read as a table."""
    stations = queries.stations_for(somebody)
    plan = board(somebody, scope.chosen_stations(filters.station, stations), filters.day, filters.days, at)
    return {
        **_frame(filters, stations, at), "plan": plan, "groups": lanes.narrowed(plan, filters.shown),
        "load_text": lanes.load_text, "taken_text": lanes.taken_text, "lending_text": lanes.lending_text,
    }  # fmt: skip


def panel(number: str, somebody: Person, at: datetime) -> Context:
    """Who could go, for the page of a work order; booking leads back there."""
    order = queries.order_by_number(number, somebody)
    filters = Filters(today(), order=order.number)
    drawer = drawer_of(order, somebody, today(), somebody.stations(*queries.PLANNERS), at)
    return {**_frame(filters, [], at), "drawer": drawer, "error": None, "typed": {}, "back_to": "order"}


def _frame(filters: Filters, stations: Sequence[Station], at: datetime) -> Context:
    return {
        "filters": filters,
        "stations": stations,
        "ranges": RANGES,
        "at": at,
        "today": today(),
        "zone": str(clock.zone),
        "local_input": local_input,
        "moment_text": clocks.moment_text,
        "offered_text": offered_text,
        "refusals": refusals,
    }


def _counters(chosen: Sequence[Station], filters: Filters) -> Context:
    ids = [station.id for station in chosen]
    return {"counters": queue.counters(ids), "overloaded": load.overloaded(ids, filters.day, filters.days)}


def _urgent(somebody: Person, chosen: Sequence[Station], at: datetime) -> Context:
    mine = [station.id for station in chosen if scope.may_plan(somebody, station.id)]
    return {"urgent": urgent.offers(mine, at) if mine else []}


def _queue(chosen: Sequence[Station], filters: Filters, at: datetime) -> Context:
    waiting, total = queue.waiting([station.id for station in chosen], at, filters.words)
    return {"waiting": waiting, "waiting_total": total}


def _drawer(somebody: Person, filters: Filters, at: datetime) -> Drawer | None:
    return drawer_for(somebody, filters, somebody.stations(*queries.PLANNERS), at)


# Forms --------------------------------------------------------------------------------------------


def moment(form: Mapping[str, str], field: str) -> datetime:
    """A time typed on the local clock (datetime-local), or with an offset. Raises Invalid."""
    try:
        given = datetime.fromisoformat(form.get(field, "").strip()[:40])
        given = given if given.tzinfo else given.replace(tzinfo=clock.zone)
        return given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid({field: [_l("Enter day and time, for example 25.11.2026 14:30.")]}) from None


def optional_int(form: Mapping[str, str], field: str) -> int | None:
    """A whole number, or None where nothing was typed. Raises Invalid."""
    text = form.get(field, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid({field: [_l("Enter a whole number.")]})
    return int(text)


def words(form: Mapping[str, str], field: str, most: int) -> str:
    """Free words of a form, within bounds. Raises Invalid."""
    return plain_text(form.get(field, ""), most, field=field)


def local_input(value: datetime) -> str:
    """A moment as a datetime-local field holds it."""
    return local(value).strftime("%Y-%m-%dT%H:%M")


# What was done -------------------------------------------------------------------------------------


def booked_text(visit: Visit) -> str:
    return str(_("%(order)s assigned to %(name)s", **_facts(visit)))


def moved_text(visit: Visit) -> str:
    return str(_("%(order)s moved to %(name)s, %(time)s", **_facts(visit)))


def sent_text(visit: Visit) -> str:
    return str(_("%(order)s sent to %(name)s", **_facts(visit)))


def agreed_text(visit: Visit) -> str:
    """What was agreed on: the window that the customer knows."""
    told = offered_text(Span(visit.window_starts_at, visit.window_ends_at))
    return str(_("%(order)s agreed on: %(name)s, %(time)s", **{**_facts(visit), "time": told}))


def held_text(held: Sequence[Offered]) -> str:
    """What a search for free times came to."""
    if not held:
        return str(_("Nobody is free in these days. Try a later day, or choose by hand."))
    until = display.clock_time(held[0].expires_at)
    return str(
        ngettext(
            "Held for the customer until %(time)s: one time",
            "Held for the customer until %(time)s: %(num)s times",
            len(held),
            time=until,
        )
    )


def offered_text(told: Span) -> str:
    """'15:00–17:00' today, else with the day."""
    return clocks.window_text(told.starts_at, told.ends_at, now())


def waits_text(visit: Visit) -> str:
    return str(_("%(order)s is to be planned again", **_facts(visit)))


def taken_back_text(visits: Sequence[Visit]) -> str:
    if len(visits) > 1:
        return str(_("%(count)s visits: taken back", count=len(visits)))
    return str(_("%(order)s: taken back", **_facts(visits[0])))


def _facts(visit: Visit) -> dict[str, Any]:
    return {
        "order": visit.work_order.number,
        "name": pick(visit.technician.names),
        "time": display.datetime_short(visit.starts_at),
    }
