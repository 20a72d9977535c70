"""What sales does when others announce something."""

from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import Event
from fieldservice.sales import services
from fieldservice.workorders.models import WorkOrder


def open_for_rescue(event: Event) -> None:
    """A rescue was asked for: its opportunity opens in the same transaction."""
    services.open_for_rescue(session.get_one(WorkOrder, event.subject_id), event.facts["brand"], event.at)
