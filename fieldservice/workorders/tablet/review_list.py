"""Commands for the office to look at, as people read them: who, which job, what it carries, when, and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from fieldservice.accounts.models import User
from fieldservice.foundation import display
from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.words import has_word, pick, word
from fieldservice.mechanisms import forms
from fieldservice.parts.models import Part
from fieldservice.stations.models import Technician
from fieldservice.workorders import catalogue
from fieldservice.workorders.findings import CODES
from fieldservice.workorders.models import SEEN, UNSEEN, TabletCommand, Visit, WorkOrder
from fieldservice.workorders.sheets import value_text
from fieldservice.workorders.tablet import commands
from fieldservice.workorders.tablet.kinds import KINDS
from fieldservice.workorders.tablet.reviews import REVIEWERS

SHOWN = ("open", "done")
PAGE = 30
MOST_WORDS = 600  # of one value
MOST_LINES = 12
Content = Mapping[str, Any]
Line = tuple[str, str]  # what it is, what was recorded


@dataclass(frozen=True)
class Entry:
    """One command, readable."""

    row: TabletCommand
    technician: str
    visit: Visit | None
    moved_to: str  # whose job it is now, if it was given away
    kind: str
    carries: list[Line]
    before: list[Line]  # what it replaced, where somebody else had written it
    told_at: datetime
    why: str
    decided_by: str

    @property
    def rejected(self) -> bool:
        return self.row.status == commands.REJECTED

    @property
    def can_apply(self) -> bool:
        """Whether there is a job on which it could be applied by hand."""
        return self.rejected and self.visit is not None and self.row.kind in KINDS


@dataclass(frozen=True)
class Listed:
    """A page of the list."""

    entries: list[Entry]
    more: int | None


def narrowed(person: Person, show: str) -> Select[Any]:
    """Commands the person may decide about; `show` is open or done."""
    rows = scoped(select(TabletCommand), TabletCommand, person, *REVIEWERS)
    return rows.where(SEEN if show == "done" else UNSEEN)


def open_count(person: Person) -> int:
    """How many nobody has looked at."""
    return session.scalar(select(func.count()).select_from(narrowed(person, "open").subquery())) or 0


def listed(person: Person, show: str = "open", after: int | None = None) -> Listed:
    """Newest first, a page by key; a fixed number of queries."""
    wanted = narrowed(person, show)
    if after is not None:
        wanted = wanted.where(TabletCommand.id < after)
    found = session.scalars(wanted.order_by(TabletCommand.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    return Listed(in_words(shown), shown[-1].id if len(found) > PAGE else None)


def in_words(rows: Sequence[TabletCommand]) -> list[Entry]:
    """These commands, readable; five queries however many they are."""
    people = _people({row.user_id for row in rows} | {row.reviewed_by for row in rows if row.reviewed_by})
    visits = _visits({row.visit_id for row in rows if row.visit_id is not None})
    crew, parts = _crew(people.values()), _parts(rows)
    return [_entry(row, people, crew, visits.get(row.visit_id or 0), parts) for row in rows]


def _entry(
    row: TabletCommand, people: Mapping[int, User], crew: Mapping[int, str], visit: Visit | None,
    parts: Mapping[str, Part],
) -> Entry:  # fmt: skip
    content, user = commands.content_of(row), people.get(row.user_id)
    given_away = visit is not None and user is not None and visit.technician_id != user.technician_id
    former, decider = row.detail.get("former"), people.get(row.reviewed_by or 0)
    return Entry(
        row=row,
        technician=crew.get(user.technician_id or 0, user.name) if user is not None else "–",
        visit=visit,
        moved_to=pick(visit.technician.names) if visit is not None and given_away else "",
        kind=word("tablet_kind", row.kind),
        carries=_carried(row.kind, content, visit, parts),
        before=_former(former, visit) if isinstance(former, Mapping) else [],
        told_at=row.device_at or row.at,
        why=_why(row),
        decided_by=decider.name if decider is not None else "–",
    )


def _people(ids: Iterable[int]) -> dict[int, User]:
    wanted = sorted(set(ids))
    rows = session.scalars(select(User).where(User.id.in_(wanted))) if wanted else ()
    return {row.id: row for row in rows}


def _crew(users: Iterable[User]) -> dict[int, str]:
    """Names of technicians in the reader's language."""
    wanted = sorted({user.technician_id for user in users if user.technician_id is not None})
    rows = session.execute(select(Technician.id, Technician.names).where(Technician.id.in_(wanted))) if wanted else ()
    return {row.id: pick(row.names) for row in rows}


def _visits(ids: Iterable[int]) -> dict[int, Visit]:
    wanted = sorted(set(ids))
    rows = select(Visit).where(Visit.id.in_(wanted)).options(
        joinedload(Visit.work_order), joinedload(Visit.technician).load_only(Technician.names)
    )  # fmt: skip
    return {row.id: row for row in session.scalars(rows)} if wanted else {}


def _parts(rows: Sequence[TabletCommand]) -> dict[str, Part]:
    given = (commands.content_of(row).get("part") for row in rows if row.kind == "part")
    numbers = sorted({one for one in given if isinstance(one, str)})
    found = session.scalars(select(Part).where(Part.number.in_(numbers))) if numbers else ()
    return {part.number: part for part in found}


# Why -------------------------------------------------------------------------------------------------


def _why(row: TabletCommand) -> str:
    """In the reader's language where the reason is known by its code; else as the technician was told."""
    detail = row.detail
    flags = detail.get("flags")
    if isinstance(flags, list) and flags:
        return " ".join(str(commands.FLAGS[flag]) for flag in flags if flag in commands.FLAGS)
    if detail.get("code") == "move_forbidden" and "state" in detail:
        state = word("state", detail["state"])
        return str(_("This step did not fit: the job was “%(state)s” then.", state=state))
    if detail.get("code") == "not_at_work":
        return str(_("It was recorded before the arrival was."))
    if detail.get("code") == "not_found":
        return str(_("This job is none of this technician's."))
    if detail.get("code") == "part_short" and "on_hand" in detail:
        return str(_("Only %(n)s of this part was there.", n=detail["on_hand"]))
    return str(detail.get("text", ""))


# What it carries ------------------------------------------------------------------------------------


def _carried(kind: str, content: Content, visit: Visit | None, parts: Mapping[str, Part]) -> list[Line]:
    """The content as lines. It may be anything at all that came over the wire: nothing here may fail."""
    if kind == "part":
        return _part(content, parts)
    teller = TELLERS.get(kind, _plain)
    return [line for line in teller(content, visit.work_order if visit is not None else None) if line[1]][:MOST_LINES]


def _said(value: Any) -> str:
    """A value of unknown type, short."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, list):
        return str(_(", ")).join(filter(None, map(_said, value[:MOST_LINES])))
    if isinstance(value, Mapping):
        return str(_(", ")).join(f"{name} {_said(inner)}" for name, inner in list(value.items())[:MOST_LINES])
    return "" if value is None else str(value)[:MOST_WORDS]


def _coded(namespace: str, value: Any) -> str:
    return word(namespace, value) if isinstance(value, str) and has_word(namespace, value) else _said(value)


def _move(content: Content, _order: WorkOrder | None) -> list[Line]:
    return [
        (str(_("Step")), _coded("state", content.get("to"))),
        (str(_("Reason")), _coded("cannot_complete_reason", content.get("reason"))),
        (str(_("Machine runs")), _said(content.get("restored"))),
        (str(_("Left to do")), _said(content.get("open_items"))),
    ]


def _answer(content: Content, order: WorkOrder | None) -> list[Line]:
    label, value = _field_words(content.get("field"), content.get("value"), order)
    return [(label, value), (str(_("Note")), _said(content.get("note")))]


def _field_words(code: Any, value: Any, order: WorkOrder | None) -> Line:
    """Label and value of a checklist field; as they came where the checklist has none such."""
    try:
        if order is None:
            return _said(code) or str(_("Checklist")), _said(value)
        field = catalogue.checklist_of(order).field(code)
        given = forms.check_answer(field, value)
    except Invalid:
        return _said(code) or str(_("Checklist")), _said(value)
    taken_back = str(_("taken back"))
    return catalogue.label_of(field), value_text(field, given) if given.value is not None else taken_back


def _part(content: Content, parts: Mapping[str, Part]) -> list[Line]:
    if content.get("returns"):
        return [(str(_("Part")), str(_("taken back")))]
    number = content.get("part")
    known = parts.get(number) if isinstance(number, str) else None
    unit = word("part_unit", known.unit) if known is not None else ""
    lines = [
        (str(_("Part")), f"{known.number} {pick(known.names)}" if known is not None else _said(number)),
        (str(_("Quantity")), f"{_said(content.get('quantity'))} {unit}".strip()),
        (str(_("Serial")), _said(content.get("serial"))),
    ]  # fmt: skip
    return [line for line in lines if line[1]]


def _photo(content: Content, order: WorkOrder | None) -> list[Line]:
    label = _field_words(content["field"], None, order)[0] if content.get("field") else ""
    return [(str(_("Photo")), label or str(_("of the job")))]


def _summary(content: Content, _order: WorkOrder | None) -> list[Line]:
    return [
        (str(_("For the customer")), _said(content.get("summary"))),
        (str(_("For colleagues")), _said(content.get("technical_note"))),
    ]


def _failure(content: Content, _order: WorkOrder | None) -> list[Line]:
    codes = content.get("codes")
    lines = [(str(_("Fault")), _symptom(content.get("pattern")))]
    if isinstance(codes, Mapping):
        lines += [(str(_("Code")), _coded(name, codes[name])) for name in CODES if name in codes]
    return [*lines, (str(_("Reason")), _said(content.get("unknown_reason")))]


def _symptom(code: Any) -> str:
    if not isinstance(code, str):
        return _said(code)
    found = {one.code: one for one in catalogue.patterns()}.get(code)
    return pick(found.symptom) if found is not None else _said(code)


def _signature(content: Content, _order: WorkOrder | None) -> list[Line]:
    return [(str(_("Signed by")), _said(content.get("name")) or str(_("no name given")))]


def _note(content: Content, _order: WorkOrder | None) -> list[Line]:
    return [(str(_("Note")), _said(content.get("words")))]


def _plain(content: Content, _order: WorkOrder | None) -> list[Line]:
    """A kind without words of its own: its fields by name, without ids that tell nobody anything."""
    return [
        (str(name)[:40], _said(value))
        for name, value in content.items()
        if name not in ("visit", "upload", "id", "seq", "base_version")
    ]


TELLERS: Mapping[str, Callable[[Content, WorkOrder | None], list[Line]]] = {
    "move": _move, "answer": _answer, "photo": _photo, "summary": _summary, "failure": _failure,
    "signature": _signature, "note": _note,
}  # fmt: skip


def _former(former: Content, visit: Visit | None) -> list[Line]:
    """What stood there before."""
    if "content" in former:
        label, value = _former_answer(former, visit)
        return [line for line in [(label, value), (str(_("Note")), _said(former.get("note")))] if line[1]]
    lines = [
        (str(_("For the customer")), _said(former.get("summary"))),
        (str(_("For colleagues")), _said(former.get("technical_note"))),
        (str(_("Fault")), _symptom(former.get("pattern"))),
        *((str(_("Code")), _coded(name, former.get(name))) for name in CODES),
        (str(_("Reason")), _said(former.get("unknown_reason"))),
    ]
    return [line for line in lines if line[1]]


def _former_answer(former: Content, visit: Visit | None) -> Line:
    given = forms.Answer.from_stored(former["content"])
    value = given.value if given.value is None or isinstance(given.value, bool | str | list) else str(given.value)
    return _field_words(given.field, value, visit.work_order if visit is not None else None)


def moment_text(entry: Entry) -> str:
    """'14:02; counted 14:05' where they differ."""
    counted = entry.row.counted_at
    told = display.datetime_short(entry.told_at)
    if counted is None or abs(counted - entry.told_at) <= commands.SKEW:
        return told
    return str(_("%(told)s by its clock, counted %(counted)s", told=told, counted=display.datetime_short(counted)))
