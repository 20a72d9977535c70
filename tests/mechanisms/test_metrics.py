"""Metrics: local days, empty denominators, too few cases, and six figures described in both languages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import Clock, local
from fieldservice.mechanisms import metrics
from fieldservice.mechanisms.metrics import (
    MetricResult,
    Period,
    Scope,
    all_metrics,
    measure,
    measure_stations,
    measure_weeks,
    metric,
    register_compute,
    register_definitions,
    value_text,
)

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What these tests register is forgotten afterwards."""
    monkeypatch.setattr(metrics, "_computes", {})
    monkeypatch.setattr(metrics, "_files", list(metrics._files))
    yield
    metrics._metrics.cache_clear()


# Definitions ---------------------------------------------------------------------------------------


def test_S_14_promises_kept_are_the_first_figure() -> None:
    codes = [one.code for one in all_metrics()]
    assert codes[:6] == ["promise_kept", "resolve_24h", "arrival_rate", "first_response", "first_time_fix", "top_box"]


def test_every_figure_is_explained_in_both_languages() -> None:
    for one in all_metrics():
        for texts in (one.names, one.definition, one.numerator, one.denominator, one.exclusions):
            assert all(texts[language].strip() for language in ("zh", "en")), one.code
        assert one.unit in ("percent", "minutes")
        assert one.better in ("higher", "lower")


def test_an_unknown_figure() -> None:
    with pytest.raises(NotFound):
        metric("happiness")
    with pytest.raises(NotFound):
        register_compute("happiness", lambda _periods, _scope: [MetricResult.share(1, 1)])
    with pytest.raises(NotFound) as refused:
        measure("promise_kept", NOVEMBER, Scope())
    assert refused.value.code == "metric_not_computed"


def test_capabilities_bring_their_own_figures(tmp_path: Path) -> None:
    texts = "{zh: 好, en: x}"
    lines = [f"  {name}: {texts}" for name in metrics.TEXTS]
    file = tmp_path / "metrics.yaml"
    file.write_text("\n".join(["mttr:", "  unit: minutes", "  better: lower", *lines]), encoding="utf-8")
    register_definitions(file)
    assert all_metrics()[-1].code == "mttr"
    assert metric("mttr").target is None
    file.write_text("\n".join(["mttr:", "  unit: minutes", "  better: lower", *lines[1:]]), encoding="utf-8")
    metrics._metrics.cache_clear()
    with pytest.raises(ValueError, match="names"):
        all_metrics()


# Periods -------------------------------------------------------------------------------------------


def test_a_period_is_local_days() -> None:
    start, end = Period(date(2026, 11, 25), date(2026, 11, 25)).span()
    assert start.isoformat() == "2026-11-24T16:00:00+00:00"
    assert end.isoformat() == "2026-11-25T16:00:00+00:00"


def test_the_last_days_end_today(clock: Clock) -> None:
    clock.fix(local(clock.now()).replace(hour=0, minute=5))  # in UTC it is still yesterday
    assert Period.last_days(30) == Period(date(2026, 10, 27), date(2026, 11, 25))
    assert Period.last_days(1) == Period(date(2026, 11, 25), date(2026, 11, 25))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-11-02", "2026-11-01"),
        ("1999-12-31", "2000-01-05"),
        ("2100-12-31", "2101-01-01"),
        ("2020-01-01", "2026-01-01"),
    ],
)
def test_periods_that_are_slips(first: str, last: str) -> None:
    with pytest.raises(Invalid) as refused:
        Period(date.fromisoformat(first), date.fromisoformat(last))
    assert list(refused.value.errors) == ["from"]


@given(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(0, 400))
def test_weeks_cover_the_period_without_gap_or_overlap(first: date, length: int) -> None:
    period = Period(first, first + timedelta(days=length))
    weeks = period.weeks()
    days = [week.first + timedelta(days=n) for week in weeks for n in range((week.last - week.first).days + 1)]
    assert days == [first + timedelta(days=n) for n in range(length + 1)]
    assert all(week.first.weekday() == 0 for week in weeks[1:])
    assert all(week.last.weekday() == 6 for week in weeks[:-1])
    assert [week.span()[0] for week in weeks[1:]] == [week.span()[1] for week in weeks[:-1]]


# Results -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (MetricResult.share(0, 0), None),  # never 0, never 100 %
        (MetricResult.share(0, 4), 0),
        (MetricResult.share(4, 4), 100),
        (MetricResult.share(1, 3), pytest.approx(33.333, abs=0.001)),
        (MetricResult.median([]), None),
        (MetricResult.median([5]), 5),
        (MetricResult.median([5, 1, 30]), 5),
        (MetricResult.median([1, 2, 3, 10]), 2.5),
    ],
)
def test_what_a_figure_is_made_of(result: MetricResult, value: float | None) -> None:
    assert result.value == value


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_share_lies_between_nothing_and_all(numerator: int, rest: int) -> None:
    result = MetricResult.share(numerator, numerator + rest)
    assert (result.value is None) is (numerator + rest == 0)
    assert result.value is None or 0 <= result.value <= 100
    assert (result.value == 100) is (rest == 0 and numerator > 0)


def test_no_value_without_cases_whatever_was_computed() -> None:
    register_compute("promise_kept", lambda _periods, _scope: [MetricResult(0, 0, 100.0)])
    assert measure("promise_kept", NOVEMBER, Scope()).value is None


@pytest.mark.parametrize(("answers", "value"), [(0, None), (4, None), (5, 100), (6, 100)])
def test_top_box_of_fewer_than_five_answers_is_hidden(answers: int, value: float | None) -> None:
    register_compute("top_box", lambda _periods, _scope: [MetricResult.share(answers, answers)])
    result = measure("top_box", NOVEMBER, Scope())
    assert (result.value, result.denominator) == (value, answers)


def test_figures_by_week_and_station() -> None:
    asked: list[Sequence[Period]] = []

    def compute(periods: Sequence[Period], scope: Scope) -> list[MetricResult]:
        asked.append(periods)
        return [MetricResult.share(len(scope.stations or ()), 2) for _ in periods]

    register_compute("promise_kept", compute)
    scope = Scope.of(3, 4)
    weeks = measure_weeks("promise_kept", NOVEMBER, scope)
    assert list(weeks) == [week.first for week in NOVEMBER.weeks()]
    assert {result.value for result in weeks.values()} == {100}
    assert asked == [NOVEMBER.weeks()], "all at once"
    stations = measure_stations("promise_kept", NOVEMBER, scope, stations=[3, 4, 5])
    assert {station: result.value for station, result in stations.items()} == {3: 50, 4: 50}  # 5 is out of scope
    assert len(measure_stations("promise_kept", NOVEMBER, Scope(), stations=[3, 4, 5])) == 3


def test_all_stations_can_be_computed_at_once() -> None:
    def compute_stations(_period: Period, _scope: Scope) -> Mapping[int, MetricResult]:
        return {3: MetricResult.share(1, 2), 9: MetricResult.share(1, 1)}

    register_compute("promise_kept", lambda _periods, _scope: [MetricResult.share(0, 1)], compute_stations)
    found = measure_stations("promise_kept", NOVEMBER, Scope.of(3, 4), stations=[3, 4, 9])
    assert {station: result.value for station, result in found.items()} == {3: 50, 4: None}
    assert found[4].denominator == 0


@pytest.mark.parametrize(
    ("code", "value", "en", "zh"),
    [
        ("promise_kept", None, "—", "—"),
        ("promise_kept", 100.0, "100 %", "100 %"),
        ("promise_kept", 99.96, "99.9 %", "99.9 %"),  # all but one is not all
        ("promise_kept", 96.4, "96.4 %", "96.4 %"),
        ("promise_kept", 0.0, "0 %", "0 %"),
        ("first_response", 12.4, "12 min", "12 分钟"),
        ("first_response", 95, "1 h 35 min", "1 小时 35 分"),
    ],
)
def test_values_in_words(sqlite_app: Flask, code: str, value: float | None, en: str, zh: str) -> None:
    with force_locale("en"):
        assert value_text(metric(code), value) == en
    with force_locale("zh"):
        assert value_text(metric(code), value) == zh


@pytest.mark.parametrize(
    ("code", "value", "reached"),
    [
        ("promise_kept", 95, True),
        ("promise_kept", 94.9, False),
        ("promise_kept", None, None),
        ("first_response", 15, True),
        ("first_response", 16, False),
    ],
)
def test_targets(code: str, value: float | None, *, reached: bool | None) -> None:
    assert metric(code).on_target(value) is reached
