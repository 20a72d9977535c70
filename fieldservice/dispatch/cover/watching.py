"""Once a day: whose load of tomorrow passes the threshold, and a task for the manager (Q-12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from fieldservice.dispatch.cover import rules
from fieldservice.dispatch.cover.load import Load, load_of
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.subjects import Ref
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES

BATCH = 10  # stations looked at together
BEGINS = 8  # the hour of tomorrow before which something has to be done
TITLE = "load_tomorrow"


@dataclass(frozen=True)
class Heavy:
    """A station whose day is overloaded."""

    station_id: int
    day: date
    load: Load
    threshold: float


def batches() -> Iterator[Sequence[int]]:
    """Stations that serve, some at a time."""
    ids = session.scalars(select(Station.id).where(Station.state.in_(SERVES)).order_by(Station.id)).all()
    for begin in range(0, len(ids), BATCH):
        yield ids[begin : begin + BATCH]


def overloaded_tomorrow(station_ids: Sequence[int], today: date) -> list[Heavy]:
    """Those of them that pass their threshold; a read."""
    day = today + timedelta(days=1)
    loads, limits = load_of(station_ids, day, 1), rules.thresholds(station_ids)
    found = [Heavy(one, day, loads.station(one, day), limits[one]) for one in station_ids]
    return [one for one in found if one.load.above(one.threshold)]


def ask_managers(heavy: Sequence[Heavy], at: datetime) -> None:
    """A task for each station and day; asking again asks nobody twice."""
    for one in heavy:
        percent = f"{one.load.percent} %" if one.load.percent is not None else "–"
        tasks.open_task(
            TITLE, Ref("station", one.station_id, one.station_id), at=at, due_at=max(at, at_local(one.day, BEGINS)),
            owner_role="station_manager", facts={
                "day": one.day.isoformat(), "load": percent, "limit": f"{one.threshold * 100:.0f} %",
            }, key=f"load:{one.station_id}:{one.day.isoformat()}",
        )  # fmt: skip
