"""What can be asked about stations."""

from collections.abc import Iterable

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.foundation.places import Point, divisions, travel
from fieldservice.stations.models import Station, Territory, TerritoryDivision

SERVES = ("open", "limited")


def find_station(division_code: str | None, point: Point | None) -> Station:
    """The station for a place: its territory (the narrowest division wins), else the shortest drive.

    Without any place the first open station takes the report, so that nothing is lost. Raises Conflict
    when no station is open at all.
    """
    if division_code is not None:
        chain = divisions.chain(division_code)
        rows = session.execute(
            select(TerritoryDivision.active_code, Station)
            .join(Territory, Territory.id == TerritoryDivision.territory_id)
            .join(Station, Station.id == Territory.station_id)
            .where(TerritoryDivision.active_code.in_(chain), Station.state.in_(SERVES))
        )
        held = {code: station for code, station in rows}
        for code in reversed(chain):
            if code in held:
                return held[code]
    stations = session.scalars(select(Station).where(Station.state.in_(SERVES)).order_by(Station.id)).all()
    if not stations:
        raise Conflict(code="no_station")
    place = point or (divisions.centre(division_code) if division_code else None)
    if place is None:
        return stations[0]
    minutes = travel.DEFAULT.minutes(place, [Point(station.latitude, station.longitude) for station in stations])
    return min(zip(minutes, stations, strict=True), key=lambda pair: (pair[0], pair[1].id))[1]


def station_by_code(code: str) -> Station:
    """Raises NotFound."""
    station = session.scalar(select(Station).where(Station.code == code[:12]))
    if station is None:
        raise NotFound()
    return station


def stations_by_id(ids: Iterable[int]) -> dict[int, Station]:
    """Many stations in one query."""
    wanted = set(ids)
    return {station.id: station for station in session.scalars(select(Station).where(Station.id.in_(wanted)))} if wanted else {}
