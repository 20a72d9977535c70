"""What a technician does with a visit, from accepting to finishing. What is recorded there: findings.py.

Every service takes the time at which it happened: a tablet may tell it later, never earlier than the step
before and never from the future. Each ends by settling the order, whose state is derived from its visits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places.legs import at_another_hour
from fieldservice.foundation.time import now
from fieldservice.intake import services as intake
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import history
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders import booking, goodwill, needs, orders
from fieldservice.workorders.findings import (
    AT_WORK,
    CORRECTIVE,
    ENDED,
    answer,
    at_machine,
    choose_pattern,
    missing_for,
    need,
    note,
    open_required,
    return_part,
    set_failure,
    set_summary,
    sign,
    unanswered,
    use_part,
    withdraw_need,
)
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from fieldservice.workorders.onsite import arriving, leaving
from fieldservice.workorders.onsite.arriving import CheckIn
from fieldservice.workorders.onsite.leaving import Departure

__all__ = [
    "AT_WORK", "CORRECTIVE", "ENDED", "END_REASONS", "accept", "answer", "arrive", "at_machine", "catch_up",
    "choose_pattern", "counted_time", "decline", "finish", "missing_for", "need", "note", "pause", "resume",
    "return_part", "set_failure", "set_off", "set_summary", "sign", "start", "step", "use_part", "withdraw_need",
]  # fmt: skip

END_REASONS = ("no_access", "wrong_part", "needs_quote", "unsafe", "other")
MOST_OPEN_ITEMS = 20


# On the way ---------------------------------------------------------------------------------------


def accept(visit: Visit, at: datetime) -> None:
    """The technician takes the job."""
    _begin(visit, at)
    visit.accepted_at = at
    move(visit, "accepted", at=at)
    orders.settle(visit.work_order, at)


def catch_up(visit: Visit, to: str, at: datetime, technician_id: int | None) -> bool:
    """His next step, told late: the office had changed the time after he accepted, and he could not know.

    He counts as told and as having accepted again; whether anything had to be caught up with.
    """
    behind = (visit.state == "scheduled" and to in ("accepted", "en_route")) or (
        visit.state == "dispatched" and to == "en_route"
    )
    if not behind or not _had_accepted(visit, technician_id):
        return False
    if visit.state == "scheduled":
        booking.send_visit(visit, at)
    if to == "en_route":
        accept(visit, at)
    return True


def _had_accepted(visit: Visit, technician_id: int | None) -> bool:
    """Whether this technician's acceptance was undone by another time."""
    return any(
        undone.kind == "visit.scheduled"
        and undone.facts.get("from") == "accepted"
        and moved.kind == "visit.rescheduled"
        and moved.facts["before"]["technician"] == technician_id
        for undone, moved in pairwise(history(visit))
    )


def decline(visit: Visit, reason: str, at: datetime) -> None:
    """The technician cannot take it; the time is free again and the order waits for another plan."""
    _begin(visit, at)
    move(visit, "declined", reason=_reason(reason), at=at)
    booking.release(visit, at)
    orders.settle(visit.work_order, at)


def set_off(visit: Visit, at: datetime, departure: Departure | None = None) -> None:
    """On the way. The customer is given an arrival time where the place is known well enough.

    What was not ready is kept with the step and keeps nobody. Raises Conflict `conduct` (S-09).
    """
    left = departure or Departure()
    leaving.check_conduct(visit, left.conduct)
    _begin(visit, at)
    visit.en_route_at = at
    # county precision never feeds an arrival time (DESIGN §6)
    exact = visit.work_order.precision == "point"
    way = at_another_hour(timedelta(minutes=visit.travel_min), visit.starts_at, at)
    visit.eta_at = at + way if exact else None
    move(visit, "en_route", at=at, reason=left.reason or None, **left.facts)
    orders.settle(visit.work_order, at)


def arrive(visit: Visit, at: datetime, check_in: CheckIn | None = None) -> None:
    """At the machine: the arrival promise is kept or broken now (T-04)."""
    _begin(visit, at)
    visit.on_site_at = at
    if check_in is None:
        move(visit, "on_site", at=at)
    else:
        told: dict[str, Any] = {"check_in": check_in.kind, "distance_m": check_in.distance_m}
        move(visit, "on_site", at=at, reason=check_in.reason or None, **told)
        arriving.keep(visit, check_in, at)
    if visit.work_order.request is not None:
        intake.note_arrival(visit.work_order.request, at)
    orders.settle(visit.work_order, at)


# At work ------------------------------------------------------------------------------------------


def start(visit: Visit, at: datetime) -> None:
    """Work begins."""
    _begin(visit, at)
    visit.started_at = visit.started_at or at
    move(visit, "in_progress", at=at)
    orders.settle(visit.work_order, at)


def pause(visit: Visit, reason: str, at: datetime) -> None:
    """Work stands still: waiting for a part, a release, the customer."""
    _begin(visit, at)
    visit.paused_at = at
    move(visit, "paused", reason=_reason(reason), at=at)
    orders.settle(visit.work_order, at)


def resume(visit: Visit, at: datetime) -> None:
    """Work goes on."""
    _begin(visit, at)
    _close_pause(visit, at)
    move(visit, "in_progress", at=at)
    orders.settle(visit.work_order, at)


# The end ------------------------------------------------------------------------------------------


def finish(
    visit: Visit, *, outcome: str, at: datetime, restored: bool | None = None, reason: str | None = None,
    open_items: Sequence[str] = (), done_items: Sequence[int] = (),
) -> None:  # fmt: skip
    """End the work, saying whether the machine runs again (unsaid: yes when completed, else no).

    `outcome` is completed, partially_completed or cannot_complete. What is missing is told all at once
    (Invalid): the plain summary, failure codes of a repair, required answers, open items. A partial end
    carries `open_items`, and everything required that is still open, to the next visit.
    """
    _begin(visit, at)
    order = visit.work_order
    restored = outcome == "completed" if restored is None else restored
    left = _open_items(open_items)
    errors = _contradictions(order, outcome, reason, restored, left)
    if errors:
        raise Invalid(errors)
    _close_pause(visit, at)
    visit.finished_at, visit.restored = at, restored
    visit.end_reason = reason if outcome == "cannot_complete" else None
    move(visit, outcome, reason=reason, at=at, restored=restored)
    _tick_off(visit, done_items, at)
    missing = missing_for(visit, outcome)
    if outcome == "partially_completed" and not (left or open_required(order) or unanswered(order)):
        missing["open_items"] = [_l("Say what is left to do.")]
    if missing:
        raise Invalid(missing, code="not_finished")
    for words in left:
        order.items.append(
            WorkItem(kind="follow_up", words=words, required=True, opened_visit_id=visit.id, opened_at=at)
        )
    session.flush()
    _free_time(visit, at)
    goodwill.watch(visit, at)  # what was worked counts from now on
    if restored and order.restored_at is None:
        order.restored_at = at
        if order.request is not None:
            intake.note_restored(order.request, at)
    orders.settle(order, at)


def _contradictions(
    order: WorkOrder, outcome: str, reason: str | None, restored: bool, left: Sequence[str]
) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    if outcome not in ENDED:
        errors["outcome"] = [_l("Say whether the work is completed, partly done or impossible.")]
    if outcome == "cannot_complete" and reason not in END_REASONS:
        errors["reason"] = [_l("Choose why the work could not be completed.")]
    if outcome == "completed" and left:
        errors["open_items"] = [_l("Something is left to do: end the visit as partly done.")]
    if outcome == "completed" and order.kind in CORRECTIVE and not restored:
        errors["restored"] = [_l("The machine does not run yet: end the visit as partly done.")]
    return errors


def _open_items(given: Sequence[str]) -> list[str]:
    if len(given) > MOST_OPEN_ITEMS:
        raise Invalid({"open_items": [_l("Use at most %(most)s lines.", most=MOST_OPEN_ITEMS)]})
    return [words for one in given if (words := forms.plain_text(one, 300, field="open_items"))]


def _tick_off(visit: Visit, item_ids: Sequence[int], at: datetime) -> None:
    by_id = {item.id: item for item in visit.work_order.items}
    for item_id in item_ids:
        item = by_id.get(item_id)
        if item is None:
            raise Invalid({"done_items": [_l("This item does not belong to the order. Load the visit again.")]})
        if item.done_at is None:
            item.done_at, item.done_visit_id = at, visit.id
            if item.opened_visit_id is not None:
                needs.arrived(item, at)


def _free_time(visit: Visit, at: datetime) -> None:
    """The technician's time that the work did not need can be booked again."""
    if at <= visit.starts_at:
        booking.release(visit, at)
    else:
        booking.end_early(visit, at)


# One door for the edges -------------------------------------------------------------------------------


def step(
    visit: Visit, to: str, at: datetime, *, reason: str | None = None, restored: bool | None = None,
    open_items: Sequence[str] = (), done_items: Sequence[int] = (), departure: Departure | None = None,
    check_in: CheckIn | None = None,
) -> None:  # fmt: skip
    """Make the move named by its target state (CONTRACT: moves `{to, reason?, restored?}`)."""
    if to == "declined":
        decline(visit, reason or "", at)
    elif to == "paused":
        pause(visit, reason or "", at)
    elif to == "in_progress":
        (resume if visit.state == "paused" else start)(visit, at)
    elif to in ENDED:
        finish(
            visit, outcome=to, at=at, restored=restored, reason=reason, open_items=open_items, done_items=done_items
        )  # fmt: skip
    elif to == "accepted":
        accept(visit, at)
    elif to == "en_route":
        set_off(visit, at, departure)
    elif to == "on_site":
        arrive(visit, at, check_in)
    else:
        raise Invalid({"to": [_l("A technician cannot make this step.")]})


# Times ------------------------------------------------------------------------------------------------


def counted_time(visit: Visit, at: datetime, *, fact: bool = False) -> datetime:
    """The time a report counts as, whatever the tablet's clock says: not from the future, not before the last step.

    A `fact` (an answer, a photo) may be told after the end, so it only has to lie after the arrival.
    """
    earliest = visit.on_site_at if fact else _last_step(visit)
    told = min(at, now())
    return max(told, earliest) if earliest is not None else told


def _last_step(visit: Visit) -> datetime | None:
    steps = (
        visit.dispatched_at, visit.accepted_at, visit.en_route_at, visit.on_site_at, visit.started_at,
        visit.paused_at, visit.finished_at,
    )  # fmt: skip
    return max((moment for moment in steps if moment is not None), default=None)


def _begin(visit: Visit, at: datetime) -> None:
    """Hold visit and order (in this order, everywhere), so that two people cannot both make a step; check its time."""
    lock_rows(visit, visit.work_order)
    before = _last_step(visit)
    if at > now() and at != before:  # after our own clock was set back, steps count as the one before
        raise Invalid({"at": [_l("This time lies in the future. Check the clock of your device.")]})
    if before is not None and at < before:
        raise Invalid({"at": [_l("This time lies before the step before it.")]})


def _close_pause(visit: Visit, at: datetime) -> None:
    if visit.paused_at is not None:
        visit.paused_min += max(0, round((at - visit.paused_at).total_seconds() / 60))
        visit.paused_at = None


def _reason(words: str) -> str:
    return forms.plain_text(words, 300, field="reason")
