"""Figures for Prometheus: requests as they happen, the rest asked of the database by bounded counts when read.

Labels are endpoints, methods, statuses and schedule names: never addresses, numbers or people.
"""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from fieldservice.foundation.db import session
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.jobs import leader_of
from fieldservice.foundation.time import now
from fieldservice.foundation.turns import turns_here
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import OPEN
from fieldservice.mechanisms.clocks import Clock
from fieldservice.operations import queries

EXTENSION = "fieldservice.metrics"
MOST = 100_001  # no count looks at more rows than this
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Figures:
    """The registry of one app and what it counts by itself."""

    def __init__(self, app: Flask) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        names = ("endpoint", "method", "status")
        self.requests = Counter("fieldservice_requests", "Requests answered.", names, registry=self.registry)
        self.seconds = Histogram(
            "fieldservice_request_seconds", "Seconds until the answer was made.", ("endpoint",), buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(_Turns(app))
        self.registry.register(_Stored())


def install(app: Flask) -> None:
    """Count every request of this app."""
    app.extensions[EXTENSION] = Figures(app)
    app.before_request(_begin)
    app.after_request(_end)


def registry() -> CollectorRegistry:
    figures: Figures = current_app.extensions[EXTENSION]
    return figures.registry


def _begin() -> None:
    g.request_began = perf_counter()


def _end(response: Response) -> Response:
    figures: Figures = current_app.extensions[EXTENSION]
    endpoint = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    figures.requests.labels(endpoint, method, str(response.status_code)).inc()
    if "request_began" in g:
        figures.seconds.labels(endpoint).observe(perf_counter() - g.request_began)
    return response


class _Turns:
    """What the schedules of this process did."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        runs = CounterMetricFamily("fieldservice_schedule_runs", "Turns of a schedule.", labels=["schedule"])
        failed = CounterMetricFamily("fieldservice_schedule_failures", "Turns that failed.", labels=["schedule"])
        ended = GaugeMetricFamily("fieldservice_schedule_last_end", "Unix time of the last end.", labels=["schedule"])
        for name, turn in sorted(turns_here().items()):
            runs.add_metric([name], turn.runs)
            failed.add_metric([name], turn.failed)
            if turn.finished_at is not None:
                ended.add_metric([name], turn.finished_at.timestamp())
        yield from (runs, failed, ended)
        leader = leader_of(self._app)
        alive = leader is not None and leader.alive()
        yield GaugeMetricFamily("fieldservice_background_alive", "1 when background work runs here.", value=alive)


class _Stored:
    """What stands in the database; without one only the fact that there is none."""

    def collect(self) -> Iterator[Metric]:
        try:
            values = _values()
        except SQLAlchemyError:
            current_app.logger.warning("metrics: the database cannot be reached", exc_info=True)
            values = {}
        finally:
            session.rollback()
        yield GaugeMetricFamily("fieldservice_database_up", "1 when the database answers.", value=bool(values))
        for name, (text, value) in values.items():
            yield GaugeMetricFamily(f"fieldservice_{name}", text, value=value)


def _values() -> dict[str, tuple[str, float]]:
    last = queries.last_backup()
    values: dict[str, tuple[str, float]] = {
        "outbox_age_seconds": ("Age of the oldest message that is due.", queries.outbox_age().total_seconds()),
        "relay_lag_seconds": ("Age of the oldest event not in the log.", queries.relay_lag().total_seconds()),
        "messages_failed": ("Messages given up.", queries.failed_message_count()),
        "jobs_failed": ("Deferred jobs given up.", _count(_jobs("failed"))),
        "jobs_queued": ("Deferred jobs that wait.", _count(_jobs("queued"))),
        "requests_open": (
            "Service requests not closed.", _count(select(ServiceRequest.id).where(ServiceRequest.state.in_(OPEN))),
        ),
        "promises_running": (
            "Promises running and in time.",
            _count(select(Clock.id).where(Clock.state == "running", Clock.due_at > now())),
        ),
        "promises_late": (
            "Promises due and not yet kept.",
            _count(select(Clock.id).where(Clock.state == "running", Clock.due_at <= now()))
            + _count(select(Clock.id).where(Clock.state == "breached", Clock.stopped_at.is_(None))),
        ),
    }  # fmt: skip
    if last is not None and last.finished_at is not None:
        values["backup_age_seconds"] = ("Age of the last backup.", (now() - last.finished_at).total_seconds())
    return values


def _jobs(status: str) -> Select[Any]:
    return select(DeferredJob.id).where(DeferredJob.status == status)


def _count(rows: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(rows.limit(MOST).subquery())) or 0
