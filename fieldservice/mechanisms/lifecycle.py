"""Lifecycle: the states of a thing and its allowed moves, declared as a table on the model.

`move` is the only way to change a state: it checks the table, demands a reason where the table says
so, and records who, when and why as an event. Assigning `.state` directly raises.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import Executable, String, bindparam, event, inspect, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from fieldservice.foundation.db import in_savepoint, lock_rows, must_write, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.mechanisms.events import record, record_many

_moving: ContextVar[bool] = ContextVar("moving", default=False)


@dataclass(frozen=True)
class Lifecycle:
    """States and allowed moves of one entity. `reason_for` lists target states that need a reason."""

    entity: str
    initial: str
    moves: Mapping[str, frozenset[str]]
    reason_for: frozenset[str] = field(default_factory=frozenset)

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self.moves) | frozenset(to for targets in self.moves.values() for to in targets)

    def allows(self, state: str, to: str) -> bool:
        return to in self.moves.get(state, frozenset())


def table(text: str) -> dict[str, frozenset[str]]:
    """Read moves as DOMAIN §4 writes them, one line each: 'new → triaged | duplicate'."""
    moves: dict[str, set[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        sources, targets = line.split("→")
        for source in sources.split("|"):
            moves.setdefault(source.strip(), set()).update(target.strip() for target in targets.split("|"))
    return {source: frozenset(targets) for source, targets in moves.items()}


class Stateful:
    """Mixin of every model with a lifecycle. A new row begins in the initial state, or in one the table knows."""

    lifecycle: ClassVar[Lifecycle]
    state: Mapped[str] = mapped_column(String(24))

    def __init__(self, **values: Any) -> None:
        state = values.setdefault("state", self.lifecycle.initial)
        if state not in self.lifecycle.states:
            raise ValueError(f"{type(self).__name__} has no state {state!r}")
        token = _moving.set(True)
        try:
            super().__init__(**values)
        finally:
            _moving.reset(token)


def stateful_models() -> Iterator[type[Stateful]]:
    """Every mapped model with a lifecycle."""
    waiting: list[type[Stateful]] = list(Stateful.__subclasses__())
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if inspect(model, raiseerr=False) is not None:
            yield model


@event.listens_for(Mapper, "after_configured")
def _guard_states() -> None:
    for model in stateful_models():
        if not event.contains(model.state, "set", _refuse_assignment):
            event.listen(model.state, "set", _refuse_assignment)


def _refuse_assignment(target: Any, value: str, _old: Any, _initiator: Any) -> None:
    if not _moving.get():
        raise AttributeError(f"{type(target).__name__}.state is changed by lifecycle.move, not assigned ({value})")


def move(
    subject: Any,
    to: str,
    *,
    reason: str | None = None,
    at: datetime | None = None,
    by: str | None = None,
    **facts: Any,
) -> None:
    """Move `subject` to state `to` and record `<entity>.<to>`.

    Raises Conflict `move_forbidden` (facts: state, to, allowed) when the table does not allow it, and
    Invalid when the target needs a reason and none is given.
    """
    cycle: Lifecycle = subject.lifecycle
    before: str = subject.state
    silent = to in cycle.reason_for and not (reason or "").strip()
    if silent or not cycle.allows(before, to) or not _moved_at_once(subject, before, to):
        lock_rows(getattr(subject, "row", subject))
        before = subject.state
        _require(cycle, before, to)
        if silent:
            raise Invalid({"reason": [_l("Please give a reason.")]}, code="reason_needed")
        _put(subject, to)
    record(f"{cycle.entity}.{to}", subject, {"from": before, **facts}, at=at, by=by, note=reason)


def move_many(subjects: Sequence[Any], to: str, *, at: datetime) -> None:
    """The same move of many rows of one kind, with an event each, in a few statements; all of them or none.

    The caller read the rows `with_for_update`, so that their states still hold. For targets that need no reason.
    Raises Conflict `move_forbidden`.
    """
    told = []
    for subject in subjects:
        _require(subject.lifecycle, subject.state, to)
        told.append((subject, {"from": subject.state}))
    for subject in subjects:
        _put(subject, to)
    if told:
        record_many(f"{subjects[0].lifecycle.entity}.{to}", told, at=at)


def _require(cycle: Lifecycle, before: str, to: str) -> None:
    if not cycle.allows(before, to):
        raise Conflict(
            _l("This step is not possible from the present state."),
            code="move_forbidden",
            state=before,
            to=to,
            allowed=sorted(cycle.moves.get(before, ())),
        )


def _put(subject: Any, to: str) -> None:
    token = _moving.set(True)
    try:
        subject.state = to
    finally:
        _moving.reset(token)


def _moved_at_once(row: Any, before: str, to: str) -> bool:
    """Look, hold and change in one statement: done if the row is still where we saw it; else nothing happened.

    Only for a row of which nothing else waits to be written (what the database checks may need both together) and that
    has no version to count; and not inside a savepoint, whose end the session would not notice.
    """
    known = inspect(row, raiseerr=False)
    if known is None or not known.persistent or known.modified or known.mapper.version_id_col is not None:
        return False
    if in_savepoint():
        return False
    must_write()
    session.flush()
    given = {"mine": known.identity[0], "before": before, "to": to}
    if session.connection().execute(_moving_one(known.mapper), given).rowcount != 1:
        return False
    set_committed_value(row, "state", to)
    return True


@cache
def _moving_one(mapper: Mapper[Any]) -> Executable:
    rows: Any = mapper.local_table
    columns = rows.c
    return (
        update(rows)
        .where(columns.id == bindparam("mine"), columns.state == bindparam("before"))
        .values(state=bindparam("to"))
    )
