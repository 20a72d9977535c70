"""Asking for a plan and waiting for it."""

from collections.abc import Sequence
from typing import Any

from fieldservice.dispatch.plans import running, services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.db import session, write
from fieldservice.stations.models import Station
from tests.workorders.cast import DAY


def planned(stations: Sequence[Station], **wish: Any) -> DispatchPlan:
    """A plan of the day, computed."""
    first = wish.pop("first", DAY)
    plan_id = write(lambda: services.ask(None, stations, first, run=False, **wish)).id
    running.run_here(plan_id)
    return session.get_one(DispatchPlan, plan_id, populate_existing=True)


def changes(plan: DispatchPlan) -> dict[str, tuple[str, int | None, str | None]]:
    """order → kind, technician and local time of day"""
    return {
        one["work_order"]: (
            one["kind"],
            one["to"] and one["to"]["technician"],
            one["to"] and one["to"]["starts_at"][11:16],
        )
        for one in plan.outcome["changes"]
    }
