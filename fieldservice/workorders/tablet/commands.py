"""Commands of tablets: each is applied exactly once, in order, in a transaction of its own, and its result is kept.

A tablet may send the same command again after a lost answer, or from two tabs at once: it gets the stored
result. What cannot be applied is rejected with a sentence; nothing is discarded, since the row keeps the payload.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import marshmallow as ma
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms.events import history, record
from fieldservice.workorders import visits
from fieldservice.workorders.models import TabletCommand, Visit
from fieldservice.workorders.tablet.kinds import KINDS, Deed, Own

ACCEPTED, FLAGGED, REJECTED = "accepted", "accepted_with_flag", "rejected"
MOST = 100  # commands in one post
TRIES = 3
SKEW = timedelta(minutes=2)  # a tablet's clock that is out by more is worth saying
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MOST_DEPTH = 8
FINDINGS = ("answer", "part", "summary", "failure")  # what the customer has signed for by the end


class CommandSchema(ma.Schema):
    """The envelope of one command; what its payload needs depends on its kind."""

    class Meta:
        unknown = ma.EXCLUDE

    id = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[0-9A-Za-z_-]{8,40}\Z"))
    seq = ma.fields.Integer(required=True, validate=ma.validate.Range(0, 2**53))
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(KINDS)))
    at = ma.fields.AwareDateTime(required=True)
    base_version = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(0, 2**53))
    payload = ma.fields.Dict(required=True)


class CommandsSchema(ma.Schema):
    """What a tablet posts."""

    class Meta:
        unknown = ma.EXCLUDE

    device_id = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[0-9A-Za-z_.:-]{1,64}\Z"))
    commands = ma.fields.List(ma.fields.Dict(), required=True, validate=ma.validate.Length(max=MOST))


@dataclass(frozen=True)
class Command:
    """One intent of a technician, as his tablet tells it. `at` is the tablet's time."""

    id: str
    seq: int
    kind: str
    at: datetime
    base_version: int | None
    payload: Mapping[str, Any]


def apply_all(person: Person, device_id: str, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Apply commands in the order of the device's sequence; results in the order they came."""
    if person.technician_id is None:
        raise Forbidden(_l("Your account belongs to no technician. Ask your administrator."), code="no_technician")
    results: dict[int, dict[str, Any]] = {}
    for index in sorted(range(len(given)), key=lambda index: (_seq(given[index]), index)):
        results[index] = _result_of(person, device_id, given[index])
    return [results[index] for index in range(len(given))]


def _seq(raw: Mapping[str, Any]) -> int:
    seq = raw.get("seq")
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else 0


def _result_of(person: Person, device_id: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    wrong = CommandSchema().validate(dict(raw))
    if "id" in wrong:
        given = raw.get("id")
        shown = given[:40] if isinstance(given, str) else None
        return {"id": shown, "status": REJECTED, "code": "malformed", "detail": _("This entry has no usable id.")}
    if wrong:
        command = Command(str(raw["id"]), 0, str(raw.get("kind"))[:16], now(), None, dict(raw))
        error: DomainError | None = Invalid(
            {"command": [_l("This tablet sent something that the server does not know. Update the page.")]},
            code="malformed",
        )
    else:
        command, error = Command(**CommandSchema().load(dict(raw))), None
    return _apply(person, device_id, command, error)


def _apply(person: Person, device_id: str, command: Command, error: DomainError | None) -> dict[str, Any]:
    """Once: the row of the id is inserted first, so a second sender waits for it and then reads the result."""
    for attempt in range(TRIES):
        try:
            return write(partial(_once, person, device_id, command, error))
        except (Conflict, PreconditionFailed) as lost:  # the same command, or an edit of the same rows, was faster
            if attempt + 1 == TRIES:
                error = lost
    return write(partial(_once, person, device_id, command, error))


def _once(person: Person, device_id: str, command: Command, error: DomainError | None) -> dict[str, Any]:
    known = session.scalar(select(TabletCommand).where(TabletCommand.command_id == command.id))
    if known is not None:
        return _shown(known, person)
    row = TabletCommand(
        command_id=command.id, device_id=device_id, seq=command.seq, user_id=person.user_id, kind=command.kind,
        payload=storable(without_place(command.payload)), at=min(max(command.at, EARLIEST), LATEST), received_at=now(),
        status=ACCEPTED, detail={},
    )  # fmt: skip
    session.add(row)
    session.flush()
    try:
        if error is not None:
            raise error
        with session.begin_nested():
            _perform(person, command, row)
    except DomainError as refused:
        _reject(row, person, command, refused)
    session.flush()
    return _shown(row, person)


def _perform(person: Person, command: Command, row: TabletCommand) -> None:
    kind = KINDS[command.kind]
    payload = _payload(kind.schema, command.payload)
    if not kind.of_visit:
        facts = kind.do(Own(min(row.at, now()), person, command.id), **payload)
        row.detail = {**facts, "base_version": command.base_version}
        return
    visit, flags = _visit_for(person, int(payload.pop("visit")), command)
    row.visit_id, row.station_id = visit.id, visit.station_id
    at = visits.counted_time(visit, row.at, fact=command.kind != "move")
    if abs(at - command.at) > SKEW:
        flags.append("clock")
    facts = kind.do(Deed(visit, at, person, command.id), **payload)
    flags += facts.pop("flags", [])
    row.detail = {**facts, "base_version": command.base_version}
    if flags:
        row.status = FLAGGED
        row.detail = {
            **row.detail,
            "code": flags[0],
            "flags": flags,
            "text": " ".join(str(FLAGS[flag]) for flag in flags),
        }


FLAGS = {
    "clock": _l("The clock of this tablet is wrong; the time was corrected."),
    "reassigned": _l("The job was given to a colleague meanwhile; what you recorded is kept with it."),
    "after_end": _l("Recorded after the visit had ended."),
    "upload_again": _l("The picture has to be sent again."),
}


def _payload(schema: ma.Schema, payload: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(dict(payload))
    except ma.ValidationError as error:
        texts: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow leaves it untyped
        raise Invalid({str(name)[:60]: lines(found) for name, found in texts.items()}, code="malformed") from error
    return loaded


def without_place(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as it may be kept: where somebody was is not, since it may be known only as `onsite.arriving` says."""
    return {name: value for name, value in payload.items() if name != "position"}


def lines(found: Any) -> list[Any]:
    """marshmallow's messages of one field, however nested, as a list."""
    return [line for inner in found.values() for line in lines(inner)] if isinstance(found, dict) else list(found)


def _visit_for(person: Person, visit_id: int, command: Command) -> tuple[Visit, list[str]]:
    """The visit, held. Somebody else's is not found; one given away meanwhile still takes facts, but no steps."""
    visit = session.get(Visit, visit_id, with_for_update=True, populate_existing=True)
    if visit is None:
        raise NotFound()
    if visit.technician_id == person.technician_id:
        late = visit.finished_at is not None and command.at > visit.finished_at and command.kind in FINDINGS
        return visit, ["after_end"] if late else []
    if not any(event.facts.get("technician") == person.technician_id for event in history(visit)):
        raise NotFound()
    if command.kind == "move":
        raise Conflict(
            _l("This job was given to %(name)s meanwhile. Your step was not made.", name=pick(visit.technician.names)),
            code="reassigned",
        )
    return visit, ["reassigned"]


def _reject(row: TabletCommand, person: Person, command: Command, error: DomainError) -> None:
    row.status = REJECTED
    row.detail = storable(
        {
            "code": error.code,
            "text": _sentence(error),
            "errors": {name: [str(line) for line in lines] for name, lines in error.errors.items()}
            if isinstance(error, Invalid)
            else {},
            **{
                name: fact
                for name, fact in error.facts.items()
                if name in ("state", "to", "allowed", "on_hand", "part")
            },
        }
    )
    visit = _own_visit(person, command.payload.get("visit"))
    if visit is not None:
        row.visit_id, row.station_id = visit.id, visit.station_id
        record("tablet.rejected", visit, {"command": row.command_id, "kind": row.kind, "code": error.code})


def _own_visit(person: Person, given: Any) -> Visit | None:
    """The visit a rejected command was about, when it is the technician's own."""
    if not isinstance(given, int) or not 0 < given < 2**63:
        return None
    return session.scalar(select(Visit).where(Visit.id == given, Visit.technician_id == person.technician_id))


def _sentence(error: DomainError) -> str:
    """What happened and what to do, in the technician's language."""
    if error.code == "move_forbidden" and "state" in error.facts:
        state = word("state", error.facts["state"])
        return str(_("This step was not made: the job is now “%(state)s”. Look at it again.", state=state))
    if error.code == "part_short":
        there = error.facts["on_hand"]
        return str(_("Only %(n)s of this part is there. Choose another place or a smaller quantity.", n=there))
    if isinstance(error, Invalid) and error.errors:
        return " ".join(str(line) for lines in error.errors.values() for line in lines)
    return str(error.message)


def _shown(row: TabletCommand, person: Person) -> dict[str, Any]:
    """A stored result, for its own sender only."""
    if row.user_id != person.user_id:
        return {
            "id": row.command_id,
            "status": REJECTED,
            "code": "id_used",
            "detail": _("This id belongs to somebody else's entry."),
        }
    detail = row.detail
    shown = {
        "id": row.command_id,
        "status": row.status,
        "code": detail.get("code", ""),
        "detail": detail.get("text", ""),
    }
    if detail.get("errors"):
        shown["errors"] = detail["errors"]
    return shown


def storable(value: Any, depth: int = 0) -> Any:
    """A JSON value as both databases can keep it: no NUL, no broken Unicode, no endless nesting or numbers."""
    if depth > MOST_DEPTH:
        return "…"
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, bool | int):
        return value
    return value if isinstance(value, float) and abs(value) < float("inf") else str(value)
