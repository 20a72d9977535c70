"""Metrics: what a figure means, and the frame in which it is computed.

Definitions are data (`data/metrics.yaml`); the capability that reads across the others registers the
computing functions. An empty denominator gives no value: never 0, never 100 %.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select

from fieldservice.foundation import display
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import at_local, today

Unit = Literal["percent", "minutes"]
MOST_DAYS = 3 * 366  # a longer period is a slip, and would read everything
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
ONE_DAY = timedelta(days=1)

# Frame ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """Local calendar days, the first and the last included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not FIRST_DAY <= self.first <= self.last <= LAST_DAY:
            raise Invalid({"from": [_l("The period ends before it begins, or lies outside 2000–2100.")]})
        if (self.last - self.first).days >= MOST_DAYS:
            raise Invalid({"from": [_l("Choose at most three years.")]})

    @classmethod
    def last_days(cls, count: int) -> Self:
        """The `count` local days that end today."""
        return cls(today() - timedelta(days=count - 1), today())

    def span(self) -> tuple[datetime, datetime]:
        """[start, end) as UTC moments."""
        return at_local(self.first), at_local(self.last + ONE_DAY)

    @classmethod
    def around(cls, periods: Sequence["Period"]) -> Self:
        """From the first day of any to the last day of any."""
        return cls(min(one.first for one in periods), max(one.last for one in periods))

    def weeks(self) -> list["Period"]:
        """Its calendar weeks (Monday to Sunday), cut at its ends."""
        weeks, start = [], self.first
        while start <= self.last:
            end = min(start + timedelta(days=6 - start.weekday()), self.last)
            weeks.append(Period(start, end))
            start = end + ONE_DAY
        return weeks


@dataclass(frozen=True)
class Scope:
    """The stations counted; None means all."""

    stations: frozenset[int] | None = None

    @classmethod
    def of(cls, *stations: int) -> Self:
        return cls(frozenset(stations))


@dataclass(frozen=True)
class MetricResult:
    """A figure with what it is made of. `value` is in the metric's unit; `cases` selects the rows behind it."""

    numerator: float | None
    denominator: int
    value: float | None
    cases: Select[Any] | None = None

    @classmethod
    def share(cls, numerator: int, denominator: int, cases: Select[Any] | None = None) -> Self:
        """A percentage, 0 to 100."""
        value = 100 * numerator / denominator if denominator else None
        return cls(numerator, denominator, value, cases)

    @classmethod
    def median(cls, values: Collection[float], cases: Select[Any] | None = None) -> Self:
        """The middle of values in the metric's unit."""
        return cls(None, len(values), median(values) if values else None, cases)


# Definitions ---------------------------------------------------------------------------------------

Compute = Callable[[Sequence[Period], Scope], list[MetricResult]]
ComputeStations = Callable[[Period, Scope], Mapping[int, MetricResult]]
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Metric:
    """A figure's meaning. Texts are bilingual (shown by `pick`); `smallest` hides values of too few cases."""

    code: str
    unit: Unit
    better: Literal["higher", "lower"]
    target: float | None
    names: Texts
    definition: Texts
    numerator: Texts
    denominator: Texts
    exclusions: Texts
    smallest: int = 1

    def on_target(self, value: float | None) -> bool | None:
        """Whether a value reaches the target; None without one of the two."""
        if value is None or self.target is None:
            return None
        return value >= self.target if self.better == "higher" else value <= self.target


TEXTS = ("names", "definition", "numerator", "denominator", "exclusions")
_files: list[Path] = [Path(__file__).parent / "data" / "metrics.yaml"]
_computes: dict[str, tuple[Compute, ComputeStations | None]] = {}


def register_definitions(path: Path) -> None:
    """Add a capability's figures after the ones known; called where its module is imported."""
    if path not in _files:
        _files.append(path)
        _metrics.cache_clear()


def register_compute(code: str, compute: Compute, stations: ComputeStations | None = None) -> None:
    """Say how a figure is computed: for several periods from one reading, and for all stations at once by their ids
    (without it `compute` is asked for each). Raises NotFound for a figure nobody defined."""
    metric(code)
    _computes[code] = (compute, stations)


@cache
def _metrics() -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for path in _files:
        for code, entry in read_yaml(path).items():
            lacking = [name for name in TEXTS if not {"zh", "en"} <= (entry.get(name) or {}).keys()]
            if lacking or code in found:
                raise ValueError(f"{path.name}: {code} is there twice or lacks texts: {lacking}")
            found[code] = Metric(code=code, **{"target": None, **entry})
    return found


def metric(code: str) -> Metric:
    """The meaning of a figure. Raises NotFound."""
    found = _metrics().get(code)
    if found is None:
        raise NotFound(_l("There is no such figure."), code="unknown_metric")
    return found


def all_metrics() -> list[Metric]:
    """Every figure in display order: promises kept first."""
    return list(_metrics().values())


# Answers -------------------------------------------------------------------------------------------


def measure(code: str, period: Period, scope: Scope) -> MetricResult:
    """One figure for a period and stations. Raises NotFound, also when nobody computes it yet."""
    return measure_many(code, [period], scope)[0]


def measure_many(code: str, periods: Sequence[Period], scope: Scope) -> list[MetricResult]:
    """One figure for several periods, read once: this month, the one before, and twelve weeks."""
    compute, _stations = _computing(code)
    return [_hide_few(metric(code), result) for result in compute(periods, scope)]


def measure_weeks(code: str, period: Period, scope: Scope) -> dict[date, MetricResult]:
    """The figure per week, by its first day."""
    weeks = period.weeks()
    return dict(zip((week.first for week in weeks), measure_many(code, weeks, scope), strict=True))


def measure_stations(code: str, period: Period, scope: Scope, stations: Iterable[int]) -> dict[int, MetricResult]:
    """The figure per station, by id, for the given ones within the scope."""
    compute, compute_stations = _computing(code)
    known = metric(code)
    wanted = [one for one in stations if scope.stations is None or one in scope.stations]
    if compute_stations is None:
        return {one: _hide_few(known, compute([period], Scope.of(one))[0]) for one in wanted}
    results = compute_stations(period, scope)
    empty = MetricResult(None if known.unit == "minutes" else 0, 0, None)
    return {one: _hide_few(known, results.get(one, empty)) for one in wanted}


def _computing(code: str) -> tuple[Compute, ComputeStations | None]:
    metric(code)
    if code not in _computes:
        raise NotFound(_l("This figure is not computed yet."), code="metric_not_computed")
    return _computes[code]


def _hide_few(known: Metric, result: MetricResult) -> MetricResult:
    """Too few cases, or none at all, show no value, whatever the computing function thought."""
    return replace(result, value=None) if result.denominator < max(known.smallest, 1) else result


def value_text(known: Metric, value: float | None) -> str:
    """'96.4 %', '12 min', '—'. Rounded down, so that 99.96 % of promises kept never shows as all of them."""
    if value is None:
        return "—"
    if known.unit == "minutes":
        return display.minutes(value)
    shown = int(value * 10 + 1e-9) / 10
    return f"{format_decimal(shown, '0.#')} %"
