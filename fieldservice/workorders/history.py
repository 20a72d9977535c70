"""What happened, in sentences: the events of requests, orders and visits as people read them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, or_, select

from fieldservice.accounts.models import User
from fieldservice.foundation import display
from fieldservice.foundation.db import session
from fieldservice.foundation.words import has_word, pick, word
from fieldservice.mechanisms import templates
from fieldservice.mechanisms.events import Event, Subject, notes_of
from fieldservice.stations.models import Technician
from fieldservice.workorders.catalogue import WORK_TYPE

MOST = 120

# event kind → icon, hue, sentence. Facts of the event fill the sentence in words; see `_facts`.
SENTENCES: dict[str, tuple[str, str, Any]] = {
    "service_request.received": ("inbox", "info", _l("Reported (%(channel)s): %(severity)s, %(priority)s")),
    "service_request.triaged": ("list-checks", "info", _l("Triaged")),
    "service_request.remote": ("headset", "info", _l("Remote help began")),
    "service_request.converted": ("clipboard-list", "info", _l("Became work order %(work_order)s")),
    "service_request.restored": ("check", "ok", _l("The machine runs again")),
    "service_request.resolved": ("check", "ok", _l("Resolved; the customer is asked to confirm")),
    "service_request.closed": ("lock", "mute", _l("Request closed")),
    "service_request.reopened": ("refresh-cw", "warn", _l("Reopened: the fault is back")),
    "service_request.cancelled": ("minus", "mute", _l("Request cancelled")),
    "service_request.duplicate": ("copy", "mute", _l("Already reported: duplicate of %(of)s")),
    "service_request.message": ("message-square", "info", _l("%(author)s wrote a message")),
    "work_order.created": ("clipboard-list", "info", _l("Work order created: %(work_type)s, %(priority)s")),
    "work_order.on_hold": ("lock", "warn", _l("Put on hold")),
    "work_order.ready": ("circle-check", "info", _l("Ready to be planned")),
    "work_order.offered": ("calendar", "mute", _l("Free times were offered to the customer")),
    "work_order.completed": ("check", "ok", _l("Work completed")),
    "work_order.cannot_complete": ("x", "bad", _l("The work cannot be completed")),
    "work_order.closed": ("lock", "mute", _l("Work order closed")),
    "work_order.cancelled": ("minus", "mute", _l("Work order cancelled")),
    "rescue.asked": ("hard-hat", "warn", _l("Machine of another maker (%(brand)s): the manager's approval is asked")),
    "rescue.approved": ("shield-check", "ok", _l("Rescue approved: %(coverage)s")),
    "rescue.refused": ("ban", "bad", _l("Rescue not approved")),
    "rescue.withdrawn": ("minus", "mute", _l("Rescue withdrawn before anybody decided")),
    "rescue.their_time_noted": ("pencil", "mute", _l("The maker's own time was noted: %(their_minutes)s")),
    "visit.scheduled": ("calendar", "info", _l("Visit planned: %(technician)s, %(starts_at)s")),
    "visit.rescheduled": ("calendar", "warn", _l("Visit moved: %(technician)s, %(starts_at)s")),
    "visit.moved_by_customer": ("calendar", "warn", _l("The customer chose another time")),
    "visit.agreed": ("calendar", "ok", _l("The customer chose this time")),
    "visit.confirmed": ("check", "ok", _l("The customer confirmed the time")),
    "visit.dispatched": ("send", "info", _l("Sent to the technician")),
    "visit.accepted": ("check", "info", _l("Technician accepted")),
    "visit.declined": ("undo-2", "bad", _l("Technician declined")),
    "visit.en_route": ("truck", "info", _l("On the way")),
    "visit.on_site": ("map-pin", "ok", _l("Arrived on site")),
    "visit.in_progress": ("wrench", "ok", _l("Work under way")),
    "visit.paused": ("pause", "warn", _l("Work paused")),
    "visit.completed": ("check", "ok", _l("Visit ended: work completed")),
    "visit.partially_completed": ("contrast", "warn", _l("Visit ended: work partly done")),
    "visit.cannot_complete": ("x", "bad", _l("Visit ended: could not be completed")),
    "visit.missed": ("calendar-x", "bad", _l("Visit did not take place")),
    "visit.cancelled": ("minus", "mute", _l("Visit cancelled")),
    "visit.coded": ("tag", "mute", _l("Failure codes recorded")),
    "visit.summarised": ("file-text", "mute", _l("Summary written")),
    "visit.signed": ("pencil", "ok", _l("The customer signed")),
    "visit.line_covered": ("shield-check", "info", _l("Who pays for a line was changed: %(coverage)s")),
    "visit.extra_approved": ("signature", "ok", _l("The customer approved extra work: %(value)s")),
    "visit.extra_declined": ("x", "warn", _l("The customer declined extra work: %(value)s")),
    "visit.needed": ("package", "warn", _l("Missing for the next visit: %(part)s")),
    "visit.noted": ("message-square", "info", _l("Note of the technician")),
    "visit.time_corrected": (
        "clock",
        "mute",
        _l("Time corrected: %(kind)s %(minutes)s min, recorded %(recorded)s"),
    ),
    "visit.follow_up": ("repeat", "info", _l("Follow-up work asked for: %(work_order)s")),
    "finding.raised": ("triangle-alert", "warn", _l("Found not in order: %(field)s")),
    "finding.found": ("triangle-alert", "warn", _l("Not in order, reason taken back: %(field)s")),
    "finding.corrected": ("check", "ok", _l("In order again: %(field)s")),
    "finding.tolerated": ("pencil", "warn", _l("Stays as it is, with a reason: %(field)s")),
    "finding.followed_up": ("repeat", "info", _l("Follow-up work was made of it: %(field)s")),
    "finding.withdrawn": ("undo-2", "mute", _l("Answer taken back: %(field)s")),
    "clock.warned": ("timer", "warn", _l("%(kind)s: little time left, due %(due_at)s")),
    "clock.breached": ("triangle-alert", "bad", _l("Promise broken: %(kind)s, was due %(due_at)s")),
    "clock.kept": ("shield-check", "ok", _l("Promise kept: %(kind)s")),
    "clock.breached approval": ("triangle-alert", "bad", _l("Approval overdue: the director was asked")),
    "clock.shortened": ("timer", "info", _l("Promise shortened: %(kind)s, now due %(due_at)s")),
    "clock.paused": ("pause", "warn", _l("Promise paused: %(kind)s")),
    "clock.resumed": ("timer", "info", _l("Promise runs on: %(kind)s")),
    "message.queued": ("send", "mute", _l("Customer told by %(channel)s")),
    "message.failed": ("triangle-alert", "bad", _l("A message did not reach the customer")),
    "file.received": ("image", "mute", _l("Photo or document added")),
    "file.rejected": ("triangle-alert", "warn", _l("A file could not be used")),
    "survey.scored": ("star", "ok", _l("The customer rated us")),
}
QUIET = frozenset(
    {
        "file.ready",
        "clock.void",
        "visit.answered",
        "visit.need_withdrawn",
        "task.opened",
        "message.sent",
        "message.suppressed",
        "message.withdrawn",
        "task.done",
        "task.cancelled",
        "survey.queued",
        "survey.sent",
    }
)
FOLLOWS = frozenset(
    {"scheduled", "dispatched", "in_progress", "ready"}
)  # states an order takes by its visits: told there


@dataclass(frozen=True)
class Line:
    """One line of a history, in the reader's language."""

    at: datetime
    kind: str
    who: str
    text: str
    note: str
    symbol: str
    tone: str


def history_of(subjects: Sequence[Subject], limit: int = MOST) -> list[Line]:
    """What happened to these, newest first, each fact once; three queries however many they are."""
    ids: dict[str, list[int]] = {}
    for subject in subjects:
        ids.setdefault(subject.subject_type, []).append(int(subject.id))
    if not ids:
        return []
    about = or_(*(and_(Event.subject_type == kind, Event.subject_id.in_(some)) for kind, some in ids.items()))
    events = [
        event
        for event in session.scalars(select(Event).where(about).order_by(Event.at.desc(), Event.id.desc()).limit(limit))
        if _worth_telling(event)
    ]
    names, notes, crew = names_of(events), notes_of(events), technicians_of(events)
    return [_line(event, names, notes.get(event.id, ""), crew) for event in events]


def _worth_telling(event: Event) -> bool:
    entity, _dot, to = event.kind.partition(".")
    if event.kind in QUIET:
        return False
    if entity == "clock" and not event.facts.get("told", True) and _looked_up(event) not in SENTENCES:
        return False  # what nobody was promised is nobody's news, unless it has a sentence of its own
    return not (entity == "work_order" and to in FOLLOWS and event.actor == "system")


def _line(event: Event, names: Mapping[str, str], note: str, crew: Mapping[int, str]) -> Line:
    symbol, tone, _sentence = _said(event)
    text = text_of(event, crew)
    return Line(event.at, event.kind, names.get(event.actor, ""), text, _reason(event, note), symbol, tone)


def register_sentences(sentences: Mapping[str, tuple[str, str, Any]]) -> None:
    """Add what a later capability tells; called where its module is imported."""
    SENTENCES.update(sentences)


def _looked_up(event: Event) -> str:
    """A clock's kind may have a sentence of its own."""
    return f"{event.kind} {event.facts.get('kind', '')}"


def _said(event: Event) -> tuple[str, str, Any]:
    return SENTENCES.get(_looked_up(event)) or SENTENCES.get(event.kind, ("circle", "mute", None))


def text_of(event: Event, crew: Mapping[int, str]) -> str:
    """The fact as a sentence; one without a sentence of its own by thing and state ('Territory: Active')."""
    sentence = _said(event)[2]
    if sentence is not None:
        return str(sentence) % _facts(event, crew)
    entity, _dot, what = event.kind.partition(".")
    done = word("deed", what) if has_word("deed", what) else word("state", what)
    return str(_("%(thing)s: %(what)s", thing=word("entity", entity), what=done))


def _reason(event: Event, note: str) -> str:
    """What was written with the fact; codes among the reasons in words."""
    given = note or str(event.facts.get("reason") or "")
    return word("cannot_complete_reason", given) if has_word("cannot_complete_reason", given) else given


class _Facts(dict[str, str]):
    """Facts in words; one that an older event lacks reads as a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _facts(event: Event, crew: Mapping[int, str]) -> _Facts:
    facts = event.facts
    said = _Facts({name: str(fact) for name, fact in facts.items()})
    for name in ("severity", "priority"):
        if name in facts:
            said[name] = word(name, facts[name])
    if "channel" in facts:
        said["channel"] = word("message_channel" if event.kind == "message.queued" else "channel", facts["channel"])
    if "author" in facts:
        said["author"] = str(_("The customer") if facts["author"] == "customer" else _("We"))
    if event.kind.startswith("clock."):
        said["kind"] = word("promise", facts.get("kind", ""))
    if event.kind == "visit.time_corrected":
        said |= {"kind": word("time_kind", facts["kind"]), "recorded": str(facts["recorded"] or "–")}
    for name in ("starts_at", "due_at"):
        if name in facts:
            said[name] = display.datetime_short(datetime.fromisoformat(str(facts[name])))
    if "coverage" in facts:
        said["coverage"] = word("coverage", facts["coverage"])
    if facts.get("their_minutes") is not None:
        hours = display.quantity(round(facts["their_minutes"] / 60, 1))
        said["their_minutes"] = str(_("%(hours)s h", hours=hours))
    if isinstance(facts.get("value"), int):
        said["value"] = display.money(facts["value"])
    if event.kind == "visit.needed":
        said["part"] = facts["part"] or "–"
    if isinstance(facts.get("label"), Mapping):
        said["field"] = pick(facts["label"])
    if "technician" in facts:
        said["technician"] = crew.get(facts["technician"], "–")
    if "work_type" in facts:
        found = templates.find(WORK_TYPE, str(facts["work_type"]))
        said["work_type"] = pick(found.content["names"]) if found else str(facts["work_type"])
    return said


def names_of(events: Iterable[Event]) -> dict[str, str]:
    """actor → who it was, in one query."""
    ids = {int(actor[5:]) for event in events if (actor := event.actor).startswith("user:") and actor[5:].isdigit()}
    names = {"customer": str(_("the customer")), "system": ""}
    if ids:
        names |= {
            f"user:{id_}": name for id_, name in session.execute(select(User.id, User.name).where(User.id.in_(ids)))
        }
    return names


def technicians_of(events: Iterable[Event]) -> dict[int, str]:
    ids = {fact for event in events if isinstance(fact := event.facts.get("technician"), int)}
    if not ids:
        return {}
    return {
        id_: pick(names)
        for id_, names in session.execute(select(Technician.id, Technician.names).where(Technician.id.in_(ids)))
    }
