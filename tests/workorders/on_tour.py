"""Lu on tour: a visit sent to his tablet, a van with seals and oil, a gearbox with a history. Committed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fieldservice.accounts.services import create_user
from fieldservice.assets.models import Asset
from fieldservice.customers.models import Site
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import at_local, now
from fieldservice.mechanisms.forms import Field
from fieldservice.parts import services as parts
from fieldservice.parts.models import Part
from fieldservice.parts.queries import stock_of, van_of
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, catalogue, visits
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from tests.workorders.cast import DAY
from tests.workorders.scene import make_customer, make_order, make_request, make_station, make_technician

SEAL, OIL = "OS-TC-180", "GO-320-20"
PATTERN = "gearbox_output_seal_leak"
START = at_local(DAY, 11, 0)


@dataclass(frozen=True)
class Tour:
    """Ids of what was made; rows are read anew by the properties, since each write ends their life."""

    station_id: int
    technician_id: int
    user_id: int
    visit_id: int
    order_id: int
    van_id: int
    warehouse_id: int
    parts: Mapping[str, int]

    @property
    def visit(self) -> Visit:
        return session.get_one(Visit, self.visit_id)

    @property
    def order(self) -> WorkOrder:
        return session.get_one(WorkOrder, self.order_id)

    def part(self, number: str = SEAL) -> Part:
        return session.get_one(Part, self.parts[number])

    def in_van(self, number: str = SEAL) -> Decimal:
        return stock_of([self.parts[number]], [self.van_id]).get((self.parts[number], self.van_id), Decimal(0))

    def do(self, deed: Callable[..., Any], *args: Any, **facts: Any) -> Any:
        """A service of visits, on this visit, now, in a transaction of its own."""
        return write(lambda: deed(self.visit, *args, **{"at": now(), **facts}))

    def go(self, *states: str, **facts: Any) -> None:
        """Make these moves, one after the other."""
        for state in states:
            write(lambda state=state: visits.step(self.visit, state, now(), **facts))  # type: ignore[misc]

    def at_work(self) -> "Tour":
        self.go("accepted", "en_route", "on_site", "in_progress")
        return self

    def record_all(self) -> "Tour":
        """Everything a completed repair needs: checklist, codes and (by the pattern) the summary."""

        def record() -> None:
            for field in catalogue.checklist_of(self.order).fields:
                visits.answer(self.visit, field.code, fitting(field), now())
            visits.choose_pattern(self.visit, PATTERN, now())

        write(record)
        return self


def make_tour(*, password: str | None = None, **order_facts: Any) -> Tour:
    """Wuxi at half past ten; Lu's job begins at eleven and is on his tablet."""

    def build() -> Tour:
        station = make_station()
        lu = make_technician(station, days=5)
        user = create_user(
            email="lu@demo.test",
            name="陆建国",
            password=password,
            grants=[("technician", station.id)],
            technician_id=lu.id,
        )
        van = parts.open_location(
            kind="van", station_id=station.id, technician_id=lu.id, names={"zh": "车", "en": "Van"}
        )
        shelf = parts.open_location(kind="warehouse", station_id=station.id, names={"zh": "库", "en": "Stock"})
        seal = parts.list_part(number=SEAL, names={"zh": "骨架油封", "en": "Oil seal"}, unit="pcs", price=26800)
        oil = parts.list_part(number=OIL, names={"zh": "齿轮油", "en": "Gear oil"}, unit="l", price=68000)
        for part, place, quantity in ((seal, van, 2), (oil, van, 40), (seal, shelf, 3)):
            parts.receive(part, place, Decimal(quantity), at=now())
        order = _order(station, seal, oil, order_facts)
        visit = booking.schedule_visit(order, lu, START)
        visit.confirmed_at = now()  # the customer expects him: nothing keeps him from leaving at once
        booking.send_visit(visit)
        return Tour(
            station.id, lu.id, user.id, visit.id, order.id, van.id, shelf.id, {SEAL: seal.id, OIL: oil.id}
        )  # fmt: skip

    return write(build)


def _order(station: Any, seal: Part, oil: Part, facts: dict[str, Any]) -> WorkOrder:
    customer = make_customer()
    site = Site(
        customer_id=customer.id, names={"zh": "热轧车间", "en": "Hot mill"}, address="无锡市锡山区热轧路 18 号 3 号门",
        division_code="320205", latitude=31.52, longitude=120.40, precision="point", environment={},
        access_rules={"zh": "门卫登记，戴反光背心", "en": "Sign in at gate, hi-vis vest"},
    )  # fmt: skip
    session.add(site)
    session.flush()
    asset = Asset(
        serial="MC3-18-20457", serial_key="MC31820457", names={"zh": "2# 轧机主减速机", "en": "No. 2 mill gearbox"},
        model="MC3RLHF08", brand="SEW", customer_id=customer.id, site_id=site.id, state="in_service",
        warranty_until=DAY + timedelta(days=120), installed_on=DAY - timedelta(days=600),
    )  # fmt: skip
    session.add(asset)
    session.flush()
    request = make_request(station, customer, asset_id=asset.id, site_id=site.id, address=site.address)
    order = make_order(
        station, request=request, customer=customer,
        **{"asset_id": asset.id, "site_id": site.id, "coverage": "warranty", **facts},
    )  # fmt: skip
    for part, quantity in ((seal, 1), (oil, 20)):
        order.items.append(WorkItem(kind="part", part_id=part.id, quantity=Decimal(quantity), opened_at=now()))
    session.flush()
    return order


def fitting(field: Field) -> Any:
    """An answer within tolerance."""
    if field.type == "number":
        return float(next(bound for bound in (field.nominal, field.low, field.high, Decimal(1)) if bound is not None))
    return {"check": True, "photo": ["photo-1"], "choice": field.options[0].code if field.options else ""}.get(
        field.type, "正常"
    )


def another_technician(tour: Tour) -> Technician:
    return write(lambda: make_technician(tour.order.station, "许晓峰", "Xu Xiaofeng"))


def own_van(technician_id: int) -> Any:
    return van_of(technician_id)
