"""What can be done with a service request, from report to closing."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from fieldservice.contracts import promises
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.intake import notices
from fieldservice.intake.models import ServiceRequest, ThreadMessage
from fieldservice.intake.receiving import MOST_WORDS, Place, forget_receipts, report_fault
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.calendars import standard_calendar
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move

__all__ = [
    "MOST_WORDS", "Place", "cancel", "close", "close_silent", "fix_remotely", "forget_receipts", "help_remotely",
    "mark_duplicate", "note_arrival", "note_first_answer", "note_restored", "reopen", "report_fault", "resolve",
    "set_triaged", "silent_since", "write_message",
]  # fmt: skip

REOPEN_WITHIN = timedelta(days=30)
SILENCE = 3 * 480  # business minutes without a word that close a resolved request
LONGEST_SILENCE = timedelta(days=30)  # three business days never take longer, holidays included
TALK = 2000  # characters of a message


# Answered, helped, restored -------------------------------------------------------------------------


def note_first_answer(request: ServiceRequest, at: datetime) -> None:
    """A person answered: message, logged call or triage."""
    clocks.stop(request, "first_answer", at)


def note_arrival(request: ServiceRequest, at: datetime) -> None:
    """Somebody is on site."""
    clocks.stop(request, "arrival", at)


def set_triaged(request: ServiceRequest, at: datetime) -> None:
    """Somebody looked at it: read, judged, but not yet turned into work."""
    move(request, "triaged", at=at)
    request.triaged_at = request.triaged_at or at
    note_first_answer(request, at)


def help_remotely(request: ServiceRequest, at: datetime) -> None:
    """Somebody tries to help by phone or message before anybody drives."""
    if request.state in ("new", "reopened"):
        set_triaged(request, at)
    note_first_answer(request, at)
    move(request, "remote", at=at)


def fix_remotely(request: ServiceRequest, at: datetime) -> None:
    """Remote help worked: restored and resolved without a visit (J-13)."""
    if request.state != "remote":
        help_remotely(request, at)
    note_restored(request, at)
    resolve(request, at)


def note_restored(request: ServiceRequest, at: datetime) -> None:
    """The function is back, by repair, workaround or loan unit: the 24-hour promise is decided.

    Whoever has not arrived by then need not: that promise is void, neither kept nor broken.
    """
    if request.state not in ("remote", "converted"):
        return
    request.restored_at = at
    clocks.stop(request, "restore", at)
    clocks.void(request, "arrival", at=at, reason="restored_without_visit")
    move(request, "restored", at=at)
    notices.tell(request, "machine_restored", f"machine_restored:{at.isoformat()}", at)


def resolve(request: ServiceRequest, at: datetime) -> None:
    """The cause is removed; the customer is asked to confirm."""
    note_restored(request, at)
    if request.state != "restored":
        return
    request.resolved_at = at
    move(request, "resolved", at=at)


# Ends and new beginnings ----------------------------------------------------------------------------


def close(request: ServiceRequest, at: datetime, *, signed_off: bool = False) -> None:
    """By sign-off, or by three business days of silence."""
    move(request, "closed", at=at, signed_off=signed_off)
    request.closed_at = at
    request.signed_off_at = at if signed_off else request.signed_off_at
    clocks.void(request, at=at, reason="closed")


def close_silent(at: datetime, limit: int = 200) -> int:
    """Close resolved requests whose customers said nothing for three business days; repeat while it returns `limit`."""
    since = silent_since(at)
    spoke = exists().where(
        ThreadMessage.request_id == ServiceRequest.id, ThreadMessage.author == "customer", ThreadMessage.at > since
    )
    silent = select(ServiceRequest).where(
        ServiceRequest.state == "resolved", ServiceRequest.resolved_at <= since, ~spoke
    )
    locked = silent.order_by(ServiceRequest.id).limit(limit).with_for_update(skip_locked=True)
    requests = session.scalars(locked.execution_options(populate_existing=True)).all()
    for request in requests:
        close(request, at)
    return len(requests)


def silent_since(at: datetime) -> datetime:
    """The latest moment from which three business days have passed at `at`, to the minute."""
    calendar = standard_calendar(at - LONGEST_SILENCE)
    early, late = at - LONGEST_SILENCE, at
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        early, late = (middle, late) if calendar.add(middle, SILENCE) <= at else (early, middle)
    return early


def reopen(request: ServiceRequest, reason: str, at: datetime) -> None:
    """The fault is back within 30 days: promises run anew. Raises Conflict later than that."""
    ended = request.closed_at or request.resolved_at
    if ended is not None and at - ended > REOPEN_WITHIN:
        raise Conflict(_l("More than 30 days have passed. Please report the fault anew."), code="too_late_to_reopen")
    move(request, "reopened", reason=plain_text(reason, 300, field="reason"), at=at)
    request.restored_at = request.resolved_at = request.closed_at = request.signed_off_at = None
    promises.give(request, at=at, since=at)


def cancel(request: ServiceRequest, reason: str, at: datetime) -> None:
    """Not needed any more; its promises no longer count."""
    move(request, "cancelled", reason=plain_text(reason, 300, field="reason"), at=at)
    clocks.void(request, at=at, reason="cancelled")


def mark_duplicate(request: ServiceRequest, of: ServiceRequest, at: datetime) -> None:
    """The same fault was reported already; only the first one counts."""
    if of.id == request.id or of.state == "duplicate":
        raise Invalid({"duplicate_of": [_l("Choose another request: the first report of this fault.")]})
    move(request, "duplicate", at=at, of=of.number)
    request.duplicate_of_id = of.id
    clocks.void(request, at=at, reason="duplicate")


# Conversation ---------------------------------------------------------------------------------------


def write_message(
    request: ServiceRequest, *, author: str, words: str, at: datetime, user_id: int | None = None
) -> ThreadMessage:
    """One line of the conversation. Ours is told to the customer; the first one is the first answer."""
    text = plain_text(words, TALK, field="words")
    if not text:
        raise Invalid({"words": [_l("Write a few words first.")]})
    message = ThreadMessage(request_id=request.id, author=author, user_id=user_id, words=text, at=at)
    session.add(message)
    session.flush()
    record("service_request.message", request, {"message": message.id, "author": author}, at=at)
    if author == "staff":
        note_first_answer(request, at)
        notices.tell(request, "message_for_customer", f"message_for_customer:{message.id}", at)
    return message
