"""Wiring: when this happens, these functions run, in the same transaction, and only write rows."""

from fieldservice.feedback import handlers as feedback
from fieldservice.mechanisms.events import Handler, subscribe
from fieldservice.workorders import handlers as workorders

ANSWERS: dict[str, tuple[Handler, ...]] = {
    "service_request.resolved": (feedback.invite_when_resolved,),
    "service_request.cancelled": (workorders.cancel_with_request,),
    "service_request.closed": (workorders.close_with_request,),
}


def install() -> None:
    """Connect the capabilities; called by the app factory."""
    subscribe(ANSWERS)
