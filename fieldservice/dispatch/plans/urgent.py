"""A P1 that has nobody: the best way to put it into the day is computed at once, and stands on the board."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from fieldservice.dispatch.planning.objectives import Amounts, Goals
from fieldservice.dispatch.plans import outcome, running, services, solving, telling
from fieldservice.dispatch.plans.compiling import compiled
from fieldservice.dispatch.plans.models import WITHOUT_DETAIL, DispatchPlan
from fieldservice.dispatch.plans.reading import free_for, read
from fieldservice.foundation.db import session
from fieldservice.foundation.deferred import Done, defer, task
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import local, now
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders.models import WorkOrder

URGENT = "P1"
OBJECTIVE = "urgent"  # what such a plan says it was made for
DAYS = 2  # today and tomorrow
SHOWN_FOR = timedelta(hours=8)
MOST_SHOWN = 3


@dataclass(frozen=True)
class Offer:
    """What the board says about an urgent order: who would go when, and what that does to others."""

    plan: DispatchPlan
    order: WorkOrder
    change: telling.Change | None  # None: nobody can go
    moved: int
    asked: int  # customers who are told another time
    dropped: int
    help: str


def think(event: Event) -> None:
    """An order became ready to be planned: an urgent one is thought about after the commit."""
    order = session.get_one(WorkOrder, event.subject_id)
    if order.priority == URGENT:
        defer(compute_urgent, f"urgent:{event.id}", {"order_id": order.id})


@task("dispatch.urgent", attempts=2)
def compute_urgent(order_id: int) -> Done | None:
    """The best insertion with the fewest consequences; a plan that only waits for somebody to say yes."""
    order = session.get(WorkOrder, order_id)
    if order is None or order.state != "ready":
        return None
    at, station_id, number = now(), order.station_id, order.number
    first = local(at).date()
    weights = services.mixed("promises", station_id)
    try:
        material = free_for(read([station_id], first, DAYS, at), order)
    except DomainError:
        return None  # too much at once: the order stands in the queue like any other
    world = compiled(material, Goals(Amounts(**weights)))
    session.rollback()
    job = next((at for at, work in enumerate(world.works) if work is not None and work.order_id == order_id), None)
    if job is None or not world.problem.days:
        return None
    before, found, why = compute(solving.urgent, world.problem, job, timeout=running.PATIENCE)
    told = {**outcome.told(world, before, found, why), "urgent": number, "read_at": at.isoformat()}
    wish = {"first_day": first, "days": DAYS, "objective": OBJECTIVE, "weights": weights, "seed": 1, "effort": 0}

    def keep() -> None:
        plan = DispatchPlan(
            **wish, station_id=station_id, station_ids=[station_id], user_id=None, asked_at=at, applied=[],
            outcome={}, figures={}, finished_at=now(), share=1.0, score=found.score, before=before.score,
            jobs=told["after"]["jobs"], placed=told["after"]["placed"],
        )  # fmt: skip
        plan.keep(told)
        session.add(plan)
        session.flush()
        for state in ("computing", "ready"):
            move(plan, state, by="system")

    return Done(effect=keep)


def offers(station_ids: Collection[int], at: datetime) -> list[Offer]:
    """Urgent orders that still have nobody, with the newest answer to each; two statements, and one for each shown."""
    rows = (
        select(DispatchPlan)
        .options(WITHOUT_DETAIL)  # which is read of those alone that are shown
        .where(DispatchPlan.objective == OBJECTIVE, DispatchPlan.state == "ready")
        .where(DispatchPlan.station_id.in_(station_ids), DispatchPlan.asked_at > at - SHOWN_FOR)
        .order_by(DispatchPlan.id.desc())
        .limit(20)
    )
    newest: dict[str, DispatchPlan] = {}
    for plan in session.scalars(rows):
        newest.setdefault(plan.figures["urgent"], plan)
    if not newest:
        return []
    waiting = select(WorkOrder).where(WorkOrder.number.in_(newest), WorkOrder.state == "ready")
    return [_offer(newest[order.number], order) for order in session.scalars(waiting.limit(MOST_SHOWN))]


def _offer(plan: DispatchPlan, order: WorkOrder) -> Offer:
    changes = telling.changes(plan)
    others = [one for one in changes if one.work_order != order.number]
    left = next((one for one in telling.unplaced(plan) if one.work_order == order.number), None)
    return Offer(
        plan=plan,
        order=order,
        change=next((one for one in changes if one.work_order == order.number), None),
        moved=sum(1 for one in others if one.kind in ("moved", "retimed")),
        asked=sum(1 for one in others if one.told_kept is False and one.kind != "dropped"),
        dropped=sum(1 for one in others if one.kind == "dropped"),
        help=left.smallest_change.detail if left is not None and left.smallest_change is not None else "",
    )
