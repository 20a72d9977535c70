"""What can be done with stations and their technicians."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.places import Point, divisions
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import (
    Certificate,
    Shift,
    Station,
    Technician,
    TechnicianSkill,
    Territory,
    TerritoryDivision,
)
from fieldservice.stations.roster import Duty

FUNCTIONS = ("sale", "spare_part", "service", "survey")


def open_station(
    *, code: str, names: Mapping[str, str], division_code: str, point: Point, at: datetime, address: str = "",
    phone: str = "", functions: Sequence[str] = FUNCTIONS,
) -> Station:  # fmt: skip
    """Open a station with some of the four functions. Its code must be new."""
    station = Station(
        code=code, names=dict(names), division_code=division_code, latitude=point.latitude, longitude=point.longitude,
        address=address, phone=phone, functions=list(functions),
    )  # fmt: skip
    session.add(station)
    session.flush()
    move(station, "open", at=at)
    return station


def hold_territory(station: Station, codes: Sequence[str], *, at: datetime) -> Territory:
    """Let a station serve these divisions. Raises Invalid for unknown ones, Conflict where one is held already."""
    known = [divisions.by_code(code) for code in codes]
    codes = sorted({division.code for division in known if division is not None})  # today's codes of former ones
    if None in known or not codes:
        raise Invalid({"divisions": [_l("Choose divisions from the list.")]})
    taken = session.scalar(select(TerritoryDivision.active_code).where(TerritoryDivision.active_code.in_(codes)))
    if taken is not None:
        raise Conflict(_l("Another station serves this division already."), code="territory_taken", division=taken)
    territory = Territory(station_id=station.id)
    territory.divisions = [TerritoryDivision(code=code, active_code=code) for code in codes]
    session.add(territory)
    session.flush()
    territory.code = f"{station.code}-{territory.id}"
    move(territory, "active", at=at)
    return territory


def employ_technician(
    station: Station, *, names: Mapping[str, str], home: Point, skills: Mapping[str, int], at: datetime,
    phone: str = "", certificates: Mapping[str, date] | None = None,
) -> Technician:  # fmt: skip
    """Add a technician to a station's team, with skills (1–3) and the last valid day of each certificate."""
    technician = Technician(
        station_id=station.id, names=dict(names), phone=phone, latitude=home.latitude, longitude=home.longitude
    )
    technician.skills = [TechnicianSkill(skill=skill, level=level) for skill, level in skills.items()]
    technician.certificates = [Certificate(kind=kind, valid_until=day) for kind, day in (certificates or {}).items()]
    session.add(technician)
    session.flush()
    record("technician.employed", technician, {"skills": dict(skills)}, at=at)
    return technician


def publish_roster(technician: Technician, duties: Sequence[Duty], *, at: datetime) -> None:
    """Publish shifts, on-call time included; planning counts on them from now on."""
    if duties:
        shifts = [
            {
                "technician_id": technician.id, "station_id": duty.station_id, "starts_at": duty.starts_at,
                "ends_at": duty.ends_at, "on_call": duty.on_call, "state": "published",
            }
            for duty in duties
        ]  # fmt: skip
        session.execute(insert(Shift), shifts)
        facts = {"shifts": len(duties), "from": duties[0].starts_at.isoformat(), "to": duties[-1].ends_at.isoformat()}
        record("technician.rostered", technician, facts, at=at)
