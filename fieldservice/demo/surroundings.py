"""What surrounds the parts of the demo: facts of theirs, former numbers, substitutes, kits, suppliers and offers."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from fieldservice.demo.company import DATA
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import session
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.catalogue.models import Kit, KitLine, Substitute, Supplier, SupplierOffer
from fieldservice.parts.models import Part

Told = dict[str, Any]


def surround(store: dict[str, Part], began: datetime) -> None:
    """The catalogue around the parts; `store` is the parts by number, and gets the former ones."""
    told = read_yaml(DATA / "store.yaml")
    for number, facts in told["facts"].items():
        for name, fact in facts.items():
            setattr(store[number], name, fact)
    for family in told["former"]:
        _former(store, family, began)
    for one in told["substitutes"]:
        part, other = store[one["part"]], store[one["other"]]
        session.add(
            Substitute(
                part_id=part.id, other_id=other.id, ratio=Decimal(one["ratio"]), conditions=one["conditions"],
                both_ways=one.get("both_ways", False), models=one["models"],
            )
        )  # fmt: skip
    for one in told["kits"]:
        kit = Kit(code=one["code"], names=one["names"], work_type=one["work_type"], models=one["models"])
        session.add(kit)
        session.flush()
        session.add_all(
            KitLine(kit_id=kit.id, part_id=store[number].id, quantity=Decimal(quantity))
            for number, quantity in one["lines"].items()
        )
    for one in told["suppliers"]:
        _supplier(store, one, began)
    session.flush()


def _former(store: dict[str, Part], family: Told, began: datetime) -> None:
    following = store[family["now"]]
    for one in reversed(family["parts"]):
        part = Part(
            number=one["number"], names=one["names"], unit=family["unit"], price=one["price_minor"], state="active",
            industry=family["industry"], criticality=family["criticality"], superseded_by_id=following.id,
        )  # fmt: skip
        session.add(part)
        session.flush()
        move(part, "superseded", at=began)
        following = store[part.number] = part


def _supplier(store: dict[str, Part], told: Told, began: datetime) -> None:
    supplier = Supplier(code=told["code"], names=told["names"])
    session.add(supplier)
    session.flush()
    session.add_all(
        SupplierOffer(
            supplier_id=supplier.id, part_id=store[one["part"]].id, their_number=one["number"],
            lead_days=one["lead_days"], on_time_percent=one["on_time"], price=one["price_minor"],
            minimum=Decimal(one["minimum"]), pack=Decimal(one["pack"]), valid_from=began.date(),
        )
        for one in told["offers"]
    )  # fmt: skip
