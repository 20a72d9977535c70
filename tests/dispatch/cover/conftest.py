"""A station with three technicians and a coming week to be covered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import at_local
from fieldservice.stations.models import Shift, Station, Technician
from tests.workorders.scene import make_station, make_technician

MONDAY = date(2026, 11, 30)
DAYS = range(7)
SignIn = Callable[..., Any]


@dataclass
class Team:
    """Ids, so that every transaction reads its own rows."""

    station: int
    lu: int
    xu: int
    wu: int

    @property
    def here(self) -> Station:
        return session.get_one(Station, self.station)

    def person(self, technician_id: int) -> Technician:
        return session.get_one(Technician, technician_id)


def make_team() -> Team:
    """Nobody has a shift yet."""

    def build() -> Team:
        station = make_station()
        people = [
            make_technician(station, zh, en, days=0)
            for zh, en in (("陆建国", "Lu Jianguo"), ("许晓峰", "Xu Xiaofeng"), ("吴昊", "Wu Hao"))
        ]
        return Team(station.id, *(one.id for one in people))

    return write(build)


@pytest.fixture
def team(app: Flask) -> Team:
    """On each database."""
    return make_team()


def moment(day: int, hour: float, monday: date = MONDAY) -> datetime:
    """`hour` o'clock (over 24: of the next day) on the day-th day of the week."""
    return at_local(monday + timedelta(days=day)) + timedelta(hours=hour)


def put(
    team: Team, technician: int, days: Sequence[int], start: float, end: float, *, state: str = "draft",
    on_call: bool = False, monday: date = MONDAY,
) -> list[int]:  # fmt: skip
    """Shifts on these days of the week; their ids."""

    def build() -> list[int]:
        made = [
            Shift(
                technician_id=technician, station_id=team.station, starts_at=moment(day, start, monday),
                ends_at=moment(day, end, monday), on_call=on_call, state=state,
            )
            for day in days
        ]  # fmt: skip
        session.add_all(made)
        session.flush()
        return [one.id for one in made]

    return write(build)


def round_the_clock(team: Team, *, state: str = "draft", nights: Sequence[int] = DAYS, monday: date = MONDAY) -> None:
    """Lu by day, Xu at night; Monday's first hours belong to the Sunday night before."""
    put(team, team.lu, list(DAYS), 8, 18, state=state, monday=monday)
    put(team, team.xu, list(nights), 18, 32, state=state, on_call=True, monday=monday)
    put(team, team.xu, [-1], 18, 32, state="published", on_call=True, monday=monday)
