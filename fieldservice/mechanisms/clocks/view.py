"""What screens show of a clock: remaining time and due moment together (UI §1.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flask_babel import format_date
from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.foundation.time import local
from fieldservice.foundation.words import language, word
from fieldservice.mechanisms.clocks import core
from fieldservice.mechanisms.clocks.models import Clock
from fieldservice.mechanisms.clocks.services import most_urgent

ViewState = Literal["running", "paused", "over", "kept", "breached", "void"]
Tone = Literal["ok", "mute", "warn", "bad"]


@dataclass(frozen=True)
class ClockView:
    """A clock at one moment, in the reader's language. `over` is past due and still open."""

    id: int
    kind: str
    priority: str
    state: ViewState
    tone: Tone
    remaining: timedelta  # negative when over; of a stopped clock: what was left when it stopped
    remaining_text: str
    due_at: datetime
    due_text: str
    quoted_at: datetime | None
    quoted_text: str
    share_left: float  # 0…1, in the clock's own calendar

    @property
    def label(self) -> str:
        """'2 h 14 min · 16:30'"""
        return f"{self.remaining_text} · {self.due_text}"

    @property
    def is_open(self) -> bool:
        return self.state in ("running", "paused", "over")


def view(clock: Clock, at: datetime) -> ClockView:
    """The clock as people see it at `at`."""
    stands = clock.pausable and clock.paused_at is not None
    counted = clock.stopped_at or (clock.paused_at if stands and clock.paused_at else at)
    remaining = clock.due_at - counted
    left = 1 - core.share_used(clock.started_at, clock.moments, counted)
    state = _state(clock, counted)
    return ClockView(
        id=clock.id,
        kind=clock.kind,
        priority=clock.priority,
        state=state,
        tone=_tone(state, left),
        remaining=remaining,
        remaining_text=_remaining_text(state, remaining),
        due_at=clock.due_at,
        due_text=moment_text(clock.due_at, at),
        quoted_at=clock.quoted_at,
        quoted_text=moment_text(clock.quoted_at, at) if clock.quoted_at else "",
        share_left=left,
    )


def views(clocks: Iterable[Clock], at: datetime) -> list[ClockView]:
    """All given clocks as views, the most urgent first and finished ones last."""
    rows = list(clocks)
    first = most_urgent(rows)
    return [view(clock, at) for clock in sorted(rows, key=lambda row: (row is not first, not row.is_open, row.due_at))]


def moment_text(moment: datetime, at: datetime) -> str:
    """16:30 on the day of `at`, 'Thu 09:00' / '周四 09:00' within six days, else the date with the time."""
    days = (local(moment).date() - local(at).date()).days
    time = display.clock_time(moment)
    if days == 0:
        return time
    if 0 < days < 7:
        return f"{format_date(local(moment).date(), 'EEE', rebase=False)} {time}"
    return f"{display.date_short(moment)} {time}"


def window_text(starts_at: datetime, ends_at: datetime, at: datetime) -> str:
    """'15:00–17:00' on the day of `at`, else with the day."""
    return f"{moment_text(starts_at, at)}–{display.clock_time(ends_at)}"


def _state(clock: Clock, at: datetime) -> ViewState:
    if clock.stopped_at is not None:
        return clock.state  # type: ignore[return-value]  # a stopped clock is kept, breached or void
    if clock.state == "breached" or at > clock.due_at:
        return "over"
    return "paused" if clock.paused_at is not None else "running"


def _tone(state: ViewState, left: float) -> Tone:
    if state in ("over", "breached"):
        return "bad"
    if state in ("kept", "void"):
        return "ok" if state == "kept" else "mute"
    return "ok" if left > 0.5 else "mute" if left >= 0.25 else "warn"


def _remaining_text(state: ViewState, remaining: timedelta) -> str:
    if state in ("kept", "void"):
        return word("state", state, language())
    if state in ("over", "breached"):
        return str(_("%(time)s over", time=display.minutes(max(-remaining, timedelta(minutes=1)))))
    return display.minutes(remaining)
