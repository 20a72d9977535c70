"""What can be done with plans: ask for one, stop it, apply it as a whole or in part, discard it, plan anew."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.dispatch import scope
from fieldservice.dispatch.planning.objectives import NAMES, OBJECTIVES, Goals
from fieldservice.dispatch.plans.models import WITHOUT_DETAIL, DispatchPlan
from fieldservice.dispatch.plans.reading import Absent
from fieldservice.dispatch.plans.running import absent_of, compute_plan, kept
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.deferred import defer
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.mechanisms import policies, tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import Ref
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import held_time
from fieldservice.workorders.models import Visit
from fieldservice.workorders.queries import LARGEST_ID, PLANNERS
from fieldservice.workorders.rearranging import Arrangement, rearrange

WEIGHTS = "planning_weights"  # {goal: weight}: what a station mixes in place of the package's numbers
MOST_DAYS = 7
MOST_STATIONS = 60
MOST_SEED = 2**31 - 1
MOST_EFFORT = 2_000
FIND_ANOTHER = timedelta(minutes=30)  # for an order that an absence leaves without anybody [D]


def _weights(stored: Any) -> dict[str, float]:
    """A stored mix. Raises ValueError for what is none."""
    if not isinstance(stored, dict):
        raise ValueError("weights are an object of goals and numbers")
    Goals.named("promises", stored)
    return {str(name): float(weight) for name, weight in stored.items()}


def register_policies() -> None:
    """Called where plans are wired in."""
    worth = policies.Worth(read=_weights, store=dict, fits=lambda _value, _floor: True)
    policies.register_defaults(WEIGHTS, {}, worth=worth)


register_policies()


def mixed(objective: str, station_id: int, typed: Mapping[str, float] | None = None) -> dict[str, float]:
    """The weights of an objective: the package's, over them the station's, over them what was typed. Raises Invalid."""
    if objective not in OBJECTIVES:
        raise Invalid({"objective": [_l("Choose one of the options.")]})
    chosen = policies.effective(WEIGHTS, station_id=station_id).value
    try:
        return asdict(Goals.named(objective, {**chosen, **(typed or {})}).weights)
    except ValueError:
        raise Invalid({"weights": [_l("Weights are numbers from 0 to 20, by goal.")]}) from None


def set_weights(station: Station, weights: Mapping[str, float] | None, at: datetime | None = None) -> None:
    """What this station mixes from now on, whatever objective is chosen; None goes back to the package's numbers."""
    if weights is None:
        policies.clear_override(WEIGHTS, "station", station.id, at=at or now())
    else:
        policies.set_override(WEIGHTS, "station", station.id, dict(weights), at=at or now())


def ask(
    somebody: Person | None,
    stations: Sequence[Station],
    first: date,
    *,
    days: int = 1,
    objective: str = "promises",
    weights: Mapping[str, float] | None = None,
    seed: int = 1,
    effort: int = 0,
    run: bool = True,
    absent: Absent | None = None,
    at: datetime | None = None,
) -> DispatchPlan:
    """Ask for a plan; it is computed after the commit. Who asks twice for the same while it runs gets the same one.

    With somebody `absent` the plan replaces just him, and applying it books the absence.

    Raises Invalid for days that are past or too many, Forbidden for a station whose work the person does not plan.
    """
    at = at or now()
    _require(stations, first, days, seed, effort)
    if somebody is not None and not all(scope.may_plan(somebody, station.id) for station in stations):
        raise Forbidden()
    ids = sorted(station.id for station in stations)
    mix = mixed(objective, ids[0], weights)
    user_id = somebody.user_id if somebody is not None else None
    wish = {"first_day": first, "days": days, "objective": objective, "seed": seed, "effort": effort}
    told = {} if absent is None else {"absent": _absence_told(absent)}
    under_way = select(DispatchPlan).filter_by(**wish, user_id=user_id, station_id=ids[0])
    for known in session.scalars(under_way.where(DispatchPlan.state.in_(("asked", "computing")))):
        if known.station_ids == ids and known.weights == mix and not known.stop and kept(known) == told:
            return known
    plan = DispatchPlan(
        **wish,
        station_id=ids[0],
        station_ids=ids,
        weights=mix,
        user_id=user_id,
        asked_at=at,
        applied=[],
        outcome=told,
        figures={},
    )
    session.add(plan)
    session.flush()
    record("dispatch_plan.asked", plan, {"stations": ids, "first": first.isoformat(), "days": days}, at=at)
    if run:
        defer(compute_plan, f"plan:{plan.id}", {"plan_id": plan.id})
    return plan


def ask_again(
    plan: DispatchPlan, somebody: Person, *, objective: str | None = None, at: datetime | None = None
) -> DispatchPlan:
    """The same wish, or one with another objective, on the day as it is now."""
    stations = session.scalars(select(Station).where(Station.id.in_(plan.station_ids))).all()
    if plan.objective not in OBJECTIVES and objective is None:
        objective = "promises"  # it was made for one urgent order; anew, for the whole day
    return ask(
        somebody, stations, max(plan.first_day, today()), days=plan.days, objective=objective or plan.objective,
        weights=None if objective else {name: plan.weights[name] for name in NAMES}, seed=plan.seed,
        effort=plan.effort, absent=absent_of(plan), at=at,
    )  # fmt: skip


def plan_by_id(plan_id: int, somebody: Person) -> DispatchPlan:
    """A plan of stations that the person plans. Raises NotFound."""
    plan = session.get(DispatchPlan, plan_id) if 0 < plan_id < LARGEST_ID else None
    if plan is None or not all(scope.may_plan(somebody, station) for station in plan.station_ids):
        raise NotFound()
    return plan


def recent(somebody: Person, limit: int = 20) -> list[DispatchPlan]:
    """The latest plans of stations that the person plans, newest first; without what came out in detail."""
    rows = select(DispatchPlan).options(WITHOUT_DETAIL).order_by(DispatchPlan.id.desc())
    stations = somebody.stations(*PLANNERS)
    if stations is not None:
        rows = rows.where(DispatchPlan.station_id.in_(sorted(stations)))
    found = session.scalars(rows.limit(3 * limit))
    return [plan for plan in found if all(scope.may_plan(somebody, one) for one in plan.station_ids)][:limit]


def stop(plan: DispatchPlan, how: str) -> None:
    """Take what has been found (`enough`), or leave it (`cancel`). Raises Conflict when it is over already."""
    if how not in ("enough", "cancel"):
        raise Invalid({"how": [_l("Choose one of the options.")]})
    if plan.state not in ("asked", "computing"):
        raise Conflict(_l("This plan is finished already."), code="move_forbidden", state=plan.state, allowed=[])
    plan.stop = how


def discard(plan: DispatchPlan, at: datetime | None = None) -> None:
    """Nobody wants it; it stays on record."""
    move(plan, "discarded", at=at or now())


def apply(plan: DispatchPlan, numbers: Collection[int] | None = None, at: datetime | None = None) -> list[Visit]:
    """Carry out all changes, or those with these numbers: all of them or none.

    Raises Invalid for numbers the plan does not have or none at all, Conflict `plan_outdated` with what changed since,
    and Conflict with the refusing rule where a chosen part does not stand by itself.
    """
    at = at or now()
    lock_rows(plan)
    known = {change["number"]: change for change in plan.outcome.get("changes", ())}
    chosen = sorted(known if numbers is None else set(numbers))
    absent = absent_of(plan)
    if not known.keys() >= set(chosen) or not (chosen or absent):
        raise Invalid({"changes": [_l("Choose at least one change of this plan.")]})
    if absent is not None and len(chosen) < len(known):
        raise Invalid({"changes": [_l("An absence is carried out with all changes of its plan.")]})
    move(plan, "applied", at=at, changes=len(chosen))
    plan.applied, plan.applied_at = chosen, at
    reason = str(_("Planned anew") if absent is None else _("The technician is absent"))
    placed = rearrange([_arrangement(known[number]) for number in chosen], reason, at)
    if absent is not None:
        _book(plan, absent, at)
    return placed


def _book(plan: DispatchPlan, absent: Absent, at: datetime) -> None:
    """The time of whoever is absent is free by now; whom nobody goes to any more is left to the dispatcher."""
    technician = session.get_one(Technician, absent.technician_id)
    held_time.book_absence(technician, absent.cause, *absent.span, at=at)
    for change in plan.outcome["changes"]:
        if change["kind"] == "dropped":
            tasks.open_task(
                "order_without_technician", Ref("work_order", change["order_id"], change["station"]), at=at,
                due_at=at + FIND_ANOTHER, owner_role="dispatcher", facts={"number": change["work_order"]},
                key=f"absent:{plan.id}:{change['order_id']}",
            )  # fmt: skip


def _absence_told(absent: Absent) -> dict[str, Any]:
    span = absent.span
    return {
        "technician": absent.technician_id, "starts_at": span.starts_at.isoformat(),
        "ends_at": span.ends_at.isoformat(), "cause": absent.cause,
    }  # fmt: skip


def _arrangement(change: Mapping[str, Any]) -> Arrangement:
    to = change["to"] or {}
    return Arrangement(
        order_id=change["order_id"],
        order_version=change["order_version"],
        visit_id=change["visit_id"],
        visit_version=change["visit_version"],
        technician_id=to.get("technician"),
        starts_at=datetime.fromisoformat(to["starts_at"]) if to else None,
        ends_at=datetime.fromisoformat(to["ends_at"]) if to else None,
    )


def _require(stations: Sequence[Station], first: date, days: int, seed: int, effort: int) -> None:
    errors: dict[str, list[Any]] = {}
    if not 1 <= len(stations) <= MOST_STATIONS:
        errors["stations"] = [_l("Choose at least one station.")]
    if not 1 <= days <= MOST_DAYS:
        errors["days"] = [_l("Plan one to seven days.")]
    if first < today() or (first - today()).days > 90:
        errors["date"] = [_l("Choose today or a day within three months.")]
    if not 0 <= seed <= MOST_SEED or not 0 <= effort <= MOST_EFFORT:
        errors["effort"] = [_l("Enter a whole number.")]
    if errors:
        raise Invalid(errors)
