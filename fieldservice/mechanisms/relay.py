"""The relay: gives each committed event its place in the log and the hash chain, then tells who watches.

It runs in one process. Services write event rows and nothing else; whatever follows a fact outside its
transaction starts here, at least once: a relay killed between logging and telling has told nobody, and
the browsers, back again, ask the log for what they missed.
"""

from collections.abc import Sequence

from sqlalchemy import func, select, tuple_

from fieldservice.foundation.db import session, write
from fieldservice.foundation.jobs import Notice, emit
from fieldservice.foundation.live import View
from fieldservice.mechanisms.events import Event, EventLog, EventPending, log_new_events

BATCH = 500


def relay() -> bool:
    """Log what is new and tell it; True when more may wait. One turn of the relay's pulse."""
    if session.scalar(select(EventPending.event_id).limit(1)) is None:  # idle: one read, no write lock
        return False
    logged = write(lambda: [_notice(seq, event) for seq, event in log_new_events(BATCH)])
    emit(*logged)
    return len(logged) == BATCH


def latest_seq() -> int:
    """The last place in the log."""
    return session.scalar(select(func.max(EventLog.seq))) or 0


def since(seq: int, view: View) -> Sequence[Notice]:
    """What was logged after `seq` within this view. The caller bounds how far back."""
    missed = select(EventLog.seq, Event).join(Event, Event.id == EventLog.event_id).where(EventLog.seq > seq)
    if view.subjects:
        missed = missed.where(tuple_(Event.subject_type, Event.subject_id).in_(view.subjects))
    elif view.stations is not None:
        missed = missed.where(Event.station_id.in_(view.stations))
    return [_notice(place, event) for place, event in session.execute(missed.order_by(EventLog.seq))]


def _notice(seq: int, event: Event) -> Notice:
    return Notice(seq, event.station_id, event.kind, event.subject_type, event.subject_id)
