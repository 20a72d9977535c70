"""What feedback does when others announce something."""

from fieldservice.feedback import services
from fieldservice.foundation.db import session
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.events import Event


def invite_when_resolved(event: Event) -> None:
    """A resolved request is surveyed within a day (S-06)."""
    services.schedule(session.get_one(ServiceRequest, event.subject_id), event.at)
