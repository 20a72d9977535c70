"""What promises of parts do when stock moves."""

from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import Event
from fieldservice.parts.availability import services
from fieldservice.parts.models import StockLocation, StockMove


def look_after_promises(event: Event) -> None:
    """Something left a place: whoever was promised it has it where it went, or is told that it is gone. Something came:
    whoever waits for it there is promised it again."""
    posted = session.get_one(StockMove, event.subject_id)
    arrives = posted.to_id is not None and (posted.becomes or posted.condition) == "good"
    if posted.from_id is not None and posted.condition == "good":
        went_to = session.get_one(StockLocation, posted.to_id) if arrives else None
        services.after_leaving(posted.part_id, posted.from_id, event.at, went_to=went_to)
    if arrives and posted.to_id is not None:
        services.after_arrival(posted.part_id, posted.to_id, event.at)
