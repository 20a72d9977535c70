"""A small service company as rows: stations, technicians, work to place. Flushed, not committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from fieldservice.customers.models import Customer
from fieldservice.foundation.db import session, write
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import at_local, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.limits import Limit
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.stations.models import Certificate, Shift, Station, Technician, TechnicianSkill
from fieldservice.workorders.models import WorkItem, WorkOrder
from tests.workorders.cast import DAY, HOME, NEAR

_numbers = count(1)


def make_station(code: str = "WXXW", point: Point = HOME, zh: str = "无锡新吴站", en: str = "Wuxi Xinwu") -> Station:
    station = Station(
        code=code, names={"zh": zh, "en": en}, division_code="320214", latitude=point.latitude,
        longitude=point.longitude, functions=["service"], state="open",
    )  # fmt: skip
    session.add(station)
    session.flush()
    return station


def make_technician(
    station: Station,
    zh: str = "陆建国",
    en: str = "Lu Jianguo",
    *,
    skills: Mapping[str, int] | None = None,
    certificates: Mapping[str, date] | None = None,
    home: Point = HOME,
    days: int = 3,
    hours: tuple[int, int] = (8, 18),
    on_call: bool = False,
) -> Technician:
    """On duty from DAY for `days` days (0: never)."""
    technician = Technician(
        station_id=station.id, names={"zh": zh, "en": en}, latitude=home.latitude, longitude=home.longitude
    )
    known = {"gearbox": 2} if skills is None else skills
    technician.skills = [TechnicianSkill(skill=skill, level=level) for skill, level in known.items()]
    technician.certificates = [
        Certificate(kind=kind, valid_until=until) for kind, until in (certificates or {}).items()
    ]
    session.add(technician)
    session.flush()
    for number in range(days):
        roster(technician, station, DAY + timedelta(days=number), hours, on_call=on_call)
    return technician


def roster(
    technician: Technician,
    station: Station,
    day: date = DAY,
    hours: tuple[int, int] = (8, 18),
    *,
    on_call: bool = False,
) -> Shift:
    shift = Shift(
        technician_id=technician.id, station_id=station.id, starts_at=at_local(day) + timedelta(hours=hours[0]),
        ends_at=at_local(day) + timedelta(hours=hours[1]), on_call=on_call, state="published",
    )  # fmt: skip
    session.add(shift)
    session.flush()
    return shift


def make_customer(zh: str = "盛源特钢", en: str = "Shengyuan Steel", tier: str = "vip") -> Customer:
    customer = Customer(names={"zh": zh, "en": en}, tier=tier, industry="lubricants", state="active")
    session.add(customer)
    session.flush()
    return customer


def make_request(
    station: Station, customer: Customer | None = None, priority: str = "P1", **facts: Any
) -> ServiceRequest:
    """A converted request with its arrival and restore clocks running since now."""
    number = f"SR-2026-{next(_numbers):06d}"
    given: dict[str, Any] = {
        "number": number, "station_id": station.id, "channel": "portal", "contact_name": "王工",
        "contact_phone": "13912340608", "description": "减速机漏油", "severity": "line_stop", "priority": priority,
        "language": "zh", "received_at": now(), "state": "converted", "customer_id": customer.id if customer else None,
    }  # fmt: skip
    arrival = facts.pop("arrival", "4 h")
    request = ServiceRequest(**{**given, **facts})
    session.add(request)
    session.flush()
    if arrival:
        clocks.start(request, "arrival", Limit.parse(arrival), started_at=now(), priority=priority)
        clocks.start(request, "restore", Limit.parse("24 h"), started_at=now(), priority=priority)
    return request


def make_order(
    station: Station,
    *,
    request: ServiceRequest | None = None,
    customer: Customer | None = None,
    place: Point | None = NEAR,
    precision: str = "point",
    skills: Mapping[str, int] | None = None,
    **facts: Any,
) -> WorkOrder:
    """Work that is ready to be placed: two hours at a gearbox."""
    given: dict[str, Any] = {
        "number": f"WO-2026-{next(_numbers):06d}", "station_id": station.id,
        "request_id": request.id if request else None, "customer_id": customer.id if customer else None,
        "titles": {"zh": "减速机换油封", "en": "Gearbox seal change"},
        "work_type": "gearbox_seal_change", "work_type_version": 1,
        "kind": "corrective_immediate", "priority": request.priority if request else "P3",
        "duration_min": 120, "skills": dict({"gearbox": 2} if skills is None else skills), "certificates": [],
        "latitude": place.latitude if place else None, "longitude": place.longitude if place else None,
        "precision": precision if place else "none", "created_at": now(), "state": "ready",
    }  # fmt: skip
    order = WorkOrder(**{**given, **facts})
    session.add(order)
    session.flush()
    return order


def need_part(order: WorkOrder, quantity: int = 1, number: str = "OS-TC-180") -> Part:
    """The order cannot be done without this part."""
    part = Part(number=number, names={"zh": "油封", "en": "Oil seal"}, unit="pcs", price=26800, state="active")
    session.add(part)
    session.flush()
    order.items.append(
        WorkItem(kind="part", part_id=part.id, quantity=Decimal(quantity), required=True, opened_at=now())
    )
    session.flush()
    return part


def stock(part: Part, station: Station, quantity: int, technician: Technician | None = None) -> StockLocation:
    """So much lies at the station, or in the technician's van."""
    location = StockLocation(
        kind="van" if technician else "warehouse", station_id=station.id,
        technician_id=technician.id if technician else None, names={"zh": "库", "en": "Stock"},
    )  # fmt: skip
    session.add(location)
    session.flush()
    session.add(StockBalance(part_id=part.id, location_id=location.id, on_hand=Decimal(quantity)))
    session.flush()
    return location


@dataclass
class Scene:
    """Wuxi with Lu (gearbox 2) and Xu (gearbox 1), and one urgent order of a VIP, ready to be placed."""

    station: Station
    lu: Technician
    xu: Technician
    order: WorkOrder
    request: ServiceRequest
    customer: Customer
    more: dict[str, Any] = field(default_factory=dict)


def make_scene() -> Scene:
    """Committed."""

    def build() -> Scene:
        station = make_station()
        lu = make_technician(station)
        xu = make_technician(station, "许晓峰", "Xu Xiaofeng", skills={"gearbox": 1})
        customer = make_customer()
        request = make_request(station, customer)
        order = make_order(station, request=request, customer=customer)
        return Scene(station, lu, xu, order, request, customer)

    return write(build)


def team(station: Station, size: int, **facts: Any) -> Sequence[Technician]:
    """Many technicians of a station."""
    return [make_technician(station, f"工程师{n}", f"Technician {n}", **facts) for n in range(size)]


def local_at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return at_local(day, hour, minute)
