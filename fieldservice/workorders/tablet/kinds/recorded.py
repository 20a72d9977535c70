"""What is recorded at the machine: answers, pictures, words, codes, signature, times, follow-up work."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.mechanisms.forms import MOMENTS
from fieldservice.mechanisms.forms import Answer as GivenAnswer
from fieldservice.workorders import catalogue, visits
from fieldservice.workorders.models import Answer
from fieldservice.workorders.onsite import follow_ups, raised, times
from fieldservice.workorders.tablet import uploads
from fieldservice.workorders.tablet.kinds.base import Deed, Facts, Payload, picture_of, text, upload_id


class AnswerField(Payload):
    """A checklist answer: `{visit, field, value, note?}`; a value of null takes it back."""

    field = text(60, required=True)
    value = ma.fields.Raw(required=True, allow_none=True)
    note = text(500, load_default="")


def answer(deed: Deed, field: str, value: Any, note: str) -> Facts:
    given = visits.answer(deed.visit, field, value, deed.at, note)
    return {"out_of_tolerance": given.out_of_tolerance}


class Photo(Payload):
    """A picture: `{visit, upload, field?, moment?}`; its bytes come by /tablet/uploads, sooner or later.

    `moment` (before, after the work) is for pictures beside the checklist: a field says it itself.
    """

    upload = upload_id(required=True)
    field = text(60, load_default=None, allow_none=True)
    moment = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(MOMENTS))


def photo(deed: Deed, upload: str, field: str | None, moment: str | None) -> Facts:
    visits.at_machine(deed.visit)
    if field is not None:
        moment = catalogue.checklist_of(deed.visit.work_order).field(field).moment
    expected = uploads.expect(deed.visit, deed.person.user_id, upload, "photo", deed.at, field, moment)
    if field is not None:
        known = session.scalar(select(Answer).where(Answer.visit_id == deed.visit.id, Answer.field == field))
        before = GivenAnswer.from_stored(known.content).value if known is not None else None
        visits.answer(deed.visit, field, [*(before or []), upload], deed.at)
    return picture_of(expected)


class Summary(Payload):
    """Words: `{visit, summary, technical_note?}`."""

    summary = text(2000, required=True)
    technical_note = text(4000, load_default=None, allow_none=True)


def summary(deed: Deed, summary: str, technical_note: str | None) -> Facts:
    visits.set_summary(deed.visit, summary, deed.at, technical_note)
    return {}


class Failure(Payload):
    """Codes: `{visit, pattern}` fills all; or `{visit, codes: {failure_mode, …}, unknown_reason?}`."""

    pattern = text(60, load_default=None, allow_none=True)
    codes = ma.fields.Dict(load_default=dict)
    unknown_reason = text(300, load_default="")


def failure(deed: Deed, pattern: str | None, codes: Mapping[str, Any], unknown_reason: str) -> Facts:
    if pattern is not None:
        visits.choose_pattern(deed.visit, pattern, deed.at)
    else:
        visits.set_failure(deed.visit, codes, deed.at, unknown_reason)
    return {}


class Signature(Payload):
    """The customer signed: `{visit, upload, name?}`."""

    upload = upload_id(required=True)
    name = text(80, load_default="")


def signature(deed: Deed, upload: str, name: str) -> Facts:
    visits.at_machine(deed.visit)
    expected = uploads.expect(deed.visit, deed.person.user_id, upload, "signature", deed.at)
    visits.sign(deed.visit, deed.at, file=expected.file, name=name)
    return picture_of(expected)


class Note(Payload):
    """A line for the office: `{visit, words}`."""

    words = text(1000, required=True)


def note(deed: Deed, words: str) -> Facts:
    visits.note(deed.visit, words, deed.at)
    return {}


class FollowUpJob(Payload):
    """Work that this visit found necessary: `{visit, words, urgency, work_type?, field?}`; `field` has the finding."""

    words = text(300, required=True)
    urgency = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(follow_ups.PRIORITIES)))
    work_type = text(40, load_default=None, allow_none=True)
    field = text(60, load_default=None, allow_none=True)


def follow_up(deed: Deed, words: str, urgency: str, work_type: str | None, field: str | None) -> Facts:
    visits.at_machine(deed.visit)
    finding = raised.live(deed.visit.work_order_id, field) if field is not None else None
    made = follow_ups.open_follow_up(deed.visit, words, urgency, deed.at, work_type=work_type, finding=finding)
    return {"work_order": made.work_order_id}


class Time(Payload):
    """How long it really was: `{visit, kind, minutes, reason}`."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(times.KINDS))
    minutes = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, times.MOST_MINUTES))
    reason = text(300, required=True)


def time(deed: Deed, kind: str, minutes: int, reason: str) -> Facts:
    visits.at_machine(deed.visit)
    times.correct(deed.visit, kind, minutes, reason, deed.at)
    return {}
