"""What work orders do when others announce something."""

from fieldservice.foundation.db import session
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import Event, notes_of
from fieldservice.workorders import orders
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.rescue import services as rescues


def close_with_request(event: Event) -> None:
    """A closed request closes its finished orders."""
    orders.close_with_request(event.subject_id, event.at)


def cancel_with_request(event: Event) -> None:
    """A cancelled request cancels its open orders, for the same reason."""
    request = session.get_one(ServiceRequest, event.subject_id)
    orders.cancel_with_request(request, notes_of([event]).get(event.id, ""), event.at)


def withdraw_rescue(event: Event) -> None:
    """A cancelled order needs no approval any more."""
    rescues.withdraw(session.get_one(WorkOrder, event.subject_id), event.at)
