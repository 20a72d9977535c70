"""A customer's place with an agreed part, and a store that refills it; committed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fieldservice.customers.models import Customer, Site
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import clock, now, today
from fieldservice.mechanisms.files import Received
from fieldservice.parts import services as parts
from fieldservice.parts.consignment import daily, lines, refills, watching
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading, RefillOrder
from fieldservice.parts.consignment.refills import Proof
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.queries import stock_of
from tests.foundation.test_db import make_station

TERMS = {"baseline_days": 30, "target_days": 7, "safety_days": 1}
SIGNED = Proof("赵倩", by_account=True)


@dataclass
class Stock:
    """Ids of what was made; rows are read afresh each time."""

    station: int
    customer: int
    store: int
    place: int
    line: int
    part: int

    def row(self) -> ConsignmentLine:
        return session.get_one(ConsignmentLine, self.line)

    def lies(self, place: int | None = None) -> Decimal:
        return stock_of([self.part], [place or self.place]).get((self.part, place or self.place), Decimal(0))

    def bring(self, quantity: Any, place: int | None = None) -> None:
        """So much arrives without a refill."""

        def arrive() -> None:
            where = session.get_one(StockLocation, place or self.place)
            parts.receive(session.get_one(Part, self.part), where, Decimal(quantity), at=now())

        write(arrive)

    def read(self, counted: Any, **more: Any) -> ConsignmentReading:
        reading = write(lambda: daily.read(self.row(), Decimal(counted), at=now(), **more).id)
        return session.get_one(ConsignmentReading, reading)

    def use(self, days: int, quantity: Any) -> None:
        """So much a day for so many days, read each evening; ends now, on the last day."""
        for _day in range(days):
            clock.advance(days=1)
            self.read(self.lies() - Decimal(quantity))

    def night(self) -> int:
        return write(lambda: watching.look_after([self.line], now()))

    def refills(self) -> list[RefillOrder]:
        session.expire_all()
        return session.query(RefillOrder).order_by(RefillOrder.id).all()

    def do(self, work: Callable[..., Any], *args: Any, **more: Any) -> RefillOrder:
        """A step of the last refill."""
        last = self.refills()[-1].id
        write(lambda: work(session.get_one(RefillOrder, last), *args, at=now(), **more))
        session.expire_all()
        return session.get_one(RefillOrder, last)

    def propose(self, quantity: Any) -> RefillOrder:
        return session.get_one(RefillOrder, write(lambda: refills.propose(self.row(), Decimal(quantity), at=now()).id))


def make_stock(*, lies: Any = 100, in_store: Any = 1_000, unit: str = "l", **more: Any) -> Stock:
    """The agreement begins today; so much lies there since yesterday."""

    def make() -> Stock:
        station = make_station()
        customer = Customer(names={"zh": "盛源特钢", "en": "Shengyuan Steel"}, state="active", station_id=station.id)
        session.add(customer)
        session.flush()
        site = Site(
            customer_id=customer.id, names={"zh": "热轧", "en": "Mill"}, address="长江路 18 号", latitude=31.52,
            longitude=120.39, precision="point", access_rules={}, environment={},
        )  # fmt: skip
        session.add(site)
        session.flush()
        part = parts.list_part(number="GREASE", names={"zh": "润滑脂", "en": "Grease"}, unit=unit, price=4_000)
        store = parts.open_location(kind="warehouse", station_id=station.id, names={"zh": "仓库", "en": "Store"})
        place = parts.open_location(
            kind="customer", station_id=station.id, names={"zh": "热轧油库", "en": "Mill oil store"}, site_id=site.id
        )
        for where, quantity in ((store, in_store), (place, lies)):
            if quantity:
                parts.receive(part, where, Decimal(quantity), at=now() - timedelta(days=1))
        terms = Terms(**{**TERMS, "active_from": today(), **more})
        line = lines.agree(place, part, terms, at=now())
        return Stock(station.id, customer.id, store.id, place.id, line.id, part.id)

    return write(make)


def note() -> Received:
    """A picture of a signed note, as it was taken in."""
    return Received("f" * 32, "0" * 64, 10, "image/jpeg", 4, 4, "note.jpg")
