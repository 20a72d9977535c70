"""Events: one append-only row per fact. Audit trail, timeline, outbox and live feed at once.

A service records an event in its own transaction and nothing else. Facts hold codes, ids and numbers,
never personal words, so erasing a person never breaks the chain. The relay later gives each event a
sequence and extends the hash chain (`event_log`); `verify` walks it. What the relay has not seen yet
stands in `event_pending`: asking "which events are not in the log" would read all of them, ten times
a second.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ForeignKey, Index, String, Text, bindparam, delete, exists, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.access import actor
from fieldservice.foundation.db import Base, Id, UtcDateTime, dumps, is_sqlite, must_write, reserved_ids, session
from fieldservice.foundation.time import now


class Subject(Protocol):
    """Anything events, clocks and tasks can be about: named by type and id, never by model."""

    @property
    def subject_type(self) -> str: ...

    @property
    def id(self) -> Any: ...


class Event(Base):
    """A fact. Never updated."""

    __tablename__ = "event"
    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    actor: Mapped[str] = mapped_column(String(40))
    station_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("ix_event_subject", "subject_type", "subject_id", "id"),
        Index("ix_event_station", "station_id", "id"),
    )


class EventLog(Base):
    """The relay's order of events and the hash chain over them."""

    __tablename__ = "event_log"
    seq: Mapped[Id]
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), unique=True)
    hash: Mapped[str] = mapped_column(String(64))


class EventPending(Base):
    """An event the relay has not logged yet; written with the event, deleted with its log entry."""

    __tablename__ = "event_pending"
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)


class EventNote(Base):
    """What a person wrote about a fact. Erasable: the event keeps only a salted digest of it."""

    __tablename__ = "event_note"
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    salt: Mapped[str] = mapped_column(String(32))
    words: Mapped[str] = mapped_column(Text)


class EventEffect(Base):
    """One row per event and handler, in the effect's own transaction: each effect happens once."""

    __tablename__ = "event_effect"
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    handler: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


Handler = Callable[[Event], None]
_handlers: dict[str, list[Handler]] = {}


def subscribe(table: Mapping[str, Sequence[Handler]]) -> None:
    """Replace the wiring: event kind → functions that answer it in the same transaction."""
    _handlers.clear()
    _handlers.update({kind: list(handlers) for kind, handlers in table.items()})


def record(
    kind: str,
    subject: Subject,
    facts: dict[str, Any] | None = None,
    *,
    station_id: int | None = None,
    at: datetime | None = None,
    by: str | None = None,
    note: str | None = None,
) -> Event:
    """Write a fact about `subject` and let the subscribed functions answer it, all in this transaction.

    The station defaults to the subject's own; `by` names an actor other than the current one; `note`
    is free text (a reason), kept apart so that it can be erased.
    """
    session.flush()
    salt = secrets.token_hex(16) if note else ""
    facts = dict(facts or {})
    if note:
        facts["note"] = hashlib.sha256(f"{salt}{note}".encode()).hexdigest()
    event = _written(
        at=at or now(),
        kind=kind,
        subject_type=subject.subject_type,
        subject_id=subject.id,
        actor=by or actor(),
        station_id=station_id if station_id is not None else getattr(subject, "station_id", None),
        facts=facts,
    )
    if note:
        session.add(EventNote(event_id=event.id, salt=salt, words=note))
    for handler in _handlers.get(kind, ()):
        handler(event)
    return event


def _written(**columns: Any) -> Event:
    """The fact and its place in the relay's queue, as rows: nearly every change writes one, and as objects the two were
    a third of what a change takes. The event itself stands outside the session; nothing of it ever changes."""
    must_write()
    connection = session.connection()
    if is_sqlite(connection):
        number = connection.execute(_FACT, columns).lastrowid
        connection.execute(_QUEUED, {"event_id": number})
    else:
        number = connection.execute(_FACT_QUEUED, columns).scalar_one()
    return Event(id=number, **columns)


_FACT, _QUEUED = insert(Event.__table__), insert(EventPending.__table__)  # type: ignore[arg-type]  # tables, to SQLAlchemy
_told = _FACT.values({column.name: bindparam(column.name) for column in Event.__table__.columns if column.name != "id"})
_told_ids = _told.returning(Event.__table__.c.id).cte("told")
_FACT_QUEUED = _QUEUED.from_select(["event_id"], select(_told_ids.c.id)).returning(EventPending.__table__.c.event_id)


def record_many(
    kind: str, told: Sequence[tuple[Subject, dict[str, Any]]], *, at: datetime | Sequence[datetime]
) -> None:
    """The same kind of fact about many subjects, in three statements. For kinds that nobody answers at once."""
    moments = [at] * len(told) if isinstance(at, datetime) else at
    if _handlers.get(kind):
        for (subject, facts), moment in zip(told, moments, strict=True):
            record(kind, subject, facts, at=moment)
        return
    session.flush()
    by = actor()
    rows = [
        {
            "at": moment, "kind": kind, "subject_type": subject.subject_type, "subject_id": subject.id, "actor": by,
            "station_id": getattr(subject, "station_id", None), "facts": facts,
        }
        for (subject, facts), moment in zip(told, moments, strict=True)
    ]  # fmt: skip
    if rows:
        ids: Sequence[int] = reserved_ids(Event, len(rows))
        if ids:
            session.execute(insert(Event), [{"id": event_id, **row} for event_id, row in zip(ids, rows, strict=True)])
        else:
            ids = session.scalars(insert(Event).returning(Event.id), rows).all()
        session.execute(insert(EventPending), [{"event_id": event_id} for event_id in ids])


def history(subject: Subject, limit: int = 200) -> Sequence[Event]:
    """The newest facts about a subject, oldest first."""
    newest = (
        select(Event)
        .where(Event.subject_type == subject.subject_type, Event.subject_id == subject.id)
        .order_by(Event.id.desc())
        .limit(limit)
    )
    return list(reversed(session.scalars(newest).all()))


def notes_of(events: Iterable[Event]) -> dict[int, str]:
    """What people wrote about these facts, by event id, in one query; erased notes are left out."""
    ids = [event.id for event in events if "note" in event.facts]
    if not ids:
        return {}
    rows = session.execute(select(EventNote.event_id, EventNote.words).where(EventNote.event_id.in_(ids)))
    return {row.event_id: row.words for row in rows}


def erase_notes(subject: Subject) -> int:
    """Erase all free words about a subject's facts; the chain holds only salted digests. Returns how many."""
    mine = select(Event.id).where(Event.subject_type == subject.subject_type, Event.subject_id == subject.id)
    gone = session.execute(delete(EventNote).where(EventNote.event_id.in_(mine)).returning(EventNote.event_id))
    return len(gone.all())


def chain_hash(previous: str, event: Any) -> str:
    """SHA-256 over the previous hash and every field of the event (an Event, or a row of its columns)."""
    content = dumps(
        [event.id, event.at.isoformat(), event.kind, event.subject_type, event.subject_id, event.actor,
         event.station_id, event.facts]
    )  # fmt: skip
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def log_new_events(limit: int = 500) -> list[tuple[int, Event]]:
    """Give pending events their sequence and chain hash; called by the relay alone, inside `write`."""
    pending = select(Event).join(EventPending).order_by(Event.id).limit(limit)
    # hashed as stored, whatever this session holds in memory
    events = session.scalars(pending.execution_options(populate_existing=True)).all()
    if not events:
        return []
    seq, previous = _last_link()
    logged = []
    for event in events:
        seq, previous = seq + 1, chain_hash(previous, event)
        session.add(EventLog(seq=seq, event_id=event.id, hash=previous))
        logged.append((seq, event))
    session.execute(delete(EventPending).where(EventPending.event_id.in_([event.id for event in events])))
    return logged


def chained(events: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Log entries that go on from the last one, for events (or rows of their columns) in the order of their ids.

    For loads that write many events at once, inside `write`; nobody is told of them.
    """
    seq, previous = _last_link()
    for event in events:
        seq, previous = seq + 1, chain_hash(previous, event)
        yield {"seq": seq, "event_id": event.id, "hash": previous}


def log_backlog() -> int:
    """Log everything that waits at once, telling nobody, so that a load ends with a whole chain. Returns how many."""
    pending = select(*Event.__table__.columns).join(EventPending, EventPending.event_id == Event.id)
    entries = list(chained(session.execute(pending.order_by(Event.id))))
    if entries:
        session.execute(insert(EventLog), entries)
        session.execute(delete(EventPending))
    return len(entries)


def _last_link() -> tuple[int, str]:
    last = session.execute(select(EventLog.seq, EventLog.hash).order_by(EventLog.seq.desc()).limit(1)).first()
    return (last.seq, last.hash) if last else (0, "")


def first_broken_link(batch: int = 2000) -> int | None:
    """Walk the chain; the sequence of the first entry that does not fit, or None when all is well."""
    previous, after = "", 0
    # columns, not objects: what is verified is what is stored
    links = select(EventLog.seq, EventLog.hash, *Event.__table__.columns).join(Event, Event.id == EventLog.event_id)
    while rows := session.execute(links.where(EventLog.seq > after).order_by(EventLog.seq).limit(batch)).all():
        for row in rows:
            if row.seq != after + 1 or row.hash != chain_hash(previous, row):
                return int(row.seq)
            previous, after = row.hash, row.seq
    return None


def unlogged_count() -> int:
    """How many events wait for the relay."""
    return session.scalar(select(func.count()).select_from(EventPending)) or 0


def lost_events() -> int:
    """How many events neither stand in the log nor wait for it: always 0, asked by `verify`."""
    logged = exists().where(EventLog.event_id == Event.id)
    waiting = exists().where(EventPending.event_id == Event.id)
    return session.scalar(select(func.count(Event.id)).where(~logged, ~waiting)) or 0
