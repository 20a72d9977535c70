"""Accounts of the demo: the twelve of the contract, and the people behind every station's work."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app
from flask_security.utils import hash_password
from sqlalchemy import select

from config import Settings
from fieldservice.accounts.models import User
from fieldservice.accounts.services import create_user
from fieldservice.demo.company import Texts, told
from fieldservice.demo.still import Placed
from fieldservice.demo.world import World, person
from fieldservice.foundation.db import session
from fieldservice.foundation.words import word

DOMAIN = "demo.test"
FILE = "demo_password"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
STATION_ROLES = ("station_manager", "dispatcher", "storekeeper")


@dataclass
class People:
    """Who acts: users by role at every station, by technician key, who answers the telephone, and who sells."""

    by_role: dict[tuple[str, str], User] = field(default_factory=dict)  # (role, station code)
    technicians: dict[str, User] = field(default_factory=dict)
    agent: User | None = None
    sales: User | None = None

    def of(self, role: str, station: str) -> str:
        """The actor code of somebody at a station."""
        return f"user:{self.by_role[role, station].id}"

    def technician(self, key: str) -> str:
        return f"user:{self.technicians[key].id}"


def open_accounts(world: World, placed: Placed) -> People:
    """Everybody who may sign in shares the demo password; the others exist so that history names them."""
    people, secret = People(), hash_password(password())
    first = world.stations[0]
    for entry in told("accounts"):
        user = _open(entry, world, placed)
        user.password = secret
        if entry["role"] in STATION_ROLES:
            people.by_role[entry["role"], first.code] = user
        if entry["role"] == "agent":
            people.agent = user
        if entry["role"] == "sales":
            people.sales = user
        if entry["role"] == "technician":
            people.technicians[world.hero.key] = user
    number = 600  # far from the technicians' and contacts' names
    for station in world.stations[1:]:
        for role in STATION_ROLES:
            number += 5
            email = f"{role.replace('_', '-')}.{station.code.lower()}@{DOMAIN}"
            names = person(number, women=number % 2 == 0)
            grants = [(role, placed.stations[station.code].id)]
            people.by_role[role, station.code] = create_user(
                email=email, name=full(names), password=None, grants=grants
            )
    for technician in world.technicians[1:]:
        row = placed.technicians[technician.key]
        people.technicians[technician.key] = create_user(
            email=f"{technician.key.lower()}@{DOMAIN}", name=full(technician.names), password=None,
            grants=[("technician", row.station_id)], phone=technician.phone, technician_id=row.id,
        )  # fmt: skip
    session.flush()
    return people


def _open(entry: dict[str, str], world: World, placed: Placed) -> User:
    station_id = placed.stations[world.stations[0].code].id if entry["stations"] == "first" else None
    names: object = entry.get("names")
    technician_id = customer_id = None
    name = full(names) if isinstance(names, dict) else ""
    if entry["role"] == "technician":
        name, technician_id = full(world.hero.names), placed.technicians[world.hero.key].id
    if entry["role"] == "customer":
        vip = next(customer for customer in world.customers if customer.code == told("vip"))
        name, customer_id = vip.contacts[0].name, placed.customers[vip.code].id
    return create_user(
        email=f"{entry['email']}@{DOMAIN}", name=name, password=None, grants=[(entry["role"], station_id)],
        technician_id=technician_id, customer_id=customer_id,
    )  # fmt: skip


def full(names: Texts) -> str:
    """A name that both languages can read: 周敏 Zhou Min"""
    return f"{names['zh']} {names['en']}"


def password() -> str:
    """The demo password: random, made once, kept in the instance folder for its owner only."""
    path = _path()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3)))
    except FileExistsError:
        pass
    return path.read_text().strip()


def forget_password() -> None:
    """The demo is cleared: the next one gets a password of its own."""
    _path().unlink(missing_ok=True)


def _path() -> Path:
    settings: Settings = current_app.extensions["fieldservice.settings"]
    return settings.instance_path / FILE


def listing(address: str) -> str:
    """What the start prints: the address, the accounts with their roles, the password. Empty where there is no demo."""
    known = set(session.scalars(select(User.email).where(User.email.like(f"%@{DOMAIN}"), User.password.is_not(None))))
    lines = []
    for entry in told("accounts"):
        email = f"{entry['email']}@{DOMAIN}"
        if email in known:
            role = f"{word('role', entry['role'], 'en')} {word('role', entry['role'], 'zh')}"
            lines.append(f"  {email:<24} {role}")
    if not lines:
        return ""
    return "\n".join([f"Demo company: {address}/login", f"  password for everybody    {password()}", *lines])
