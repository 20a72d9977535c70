"""What the page of a work order shows: visits, parts, checklist, codes, coverage, files, history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms import files, forms
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.mechanisms.events import Subject, history, notes_of
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.parts.supply import queries as supply
from fieldservice.parts.transfers import queries as transfers
from fieldservice.workorders import catalogue, orders, queries
from fieldservice.workorders.history import Line, history_of
from fieldservice.workorders.lines import WorkLine, extras_of, lines_of
from fieldservice.workorders.models import Answer, Visit, WorkItem, WorkOrder
from fieldservice.workorders.onsite import arriving, follow_ups, leaving, raised
from fieldservice.workorders.onsite.leaving import Left
from fieldservice.workorders.onsite.models import Arrival, Finding, FollowUp
from fieldservice.workorders.order_parts import PartLine, part_lines
from fieldservice.workorders.part_lights import DARK, Light, light_of
from fieldservice.workorders.rescue import queries as rescues
from fieldservice.workorders.rescue.queries import RescueCard
from fieldservice.workorders.wording import reason_text

TO_COME = ("ready", "on_hold", "scheduled", "dispatched")  # states in which parts are still to be there
CODES = ("failure_mode", "failure_mechanism", "failure_cause", "detection", "activity")
# state of a visit → what a planner may do with it here; moving and reassigning are on the day plan
VISIT_ACTS = {
    "scheduled": ("send", "cancel"), "dispatched": ("cancel",), "accepted": ("cancel",), "declined": ("cancel",),
    "en_route": ("cancel",),
}  # fmt: skip


@dataclass(frozen=True)
class PaidLine:
    """A line of the order as it is read: what, how much, who pays and why."""

    line: WorkLine
    name: str
    marks: str  # part number, serials, batch
    quantity: str
    coverage: str
    reason: str
    tone: str

    @property
    def pays(self) -> int:
        """What the customer pays, in minor units."""
        return self.line.pays


@dataclass(frozen=True)
class ExtraAsked:
    """Extra work as the customer decided about it."""

    words: str
    total: int  # minor units
    approved: bool
    at: datetime
    name: str  # who decided, unless erased


@dataclass(frozen=True)
class CheckLine:
    """A checklist field with its answer, in the reader's language."""

    label: str
    required: bool
    value: str
    tolerance: str
    out: bool
    note: str
    at: datetime | None


@dataclass(frozen=True)
class FindingLine:
    """A finding in the reader's language."""

    finding: Finding
    label: str
    value: str
    tolerance: str
    may_follow: bool


STOCK_READERS = {"transfer": transfers.READERS, "supply_order": supply.READERS}


@dataclass(frozen=True)
class OrderSheet:
    """All that the page shows of one order."""

    order: WorkOrder
    title: str
    kind: str  # the work type, in words
    promises: list[ClockView]
    parts: list[PartLine]
    lines: list[PaidLine]
    extras: list[ExtraAsked]
    follow_ups: list[WorkItem]
    checklist: list[CheckLine]
    findings: list[FindingLine]
    follows: FollowUp | None  # what this order was made of
    followed: Sequence[FollowUp]  # what was made of it
    left: Mapping[int, str]  # visit → what somebody left without, and why (F-04)
    check_ins: Mapping[int, str]  # visit → how somebody arrived
    codes: list[tuple[str, str, str]]  # namespace, code, word
    pattern: str
    coverage: str
    files: list[StoredFile]
    history: list[Line]
    past: Sequence[WorkOrder]
    may_plan: bool
    light: Light  # of parts that are still to be fitted
    rescue: RescueCard | None  # of work on another maker's machine
    reads: Sequence[str] = ()  # kinds of what its parts wait for that the reader may open

    @property
    def acts(self) -> list[str]:
        """The states somebody may ask for now."""
        return orders.allowed(self.order) if self.may_plan else []

    def visit_acts(self, visit: Visit) -> tuple[str, ...]:
        acts = VISIT_ACTS.get(visit.state, ()) if self.may_plan else ()
        awaits = self.rescue is not None and self.rescue.awaits
        return tuple(act for act in acts if act != "send") if awaits else acts

    @property
    def to_pay(self) -> int:
        """What the customer pays in all, in minor units."""
        return sum(line.pays for line in self.lines)

    @property
    def covered(self) -> int:
        """What is done without charge, in minor units."""
        return covered_of(self.lines)

    @property
    def answered(self) -> int:
        return sum(1 for line in self.checklist if line.value)

    @property
    def out_of_tolerance(self) -> int:
        return sum(1 for line in self.checklist if line.out)


def order_sheet(order: WorkOrder, person: Person) -> OrderSheet:
    """Gather it; a fixed number of queries."""
    kind = catalogue.work_type(order.work_type, order.work_type_version)
    ids = [visit.id for visit in order.visits]
    follows, followed = follow_ups.around(order)
    return OrderSheet(
        order=order,
        title=order.title,
        kind=pick(kind.names),
        promises=queries.promises_of(order),
        parts=part_lines(order),
        lines=paid_lines(order),
        extras=extras_asked(order),
        follow_ups=[item for item in order.items if item.kind == "follow_up"],
        checklist=check_lines(order, kind.form),
        findings=finding_lines(order, kind.form),
        follows=follows,
        followed=followed,
        left={visit_id: _left_text(one) for visit_id, one in leaving.unready_of(ids).items()},
        check_ins={visit_id: _check_in_text(one) for visit_id, one in arriving.arrivals_of(ids).items()},
        codes=[(name, code, word(name, code)) for name in CODES if (code := getattr(order, name))],
        pattern=_symptom(order.pattern),
        coverage=coverage_text(order),
        files=files_about(order),
        history=history_of([order, *([order.request] if order.request else []), *order.visits]),
        past=queries.asset_history(order),
        may_plan=person.has(*queries.PLANNERS) and person.covers(order.station_id, *queries.PLANNERS),
        light=light_of(order, now()) if order.state in TO_COME else DARK,
        rescue=rescues.card_of(order, person),
        reads=[kind for kind, names in STOCK_READERS.items() if person.has(*names)],
    )


def _left_text(left: Left) -> str:
    what = str(_(", ")).join(word("readiness", code) for code in left.missing)
    return " · ".join(filter(None, (str(_("Left without: %(what)s", what=what)), left.reason)))


def _check_in_text(arrival: Arrival) -> str:
    away = str(_("%(metres)s m from the site", metres=arrival.distance_m)) if arrival.distance_m is not None else ""
    return " · ".join(filter(None, (word("check_in", arrival.check_in), away, arrival.reason)))


def files_about(order: WorkOrder) -> list[StoredFile]:
    """Pictures and documents of the report, the order and its visits, oldest first."""
    found = files.files_of(subjects_of(order))
    return sorted((file for some in found.values() for file in some), key=lambda file: file.id)


def subjects_of(order: WorkOrder) -> list[Subject]:
    """Whose files the reader of an order may see."""
    return [order, *([order.request] if order.request is not None else []), *order.visits]


def coverage_text(order: WorkOrder) -> str:
    """Who pays, and why."""
    rescue = rescues.rescue_of(order)
    if rescue is not None:
        return rescues.coverage_text(rescue)
    until = order.asset.warranty_until if order.asset is not None else None
    if order.coverage == "warranty":
        return _("Under warranty to %(date)s", date=until.isoformat()) if until else str(_("Under warranty"))
    if order.asset is None:
        return str(_("Billable: the machine is not known"))
    if until is not None:
        return str(_("Billable: the warranty ended on %(date)s", date=until.isoformat()))
    return str(_("Billable: no warranty is on record"))


# Lines ----------------------------------------------------------------------------------------------


def paid_lines(order: WorkOrder) -> list[PaidLine]:
    """Everything that was done, with who pays it and why."""
    until = order.asset.warranty_until if order.asset is not None else None
    return [_paid_line(line, until.isoformat() if until is not None else "") for line in lines_of(order)]


def covered_of(lines: Sequence[PaidLine]) -> int:
    """What lines are worth that the customer does not pay, in minor units."""
    return sum(paid.line.worth for paid in lines if paid.line.decision.coverage != "billable")


def _paid_line(line: WorkLine, until: str) -> PaidLine:
    decision = line.decision
    chosen = decision.reason == "chosen"
    reason = line.words if chosen else reason_text(decision.reason, until)
    if decision.pending:
        reason = f"{reason} · {_('waits for approval')}"
    if line.included:
        reason = f"{reason} · {_('in the extra work')}"
    tone = "warn" if decision.pending else "info" if decision.coverage == "billable" else "ok"
    return PaidLine(
        line, _name_of(line), marks_of(line), _quantity_of(line), word("coverage", decision.coverage), reason, tone
    )  # fmt: skip


def _name_of(line: WorkLine) -> str:
    if line.part is not None:
        return pick(line.part.names)
    if line.kind == "extra":
        return line.words
    name = _("Labour") if line.kind == "labour" else _("Travel")
    return f"{name} · {pick(line.visit.technician.names)}"


def marks_of(line: WorkLine) -> str:
    """What tells this piece from others: number, serial fitted and removed, batch."""
    if line.part is None or line.use is None:
        return ""
    marks = [line.part.number]
    if line.use.serial:
        marks.append(_("S/N %(serial)s", serial=line.use.serial))
    if line.use.removed_serial:
        marks.append(_("removed S/N %(serial)s", serial=line.use.removed_serial))
    if line.use.batch:
        marks.append(_("batch %(batch)s", batch=line.use.batch))
    return " · ".join(marks)


def _quantity_of(line: WorkLine) -> str:
    if line.kind in ("labour", "travel"):
        return display.minutes(int(line.quantity))
    unit = word("part_unit", line.part.unit) if line.part is not None else ""
    return f"{display.quantity(line.quantity)} {unit}".strip()


def extras_asked(order: WorkOrder) -> list[ExtraAsked]:
    """What the customer was asked to approve, with who decided."""
    rows = extras_of(order.id)
    if not rows:
        return []
    events = [one for visit in order.visits for one in history(visit) if one.kind.startswith("visit.extra_")]
    notes = notes_of(events)
    names = {one.facts.get("extra"): notes.get(one.id, "") for one in events}
    return [ExtraAsked(row.words, row.total, row.decision == "approved", row.at, names.get(row.id, "")) for row in rows]


# Checklist ------------------------------------------------------------------------------------------


def check_lines(order: WorkOrder, form: forms.Form) -> list[CheckLine]:
    """Every field of the checklist with the last answer any visit gave."""
    rows = session.scalars(select(Answer).where(Answer.work_order_id == order.id).order_by(Answer.at, Answer.id))
    given = {row.field: row for row in rows}
    return [_check_line(field, given.get(field.code)) for field in form.fields]


def _check_line(field: forms.Field, row: Answer | None) -> CheckLine:
    label, tolerance = catalogue.label_of(field), tolerance_text(field)
    if row is None:
        return CheckLine(label, field.required, "", tolerance, False, "", None)
    answer = forms.Answer.from_stored(row.content)
    return CheckLine(
        label, field.required, value_text(field, answer), tolerance, row.out_of_tolerance, row.note, row.at
    )  # fmt: skip


def finding_lines(order: WorkOrder, form: forms.Form) -> list[FindingLine]:
    """What was found not in order, oldest first."""
    return [
        FindingLine(
            one.finding, catalogue.label_of(one.field), value_text(one.field, one.answer), tolerance_text(one.field),
            one.may_follow,
        )
        for one in raised.findings_of(order, form)
    ]  # fmt: skip


def value_text(field: forms.Field, answer: forms.Answer) -> str:
    """An answer as it is read: a choice by its name, a number with its unit."""
    value = answer.value
    if value is None:
        return ""
    if field.type == "check":
        return str(_("Yes") if value else _("No"))
    if field.type == "number":
        return f"{display.quantity(value)} {answer.unit}".strip()
    if field.type == "choice":
        return next((pick(option.names) for option in field.options if option.code == value), str(value))
    if field.type == "photo":
        return str(ngettext("One photo", "%(num)s photos", len(value)))
    return str(_("Signed")) if field.type == "signature" else str(value)


def tolerance_text(field: forms.Field) -> str:
    """'0 – 0.015 mm', '≤ 1.8 mm/s', or nothing where any value is right."""
    low, high = (display.quantity(bound) if bound is not None else "" for bound in (field.low, field.high))
    if low and high:
        return f"{low} – {high} {field.unit}".strip()
    if low or high:
        return f"{'≥' if low else '≤'} {low or high} {field.unit}".strip()
    return ""


def _symptom(code: str | None) -> str:
    found = {one.code: one for one in catalogue.patterns()}.get(code or "")
    return pick(found.symptom) if found else ""
