"""What the office does about commands that were rejected or accepted with a remark: apply by hand, dismiss, note.

Each is decided once, whoever presses first; the command keeps its result, so that the tablet's replay is answered
as before.
"""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import lock_rows, session
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.words import word
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.workorders.history import register_sentences
from fieldservice.workorders.models import TabletCommand, Visit
from fieldservice.workorders.tablet import commands
from fieldservice.workorders.tablet.kinds import KINDS, Deed

REVIEWERS = ("dispatcher", "station_manager", "admin")
MOST_REASON = 300
LARGEST_ID = 2**62
register_sentences({
    "tablet.rejected": ("tablet", "warn", _l("An entry of the tablet was not applied; the office looks at it")),
    "tablet.flagged": ("tablet", "mute", _l("An entry of the tablet was applied with a remark")),
    "tablet.applied": ("tablet", "ok", _l("An entry of the tablet was applied by hand")),
    "tablet.dismissed": ("tablet", "mute", _l("An entry of the tablet was dismissed")),
    "tablet.noted": ("tablet", "mute", _l("An entry of the tablet was looked at")),
})  # fmt: skip


def apply_by_hand(row_id: int, person: Person, reason: str = "") -> TabletCommand:
    """Do now what the command asked, on the visit as it is now, for the technician who recorded it. Inside `write`.

    Raises Conflict or Invalid with what to do instead when it still does not fit; then nothing is changed.
    """
    row = _undecided(row_id, person)
    kind, content = KINDS.get(row.kind), commands.content_of(row)
    if row.status != commands.REJECTED:
        raise Conflict(_l("This was applied when it came; only note or dismiss it."), code="already_applied")
    if kind is None or row.visit_id is None:
        raise Conflict(
            _l("This entry fits no job of this technician, so it cannot be applied. Read it, then dismiss it."),
            code="no_visit",
        )
    payload = commands.loaded_payload(kind.schema, content)
    payload.pop("visit")
    visit = session.get_one(Visit, row.visit_id)
    lock_rows(visit)
    at = commands.counted_time(visit, row)
    technician = session.get_one(User, row.user_id).as_person()
    if row.kind == "move" and visit.technician_id != technician.technician_id:
        raise Conflict(
            _l("The job is with a colleague now: the step would be in his name. Give it back first, or dismiss this."),
            code="reassigned",
        )
    try:
        facts = kind.do(Deed(visit, at, technician, row.command_id), **payload)
    except DomainError as refused:
        raise _told(refused, visit) from refused
    if "upload_again" in facts.pop("flags", ()):
        raise Conflict(
            _l("The picture of this entry is not here any more. Ask the technician to send it again."),
            code="upload_again",
        )
    row.detail = {**facts, **row.detail}  # its result stays; what came of it (the use of a part) can be asked for
    row.counted_at = at
    _decide(row, person, "applied", reason)
    return row


def dismiss(row_id: int, person: Person, reason: str) -> TabletCommand:
    """It shall not be applied, or nothing follows from its remark. Inside `write`. Raises Invalid without a reason."""
    row = _undecided(row_id, person)
    if not reason.strip():
        raise Invalid({"reason": [_l("Please give a reason.")]}, code="reason_needed")
    _decide(row, person, "dismissed", reason)
    return row


def note(row_id: int, person: Person) -> TabletCommand:
    """Somebody read the remark of a command that was applied. Inside `write`."""
    row = _undecided(row_id, person)
    if row.status != commands.FLAGGED:
        raise Conflict(_l("This was not applied: apply it by hand, or dismiss it with a reason."), code="not_applied")
    _decide(row, person, "noted", "")
    return row


def _undecided(row_id: int, person: Person) -> TabletCommand:
    """The command, held. Raises NotFound for another station's, Conflict when somebody was faster."""
    wanted = (
        select(TabletCommand)
        .where(TabletCommand.id == row_id, TabletCommand.status != commands.ACCEPTED)
        .where(in_scope(TabletCommand, person, *REVIEWERS))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = session.scalar(wanted) if 0 < row_id < LARGEST_ID else None
    if row is None:
        raise NotFound()
    if row.review is not None:
        raise Conflict(
            _l("Somebody decided about this entry a moment ago: %(what)s.", what=word("review", row.review)),
            code="already_reviewed",
        )
    return row


def _decide(row: TabletCommand, person: Person, review: str, reason: str) -> None:
    words = plain_text(reason, MOST_REASON, field="reason")
    row.review, row.reviewed_by, row.reviewed_at, row.review_reason = review, person.user_id, now(), words
    subject = session.get_one(Visit, row.visit_id) if row.visit_id is not None else row
    record(f"tablet.{review}", subject, {"command": row.command_id, "kind": row.kind}, note=words or None)


def _told(refused: DomainError, visit: Visit) -> DomainError:
    """Why it still cannot be applied, and what to do, for whoever sits in the office."""
    state, number = word("state", visit.state), visit.work_order.number
    if refused.code == "move_forbidden":
        words = _(
            "This step no longer fits: the job is now “%(state)s”. Open %(number)s, see to what is needed there, "
            "then dismiss this entry.", state=state, number=number,
        )  # fmt: skip
    elif refused.code == "not_at_work":
        words = _(
            "The job is now “%(state)s”, and this can be recorded only after the arrival. Apply the earlier entries of "
            "%(number)s first, or dismiss this one.", state=state, number=number,
        )  # fmt: skip
    else:
        words = _(
            "Still not possible: %(why)s Mend the cause at %(number)s and apply it again, or dismiss it.",
            why=commands.sentence(refused), number=number,
        )  # fmt: skip
    return Conflict(words, code=refused.code)
