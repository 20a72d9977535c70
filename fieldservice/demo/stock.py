"""Parts of the demo: the catalogue, warehouses and vans, and a ledger kept in memory for the fast path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from fieldservice.demo.company import Texts, told
from fieldservice.demo.rows import Row, Rows
from fieldservice.demo.still import Placed
from fieldservice.demo.surroundings import surround
from fieldservice.demo.world import World
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.parts import __file__ as parts_folder
from fieldservice.parts import services as parts
from fieldservice.parts.models import Part, StockBalance, StockLocation, StockMove

SYSTEM = "system"
LOADED, ORDERED = timedelta(minutes=12), timedelta(hours=20)  # before the technician set off


@cache
def catalogue() -> list[dict[str, Any]]:
    """The parts as the data file tells them."""
    file = Path(parts_folder).parent / "data" / "parts.yaml"
    entries: list[dict[str, Any]] = read_yaml(file)
    return entries


@cache
def part_names() -> dict[str, Texts]:
    return {entry["number"]: entry["names"] for entry in catalogue()}


def supply(number: str, quantity: Decimal, in_van: Decimal, in_store: Decimal) -> tuple[Decimal, Decimal]:
    """(to load, to order) so that a job finds its parts and usual stocks are there again afterwards."""
    missing = quantity - in_van
    if missing <= 0:
        return Decimal(0), Decimal(0)
    usual = _usual()[number]
    loaded = missing + int(usual.get("van_quantity", 0))
    short = loaded - in_store
    return loaded, short + int(usual["station_quantity"]) if short > 0 else Decimal(0)


@cache
def _usual() -> dict[str, dict[str, Any]]:
    return {entry["number"]: entry for entry in catalogue()}


@dataclass
class Store:
    """Parts by number, and where they lie: warehouses by station code, vans by technician key."""

    parts: dict[str, Part] = field(default_factory=dict)
    warehouses: dict[str, StockLocation] = field(default_factory=dict)
    vans: dict[str, StockLocation] = field(default_factory=dict)


def open_store(world: World, placed: Placed, rows: Rows) -> Store:
    """List the parts (many: as rows), open warehouses and vans, all empty. Saves `rows`."""
    store = Store()
    began = at_local(world.today - timedelta(days=world.size.days + 28), 9)
    for entry in catalogue():
        row = rows.add(
            Part, number=entry["number"], names=entry["names"], unit=entry["unit"], price=entry["price_minor"],
            criticality=entry["criticality"], industry=entry["industry"], serial_tracked=entry["serial_tracked"],
            batch_tracked=entry.get("batch_tracked", False), wears=entry.get("wears", False),
            gtin=entry.get("gtin", ""), notes={},
        )  # fmt: skip
        rows.move(row, "active", at=began, by=SYSTEM)
    rows.save()
    store.parts = {part.number: part for part in session.scalars(select(Part))}
    surround(store.parts, began)
    for station in world.stations:
        names = {"zh": f"{station.names['zh']}仓库", "en": f"{station.names['en']} warehouse"}
        store.warehouses[station.code] = parts.open_location(
            kind="warehouse", station_id=placed.stations[station.code].id, names=names
        )
        for technician in world.team[station.code]:
            names = {"zh": f"{technician.names['zh']}的车", "en": f"{technician.names['en']}'s van"}
            home = placed.technicians[technician.key]
            store.vans[technician.key] = parts.open_location(
                kind="van", station_id=home.station_id, names=names, technician_id=home.id
            )
    return store


@dataclass
class Ledger:
    """Posts moves as `parts.services.post_move` does, with the balances in memory until `close`."""

    rows: Rows
    held: dict[tuple[int, int], Decimal] = field(default_factory=dict)

    def post(
        self, part: Part, quantity: Decimal, cause: str, *, at: datetime, by: str = SYSTEM,
        source: StockLocation | None = None, target: StockLocation | None = None, visit_id: int | None = None,
    ) -> Row:  # fmt: skip
        """Take from `source`, put to `target`; an empty side is outside. ValueError when less is there."""
        place = source or target
        assert place is not None
        if source is not None:
            left = self.held.get((part.id, source.id), Decimal(0)) - quantity
            if left < 0:
                raise ValueError(f"{part.number} is short in place {source.id}")
            self.held[part.id, source.id] = left
        if target is not None:
            self.held[part.id, target.id] = self.held.get((part.id, target.id), Decimal(0)) + quantity
        posted = self.rows.add(
            StockMove, part_id=part.id, from_id=source.id if source else None, to_id=target.id if target else None,
            quantity=quantity, cause=cause, for_type="visit" if visit_id else None, for_id=visit_id,
            station_id=place.station_id, actor=by, at=at,
        )  # fmt: skip
        facts = {"part": part.number, "quantity": str(quantity), "cause": cause}
        self.rows.record("stock.moved", "stock_move", posted.id, place.station_id, facts, at=at, by=by)
        return posted

    def fill_up(
        self, part: Part, quantity: Decimal, van: StockLocation, warehouse: StockLocation, left_at: datetime, by: str
    ) -> None:  # fmt: skip
        """Load what is not in the van, before setting off; order what the warehouse lacks, before that."""
        in_van, in_store = (self.held.get((part.id, place.id), Decimal(0)) for place in (van, warehouse))
        loaded, ordered = supply(part.number, quantity, in_van, in_store)
        if ordered:
            self.post(part, ordered, "receipt", at=left_at - ORDERED, by=by, target=warehouse)
        if loaded:
            self.post(part, loaded, "transfer", at=left_at - LOADED, by=by, source=warehouse, target=van)

    def close(self) -> None:
        """Store the balances."""
        for (part_id, location_id), on_hand in self.held.items():
            self.rows.add(StockBalance, part_id=part_id, location_id=location_id, on_hand=on_hand)


def fill(world: World, store: Store, ledger: Ledger) -> None:
    """The first delivery to every warehouse, and what each van takes from it."""
    at = at_local(world.today - timedelta(days=world.size.days + 10), 9)
    for station in world.stations:
        warehouse, team = store.warehouses[station.code], world.team[station.code]
        taken: dict[str, int] = {}
        for technician in team:
            for number, quantity in van_content(technician.profile).items():
                taken[number] = taken.get(number, 0) + quantity
        for entry in catalogue():
            quantity = station_quantity(entry) + taken.get(entry["number"], 0)
            if quantity:
                part = store.parts[entry["number"]]
                ledger.post(part, Decimal(quantity), "receipt", at=at, target=warehouse)
        for technician in team:
            for number, quantity in van_content(technician.profile).items():
                ledger.post(
                    store.parts[number], Decimal(quantity), "transfer", at=at + timedelta(hours=3), source=warehouse,
                    target=store.vans[technician.key],
                )  # fmt: skip


def station_quantity(entry: Mapping[str, Any]) -> int:
    return int(entry["station_quantity"])


@cache
def van_content(profile: str) -> dict[str, int]:
    """What a van of this profile carries: parts of its industry and general ones."""
    industry = next(one["industry"] for one in told("profiles") if one["code"] == profile)
    return {
        entry["number"]: int(entry["van_quantity"])
        for entry in catalogue()
        if entry.get("van") and entry["industry"] in (industry, "general")
    }
