"""What customers are told about visits, in their language and at once (S-05): who comes when, changes, the way.

A plan is told a few seconds later, since a dispatcher may undo it; what was undone meanwhile is never sent.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.intake.notices import tell
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.events import Event
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.rescue.queries import awaiting, rescue_of

messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")

SETTLES = timedelta(seconds=15)  # a booking can be undone for ten
LATE_PAUSE = timedelta(minutes=20)  # between two estimates told for one visit [D]
STALE = timedelta(minutes=20)  # "on the way" told later than this only confuses: the technician is there by then


def tell_plan(event: Event) -> None:
    """Planned or moved: who comes when, unless the customer knows just that already."""
    _tell_plan(session.get_one(Visit, event.subject_id), event)


def _tell_plan(visit: Visit, event: Event) -> None:
    request = visit.work_order.request
    if request is None or awaiting([visit.work_order]):
        return  # nobody is told of a rescue that may be refused: the approval tells it
    messages.withdraw(request, _key(visit, "plan"))
    known = messages.last_about(request, _key(visit, "plan"))
    facts = {"technician": _name(visit), **_window(visit)}
    if known is not None and all(known.facts.get(name) == fact for name, fact in facts.items()):
        return
    template = "visit_planned" if known is None else "visit_moved"
    tell(request, template, f"{_key(visit, 'plan')}{event.id}", now() + SETTLES, facts)


def tell_called_off(event: Event) -> None:
    """The visit will not take place: told to whoever was told of it."""
    visit = session.get_one(Visit, event.subject_id)
    request = visit.work_order.request
    if request is None:
        return
    messages.withdraw(request, _key(visit, "plan"))
    known = messages.last_about(request, _key(visit, "plan"))
    if known is not None and request.state != "cancelled":
        facts = {"window_starts_at": known.facts["window_starts_at"]}
        tell(request, "visit_called_off", f"{_key(visit, 'off')}{event.id}", now(), facts)


def tell_on_the_way(event: Event) -> None:
    """Set off, with the time of arrival where the place is known well enough."""
    visit = session.get_one(Visit, event.subject_id)
    request = visit.work_order.request
    if request is None or event.at < now() - STALE:
        return
    key, name = f"{_key(visit, 'way')}{event.id}", {"technician": _name(visit)}
    if visit.eta_at is not None:
        tell(request, "technician_on_the_way", key, now(), {**name, "eta_at": _text(visit.eta_at)})
    else:
        tell(request, "technician_on_the_way_soon", key, now(), {**name, **_window(visit)})


def tell_approved(event: Event) -> None:
    """A rescue was approved: on whose terms, and who comes when if that is planned."""
    order = session.get_one(WorkOrder, event.subject_id)
    rescue = rescue_of(order)
    if order.request is None or rescue is None:
        return
    if rescue.estimate is not None:
        facts = {"brand": rescue.brand, "estimate": rescue.estimate}
        tell(order.request, "rescue_approved_paid", f"rescue:{order.id}", event.at, facts)
    else:
        tell(order.request, "rescue_approved", f"rescue:{order.id}", event.at, {"brand": rescue.brand})
    for visit in order.visits:
        if visit.state == "scheduled":
            _tell_plan(visit, event)


def tell_refused(event: Event) -> None:
    """A rescue was refused: said kindly, with what the customer can do; the reason is ours."""
    order = session.get_one(WorkOrder, event.subject_id)
    rescue = rescue_of(order)
    if order.request is not None and rescue is not None:
        tell(order.request, "rescue_refused", f"rescue:{order.id}", event.at, {"brand": rescue.brand})


def late_is_news(visit: Visit, estimate: datetime, at: datetime, changed: timedelta) -> bool:
    """Whether the customer does not know of this estimate, and was not told another one a moment ago."""
    request = visit.work_order.request
    if request is None or awaiting([visit.work_order]):
        return False
    known = messages.last_about(request, late_key(visit))
    if known is None:
        return True
    same_window = known.facts["window_ends_at"] == _text(visit.window_ends_at)
    about = abs(datetime.fromisoformat(known.facts["eta_at"]) - estimate) < changed
    return at - known.queued_at >= LATE_PAUSE and not (same_window and about)


def tell_late(visit: Visit, estimate: datetime, at: datetime) -> None:
    """The technician will come after the told window: about when, where the place is known well enough."""
    request = visit.work_order.request
    if request is None:
        return
    messages.withdraw(request, late_key(visit))  # an older estimate that nobody was sent yet
    exact = visit.work_order.precision == "point"
    facts = {"technician": _name(visit), "eta_at": _text(estimate), **_window(visit)}
    template = "visit_runs_late" if exact else "visit_runs_late_unsaid"
    tell(request, template, f"{late_key(visit)}{at.isoformat()}", at, facts)


def late_key(visit: Visit) -> str:
    """What keys of messages about late running of this visit begin with."""
    return _key(visit, "late")


def _key(visit: Visit, about: str) -> str:
    return f"visit:{visit.id}:{about}:"


def _name(visit: Visit) -> str:
    request = visit.work_order.request
    return pick(visit.technician.names, request.language if request else None)


def _window(visit: Visit) -> dict[str, Any]:
    return {"window_starts_at": _text(visit.window_starts_at), "window_ends_at": _text(visit.window_ends_at)}


def _text(moment: datetime) -> str:
    return moment.isoformat()
