"""What can be asked about stations."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.foundation.places import Point, divisions, travel
from fieldservice.stations.areas import drawn_territories, territory_at
from fieldservice.stations.models import Station, Territory, TerritoryDivision

SERVES = ("open", "limited")
SERVICE = "service"  # the function that takes reports


def find_station(division_code: str | None, point: Point | None) -> Station:
    """The station for a place: a drawn area around it, its division's holder (the narrowest wins), else the shortest
    drive.

    Only open stations with the service function count. Without any place the first of them takes the
    report, so that nothing is lost. Raises Conflict when there is none at all.
    """
    chain = divisions.chain(division_code) if division_code is not None else ()
    return _choose(chain, point, _holders(chain), _ready)


class Coverage:
    """Which station serves where, read once for many places that are asked one after the other."""

    def __init__(self) -> None:
        self._ready = _ready()
        self._held = _holders(None)

    def find(self, division_code: str | None, point: Point | None) -> Station:
        """As `find_station`."""
        chain = divisions.chain(division_code) if division_code is not None else ()
        return _choose(chain, point, self._held, lambda: self._ready)


def _choose(
    chain: Sequence[str], point: Point | None, held: Mapping[str, Station], ready: Callable[[], Sequence[Station]]
) -> Station:
    drawn = _station_around(point)
    if drawn is not None:
        return drawn
    for code in reversed(chain):
        if code in held:
            return held[code]
    stations = ready()
    if not stations:
        raise Conflict(_l("No service station is open at present. Please call our hotline."), code="no_station")
    place = point or (divisions.centre(chain[-1]) if chain else None)
    if place is None:
        return stations[0]
    minutes = travel.DEFAULT.minutes(place, [Point(station.latitude, station.longitude) for station in stations])
    return min(zip(minutes, stations, strict=True), key=lambda pair: (pair[0], pair[1].id))[1]


def _ready() -> list[Station]:
    """Stations that take reports, by id."""
    return [station for station in session.scalars(_serving().order_by(Station.id)) if SERVICE in station.functions]


def _holders(chain: Sequence[str] | None) -> dict[str, Station]:
    """Which station serves each of these divisions (None: of all), where one does."""
    if chain is not None and not chain:
        return {}
    held = (
        _serving()
        .add_columns(TerritoryDivision.active_code)
        .join(Territory, Territory.station_id == Station.id)
        .join(TerritoryDivision, TerritoryDivision.territory_id == Territory.id)
        .where(TerritoryDivision.active_code.is_not(None))
    )
    if chain is not None:
        held = held.where(TerritoryDivision.active_code.in_(chain))
    return {code: station for station, code in session.execute(held) if SERVICE in station.functions}


def _station_around(point: Point | None) -> Station | None:
    """The station whose drawn territory holds the point, where it serves."""
    found = territory_at(point, drawn_territories()) if point is not None else None
    station = session.get(Station, found.station_id) if found is not None else None
    return station if station is not None and station.state in SERVES and SERVICE in station.functions else None


def _serving() -> Select[Station]:
    return select(Station).where(Station.state.in_(SERVES))


def station_by_code(code: str) -> Station:
    """Raises NotFound."""
    known = re.fullmatch(r"[A-Za-z0-9_-]{1,12}", code)
    station = session.scalar(select(Station).where(Station.code == code)) if known else None
    if station is None:
        raise NotFound()
    return station


def stations_by_id(ids: Iterable[int]) -> dict[int, Station]:
    """Many stations in one query."""
    wanted = set(ids)
    rows = session.scalars(select(Station).where(Station.id.in_(wanted))) if wanted else ()
    return {station.id: station for station in rows}
