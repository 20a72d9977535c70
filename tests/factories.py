"""Things to test with, built through the services as people would. Flushed, not committed: call inside `write`.

Every function has sensible defaults and takes what a test is about as keywords.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from fieldservice.assets.models import Asset
from fieldservice.assets.services import put_into_service
from fieldservice.customers.models import Customer, Site
from fieldservice.customers.services import add_contact, add_site, win_customer
from fieldservice.foundation.db import session
from fieldservice.foundation.places import Point
from fieldservice.foundation.time import at_local, now, today
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.services import Place, report_fault
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.queries import parts_by_number, van_of
from fieldservice.parts.services import list_part, open_location, receive
from fieldservice.stations.models import Station, Technician
from fieldservice.stations.roster import Duty
from fieldservice.stations.services import employ_technician, hold_territory, open_station, publish_roster
from fieldservice.workorders import booking
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.triage import triage_request

WUXI = Point(31.4906, 120.3667)
AT_THE_CUSTOMER = Point(31.52, 120.40)  # a quarter of an hour from WUXI
_serials = count(20457)


def station(
    code: str = "WXXW", zh: str = "无锡新吴站", en: str = "Wuxi Xinwu", *, point: Point = WUXI,
    territory: Sequence[str] = (), division_code: str = "320214",
) -> Station:  # fmt: skip
    """An open station; `territory` names the divisions it serves."""
    made = open_station(code=code, names={"zh": zh, "en": en}, division_code=division_code, point=point, at=now())
    if territory:
        hold_territory(made, territory, at=now())
    return made


def technician(
    home: Station, zh: str = "陆建国", en: str = "Lu Jianguo", *, skills: Mapping[str, int] | None = None,
    certificates: Mapping[str, date] | None = None, days: int = 3, hours: tuple[int, int] = (8, 18), van: bool = True,
) -> Technician:  # fmt: skip
    """On duty from today for `days` days, living at the station, with a van."""
    made = employ_technician(
        home, names={"zh": zh, "en": en}, home=Point(home.latitude, home.longitude), at=now(),
        skills={"gearbox": 2} if skills is None else skills, certificates=certificates,
    )  # fmt: skip
    first = today()
    publish_roster(
        made,
        [
            Duty(at_local(day, hours[0]), at_local(day, hours[1]), home.id)
            for day in (first + timedelta(days=number) for number in range(days))
        ],
        at=now(),
    )
    if van:
        open_location(
            kind="van", station_id=home.id, technician_id=made.id, names={"zh": f"{zh}的车", "en": f"{en}'s van"}
        )
    return made


def customer(
    zh: str = "盛源特钢", en: str = "Shengyuan Steel", *, tier: str = "vip", phone: str = "13912340608",
    station: Station | None = None,
) -> Customer:  # fmt: skip
    """A customer with one contact, cared for by a station where one is given."""
    made = win_customer(
        names={"zh": zh, "en": en}, tier=tier, industry="lubricants", at=now(),
        station_id=station.id if station is not None else None,
    )  # fmt: skip
    add_contact(made, name="何工", department="设备部", phone=phone, at=now())
    return made


def site(owner: Customer, *, point: Point | None = AT_THE_CUSTOMER, **facts: Any) -> Site:
    """Where the customer's machines stand."""
    given: dict[str, Any] = {
        "names": {"zh": "热轧车间", "en": "Hot mill"}, "address": "江苏省无锡市新吴区长江路 18 号",
        "division_code": "320214", "precision": "point" if point else "county",
        "access_rules": {"zh": "三号门进，戴安全帽", "en": "Gate 3, wear a helmet"},
    }  # fmt: skip
    return add_site(owner, point=point, at=now(), **{**given, **facts})


def asset(where: Site, *, serial: str | None = None, **facts: Any) -> Asset:
    """A gearbox under warranty."""
    given: dict[str, Any] = {
        "serial": serial or f"MC3-18-{next(_serials)}", "names": {"zh": "2# 轧机减速机", "en": "No. 2 mill gearbox"},
        "model": "MC3", "brand": "SEW", "industry": "lubricants", "warranty_until": today() + timedelta(days=400),
        "loss_per_hour": 860_000,
    }  # fmt: skip
    return put_into_service(where, at=now(), **{**given, **facts})


def request(machine: Asset | None = None, **facts: Any) -> ServiceRequest:
    """A report on the web; without a machine it tells an address."""
    place = Place("江苏省无锡市新吴区长江路 18 号", "320214", AT_THE_CUSTOMER, "point") if machine is None else Place()
    given: dict[str, Any] = {
        "channel": "portal", "contact_name": "何工", "contact_phone": "13912340608", "severity": "line_stop",
        "description": "减速机输出轴往下滴油，早班开机后就这样。", "language": "zh", "place": place, "at": now(),
    }  # fmt: skip
    return report_fault(asset=machine, **{**given, **facts})


def order(about: ServiceRequest | None = None, *, machine: Asset | None = None, **facts: Any) -> WorkOrder:
    """The triaged request (a new one by default): work that is ready to be placed."""
    given: dict[str, Any] = {"priority": "P1", "work_type": "gearbox_seal_change", "at": now()}
    return triage_request(about or request(machine), **{**given, **facts})


def visit(for_order: WorkOrder, by: Technician, *, in_minutes: int = 60, sent: bool = True) -> Visit:
    """Booked an hour from now, and sent to the tablet."""
    made = booking.schedule_visit(for_order, by, now() + timedelta(minutes=in_minutes))
    if sent:
        booking.send_visit(made)
    return made


def part(number: str = "OS-TC-180", zh: str = "骨架油封", en: str = "Oil seal", *, price: int = 26800) -> Part:
    """A part of the catalogue; the same one when it is there already."""
    known = parts_by_number([number]).get(number)
    return known or list_part(number=number, names={"zh": zh, "en": en}, unit="pcs", price=price)


def stock(of: Part, place: Station | Technician, quantity: int = 5) -> StockLocation:
    """So much lies at the station, or in the technician's van."""
    if isinstance(place, Technician):
        location = van_of(place.id) or open_location(
            kind="van", station_id=place.station_id, technician_id=place.id, names={"zh": "车", "en": "Van"}
        )
    else:
        location = open_location(kind="warehouse", station_id=place.id, names={"zh": "库", "en": "Store"})
    receive(of, location, Decimal(quantity), at=now())
    session.flush()
    return location
