"""Follow-up work: what a visit found necessary, as an order of its own that waits to be planned."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import local
from fieldservice.mechanisms import forms
from fieldservice.mechanisms.events import record
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import Visit, WorkItem, WorkOrder
from fieldservice.workorders.onsite import raised
from fieldservice.workorders.onsite.models import Finding, FollowUp
from fieldservice.workorders.opening import Place, open_order
from fieldservice.workorders.rescue.models import KIND as RESCUE

Urgency = Literal["soon", "normal"]
PRIORITIES: Mapping[str, str] = {"soon": "P3", "normal": "P4"}  # nobody waits for it: no promise is given
INSTEAD_OF_RESCUE = "site_diagnosis"  # a rescue is asked for by the customer, never by us
MOST_WORDS = 300


def open_follow_up(
    visit: Visit, words: str, urgency: str, at: datetime, *, work_type: str | None = None,
    finding: Finding | None = None,
) -> FollowUp:  # fmt: skip
    """An order for the same machine, ready to be planned; its words are the first thing to do there.

    Unsaid, the kind of work is the visit's own. A finding it is made of is settled. Raises Invalid for missing words,
    another urgency or an unknown work type, Conflict for a finding that was settled already.
    """
    text = forms.plain_text(words, MOST_WORDS, field="words")
    if not text:
        raise Invalid({"words": [_l("Write a few words first.")]})
    if urgency not in PRIORITIES:
        raise Invalid({"urgency": [_l("Say whether it is needed soon.")]})
    before = visit.work_order
    kind = catalogue.work_type(work_type) if work_type else _usual(before)
    order = open_order(
        kind, station_id=before.station_id, priority=PRIORITIES[urgency], asset=before.asset,
        machine=before.request.serial_given if before.request is not None else "",
        place=Place(before.customer_id, before.site_id, before.latitude, before.longitude, before.precision),
        covered_on=local(at).date(), at=at, follows=before.number,
    )  # fmt: skip
    order.items.append(WorkItem(kind="follow_up", words=text, required=True, opened_visit_id=visit.id, opened_at=at))
    follow_up = FollowUp(
        visit_id=visit.id, work_order_id=order.id, finding_id=finding.id if finding is not None else None, words=text,
        urgency=urgency, at=at,
    )  # fmt: skip
    session.add(follow_up)
    record("visit.follow_up", visit, {"work_order": order.number, "urgency": urgency}, at=at, note=text)
    if finding is not None:
        raised.settle(finding, "followed_up", at)
    session.flush()
    return follow_up


def follow_finding(finding: Finding, at: datetime) -> FollowUp:
    """Make work of a finding, in its own words. Holds the visit first, as everywhere."""
    visit = session.get_one(Visit, finding.visit_id)
    lock_rows(visit)
    field = catalogue.checklist_of(visit.work_order).field(finding.field)
    said = " · ".join(filter(None, (catalogue.label_of(field), finding.note)))
    return open_follow_up(visit, said[:MOST_WORDS], "soon", at, finding=finding)


def _usual(order: WorkOrder) -> catalogue.WorkType:
    same = catalogue.work_type(order.work_type, order.work_type_version)
    return catalogue.work_type(INSTEAD_OF_RESCUE if same.kind == RESCUE else same.code)


# Reading --------------------------------------------------------------------------------------------


def around(order: WorkOrder) -> tuple[FollowUp | None, Sequence[FollowUp]]:
    """What the order follows from, and what follows from it."""
    visits = select(Visit.id).where(Visit.work_order_id == order.id)
    rows = select(FollowUp).where(or_(FollowUp.work_order_id == order.id, FollowUp.visit_id.in_(visits)))
    both = (joinedload(FollowUp.work_order), joinedload(FollowUp.visit).joinedload(Visit.work_order))
    found = session.scalars(rows.order_by(FollowUp.id).options(*both)).all()
    origin = next((one for one in found if one.work_order_id == order.id), None)
    return origin, [one for one in found if one.work_order_id != order.id]


def of_visits(visit_ids: Collection[int]) -> Sequence[FollowUp]:
    """Follow-up work that these visits asked for."""
    rows = select(FollowUp).where(FollowUp.visit_id.in_(visit_ids)).options(joinedload(FollowUp.work_order))
    return session.scalars(rows.order_by(FollowUp.id)).all()
