"""The scan of running clocks: warnings at 50, 75 and 90 %, breach and escalation after 100 %."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.clocks import core, services
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.mechanisms.clocks.services import breach_key, facts
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import OnBehalf, Ref

ESCALATION_LIMIT = timedelta(minutes=30)  # the manager's time to act on a broken promise


@dataclass(frozen=True)
class Escalation:
    """Who is asked what when a limit has passed."""

    title: str
    owner_role: str
    supervisor_role: str


USUAL = Escalation("clock_breached", "station_manager", "director")
_escalations: dict[str, Escalation] = {}


def escalate(kind: str, title: str, *, owner_role: str, supervisor_role: str) -> None:
    """Ask somebody else than the manager when a clock of this kind breaks; called where its owner is imported."""
    _escalations[kind] = Escalation(title, owner_role, supervisor_role)


def tick(now: datetime, limit: int = 200) -> int:
    """Tell every share that passed up to `now`, for at most `limit` clocks; returns how many were told.

    Safe to repeat, and after downtime only the highest passed share is told. Call again while it
    returns `limit`. Rows held by somebody else are left to the next scan.
    """
    due = (
        select(Clock)
        .where(Clock.state == "running", Clock.next_check_at <= now)
        .order_by(Clock.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    clocks = session.scalars(due).all()
    for clock in clocks:
        share = core.passed_share(clock.moments, now)
        if share == 100:
            _breach(clock, now)
        elif share > clock.warned:
            clock.warned = share
            clock.next_check_at = core.next_check(clock.moments, share)
            record(
                "clock.warned",
                Ref(clock.subject_type, clock.subject_id, clock.station_id),
                {**facts(clock), "share": share},
                at=now,
                by="system",
            )
        else:  # a shortened or resumed clock whose earlier share was told already
            clock.next_check_at = core.next_check(clock.moments, clock.warned)
    session.flush()
    return len(clocks)


def miss(subject: Subject, kind: str, *, at: datetime) -> Clock | None:
    """What was promised cannot be kept any more, whatever time is left (a part of it was delivered): broken now, told
    like any breach, and over. None when no such clock is open."""
    clock = services.open_clock(subject, kind)
    if clock is None:
        return None
    at = max(at, clock.started_at)
    if clock.state == "running":
        _breach(clock, at)
    clock.stopped_at, clock.next_check_at = at, None
    session.flush()
    return clock


def _breach(clock: Clock, now: datetime) -> None:
    clock.warned, clock.next_check_at = 100, None
    move(OnBehalf(clock), "breached", at=now, by="system", **facts(clock))
    asked = _escalations.get(clock.kind, USUAL)
    tasks.open_task(
        asked.title,
        Ref(clock.subject_type, clock.subject_id, clock.station_id),
        owner_role=asked.owner_role,
        supervisor_role=asked.supervisor_role,
        due_at=now + ESCALATION_LIMIT,
        facts={"kind": clock.kind, "priority": clock.priority, "due_at": clock.due_at.isoformat()},
        key=breach_key(clock),
        at=now,
    )
