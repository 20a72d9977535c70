"""What each kind of command carries and does (CONTRACT: tablet command kinds). More may be added; none is renamed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import marshmallow as ma
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.places import Point
from fieldservice.foundation.words import has_word
from fieldservice.mechanisms.forms import MOMENTS, plain_text
from fieldservice.mechanisms.forms import Answer as GivenAnswer
from fieldservice.parts.models import Part as PartOfCatalogue
from fieldservice.parts.models import StockLocation
from fieldservice.parts.queries import part_by_number
from fieldservice.workorders import catalogue, lines, visits
from fieldservice.workorders.coverage import COVERAGES
from fieldservice.workorders.lines import decide_extra
from fieldservice.workorders.models import Answer, PartUse, TabletCommand, Visit, WorkItem
from fieldservice.workorders.onsite import arriving, follow_ups, raised, times
from fieldservice.workorders.onsite.leaving import Departure, known
from fieldservice.workorders.tablet import uploads

BIGGEST = 2**63 - 1
Facts = dict[str, Any]


@dataclass(frozen=True)
class Deed:
    """The circumstances of a command: its visit, when it happened, who did it."""

    visit: Visit
    at: datetime
    person: Person
    command_id: str


@dataclass(frozen=True)
class Own:
    """The circumstances of a command about the technician alone: when it happened, who did it."""

    at: datetime
    person: Person
    command_id: str


@dataclass(frozen=True)
class Kind:
    """A kind of command: the shape of its payload, and what it does; with a Deed of its visit, else with an Own."""

    schema: ma.Schema
    do: Callable[..., Facts]
    of_visit: bool = True


class Payload(ma.Schema):
    """Every payload names its visit."""

    class Meta:
        unknown = ma.EXCLUDE

    visit = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, BIGGEST))


def _text(most: int, **facts: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Length(max=most), **facts)


def _upload(**facts: Any) -> ma.fields.String:
    return ma.fields.String(validate=ma.validate.Regexp(rf"^{uploads.UPLOAD_ID}\Z"), **facts)


class ReadinessSchema(ma.Schema):
    """What the tablet found before leaving: `{missing, reason?}`; with nothing missing all was ready."""

    class Meta:
        unknown = ma.EXCLUDE

    missing = ma.fields.List(_text(24), load_default=list, validate=ma.validate.Length(max=20))
    reason = _text(300, load_default="", allow_none=True)


class PositionSchema(ma.Schema):
    """Where the tablet was; never kept as it came (N-14)."""

    class Meta:
        unknown = ma.EXCLUDE

    latitude = ma.fields.Float(required=True, validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(required=True, validate=ma.validate.Range(-180, 180))
    accuracy_m = ma.fields.Float(required=True, validate=ma.validate.Range(0, 1_000_000))


class Move(Payload):
    """A step: `{visit, to, reason?, restored?, open_items?, done_items?, readiness?, conduct?, check_in?, position?}`.

    `readiness` and `conduct` belong to leaving, `check_in` (with the reason of a check-in by hand) and `position` to
    arriving.
    """

    to = _text(24, required=True)
    reason = _text(300, load_default=None, allow_none=True)
    restored = ma.fields.Boolean(load_default=None, allow_none=True)
    open_items = ma.fields.List(_text(300), load_default=list, validate=ma.validate.Length(max=20))
    done_items = ma.fields.List(
        ma.fields.Integer(validate=ma.validate.Range(1, BIGGEST)),
        load_default=list,
        validate=ma.validate.Length(max=100),
    )
    readiness = ma.fields.Nested(ReadinessSchema, load_default=None, allow_none=True)
    conduct = ma.fields.List(_text(24), load_default=list, validate=ma.validate.Length(max=20))
    check_in = _text(12, load_default=None, allow_none=True)
    position = ma.fields.Nested(PositionSchema, load_default=None, allow_none=True)


def move(
    deed: Deed, to: str, readiness: Facts | None, conduct: Sequence[str], check_in: str | None,
    position: Facts | None, **facts: Any,
) -> Facts:  # fmt: skip
    flags = ["rescheduled"] if visits.catch_up(deed.visit, to, deed.at, deed.person.technician_id) else []
    if to == "en_route":
        visits.step(deed.visit, to, deed.at, departure=_departure(readiness, conduct))
    elif to == "on_site" and (check_in or position):
        arrived = _arrived(deed, facts["reason"] or "", position)
        visits.step(deed.visit, to, deed.at, check_in=arrived)
        return {"text": str(DROPPED)} if arrived.dropped else {}
    else:
        visits.step(deed.visit, to, deed.at, **facts)
    return {"flags": flags} if flags else {}


DROPPED = _l("Your position was not kept: you are off duty, or have not allowed it.")


def _departure(found: Facts | None, conduct: Sequence[str]) -> Departure:
    ticked = tuple(code for code in dict.fromkeys(conduct) if has_word("conduct", code))
    if found is None:
        return Departure(conduct=ticked)
    return Departure(known(found["missing"]), plain_text(found["reason"] or "", 300, field="reason"), ticked)


def _arrived(deed: Deed, reason: str, given: Facts | None) -> arriving.CheckIn:
    place = None
    if given is not None:
        place = arriving.Position(Point(given["latitude"], given["longitude"]), round(given["accuracy_m"]))
    return arriving.judge(deed.visit, deed.at, reason, place, deed.person.user_id)


class AnswerField(Payload):
    """A checklist answer: `{visit, field, value, note?}`; a value of null takes it back."""

    field = _text(60, required=True)
    value = ma.fields.Raw(required=True, allow_none=True)
    note = _text(500, load_default="")


def answer(deed: Deed, field: str, value: Any, note: str) -> Facts:
    given = visits.answer(deed.visit, field, value, deed.at, note)
    return {"out_of_tolerance": given.out_of_tolerance}


class Part(Payload):
    """Fitted: `{visit, part, quantity, location?, serial?, removed_serial?, batch?}`; taken back: `{visit, returns}`,
    the id of that command."""

    part = _text(40, load_default=None)
    quantity = ma.fields.Decimal(load_default=None, allow_nan=False)
    location = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=ma.validate.Range(1, BIGGEST)
    )
    serial = _text(60, load_default=None, allow_none=True)
    removed_serial = _text(60, load_default=None, allow_none=True)
    batch = _text(60, load_default=None, allow_none=True)
    returns = _text(40, load_default=None)


def part(
    deed: Deed,
    part: str | None,
    quantity: Decimal | None,
    location: int | None,
    returns: str | None,
    **marks: str | None,
) -> Facts:
    if returns is not None:
        return _return(deed, returns)
    if part is None or quantity is None:
        raise Invalid({"part": [_l("Say which part and how many.")]}, code="malformed")
    chosen = _catalogued(part)
    place = session.get(StockLocation, location) if location is not None else None
    if location is not None and place is None:
        raise Invalid({"location": [_l("Take parts from your van or from a station of this order.")]})
    use = visits.use_part(
        deed.visit, chosen, quantity, deed.at, location=place, command_id=deed.command_id,
        by=deed.person.technician_id, **marks,
    )  # fmt: skip
    return {"use": use.id, "flags": ["serial_missing"] if chosen.serial_tracked and not use.serial else []}


def _catalogued(number: str) -> PartOfCatalogue:
    try:
        return part_by_number(number)
    except NotFound as error:
        raise Invalid({"part": [_l("This part is not in the catalogue. Search for it by name.")]}) from error


def _return(deed: Deed, command_id: str) -> Facts:
    """`command_id`: the command that fitted it, or `use-<id>` for one fitted otherwise."""
    known = _fitted(deed.visit, command_id)
    if known is None:
        raise Invalid({"returns": [_l("This part was returned already.")]}, code="already_returned")
    number = known.id
    visits.return_part(known, deed.at)
    return {"returned": number}


def _fitted(visit: Visit, name: str) -> PartUse | None:
    """The part this visit fitted, by the command that did, or by `use-<id>`."""
    mine = select(PartUse).where(PartUse.visit_id == visit.id)
    number = name.removeprefix("use-")
    if name != number and number.isdecimal() and len(number) < 19:
        return session.scalar(mine.where(PartUse.id == int(number)))
    known = session.scalar(mine.where(PartUse.command_id == name))
    if known is None:  # fitted before uses kept the name of their command
        done = session.scalar(select(TabletCommand.detail).where(TabletCommand.command_id == name))
        use_id = (done or {}).get("use")
        # SQLite gives the number of a use that was taken back to the next one, which has a command of its own
        unnamed = mine.where(PartUse.id == use_id, PartUse.command_id.is_(None))
        known = session.scalar(unnamed) if isinstance(use_id, int) else None
    return known


class Photo(Payload):
    """A picture: `{visit, upload, field?, moment?}`; its bytes come by /tablet/uploads, sooner or later.

    `moment` (before, after the work) is for pictures beside the checklist: a field says it itself.
    """

    upload = _upload(required=True)
    field = _text(60, load_default=None, allow_none=True)
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
    return _about(expected)


class Summary(Payload):
    """Words: `{visit, summary, technical_note?}`."""

    summary = _text(2000, required=True)
    technical_note = _text(4000, load_default=None, allow_none=True)


def summary(deed: Deed, summary: str, technical_note: str | None) -> Facts:
    visits.set_summary(deed.visit, summary, deed.at, technical_note)
    return {}


class Failure(Payload):
    """Codes: `{visit, pattern}` fills all; or `{visit, codes: {failure_mode, …}, unknown_reason?}`."""

    pattern = _text(60, load_default=None, allow_none=True)
    codes = ma.fields.Dict(load_default=dict)
    unknown_reason = _text(300, load_default="")


def failure(deed: Deed, pattern: str | None, codes: Mapping[str, Any], unknown_reason: str) -> Facts:
    if pattern is not None:
        visits.choose_pattern(deed.visit, pattern, deed.at)
    else:
        visits.set_failure(deed.visit, codes, deed.at, unknown_reason)
    return {}


class Signature(Payload):
    """The customer signed: `{visit, upload, name?}`."""

    upload = _upload(required=True)
    name = _text(80, load_default="")


def signature(deed: Deed, upload: str, name: str) -> Facts:
    visits.at_machine(deed.visit)
    expected = uploads.expect(deed.visit, deed.person.user_id, upload, "signature", deed.at)
    visits.sign(deed.visit, deed.at, file=expected.file, name=name)
    return _about(expected)


def _about(expected: uploads.Expected) -> Facts:
    file = expected.file
    return {"file": file.id if file is not None else None, "flags": ["upload_again"] if expected.lost else []}


class Note(Payload):
    """A line for the office: `{visit, words}`."""

    words = _text(1000, required=True)


def note(deed: Deed, words: str) -> Facts:
    visits.note(deed.visit, words, deed.at)
    return {}


# Lines: what is needed, who pays, extra work -----------------------------------------------------------


class Need(Payload):
    """Missing for the next visit: `{visit, part?, quantity?, words?}`; taken back: `{visit, returns}`."""

    part = _text(40, load_default=None, allow_none=True)
    quantity = ma.fields.Decimal(load_default=None, allow_none=True, allow_nan=False)
    words = _text(300, load_default="")
    returns = _text(40, load_default=None, allow_none=True)


def need(deed: Deed, part: str | None, quantity: Decimal | None, words: str, returns: str | None) -> Facts:
    if returns is not None:
        item = _needed(deed.visit, returns)
        if item is None:
            raise Invalid(
                {"returns": [_l("This is settled already. Look at the list again.")]}, code="already_returned"
            )
        visits.withdraw_need(deed.visit, item, deed.at)
        return {"withdrawn": item.id}
    chosen = _catalogued(part) if part is not None else None
    item = visits.need(
        deed.visit, deed.at, part=chosen, quantity=quantity, words=words, command_id=deed.command_id
    )  # fmt: skip
    return {"item": item.id}


def _needed(visit: Visit, name: str) -> WorkItem | None:
    """What this visit asked for, by its command or by `item-<id>`."""
    mine = [item for item in visit.work_order.items if item.opened_visit_id == visit.id]
    return next((item for item in mine if name in (item.command_id, f"item-{item.id}")), None)


class Coverage(Payload):
    """Who pays for a line: `{visit, line, coverage, reason}`. A line is `labour-<visit>`, `travel-<visit>`, or a fitted
    part by its command or `use-<id>`."""

    line = _text(60, required=True)
    coverage = ma.fields.String(required=True, validate=ma.validate.OneOf(COVERAGES))
    reason = _text(300, required=True)


def coverage(deed: Deed, line: str, coverage: str, reason: str) -> Facts:
    visits.at_machine(deed.visit)
    use = _fitted(deed.visit, line)
    key = f"use-{use.id}" if use is not None else line
    lines.cover_line(deed.visit, key, coverage, reason, deed.at)
    return {"line": key}


class ExtraLine(ma.Schema):
    """One line of extra work; `price` is of one, in minor units."""

    class Meta:
        unknown = ma.EXCLUDE

    words = _text(300, required=True)
    part = _text(40, load_default=None, allow_none=True)
    quantity = ma.fields.Decimal(required=True, allow_nan=False)
    price = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, lines.MOST_PRICE))


class Extra(Payload):
    """Work beyond the order, as the customer decided: `{visit, extra, words, lines, decision, name?, upload?}`; an
    approval needs his name and his signature."""

    extra = _text(40, required=True)
    words = _text(300, required=True)
    lines = ma.fields.List(
        ma.fields.Nested(ExtraLine), required=True, validate=ma.validate.Length(1, lines.MOST_LINES)
    )  # fmt: skip
    decision = ma.fields.String(required=True, validate=ma.validate.OneOf(("approved", "declined")))
    name = _text(80, load_default="")
    upload = _upload(load_default=None, allow_none=True)


def extra(deed: Deed, extra: str, upload: str | None, lines: list[Facts], **said: Any) -> Facts:
    visits.at_machine(deed.visit)
    if said["decision"] == "approved" and upload is None:
        raise Invalid({"upload": [_l("The customer's signature is missing. Let him sign.")]})
    expected = (
        uploads.expect(deed.visit, deed.person.user_id, upload, "approval", deed.at) if upload is not None else None
    )
    kept = decide_extra(
        deed.visit, extra, given=lines, at=deed.at, file=expected.file if expected is not None else None, **said
    )  # fmt: skip
    return {"extra": kept.id, **(_about(expected) if expected is not None else {})}


# At the machine, and on the way to it ------------------------------------------------------------------


class FollowUpJob(Payload):
    """Work that this visit found necessary: `{visit, words, urgency, work_type?, field?}`; `field` has the finding."""

    words = _text(300, required=True)
    urgency = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(follow_ups.PRIORITIES)))
    work_type = _text(40, load_default=None, allow_none=True)
    field = _text(60, load_default=None, allow_none=True)


def follow_up(deed: Deed, words: str, urgency: str, work_type: str | None, field: str | None) -> Facts:
    visits.at_machine(deed.visit)
    finding = raised.live(deed.visit.work_order_id, field) if field is not None else None
    made = follow_ups.open_follow_up(deed.visit, words, urgency, deed.at, work_type=work_type, finding=finding)
    return {"work_order": made.work_order_id}


class Time(Payload):
    """How long it really was: `{visit, kind, minutes, reason}`."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(times.KINDS))
    minutes = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, times.MOST_MINUTES))
    reason = _text(300, required=True)


def time(deed: Deed, kind: str, minutes: int, reason: str) -> Facts:
    visits.at_machine(deed.visit)
    times.correct(deed.visit, kind, minutes, reason, deed.at)
    return {}


class Consent(ma.Schema):
    """Whether the technician may be located on duty: `{given, version}`, the version of the text that was shown."""

    class Meta:
        unknown = ma.EXCLUDE

    given = ma.fields.Boolean(required=True)
    version = ma.fields.Integer(
        required=True, strict=True, validate=ma.validate.Range(1, arriving.CONSENT_VERSION)
    )  # fmt: skip


def consent(own: Own, given: bool, version: int) -> Facts:
    arriving.set_consent(own.person, given, version, own.at)
    return {}


KINDS: Mapping[str, Kind] = {
    "move": Kind(Move(), move),
    "answer": Kind(AnswerField(), answer),
    "part": Kind(Part(), part),
    "photo": Kind(Photo(), photo),
    "summary": Kind(Summary(), summary),
    "failure": Kind(Failure(), failure),
    "signature": Kind(Signature(), signature),
    "note": Kind(Note(), note),
    "need": Kind(Need(), need),
    "coverage": Kind(Coverage(), coverage),
    "extra": Kind(Extra(), extra),
    "follow_up": Kind(FollowUpJob(), follow_up),
    "time": Kind(Time(), time),
    "consent": Kind(Consent(), consent, of_visit=False),
}
