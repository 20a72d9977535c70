"""What maps and pickers ask for: divisions by name, and what lies around a place."""

from typing import Any

from flask import request
from sqlalchemy import select

from fieldservice.admin.views import KEEPERS, blueprint
from fieldservice.foundation.access import roles
from fieldservice.foundation.db import session
from fieldservice.foundation.places import divisions as table
from fieldservice.foundation.words import language, pick
from fieldservice.stations.areas import drawn_territories
from fieldservice.stations.models import Station

MOST_DOTS = 250


@blueprint.get("/divisions")
@roles(*KEEPERS)
def divisions() -> Any:
    """Divisions whose name holds the words, for pickers."""
    words = request.args.get("q", "").strip()[:60]
    found = table.search(words, limit=12) if words else list(table.provinces())[:34]
    return {"items": [{"key": code, "name": table.label(code, language())} for code in found]}


@blueprint.get("/map")
@roles(*KEEPERS)
def map_around() -> Any:
    """Names of divisions, stations and drawn territories inside a frame of the map (south, west, north, east)."""
    try:
        south, west, north, east = (float(request.args.get(name, "")) for name in ("s", "w", "n", "e"))
    except ValueError:
        south, west, north, east = 18.0, 73.0, 54.0, 135.0
    dots: list[dict[str, Any]] = []
    for level in ("province", "prefecture", "county"):
        inside = [
            (code, point)
            for code, point in table.centres(level)
            if south <= point.latitude <= north and west <= point.longitude <= east
        ]
        if len(dots) + len(inside) > MOST_DOTS and dots:
            break
        dots += [
            {
                "code": code,
                "name": table.name(code, language()),
                "at": [point.latitude, point.longitude],
                "level": level,
            }
            for code, point in inside[:MOST_DOTS]
        ]
    stations = session.scalars(
        select(Station)
        .where(Station.latitude.between(south, north), Station.longitude.between(west, east))
        .order_by(Station.id).limit(MOST_DOTS)
    )  # fmt: skip
    return {
        "divisions": dots,
        "stations": [{"name": pick(one.names), "at": [one.latitude, one.longitude]} for one in stations],
        "areas": [{"name": one.code or "", "corners": one.area} for one in drawn_territories()[:MOST_DOTS]],
    }
