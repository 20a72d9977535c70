"""What can be done with opportunities. Every change can be told twice: the second time nothing happens."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.calendars import standard_calendar
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.sales.models import Opportunity
from fieldservice.workorders.models import WorkOrder

DECIDED = ("won", "lost")
FIRST_CALL = 2 * 480  # business minutes until somebody called the customer [D]
LARGEST = 10_000_000_000_00  # minor units
MOST_REASON, MOST_NOTE = 300, 2000

tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")


def open_for_rescue(order: WorkOrder, brand: str, at: datetime) -> Opportunity:
    """A rescue is a chance to win its customer: one opportunity for each order, and somebody asked to follow it."""
    known = session.scalar(select(Opportunity).where(Opportunity.work_order_id == order.id))
    if known is not None:
        return known
    found = Opportunity(
        number=next_number("OP", at), station_id=order.station_id, origin="rescue", work_order_id=order.id,
        customer_id=order.customer_id, opened_at=at,
    )  # fmt: skip
    session.add(found)
    session.flush()
    record("opportunity.opened", found, {"work_order": order.number, "origin": "rescue"}, at=at)
    tasks.open_task(
        "follow_opportunity", found, owner_role="sales", supervisor_role="station_manager", at=at,
        due_at=standard_calendar(at).add(at, FIRST_CALL), facts={"number": found.number, "brand": brand},
        key=_task_key(found),
    )  # fmt: skip
    return found


def advance(found: Opportunity, to: str, at: datetime, *, value: int | None = None, reason: str = "") -> None:
    """The next state: qualified, quoted (needs a value), won, or lost (needs a reason).

    Raises Invalid, or Conflict `move_forbidden` with what is allowed; the state it has already changes nothing.
    """
    lock_rows(found)
    if to == found.state:
        return
    said = plain_text(reason, MOST_REASON, field="reason")
    _set_value(found, value, at)
    if to in ("quoted", "won") and found.lifecycle.allows(found.state, to) and not found.value:
        raise Invalid({"value": [_l("Enter what was offered.")]})
    move(found, to, reason=said or None, at=at, value=found.value)
    if to == "lost":
        found.reason = said
    if to in DECIDED:
        found.decided_at = at
    task = tasks.open_of(_task_key(found))
    if task is not None:
        tasks.finish(task, at=at, result=to)


def note(found: Opportunity, at: datetime, *, value: int | None = None, words: str = "") -> None:
    """What it may be worth, and a word about it; nothing given changes nothing. Raises Invalid."""
    lock_rows(found)
    said = plain_text(words, MOST_NOTE, field="words")
    _set_value(found, value, at)
    if said:
        record("opportunity.noted", found, at=at, note=said)


def _set_value(found: Opportunity, value: int | None, at: datetime) -> None:
    if value is None or value == found.value:
        return
    if not 0 <= value <= LARGEST:
        errors: dict[str, list[Any]] = {"value": [_l("Enter an amount of money.")]}
        raise Invalid(errors)
    found.value = value
    record("opportunity.valued", found, {"value": value}, at=at)


def _task_key(found: Opportunity) -> str:
    return f"opportunity:{found.id}"
