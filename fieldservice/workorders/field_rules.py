"""What a station says of its work in the field: conduct before leaving (S-09), its free parts, rates, goodwill (P-09).

Each is a policy (`mechanisms/policies.py`) with a default for everybody; what is typed equal to it is not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation import display
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, PreconditionFailed
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.policies import PolicyOverride
from fieldservice.parts.availability.bringing import SHARED
from fieldservice.stations.models import Station
from fieldservice.workorders.onsite.leaving import CONDUCT
from fieldservice.workorders.rates import GOODWILL, LABOUR, MOST, TRAVEL

AMOUNTS: Mapping[str, Any] = {  # policy → what it is called
    LABOUR: _l("An hour of work"),
    TRAVEL: _l("An hour on the road"),
    GOODWILL: _l("Goodwill for one job without asking"),
}
SWITCHES: Mapping[str, Any] = {
    CONDUCT: _l("Appearance is ticked before leaving"),
    SHARED: _l("Visits of other stations may send for free parts here without asking"),
}
YES: Mapping[str, Any] = {
    CONDUCT: _l("yes: uniform, badge and safety gear"),
    SHARED: _l("yes: they go as if from the central store"),
}
LABELS: Mapping[str, Any] = {**SWITCHES, **AMOUNTS}
LATEST = 20


@dataclass(frozen=True)
class Rule:
    """One rule as it holds at a station: the value, whether the station set it, and what holds elsewhere."""

    name: str
    label: str
    value: Any
    own: bool
    usual: str

    @property
    def yes(self) -> str:
        """What saying yes means, of a switch."""
        return str(YES[self.name])

    @property
    def typed(self) -> str:
        """As it stands in the form."""
        return f"{Decimal(self.value) / 100:.2f}" if self.name in AMOUNTS else "yes" if self.value else "no"


def rules_of(station_id: int) -> list[Rule]:
    """Every rule; one query."""
    held = policies.effective_many(LABELS, station_id=station_id)
    usual = policies.effective_many(LABELS)
    return [
        Rule(name, str(label), held[name].value, held[name].origin == "station", shown(name, usual[name].value))
        for name, label in LABELS.items()
    ]


def seen_of(station_id: int) -> str:
    """What the form showed, so that nobody overwrites what he has not seen."""
    return " ".join(rule.typed for rule in rules_of(station_id))


def shown(name: str, value: Any) -> str:
    """A value in words."""
    if name in AMOUNTS:
        return display.money(value)
    return str(_("yes") if value else _("no"))


def keep(station: Station, typed: Mapping[str, str], seen: str, at: datetime) -> None:
    """What holds at this station from now on; an empty amount goes back to what holds everywhere. Inside `write`.

    Raises Invalid naming the field, PreconditionFailed when somebody changed it since the form was shown.
    """
    locked = select(Station.id).where(Station.id == station.id).with_for_update()
    session.execute(locked)
    if seen != seen_of(station.id):
        raise PreconditionFailed()
    wanted: dict[str, Any] = {name: typed.get(name) == "yes" for name in SWITCHES}
    errors: dict[str, list[Any]] = {}
    for name in AMOUNTS:
        try:
            wanted[name] = _minor(typed.get(name, ""))
        except ValueError:
            errors[name] = [_l("Enter an amount from 0 to %(most)s, or nothing.", most=f"{MOST // 100:,}")]
    if errors:
        raise Invalid(errors)
    usual = policies.effective_many(LABELS)
    now_held = {rule.name: rule for rule in rules_of(station.id)}
    for name, value in wanted.items():
        if value is None or value == usual[name].value:
            policies.clear_override(name, "station", station.id, at=at)
        elif value != now_held[name].value:
            policies.set_override(name, "station", station.id, value, at=at)


def _minor(text: str) -> int | None:
    """Minor units of a typed amount; None for nothing. Raises ValueError."""
    plain = text.strip()[:20].replace(",", "").replace("，", "")
    if not plain:
        return None
    try:
        amount = Decimal(plain) * 100
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount <= MOST:
        raise ValueError(text)
    return int(amount)


@dataclass(frozen=True)
class Change:
    """One change of a rule, as people read it; no value means that it went back to what holds everywhere."""

    at: datetime
    who: str
    label: str
    value: str


def changes_of(station_id: int) -> list[Change]:
    """The newest changes first."""
    mine = select(Event).where(
        Event.subject_type == PolicyOverride.subject_type, Event.station_id == station_id,
        Event.kind.in_(("policy.set", "policy.cleared")),
    )  # fmt: skip
    rows = session.scalars(mine.order_by(Event.id.desc()).limit(LATEST * 5)).all()
    events = [event for event in rows if event.facts.get("name") in LABELS][:LATEST]
    people = _people(events)
    return [
        Change(
            event.at, people.get(event.actor, _("the system")), str(LABELS[event.facts["name"]]),
            shown(event.facts["name"], event.facts["value"]) if event.kind == "policy.set" else "",
        )
        for event in events
    ]  # fmt: skip


def _people(events: Sequence[Event]) -> dict[str, str]:
    ids = {int(event.actor[5:]) for event in events if event.actor.startswith("user:")}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids))) if ids else ()
    return {f"user:{row.id}": row.name for row in rows}
