"""What can be done with a rescue: ask, decide, withdraw. Visits may be planned meanwhile; none is sent before approval.

The station's manager decides within half an hour (policy `rescue.approval`); when that has passed, the director is
asked, who may decide too. One person decides, there is never a second hop. Whoever only triages cannot decide, so
nobody approves their own asking unless they manage the station.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.assets.brands import is_own
from fieldservice.assets.models import Asset
from fieldservice.contracts import promises
from fieldservice.foundation.access import actor
from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import clocks, tasks
from fieldservice.mechanisms.clocks.services import breach_key
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.messages import robots
from fieldservice.mechanisms.subjects import OnBehalf
from fieldservice.workorders import orders
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue.models import KIND, Rescue
from fieldservice.workorders.rescue.queries import decided_text, rescue_of

APPROVAL = "approval"  # the clock's kind, words.yaml promise
COVERAGES = {"goodwill": "goodwill", "paid": "billable"}  # what is decided → the order's coverage
LONGEST = 366 * 24 * 60  # minutes: nobody waits longer for a maker
LARGEST = 10_000_000_00  # minor units
MOST_BRAND, MOST_WAIVER, MOST_REASON = 80, 4000, 300
TASK = "approve_rescue"

tasks.register_titles(Path(__file__).parent.parent / "data" / "tasks.yaml")
clocks.escalate(APPROVAL, "approval_overdue", owner_role="director", supervisor_role="director")


@dataclass(frozen=True)
class Told:
    """What the customer said of the machine's maker: the brand, and in how many minutes they would come."""

    brand: str = ""
    their_minutes: int | None = None


@dataclass(frozen=True)
class Decision:
    """What the manager says. `estimate` (minor units) belongs to paid work; no waiver means the usual text."""

    approved: bool
    coverage: str = ""  # goodwill, paid
    estimate: int | None = None
    waiver: str | None = None
    reason: str = ""


# Asking ---------------------------------------------------------------------------------------------


def check(asset: Asset | None, told: Told) -> dict[str, list[Any]]:
    """What is wrong with asking for a rescue, by field; nothing when all is well."""
    errors: dict[str, list[Any]] = {}
    known = asset.brand if asset is not None else ""
    if known and is_own(known):
        errors["work_type"] = [_l("This machine is of our own make (%(brand)s). Choose a repair.", brand=known)]
    elif not known and not told.brand.strip():
        errors["brand"] = [_l("Name the maker of the machine.")]
    elif not known and len(told.brand) > MOST_BRAND:
        errors["brand"] = [_l("Use at most %(most)s characters.", most=MOST_BRAND)]
    elif not known and is_own(told.brand):
        errors["brand"] = [_l("This is a brand of ours. Choose a repair.")]
    return errors | _wrong_time(told.their_minutes)


def _wrong_time(minutes: int | None) -> dict[str, list[Any]]:
    if minutes is None or 0 < minutes <= LONGEST:
        return {}
    return {"their_hours": [_l("Enter the hours until the maker comes, at most a year.")]}


def ask(order: WorkOrder, told: Told, at: datetime) -> Rescue:
    """The new order waits for its manager: a clock, a task, and the customer's promise of 24 hours from receipt.

    The caller has checked what was told.
    """
    brand = (order.asset.brand if order.asset is not None else "") or plain_text(told.brand, MOST_BRAND, field="brand")
    rescue = Rescue(
        work_order_id=order.id, station_id=order.station_id, brand=brand, their_minutes=told.their_minutes,
        asked_by=actor(), asked_at=at,
    )  # fmt: skip
    session.add(rescue)
    session.flush()
    if order.request is not None:
        promises.promise_rescue(order.request, at=at)
    limit = promises.approval_limit(order.station_id)
    clock = clocks.start(order, APPROVAL, limit, started_at=at, priority=order.priority, told=False)
    tasks.open_task(
        TASK, order, owner_role="station_manager", supervisor_role="director", due_at=clock.due_at, at=at,
        facts={"number": order.number, "brand": brand}, key=_task_key(order.id),
    )  # fmt: skip
    station = " ".join(dict.fromkeys(order.station.names.values()))
    told_team = {
        "number": order.number, "brand": brand, "priority": order.priority, "station": station,
        "due_at": clock.due_at.isoformat(),
    }  # fmt: skip
    robots.announce("approval", order, order.station_id, told_team, key=f"approval:{order.id}", at=at)
    record("rescue.asked", order, {"brand": brand, "their_minutes": told.their_minutes}, at=at)
    return rescue


def usual_waiver(brand: str, language: str) -> str:
    """The text customers sign, in their language."""
    return pick(_texts()["waiver"], language).format(brand=brand)


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    loaded: Mapping[str, Mapping[str, str]] = read_yaml(Path(__file__).parent.parent / "data" / "rescue.yaml")
    return loaded


# Deciding -------------------------------------------------------------------------------------------


def decide(order: WorkOrder, decision: Decision, at: datetime) -> Rescue:
    """Approve, with who pays and the waiver; or refuse, which cancels the order and frees its visits.

    Saying the same again changes nothing. Raises Invalid for what is missing, and Conflict `decided` with what
    happened when somebody else was faster, `no_rescue` for other kinds of work.
    """
    orders.lock_with_visits(order)
    rescue = rescue_of(order)
    if rescue is None:
        raise Conflict(_l("This work needs no approval."), code="no_rescue", kind=order.kind)
    lock_rows(rescue)
    wanted = "approved" if decision.approved else "refused"
    if rescue.state == wanted and rescue.decided_by == actor():
        return rescue
    if rescue.state != "awaiting":
        raise Conflict(decided_text(rescue), code="decided", state=rescue.state, decided_by=rescue.decided_by)
    (_approve if decision.approved else _refuse)(order, rescue, decision, at)
    return rescue


def _approve(order: WorkOrder, rescue: Rescue, decision: Decision, at: datetime) -> None:
    language = order.request.language if order.request is not None else "zh"
    given = usual_waiver(rescue.brand, language) if decision.waiver is None else decision.waiver
    waiver, errors = plain_text(given, MOST_WAIVER, field="waiver"), dict[str, list[Any]]()
    paid = decision.coverage == "paid"
    if decision.coverage not in COVERAGES:
        errors["coverage"] = [_l("Say whether it is goodwill or paid by the customer.")]
    if paid and not 0 < (decision.estimate or 0) <= LARGEST:
        errors["estimate"] = [_l("Enter the price that the customer is told.")]
    if not waiver:
        errors["waiver"] = [_l("Write what the customer signs before the work.")]
    if errors:
        raise Invalid(errors)
    rescue.waiver, rescue.estimate = waiver, decision.estimate if paid else None
    order.coverage = COVERAGES[decision.coverage]
    _note(rescue, at)
    _move(rescue, "approved", at, coverage=order.coverage, estimate=rescue.estimate)
    _close_asking(order, at, "approved")


def _refuse(order: WorkOrder, rescue: Rescue, decision: Decision, at: datetime) -> None:
    reason = plain_text(decision.reason, MOST_REASON, field="reason")
    rescue.reason = reason
    _note(rescue, at)
    _move(rescue, "refused", at, reason=reason)
    _close_asking(order, at, "refused")
    orders.cancel(order, reason, at)


def _note(rescue: Rescue, at: datetime) -> None:
    rescue.decided_by, rescue.decided_at = actor(), at


def withdraw(order: WorkOrder, at: datetime) -> None:
    """The order was cancelled before anybody decided: nobody needs to any more."""
    rescue = rescue_of(order)
    if rescue is None:
        return
    lock_rows(rescue)
    if rescue.state != "awaiting":
        return
    _move(rescue, "withdrawn", at)
    clocks.void(order, APPROVAL, at=at, reason="cancelled")
    tasks.cancel_keyed(_task_key(order.id), at=at)


def _close_asking(order: WorkOrder, at: datetime, result: str) -> None:
    clock = clocks.stop(order, APPROVAL, at)
    if clock is not None:
        tasks.cancel_keyed(breach_key(clock), at=at)  # the director need not step in any more
    task = tasks.open_of(_task_key(order.id))
    if task is not None:
        tasks.finish(task, at=at, result=result)


def _move(rescue: Rescue, to: str, at: datetime, *, reason: str | None = None, **facts: Any) -> None:
    move(OnBehalf(rescue), to, reason=reason, at=at, **facts)


def _task_key(order_id: int) -> str:
    return f"rescue:{order_id}"


# In between -----------------------------------------------------------------------------------------


def require_approved(order: WorkOrder) -> None:
    """Nobody is sent to another maker's machine before the manager said so. Raises Conflict `approval`."""
    if order.kind != KIND:
        return
    state = session.scalar(select(Rescue.state).where(Rescue.work_order_id == order.id))
    if state not in (None, "approved"):
        raise Conflict(
            _l("The station manager has not approved this rescue yet. The visit stays planned; send it after that."),
            code="approval", state=state, allowed=["approved"],
        )  # fmt: skip


def note_their_time(rescue: Rescue, minutes: int | None, at: datetime) -> None:
    """What the maker quoted, told or corrected later (X-02). Raises Invalid."""
    if errors := _wrong_time(minutes):
        raise Invalid(errors)
    if minutes != rescue.their_minutes:
        rescue.their_minutes = minutes
        record("rescue.their_time_noted", OnBehalf(rescue), {"their_minutes": minutes}, at=at)
