"""A station with a store and a van, a supplier, and parts of each sort; committed."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now
from fieldservice.parts import services
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.models import Part, StockLocation, StockMove
from tests.foundation.test_db import make_station

SORTS: dict[str, dict[str, Any]] = {
    "SEAL": {"unit": "pcs"},
    "OIL": {"unit": "l", "batch_tracked": True, "shelf_life_days": 730},
    "PUMP": {"unit": "pcs", "serial_tracked": True, "criticality": "A", "price": 480_000},
    "BOLT": {"unit": "pcs", "certificate_needed": True, "criticality": "safety"},
    "PAINT": {"unit": "kg", "batch_tracked": True, "certificate_needed": True},
}


@dataclass
class Scene:
    """Ids of what was made; rows are read afresh each time."""

    station: int
    store: int
    van: int

    def part(self, number: str) -> Part:
        return session.query(Part).filter_by(number=number).one()

    def place(self, name: str) -> StockLocation:
        return session.get_one(StockLocation, getattr(self, name))

    def supplier(self) -> Supplier:
        return session.query(Supplier).one()

    def move(self, number: str, quantity: Any, cause: str, **more: Any) -> int:
        """Post a move between named places; `batch` by its number."""

        def post() -> int:
            part = self.part(number)
            sides = {side: self.place(more.pop(side)) for side in ("source", "target") if side in more}
            if isinstance(more.get("batch"), str):
                more["batch"] = services.known_batch(part, more["batch"])
            return services.post_move(
                part=part, quantity=Decimal(quantity), cause=cause, at=now(), **sides, **more
            ).id  # fmt: skip

        return write(post)

    def fill(self, number: str, quantity: Any, *, batch: str = "", expires_on: Any = None, serials: Any = ()) -> None:
        """So much arrives in the store."""

        def arrive() -> StockMove:
            part = self.part(number)
            of = services.batch_of(part, batch, at=now(), expires_on=expires_on) if batch else None
            return services.receive(
                part, self.place("store"), Decimal(quantity), at=now(), batch=of, serials=serials
            )  # fmt: skip

        write(arrive)


def make_scene() -> Scene:
    def make() -> Scene:
        station = make_station()
        for number, more in SORTS.items():
            services.list_part(number=number, names={"zh": number, "en": number}, **{"price": 1_000, **more})
        session.add(Supplier(code="S-1", names={"zh": "供应商", "en": "Supplier"}))
        store, van = (
            services.open_location(kind=kind, station_id=station.id, names={}) for kind in ("warehouse", "van")
        )
        return Scene(station.id, store.id, van.id)

    return write(make)


def refused(work: Callable[[], Any]) -> str:
    """The code of the refusal."""
    try:
        write(work)
    except DomainError as error:
        return error.code
    return "done"
