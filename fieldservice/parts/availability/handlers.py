"""What promises of parts do when stock moves."""

from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import Event
from fieldservice.parts.availability import services
from fieldservice.parts.models import StockMove


def look_after_promises(event: Event) -> None:
    """Something left a place: whoever was promised it and cannot have it any more is told so, not surprised later.
    Something came: whoever waits for it there is promised it again."""
    posted = session.get_one(StockMove, event.subject_id)
    if posted.from_id is not None and posted.condition == "good":
        services.after_leaving(posted.part_id, posted.from_id, event.at)
    if posted.to_id is not None and (posted.becomes or posted.condition) == "good":
        services.after_arrival(posted.part_id, posted.to_id, event.at)
