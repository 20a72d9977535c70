"""Tasks: something the system asks a person to do, with owner, supervisor, limit, origin and result."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, false, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from fieldservice.foundation.access import Person
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import Base, Id, session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms.events import Subject, record
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, move, table
from fieldservice.mechanisms.subjects import OnBehalf

_title_files: list[Path] = [Path(__file__).parent / "data" / "tasks.yaml"]


class Task(Stateful, Base):
    """Asked of one person, or of a role at a station. Its events are told on the subject's timeline."""

    __tablename__ = "task"
    lifecycle = Lifecycle("task", "open", table("open → done | cancelled"))
    id: Mapped[Id]
    title: Mapped[str] = mapped_column(String(40))  # a code of the registered titles, filled with the facts
    facts: Mapped[dict[str, Any]]
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    station_id: Mapped[int | None]
    owner_role: Mapped[str | None] = mapped_column(String(24))
    owner_user_id: Mapped[int | None]
    supervisor_role: Mapped[str] = mapped_column(String(24))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    origin_event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    key: Mapped[str | None] = mapped_column(String(120), unique=True)  # the same cause asks once
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(String(40))
    __table_args__ = (
        CheckConstraint("owner_role IS NOT NULL OR owner_user_id IS NOT NULL", name="owned"),
        Index("ix_task_role", "state", "owner_role", "station_id", "due_at", "id"),
        Index("ix_task_user", "state", "owner_user_id", "due_at", "id"),
        Index("ix_task_subject", "subject_type", "subject_id"),
    )


def open_task(
    title: str,
    subject: Subject,
    *,
    due_at: datetime,
    at: datetime,
    owner_role: str | None = None,
    owner_user_id: int | None = None,
    supervisor_role: str = "station_manager",
    station_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
    origin_event_id: int | None = None,
    key: str | None = None,
) -> Task:
    """Ask somebody to do something about `subject`. With a `key`, a second asking gives the first task."""
    task = Task(
        title=title,
        facts=dict(facts or {}),
        subject_type=subject.subject_type,
        subject_id=subject.id,
        station_id=station_id if station_id is not None else getattr(subject, "station_id", None),
        owner_role=owner_role,
        owner_user_id=owner_user_id,
        supervisor_role=supervisor_role,
        opened_at=at,
        due_at=due_at,
        origin_event_id=origin_event_id,
        key=key,
    )
    if key is not None:
        known = session.scalar(select(Task).where(Task.key == key))
        if known is not None:
            return known
        try:
            with session.begin_nested():
                session.add(task)
        except IntegrityError:  # asked at the same moment elsewhere; that must not cost the caller's work
            return session.scalars(select(Task).where(Task.key == key)).one()
    session.add(task)
    session.flush()
    record("task.opened", subject, {"task": task.id, "title": title}, station_id=task.station_id, at=at)
    return task


def finish(task: Task, *, at: datetime, result: str | None = None, note: str | None = None) -> Task:
    """Done. `result` is a code, `note` free words (kept erasable). Raises Conflict when not open."""
    move(OnBehalf(task), "done", at=at, reason=note, task=task.id, result=result)
    task.finished_at, task.result = at, result
    return task


def cancel(task: Task, *, at: datetime, reason: str | None = None, again: bool = False) -> Task:
    """No longer needed; `again` where its cause may come back, and then asks anew. Raises Conflict when not open."""
    move(OnBehalf(task), "cancelled", at=at, reason=reason, task=task.id)
    task.finished_at = at
    if again:
        task.key = None
    return task


def cancel_keyed(key: str, *, at: datetime, reason: str | None = None) -> Task | None:
    """Cancel the open task of this cause, since the cause is gone. None when there is none."""
    task = open_of(key)
    return cancel(task, at=at, reason=reason) if task is not None else None


def open_of(key: str) -> Task | None:
    """The open task of this cause."""
    return session.scalar(select(Task).where(Task.key == key, Task.state == "open"))


def difference(titles: Collection[str], wanted: Collection[str]) -> tuple[set[str], list[Task]]:
    """(keys nobody was asked about yet, open tasks of these titles whose key is not wanted any more), of what is read
    again and again; two queries, or one where nothing is wanted."""
    known = set(session.scalars(select(Task.key).where(Task.key.in_(wanted)))) if wanted else set()
    asked = session.scalars(select(Task).where(Task.title.in_(titles), Task.state == "open").order_by(Task.id))
    return set(wanted) - known, [task for task in asked if task.key not in wanted]


def tasks_for(
    person: Person, after: tuple[datetime, int] | None = None, limit: int = 50, at: datetime | None = None
) -> Sequence[Task]:
    """The person's open tasks, first due first: own, of the roles held, and overdue ones to supervise.

    `after` = (due_at, id) of the last one seen.
    """
    overdue = and_(Task.due_at < (at or now()), _of_roles(Task.supervisor_role, person))
    mine = or_(Task.owner_user_id == person.user_id, _of_roles(Task.owner_role, person), overdue)
    statement = select(Task).where(Task.state == "open", mine)
    if after is not None:
        statement = statement.where(tuple_(Task.due_at, Task.id) > after)
    return session.scalars(statement.order_by(Task.due_at, Task.id).limit(limit)).all()


def tasks_about(subject: Subject) -> Sequence[Task]:
    """All tasks about a subject, newest first."""
    about = select(Task).where(Task.subject_type == subject.subject_type, Task.subject_id == subject.id)
    return session.scalars(about.order_by(Task.id.desc())).all()


def may_finish(person: Person, task: Task) -> bool:
    """Whether the task is the person's own, or of a role they (or as supervisor) hold at its station."""
    if task.owner_user_id == person.user_id:
        return True
    return any(
        person.has(role) and (task.station_id is None or person.covers(task.station_id, role))
        for role in (task.owner_role, task.supervisor_role)
        if role
    )


def _of_roles(column: InstrumentedAttribute[Any], person: Person) -> ColumnElement[bool]:
    """Tasks whose role (owner's, supervisor's) the person holds at their station; stationless ones count anywhere."""
    ways: list[ColumnElement[bool]] = [false()]
    for role, stations in person.roles.items():
        if stations is None:
            ways.append(column == role)
        else:
            ways.append(and_(column == role, or_(Task.station_id.in_(sorted(stations)), Task.station_id.is_(None))))
    return or_(*ways)


def register_titles(path: Path) -> None:
    """Add a capability's task titles: YAML `code: {zh, en, words: {fact: namespace}}`."""
    if path not in _title_files:
        _title_files.append(path)
        _titles.cache_clear()


@cache
def _titles() -> dict[str, dict[str, Any]]:
    titles: dict[str, dict[str, Any]] = {}
    for path in _title_files:
        for code, entry in read_yaml(path).items():
            if code in titles or not {"zh", "en"} <= entry.keys():
                raise ValueError(f"{path.name}: task {code} is there twice or lacks a language")
            titles[code] = entry
    return titles


def title_text(task: Task) -> str:
    """The task's title in the reader's language, with its facts in words."""
    entry = _titles().get(task.title)
    if entry is None:
        return word("task", task.title)
    namespaces = entry.get("words", {})
    shown = {name: word(namespaces[name], value) if name in namespaces else value for name, value in task.facts.items()}
    return pick(entry).format_map(_Shown(shown))


class _Shown(dict[str, Any]):
    """Facts for a title; one that is missing shows as nothing rather than failing a list."""

    def __missing__(self, key: str) -> str:
        return ""
