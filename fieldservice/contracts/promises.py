"""What is promised to whom, and when it falls due. Limits are policies; the published ones are the floor (G-15)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.contracts.quoting import FEWEST, Quote, quote
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms import clocks, policies
from fieldservice.mechanisms.calendars import standard_calendar
from fieldservice.mechanisms.clocks import Clock, Limit
from fieldservice.mechanisms.limits import CalendarCode
from fieldservice.mechanisms.remembered import remembered

KINDS = ("first_answer", "arrival", "restore")
HISTORY = timedelta(days=180)  # older cases say little about today's queue
MOST_CASES = 300  # the newest of a queue
PLANNED = "P4"
PLANNED_DAYS = 366  # planned work is agreed at most a year ahead
RESCUE_APPROVAL = "rescue.approval"  # the policy: how long a manager may take to decide about a rescue
CLOSING = (17, 30)  # when the agreed day of planned work is over


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


# Limits -------------------------------------------------------------------------------------------


@cache
def limits() -> dict[str, dict[str, Any]]:
    """The published limits as the data file has them."""
    text = (Path(__file__).parent / "data" / "limits.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def policy_name(kind: str, priority: str) -> str:
    """The policy that holds a limit: 'arrival.P1'."""
    return f"{kind}.{priority}"


def register() -> None:
    """Make every published limit a policy with its tiers. A tier worse than the published floor stops the start."""
    factors = limits()["arrival_factor"]
    for kind in KINDS:
        for priority, text in limits()[kind].items():
            limit = Limit.parse(text)
            tiers = {tier: limit.scaled(factor) for tier, factor in factors.items()} if kind == "arrival" else {}
            policies.register_defaults(policy_name(kind, priority), limit, tiers=tiers)
    policies.register_defaults(RESCUE_APPROVAL, Limit.parse(limits()["rescue"]["approval"]))


register()


def priority_for(severity: str) -> str:
    """The priority that a severity sets; nobody's tier changes it (G-15)."""
    return str(limits()["priority"][severity])


def effective(priority: str, *, customer_id: int | None, tier: str | None, station_id: int | None) -> dict[str, Limit]:
    """The limit of each promise for this customer, with its origin. P4 has the first answer only: it is due by date."""
    names = {kind: policy_name(kind, priority) for kind in KINDS if priority in limits()[kind]}
    found = policies.effective_many(list(names.values()), customer_id=customer_id, tier=tier, station_id=station_id)
    return {kind: found[name].value for kind, name in names.items()}


# Promises -----------------------------------------------------------------------------------------


def give(
    request: Promised, *, at: datetime, since: datetime | None = None, told: bool = True, fresh: bool = False
) -> list[Clock]:
    """Start the promises of a request, each with its quoted time.

    All start at receipt (or at `since`, when a request is opened again). Every station publishes its
    promises, so they count as told; `told=False` is for what no customer was ever promised. `fresh`: the
    request was made in this transaction, so none of its promises can be running; the caller stores them
    (`clocks.insert_many`).
    """
    start, run = since or request.received_at, clocks.begin if fresh else clocks.start
    return [
        run(
            request, kind, limit, started_at=start, priority=request.priority, told=told,
            quoted_at=_quoted(request, kind, limit, start, at),
        )
        for kind, limit in _limits_of(request).items()
    ]  # fmt: skip


def shorten(request: Promised, *, at: datetime) -> None:
    """Let the open promises follow the request's priority where that is earlier; none is ever lengthened."""
    for kind, limit in _limits_of(request).items():
        clocks.shorten(
            request, kind, limit, at=at, priority=request.priority,
            quoted_at=_quoted(request, kind, limit, request.received_at, at),
        )  # fmt: skip


def agree_on_date(request: Promised, day: date, *, at: datetime) -> Clock | None:
    """Planned work (P4) is due by a date agreed with the customer: until that day closes.

    A restore promise given earlier may become earlier by it, never later. Raises Invalid for another
    priority and for a day that has passed or lies more than a year ahead.
    """
    if request.priority != PLANNED:
        raise Invalid({"priority": [_l("Only planned work (P4) is due by a date.")]})
    due = at_local(day, *CLOSING)
    if due <= at or (day - local(at).date()).days > PLANNED_DAYS:
        raise Invalid({"day": [_l("Choose a day from today on, at most a year ahead.")]})
    minutes = int((due - request.received_at).total_seconds() // 60)
    limit = Limit(minutes, origin="agreed")
    known = clocks.shorten(request, "restore", limit, at=at, priority=request.priority)
    return known or clocks.start(request, "restore", limit, started_at=request.received_at, priority=request.priority)


def promise_rescue(request: Promised, *, at: datetime) -> Clock:
    """Another maker's machine runs again within 24 hours of the report, as ours do; what was promised earlier stays."""
    limit = Limit.parse(limits()["rescue"]["restore"])
    known = clocks.shorten(request, "restore", limit, at=at, priority=request.priority)
    return known or clocks.start(request, "restore", limit, started_at=request.received_at, priority=request.priority)


def approval_limit(station_id: int) -> Limit:
    """How long a station's manager may take to decide about a rescue; a station may only be quicker."""
    limit: Limit = policies.effective(RESCUE_APPROVAL, station_id=station_id).value
    return limit


def _limits_of(request: Promised) -> dict[str, Limit]:
    return effective(
        request.priority, customer_id=request.customer_id, tier=request.tier, station_id=request.station_id
    )


# Quoted times ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Queue:
    """A queue and what is quoted in it at present."""

    station_id: int
    priority: str
    kind: str
    limit: Limit
    quote: Quote


def queues_of(station_id: int, at: datetime) -> Iterator[Queue]:
    """Every queue of a station with its quote and mean surplus over the published limit."""
    for kind in KINDS:
        for priority, text in limits()[kind].items():
            limit = Limit.parse(text)
            yield Queue(station_id, priority, kind, limit, _quote(station_id, priority, kind, limit, at))


def _quoted(request: Promised, kind: str, limit: Limit, start: datetime, at: datetime) -> datetime | None:
    """The quoted moment; None means the due moment itself."""
    quoted = _quote(request.station_id, request.priority, kind, limit, at)
    if quoted.cases < FEWEST:
        return None
    if limit.calendar == "business":
        return standard_calendar(at).add(start, quoted.minutes)
    return start + timedelta(minutes=quoted.minutes)


def _quote(station_id: int, priority: str, kind: str, limit: Limit, at: datetime) -> Quote:
    queue = (station_id, priority, kind, limit.calendar, at)
    return remembered("quote", (*queue, limit.minutes), lambda: quote(limit.minutes, _history(*queue)))


def _history(station_id: int, priority: str, kind: str, calendar: CalendarCode, at: datetime) -> Sequence[float]:
    """Minutes, in the limit's own calendar, that the newest cases finished before `at` took."""
    rows = session.execute(
        select(Clock.started_at, Clock.stopped_at)
        .where(
            Clock.station_id == station_id, Clock.priority == priority, Clock.kind == kind,
            Clock.stopped_at > at - HISTORY, Clock.stopped_at <= at, Clock.state.in_(("kept", "breached")),
        )
        .order_by(Clock.stopped_at.desc())
        .limit(MOST_CASES)
    )  # fmt: skip
    spans = [(started, stopped) for started, stopped in rows if stopped is not None]
    if calendar == "business" and len(spans) >= FEWEST:
        minutes_between = standard_calendar(at - HISTORY).minutes_between
        return [minutes_between(started, stopped) for started, stopped in spans]
    return [(stopped - started).total_seconds() / 60 for started, stopped in spans]
