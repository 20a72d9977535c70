"""What the day of work does when something happens to a visit."""

from fieldservice.dispatch.day import late
from fieldservice.foundation.db import session
from fieldservice.foundation.deferred import defer
from fieldservice.foundation.time import local, today
from fieldservice.mechanisms.events import Event
from fieldservice.workorders.models import Visit

OVER = ("visit.rescheduled", "visit.en_route", "visit.cancelled", "visit.missed", "visit.declined")


def follow(event: Event) -> None:
    """The rest of the technician's day is estimated after the commit, so that two technicians never wait crosswise."""
    visit = session.get_one(Visit, event.subject_id)
    if event.kind in OVER:
        late.forget(visit, event.at, ask=visit.state != "en_route")
    if local(visit.starts_at).date() != today():
        return
    before = event.facts.get("before") or {}
    for technician_id in {visit.technician_id, before.get("technician", visit.technician_id)}:
        defer(late.notice_late, f"{technician_id}:event:{event.id}", {"technician_id": technician_id})
