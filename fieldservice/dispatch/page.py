"""Putting the parts of the day plan together for its templates, and reading its forms."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import queue, scope
from fieldservice.dispatch.areas import services as areas
from fieldservice.dispatch.board import board
from fieldservice.dispatch.drawer import Drawer, drawer_for, drawer_of
from fieldservice.dispatch.drawing import draw
from fieldservice.dispatch.filters import RANGES, Filters
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.time import clock, local, today
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.forms import plain_text
from fieldservice.stations.models import Station
from fieldservice.workorders import queries, refusals

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
        **_counters(chosen),
        **_queue(chosen, filters, at),
        **_lanes(somebody, chosen, filters, drawer, at),
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
        return context | _counters(chosen)
    if name == "queue":
        return context | _queue(chosen, filters, at)
    drawer = _drawer(somebody, filters, at)
    if name == "lanes":
        context |= _lanes(somebody, chosen, filters, drawer, at)
    return context | {"drawer": drawer}


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
        "local_input": local_input,
        "moment_text": clocks.moment_text,
        "refusals": refusals,
    }


def _counters(chosen: Sequence[Station]) -> Context:
    return {"counters": queue.counters([station.id for station in chosen])}


def _queue(chosen: Sequence[Station], filters: Filters, at: datetime) -> Context:
    waiting, total = queue.waiting([station.id for station in chosen], at, filters.words)
    return {"waiting": waiting, "waiting_total": total}


def _lanes(
    somebody: Person, chosen: Sequence[Station], filters: Filters, drawer: Drawer | None, at: datetime
) -> Context:
    plan = board(somebody, chosen, filters.day, filters.days, at)
    answers = {one.member.id: one for one in drawer.people} if drawer is not None else {}
    slow = areas.in_force(max(at, plan.axis.start), plan.axis.end)
    return {"plan": plan, "groups": draw(plan, answers), "slow_areas": slow}


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


def short_time(value: datetime) -> str:
    return display.datetime_short(value)
