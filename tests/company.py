"""The small company of the story: what a fault report needs to become a kept promise."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from fieldservice.accounts.services import create_user
from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.parts import services as parts
from fieldservice.workorders import catalogue
from tests.workorders.cast import DAY
from tests.workorders.scene import make_station, make_technician

SERIAL = "MC3-18-20457"


def make_company(**account: Any) -> dict[str, int]:
    """A station, a technician with a van (and `account`), a customer with a gearbox; flushed."""
    station = make_station()
    technician = make_technician(station, days=5)
    if account:
        create_user(name="陆建国", grants=[("technician", station.id)], technician_id=technician.id, **account)
    van = parts.open_location(
        kind="van", station_id=station.id, technician_id=technician.id, names={"zh": "车", "en": "Van"}
    )
    for number, quantity in catalogue.work_type("gearbox_seal_change").parts:
        part = parts.list_part(number=number, names={"zh": number, "en": number}, unit="pcs", price=1000)
        parts.receive(part, van, max(quantity, Decimal(5)), at=now())
    customer = Customer(names={"zh": "盛源特钢", "en": "Shengyuan Steel"}, tier="vip", state="active")
    session.add(customer)
    session.flush()
    site = Site(
        customer_id=customer.id,
        names={"zh": "热轧", "en": "Mill"},
        address="无锡市新吴区长江路 18 号",
        division_code="320214",
        latitude=31.52,
        longitude=120.39,
        precision="point",
        access_rules={},
        environment={},
    )
    session.add(site)
    session.flush()
    asset = Asset(
        serial=SERIAL,
        serial_key="MC31820457",
        names={"zh": "2# 轧机减速机", "en": "No. 2 mill gearbox"},
        model="MC3",
        customer_id=customer.id,
        site_id=site.id,
        state="in_service",
        warranty_until=DAY + timedelta(days=400),
    )
    session.add(asset)
    session.flush()
    return {"station": station.id, "technician": technician.id, "asset": asset.id, "customer": customer.id}
