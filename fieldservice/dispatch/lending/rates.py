"""The terms on which stations lend: policies a station may set, as published for all of them otherwise."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from fieldservice.dispatch.lending.costs import Terms
from fieldservice.foundation.db import session
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.policies import PolicyOverride, Worth

RATE = "lending_rate"  # minor units for an hour of a technician
DEFAULTS = {
    RATE: 120_00,
    "lending_km_rate": 1_50,  # for a further kilometre
    "lending_night_rate": 300_00,
    "lending_overnight_km": 120,  # road kilometres from home above which he stays
}  # [D]
MOST = 100_000_00


def _amount(stored: Any) -> int:
    """A stored amount. Raises ValueError for what is none."""
    if isinstance(stored, bool) or not isinstance(stored, int) or not 0 <= stored <= MOST:
        raise ValueError(f"{stored!r} is no amount: write a whole number of minor units (or kilometres), at least 0")
    return stored


AMOUNTS = Worth(read=_amount, store=int, fits=lambda _value, _floor: True)
for name, value in DEFAULTS.items():
    policies.register_defaults(name, value, worth=AMOUNTS)


def terms_of(station_ids: Collection[int]) -> dict[int, Terms]:
    """station → its terms; one query."""
    set_there = _overrides(tuple(DEFAULTS), station_ids)
    return {
        station: Terms(*(set_there.get((name, station), default) for name, default in DEFAULTS.items()))
        for station in station_ids
    }


def hour_rates(station_ids: Collection[int]) -> dict[int, int]:
    """station → what an hour of its technicians costs; no query where nobody asks."""
    set_there = _overrides((RATE,), station_ids)
    return {station: set_there.get((RATE, station), DEFAULTS[RATE]) for station in station_ids}


def _overrides(names: Collection[str], station_ids: Collection[int]) -> dict[tuple[str, int], int]:
    if not station_ids:
        return {}
    rows = session.scalars(
        select(PolicyOverride).where(
            PolicyOverride.name.in_(names), PolicyOverride.scope_type == "station",
            PolicyOverride.scope_key.in_([str(one) for one in station_ids]),
        )
    )  # fmt: skip
    return {(row.name, int(row.scope_key)): _amount(row.value) for row in rows}
