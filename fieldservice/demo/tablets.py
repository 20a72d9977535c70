"""What the office sees of tablets: devices that fare well and less well, and entries that somebody has to look at.

Small companies only. The first technician's tablet is whoever tries the demo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import select

from fieldservice.accounts.models import SignIn, User
from fieldservice.accounts.signin import WayIn
from fieldservice.demo.cast import Cast
from fieldservice.foundation.db import session
from fieldservice.foundation.time import clock
from fieldservice.workorders.findings import AT_WORK
from fieldservice.workorders.models import Visit
from fieldservice.workorders.tablet import commands, devices

GIGABYTE = 2**30
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-X210) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
STAYS = timedelta(days=90)


@dataclass(frozen=True)
class Tablet:
    """How a technician's tablet fares: hours since it called, what waits since when, and the rest of its report."""

    name: str
    agent: str
    called: float
    waits: tuple[int, int, int] = (0, 0, 0)
    since: float = 0
    persisted: bool = True
    offset_ms: int = 40
    client: int = commands.CURRENT


TABLETS = (
    Tablet("iPad 02", IPAD, 0.1),
    Tablet("Tab A9 03", ANDROID, 10, waits=(7, 3, 0), since=9.5, persisted=False),
    Tablet("iPad 04", IPAD, 0.3, offset_ms=-26 * 60_000),
    Tablet("Tab A9 05", ANDROID, 29, waits=(2, 0, 1), since=31, client=1),
)


def show(cast: Cast) -> None:
    """Called when everything else is told. Inside `write`."""
    at = cast.world.now
    team = cast.world.team[cast.world.stations[0].code][1:]
    for number, (technician, tablet) in enumerate(zip(team, TABLETS, strict=False)):
        user = cast.people.technicians[technician.key]
        clock.fix(at - timedelta(hours=tablet.called))
        g.actor = cast.people.technician(technician.key)
        devices.note_exchange(user.as_person(), _exchange(tablet, user, number, at))
    clock.fix(at)
    keys = {cast.placed.technicians[one.key].id: one.key for one in team}
    _record(cast, keys, at)
    g.actor = "system"


def _exchange(tablet: Tablet, user: User, number: int, at: datetime) -> devices.Exchange:
    entries, pictures, held = tablet.waits
    report = {
        "waiting": {"commands": entries, "uploads": pictures, "held": held,
                    "oldest_at": at - timedelta(hours=tablet.since) if entries else None},
        "storage": {"persisted": tablet.persisted, "usage": 40 * 2**20, "quota": 8 * GIGABYTE},
        "offset_ms": tablet.offset_ms,
    }  # fmt: skip
    way_in = WayIn(sign_in_id=_signed_in(tablet, user, at))
    return devices.Exchange(f"demo-tablet-{number + 2}", tablet.client, way_in, tablet.agent, report=report)


def _signed_in(tablet: Tablet, user: User, at: datetime) -> int:
    """A sign-in that no cookie opens: what stands for the hash of a token is none."""
    row = SignIn(
        token_hash=f"demo {user.id}", user_id=user.id, content={}, created_at=at - timedelta(days=12),
        last_seen_at=at - timedelta(hours=tablet.called), expires_at=at + STAYS, agent=tablet.agent, device=tablet.name,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _record(cast: Cast, keys: Mapping[int, str], at: datetime) -> None:
    """A part that was not there, a step that was left out, and a note by a clock that is wrong."""
    part = min(cast.store.parts)
    _send(cast, keys, AT_WORK, at, 1, "part", part=part, quantity=40)
    _send(cast, keys, ("dispatched", "scheduled"), at, 2, "move", to="on_site")
    note = "门卫换人了，进门要先打电话。 New guard at the gate: call first."
    _send(cast, keys, ("accepted", "en_route", *AT_WORK), at + timedelta(hours=3), 3, "note", words=note)


def _send(
    cast: Cast, keys: Mapping[int, str], states: tuple[str, ...], at: datetime, seq: int, kind: str, **payload: Any
) -> None:
    """From the tablet of whoever has such a visit; from nobody's where none is in such a state."""
    wanted = select(Visit).where(Visit.technician_id.in_(sorted(keys)), Visit.state.in_(states))
    visit = session.scalar(wanted.order_by(Visit.id.desc()).limit(1))
    if visit is None:
        return
    key = keys[visit.technician_id]
    g.actor = cast.people.technician(key)
    commands.apply_all(
        cast.people.technicians[key].as_person(), commands.Sender("demo-tablet", commands.CURRENT),
        [{"id": f"demo-entry-{seq}", "seq": seq, "kind": kind, "at": at.isoformat(),
          "payload": {"visit": visit.id, **payload}}],
    )  # fmt: skip
