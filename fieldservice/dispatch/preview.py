"""What would come of a drop, told before it is done: the way, the customer's window, promises, the next visit.

Nothing is written. The rules are those of booking; where they refuse, the nearest time that would do is offered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from fieldservice.dispatch.lanes import milliseconds
from fieldservice.dispatch.placing import Target
from fieldservice.foundation import display
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.places import travel_minutes
from fieldservice.foundation.places.legs import leg
from fieldservice.foundation.time import day_span, local
from fieldservice.foundation.words import pick
from fieldservice.workorders import booking
from fieldservice.workorders import refusals as worded
from fieldservice.workorders.days import job_of, technician_day
from fieldservice.workorders.eligibility import refusals
from fieldservice.workorders.placement import Job, Span, Stop, TechnicianDay
from fieldservice.workorders.rearranging import SENT
from fieldservice.workorders.slots import Slot, openings, rate
from fieldservice.workorders.suggestions import aim_of

TIGHT = 15  # minutes left before the next visit below which it is pointed out


@dataclass(frozen=True)
class Line:
    """One consequence; `tone` as everywhere: ok, warn, bad, mute."""

    tone: str
    icon: str
    text: str


@dataclass(frozen=True)
class Asked:
    """One visit at its wished place, with the technician's day around it."""

    target: Target
    job: Job
    span: Span
    day: TechnicianDay

    @property
    def when(self) -> str:
        return f"{display.datetime_short(self.span.starts_at)}–{display.clock_time(self.span.ends_at)}"

    @property
    def who(self) -> str:
        return pick(self.target.technician.names)


def preview(targets: Sequence[Target], at: datetime) -> dict[str, Any]:
    """{title, lines, allowed, offer}: the offer is a start that would do, for one visit that is refused."""
    asked = _asked(targets)
    if len(asked) == 1:
        return _of_one(asked[0], at)
    lines = [line for one in asked for line in _of_many(one, at)]
    title = _("%(count)s visits", count=len(asked))
    return {"title": title, "lines": [asdict(one) for one in lines], "allowed": _allowed(lines), "offer": None}


# Inside -------------------------------------------------------------------------------------------


def _asked(targets: Sequence[Target]) -> list[Asked]:
    """Each as if all the others stood at their new places already."""
    spans = [Span(one.wish.starts_at, one.wish.starts_at + timedelta(minutes=one.minutes)) for one in targets]
    jobs = [job_of(one.order, one.minutes) for one in targets]
    moving = {one.visit.id for one in targets if one.visit is not None}
    asked = []
    for number, (target, job, span) in enumerate(zip(targets, jobs, spans, strict=True)):
        day = technician_day(target.technician.id, *span, job=job)
        others = [
            Stop(*spans[at], "visit", jobs[at].place, other.order.number)
            for at, other in enumerate(targets)
            if at != number and other.technician.id == target.technician.id
        ]
        stops = [stop for stop in day.stops if stop.visit_id not in moving]
        stops = sorted([*stops, *others], key=lambda stop: stop.starts_at)
        asked.append(Asked(target, job, span, replace(day, stops=tuple(stops))))
    return asked


def _of_one(asked: Asked, at: datetime) -> dict[str, Any]:
    lines = [Line("mute", "user", f"{asked.who}, {asked.when}"), *(_refused(asked, at) or _consequences(asked, at))]
    allowed = _allowed(lines)
    return {
        "title": f"{asked.target.order.number} {asked.target.order.title}",
        "lines": [asdict(one) for one in lines],
        "allowed": allowed,
        "offer": None if allowed else _offer(asked, at),
    }


def _of_many(asked: Asked, at: datetime) -> list[Line]:
    """A line for each visit, and what is to be minded of it."""
    refused = _refused(asked, at)
    head = f"{asked.target.order.number}: {asked.who}, {asked.when}"
    minded = refused or [line for line in _consequences(asked, at) if line.tone != "ok" and line.tone != "mute"]
    return [Line("bad" if refused else "ok", "x" if refused else "check", head), *minded]


def _allowed(lines: Sequence[Line]) -> bool:
    return not any(line.icon == "x" for line in lines)


def _refused(asked: Asked, at: datetime) -> list[Line]:
    """Why booking would say no, every reason with the smallest change that would help."""
    target, span = asked.target, asked.span
    try:
        if target.visit is not None:
            booking.require_changeable(target.visit)
        else:
            booking.require_plannable(target.order)
        unmoved = target.visit is not None and target.visit.starts_at == span.starts_at
        booking.span_for(span.starts_at, target.minutes, span.starts_at if unmoved else at)
    except Conflict as error:
        return [Line("bad", "x", str(error.message))]
    except Invalid as error:
        return [Line("bad", "x", str(text)) for texts in error.errors.values() for text in texts]
    return [Line("bad", "x", worded.sentence(one)) for one in refusals(asked.job, asked.day, *span)]


def _consequences(asked: Asked, at: datetime) -> list[Line]:
    aim = aim_of(asked.target.order, at)
    slot = rate(asked.job, asked.day, asked.span, aim, travel_minutes)
    return [*_way(slot), *_told(asked), *_promises(slot, aim.restore_due is not None), *_next(asked)]


def _way(slot: Slot) -> Iterator[Line]:
    if slot.travel_min is None:
        yield Line("mute", "truck", _("drive not known"))
    else:
        yield Line("mute", "truck", _("%(leg)s drive", leg=worded.leg_text(slot.travel_min, slot.about)))


def _told(asked: Asked) -> Iterator[Line]:
    """What the customer was told, and what a technician knows already."""
    visit = asked.target.visit
    new = booking.window_of(asked.span.starts_at, booking.arrival_due_of(asked.target.order))
    new_text = f"{display.datetime_short(new.starts_at)}–{display.clock_time(new.ends_at)}"
    if visit is None:
        yield Line("mute", "message-square", _("The customer is told %(window)s", window=new_text))
        return
    old_text = f"{display.datetime_short(visit.window_starts_at)}–{display.clock_time(visit.window_ends_at)}"
    if visit.window_starts_at <= asked.span.starts_at <= visit.window_ends_at:
        yield Line("ok", "message-square", _("The customer's window stays: %(window)s", window=old_text))
    elif visit.confirmed_at is not None:
        told = _("The customer confirmed %(old)s and is told %(new)s instead", old=old_text, new=new_text)
        yield Line("warn", "message-square", told)
    else:
        told = _("The customer was told %(old)s and is told %(new)s instead", old=old_text, new=new_text)
        yield Line("warn", "message-square", told)
    if visit.state in SENT:
        yield Line("warn", "send", _("The technician has it already: it has to be sent again"))


def _promises(slot: Slot, restores: bool) -> Iterator[Line]:
    if slot.late_min:
        yield Line("warn", "triangle-alert", _("Arrives %(time)s late", time=display.minutes(slot.late_min)))
    elif slot.spare_min is not None:
        yield Line("ok", "shield-check", _("%(time)s before the promise", time=display.minutes(slot.spare_min)))
    if slot.restore_late_min:
        yield Line("warn", "triangle-alert", _("Restores %(time)s late", time=display.minutes(slot.restore_late_min)))
    elif restores and not slot.late_min and slot.spare_min is None:
        yield Line("ok", "shield-check", _("The promise to restore is kept"))


def _next(asked: Asked) -> Iterator[Line]:
    """How much time is left before the technician's next visit of that day."""
    _begin, midnight = day_span(local(asked.span.ends_at).date())
    later = (stop for stop in asked.day.stops if asked.span.ends_at <= stop.starts_at < midnight)
    following = next((stop for stop in later if stop.cause == "visit"), None)
    if following is None:
        return
    here, there = asked.job.place.point, following.place.point
    leaves_at = following.starts_at
    if here and there:  # as the rules have it
        leaves_at = leg(here, there, travel_minutes(here, there), asked.day.areas).latest(leaves_at)
    spare = int((leaves_at - asked.span.ends_at).total_seconds() // 60)
    name = following.label or _("For another station")
    text = _("Next: %(order)s, %(spare)s to spare after the drive", order=name, spare=display.minutes(spare))
    yield Line("warn" if spare < TIGHT else "mute", "arrow-right", text)


def _offer(asked: Asked, at: datetime) -> dict[str, Any] | None:
    """The nearest start of that day at which no rule refuses."""
    within = Span(*day_span(local(asked.span.starts_at).date()))
    free = [
        span for span in openings(asked.job, asked.day, within, at, travel_minutes)
        if not refusals(asked.job, asked.day, *span)
    ]  # fmt: skip
    if not free:
        return None
    best = min(free, key=lambda span: abs(span.starts_at - asked.span.starts_at))
    time = display.datetime_short(best.starts_at)
    return {"start": milliseconds(best.starts_at), "text": _("Start at %(time)s instead", time=time)}
