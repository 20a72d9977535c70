"""Puts the demo company into the database, before anything happens: by the services, machines as rows."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select

from fieldservice.assets.models import Asset, Brand
from fieldservice.assets.queries import serial_key
from fieldservice.customers import services as customers
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.demo.company import told
from fieldservice.demo.rows import Rows
from fieldservice.demo.world import CustomerPlan, StationPlan, TechnicianPlan, World
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.stations import services as stations
from fieldservice.stations.models import Station, Technician
from fieldservice.stations.roster import Duty
from fieldservice.workorders import held_time
from fieldservice.workorders.wishes import PREFERRED, TechnicianWish

AHEAD = 21  # days from today for which the roster is published


@dataclass
class Placed:
    """Rows by the codes and keys of the plan."""

    stations: dict[str, Station] = field(default_factory=dict)
    technicians: dict[str, Technician] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    machines: dict[str, Asset] = field(default_factory=dict)


def place(world: World, rows: Rows) -> Placed:
    """Stations with their territories and teams, customers with their machines; as if long before. Saves `rows`."""
    placed = Placed()
    _list_brands()
    began = at_local(world.today - timedelta(days=world.size.days + 30), 9)
    for station in world.stations:
        row = stations.open_station(
            code=station.code, names=station.names, division_code=station.division_code, point=station.point,
            at=began, address=station.address, phone=station.phone,
        )  # fmt: skip
        stations.hold_territory(row, station.territory, at=began)
        placed.stations[station.code] = row
        for technician in world.team[station.code]:
            _employ(technician, station, world, placed)
        for customer in world.clients[station.code]:
            _win(customer, world, placed)
            _put_into_service(customer, world, placed, rows)
    for technician in world.technicians:
        _publish(technician, world, placed)
    _absences(world, placed)
    _wishes(world, placed)
    rows.save()
    keys = {machine.serial: machine.key for customer in world.customers for machine in customer.machines}
    placed.machines = {keys[asset.serial]: asset for asset in session.scalars(select(Asset))}
    return placed


def _employ(technician: TechnicianPlan, station: StationPlan, world: World, placed: Placed) -> None:
    placed.technicians[technician.key] = stations.employ_technician(
        placed.stations[station.code], names=technician.names, home=technician.home, skills=technician.skills,
        at=at_local(world.today - timedelta(days=world.size.days + 29), 9), phone=technician.phone,
        certificates=technician.certificates,
    )  # fmt: skip


def _win(customer: CustomerPlan, world: World, placed: Placed) -> None:
    at = _won_at(world)
    row = customers.win_customer(
        names=customer.names, at=at, tier=customer.tier, industry=customer.industry, language=customer.language,
        station_id=placed.stations[customer.station].id,
    )  # fmt: skip
    placed.customers[customer.code] = row
    for contact in customer.contacts:
        placed.contacts[contact.key] = customers.add_contact(
            row, name=contact.name, at=at, role=contact.role, department=contact.department, phone=contact.phone,
            email=contact.email, language=customer.language,
        )  # fmt: skip
    for site in customer.sites:
        placed.sites[site.key] = customers.add_site(
            row, names=site.names, address=site.address, at=at, division_code=site.division_code, point=site.point,
            precision="point", access_rules=site.access_rules,
        )  # fmt: skip


def _list_brands() -> None:
    """Ours and the other makers', each in both spellings."""
    seen: dict[str, Brand] = {}
    for machine in told("machines"):
        name = machine["brand"]["zh"]
        seen.setdefault(name, Brand(name=name, also=machine["brand"]["en"], own=machine["ours"]))
    session.add_all(seen.values())
    session.flush()


def _put_into_service(customer: CustomerPlan, world: World, placed: Placed, rows: Rows) -> None:
    """Machines are many: by rows, as `assets.services.put_into_service` leaves them."""
    at = _won_at(world)
    for machine in customer.machines:
        site = placed.sites[machine.site.key]
        row = rows.add(
            Asset, serial=machine.serial, serial_key=serial_key(machine.serial), names=machine.names,
            model=machine.model, brand=machine.brand["zh"], industry=machine.industry, customer_id=site.customer_id,
            site_id=site.id, installed_on=machine.installed_on, warranty_until=machine.warranty_until,
            loss_per_hour=machine.loss_per_hour,
        )  # fmt: skip
        rows.move(row, "installed", at=at, by="system")
        rows.move(row, "in_service", at=at, by="system")


def _won_at(world: World) -> datetime:
    return at_local(world.today - timedelta(days=world.size.days + 20), 10)


def _publish(technician: TechnicianPlan, world: World, placed: Placed) -> None:
    """As far back as history goes, and three weeks ahead, which were published a few days ago."""
    row, past = placed.technicians[technician.key], world.size.days + 1
    for first, last, at in (
        (-past, -1, world.today - timedelta(days=past + 3)),
        (0, AHEAD, world.today - timedelta(days=3)),
    ):
        days = [world.today + timedelta(days=number) for number in range(first, last + 1)]
        duties = [
            Duty(duty.starts_at, duty.ends_at, placed.stations[_station(technician, day, world)].id, duty.on_call)
            for day in days
            for duty in technician.duties(day)
        ]
        stations.publish_roster(row, duties, at=at_local(at, 16))


def _station(technician: TechnicianPlan, day: date, world: World) -> str:
    """Who is lent is rostered at home and lent by a record (`lending.py`); a country has the roster alone."""
    return technician.station_on(day) if world.size.past else technician.station


def _absences(world: World, placed: Placed) -> None:
    """Somebody is on leave, somebody is trained; never the first technician, whose day is full."""
    for technician, cause, days, hours in absences(world):
        start = at_local(world.today + timedelta(days=days), hours[0])
        end = at_local(world.today + timedelta(days=days), hours[1])
        held_time.book_absence(
            placed.technicians[technician.key], cause, start, end, at=at_local(world.today - timedelta(days=6), 11)
        )


def _wishes(world: World, placed: Placed) -> None:
    """The best customers have an engineer by name."""
    for station in world.stations:
        named = [one for one in world.clients[station.code] if one.tier in ("vip", "key")]
        for customer, technician in zip(named, world.team[station.code], strict=False):
            session.add(
                TechnicianWish(
                    customer_id=placed.customers[customer.code].id,
                    technician_id=placed.technicians[technician.key].id, wish=PREFERRED, reason="熟悉现场设备",
                )
            )  # fmt: skip


def absences(world: World) -> list[tuple[TechnicianPlan, str, int, tuple[int, int]]]:
    """Who is away when: technician, cause, days from today, hours."""
    found: list[tuple[TechnicianPlan, str, int, tuple[int, int]]] = []
    for number, station in enumerate(world.stations):
        team = world.team[station.code]
        found.append((team[1], "training", 1 + number, (13, 17)))
        found.append((team[-1], "leave", 6 + number, (8, 18)))
        if number % 3 == 1:
            found.append((team[2], "leave", 0, (8, 19)))
    return found
