"""The size `small` (CONTRACT §1): every state there is, and the figures of a good company with a weak station."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from fieldservice.demo import load
from fieldservice.demo.company import told
from fieldservice.foundation.db import session
from fieldservice.insight import figures
from fieldservice.insight.verify import verify
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.metrics import Period, Scope, measure, measure_stations, measure_weeks
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code
from fieldservice.workorders.models import Visit, WorkOrder
from tests.conftest import NOW

assert figures  # the figures register when they are imported
EVERYWHERE = Scope(None)
BELIEVABLE = {  # per cent, and minutes to the first answer
    "promise_kept": (92, 97),
    "resolve_24h": (90, 97),
    "arrival_rate": (91, 97),
    "first_response": (6, 12),
    "first_time_fix": (80, 91),
    "top_box": (69, 82),
}


@pytest.mark.slow
def test_small_is_a_believable_company(sqlite_app: Flask) -> None:
    loaded = load.load("small", seed=360, tell=lambda _line: None)
    assert [check for check in verify() if not check.sound] == []
    assert 50 <= loaded["open"] <= 80
    _every_state_is_there()
    _figures_are_believable()


def _every_state_is_there() -> None:
    closed = session.scalar(select(func.count(WorkOrder.id)).where(WorkOrder.state == "closed"))
    assert closed is not None
    assert closed >= 600
    states = set(session.scalars(select(ServiceRequest.state).distinct()))
    assert {"new", "remote", "converted", "restored", "resolved", "closed", "duplicate", "cancelled"} <= states
    visits = set(session.scalars(select(Visit.state).distinct()))
    under_way = {"scheduled", "dispatched", "accepted", "declined", "en_route", "in_progress", "paused"}
    assert under_way | {"partially_completed", "completed"} <= visits
    assert {"ready", "on_hold"} <= set(session.scalars(select(WorkOrder.state).distinct()))


def _figures_are_believable() -> None:
    period = Period(NOW.date() - timedelta(days=170), NOW.date() - timedelta(days=1))
    for code, (low, high) in BELIEVABLE.items():
        value = measure(code, period, EVERYWHERE).value
        assert value is not None, code
        assert low <= value <= high, f"{code} is {value}"
    stations = session.scalars(select(Station.id)).all()
    by_station = measure_stations("promise_kept", period, EVERYWHERE, stations)
    assert min(by_station, key=lambda one: by_station[one].value or 0) == station_by_code(told("weak")).id
    weeks = measure_weeks("promise_kept", period, EVERYWHERE)
    whole = {first: found.value for first, found in weeks.items() if found.value is not None and found.denominator > 20}
    bad = NOW.date() - timedelta(days=NOW.date().weekday() + 7 * told("bad_week"))
    assert min(whole, key=lambda first: whole[first]) == bad, "one bad week stands out"
