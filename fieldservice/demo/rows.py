"""Many rows at once: the fast path by which months of history are told in seconds (decision 0008).

The services write one fact at a time and look before each; half a year of a company would take them
minutes. Here the same rows are made in memory and inserted table by table. Nothing is bypassed that
keeps data sound: states begin and move by the models' own lifecycle tables, every move is an event,
defaults are the models' own, and all events go into the log with its chain. A test tells the same
stories both ways and compares what is stored.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, func, insert, inspect, select
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from fieldservice.foundation.db import Base, is_sqlite, session
from fieldservice.mechanisms.events import Event, EventLog, EventNote, chained, log_backlog
from fieldservice.mechanisms.lifecycle import Lifecycle

BATCH = 5000


class Row(dict[str, Any]):
    """A row to be: its columns by name, and the model it is of."""

    model: type[Any]

    @property
    def id(self) -> int:
        return int(self["id"])

    @property
    def subject_type(self) -> str:
        """As the model says; a row about something else (a clock, a task) holds its own."""
        return str(self.get("subject_type") or self.model.subject_type)

    @property
    def station_id(self) -> int | None:
        return self.get("station_id")


@dataclass
class Fact:
    """An event to be, with what was written about it."""

    at: datetime
    kind: str
    subject_type: str
    subject_id: int
    actor: str
    station_id: int | None
    facts: dict[str, Any]
    note: str | None
    id: int = 0


@dataclass
class Rows:
    """What will be stored by `save`, in the transaction around it."""

    made: dict[Table, list[Row]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    below: Mapping[str, int] = field(default_factory=dict)  # by table: ids up to here are left free for older rows
    _last: dict[Table, int] = field(default_factory=dict)
    _blank: dict[type[Any], dict[str, Any]] = field(default_factory=dict)

    def add(self, model: type[Any], /, **values: Any) -> Row:
        """A new row with its id, the model's defaults, and its first state checked against the model's table."""
        table = _table(model)
        blank = self._blank.get(model) or self._blank.setdefault(model, dict(_defaults(model)))
        cycle: Lifecycle | None = getattr(model, "lifecycle", None)
        row = Row(blank)
        row.model = model
        row.update(values)
        if len(row) != len(blank):
            raise ValueError(f"{table.name} has no {sorted(values.keys() - blank.keys())}")
        if cycle is not None:
            row["state"] = row["state"] or cycle.initial
            if row["state"] not in cycle.moves and row["state"] not in cycle.states:
                raise ValueError(f"{table.name} has no state {row['state']!r}")
        if "id" in blank:
            row["id"] = self._next_id(table)
        self.made.setdefault(table, []).append(row)
        return row

    def record(
        self, kind: str, subject_type: str, subject_id: int, station_id: int | None,
        facts: dict[str, Any] | None = None, *, at: datetime, by: str, note: str | None = None,
    ) -> None:  # fmt: skip
        """A fact, as `events.record` writes it."""
        self.facts.append(Fact(at.astimezone(UTC), kind, subject_type, subject_id, by, station_id, facts or {}, note))

    def move(
        self, row: Row, to: str, *, at: datetime, by: str, reason: str | None = None, **facts: Any
    ) -> None:  # fmt: skip
        """Move a row's state by its model's table and record it, as `lifecycle.move` does."""
        cycle: Lifecycle = row.model.lifecycle
        before = row["state"]
        if not cycle.allows(before, to):
            raise ValueError(f"{cycle.entity} cannot go from {before} to {to}")
        if to in cycle.reason_for and not reason:
            raise ValueError(f"{cycle.entity} needs a reason to be {to}")
        row["state"] = to
        if "version" in row:
            row["version"] += 1
        about = row.get("subject_id") or row["id"]
        told = {"from": before, **facts}
        self.record(f"{cycle.entity}.{to}", row.subject_type, about, row.station_id, told, at=at, by=by, note=reason)

    def save(self) -> None:
        """Insert everything; events in the order of time, so that the log reads like the months it tells of."""
        log_backlog()  # what the services wrote before comes first in the log
        self.facts.sort(key=lambda fact: fact.at)
        for number, fact in enumerate(self.facts, self._last_id(_table(Event)) + 1):
            fact.id = number
            self._keep_note(fact)
        columns = [column.key for column in _table(Event).columns]
        events = [{name: getattr(fact, name) for name in columns} for fact in self.facts]
        for table in Base.metadata.sorted_tables:
            insert_rows(table, events if table is _table(Event) else self.made.get(table, []))
        insert_rows(_table(EventLog), list(chained(self.facts)))
        if not is_sqlite():
            self._advance_sequences()
        self.made.clear()
        self.facts.clear()
        self._last.clear()
        session.expire_all()  # the session must not remember what was changed under it

    def _keep_note(self, fact: Fact) -> None:
        if fact.note:
            salt = secrets.token_hex(16)
            fact.facts["note"] = hashlib.sha256(f"{salt}{fact.note}".encode()).hexdigest()
            self.add(EventNote, event_id=fact.id, salt=salt, words=fact.note)

    def _next_id(self, table: Table) -> int:
        self._last[table] = self._last_id(table) + 1
        return self._last[table]

    def _last_id(self, table: Table) -> int:
        if table not in self._last:
            session.flush()
            last = session.scalar(select(func.max(table.c.id))) or 0
            self._last[table] = max(last, self.below.get(table.name, 0))
        return self._last[table]

    def _advance_sequences(self) -> None:
        """PostgreSQL gives the next id from a sequence, which our explicit ids have not moved."""
        for table in (*self.made, _table(Event)):
            if "id" in table.c:
                sequence = func.pg_get_serial_sequence(table.name, "id")
                session.execute(select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery())))


def _table(model: type[Any]) -> Table:
    found: Table = model.__table__
    return found


def _defaults(model: type[Any]) -> Iterator[tuple[str, Any]]:
    """Every column with its default; a version begins at 1."""
    version = inspect(model).version_id_col
    for column in _table(model).columns:
        if column is version:
            yield column.key, 1
        else:
            yield column.key, column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None


def insert_rows(table: Table, rows: list[Any]) -> None:
    """Insert by the driver itself: SQLAlchemy prepares the statement and the values' types once, not for each row."""
    if not rows:
        return
    connection = session.connection()
    compiled = insert(table).compile(dialect=connection.dialect)
    binders: list[tuple[str, Callable[[Any], Any] | None]] = [
        (column.key, column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect))
        for column in table.columns
    ]
    names = [name for name, _bind in binders]
    bound = [tuple(bind(row[name]) if bind else row[name] for name, bind in binders) for row in rows]
    if compiled.positional:
        assert compiled.positiontup == names
        values: list[Any] = bound
    else:
        values = [dict(zip(names, one, strict=True)) for one in bound]
    for start in range(0, len(values), BATCH):
        connection.exec_driver_sql(compiled.string, values[start : start + BATCH])
