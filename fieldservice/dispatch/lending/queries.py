"""What can be asked about lendings: look-up and lists within a person's stations, sums of a station."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from fieldservice.dispatch import scope
from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.stations.lendings import HOLDS, Lending
from fieldservice.stations.models import Station, Technician
from fieldservice.stations.queries import station_by_code
from fieldservice.workorders.queries import LARGEST_ID, stations_for

READERS = ("dispatcher", "station_manager", "director")
SHOWN = {"open": ("asked",), "running": ("agreed",), "past": ("ended", "refused", "withdrawn", "expired")}
PAGE = 30


@dataclass(frozen=True)
class Listed:
    """A page of the list."""

    rows: Sequence[Lending]
    more: int | None


def lending_by_id(lending_id: int, somebody: Person) -> Lending:
    """A lending of one of the person's stations, lent or borrowed. Raises NotFound."""
    wanted = _whole().where(Lending.id == lending_id)
    found = session.scalar(scoped(wanted, Lending, somebody, *READERS)) if 0 < lending_id < LARGEST_ID else None
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]  # select of one entity, narrowed


def narrowed(somebody: Person, show: str) -> Select[Any]:
    """Lendings the person may see; `show` is open, running or past, '' all."""
    rows = scoped(_whole(), Lending, somebody, *READERS)
    return rows.where(Lending.state.in_(SHOWN[show])) if show in SHOWN else rows


def listed(somebody: Person, show: str, after: int | None = None) -> Listed:
    """Newest first, a page by key."""
    rows = narrowed(somebody, show)
    if after is not None:
        rows = rows.where(Lending.id < after)
    found = session.scalars(rows.order_by(Lending.id.desc()).limit(PAGE + 1)).all()
    return Listed(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def open_asks(somebody: Person) -> int:
    """How many wait for this person's answer."""
    stations = somebody.stations("station_manager") if somebody.has("station_manager") else frozenset()
    rows = select(func.count(Lending.id)).where(Lending.state == "asked")
    if stations is not None:
        rows = rows.where(Lending.station_id.in_(stations)) if stations else rows.where(Lending.id < 0)
    return session.scalar(rows) or 0


@dataclass(frozen=True)
class Balance:
    """Lent out and borrowed by a station: how many times, and what was planned (or, once over, came) of it."""

    lent: int
    earned: int
    borrowed: int
    paid: int


def balance_of(station_id: int, start: datetime, end: datetime) -> Balance:
    """Lendings that touch [start, end), each counted whole; two queries."""
    worth = func.coalesce(func.sum(func.coalesce(Lending.actual_cost, Lending.planned_cost, 0)), 0)
    rows = select(func.count(Lending.id), worth).where(
        Lending.state.in_(HOLDS), Lending.starts_at < end, Lending.ends_at > start
    )
    lent, earned = session.execute(rows.where(Lending.station_id == station_id)).one()
    borrowed, paid = session.execute(rows.where(Lending.to_station_id == station_id)).one()
    return Balance(lent, int(earned), borrowed, int(paid))


def own_station(code: str, somebody: Person) -> Station:
    """A station whose work the person plans, by code. Raises Invalid."""
    for station in stations_for(somebody):
        if station.code == code and scope.may_plan(somebody, station.id):
            return station
    raise Invalid({"to_station": [_l("You plan no station %(codes)s.", codes=code)]})


def other_station(code: str) -> Station:
    """Any station, by code: who borrows may ask all of them. Raises Invalid."""
    try:
        return station_by_code(code)
    except NotFound:
        raise Invalid({"from_station": [_l("Choose another station that is open.")]}) from None


def colleague(technician_id: int | None) -> Technician | None:
    """Somebody to ask for, of whatever station. Raises Invalid for nobody."""
    if technician_id is None:
        return None
    found = session.get(Technician, technician_id) if 0 < technician_id < LARGEST_ID else None
    if found is None:
        raise Invalid({"technician": [_l("This technician is not of that station.")]})
    return found


def _whole() -> Select[Any]:
    return select(Lending).options(
        joinedload(Lending.station), joinedload(Lending.to_station), joinedload(Lending.technician)
    )
