"""Policies: an effective value with its origin. Customer over tier over station over default, never below the floor.

The capability that owns a value registers its default, the tiers' values and the published floor; rows
override them (L-04). Tiers and agreements add: a value worse than what is published to everybody (or
at the station) is refused when written and passed over when read (G-15).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id, Json, session
from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.limits import Limit, never_worse
from fieldservice.mechanisms.remembered import forget, remembered

ScopeType = Literal["customer", "tier", "station"]
Origin = Literal["customer", "tier", "station", "default"]
MOST_KEY = 40


class PolicyOverride(Base):
    """A value agreed for one customer, tier or station."""

    __tablename__ = "policy_override"
    subject_type = "policy_override"
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(60))
    scope_type: Mapped[ScopeType] = mapped_column(String(10))
    scope_key: Mapped[str] = mapped_column(String(MOST_KEY))
    value: Mapped[Any] = mapped_column(Json)
    changed_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("name", "scope_type", "scope_key"),)


@dataclass(frozen=True)
class Worth:
    """How values of a policy are stored, read (ValueError for nonsense) and compared with the floor."""

    read: Callable[[Any], Any]
    store: Callable[[Any], Any]
    fits: Callable[[Any, Any], bool]  # (value, floor): whether the value is never worse


def _limit(stored: Any) -> Limit:
    if not isinstance(stored, str):
        raise ValueError(f"{stored!r} is no time limit: write e.g. 30 min, 4 h, 2 bh or 1 bd")
    return Limit.parse(stored)


LIMITS = Worth(read=_limit, store=str, fits=never_worse)
PLAIN = Worth(read=lambda stored: stored, store=lambda value: value, fits=lambda _value, _floor: True)


@dataclass(frozen=True)
class Policy:
    """A named value and what the package says about it."""

    name: str
    default: Any
    tiers: Mapping[str, Any] = field(default_factory=dict)
    floor: Any = None
    worth: Worth = LIMITS


@dataclass(frozen=True)
class Effective:
    """The value that holds, and who said so."""

    value: Any
    origin: Origin


_policies: dict[str, Policy] = {}


def register_defaults(
    name: str, value: Any, *, tiers: Mapping[str, Any] | None = None, floor: Any = None, worth: Worth = LIMITS
) -> None:
    """Make a policy known; called where its owner is imported. The floor of a limit is its default.

    Raises ValueError when default or a tier is worse than the floor: nobody falls below it.
    """
    floor = value if floor is None and worth is LIMITS else floor
    policy = Policy(name, value, dict(tiers or {}), floor, worth)
    for given in (value, *policy.tiers.values()):
        if not worth.fits(given, floor):
            raise ValueError(f"policy {name}: {given} is worse than the floor {floor}")
    _policies[name] = policy


def names() -> list[str]:
    """Every registered policy."""
    return list(_policies)


def effective(
    name: str, *, customer_id: int | None = None, tier: str | None = None, station_id: int | None = None
) -> Effective:
    """What holds for this customer of this tier at this station. Raises KeyError for an unregistered name."""
    return effective_many([name], customer_id=customer_id, tier=tier, station_id=station_id)[name]


def effective_many(
    wanted: Iterable[str], *, customer_id: int | None = None, tier: str | None = None, station_id: int | None = None
) -> dict[str, Effective]:
    """Several policies at once, in one query; asked once in a transaction."""
    names = tuple(_policies[name].name for name in wanted)
    key = (names, customer_id, tier, station_id)
    return remembered("policies", key, lambda: _effective_many(names, customer_id, tier, station_id))


def _effective_many(
    wanted: Iterable[str], customer_id: int | None, tier: str | None, station_id: int | None
) -> dict[str, Effective]:
    policies = [_policies[name] for name in wanted]
    scopes: dict[ScopeType, str] = {}
    for scope_type, key in (("customer", customer_id), ("tier", tier), ("station", station_id)):
        if key is not None:
            scopes[scope_type] = str(key)  # type: ignore[index]  # the literals above
    rows = _overrides([policy.name for policy in policies], scopes)
    return {policy.name: choose(policy, rows.get(policy.name, {}), tier) for policy in policies}


def choose(policy: Policy, overrides: Mapping[ScopeType, Any], tier: str | None) -> Effective:
    """The pure rule. `overrides` holds stored values by scope.

    What a station publishes is its floor; then the most personal value that is not worse than the floor holds.
    """
    base = _told(policy.default, "default")
    if "station" in overrides:
        published = policy.worth.read(overrides["station"])
        if policy.worth.fits(published, policy.floor):
            base = _told(published, "station")
    personal: list[tuple[Any, Origin]] = []
    if "customer" in overrides:
        personal.append((policy.worth.read(overrides["customer"]), "customer"))
    if "tier" in overrides:
        personal.append((policy.worth.read(overrides["tier"]), "tier"))
    elif tier is not None and tier in policy.tiers:
        personal.append((policy.tiers[tier], "tier"))
    for value, origin in personal:
        if policy.worth.fits(value, policy.floor) and policy.worth.fits(value, base.value):
            return _told(value, origin)
    return base


def _told(value: Any, origin: Origin) -> Effective:
    return Effective(replace(value, origin=origin) if isinstance(value, Limit) else value, origin)


def _overrides(wanted: list[str], scopes: Mapping[ScopeType, str]) -> dict[str, dict[ScopeType, Any]]:
    found: dict[str, dict[ScopeType, Any]] = {}
    if not scopes:
        return found
    theirs = [and_(PolicyOverride.scope_type == kind, PolicyOverride.scope_key == key) for kind, key in scopes.items()]
    rows = select(PolicyOverride).where(PolicyOverride.name.in_(wanted), or_(*theirs))
    for row in session.scalars(rows):
        found.setdefault(row.name, {})[row.scope_type] = row.value
    return found


def set_override(name: str, scope_type: ScopeType, scope_key: object, value: Any, *, at: datetime) -> PolicyOverride:
    """Agree another value (a plain JSON one, such as '4 h'). Raises Invalid for an unknown policy or scope, a value
    that cannot be read, or one below the floor."""
    policy = _checked(name, scope_type, scope_key)
    try:
        meant = policy.worth.read(value)
    except ValueError as error:
        raise Invalid({"value": [str(error)]}, code="policy_value") from error
    if not policy.worth.fits(meant, policy.floor):
        text = _l("This would be worse than the published standard (%(floor)s).", floor=str(policy.floor))
        raise Invalid({"value": [text]}, code="below_floor")
    row = override(name, scope_type, scope_key)
    if row is None:
        row = PolicyOverride(name=name, scope_type=scope_type, scope_key=str(scope_key))
        session.add(row)
    forget("policies")
    row.value, row.changed_at = policy.worth.store(meant), at
    session.flush()
    facts = {"name": name, "scope": scope_type, "key": str(scope_key), "value": row.value}
    record("policy.set", row, facts, station_id=_station(scope_type, scope_key), at=at)
    return row


def stations_with(name: str, value: Any) -> frozenset[int]:
    """Stations that agreed on just this value; one query over the few rows that say so. Those that say nothing follow
    the default."""
    rows = select(PolicyOverride).where(PolicyOverride.name == name, PolicyOverride.scope_type == "station")
    return frozenset(int(row.scope_key) for row in session.scalars(rows) if row.value == value)


def clear_override(name: str, scope_type: ScopeType, scope_key: object, *, at: datetime) -> None:
    """Go back to what holds without this row; nothing happens where there is none."""
    row = override(name, scope_type, scope_key)
    if row is not None:
        facts = {"name": name, "scope": scope_type, "key": str(scope_key)}
        record("policy.cleared", row, facts, station_id=_station(scope_type, scope_key), at=at)
        session.delete(row)
        session.flush()
        forget("policies")


def _checked(name: str, scope_type: str, scope_key: object) -> Policy:
    if scope_type not in get_args(ScopeType):
        raise Invalid({"scope_type": [_l("Choose one of the options.")]})
    plain_text(str(scope_key), MOST_KEY, field="scope_key")
    policy = _policies.get(name)
    if policy is None:
        raise Invalid({"name": [_l("There is no policy of this name.")]}, code="unknown_policy")
    return policy


def _station(scope_type: ScopeType, scope_key: object) -> int | None:
    """Whose trail tells of it."""
    return int(str(scope_key)) if scope_type == "station" and str(scope_key).isdigit() else None


def override(name: str, scope_type: str, scope_key: object) -> PolicyOverride | None:
    """What is agreed for just this customer, tier or station, if anything is."""
    mine = select(PolicyOverride).filter_by(name=name, scope_type=scope_type, scope_key=str(scope_key)[:MOST_KEY])
    return session.scalar(mine)
