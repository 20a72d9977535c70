"""Clocks of the fast path: started, warned, broken and stopped by the same arithmetic as `mechanisms.clocks`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from fieldservice.contracts import promises
from fieldservice.contracts.quoting import FEWEST, quote
from fieldservice.demo.rows import Row, Rows
from fieldservice.demo.stories import CALENDAR, Story, limits_of
from fieldservice.mechanisms.clocks import Clock, core
from fieldservice.mechanisms.clocks.scan import ESCALATION_LIMIT
from fieldservice.mechanisms.limits import Limit
from fieldservice.mechanisms.tasks import Task

SYSTEM = "system"


@dataclass
class Running:
    """A clock's row with its moments, which the row holds as texts."""

    row: Row
    marks: core.Moments
    limit: Limit
    task: Row | None = None


Clocks = dict[str, Running]  # by kind


@dataclass
class Clockwork:
    """Starts, watches and stops clocks, and remembers how long finished cases took, since that is what is quoted."""

    rows: Rows
    watched: list[tuple[datetime, int, Running]] = field(default_factory=list)  # a heap: who is looked at next
    waits: dict[tuple[int, str, str], list[float]] = field(default_factory=dict)
    _quotes: dict[tuple[int, str, str, int], float] = field(default_factory=dict)

    def give(self, request: Row, story: Story) -> Clocks:
        """The promises of a request, as `promises.give`."""
        return {kind: self._start(request, kind, limit) for kind, limit in story.limits().items()}

    def _start(self, request: Row, kind: str, limit: Limit) -> Running:
        start = request["received_at"]
        marks = core.moments(start, limit, CALENDAR)
        quoted = self._quoted(request, kind, limit)
        row = self.rows.add(
            Clock, subject_type="service_request", subject_id=request.id, station_id=request["station_id"], kind=kind,
            priority=request["priority"], calendar=limit.calendar, limit_minutes=limit.minutes, origin=limit.origin,
            started_at=start, due_at=marks[-1], marks=[mark.isoformat() for mark in marks[:-1]],
            next_check_at=core.next_check(marks, 0), quoted_at=min(quoted, marks[-1]) if quoted else None,
            told_at=start,
        )  # fmt: skip
        return self._watch(Running(row, marks, limit))

    def _watch(self, running: Running) -> Running:
        at = running.row["next_check_at"]
        if at is not None:
            heappush(self.watched, (at, running.row.id, running))
        return running

    def requote(self, request: Row, clocks: Clocks, tier: str) -> None:
        """What triage does to promises whose priority stays: a newer quote counts where it is earlier."""
        for kind in limits_of(request["priority"], tier):
            row = clocks[kind].row
            quoted = self._quoted(request, kind, clocks[kind].limit)
            if row["stopped_at"] is None and row["state"] == "running" and quoted is not None:
                row["quoted_at"] = min(quoted, row["quoted_at"] or quoted, row["due_at"])

    def pass_time(self, until: datetime) -> None:
        """Everything the watch over clocks tells up to a moment, each at its own."""
        while self.watched and self.watched[0][0] <= until:
            at, _id, running = heappop(self.watched)
            if running.row["state"] == "running" and running.row["next_check_at"] == at:
                self._check(running, at)
                self._watch(running)

    def _check(self, running: Running, now: datetime) -> None:
        row, share = running.row, core.passed_share(running.marks, now)
        if share < 100:
            row["warned"], row["next_check_at"] = share, core.next_check(running.marks, share)
            told = {**facts(row), "share": share}
            self.rows.record(
                "clock.warned", row.subject_type, row["subject_id"], row["station_id"], told, at=now, by=SYSTEM
            )  # fmt: skip
            return
        row["warned"], row["next_check_at"] = 100, None
        self.rows.move(row, "breached", at=now, by=SYSTEM, **facts(row))
        running.task = self._escalate(row, now)

    def _escalate(self, row: Row, now: datetime) -> Row:
        told = {"kind": row["kind"], "priority": row["priority"], "due_at": row["due_at"].isoformat()}
        return open_task(
            self.rows, "clock_breached", row, due_at=now + ESCALATION_LIMIT, at=now, facts=told,
            key=f"clock_breached:{row.id}", supervisor="director",
        )  # fmt: skip

    def stop(self, running: Running, at: datetime, by: str) -> None:
        """The promised thing happened: kept or broken, and one more case to quote from."""
        row = running.row
        if row["stopped_at"] is not None:
            return
        at = max(at, row["started_at"])
        verdict = core.outcome(row["due_at"], at)
        row["stopped_at"], row["next_check_at"] = at, None
        if row["state"] != verdict:
            self.rows.move(row, verdict, at=at, by=by, **facts(row))
        queue = (row["station_id"], row["priority"], row["kind"])
        took = (
            CALENDAR.minutes_between(row["started_at"], at)
            if running.limit.calendar == "business"
            else (at - row["started_at"]).total_seconds() / 60
        )
        self.waits.setdefault(queue, []).append(took)

    def void(self, clocks: Mapping[str, Running], at: datetime, by: str, reason: str) -> None:
        """Open clocks no longer count."""
        for running in clocks.values():
            row = running.row
            if row["stopped_at"] is None:
                row["stopped_at"], row["next_check_at"] = max(at, row["started_at"]), None
                self.rows.move(row, "void", at=at, by=by, reason=reason, **facts(row))

    def _quoted(self, request: Row, kind: str, limit: Limit) -> datetime | None:
        queue = (request["station_id"], request["priority"], kind)
        waits = self.waits.get(queue, [])
        if len(waits) < FEWEST:
            return None
        known = (*queue, len(waits))
        if known not in self._quotes:
            self._quotes[known] = quote(limit.minutes, waits[-promises.MOST_CASES :]).minutes
        minutes = self._quotes[known]
        start: datetime = request["received_at"]
        return CALENDAR.add(start, minutes) if limit.calendar == "business" else start + timedelta(minutes=minutes)


def facts(row: Row) -> dict[str, Any]:
    """What every clock event tells (`clocks.services.facts`)."""
    return {
        "clock": row.id,
        "kind": row["kind"],
        "priority": row["priority"],
        "due_at": row["due_at"].isoformat(),
        "told": True,
    }


def open_task(
    rows: Rows, title: str, about: Row, *, due_at: datetime, at: datetime, facts: dict[str, Any], key: str,
    supervisor: str, by: str = SYSTEM,
) -> Row:  # fmt: skip
    """As `tasks.open_task` for the station manager."""
    subject_id = int(about.get("subject_id") or about.id)
    task = rows.add(
        Task, title=title, facts=facts, subject_type="service_request", subject_id=subject_id,
        station_id=about["station_id"], owner_role="station_manager", supervisor_role=supervisor, opened_at=at,
        due_at=due_at, key=key,
    )  # fmt: skip
    told = {"task": task.id, "title": title}
    rows.record("task.opened", "service_request", subject_id, about["station_id"], told, at=at, by=by)
    return task


def finish_task(rows: Rows, task: Row, at: datetime, by: str, result: str) -> None:
    """As `tasks.finish`."""
    rows.move(task, "done", at=at, by=by, task=task.id, result=result)
    task["finished_at"], task["result"] = at, result
