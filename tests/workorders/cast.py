"""Plain values for the rules: a technician with an ordinary Wednesday, and a job that fits into it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fieldservice.foundation.places import Point
from fieldservice.foundation.time import at_local
from fieldservice.stations.roster import Duty, Member
from fieldservice.workorders.placement import Job, Need, Place, Stop, Supply, TechnicianDay

DAY = date(2026, 11, 25)  # a Wednesday
WUXI, SUZHOU = 1, 2
HOME = Point(31.49, 120.37)
NEAR = Point(31.52, 120.40)  # 15 minutes
FAR = Point(31.30, 120.75)  # about an hour


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return at_local(day, hour, minute)


def shift(start: int = 8, end: int = 18, *, day: date = DAY, on_call: bool = False, station: int = WUXI) -> Duty:
    return Duty(at(start, day=day), at(0, day=day) + timedelta(hours=end), station, on_call)


def visit(start: tuple[int, int], end: tuple[int, int], where: Point | None = NEAR, **facts: Any) -> Stop:
    return Stop(at(*start), at(*end), "visit", Place(where), **{"label": "WO-2026-004112", "visit_id": 12, **facts})


def absence(cause: str, start: tuple[int, int], end: tuple[int, int]) -> Stop:
    return Stop(at(*start), at(*end), cause)


def technician(**changes: Any) -> TechnicianDay:
    """Lu: gearbox 2, may work on electrics, on duty 8–18 from home."""
    own = {name: changes.pop(name) for name in ("stops", "van", "lends") if name in changes}
    member = Member(
        id=1,
        station_id=WUXI,
        home=HOME,
        names={"zh": "陆建国", "en": "Lu Jianguo"},
        skills={"gearbox": 2},
        certificates={"lv_electrician": date(2027, 3, 1)},
        duties=(shift(),),
    )
    return TechnicianDay(replace(member, **changes), **own)


def job(**changes: Any) -> Job:
    """A gearbox leaking at a place 15 minutes away, two hours of work."""
    facts: dict[str, Any] = {
        "number": "WO-2026-004127",
        "station_id": WUXI,
        "priority": "P1",
        "duration": timedelta(hours=2),
        "place": Place(NEAR),
        "skills": {"gearbox": 2},
    }
    return Job(**{**facts, **changes})


def seal(quantity: int = 1, at_station: int = 0, **facts: Any) -> Need:
    names: Mapping[str, str] = {"zh": "油封", "en": "Oil seal"}
    return Need(7, "OS-TC-180", names, Decimal(quantity), Decimal(at_station), **facts)


def coming(hour: int, quantity: int = 1, minute: int = 0) -> Supply:
    """From the central store, in the station's store at that hour."""
    return Supply(at(hour, minute), Decimal(quantity), "central", {"zh": "中心库", "en": "Central store"})
