"""How the first figures are computed (DOMAIN §6). Definitions in words: mechanisms/data/metrics.yaml.

Each figure is one row a case (request, station, day it counts for, hit or minutes); totals, stations
and weeks are sums over the same rows, so that parts always add up to the whole. Periods are sums of days:
a figure with its trend and the month before is one statement.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, exists, func, select, true
from sqlalchemy.orm import aliased

from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import is_sqlite, session
from fieldservice.foundation.time import clock, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.clocks import Clock
from fieldservice.mechanisms.metrics import MetricResult, Period, Scope, register_compute
from fieldservice.parts.consignment import refills
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.sales.models import Opportunity
from fieldservice.workorders.models import Visit, WorkOrder

LONGEST_RESTORE = 24 * 60  # minutes: the published promise (T-05)
LONGEST_DELIVERY = 24 * 60  # minutes: the same for what a customer ordered (T-06)
WATCH = timedelta(days=30)  # a fix is known to hold after this time
CORRECTIVE = ("corrective_immediate", "corrective_deferred", "competitor_rescue")
COUNTED = ServiceRequest.state.not_in(("cancelled", "duplicate")) & ~ServiceRequest.is_test
Rows = Callable[[Period, Scope], Select[Any]]
Histogram = Counter[float]  # minutes → how many cases


def _minutes(end: Any, start: Any) -> ColumnElement[Any]:
    """Minutes from one stored moment to another."""
    if is_sqlite():
        return (func.julianday(end) - func.julianday(start)) * 1440
    return func.extract("epoch", end - start) / 60


def _local_day(moment: Any) -> ColumnElement[Any]:
    """The local calendar day of a stored moment (zones without daylight saving, as Asia/Shanghai)."""
    if is_sqlite():
        offset = clock.zone.utcoffset(now().replace(tzinfo=None)) or timedelta(0)
        return func.date(moment, f"{offset.total_seconds() / 60:+.0f} minutes")
    return func.date(func.timezone(str(clock.zone), moment))


def _within(moment: Any, span: tuple[datetime, datetime]) -> ColumnElement[bool]:
    start, end = span
    inside: ColumnElement[bool] = (moment >= start) & (moment < end)
    return inside


def _rows(
    number: Any, station: Any, moment: Any, value: Any, span: tuple[datetime, datetime], scope: Scope
) -> Select[Any]:
    """One row a case: number of the request, station, moment that decides the day, and the value."""
    statement = select(
        number.label("number"), station.label("station_id"), moment.label("moment"), value.label("value")
    ).where(_within(moment, span))
    return statement if scope.stations is None else statement.where(station.in_(sorted(scope.stations)))


def _hit(condition: Any) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


# The figures --------------------------------------------------------------------------------------


def _promises(period: Period, scope: Scope, *kinds: str) -> Select[Any]:
    of = (Clock.subject_type == ServiceRequest.subject_type) & (Clock.subject_id == ServiceRequest.id)
    kept = _hit(Clock.state == "kept")
    rows = _rows(ServiceRequest.number, Clock.station_id, Clock.due_at, kept, period.span(), scope)
    rows = rows.join_from(Clock, ServiceRequest, of).where(COUNTED, Clock.told_at.is_not(None))
    # a promise that is still running is neither kept nor broken, even when it falls due later today
    rows = rows.where(Clock.state.in_(("kept", "breached")))
    return rows.where(Clock.kind.in_(kinds)) if kinds else rows


def promise_kept(period: Period, scope: Scope) -> Select[Any]:
    """Promises told and decided, by the day they fell due."""
    return _promises(period, scope)


def arrival_rate(period: Period, scope: Scope) -> Select[Any]:
    """Arrivals due, planned work left out."""
    return _promises(period, scope, "arrival").where(Clock.priority != "P4")


def resolve_24h(period: Period, scope: Scope) -> Select[Any]:
    """Faults under the 24-hour promise, by closing day."""
    request = ServiceRequest
    took = _minutes(request.restored_at, request.received_at)
    hit = _hit(request.restored_at.is_not(None) & (took <= LONGEST_RESTORE))
    promised = exists().where(
        Clock.subject_type == request.subject_type, Clock.subject_id == request.id, Clock.kind == "restore",
        Clock.state != "void", Clock.limit_minutes <= LONGEST_RESTORE,
    )  # fmt: skip
    rows = _rows(request.number, request.station_id, request.closed_at, hit, period.span(), scope)
    return rows.where(COUNTED, promised)


def first_response(period: Period, scope: Scope) -> Select[Any]:
    """Minutes from receipt to the first answer by a person, by the day of the answer."""
    of = (Clock.subject_type == ServiceRequest.subject_type) & (Clock.subject_id == ServiceRequest.id)
    waited = _minutes(Clock.stopped_at, Clock.started_at)
    rows = _rows(ServiceRequest.number, Clock.station_id, Clock.stopped_at, waited, period.span(), scope)
    return rows.join_from(Clock, ServiceRequest, of).where(
        COUNTED, Clock.kind == "first_answer", Clock.state.in_(("kept", "breached"))
    )


def first_time_fix(period: Period, scope: Scope) -> Select[Any]:
    """Corrective requests visited and closed, counted on the day on which 30 days have passed since."""
    request, order, first, one = ServiceRequest, aliased(WorkOrder), aliased(Visit), aliased(Visit)
    first_id = (
        select(func.min(one.id))
        .where(one.work_order_id == order.id, one.on_site_at.is_not(None), _got_in(one))
        .scalar_subquery()
    )
    earliest = select(func.min(WorkOrder.id)).where(WorkOrder.request_id == request.id).scalar_subquery()
    start, end = period.span()
    span = (start - WATCH, min(end, now()) - WATCH)
    rows = _rows(request.number, request.station_id, request.closed_at, _hit(_fixed(order, first)), span, scope)
    return (
        rows.select_from(request)
        .join(order, (order.request_id == request.id) & (order.id == earliest))  # said twice: the index is on this
        .join(first, (first.work_order_id == order.id) & (first.id == first_id))
        .where(COUNTED, order.kind.in_(CORRECTIVE))
    )


def _got_in(visit: Any) -> ColumnElement[bool]:
    """The technician could work: not 'no access'."""
    reached: ColumnElement[bool] = func.coalesce(visit.end_reason, "") != "no_access"
    return reached


def _fixed(order: Any, first: Any) -> ColumnElement[bool]:
    """Restored at the first visit, and nobody was on site for the same fault in the 30 days after it."""
    again, later = aliased(WorkOrder), aliased(Visit)
    passed = _minutes(later.on_site_at, first.finished_at)
    visited = (later.id != first.id) & (passed >= 0) & (passed <= WATCH.total_seconds() / 60)

    def returned(same_fault: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(later.id).join(again, again.id == later.work_order_id).where(same_fault, visited).exists()

    # asked one by one: each has its index, which one condition of three alternatives would not use
    same_request = (again.id == order.id) | (again.request_id == order.request_id)
    same_machine_and_mode = (again.asset_id == order.asset_id) & (again.failure_mode == order.failure_mode)
    not_over_before = again.completed_at.is_(None) | (again.completed_at >= first.finished_at)
    restored: ColumnElement[bool] = first.restored.is_(True)
    return restored & ~returned(same_request) & ~returned(same_machine_and_mode & not_over_before)


def top_box(period: Period, scope: Scope) -> Select[Any]:
    """Every line of every answered survey; a hit has five stars (loyal = 5/5 only, S5)."""
    each = func.json_each if is_sqlite() else func.jsonb_each_text
    line = each(Survey.scores).table_valued("key", "value")
    hit = _hit(cast(line.c.value, Integer) == 5)
    rows = _rows(ServiceRequest.number, Survey.station_id, Survey.answered_at, hit, period.span(), scope)
    joined = rows.select_from(Survey).join(ServiceRequest, Survey.request_id == ServiceRequest.id).join(line, true())
    return joined.where(COUNTED, Survey.state == "answered")


def deliver_24h(period: Period, scope: Scope) -> Select[Any]:
    """Refills at customers under the 24-hour promise, by the day delivery fell due; the number is the refill's."""
    of = (Clock.subject_type == RefillOrder.subject_type) & (Clock.subject_id == RefillOrder.id)
    kept = _hit(Clock.state == "kept")
    rows = _rows(RefillOrder.number, RefillOrder.station_id, Clock.due_at, kept, period.span(), scope)
    return rows.join_from(Clock, RefillOrder, of).where(
        Clock.kind == refills.CLOCK, Clock.state.in_(("kept", "breached")), Clock.limit_minutes <= LONGEST_DELIVERY
    )


def rescue_conversion(period: Period, scope: Scope) -> Select[Any]:
    """Opportunities of rescues that were won or lost, by that day; the number is the opportunity's."""
    found = Opportunity
    rows = _rows(found.number, found.station_id, found.decided_at, _hit(found.state == "won"), period.span(), scope)
    return (
        rows.select_from(found)
        .join(WorkOrder, WorkOrder.id == found.work_order_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == WorkOrder.request_id)
        .where(found.origin == "rescue", found.state.in_(("won", "lost")), ServiceRequest.is_test.is_not(True))
    )


# Sums ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Share:
    """A share of hits among cases. A case counts `delay` after its moment (0: on that day)."""

    rows: Rows
    delay: timedelta = timedelta(0)

    def periods(self, periods: Sequence[Period], scope: Scope) -> list[MetricResult]:
        cases = self.rows(Period.around(periods), scope)
        inner = cases.subquery()
        days = [
            (_day(day) + self.delay, int(hits), count)
            for day, hits, count in self._sums(inner, _local_day(inner.c.moment))
        ]
        found = []
        for period in periods:
            mine = [(hits, count) for day, hits, count in days if period.first <= day <= period.last]
            found.append(MetricResult.share(sum(hits for hits, _ in mine), sum(count for _, count in mine), cases))
        return found

    def stations(self, period: Period, scope: Scope) -> Mapping[int, MetricResult]:
        inner = self.rows(period, scope).subquery()
        return {
            station: MetricResult.share(int(hits), count)
            for station, hits, count in self._sums(inner, inner.c.station_id)
        }

    def _sums(self, inner: Any, key: ColumnElement[Any]) -> Iterable[Any]:
        return session.execute(select(key, func.sum(inner.c.value), func.count()).select_from(inner).group_by(key))


@dataclass(frozen=True)
class _Median:
    """The middle of minutes, exact to the minute: equal minutes are counted in the database."""

    rows: Rows

    def periods(self, periods: Sequence[Period], scope: Scope) -> list[MetricResult]:
        cases = self.rows(Period.around(periods), scope)
        inner = cases.subquery()
        days = {_day(key): histogram for key, histogram in self._histograms(inner, _local_day(inner.c.moment)).items()}
        found = []
        for period in periods:
            counts: Histogram = Counter()
            for day, histogram in days.items():
                if period.first <= day <= period.last:
                    counts.update(histogram)
            found.append(_middle(counts, cases))
        return found

    def stations(self, period: Period, scope: Scope) -> Mapping[int, MetricResult]:
        inner = self.rows(period, scope).subquery()
        return {key: _middle(counts) for key, counts in self._histograms(inner, inner.c.station_id).items()}

    def _histograms(self, inner: Any, key: ColumnElement[Any]) -> dict[Any, Histogram]:
        minutes = func.round(inner.c.value)
        counted: dict[Any, Histogram] = defaultdict(Counter)
        for part, value, count in session.execute(
            select(key, minutes, func.count()).select_from(inner).group_by(key, minutes)
        ):
            counted[part][float(value)] += count
        return counted


def _middle(histogram: Histogram, cases: Select[Any] | None = None) -> MetricResult:
    """The median of a histogram: the mean of the two middle values when their number is even."""
    count = sum(histogram.values())
    if not count:
        return MetricResult(None, 0, None, cases)
    wanted, found, seen = ((count - 1) // 2, count // 2), [], 0
    for value in sorted(histogram):
        found += [value] * sum(seen <= place < seen + histogram[value] for place in wanted)
        seen += histogram[value]
    return MetricResult(None, count, sum(found) / len(found), cases)


def _day(key: Any) -> date:
    """SQLite tells days as texts."""
    return key if isinstance(key, date) else date.fromisoformat(key)


def register() -> None:
    """Tell the registry how each figure is computed."""
    for rows in (promise_kept, resolve_24h, arrival_rate, first_time_fix, top_box, deliver_24h, rescue_conversion):
        share = _Share(rows, WATCH if rows is first_time_fix else timedelta(0))
        register_compute(rows.__name__, share.periods, share.stations)
    median = _Median(first_response)
    register_compute("first_response", median.periods, median.stations)


register()
