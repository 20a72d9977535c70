"""Commands of tablets: each is applied exactly once, in order, and its result is kept.

What a tablet tells of one visit is one transaction, with a savepoint for each command, so that a refused one leaves
the others alone. Where two senders meet, each command gets a transaction of its own instead. A tablet may send the
same command again after a lost answer, or from two tabs at once: it gets the stored result. What cannot be applied is
rejected with a sentence; nothing is discarded, since the row keeps the payload, and the office looks at it (reviews).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

import marshmallow as ma
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import lock_rows, session, write, writing
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms.events import history, record
from fieldservice.stations.models import Technician
from fieldservice.workorders import findings, visits
from fieldservice.workorders.models import TabletCommand, Visit
from fieldservice.workorders.tablet import overwriting
from fieldservice.workorders.tablet.kinds import KINDS, Deed, Own
from fieldservice.workorders.tablet.schemas import CommandSchema

CURRENT = 2  # version of the tablet's page that this server brings
OLDER = 2  # so many versions before it are understood: a tablet comes back after days without a network
ACCEPTED, FLAGGED, REJECTED = "accepted", "accepted_with_flag", "rejected"
TRIES = 3
AT_ONCE = 12  # commands in one transaction: over SQLite nobody else writes meanwhile
SKEW = timedelta(minutes=2)  # a tablet's clock that is out by more is worth saying
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MOST_DEPTH = 8
# what the customer has signed for by the end
FINDINGS = ("answer", "part", "summary", "failure", "need", "coverage", "extra")


@dataclass(frozen=True)
class Command:
    """One intent of a technician, as his tablet tells it. `at` is the tablet's time."""

    id: str
    seq: int
    kind: str
    at: datetime
    base_version: int | None
    payload: Mapping[str, Any]
    device_at: datetime | None = None
    base_at: datetime | None = None
    again_of: str | None = None


@dataclass(frozen=True)
class Sender:
    """The tablet that sends: its own name, the version of its page, the offset of its clock if it measured one."""

    device_id: str
    client: int = 1
    offset_ms: int | None = None
    called_at: datetime = field(default_factory=now)


def oldest() -> int:
    """The oldest version of the tablet's page that is still understood."""
    return max(1, CURRENT - OLDER)


def require_known_client(client: int) -> None:
    """Raises Conflict `client_too_old`: the page has to load itself anew before it sends. What waits, waits on."""
    if client < oldest():
        raise Conflict(
            _l("Update the tablet page; nothing is lost."), code="client_too_old", current=CURRENT, oldest=oldest()
        )


def apply_all(person: Person, sender: Sender, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Apply commands in the order of the device's sequence; results in the order they came."""
    if person.technician_id is None:
        raise Forbidden(_l("Your account belongs to no technician. Ask your administrator."), code="no_technician")
    order = sorted(range(len(given)), key=lambda index: (_seq(given[index]), index))
    results: dict[int, dict[str, Any]] = {}
    for _visit, run in groupby(order, lambda index: _visit_told(given[index])):
        indices = list(run)
        for some in (indices[start : start + AT_ONCE] for start in range(0, len(indices), AT_ONCE)):
            results.update(zip(some, _results_of(person, sender, [given[index] for index in some]), strict=True))
    return [results[index] for index in range(len(given))]


def _seq(raw: Mapping[str, Any]) -> int:
    seq = raw.get("seq")
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else 0


def _visit_told(raw: Mapping[str, Any]) -> int | None:
    payload = raw.get("payload")
    visit = payload.get("visit") if isinstance(payload, Mapping) else None
    return visit if isinstance(visit, int) else None


def _results_of(person: Person, sender: Sender, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of one visit's commands, together: a tenth of the commits, and rows are read once. One visit only, since rows are
    held visit before order before technician."""
    if len(given) > 1:
        with suppress(Exception):  # somebody was faster, or one of them breaks us: alone, each can wait or be found out
            return write(lambda: [_result_of(person, sender, raw) for raw in given])
    return [_result_of(person, sender, raw) for raw in given]


def _result_of(person: Person, sender: Sender, raw: Mapping[str, Any]) -> dict[str, Any]:
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
    return _apply(person, sender, command, error)


def _apply(person: Person, sender: Sender, command: Command, error: DomainError | None) -> dict[str, Any]:
    """Once: the row of the id is inserted first, so a second sender waits for it and then reads the result."""
    if writing():  # among others of its visit
        return _once(person, sender, command, error)
    for attempt in range(TRIES):
        try:
            return write(partial(_once, person, sender, command, error))
        except (Conflict, PreconditionFailed) as lost:  # the same command, or an edit of the same rows, was faster
            if attempt + 1 == TRIES:
                error = lost
    return write(partial(_once, person, sender, command, error))


def _once(person: Person, sender: Sender, command: Command, error: DomainError | None) -> dict[str, Any]:
    known = session.scalar(select(TabletCommand).where(TabletCommand.command_id == command.id))
    if known is not None:
        return _shown(known, person)
    row = TabletCommand(
        command_id=command.id, device_id=sender.device_id, seq=command.seq, user_id=person.user_id, kind=command.kind,
        payload=storable(without_place(command.payload)), at=_bounded(command.at),
        device_at=None if command.device_at is None else _bounded(command.device_at),
        offset_ms=_offset(command, sender), client=sender.client, received_at=now(), status=ACCEPTED, detail={},
    )  # fmt: skip
    session.add(row)
    session.flush()
    try:
        if error is not None:
            raise error
        with session.begin_nested():
            if not _done_by_hand(person, command, row):
                _perform(person, sender, command, row)
    except DomainError as refused:
        _reject(row, person, refused)
    session.flush()
    return _shown(row, person)


def _done_by_hand(person: Person, command: Command, row: TabletCommand) -> bool:
    """Whether the office has applied meanwhile what this command repeats; one nobody decided about is settled by it."""
    if command.again_of is None:
        return False
    wanted = select(TabletCommand).where(TabletCommand.command_id == command.again_of)
    former = session.scalar(wanted.where(TabletCommand.user_id == person.user_id).with_for_update())
    if former is None or former.status != REJECTED:
        return False
    row.visit_id, row.station_id = former.visit_id, former.station_id
    if former.review == "applied":
        row.detail = {"code": "applied_by_hand", "text": str(_("Your station had applied this entry already."))}
        return True
    if former.review is None:
        former.review, former.reviewed_by, former.reviewed_at = "sent_again", person.user_id, now()
    return False


def _bounded(moment: datetime) -> datetime:
    """A time that every database keeps."""
    return min(max(moment, EARLIEST), LATEST)


def _offset(command: Command, sender: Sender) -> int | None:
    """What the tablet added to its clock, in milliseconds."""
    if command.device_at is None:
        return sender.offset_ms
    return round((_bounded(command.at) - _bounded(command.device_at)).total_seconds() * 1000)


def _perform(person: Person, sender: Sender, command: Command, row: TabletCommand) -> None:
    kind = KINDS[command.kind]
    payload = loaded_payload(kind.schema, command.payload)
    if not kind.of_visit:
        facts = kind.do(Own(min(row.at, now()), person, command.id), **payload)
        row.detail = {**facts, "base_version": command.base_version}
        return
    visit, flags = _visit_for(person, int(payload.pop("visit")), command)
    at = counted_time(visit, row)
    if abs(at - command.at) > SKEW:
        flags.append("clock")
    former = overwriting.former_of(command.kind, visit, payload, person)
    with findings.told_by_whoever_had_it("reassigned" in flags):
        facts = kind.do(Deed(visit, at, person, command.id), **payload)
    flags += facts.pop("flags", [])
    lost = {} if former is None else overwriting.replaced(former, command.kind, visit, payload)
    if former is not None and lost and former.written_at > _known(person, sender, command):
        flags.append("overwritten")
        facts["former"] = lost
    # said at the end: the row is written once more, not twice
    row.visit_id, row.station_id, row.counted_at = visit.id, visit.station_id, at
    row.detail = {**facts, "base_version": command.base_version}
    if flags:
        row.status = FLAGGED
        row.detail = {
            **row.detail,
            "code": flags[0],
            "flags": flags,
            "text": " ".join(str(FLAGS[flag]) for flag in flags),
        }
        record("tablet.flagged", visit, {"command": row.command_id, "kind": row.kind, "code": flags[0]})


def counted_time(visit: Visit, row: TabletCommand) -> datetime:
    """The time a command counts as."""
    return visits.counted_time(visit, row.at, fact=row.kind != "move")


def _known(person: Person, sender: Sender, command: Command) -> datetime:
    """Until when the tablet knew what stood on the server when this was recorded."""
    return command.base_at or overwriting.seen_until(
        person, sender.device_id, min(_bounded(command.at), sender.called_at)
    )


FLAGS = {
    "clock": _l("The clock of this tablet is wrong; the time was corrected."),
    "reassigned": _l("The job was given to a colleague meanwhile; what you recorded is kept with it."),
    "rescheduled": _l("The time of this job had been changed meanwhile; your step counts all the same."),
    "after_end": _l("Recorded after the visit had ended."),
    "upload_again": _l("The picture has to be sent again."),
    "overwritten": _l("Somebody had changed this meanwhile; your entry counts, theirs is kept for the office."),
    "goodwill_limit": _l("Goodwill beyond your limit: it counts, and your station manager is asked."),
    "serial_missing": _l("The serial number of this part is missing."),
}


def loaded_payload(schema: ma.Schema, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload in the shape of its kind. Raises Invalid `malformed`."""
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
    visit = session.get(Visit, visit_id)
    if visit is None:
        raise NotFound()
    lock_rows(visit)
    if visit.technician_id == person.technician_id:
        late = visit.finished_at is not None and command.at > visit.finished_at and command.kind in FINDINGS
        return visit, ["after_end"] if late else []
    if not _had(person, visit):
        raise NotFound()
    if command.kind == "move":
        raise Conflict(
            _l("This job was given to %(name)s meanwhile. Your step was not made.", name=pick(visit.technician.names)),
            code="reassigned",
        )
    return visit, ["reassigned"]


def _had(person: Person, visit: Visit) -> bool:
    """Whether a visit was this technician's once."""
    return any(event.facts.get("technician") == person.technician_id for event in history(visit))


def _reject(row: TabletCommand, person: Person, error: DomainError) -> None:
    row.status = REJECTED
    row.detail = storable(
        {
            "code": error.code,
            "text": sentence(error),
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
    about: dict[str, Any] = {"command": row.command_id, "kind": row.kind, "code": error.code}
    visit = _visit_meant(person, content_of(row))
    if visit is not None:
        row.visit_id, row.station_id = visit.id, visit.station_id
        record("tablet.rejected", visit, about)
    else:  # of no visit of his: his own station looks at it
        row.visit_id, row.station_id = None, _home(person)
        record("tablet.rejected", row, about)


def content_of(row: TabletCommand) -> Mapping[str, Any]:
    """The payload; of a command whose envelope could not be read, the payload within."""
    inner = row.payload.get("payload")
    return inner if "visit" not in row.payload and isinstance(inner, Mapping) else row.payload


def _home(person: Person) -> int:
    return session.get_one(Technician, person.technician_id).station_id


def _visit_meant(person: Person, content: Mapping[str, Any]) -> Visit | None:
    """The visit a rejected command was about, when it is or was the technician's own."""
    given = content.get("visit")
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**63:
        return None
    visit = session.get(Visit, given)
    return visit if visit is not None and (visit.technician_id == person.technician_id or _had(person, visit)) else None


def sentence(error: DomainError) -> str:
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
    if detail.get("flags"):
        shown["flags"] = detail["flags"]
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
