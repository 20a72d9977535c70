"""What work orders do when others announce something."""

from fieldservice.mechanisms.events import Event
from fieldservice.workorders import orders


def close_with_request(event: Event) -> None:
    """A closed request closes its finished orders."""
    orders.close_with_request(event.subject_id, event.at)
