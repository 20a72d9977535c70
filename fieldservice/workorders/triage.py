"""Triage: a request becomes work, with its kind, priority, skills and usual parts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.contracts import promises
from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import local
from fieldservice.foundation.words import has_word
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.workorders import catalogue
from fieldservice.workorders.catalogue import WorkType
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.opening import NeededPart, Place, check_skills, open_order
from fieldservice.workorders.rescue.models import KIND as RESCUE
from fieldservice.workorders.rescue.services import Told

__all__ = ["TRIAGEABLE", "NeededPart", "Told", "below_severity", "industry_of", "triage_request"]

TRIAGEABLE = ("new", "triaged", "remote", "reopened")
MOST_REASON, MOST_MACHINE = 300, 120


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
    told: Told | None = None,
) -> WorkOrder:
    """Turn a request into a work order; its files and words stay with it, unchanged (Q-08).

    The work type brings duration, skills, certificates, checklist and usual parts; `skills` and `parts`
    replace them. Work on another maker's machine needs `told`, unless the machine is known. A priority lower than
    the one severity sets needs a reason; nobody's tier changes it (G-15). Triage may shorten promises already given
    and never lengthens them; planned work (P4) may be agreed for a day. Raises Invalid, or Conflict when somebody
    else was faster.
    """
    lock_rows(request)
    if request.state not in TRIAGEABLE:
        raise _taken(request)
    kind = catalogue.work_type(work_type).at(industry_of(request))
    _check(request, kind, priority, reason, skills or {})
    request.priority, request.priority_reason = priority, plain_text(reason, MOST_REASON, field="reason")
    promises.shorten(request, at=at)
    if planned_for is not None:
        promises.agree_on_date(request, planned_for, at=at)
    order = open_order(
        kind, station_id=request.station_id, priority=priority, priority_reason=request.priority_reason,
        request_id=request.id, asset=request.asset, skills=skills, parts=parts,
        machine=" ".join(filter(None, (told.brand.strip() if told else "", request.serial_given)))[:MOST_MACHINE],
        place=Place(request.customer_id, request.site_id, request.latitude, request.longitude, request.precision),
        covered_on=local(request.received_at).date(), told=told, at=at, request=request.number,
    )  # fmt: skip
    if request.state in ("new", "reopened"):
        move(request, "triaged", at=at)
    request.triaged_at = request.triaged_at or at
    intake.note_first_answer(request, at)
    move(request, "converted", at=at, work_order=order.number)
    session.flush()
    return order


def industry_of(request: ServiceRequest) -> str:
    """Of the machine, else of the customer."""
    known = request.asset or request.customer
    return known.industry if known is not None else "general"


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


def _check(
    request: ServiceRequest, kind: WorkType, priority: str, reason: str, skills: Mapping[str, int]
) -> None:  # fmt: skip
    """All that is wrong, told at once."""
    errors: dict[str, list[Any]] = {}
    if not has_word("priority", priority):
        errors["priority"] = [_l("Choose P1, P2, P3 or P4.")]
    elif kind.kind == RESCUE and priority == promises.PLANNED:
        errors["priority"] = [_l("A rescue is promised within 24 hours: choose P1, P2 or P3.")]
    elif below_severity(request, priority) and not reason.strip():
        errors["reason"] = [_l("Say why the priority is lower than the severity sets.")]
    try:
        check_skills(skills)
    except Invalid as wrong:
        errors.update(wrong.errors)
    if errors:
        raise Invalid(errors)
