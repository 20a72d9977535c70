"""A station with a store and a technician, and orders of his that need seals; committed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import event, select

from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import now
from fieldservice.parts import services as ledger
from fieldservice.parts.availability.models import OPEN, Reservation
from fieldservice.parts.models import Part, StockLocation
from fieldservice.parts.queries import van_of
from fieldservice.stations.models import Station, Technician
from fieldservice.store.picking import Tour, pick_list
from fieldservice.workorders import booking
from fieldservice.workorders.models import WorkItem, WorkOrder
from tests import factories as make
from tests.workorders.scene import make_order


@dataclass
class Desk:
    """Ids of what was made; rows are read afresh each time."""

    station: int
    far: int
    technician: int
    store: int
    far_store: int
    van: int

    def station_row(self) -> Station:
        return session.get_one(Station, self.station)

    def tours(self) -> list[Tour]:
        session.rollback()
        return pick_list(self.station_row(), 2, now())

    def how(self) -> list[tuple[str, str, int]]:
        """(part, how, quantity) of every line, by departure."""
        return [(line.part.number, line.how, int(line.quantity)) for tour in self.tours() for line in tour.lines]

    def order(self, number: str) -> WorkOrder:
        return session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()

    def held(self, number: str = "SEAL") -> list[Reservation]:
        session.rollback()
        wanted = select(Reservation).join(Part).where(Part.number == number, Reservation.state.in_(OPEN))
        return list(session.scalars(wanted.order_by(Reservation.id)))

    def fill(self, place: int, quantity: int, part: str = "SEAL", **more: Any) -> None:
        """So much arrives; `batch` and `expires_on` of a new batch."""

        def arrive() -> None:
            row = session.scalars(select(Part).where(Part.number == part)).one()
            batch = None
            if "batch" in more:
                number = more.pop("batch")
                batch = ledger.batch_of(row, number, at=now(), expires_on=more.pop("expires_on", None))
            where = session.get_one(StockLocation, place)
            ledger.receive(row, where, Decimal(quantity), at=now(), batch=batch, **more)

        write(arrive)

    def job(self, quantity: int = 2, *, in_minutes: int = 120, part: str = "SEAL", technician: int = 0) -> str:
        """An order of the station that needs so many, with a visit; its number."""

        def plan() -> str:
            row = session.scalars(select(Part).where(Part.number == part)).one()
            order = make_order(self.station_row(), duration_min=60)
            order.items.append(WorkItem(kind="part", part_id=row.id, quantity=Decimal(quantity), opened_at=now()))
            session.flush()
            make.visit(order, session.get_one(Technician, technician or self.technician), in_minutes=in_minutes)
            return order.number

        return write(plan)

    def colleague(self) -> int:
        """Another technician of the station, with a van."""
        return write(lambda: make.technician(self.station_row(), "陈志远", "Chen Zhiyuan").id)


def make_desk() -> Desk:
    def build() -> Desk:
        here = make.station()
        far = make.station("SZSIP", "苏州园区站", "Suzhou SIP", point=make.Point(31.32, 120.72), division_code="320506")
        for station in (here, far):
            station.functions = ["service", "spare_part"]
        somebody = make.technician(here)
        for number, more in {
            "SEAL": {},
            "OIL": {"batch_tracked": True, "gtin": "06912345000017"},
            "PUMP": {"serial_tracked": True},
        }.items():
            ledger.list_part(number=number, names={"zh": number, "en": number}, unit="pcs", price=1_000, **more)
        stores = [
            ledger.open_location(kind="warehouse", station_id=one.id, names={"zh": "库", "en": "Store"}).id
            for one in (here, far)
        ]
        van = van_of(somebody.id)
        assert van is not None
        return Desk(here.id, far.id, somebody.id, *stores, van.id)

    return write(build)


def cancel(number: str) -> None:
    """The visit of an order is called off."""

    def work() -> None:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
        booking.cancel_visit(order.visits[0], "test")

    write(work)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(*facts: Any) -> None:
        asked.append(facts[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
