"""Surveys: who is asked, how often, and what a low rating sets in motion."""

import pytest
from sqlalchemy import select, update

from fieldservice.feedback import services as feedback
from fieldservice.feedback.models import Survey
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, now
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms.messages import Message
from fieldservice.mechanisms.tasks import Task
from tests.test_story import report


def finished(company: dict[str, int], **facts: object) -> int:
    """A resolved request with its invitation waiting; gives its id."""
    request_id = report(company, **facts)

    def end() -> None:
        request = session.get_one(ServiceRequest, request_id)
        done = {"state": "resolved", "restored_at": now(), "resolved_at": now()}
        session.execute(update(ServiceRequest).where(ServiceRequest.id == request_id).values(**done))
        session.refresh(request)
        feedback.schedule(request, now())

    write(end)
    return request_id


def survey_of(request_id: int) -> Survey:
    session.expire_all()
    return session.scalars(select(Survey).where(Survey.request_id == request_id)).one()


def send() -> int:
    return write(lambda: feedback.send_due(now()))


def rate(request_id: int, score: int = 5, **facts: str) -> None:
    scores = dict.fromkeys(feedback.dimensions(), score)
    write(lambda: feedback.answer(session.get_one(ServiceRequest, request_id), scores, now(), **facts))


def invitations() -> list[Message]:
    return list(session.scalars(select(Message).where(Message.template == "survey_invitation")))


def test_S_06_a_finished_request_is_surveyed_once(company: dict[str, int], clock: Clock) -> None:
    request_id = finished(company)
    write(lambda: feedback.schedule(session.get_one(ServiceRequest, request_id), now()))
    assert send() == 1
    assert send() == 0
    assert survey_of(request_id).state == "sent"
    assert len(invitations()) == 1


@pytest.mark.parametrize(("days", "state"), [(1, "suppressed"), (29, "suppressed"), (31, "sent")])
def test_S_06_a_person_is_asked_once_in_30_days(company: dict[str, int], clock: Clock, days: int, state: str) -> None:
    finished(company)
    send()
    clock.advance(days=days)
    second = finished(company, description="又一台")
    send()
    assert survey_of(second).state == state


def test_S_06_two_of_one_person_at_once_make_one_invitation(company: dict[str, int], clock: Clock) -> None:
    first, second = finished(company), finished(company, description="又一台")
    other = finished(company, description="别人", contact_phone="13800138000")
    send()
    assert [survey_of(one).state for one in (first, second, other)] == ["sent", "suppressed", "sent"]


def test_S_06_people_known_by_email_are_asked_once_too(company: dict[str, int], clock: Clock) -> None:
    known = {"contact_phone": "", "contact_email": "wang@example.com"}
    first, second = finished(company, **known), finished(company, description="又一台", **known)
    send()
    assert [survey_of(one).state for one in (first, second)] == ["sent", "suppressed"]


def test_test_data_is_never_surveyed(company: dict[str, int], clock: Clock) -> None:
    request_id = finished(company)
    write(lambda: setattr(session.get_one(ServiceRequest, request_id), "is_test", True))
    send()
    assert survey_of(request_id).state == "suppressed"
    assert invitations() == []


def test_after_30_days_it_is_too_late(company: dict[str, int], clock: Clock) -> None:
    request_id = finished(company)
    send()
    clock.advance(days=30)
    assert write(lambda: feedback.expire_old(now())) == 0
    clock.advance(minutes=1)
    assert write(lambda: feedback.expire_old(now())) == 1
    with pytest.raises(Conflict) as refused:
        rate(request_id)
    assert refused.value.code == "expired"


def test_a_survey_is_answered_once(company: dict[str, int], clock: Clock) -> None:
    request_id = finished(company)
    send()
    rate(request_id, 5)
    with pytest.raises(Conflict) as refused:
        rate(request_id, 1)
    assert refused.value.code == "answered"
    assert set(survey_of(request_id).scores.values()) == {5}


def test_nobody_waits_for_the_invitation_to_rate(company: dict[str, int], clock: Clock) -> None:
    waiting = finished(company)
    rate(waiting)
    assert survey_of(waiting).state == "answered"
    assert send() == 0


def test_what_is_not_finished_is_not_rated(company: dict[str, int], clock: Clock) -> None:
    request_id = report(company)
    with pytest.raises(Conflict) as refused:
        rate(request_id)
    assert refused.value.code == "not_finished"


@pytest.mark.parametrize(("score", "opened"), [(1, 1), (3, 1), (4, 0), (5, 0)])
def test_a_low_score_opens_recovery_within_a_day(
    company: dict[str, int], clock: Clock, score: int, opened: int
) -> None:
    request_id = finished(company)
    rate(request_id, score, low_reason="等太久")
    tasks = session.scalars(select(Task).where(Task.title == "recover_customer")).all()
    assert len(tasks) == opened
    if opened:
        assert (tasks[0].owner_role, tasks[0].due_at - now()) == ("station_manager", feedback.RECOVER_WITHIN)
        assert survey_of(request_id).low_reason == "等太久"


def test_five_dimensions_reliability_first() -> None:
    assert len(feedback.dimensions()) == 5
    assert feedback.dimensions()[0] == "reliability"


@pytest.mark.parametrize("scores", [{}, {"reliability": 0}, {"reliability": 6}, {"beauty": 5}])
def test_only_stars_on_known_lines_count(company: dict[str, int], clock: Clock, scores: dict[str, int]) -> None:
    request_id = finished(company)
    with pytest.raises(Invalid):
        write(lambda: feedback.answer(session.get_one(ServiceRequest, request_id), scores, now()))
    assert survey_of(request_id).state == "scheduled"
