"""Load: booked of capacity, above nine tenths it warns; and work to be expected (Q-12)."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice import jobs
from fieldservice.dispatch.cover import rules, watching
from fieldservice.dispatch.cover.chart import demand_chart
from fieldservice.dispatch.cover.forecast import Demand, Forecast, forecast, forecast_of
from fieldservice.dispatch.cover.load import Load, day_loads, load_of, overloaded
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import day_span, now, today
from fieldservice.mechanisms import policies
from fieldservice.mechanisms.tasks import Task, title_text
from fieldservice.stations.roster import Duty
from fieldservice.workorders import booking
from fieldservice.workorders.models import Booking, Visit
from fieldservice.workorders.placement import Span
from tests.dispatch.cover.conftest import Team, put
from tests.workorders.cast import DAY, SUZHOU, WUXI, at, shift
from tests.workorders.scene import make_order

NEXT = DAY + timedelta(days=1)


def span(begin: float, end: float) -> Span:
    return Span(at(0) + timedelta(hours=begin), at(0) + timedelta(hours=end))


LUNCH = 45  # minutes
LOADS: list[tuple[str, list[Duty], list[Span], list[Span], dict[int, Load]]] = [
    ("a day without work", [shift(8, 18)], [], [], {WUXI: Load(0, 600 - LUNCH)}),
    ("work with the way there", [shift(8, 18)], [], [span(9.5, 12)], {WUXI: Load(150, 600 - LUNCH)}),
    ("a short shift has no break", [shift(8, 12)], [], [span(8, 10)], {WUXI: Load(120, 240)}),
    ("an absence is no capacity", [shift(8, 18)], [span(8, 12.5)], [], {WUXI: Load(0, 330)}),
    ("a divided shift has its break", [shift(8, 12), shift(12, 18)], [], [], {WUXI: Load(0, 600 - LUNCH)}),
    ("time on call is none", [shift(18, 32, on_call=True)], [], [], {}),
    ("work done on call is not the shift's", [shift(8, 12), shift(18, 32, on_call=True)], [], [span(20, 23)],
     {WUXI: Load(0, 240)}),
    ("what runs over the end counts whole", [shift(8, 12)], [], [span(11, 14)], {WUXI: Load(180, 240)}),
    ("lent: where it is worked", [shift(8, 12, station=SUZHOU)], [], [span(9, 10)], {SUZHOU: Load(60, 240)}),
    ("work without any duty falls on the home", [], [], [span(9, 10)], {WUXI: Load(60, 0)}),
    ("tomorrow's work is tomorrow's", [shift(8, 12)], [], [span(33, 34)], {WUXI: Load(0, 240)}),
    ("a night counts in both days", [shift(20, 30)], [], [], {WUXI: Load(0, 240)}),
]  # fmt: skip


@pytest.mark.parametrize(("duties", "away", "work", "expected"), [one[1:] for one in LOADS], ids=[x[0] for x in LOADS])
def test_q12_load_is_booked_of_capacity(
    duties: list[Duty], away: list[Span], work: list[Span], expected: dict[int, Load]
) -> None:
    assert day_loads(duties, away, work, Span(*day_span(DAY)), WUXI) == expected


@pytest.mark.parametrize(
    ("load", "warns"),
    [(Load(95, 100), True), (Load(90, 100), False), (Load(91, 100), True), (Load(0, 0), False), (Load(10, 0), True)],
)
def test_q12_above_ninety_per_cent_warns(load: Load, warns: bool) -> None:
    assert load.above(rules.WARN_ABOVE) == warns


def fill(team: Team, technician: int, day: date, minutes: int) -> None:
    """A visit that takes so long of the day, from eight o'clock on, without a way."""

    def build() -> None:
        starts = day_span(day)[0] + timedelta(hours=8)
        order = make_order(team.here, duration_min=minutes)
        visit = Visit(
            work_order_id=order.id, station_id=team.station, technician_id=technician, home_station_id=team.station,
            starts_at=starts, ends_at=starts + timedelta(minutes=minutes), window_starts_at=starts,
            window_ends_at=starts + timedelta(hours=2),
        )  # fmt: skip
        session.add(visit)
        session.flush()
        session.add(Booking(
            technician_id=technician, station_id=team.station, visit_id=visit.id, cause="visit",
            starts_at=visit.starts_at, ends_at=visit.ends_at,
        ))  # fmt: skip

    write(build)


def on_duty(team: Team, technician: int, day: date) -> None:
    put(team, technician, [(day - DAY).days], 8, 12, state="published", monday=DAY)


def test_q12_a_shift_loaded_to_95_per_cent_warns(team: Team) -> None:
    on_duty(team, team.lu, DAY)
    fill(team, team.lu, DAY, 228)
    loads = load_of([team.station], DAY, 1)
    assert loads.station(team.station, DAY).percent == 95
    assert overloaded([team.station], DAY, 1) == 1
    on_duty(team, team.xu, DAY)
    assert load_of([team.station], DAY, 1).station(team.station, DAY).percent == 48, "shared among two"
    assert overloaded([team.station], DAY, 1) == 1, "Lu's day is still full"
    write(lambda: policies.set_override(rules.LOAD, "station", team.station, 1.0, at=now()))
    assert overloaded([team.station], DAY, 1) == 0


def test_q12_an_absence_takes_capacity_away(team: Team) -> None:
    on_duty(team, team.lu, DAY)
    start = day_span(DAY)[0] + timedelta(hours=10)
    write(lambda: booking.book_absence(team.person(team.lu), "training", start, start + timedelta(hours=2)))
    assert load_of([team.station], DAY, 1).station(team.station, DAY).capacity == 120


def test_q12_the_manager_is_asked_once_about_tomorrow(app: Flask, team: Team) -> None:
    on_duty(team, team.lu, NEXT)
    jobs.warn_of_load()
    assert session.scalars(select(Task)).all() == []
    fill(team, team.lu, NEXT, 228)
    for _turn in range(2):
        jobs.warn_of_load()
    task = session.scalars(select(Task)).one()
    assert (task.title, task.owner_role, task.station_id) == ("load_tomorrow", "station_manager", team.station)
    assert "95 %" in title_text(task)
    assert "2026-11-26" in title_text(task)
    assert watching.overloaded_tomorrow([team.station], DAY + timedelta(days=5)) == []


# Work to be expected ------------------------------------------------------------------------------


def test_q12_the_mean_of_each_weekday_with_its_spread() -> None:
    hours = {DAY - timedelta(days=7): 4.0, DAY - timedelta(days=14): 8.0, DAY: 99.0}
    found = forecast(hours, DAY - timedelta(days=16), DAY)
    assert found.weeks == 2
    assert not found.enough, "two weeks are a guess"
    assert found.on(DAY) == Demand(6.0, pytest.approx(2.828, abs=0.001))
    assert found.on(NEXT) == Demand(0.0, 0.0)
    assert forecast(hours, DAY - timedelta(days=300), DAY).weeks == 8
    assert forecast({}, DAY - timedelta(days=28), DAY).enough
    for first in (None, DAY, DAY - timedelta(days=6)):
        assert forecast(hours, first, DAY) == Forecast()
        assert forecast(hours, first, DAY).on(DAY) is None


def test_q12_the_forecast_of_a_station(team: Team) -> None:
    def build() -> None:
        for week in range(1, 6):
            moment = day_span(DAY - timedelta(days=7 * week))[0] + timedelta(hours=9)
            make_order(team.here, created_at=moment, duration_min=60 * week)
        make_order(team.here, created_at=moment, duration_min=600, state="cancelled")

    write(build)
    found = forecast_of(team.station, today())
    assert found.weeks == 5
    assert found.weekdays[DAY.weekday()].hours == pytest.approx(3.0)


def test_the_chart_of_the_coming_days() -> None:
    days = [DAY + timedelta(days=number) for number in range(3)]
    expected = Forecast(8, tuple(Demand(float(weekday), 1.0) for weekday in range(7)))
    chart = demand_chart(days, expected, lambda day: 3.0)
    assert [one.hours for one in chart.columns] == [2.0, 3.0, 4.0]
    assert [one.short for one in chart.columns] == [False, False, True]
    assert all(0 <= one.high <= one.y <= one.low <= chart.height for one in chart.columns)
    assert chart.path.count("M") == 1
