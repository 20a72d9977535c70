"""Closed work as rows, for figures: only what a figure reads."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.limits import Limit
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders.models import Visit, WorkOrder
from tests.workorders.cast import DAY
from tests.workorders.scene import make_order, make_request, make_technician

MORNING = at_local(DAY, 8)  # 25 November 2026, a Wednesday
_names = count(1)


def closed(station: Station, at: datetime = MORNING, *, took: float = 3, **facts: Any) -> ServiceRequest:
    """A request received `took` hours before `at`, when the machine ran again and the request was closed."""
    given = {
        "received_at": at - timedelta(hours=took), "restored_at": at, "resolved_at": at, "closed_at": at,
        "state": "closed", "arrival": None,
    }  # fmt: skip
    return make_request(station, **{**given, **facts})


def promise(
    request: ServiceRequest, kind: str, limit: str, *, hours: float | None, told: bool = True, **facts: Any
) -> clocks.Clock:
    """A promise from receipt that was met after `hours` (None: still running)."""
    made = clocks.start(request, kind, Limit.parse(limit), started_at=request.received_at, told=told, **facts)
    if hours is not None:
        clocks.stop(request, kind, request.received_at + timedelta(hours=hours))
    return made


def visited(
    request: ServiceRequest, station: Station, at: datetime, *, restored: bool = True, order: WorkOrder | None = None,
    **facts: Any,
) -> WorkOrder:  # fmt: skip
    """An hour on site from `at`, of this order or of a new one of the request."""
    reason = facts.pop("end_reason", None)
    order = order or make_order(station, request=request, **{"asset_id": None, "state": "closed", **facts})
    technician = _somebody(station)
    session.add(Visit(
        work_order_id=order.id, technician_id=technician.id, station_id=station.id, home_station_id=station.id,
        starts_at=at, ends_at=at + timedelta(hours=1), window_starts_at=at, window_ends_at=at + timedelta(hours=2),
        on_site_at=at, started_at=at, finished_at=at + timedelta(hours=1), restored=restored, end_reason=reason,
        state="completed" if restored else "cannot_complete",
    ))  # fmt: skip
    session.flush()
    return order


def surveyed(request: ServiceRequest, at: datetime, **scores: int) -> None:
    """An answered survey."""
    session.add(Survey(
        request_id=request.id, station_id=request.station_id, language="zh", scheduled_at=at, sent_at=at,
        answered_at=at, scores=scores, state="answered",
    ))  # fmt: skip
    session.flush()


def _somebody(station: Station) -> Technician:
    number = next(_names)
    return make_technician(station, f"工程师{number}", f"Technician {number}", days=0)
