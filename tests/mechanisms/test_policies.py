"""Policies: the most personal value holds, and nobody falls below what is published."""

from typing import Any, get_args

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.limits import Limit, never_worse
from fieldservice.mechanisms.policies import (
    LIMITS,
    PLAIN,
    Effective,
    Policy,
    PolicyOverride,
    ScopeType,
    choose,
    clear_override,
    effective,
    effective_many,
    register_defaults,
    set_override,
)
from tests.mechanisms.people_and_things import statements

TIERS = {"vip": Limit.parse("2 h"), "key": Limit.parse("3 h"), "basic": Limit.parse("4 h")}
ARRIVAL = Policy("arrival.P1", Limit.parse("4 h"), TIERS, Limit.parse("4 h"))


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies of these tests alone."""
    monkeypatch.setattr(policies, "_policies", {})
    register_defaults("arrival.P1", ARRIVAL.default, tiers=TIERS)
    register_defaults("restore.P1", Limit.parse("24 h"))
    register_defaults("greeting", "formal", tiers={"vip": "by name"}, worth=PLAIN)


def agree(scope_type: ScopeType, key: object, value: Any, name: str = "arrival.P1") -> None:
    write(lambda: set_override(name, scope_type, key, value, at=now()))


def told(name: str = "arrival.P1", **who: Any) -> tuple[str, str]:
    found = effective(name, **who)
    return str(found.value), found.origin


@pytest.mark.parametrize(
    ("overrides", "tier", "value", "origin"),
    [
        ({}, None, "4 h", "default"),
        ({}, "vip", "2 h", "tier"),
        ({}, "standard", "4 h", "default"),
        ({"customer": "90 min"}, "vip", "90 min", "customer"),
        ({"customer": "3 h"}, "vip", "3 h", "customer"),  # agreed with this customer, and above the floor
        ({"tier": "1 h"}, "vip", "1 h", "tier"),
        ({"tier": "1 h", "customer": "2 h"}, "vip", "2 h", "customer"),
        ({"station": "3 h"}, None, "3 h", "station"),
        ({"station": "3 h"}, "basic", "3 h", "station"),  # what the station publishes is everybody's floor there
        ({"station": "3 h"}, "vip", "2 h", "tier"),
        ({"station": "1 h", "customer": "2 h"}, "vip", "1 h", "station"),
        ({"station": "9 h"}, None, "4 h", "default"),  # below the published floor: passed over
        ({"customer": "5 h"}, None, "4 h", "default"),
        ({"customer": "5 h"}, "vip", "2 h", "tier"),
        ({"customer": "2 bh"}, None, "4 h", "default"),  # on a Friday evening that would be Monday
    ],
)
def test_L_04_which_value_holds(overrides: dict[ScopeType, str], tier: str | None, value: str, origin: str) -> None:
    found = choose(ARRIVAL, overrides, tier)
    assert (str(found.value), found.origin) == (value, origin)
    assert found.value.origin == origin


LIMIT_TEXTS = st.builds(lambda n, unit: f"{n} {unit}", st.integers(1, 60), st.sampled_from(["min", "h", "bh", "bd"]))


@given(
    st.dictionaries(st.sampled_from(get_args(ScopeType)), LIMIT_TEXTS),
    st.sampled_from([None, "vip", "key", "standard", "basic", "unheard"]),
)
def test_G_15_nobody_falls_below_the_published_standard(overrides: dict[ScopeType, str], tier: str | None) -> None:
    found = choose(ARRIVAL, overrides, tier)
    assert never_worse(found.value, Limit.parse("4 h"))
    if "station" in overrides and never_worse(Limit.parse(overrides["station"]), Limit.parse("4 h")):
        assert never_worse(found.value, Limit.parse(overrides["station"]))


@given(st.dictionaries(st.sampled_from(get_args(ScopeType)), LIMIT_TEXTS), st.sampled_from(["vip", "key", "basic"]))
def test_G_15_a_tier_adds_and_never_takes_away(overrides: dict[ScopeType, str], tier: str) -> None:
    overrides.pop("customer", None)
    untiered = {scope: value for scope, value in overrides.items() if scope == "station"}
    assert never_worse(choose(ARRIVAL, overrides, tier).value, choose(ARRIVAL, untiered, None).value)


def test_G_15_a_package_cannot_bring_a_worse_tier() -> None:
    with pytest.raises(ValueError, match="worse than the floor"):
        register_defaults("late", Limit.parse("4 h"), tiers={"basic": Limit.parse("5 h")})
    with pytest.raises(ValueError, match="worse than the floor"):
        register_defaults("late", Limit.parse("5 h"), floor=Limit.parse("4 h"))


def test_L_04_customer_over_tier_over_station_over_default(app: Flask) -> None:
    assert told(customer_id=7, tier="vip", station_id=3) == ("2 h", "tier")
    agree("station", 3, "3 h")
    assert told(station_id=3) == ("3 h", "station")
    assert told(station_id=4) == ("4 h", "default")
    agree("tier", "vip", "100 min")
    assert told(customer_id=7, tier="vip", station_id=3) == ("100 min", "tier")
    agree("customer", 7, "1 h")
    assert told(customer_id=7, tier="vip", station_id=3) == ("1 h", "customer")
    assert told(customer_id=8, tier="vip", station_id=3) == ("100 min", "tier")
    assert told() == ("4 h", "default")


def test_an_agreement_is_changed_and_taken_back(app: Flask) -> None:
    agree("customer", 7, "1 h")
    agree("customer", 7, "2h")
    assert told(customer_id=7) == ("2 h", "customer")
    assert session.scalar(select(func.count(PolicyOverride.id))) == 1
    write(lambda: clear_override("arrival.P1", "customer", 7, at=now()))
    write(lambda: clear_override("arrival.P1", "customer", 7, at=now()))
    assert told(customer_id=7) == ("4 h", "default")
    kinds = session.scalars(select(Event.kind).order_by(Event.id)).all()
    assert kinds == ["policy.set", "policy.set", "policy.cleared"]


@pytest.mark.parametrize(
    ("name", "scope_type", "key", "value", "field", "code"),
    [
        ("arrival.P1", "customer", 7, "5 h", "value", "below_floor"),
        ("arrival.P1", "customer", 7, "1 bh", "value", "below_floor"),
        ("arrival.P1", "customer", 7, "soon", "value", "policy_value"),
        ("arrival.P1", "customer", 7, 4, "value", "policy_value"),
        ("arrival.P1", "customer", 7, None, "value", "policy_value"),
        ("arrival.P1", "customer", 7, "9999999 d", "value", "policy_value"),
        ("arrival.P9", "customer", 7, "1 h", "name", "unknown_policy"),
        ("arrival.P1", "planet", 7, "1 h", "scope_type", "invalid"),
        ("arrival.P1", "customer", "7" * 41, "1 h", "scope_key", "invalid"),
        ("arrival.P1", "customer", "7\x00", "1 h", "scope_key", "invalid"),
    ],
)
def test_what_cannot_be_agreed(
    app: Flask, name: str, scope_type: Any, key: Any, value: Any, field: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        agree(scope_type, key, value, name)
    assert (list(refused.value.errors), refused.value.code) == ([field], code)
    assert session.scalar(select(func.count(PolicyOverride.id))) == 0


def test_a_floor_that_was_raised_later_is_kept_too(app: Flask) -> None:
    """The published standard became better than what was once agreed."""
    agree("customer", 7, "3 h")
    register_defaults("arrival.P1", Limit.parse("2 h"))
    assert told(customer_id=7) == ("2 h", "default")


def test_plain_values_have_no_floor(app: Flask) -> None:
    assert effective("greeting", tier="vip") == Effective("by name", "tier")
    agree("customer", 7, {"zh": "您好", "en": "Dear"}, "greeting")
    assert effective("greeting", customer_id=7).value == {"zh": "您好", "en": "Dear"}
    agree("customer", 7, False, "greeting")
    assert effective("greeting", customer_id=7) == Effective(False, "customer")


def test_several_policies_cost_one_query(app: Flask) -> None:
    agree("customer", 7, "1 h")
    agree("customer", 7, "20 h", "restore.P1")
    with statements() as sent:
        found = effective_many(["arrival.P1", "restore.P1", "greeting"], customer_id=7, tier="vip", station_id=3)
    assert len(sent) == 1
    assert {name: one.origin for name, one in found.items()} == {
        "arrival.P1": "customer", "restore.P1": "customer", "greeting": "tier",
    }  # fmt: skip
    with statements() as sent:
        assert effective("arrival.P1").origin == "default"
    assert sent == []


def test_an_unregistered_policy_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        effective_many(["arrival.P9"])


def test_other_kinds_of_value_bring_their_own_comparison(app: Flask) -> None:
    yuan = policies.Worth(read=int, store=int, fits=lambda value, floor: value >= floor)
    register_defaults("compensation_cap", 500, floor=500, worth=yuan)
    agree("customer", 7, 900, "compensation_cap")
    assert effective("compensation_cap", customer_id=7) == Effective(900, "customer")
    with pytest.raises(Invalid):
        agree("customer", 7, 100, "compensation_cap")
    assert LIMITS.store(Limit.parse("60 min")) == "1 h"
