"""Territories on the map: drawn areas, and the rule that active territories never overlap."""

from collections.abc import Iterable, Sequence
from math import cos, radians
from typing import Any

from flask_babel import lazy_gettext as _l
from shapely import Polygon
from sqlalchemy import select
from sqlalchemy.orm import lazyload

from fieldservice.foundation.db import session, take_turns
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.places import Point, divisions
from fieldservice.foundation.words import language
from fieldservice.mechanisms.remembered import remembered
from fieldservice.stations.models import Station, Territory, TerritoryDivision

Corners = Sequence[Sequence[float]]  # (latitude, longitude) in WGS-84
MOST_CORNERS = 500
KM_PER_DEGREE = 111.195
TOUCHING_KM2 = 0.01  # lines drawn along each other cross by a hair; that much is no overlap


def check(corners: Corners) -> None:
    """Raises FormatError for what encloses no area."""
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise FormatError(_l("Draw an area with 3 to %(most)s corners.", most=MOST_CORNERS))
    shape = polygon(corners)
    if not shape.is_valid or not shape.area:
        raise FormatError(_l("The line of the area crosses itself. Draw it again."))


def polygon(corners: Corners) -> Polygon:
    """The area in degrees: x is longitude."""
    return Polygon([(longitude, latitude) for latitude, longitude in corners])


def size_km2(corners: Corners | None) -> float:
    """The size of an area on a plane through its middle; exact to a per cent for a station's reach."""
    if not corners:
        return 0.0
    shape = polygon(corners)
    return float(shape.area * KM_PER_DEGREE**2 * cos(radians(shape.centroid.y)))


def overlap_km2(one: Corners, other: Corners) -> float:
    """How much two areas share."""
    shared = polygon(one).intersection(polygon(other))
    return float(shared.area * KM_PER_DEGREE**2 * cos(radians(shared.centroid.y))) if shared.area else 0.0


def wait_for_turn() -> None:
    """Whoever lets a territory come into force waits here for the one before, then sees it."""
    take_turns("territories")


def check_free(drafts: Sequence[Any]) -> None:
    """Refuse drafts that would share a division or ground with an active territory, or with each other."""
    if not drafts:
        return
    own = {draft.row.id for draft in drafts if draft.row is not None}
    codes = {code for draft in drafts for code in draft.all_values().get("divisions") or ()}
    rows = session.execute(
        select(TerritoryDivision.active_code, Territory.id, Station.code)
        .join(Territory, Territory.id == TerritoryDivision.territory_id)
        .join(Station, Station.id == Territory.station_id)
        .where(TerritoryDivision.active_code.in_(codes))
    ).all()
    held = {code: (territory_id, station) for code, territory_id, station in rows if territory_id not in own}
    drawn: list[tuple[str, Corners]] = [
        (one.code or f"#{one.id}", one.area or ()) for one in drawn_territories() if one.id not in own
    ]
    for draft in drafts:
        values = draft.all_values()
        for code in values.get("divisions") or ():
            if code in held:
                name, station = divisions.name(code, language()), held[code][1]
                said = _l("%(division)s is served by %(station)s already.", division=name, station=station)
                draft.refuse("divisions", said)
            held.setdefault(code, (0, str(values.get("code", ""))))
        if values.get("area"):
            for other, area in drawn:
                if overlap_km2(values["area"], area) > TOUCHING_KM2:
                    draft.refuse("area", _l("This area overlaps the territory %(code)s.", code=other))
            drawn.append((values.get("code", ""), values["area"]))


def drawn_territories() -> list[Territory]:
    """Active territories with a drawn area; read once in a transaction."""

    def read() -> list[Territory]:
        drawn = select(Territory).where(Territory.state == "active", Territory.drawn.is_(True))
        return list(session.scalars(drawn.options(lazyload(Territory.divisions)).order_by(Territory.id)))

    return remembered("territories", "drawn", read)


def territory_at(point: Point | None, territories: Iterable[Territory]) -> Territory | None:
    """The drawn territory a point lies in; its edge counts as inside."""
    if point is None:
        return None
    from shapely import Point as Dot

    dot = Dot(point.longitude, point.latitude)
    return next((one for one in territories if one.area and polygon(one.area).covers(dot)), None)
