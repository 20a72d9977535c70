"""What can be done with surveys: one screen, five dimensions, ten seconds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.words import all_words
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import messages, tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move

DATA = Path(__file__).parent / "data"
messages.register_templates(DATA / "messages.yaml")
tasks.register_titles(DATA / "tasks.yaml")

ONE_IN = timedelta(days=30)  # a person is asked at most once in this time (S-06)
VALID = timedelta(days=30)
LOW = 3  # this score or a lower one opens recovery
RECOVER_WITHIN = timedelta(hours=24)


def dimensions() -> tuple[str, ...]:
    """The five quality dimensions, reliability first (S-14)."""
    return tuple(all_words()["quality_dimension"])


def schedule(request: ServiceRequest, at: datetime) -> Survey:
    """Invite the reporter of a finished request; a request is surveyed once."""
    known = session.scalar(select(Survey).where(Survey.request_id == request.id))
    if known is not None:
        return known
    survey = Survey(
        request_id=request.id, station_id=request.station_id, contact_phone=request.contact_phone,
        language=request.language, scheduled_at=at, scores={},
    )  # fmt: skip
    session.add(survey)
    session.flush()
    return survey


def send_due(at: datetime, limit: int = 100) -> int:
    """Send waiting invitations, or suppress those of people asked in the last 30 days; gives how many were decided."""
    waiting = select(Survey).where(Survey.state == "scheduled").order_by(Survey.id).limit(limit)
    surveys = session.scalars(waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for survey in surveys:
        request = session.get_one(ServiceRequest, survey.request_id)
        reachable = bool(request.contact_phone or request.contact_email)
        if request.is_test or not reachable or _asked_lately(survey, request, at):
            move(survey, "suppressed", at=at, by="system")
            continue
        move(survey, "sent", at=at, by="system")
        survey.sent_at = at
        session.flush()  # the next one of the same person must see it
        messages.queue(
            "survey_invitation",
            to=request.contact_email or request.contact_phone,
            channel="email" if request.contact_email else "sms",
            language=survey.language,
            facts={"number": request.number},
            subject=request,
            key=f"survey:{survey.id}",
            at=at,
        )
    return len(surveys)


def expire_old(at: datetime, limit: int = 500) -> int:
    """Invitations nobody answered within 30 days are over."""
    old = select(Survey).where(Survey.state == "sent", Survey.sent_at < at - VALID).limit(limit)
    surveys = session.scalars(old.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for survey in surveys:
        move(survey, "expired", at=at, by="system")
    return len(surveys)


def answer(
    request: ServiceRequest, scores: Mapping[str, int], at: datetime, *, words: str = "", low_reason: str = ""
) -> Survey:
    """Take the customer's rating; a low one opens recovery at the station. Raises Invalid or Conflict."""
    wrong = [name for name, score in scores.items() if name not in dimensions() or score not in range(1, 6)]
    if wrong or not scores:
        raise Invalid({"scores": [_l("Give each line one to five stars.")]})
    survey = _open_survey(request, at)
    survey.scores = {name: scores[name] for name in dimensions() if name in scores}
    survey.words = plain_text(words, 1000, field="words")
    survey.low_reason = plain_text(low_reason, 1000, field="low_reason")
    survey.answered_at = at
    move(survey, "answered", at=at, by="customer")
    if min(survey.scores.values()) <= LOW:
        _recover(request, survey, at)
    record("survey.scored", request, {"survey": survey.id, "scores": survey.scores}, at=at, by="customer")
    return survey


def _open_survey(request: ServiceRequest, at: datetime) -> Survey:
    """The survey that can be answered now; a customer may rate by herself, whether or not an invitation was sent."""
    own = select(Survey).where(Survey.request_id == request.id).with_for_update()
    survey = session.scalar(own.execution_options(populate_existing=True))
    if survey is None:
        raise Conflict(_l("This can be rated once the work is finished."), code="not_finished")
    if survey.state == "answered":
        raise Conflict(_l("You have rated this already. Thank you."), code="answered")
    if survey.state == "expired":
        raise Conflict(_l("The time to rate this has passed. Please write to us instead."), code="expired")
    if survey.state != "sent":
        move(survey, "sent", at=at, by="customer")
        survey.sent_at = at
    return survey


def _recover(request: ServiceRequest, survey: Survey, at: datetime) -> None:
    tasks.open_task(
        "recover_customer", request, due_at=at + RECOVER_WITHIN, at=at, owner_role="station_manager",
        supervisor_role="director", station_id=request.station_id,
        facts={"number": request.number, "score": min(survey.scores.values())}, key=f"recover:{survey.id}",
    )  # fmt: skip


def _asked_lately(survey: Survey, request: ServiceRequest, at: datetime) -> bool:
    """Whether this person, by phone or else by e-mail, was invited in the last 30 days."""
    other = select(func.count(Survey.id)).where(Survey.sent_at > at - ONE_IN, Survey.id != survey.id)
    if survey.contact_phone:
        other = other.where(Survey.contact_phone == survey.contact_phone)
    else:
        same = ServiceRequest.contact_email == request.contact_email
        other = other.join(ServiceRequest, ServiceRequest.id == Survey.request_id).where(same)
    return bool(session.scalar(other))
