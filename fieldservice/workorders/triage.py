"""Triage: a request becomes work, with its kind, priority, skills and usual parts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

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

TRIAGEABLE = ("new", "triaged", "remote", "reopened")
MOST_SKILLS, MOST_PARTS, MOST_QUANTITY = 8, 40, Decimal(10_000)
LEVELS = (1, 2, 3)


class NeededPart(NamedTuple):
    """A part to take along. A `required` one must be at hand before a visit is booked, and fitted before the end."""

    number: str
    quantity: Decimal
    required: bool = False


def triage_request(
    request: ServiceRequest,
    *,
    priority: str,
    work_type: str,
    at: datetime,
    reason: str = "",
    skills: Mapping[str, int] | None = None,
    parts: Sequence[NeededPart | tuple[str, Decimal]] | None = None,
    planned_for: date | None = None,
) -> WorkOrder:
    """Turn a request into a work order.

    The work type brings duration, skills, certificates, checklist (of its present version) and usual parts;
    `skills` and `parts` replace them. A priority lower than the one severity sets needs a reason; nobody's
    tier changes it (G-15). Triage may shorten promises already given and never lengthens them; planned work
    (P4) may be agreed for a day. Raises Invalid, or Conflict when somebody else was faster.
    """
    session.refresh(request, ["state", "version"], with_for_update=True)
    if request.state not in TRIAGEABLE:
        raise _taken(request)
    kind = catalogue.work_type(work_type)
    _check(request, priority, reason, skills)
    needed = _needed_parts(
        parts if parts is not None else [NeededPart(*part) for part in kind.parts], usual=parts is None
    )
    request.priority, request.priority_reason = priority, plain_text(reason, 300, field="reason")
    promises.shorten(request, at=at)
    if planned_for is not None:
        promises.agree_on_date(request, planned_for, at=at)
    order = _order(request, kind, dict(skills if skills is not None else kind.skills), at)
    for part_id, words, part in needed:
        order.items.append(
            WorkItem(
                kind="part", part_id=part_id, quantity=part.quantity, words=words, required=part.required, opened_at=at
            )
        )
    record(
        "work_order.created", order, {"request": request.number, "work_type": kind.code, "priority": priority}, at=at
    )
    move(order, "ready", at=at)
    if request.state in ("new", "reopened"):
        move(request, "triaged", at=at)
    request.triaged_at = request.triaged_at or at
    intake.note_first_answer(request, at)
    move(request, "converted", at=at, work_order=order.number)
    session.flush()
    return order


def below_severity(request: ServiceRequest, priority: str) -> bool:
    """Whether the priority is lower than the severity sets; P1 is the highest."""
    return priority > promises.priority_for(request.severity)


def _taken(request: ServiceRequest) -> Conflict:
    """What happened to the request meanwhile, in a sentence."""
    sentences = {
        "converted": _l("Somebody made a work order of this request a moment ago. Look at it before you go on."),
        "duplicate": _l("This request was marked as a duplicate. Go on with the first one."),
        "cancelled": _l("This request was cancelled. Ask the customer before you go on."),
    }
    return Conflict(
        sentences.get(request.state, _l("This request is finished. Reopen it, if the fault is back.")),
        code="move_forbidden", state=request.state, to="converted",
        allowed=sorted(request.lifecycle.moves.get(request.state, ())),
    )  # fmt: skip


def _check(request: ServiceRequest, priority: str, reason: str, skills: Mapping[str, int] | None) -> None:
    errors: dict[str, list[Any]] = {}
    if not has_word("priority", priority):
        errors["priority"] = [_l("Choose P1, P2, P3 or P4.")]
    elif below_severity(request, priority) and not reason.strip():
        errors["reason"] = [_l("Say why the priority is lower than the severity sets.")]
    given = skills or {}
    if len(given) > MOST_SKILLS or any(
        skill not in skill_codes() or level not in LEVELS for skill, level in given.items()
    ):
        errors["required_skills"] = [_l("Choose skills from the list, each with level 1, 2 or 3.")]
    if errors:
        raise Invalid(errors)


def _order(request: ServiceRequest, kind: catalogue.WorkType, skills: dict[str, int], at: datetime) -> WorkOrder:
    order = WorkOrder(
        number=next_number("WO", at), station_id=request.station_id, request_id=request.id,
        customer_id=request.customer_id, site_id=request.site_id, asset_id=request.asset_id,
        title=_title(request, kind), work_type=kind.code, work_type_version=kind.version, kind=kind.kind,
        priority=request.priority, priority_reason=request.priority_reason, duration_min=kind.duration_min,
        skills=skills, certificates=list(kind.certificates), latitude=request.latitude, longitude=request.longitude,
        precision=request.precision, coverage=_coverage(request), created_at=at,
    )  # fmt: skip
    session.add(order)
    session.flush()
    return order


def _coverage(request: ServiceRequest) -> str:
    return "warranty" if in_warranty(request.asset, local(request.received_at).date()) else "billable"


def _needed_parts(
    parts: Sequence[NeededPart | tuple[str, Decimal]], *, usual: bool
) -> list[tuple[int, str, NeededPart]]:  # fmt: skip
    """(part id, its name, the need). Raises Invalid naming every part that is unknown or senseless.

    A usual part that this installation does not stock is left out: the catalogue is wider than any stock.
    """
    needs = [NeededPart(*part) for part in parts]
    if len(needs) > MOST_PARTS:
        raise Invalid({"parts": [_l("Use at most %(most)s parts.", most=MOST_PARTS)]})
    known = parts_by_number(need.number for need in needs)
    if usual:
        needs = [need for need in needs if need.number in known]
    wrong = [need.number for need in needs if need.number not in known or not _sensible(need.quantity)]
    if wrong:
        raise Invalid({"parts": [_l("Unknown part or quantity: %(parts)s.", parts=", ".join(wrong)[:200])]})
    return [(known[need.number].id, f"{need.number} {pick(known[need.number].names)}"[:300], need) for need in needs]


def _sensible(quantity: Decimal) -> bool:
    return quantity.is_finite() and 0 < quantity <= MOST_QUANTITY and quantity == round(quantity, 3)


def _title(request: ServiceRequest, kind: catalogue.WorkType) -> str:
    machine = pick(request.asset.names, request.language) if request.asset is not None else request.serial_given
    named = pick(kind.names, request.language)
    return f"{machine} · {named}"[:120] if machine else named[:120]
