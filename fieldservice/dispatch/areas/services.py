"""What can be done with slow areas: draw one, end one, ask which hold and whom one makes late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.dispatch import scope
from fieldservice.dispatch.areas import touching
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from fieldservice.foundation.places.points import Point
from fieldservice.foundation.places.slow_areas import SlowArea
from fieldservice.foundation.time import local, now
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.remembered import forget, remembered
from fieldservice.stations.models import Station
from fieldservice.stations.queries import stations_by_id
from fieldservice.workorders.queries import LARGEST_ID, READERS

TOPIC = "slow_areas"
MOST_OPEN = 100  # at once: every booking reads them
MOST_NAME = 60
CORNERS = (3, 60)
MOST_FACTOR = 10.0
LONGEST = timedelta(days=14)
MOST_PLANNED_DAYS = 7  # that a plan is about


@dataclass(frozen=True)
class Drawn:
    """A new area, with the planned visits whose way is too long now, and what a plan would be about that helps them."""

    area: DrawnArea
    touched: Sequence[touching.Touched]
    anew: "Anew | None" = None


@dataclass(frozen=True)
class Anew:
    """Days and stations (codes) to plan anew."""

    first_day: date
    days: int
    stations: Sequence[str]


def current() -> Sequence[SlowArea]:
    """Areas that are not over yet, for travel times; read once in a transaction. Wired in by the app factory."""
    return remembered(TOPIC, None, lambda: tuple(area.ground() for area in session.scalars(_open(now()))))


def in_force(start: datetime, end: datetime) -> Sequence[DrawnArea]:
    """Areas that hold at some time of [start, end), at most MOST_OPEN, those that end first first."""
    rows = select(DrawnArea).where(DrawnArea.ended_at.is_(None), DrawnArea.until > start, DrawnArea.starts_at < end)
    return session.scalars(rows.order_by(DrawnArea.until, DrawnArea.id).limit(MOST_OPEN)).all()


def draw(
    somebody: Person,
    station: Station,
    name: str,
    corners: Sequence[Sequence[float]],
    factor: float,
    until: datetime,
    *,
    starts_at: datetime | None = None,
    at: datetime | None = None,
) -> Drawn:
    """Draw an area for a station whose work the person plans; it slows everybody who drives through it.

    Raises Invalid for what is no area, Forbidden, and Conflict `too_many` while MOST_OPEN are not over.
    """
    at = at or now()
    if not scope.may_plan(somebody, station.id):
        raise Forbidden()
    begins = starts_at or at
    ground = _ground(plain_text(name, MOST_NAME, field="name"), corners, factor, begins, until, at)
    if (session.scalar(select(func.count()).select_from(_open(at).subquery())) or 0) >= MOST_OPEN:
        raise Conflict(_l("Too many slow areas are drawn already. End one first."), code="too_many")
    area = DrawnArea(
        station_id=station.id, name=ground.name, factor=ground.factor, starts_at=begins, until=until,
        corners=[[point.latitude, point.longitude] for point in ground.polygon], user_id=somebody.user_id, drawn_at=at,
    )  # fmt: skip
    session.add(area)
    session.flush()
    forget(TOPIC)
    record("slow_area.drawn", area, {"factor": area.factor, "until": until.isoformat()}, at=at)
    touched = touched_by(area, somebody.stations(*READERS), at)
    return Drawn(area, touched, _anew(touched, somebody))


def end(area: DrawnArea, at: datetime | None = None) -> None:
    """It is over before its time. Raises Conflict when it is over already."""
    at = at or now()
    session.refresh(area, with_for_update=True)
    if area.ended_at is not None or area.until <= at:
        raise Conflict(_l("This slow area is over already."), code="move_forbidden")
    area.ended_at = at
    forget(TOPIC)
    record("slow_area.ended", area, at=at)


def area_by_id(area_id: int, somebody: Person) -> DrawnArea:
    """An area of a station whose work the person plans. Raises NotFound."""
    area = session.get(DrawnArea, area_id) if 0 < area_id < LARGEST_ID else None
    if area is None or not scope.may_plan(somebody, area.station_id):
        raise NotFound()
    return area


def touched_by(
    area: DrawnArea, stations: Collection[int] | None = None, at: datetime | None = None
) -> Sequence[touching.Touched]:
    """Planned visits of these stations (None: of all) whose way is too long because of the area, by start."""
    return touching.touched(area.ground(), [one for one in current() if one != area.ground()], stations, at or now())


# Inside -------------------------------------------------------------------------------------------


def _anew(touched: Sequence[touching.Touched], somebody: Person) -> Anew | None:
    """What a plan would be about, of the stations whose work the person plans."""
    mine = [one.visit for one in touched if scope.may_plan(somebody, one.visit.station_id)]
    if not mine:
        return None
    days = sorted({local(visit.starts_at).date() for visit in mine})
    codes = sorted(one.code for one in stations_by_id({visit.station_id for visit in mine}).values())
    return Anew(days[0], min((days[-1] - days[0]).days + 1, MOST_PLANNED_DAYS), codes)


def _open(at: datetime) -> Any:
    rows = select(DrawnArea).where(DrawnArea.ended_at.is_(None), DrawnArea.until > at)
    return rows.order_by(DrawnArea.until, DrawnArea.id).limit(MOST_OPEN)


def _ground(
    name: str, corners: Sequence[Sequence[float]], factor: float, begins: datetime, until: datetime, at: datetime
) -> SlowArea:
    errors: dict[str, list[Any]] = {}
    if not name:
        errors["name"] = [_l("Give the area a name, such as what is the matter there.")]
    if not (isfinite(factor) and 1 < factor <= MOST_FACTOR):
        errors["factor"] = [_l("Say how many times as long driving takes: more than 1, at most 10.")]
    if until <= max(begins, at):
        errors["until"] = [_l("Choose an end after the start and after now.")]
    elif until - begins > LONGEST or begins - at > LONGEST:
        errors["until"] = [_l("An area holds for 14 days at most, and begins within 14 days.")]
    points = _points(corners)
    if not points:
        errors["corners"] = [_l("Draw 3 to 60 corners, each a latitude and a longitude.")]
    if errors:
        raise Invalid(errors)
    try:
        return SlowArea(points, float(factor), until, begins, name)
    except ValueError:
        text = _l("The outline crosses itself or encloses nothing. Draw the corners one after the other.")
        raise Invalid({"corners": [text]}) from None


def _points(corners: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    """Empty for what are no corners. An outline that comes back to its beginning names that corner once."""
    try:
        points = [Point(float(latitude), float(longitude)) for latitude, longitude in corners]
    except (ValueError, TypeError):
        return ()
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    return tuple(points) if CORNERS[0] <= len(points) <= CORNERS[1] else ()
