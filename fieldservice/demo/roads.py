"""A stretch of road that is dug up today: drawn by the first station's dispatcher, where nobody's way leads by it."""

from datetime import datetime, timedelta

from fieldservice.demo.cast import Cast
from fieldservice.dispatch.areas import services

NAME = "道路施工 · roadworks"
LASTS = timedelta(hours=8)
CORNERS = ((0.08, 0.15), (0.13, 0.17), (0.14, 0.26), (0.09, 0.28))  # degrees north and east of the station


def dig_up(cast: Cast, at: datetime) -> None:
    """Half as long again, until the evening."""
    station = cast.placed.stations[cast.world.stations[0].code]
    dispatcher = cast.people.by_role["dispatcher", station.code].as_person()
    corners = [(station.latitude + north, station.longitude + east) for north, east in CORNERS]
    services.draw(dispatcher, station, NAME, corners, 1.5, at + LASTS, at=at)
