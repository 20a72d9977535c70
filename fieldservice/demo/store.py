"""What the store of the first station has to show: deliveries with batches and numbered pieces, goods in quarantine,
a count and transfers under way, orders to suppliers and levels, told by the services."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import g
from sqlalchemy import select

from fieldservice.demo.cast import Cast
from fieldservice.demo.company import DATA
from fieldservice.demo.stock import LOADED
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.mechanisms import policies
from fieldservice.parts import queries as stock
from fieldservice.parts import services as parts
from fieldservice.parts.availability import services as promises
from fieldservice.parts.availability.bringing import SHARED
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.counts import services as counts
from fieldservice.parts.models import StockLocation
from fieldservice.parts.receipts import services as receipts
from fieldservice.parts.receipts.services import Arrived
from fieldservice.parts.stocking import services as stocking
from fieldservice.parts.supply import services as supply
from fieldservice.parts.transfers import neighbours
from fieldservice.parts.transfers import services as transfers
from fieldservice.parts.transfers.models import Transfer
from fieldservice.workorders.models import Visit

Told = dict[str, Any]
UPCOMING, GONE = ("scheduled", "dispatched", "accepted"), ("cancelled", "declined", "missed")  # states of visits
CENTRAL = 120  # days ago the central store was filled; the first station has been filled from it since


def share(cast: Cast, at: datetime) -> None:
    """Every station but the first lets visits of others send for its free parts."""
    for station in cast.world.stations[1:]:
        number = cast.store.warehouses[station.code].station_id
        policies.set_override(SHARED, "station", number, True, at=at)


def show(cast: Cast) -> None:
    """What the store of the first station has to show. Small companies only: it has no twin in a country."""
    told, world = read_yaml(DATA / "store.yaml"), cast.world
    station = world.stations[0]
    warehouse, keeper = cast.store.warehouses[station.code], cast.people.by_role["storekeeper", station.code]
    before, g.actor = g.get("actor"), f"user:{keeper.id}"
    for one in told["deliveries"]:
        _receive(cast, one, warehouse, at_local(world.today - timedelta(days=one["days"]), 9))
    names = {"zh": f"{station.names['zh']}中心仓", "en": f"{station.names['en']} central store"}
    central = parts.open_location(kind="central", station_id=warehouse.station_id, names=names)
    for number, quantity in told["central"].items():
        part = cast.part(number)
        parts.receive(part, central, Decimal(quantity), at=at_local(world.today - timedelta(days=CENTRAL), 10))
        for days in range(CENTRAL - 5, 5, -CENTRAL // 4):
            parts.post_move(
                part=part, quantity=Decimal(max(1, quantity // 8)), cause="transfer", source=central, target=warehouse,
                at=at_local(world.today - timedelta(days=days), 15),
            )  # fmt: skip
    _count(cast, told["count"], warehouse)
    _bring(cast)
    _hand_out(cast)
    _send(cast, told["transfers"])
    for one in told["orders"]:
        _order(cast, one, warehouse, at_local(world.today - timedelta(days=one["days"]), 10))
    stocking.ask(at=at_local(world.today, 8))  # computed beside, once the server runs
    g.actor = before


def _receive(cast: Cast, told: Told, warehouse: StockLocation, at: datetime) -> None:
    supplier = session.query(Supplier).filter_by(code=told["supplier"]).one()
    receipt = receipts.open_receipt(supplier, told["note"], warehouse, at=at)
    for one in told["lines"]:
        left = one.get("days_left")
        arrived = Arrived(
            cast.part(one["part"]), Decimal(one["quantity"]), one.get("batch", ""),
            cast.world.today + timedelta(days=left) if left else None, one.get("certificate", ""),
            tuple(one.get("serials", ())),
        )  # fmt: skip
        receipts.add_line(receipt, arrived, at=at)
    if not told.get("open"):
        receipts.post_receipt(receipt, at=at)


def _order(cast: Cast, told: Told, warehouse: StockLocation, at: datetime) -> None:
    supplier = session.query(Supplier).filter_by(code=told["supplier"]).one()
    order = supply.open_order(supplier, warehouse, at=at)
    for number, quantity in told["lines"].items():
        supply.put_line(order, cast.part(number), Decimal(quantity), at=at)
    if "due" in told:
        supply.approve(order, at=at, by_manager=True)
        supply.send(order, at=at)
        supply.acknowledge(order, at_local(cast.world.today + timedelta(days=told["due"]), 17), at=at)


def _count(cast: Cast, told: Told, warehouse: StockLocation) -> None:
    at = at_local(cast.world.today, 8)
    count = counts.open_count(warehouse, [cast.part(number) for number in told["parts"]], at=at)
    for line in count.lines[: told["counted"]]:
        lies = counts.by_ledger(warehouse.id, line)
        counts.enter(line, max(Decimal(0), lies - line.id % 2), at=at)


def _hand_out(cast: Cast) -> None:
    """Whoever has left this morning took along what was promised for the whole day by then."""
    midnight = at_local(cast.world.today, 0)
    for station in cast.world.stations:
        warehouse = cast.store.warehouses[station.code]
        today = session.scalars(
            select(Visit)
            .where(Visit.station_id == warehouse.station_id, Visit.starts_at >= midnight)
            .where(Visit.starts_at < midnight + timedelta(days=1), Visit.state.not_in(GONE))
            .order_by(Visit.starts_at, Visit.id)
        ).all()
        left: dict[int, datetime] = {}
        for visit in today:
            if visit.en_route_at is not None:
                left.setdefault(visit.technician_id, visit.en_route_at - LOADED)
        for visit in today:
            van = stock.van_of(visit.technician_id)
            if visit.state not in UPCOMING or van is None or visit.technician_id not in left:
                continue
            for one in promises.open_for(visit.work_order, location_id=warehouse.id):
                if one.state == "reserved" and one.asked_at < left[visit.technician_id]:
                    promises.hand_out(one, van, at=left[visit.technician_id])


def _bring(cast: Cast) -> None:
    """What visits have sent for has arrived when it was expected; the rest is on its way."""
    for sent in session.scalars(select(Transfer).where(Transfer.state == "approved").order_by(Transfer.id)).all():
        here = sent.expected_at <= cast.world.now
        transfers.ship(sent, at=sent.asked_at)
        if here:
            transfers.receive(sent, at=sent.expected_at)


def _send(cast: Cast, told: list[Told]) -> None:
    """Between the stations of the company, where it has so many; hours count from now."""
    stations = cast.world.stations
    for one in told:
        if max(one["from"], one["to"]) >= len(stations):
            continue
        source, target = (cast.store.warehouses[stations[one[end]].code] for end in ("from", "to"))
        at = cast.world.now - timedelta(hours=one["hours_ago"])
        lines = [(cast.part(number), Decimal(quantity)) for number, quantity in one["lines"].items()]
        sent = transfers.open_transfer(
            source, target, lines, expected_at=cast.world.now + timedelta(hours=one["hours"]), at=at,
            carrier=one.get("carrier", ""), tracking=one.get("tracking", ""),
        )  # fmt: skip
        if one.get("asked"):
            neighbours.ask(sent, at=at)
        if one.get("shipped"):
            transfers.approve(sent, at=at)
            transfers.ship(sent, at=at)
