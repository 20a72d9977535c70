"""What is promised to whom, and when it falls due. Limits are policies; the published ones are the floor."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml
from sqlalchemy import select

from fieldservice.contracts.quoting import FEWEST, Quote, quote
from fieldservice.foundation.db import session
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.clocks import Clock, Limit

KINDS = ("first_answer", "arrival", "restore")
HISTORY = timedelta(days=180)  # older cases say little about today's queue
MOST_CASES = 500


class Promised(Protocol):
    """Whatever promises are given about: a service request."""

    subject_type: str
    id: Any
    station_id: Any
    customer_id: Any
    priority: Any
    received_at: Any

    @property
    def tier(self) -> str | None: ...


@cache
def limits() -> dict[str, dict[str, Any]]:
    """The published limits as the data file has them."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "data" / "limits.yaml").read_text("utf-8"))
    return loaded


def policy_name(kind: str, priority: str) -> str:
    """The policy that holds a limit: 'arrival.P1'."""
    return f"{kind}.{priority}"


def register() -> None:
    """Make every published limit a policy with its tiers."""
    factors = limits()["arrival_factor"]
    for kind in KINDS:
        for priority, text in limits()[kind].items():
            limit = Limit.parse(text)
            tiers = {tier: limit.scaled(factor) for tier, factor in factors.items()} if kind == "arrival" else {}
            policies.register_defaults(policy_name(kind, priority), limit, tiers=tiers)


register()


def priority_for(severity: str) -> str:
    """The priority that a severity sets; nobody's tier changes it (G-15)."""
    return str(limits()["priority"][severity])


def effective(priority: str, *, customer_id: int | None, tier: str | None, station_id: int | None) -> dict[str, Limit]:
    """The limit of each promise for this customer, with its origin. P4 has none but the first answer."""
    names = {kind: policy_name(kind, priority) for kind in KINDS if priority in limits()[kind]}
    found = policies.effective_many(list(names.values()), customer_id=customer_id, tier=tier, station_id=station_id)
    return {kind: found[name].value for kind, name in names.items()}


def give(request: Promised, *, tell: bool = True) -> list[Clock]:
    """Start the promises of a request, each with its quoted time. All start at receipt."""
    wanted = effective(request.priority, customer_id=request.customer_id, tier=request.tier, station_id=request.station_id)
    history = _history(request.station_id, request.priority, request.received_at)
    return [
        clocks.start(
            request, kind, limit, started_at=request.received_at, priority=request.priority, told=tell,
            quoted_at=_quoted(request.received_at, limit, history.get(kind, [])),
        )
        for kind, limit in wanted.items()
    ]  # fmt: skip


def shorten(request: Promised, *, at: datetime) -> None:
    """Let the open promises follow the request's priority where that is earlier; none is ever lengthened."""
    wanted = effective(request.priority, customer_id=request.customer_id, tier=request.tier, station_id=request.station_id)
    history = _history(request.station_id, request.priority, at)
    for kind, limit in wanted.items():
        clocks.shorten(
            request, kind, limit, at=at, priority=request.priority,
            quoted_at=_quoted(request.received_at, limit, history.get(kind, [])),
        )  # fmt: skip


def quotes_of(station_id: int, priority: str, at: datetime) -> dict[str, Quote]:
    """The present quotes of a station's queues, for the figures page."""
    return {
        kind: quote(Limit.parse(limits()[kind][priority]).minutes, waits)
        for kind, waits in _history(station_id, priority, at).items()
        if priority in limits()[kind]
    }


def _quoted(start: datetime, limit: Limit, history: list[float]) -> datetime | None:
    """The quoted moment; None means the due moment itself (business limits are quoted by wall minutes seen so far)."""
    if len(history) < FEWEST or limit.calendar == "business":
        return None
    return start + timedelta(minutes=quote(limit.minutes, history).minutes)


def _history(station_id: int, priority: str, at: datetime) -> Mapping[str, list[float]]:
    """Wall minutes that finished cases of this queue took, newest first, by promise."""
    rows = session.execute(
        select(Clock.kind, Clock.started_at, Clock.stopped_at)
        .where(
            Clock.station_id == station_id, Clock.priority == priority, Clock.kind.in_(KINDS),
            Clock.stopped_at > at - HISTORY, Clock.state.in_(("kept", "breached")),
        )
        .order_by(Clock.stopped_at.desc())
        .limit(MOST_CASES * len(KINDS))
    )  # fmt: skip
    waits: dict[str, list[float]] = {}
    for kind, started, stopped in rows:
        waits.setdefault(kind, []).append((stopped - started).total_seconds() / 60)
    return waits
