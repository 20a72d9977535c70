"""What a slow area does to the day of work: whoever's way it makes longer, or again shorter, is estimated anew."""

from fieldservice.dispatch.areas import services
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.dispatch.day import late
from fieldservice.foundation.db import session
from fieldservice.foundation.deferred import Done, defer, task
from fieldservice.foundation.time import local, now, today
from fieldservice.mechanisms.events import Event


def look_at_the_day(event: Event) -> None:
    """After the commit, so that whoever draws does not wait for it."""
    defer(notice_slowed, f"area:{event.id}", {"area_id": event.subject_id})


@task("dispatch.slowed", attempts=3)
def notice_slowed(area_id: int) -> Done | None:
    """Has today's technicians noticed, of every station: those whom it makes late, or who run late when it is over."""
    area, at = session.get_one(DrawnArea, area_id), now()
    if area.ended_at is not None:
        people = set(late.overdue(at))
    else:
        visits = (one.visit for one in services.touched_by(area, None, at))
        people = {visit.technician_id for visit in visits if local(visit.starts_at).date() == today()}
    return Done(effect=lambda: late.ask_for(sorted(people), at)) if people else None
