"""Devices in the hands of technicians: what each exchange tells of them, signing out from afar, ending a lost one.

Only an exchange of the tablet itself writes what it told, and at most once a minute while nothing changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from fieldservice.accounts import services as accounts
from fieldservice.accounts.models import SignIn
from fieldservice.accounts.signin import WayIn
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, take_turns, write
from fieldservice.foundation.errors import Conflict, Forbidden, NotFound
from fieldservice.foundation.time import now
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Technician
from fieldservice.workorders.history import register_sentences
from fieldservice.workorders.tablet.models import TabletDevice

WRITE_EVERY = timedelta(minutes=1)
DRIFT_MS = 5_000  # a change of the clock's offset that is worth a write of its own
MOST = 2**53
MOST_REASON = 300
OUT = ("signed_out", "revoked")
register_sentences({
    "tablet_device.added": ("tablet", "info", _l("First seen")),
    "tablet_device.sign_out_asked": ("log-out", "warn", _l("Asked to send everything and sign out")),
    "tablet_device.active": ("check", "ok", _l("In use again")),
    "tablet_device.signed_out": ("log-out", "mute", _l("Sent everything and signed out")),
    "tablet_device.revoked": ("ban", "bad", _l("Access ended at once")),
})  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """What a tablet told when it called: who it is, how it came in, how it fares."""

    device_id: str
    client: int
    way_in: WayIn
    agent: str = ""
    sent_at: datetime | None = None
    report: Mapping[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """The columns of a device that this exchange speaks of."""
        report = self.report or {}
        columns: dict[str, Any] = {
            "client": self.client, "agent": self.agent[:200], "sign_in_id": self.way_in.sign_in_id,
            "token_id": self.way_in.token_id,
        }  # fmt: skip
        if (waiting := report.get("waiting")) is not None:
            oldest = waiting["oldest_at"]
            columns |= {
                "waiting_commands": _count(waiting["commands"]), "waiting_uploads": _count(waiting["uploads"]),
                "held_items": _count(waiting["held"]),
                # a clock may be years off, and nothing waits since tomorrow
                "oldest_waiting_at": None if oldest is None else min(max(oldest, now() - LONGEST), now()),
            }  # fmt: skip
        if (storage := report.get("storage")) is not None:
            columns |= {"persisted": storage["persisted"], "usage": _size(storage["usage"]),
                        "quota": _size(storage["quota"])}  # fmt: skip
        offset = self.offset_ms()
        return columns if offset is None else {**columns, "offset_ms": offset}

    def offset_ms(self) -> int | None:
        """As the tablet measured it; else by the time at which it says it sent this."""
        measured = (self.report or {}).get("offset_ms")
        if measured is not None:
            return max(-MOST, min(int(measured), MOST))
        return None if self.sent_at is None else round((now() - self.sent_at).total_seconds() * 1000)


LONGEST = timedelta(days=3650)


def _count(given: int) -> int:
    return max(0, min(given, 10**6))


def _size(given: int | None) -> int | None:
    return None if given is None else max(0, min(given, MOST))


def note_exchange(person: Person, exchange: Exchange) -> str:
    """Keep what the tablet told. The state for its eyes: 'active', or 'sign_out_asked'. Makes its own `write`."""
    known = session.scalar(_wanted(person, exchange.device_id).execution_options(populate_existing=True))
    if known is None or _is_news(known, exchange):
        return write(partial(_note, person, exchange))
    return _for_tablet(known)


def _is_news(device: TabletDevice, exchange: Exchange) -> bool:
    if device.state in OUT or now() - device.last_seen_at >= WRITE_EVERY or now() < device.last_seen_at:
        return True
    told = exchange.told()
    drift = abs(told.pop("offset_ms", device.offset_ms or 0) - (device.offset_ms or 0))
    changed = (name for name, value in told.items() if name not in ("usage", "quota", "oldest_waiting_at", "agent")
               and getattr(device, name) != value)  # fmt: skip
    return drift > DRIFT_MS or next(changed, None) is not None


def _note(person: Person, exchange: Exchange) -> str:
    wanted = _wanted(person, exchange.device_id).with_for_update().execution_options(populate_existing=True)
    device = session.scalar(wanted)
    if device is None:
        take_turns(f"tablet:{person.user_id}:{exchange.device_id}")  # two tabs may call for the first time at once
        device = session.scalar(wanted) or _add(person, exchange)
    came_otherwise = (device.sign_in_id, device.token_id) != (exchange.way_in.sign_in_id, exchange.way_in.token_id)
    if device.state in OUT and came_otherwise:  # whoever was still on the way when it was ended is not back
        move(device, "active", anew=True)
    technician = session.get_one(Technician, person.technician_id)
    told = exchange.told()
    if device.state in OUT:
        told.pop("sign_in_id")
        told.pop("token_id")
    for name, value in told.items():
        setattr(device, name, value)
    device.technician_id, device.station_id = technician.id, technician.station_id
    device.name = _given_name(exchange.way_in) or device.name
    device.last_seen_at = now()
    if device.waiting == 0 and "waiting_commands" in told:
        device.last_sync_at = now()
    session.flush()
    return _for_tablet(device)


def _add(person: Person, exchange: Exchange) -> TabletDevice:
    technician = session.get_one(Technician, person.technician_id)
    device = TabletDevice(
        device_id=exchange.device_id, user_id=person.user_id, technician_id=technician.id,
        station_id=technician.station_id, first_seen_at=now(), last_seen_at=now(),
        sign_in_id=exchange.way_in.sign_in_id, token_id=exchange.way_in.token_id,
    )  # fmt: skip
    session.add(device)
    session.flush()
    record("tablet_device.added", device)
    return device


def _given_name(way_in: WayIn) -> str:
    sign_in = session.get(SignIn, way_in.sign_in_id) if way_in.sign_in_id is not None else None
    return sign_in.device if sign_in is not None else ""


def _for_tablet(device: TabletDevice) -> str:
    return "sign_out_asked" if device.state == "sign_out_asked" else "active"


def _wanted(person: Person, device_id: str) -> Select[TabletDevice]:
    return select(TabletDevice).where(TabletDevice.device_id == device_id, TabletDevice.user_id == person.user_id)


# Ending ---------------------------------------------------------------------------------------------


def ask_to_sign_out(device: TabletDevice) -> None:
    """At its next exchange the tablet is asked to send everything and to sign out. Inside `write`."""
    move(device, "sign_out_asked")


def withdraw(device: TabletDevice) -> None:
    """It may stay signed in after all. Inside `write`."""
    move(device, "active")


def signed_out(person: Person, device_id: str) -> None:
    """The tablet has sent everything, as it was asked: its way in ends. Inside `write`.

    Raises Conflict `not_asked` when the office withdrew meanwhile: the tablet stays signed in.
    """
    if person.technician_id is None:
        raise Forbidden(_l("Your account belongs to no technician. Ask your administrator."), code="no_technician")
    device = session.scalar(_wanted(person, device_id).with_for_update().execution_options(populate_existing=True))
    if device is None:
        raise NotFound()
    if device.state != "sign_out_asked":
        raise Conflict(
            _l("Nobody asks this tablet to sign out any more. Work on."), code="not_asked", state=device.state
        )
    move(device, "signed_out")
    _end_way_in(device)


def revoke(device: TabletDevice, reason: str) -> None:
    """End its way in now, whatever waits on it. Inside `write`. Raises Invalid without a reason."""
    move(device, "revoked", reason=plain_text(reason, MOST_REASON, field="reason"))
    _end_way_in(device)


def _end_way_in(device: TabletDevice) -> None:
    accounts.end_way_in(device.user_id, sign_in_id=device.sign_in_id, token_id=device.token_id, at=now())
