"""A kept plan as its page draws it: the six figures on top, routes on the map, and how other objectives fared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fieldservice.dispatch.plans.models import WITHOUT_DETAIL, DispatchPlan
from fieldservice.dispatch.plans.telling import person
from fieldservice.foundation.db import session
from fieldservice.foundation.words import pick
from fieldservice.stations.queries import stations_by_id

TONES = {"placed": "ok", "moved": "info", "retimed": "info", "dropped": "warn"}


@dataclass(frozen=True)
class Summary:
    """What a dispatcher asks first."""

    kept_before: int
    kept_after: int
    promises: int
    broken_anew: int
    placed: int
    waiting: int  # orders without anybody before
    moved: int
    asking: int  # of those, how many customers have to be told another time
    dropped: int
    travel_before: int
    travel_after: int
    goals: Mapping[str, tuple[int, int]]  # goal → before, after, in seconds of travel it is worth
    score: tuple[int, int]


def summary(plan: DispatchPlan) -> Summary:
    """The figures of a computed plan."""
    outcome = plan.outcome
    before, after, changes = outcome["before"], outcome["after"], outcome["changes"]
    kinds = [change["kind"] for change in changes]
    moved = [change for change in changes if change["kind"] in ("moved", "retimed")]
    promises = [promise for change in changes for promise in change["promises"]]
    unplaced = sum(1 for one in outcome["unplaced"] if not one["stands"])
    return Summary(
        kept_before=before["promises"] - before["late"],
        kept_after=after["promises"] - after["late"],
        promises=after["promises"],
        broken_anew=sum(1 for one in promises if one["late_before"] == 0 and one["late_after"] != 0),
        placed=kinds.count("placed"),
        waiting=kinds.count("placed") + unplaced,
        moved=len(moved),
        asking=sum(1 for change in moved if change["told_kept"] is False),
        dropped=kinds.count("dropped"),
        travel_before=before["travel_min"],
        travel_after=after["travel_min"],
        goals={name: (before["goals"][name], after["goals"][name]) for name in after["goals"]},
        score=(before["score"], after["score"]),
    )


def alternatives(plan: DispatchPlan, limit: int = 6) -> list[DispatchPlan]:
    """Other plans of the same days and stations, the newest of each objective."""
    alike = {"station_id": plan.station_id, "first_day": plan.first_day, "days": plan.days}
    same = select(DispatchPlan).options(WITHOUT_DETAIL).filter_by(**alike)
    rows = same.where(DispatchPlan.id != plan.id, DispatchPlan.finished_at.is_not(None)).order_by(
        DispatchPlan.id.desc()
    )
    found: dict[str, DispatchPlan] = {}
    for other in session.scalars(rows.limit(20)):
        if other.station_ids == plan.station_ids and "after" in other.figures and other.objective != plan.objective:
            found.setdefault(other.objective, other)
    return list(found.values())[:limit]


# The map ------------------------------------------------------------------------------------------


def on_map(plan: DispatchPlan) -> dict[str, Any]:
    """Routes as they would be and, dashed, as they are (static/src/dispatch/map/element.js)."""
    lanes = [lane for lane in plan.outcome["lanes"] if lane["stops"]]
    tones = {change["number"]: TONES[change["kind"]] for change in plan.outcome["changes"]}
    jobs = [_job(stop, tones) for lane in lanes for stop in lane["stops"] if stop["at"] and stop["work_order"]]
    return {
        "stations": [
            {"id": one.id, "lat": one.latitude, "lon": one.longitude, "title": pick(one.names)}
            for one in stations_by_id(plan.station_ids).values()
        ],
        "people": [_person(plan, lane) for lane in lanes],
        "jobs": jobs,
        "areas": [],
        "labels": [],
        "compare": _before(plan, lanes),
    }


def _job(stop: Mapping[str, Any], tones: Mapping[int, str]) -> dict[str, Any]:
    number = stop["work_order"]
    return {
        "id": number, "lat": stop["at"][0], "lon": stop["at"][1], "title": pick(stop["titles"]),
        "short": number[-6:], "tone": tones.get(stop["change"], "mute"),
    }  # fmt: skip


def _person(plan: DispatchPlan, lane: Mapping[str, Any]) -> dict[str, Any]:
    name = pick(person(plan, lane["technician"]).names)
    route = [stop["work_order"] for stop in lane["stops"] if stop["work_order"]]
    return {
        "id": f"{lane['technician']}@{lane['starts_at']}", "lat": lane["at"][0], "lon": lane["at"][1], "title": name,
        "short": name[:1], "tone": "mute", "route": route,
    }  # fmt: skip


def _before(plan: DispatchPlan, lanes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each route as it stands: what stays, and what would go elsewhere, by time."""
    changes = {change["work_order"]: change for change in plan.outcome["changes"]}
    standing: dict[int, list[tuple[str, str]]] = {}
    for lane in lanes:
        for stop in lane["stops"]:
            if stop["work_order"] and stop["work_order"] not in changes:
                standing.setdefault(lane["technician"], []).append((stop["starts_at"], stop["work_order"]))
    for number, change in changes.items():
        if change["from"]:
            standing.setdefault(change["from"]["technician"], []).append((change["from"]["starts_at"], number))
    return [
        {
            "id": f"{lane['technician']}@{lane['starts_at']}",
            "route": _within(standing.get(lane["technician"], []), lane),
        }
        for lane in lanes
    ]


def _within(stops: Sequence[tuple[str, str]], lane: Mapping[str, Any]) -> list[str]:
    return [number for starts_at, number in sorted(stops) if lane["starts_at"] <= starts_at < lane["ends_at"]]
