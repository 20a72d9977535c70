"""The audit trail: who did what to what, and when. Reads the events, newest first, a page at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, or_, select

from fieldservice.accounts.models import User
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import Event, notes_of
from fieldservice.stations.models import Station
from fieldservice.workorders import history
from fieldservice.workorders.models import WorkOrder

PAGE = 100
READERS = ("admin", "director")
NUMBERED: dict[str, Any] = {"SR": ServiceRequest, "WO": WorkOrder}


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty means everything."""

    who: str = ""
    entity: str = ""
    number: str = ""
    station: str = ""
    first: date | None = None
    last: date | None = None
    after: int = 0


@dataclass(frozen=True)
class Entry:
    """A fact in words, beside the codes it is stored as."""

    event: Event
    who: str
    text: str
    note: str
    station: str
    about: str


def entries(person: Person, filters: Filters, limit: int = PAGE) -> list[Entry]:
    """A page of the trail; five queries whatever its length."""
    rows = session.scalars(_asked(person, filters).order_by(Event.id.desc()).limit(limit)).all()
    return _in_words(rows)


def every(person: Person, filters: Filters) -> Iterator[Entry]:
    """All that fits, a page in memory at a time."""
    while page := entries(person, filters):
        yield from page
        filters = Filters(**{**vars(filters), "after": page[-1].event.id})
        session.expunge_all()


def _asked(person: Person, filters: Filters) -> Select[Any]:
    statement = select(Event)
    stations = person.stations(*READERS)
    if stations is not None:
        statement = statement.where(Event.station_id.in_(sorted(stations)))
    if filters.after:
        statement = statement.where(Event.id < filters.after)
    if filters.who:
        statement = statement.where(Event.actor.in_(_actors(filters.who)))
    if filters.entity:
        statement = statement.where(Event.kind.startswith(f"{filters.entity}.", autoescape=True))
    if filters.number:
        statement = statement.where(_about(filters.number))
    if filters.station:
        statement = statement.where(Event.station_id.in_(select(Station.id).where(Station.code == filters.station)))
    if filters.first:
        statement = statement.where(Event.at >= at_local(filters.first, 0))
    if filters.last:
        statement = statement.where(Event.at < at_local(filters.last + timedelta(days=1), 0))
    return statement


def _actors(words: str) -> list[str]:
    """Who is meant: 'system', 'customer', or people whose name or address holds the words."""
    if words in ("system", "customer"):
        return [words]
    told = or_(User.name.icontains(words, autoescape=True), User.email.icontains(words, autoescape=True))
    return [f"user:{user_id}" for user_id in session.scalars(select(User.id).where(told).limit(200))]


def _about(number: str) -> Any:
    """A request or an order by its number, anything else as 'type:id'."""
    model = NUMBERED.get(number[:2].upper())
    kind, colon, identity = number.partition(":")
    if model is not None:
        found = session.scalar(select(model.id).where(model.number == number.upper()))
        kind, identity = model.subject_type, str(found or 0)
    elif not (colon and identity.isascii() and identity.isdecimal() and len(identity) < 19):
        kind, identity = "", "0"
    return (Event.subject_type == kind) & (Event.subject_id == int(identity))


def _in_words(rows: Sequence[Event]) -> list[Entry]:
    notes, names, crew = notes_of(rows), history.names_of(rows), history.technicians_of(rows)
    names["system"] = str(_("the system"))
    stations = _codes(Station.code, Station.id, {row.station_id for row in rows})
    numbers: dict[tuple[str, int], str] = {}
    for model in NUMBERED.values():
        ids = {row.subject_id for row in rows if row.subject_type == model.subject_type}
        numbers |= {(model.subject_type, one): text for one, text in _codes(model.number, model.id, ids).items()}
    return [
        Entry(
            row, names.get(row.actor) or row.actor, history.text_of(row, crew), notes.get(row.id, ""),
            stations.get(row.station_id or 0, ""),
            numbers.get((row.subject_type, row.subject_id), f"{row.subject_type}:{row.subject_id}"),
        )
        for row in rows
    ]  # fmt: skip


def _codes(column: Any, key: Any, ids: Iterable[int | None]) -> Mapping[int, str]:
    wanted = {one for one in ids if one is not None}
    rows = session.execute(select(key, column).where(key.in_(wanted))) if wanted else ()
    return {row[0]: row[1] for row in rows}
