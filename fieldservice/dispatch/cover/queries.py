"""What can be asked about duties and swaps, within what a person may see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from fieldservice.dispatch.cover.models import OPEN, ShiftSwap
from fieldservice.dispatch.cover.reading import Away, Turn, away_between, turns_between
from fieldservice.dispatch.cover.swapping import Objection, Trade, objections
from fieldservice.dispatch.cover.swaps import turn_of
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.stations.models import Shift, Technician
from fieldservice.workorders.queries import LARGEST_ID

KEEPERS = ("admin", "station_manager")  # who makes the roster
READERS = (*KEEPERS, "director", "dispatcher")
AHEAD = timedelta(days=28)  # how far technicians see their own duties
MOST_SWAPS = 50
MOST_COLLEAGUES = 60


@dataclass(frozen=True)
class Colleague:
    """Somebody a shift can be offered to: whether they could take it, and what they could give for it."""

    technician: Technician
    objection: Objection | None = None
    back: Sequence[Turn] = field(default=())  # their shifts that fit the giver, by start


def shift_for(shift_id: int, somebody: Person) -> Shift:
    """A shift that the person works or whose station's roster they keep. Raises NotFound."""
    shift = session.get(Shift, shift_id) if 0 < shift_id < LARGEST_ID else None
    if shift is None or not (is_own(shift.technician_id, somebody) or keeps(shift.station_id, somebody)):
        raise NotFound()
    return shift


def swap_for(swap_id: int, somebody: Person) -> ShiftSwap:
    """A swap that concerns the person. Raises NotFound."""
    found = session.get(ShiftSwap, swap_id) if 0 < swap_id < LARGEST_ID else None
    if found is None or not (
        is_own(found.giver_id, somebody) or is_own(found.receiver_id, somebody) or keeps(found.station_id, somebody)
    ):
        raise NotFound()
    return found


def is_own(technician_id: int, somebody: Person) -> bool:
    return somebody.has("technician") and somebody.technician_id == technician_id


def keeps(station_id: int, somebody: Person) -> bool:
    """Whether the person makes that station's roster."""
    return somebody.has(*KEEPERS) and somebody.covers(station_id, *KEEPERS)


def duties_of(technician_id: int, at: datetime) -> list[Turn]:
    """Published shifts of the next four weeks, the one going on included."""
    return turns_between(at, at + AHEAD, technicians=[technician_id], drafts=False)


def swaps_about(technician_id: int) -> Sequence[ShiftSwap]:
    """The technician's latest swaps, given or taken, newest first."""
    mine = or_(ShiftSwap.giver_id == technician_id, ShiftSwap.receiver_id == technician_id)
    return session.scalars(_swaps().where(mine).limit(20)).all()


def open_swaps_at(station_id: int) -> Sequence[ShiftSwap]:
    """What waits for a colleague or the manager at a station, newest first."""
    here = _swaps().where(ShiftSwap.station_id == station_id, ShiftSwap.state.in_(OPEN))
    return session.scalars(here.limit(MOST_SWAPS)).all()


def _swaps() -> Select[Any]:
    people = (joinedload(ShiftSwap.shift), joinedload(ShiftSwap.return_shift), joinedload(ShiftSwap.giver))
    return select(ShiftSwap).options(*people, joinedload(ShiftSwap.receiver)).order_by(ShiftSwap.id.desc())


def colleagues_for(shift: Shift, at: datetime) -> list[Colleague]:
    """The team of the shift's station and what each could do about it; four statements."""
    giver = session.get_one(Technician, shift.technician_id)
    team = session.scalars(
        select(Technician)
        .where(Technician.station_id.in_({giver.station_id, shift.station_id}), Technician.id != giver.id)
        .order_by(Technician.id)
        .limit(MOST_COLLEAGUES)
    ).all()
    start, end = min(at, shift.starts_at), max(at + AHEAD, shift.ends_at)
    states = {one.id: one.state for one in (*team, giver)}
    turns = turns_between(start, end, technicians=list(states))
    away = away_between(states, start, end)
    return [_colleague(one, turn_of(shift), turns, away, at) for one in team]


def _colleague(one: Technician, shift: Turn, turns: Sequence[Turn], away: Away, at: datetime) -> Colleague:
    pair = [turn for turn in turns if turn.technician_id in (one.id, shift.technician_id)]
    to_come = (turn for turn in pair if turn.state == "published" and turn.starts_at > at)
    theirs = [turn for turn in to_come if turn.technician_id == one.id]
    back = [turn for turn in theirs if not any(objections(Trade(shift, one.id, turn), pair, away))]
    return Colleague(one, next(objections(Trade(shift, one.id), pair, away), None), back)
