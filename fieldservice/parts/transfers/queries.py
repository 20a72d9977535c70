"""What can be asked about transfers: they concern the station they leave and the one they go to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.mechanisms.events import Event, notes_of
from fieldservice.parts.models import StockLocation
from fieldservice.parts.transfers import neighbours
from fieldservice.parts.transfers.models import COMING, Transfer, TransferLine
from fieldservice.parts.transfers.services import ENDS

READERS = ("storekeeper", "station_manager", "dispatcher", "director", "admin")
KEEPERS = neighbours.KEEPERS
MOST_PLACES = 500
UNSENT = ("draft", "asked", "approved")  # to be answered or sent by the station it leaves


def transfer_of(person: Person, number: str) -> Transfer:
    """A transfer from or to a station of the person, with its lines. Raises NotFound."""
    found = session.scalar(
        select(Transfer)
        .where(Transfer.number == number, _concerns(person, *READERS))
        .options(*_ends(), selectinload(Transfer.lines).joinedload(TransferLine.part))
    )
    if found is None:
        raise NotFound()
    return found


def transfers_of(person: Person, *, open_only: bool = False, limit: int = 50) -> Sequence[Transfer]:
    """The newest transfers from or to the person's stations."""
    wanted = select(Transfer).where(_concerns(person, *READERS)).options(*_ends())
    if open_only:
        wanted = wanted.where(Transfer.state.in_((*UNSENT, "shipped", "part_received")))
    return session.scalars(wanted.order_by(Transfer.id.desc()).limit(limit)).all()


def between(station_id: int, limit: int = 50) -> tuple[Sequence[Transfer], Sequence[Transfer]]:
    """(on their way to this station, to be approved or sent by it), the next first; two queries and one for lines."""
    coming = (Transfer.to_station_id == station_id) & Transfer.state.in_(COMING)
    leaving = (Transfer.station_id == station_id) & Transfer.state.in_(UNSENT)
    found = session.scalars(
        select(Transfer)
        .where(or_(coming, leaving))
        .options(*_ends(), selectinload(Transfer.lines).joinedload(TransferLine.part))
        .order_by(Transfer.expected_at, Transfer.id)
        .limit(limit)
    ).all()
    return (
        [one for one in found if one.to_station_id == station_id and one.state in COMING],
        [one for one in found if one.station_id == station_id and one.state in UNSENT],
    )


def why(transfer: Transfer) -> str:
    """The reason it was refused for; empty where it was not, or where the words are erased."""
    last = _end(transfer, "transfer.refused")
    return notes_of([last]).get(last.id, "") if last is not None else ""


def unwanted(transfer: Transfer) -> bool:
    """Whether it was called off because whoever it was for does not need it any more."""
    last = _end(transfer, "transfer.cancelled")
    return last is not None and bool(last.facts.get("unwanted"))


def place_named(code: str) -> StockLocation | None:
    """A store or van of any station by the code on its label: others are asked to send from theirs."""
    wanted = select(StockLocation).where(StockLocation.code == code[:40], StockLocation.kind.in_(ENDS))
    return session.scalar(wanted.where(StockLocation.state != "closed"))


def ends_of(person: Person) -> Sequence[StockLocation]:
    """Places to choose from: those of the person's stations, and the stores of all others."""
    mine = _covers(StockLocation.station_id, person, *KEEPERS)
    stores = StockLocation.kind.in_(("central", "warehouse"))
    wanted = select(StockLocation).where(StockLocation.kind.in_(ENDS), StockLocation.state != "closed")
    return session.scalars(
        wanted.where(or_(mine, stores)).order_by(StockLocation.station_id, StockLocation.id).limit(MOST_PLACES)
    ).all()


def _end(transfer: Transfer, kind: str) -> Event | None:
    wanted = select(Event).where(Event.subject_type == Transfer.subject_type, Event.subject_id == transfer.id)
    return session.scalar(wanted.where(Event.kind == kind).limit(1))


def _concerns(person: Person, *roles: str) -> ColumnElement[bool]:
    return or_(_covers(Transfer.station_id, person, *roles), _covers(Transfer.to_station_id, person, *roles))


def _covers(column: Any, person: Person, *roles: str) -> ColumnElement[bool]:
    stations = person.stations(*roles)
    return true() if stations is None else column.in_(sorted(stations))


def _ends() -> tuple[Any, ...]:
    return joinedload(Transfer.source), joinedload(Transfer.target)
