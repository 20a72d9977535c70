"""The board and the suggestions as JSON, made without a schema's walk over each of thousands of values (decision 0016).

tests/dispatch/test_api.py compares them with the schemas that document them.
"""

from datetime import datetime
from typing import Any

from fieldservice.dispatch.board import Bar, Board, Lane
from fieldservice.dispatch.queue import Waiting
from fieldservice.stations.roster import Member
from fieldservice.workorders import refusals
from fieldservice.workorders.eligibility import Refusal
from fieldservice.workorders.suggestions import Refused, Suggestion, Suggestions


def board_told(plan: Board, waiting: list[Waiting], waiting_total: int) -> dict[str, Any]:
    """What `BoardSchema` describes."""
    return {
        "starts_at": plan.axis.start, "ends_at": plan.axis.end,
        "technicians": [_lane(lane) for lane in plan.lanes], "queue": [_waiting(one) for one in waiting],
        "queue_total": waiting_total, "truncated": plan.truncated,
    }  # fmt: skip


def suggestions_told(answers: Suggestions) -> dict[str, Any]:
    """What `SuggestionsSchema` describes."""
    said: dict[str, str] = {}
    return {
        "suggestions": [_suggestion(one) for one in answers.suggestions],
        "refused": [_refused(one, said) for one in answers.refused],
    }


def _technician(member: Member) -> dict[str, Any]:
    return {"id": member.id, "names": member.names, "station_id": member.station_id}


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "technician": _technician(lane.member), "state": lane.member.state,
        "shifts": [
            {**_span(duty), "station_id": duty.station_id, "on_call": duty.on_call} for duty in lane.duties
        ],
        "guest_at": lane.guest, "lent": [{"station_id": one.station_id, **_span(one)} for one in lane.member.lent],
        "visits": [_bar(bar) for bar in lane.bars],
        "taken": [{"cause": stop.cause, **_span(stop)} for stop in lane.taken],
    }  # fmt: skip


def _span(one: Any) -> dict[str, datetime]:
    return {"starts_at": one.starts_at, "ends_at": one.ends_at}


def _bar(bar: Bar) -> dict[str, Any]:
    span = bar.expected.span if bar.expected is not None else None
    return {
        "id": bar.visit_id, "work_order": bar.order, "title": bar.title, "customer": bar.customer,
        "priority": bar.priority, "state": bar.state, **_span(bar), "travel_min": bar.travel_min, "risk": bar.risk,
        "expected_starts_at": span and span.starts_at, "expected_ends_at": span and span.ends_at,
        "station_id": bar.station_id, "etag": str(bar.version),
    }  # fmt: skip


def _waiting(one: Waiting) -> dict[str, Any]:
    order, clock = one.order, one.clock
    promised = {"due_at": clock.due_at, "promise": clock.kind} if clock is not None else {}
    return {
        "work_order": order.number, "title": order.title, "priority": order.priority, "state": order.state,
        "skills": order.skills, **promised, **_parts(one), "hold_reason": one.hold, "etag": str(order.version),
    }  # fmt: skip


def _suggestion(one: Suggestion) -> dict[str, Any]:
    slot = one.slot
    return {
        "technician": _technician(one.member), **_span(slot), "travel_min": slot.travel_min,
        "travel_about": slot.about, "score": slot.score, "reasons": one.reasons, "late_min": slot.late_min,
        "restore_late_min": slot.restore_late_min, "moves": [],
    }  # fmt: skip


def _refused(one: Refused, said: dict[str, str]) -> dict[str, Any]:
    rules = [{"rule": refusal.rule, "detail": _sentence(refusal, said)} for refusal in one.refusals]
    return {"technician": _technician(one.member), **rules[0], "rules": rules}


def _sentence(refusal: Refusal, said: dict[str, str]) -> str:
    """Many are refused for the same reason: it is put into words once."""
    key = repr(refusal)
    if key not in said:
        said[key] = refusals.sentence(refusal)
    return said[key]


def _parts(one: Waiting) -> dict[str, Any]:
    last = one.light.last
    by = {} if last is None else {"parts_by": last.ready_at.isoformat()}
    return {"parts": one.light.code, "parts_missing": one.light.missing, **by}
