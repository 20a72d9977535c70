"""Triage: a request becomes work, with its kind, priority, skills and usual parts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from flask_babel import lazy_gettext as _l

from fieldservice.assets.queries import in_warranty
from fieldservice.contracts import promises
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.numbers import next_number
from fieldservice.foundation.time import local
from fieldservice.foundation.words import has_word, pick
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.parts.queries import parts_by_number
from fieldservice.workorders import catalogue
from fieldservice.workorders.models import WorkItem, WorkOrder
from fieldservice.workorders.skills import skill_codes

TRIAGEABLE = ("new", "remote", "reopened", "triaged")


def triage_request(
    request: ServiceRequest,
    *,
    priority: str,
    work_type: str,
    at: datetime,
    reason: str = "",
    skills: Mapping[str, int] | None = None,
    parts: Sequence[tuple[str, Decimal]] | None = None,
) -> WorkOrder:
    """Turn a request into a work order.

    The work type brings duration, skills, certificates, checklist and usual parts; `skills` and `parts`
    replace them. A priority other than the one severity sets needs a reason. It may shorten promises
    already given and never lengthens them. Raises Invalid, or Conflict when somebody else triaged first.
    """
    session.refresh(request, ["state", "version", "priority"], with_for_update=True)
    if request.state not in TRIAGEABLE:
        raise Conflict(
            _l("This request was handled a moment ago. Load it again."),
            code="move_forbidden", state=request.state, allowed=list(TRIAGEABLE),
        )  # fmt: skip
    kind = catalogue.work_type(work_type)
    _check(request, priority, reason, skills)
    needed = _needed_parts(parts if parts is not None else kind.parts)
    request.priority, request.priority_reason = priority, plain_text(reason, 300, field="reason")
    promises.shorten(request, at=at)
    order = WorkOrder(
        number=next_number("WO", at), station_id=request.station_id, request_id=request.id,
        customer_id=request.customer_id, site_id=request.site_id, asset_id=request.asset_id,
        title=_title(request, kind), work_type=kind.code, work_type_version=kind.version, kind=kind.kind,
        priority=priority, priority_reason=request.priority_reason, duration_min=kind.duration_min,
        skills=dict(skills if skills is not None else kind.skills), certificates=list(kind.certificates),
        latitude=request.latitude, longitude=request.longitude, precision=request.precision,
        coverage="warranty" if in_warranty(request.asset, local(request.received_at).date()) else "billable",
        created_at=at,
    )  # fmt: skip
    session.add(order)
    session.flush()
    for part_id, quantity in needed:
        session.add(
            WorkItem(work_order_id=order.id, kind="part", part_id=part_id, quantity=quantity, required=False, opened_at=at)
        )
    record("work_order.created", order, {"request": request.number, "work_type": kind.code, "priority": priority}, at=at)
    move(order, "ready", at=at)
    if request.state in ("new", "reopened"):
        move(request, "triaged", at=at)
    request.triaged_at = request.triaged_at or at
    intake.note_first_answer(request, at)
    move(request, "converted", at=at, work_order=order.number)
    session.flush()
    return order


def _check(request: ServiceRequest, priority: str, reason: str, skills: Mapping[str, int] | None) -> None:
    errors = {}
    if not has_word("priority", priority):
        errors["priority"] = [_l("Choose P1, P2, P3 or P4.")]
    elif priority != promises.priority_for(request.severity) and not reason.strip():
        errors["reason"] = [_l("Say why the priority differs from what the severity sets.")]
    for skill, level in (skills or {}).items():
        if skill not in skill_codes() or level not in (1, 2, 3):
            errors["required_skills"] = [_l("Choose skills from the list, each with level 1, 2 or 3.")]
    if errors:
        raise Invalid(errors)


def _needed_parts(parts: Sequence[tuple[str, Decimal]]) -> list[tuple[int, Decimal]]:
    """Part ids with quantities. Raises Invalid naming every part that is unknown or senseless."""
    known = parts_by_number(number for number, _quantity in parts)
    wrong = [number for number, quantity in parts if number not in known or not Decimal(0) < quantity <= 10_000]
    if wrong:
        raise Invalid({"parts": [_l("Unknown part or quantity: %(parts)s.", parts=", ".join(wrong)[:200])]})
    return [(known[number].id, quantity) for number, quantity in parts]


def _title(request: ServiceRequest, kind: catalogue.WorkType) -> str:
    machine = pick(request.asset.names, request.language) if request.asset is not None else request.serial_given
    named = pick(kind.names, request.language)
    return f"{machine} · {named}"[:120] if machine else named[:120]
