"""Stock at customers, told by the services: two months of readings and refills, one late, one in two parts, and some
that are going on now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from flask import g

from fieldservice.demo.cast import Cast
from fieldservice.demo.company import DATA
from fieldservice.demo.dice import Dice
from fieldservice.demo.world import CustomerPlan
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.time import at_local
from fieldservice.parts import services as parts
from fieldservice.parts.consignment import daily, lines, outlook, refills, watching
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentLine, RefillOrder
from fieldservice.parts.consignment.refills import Proof
from fieldservice.parts.models import WHOLE, Part, StockLocation

Told = dict[str, Any]
YOUNG = 60  # days: a company with less history shows only the first places
FEW = 2
UNREAD = 12  # days since the last reading of a line nobody reads
SOON = 0.8  # days of use that are left where a refill is going on


@dataclass
class Shelf:
    """One line of the story, and how it is used."""

    told: Told
    line: ConsignmentLine
    customer: CustomerPlan
    dice: Dice
    pending: Decimal = Decimal(0)  # used since it was last read
    refills: int = 0

    def use(self, day: date) -> Decimal:
        share = self.told["rest"] if day.weekday() >= 5 else 1.0
        amount = self.told["use"] * share * self.dice.uniform(0.7, 1.3)
        return Decimal(round(amount)) if self.line.part.unit in WHOLE else Decimal(f"{amount:.1f}")


def show(cast: Cast) -> None:
    """What customers of the first stations have of ours. Small companies only: it has no twin in a country."""
    told, world = read_yaml(DATA / "consigned.yaml"), cast.world
    before = g.get("actor")
    days = int(told["days"])
    shelves = list(_shelves(cast, told["places"][: None if world.size.days >= YOUNG else FEW], days))
    for ago in range(days, 0, -1):
        day = world.today - timedelta(days=ago)
        for shelf in shelves:
            g.actor = cast.people.of("storekeeper", shelf.customer.station)
            _refill(shelf, day)
            shelf.pending += shelf.use(day)
            if shelf.told.get("ends") != "unread" or ago >= UNREAD:
                _read(shelf, day, ago)
    for shelf in shelves:
        g.actor = cast.people.of("storekeeper", shelf.customer.station)
        _now(shelf, world.now)
    watching.look_after([shelf.line.id for shelf in shelves], world.now)
    g.actor = before


def _shelves(cast: Cast, places: list[Told], days: int) -> Iterator[Shelf]:
    """Places at customers, agreed on and filled; the stations' stores hold what refills will take."""
    taken: set[str] = set()
    for place in places:
        clients = [one for one in cast.world.customers if one.code not in taken and one.industry == place["industry"]]
        if not clients:
            continue
        customer = clients[0]
        taken.add(customer.code)
        station, site = cast.placed.stations[customer.station], cast.placed.sites[customer.sites[0].key]
        g.actor = cast.people.of("storekeeper", customer.station)
        where = parts.open_location(kind="customer", station_id=station.id, names=place["names"], site_id=site.id)
        for told in place["lines"]:
            line = _agree(cast, told, where, cast.store.warehouses[customer.station], days)
            yield Shelf(told, line, customer, cast.world.dice("consigned", customer.code, told["part"]))


def _agree(cast: Cast, told: Told, where: StockLocation, store: StockLocation, days: int) -> ConsignmentLine:
    part, began = cast.part(told["part"]), at_local(cast.world.today - timedelta(days=days + 1), 9)
    first = Decimal(ceil(told["use"] * told["target"]))
    parts.receive(part, store, Decimal(ceil(told["use"] * (days + 3 * told["target"]))) + first, at=began)
    parts.post_move(part=part, quantity=first, cause="transfer", at=began, source=store, target=where)
    first_day = cast.world.today - timedelta(days=days + 1)
    terms = Terms(told["before"], told["target"], price=told.get("price"), active_from=first_day)
    return lines.agree(where, part, terms, at=began)


def _read(shelf: Shelf, day: date, ago: int) -> None:
    """In the evening, on the days on which this place is read."""
    if ago % shelf.told["every"]:
        return
    lies = outlook.on_hand(shelf.line)
    counted = max(Decimal(0), lies - shelf.pending)
    shelf.pending = Decimal(0)
    daily.read(shelf.line, counted, at=at_local(day, 18), source="customer" if ago % 2 else "station")


def _refill(shelf: Shelf, day: date) -> None:
    """What was proposed is confirmed in the morning and there in the afternoon – once a day late, once in two parts."""
    refill = lines.open_refill(shelf.line)
    if refill is None:
        return
    if refill.state == "proposed":
        shelf.refills += 1
        refills.confirm(refill, at=at_local(day, 9))
        refills.ship(refill, at=at_local(day, 10, 30))
        if shelf.refills == shelf.told.get("late"):
            return  # the truck broke down
        part = (refill.quantity * 3 / 5).to_integral_value() if shelf.refills == shelf.told.get("partial") else None
        _deliver(shelf, refill, part, at_local(day, 15, shelf.dice.randrange(0, 60)))
    else:
        _deliver(shelf, refill, None, at_local(day, 16, 20))


def _deliver(shelf: Shelf, refill: RefillOrder, quantity: Decimal | None, at: datetime) -> None:
    refills.deliver(refill, quantity, Proof(shelf.customer.contacts[0].name, by_account=True), at=at)


def _now(shelf: Shelf, now: datetime) -> None:
    """What is going on: nearly out, with a refill proposed, confirmed or on its way."""
    ends, at = shelf.told.get("ends"), now - timedelta(hours=2)
    if ends is None:
        _top_up(shelf, at)
    if ends not in ("proposed", "confirmed", "shipped"):
        return
    refill = lines.open_refill(shelf.line)
    if refill is not None and refill.state != "proposed":
        return
    left = _left(shelf.line.part, SOON * shelf.told["use"])
    daily.read(shelf.line, min(left, outlook.on_hand(shelf.line)), at=at, source="customer")
    refill = lines.open_refill(shelf.line)
    if refill is None or ends == "proposed":
        return
    refills.confirm(refill, at=at + timedelta(minutes=25))
    if ends == "shipped":
        refills.ship(refill, at=at + timedelta(hours=1))


def _top_up(shelf: Shelf, at: datetime) -> None:
    """What would run out in the next days came just now."""
    refill = lines.open_refill(shelf.line)
    if refill is not None and refill.state == "proposed":
        refills.confirm(refill, at=at - timedelta(hours=1))
        refills.ship(refill, at=at - timedelta(minutes=30))
        _deliver(shelf, refill, None, at)


def _left(part: Part, value: float) -> Decimal:
    return Decimal(max(1, round(value))) if part.unit in WHOLE else Decimal(f"{value:.1f}")
