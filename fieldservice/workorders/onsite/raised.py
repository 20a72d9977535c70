"""Findings: what a checklist raises by itself, and how each is settled.

A reading out of tolerance, or a required check that failed, stands until the same field is answered rightly, until
somebody says why it stays so, or until work of its own is made of it. A finding never keeps a visit from ending.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.subjects import OnBehalf
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import Answer, Visit, WorkOrder
from fieldservice.workorders.onsite.models import LIVE, Finding


def failed(field: forms.Field, answer: forms.Answer) -> bool:
    """Whether a required check was answered: no, this is not in order."""
    return field.type == "check" and field.required and answer.value is False


def weigh(visit: Visit, answered: Answer, at: datetime) -> None:
    """Raise a finding of a wrong answer, or settle the one that stands, as the new answer says."""
    standing = live(visit.work_order_id, answered.field)
    if answered.out_of_tolerance:
        finding = standing or _raise(visit, answered, at)
        finding.content, finding.note = answered.content, answered.note
        wanted = "tolerated" if answered.note else "found"
    elif standing is None:
        return
    else:
        finding, wanted = standing, "withdrawn" if answered.content["value"] is None else "corrected"
    if wanted != finding.state:
        settle(finding, wanted, at, answered.note)


def settle(finding: Finding, state: str, at: datetime, reason: str = "") -> None:
    """Move a finding; while it is only found, it is open."""
    move(OnBehalf(finding), state, at=at, reason=reason or None, **_facts(finding))
    finding.settled_at = None if state == "found" else at


def live(order_id: int, field: str) -> Finding | None:
    """The finding of that field which still holds, held for a change."""
    rows = select(Finding).where(
        Finding.work_order_id == order_id, Finding.field == field, Finding.state.in_(LIVE)
    )  # fmt: skip
    return session.scalar(rows.order_by(Finding.id.desc()).limit(1).with_for_update())


def _raise(visit: Visit, answered: Answer, at: datetime) -> Finding:
    order = visit.work_order
    finding = Finding(
        visit_id=visit.id, work_order_id=order.id, station_id=order.station_id, asset_id=order.asset_id,
        field=answered.field, content=answered.content, raised_at=at,
    )  # fmt: skip
    session.add(finding)
    session.flush()
    record("finding.raised", OnBehalf(finding), _facts(finding), at=at)
    return finding


def _facts(finding: Finding) -> dict[str, Any]:
    """What its events tell: also the field's name, since the code says nothing to a reader."""
    form = catalogue.checklist_of(session.get_one(WorkOrder, finding.work_order_id))
    return {"finding": finding.id, "field": finding.field, "label": dict(form.field(finding.field).label)}


# Reading --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A finding with its field of the checklist."""

    finding: Finding
    field: forms.Field
    answer: forms.Answer

    @property
    def is_open(self) -> bool:
        return self.finding.state == "found"

    @property
    def may_follow(self) -> bool:
        """Whether work of its own can still be made of it."""
        return self.finding.state in LIVE


def findings_of(order: WorkOrder, form: forms.Form) -> list[Shown]:
    """Everything that was found at an order, what was taken back apart; oldest first."""
    fields = {field.code: field for field in form.fields}
    return [
        Shown(finding, fields[finding.field], forms.Answer.from_stored(finding.content))
        for finding in of_orders([order.id])
        if finding.field in fields and finding.state != "withdrawn"
    ]


def finding_of(order: WorkOrder, finding_id: int) -> Finding:
    """A finding of this order. Raises NotFound."""
    found = session.get(Finding, finding_id) if 0 < finding_id < 2**63 else None
    if found is None or found.work_order_id != order.id:
        raise NotFound()
    return found


def of_orders(order_ids: Collection[int]) -> Sequence[Finding]:
    """Findings of these orders, oldest first."""
    rows = select(Finding).where(Finding.work_order_id.in_(order_ids))
    return session.scalars(rows.order_by(Finding.id)).all()
