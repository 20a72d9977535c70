"""What a service report says in one language, as plain texts for its template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import force_locale
from flask_babel import gettext as _

from fieldservice.foundation import display
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.words import pick, word
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.events import history, notes_of
from fieldservice.workorders import catalogue, order_parts, sheets
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.onsite import times
from fieldservice.workorders.onsite.callers import caller_of
from fieldservice.workorders.onsite.models import TimeCorrection
from fieldservice.workorders.rescue.queries import rescue_of

PROMISES = ("first_answer", "arrival", "restore")
FOUND_TONES = {"found": "warn", "corrected": "ok", "tolerated": "mute", "followed_up": "info"}
TONES = {"kept": "ok", "breached": "bad", "running": "info", "void": "mute"}


@dataclass(frozen=True)
class ReportPart:
    """The whole report in one language. Rows hold texts, and tones where a chip is drawn."""

    lang: str
    heading: str
    number_line: str
    station: str
    station_line: str
    draft: str
    facts: Sequence[tuple[str, str, str]]  # label, fact, more
    words_title: str
    words: str
    summary_title: str
    summary: str
    open_title: str
    open_items: Sequence[str]
    times_title: str
    times: Sequence[tuple[str, str]]
    promises_title: str
    promises_head: Sequence[str]
    promises: Sequence[tuple[str, str, str, str, str]]  # kind, promised, actual, tone, verdict
    checks_title: str
    checks_head: Sequence[str]
    checks: Sequence[tuple[str, str, str, str, str, str]]  # label, value, tolerance, tone, note, verdict
    findings_title: str
    findings: Sequence[tuple[str, str, str, str, str]]  # label, reading, why it stays, tone, verdict
    parts_title: str
    parts_head: Sequence[str]
    parts: Sequence[tuple[str, str, str, str, str, str, str]]  # name, marks, quantity, tone, coverage, price, reason
    parts_note: str
    total_label: str
    total: str
    covered_label: str
    covered: str
    extras_title: str
    extras: Sequence[tuple[str, str, str, str, str]]  # words, who and when, amount, tone, decision
    pairs_head: tuple[str, str]
    pairs: Sequence[tuple[str, str]]  # picture files of before and after the work; "" where there is none
    photos_title: str
    photos: Sequence[str]
    signature_label: str
    signature: str
    signed: str
    technician_label: str
    technician: str
    thanks: str


def part_in(
    lang: str, order: WorkOrder, *, photos: Sequence[str], signature: str, pairs: Sequence[tuple[str, str]] = ()
) -> ReportPart:
    """The order's report in that language; `photos`, `pairs` and `signature` name the picture files."""
    with force_locale(lang):
        return _part(lang, order, photos, pairs, signature)


def _part(
    lang: str, order: WorkOrder, photos: Sequence[str], pairs: Sequence[tuple[str, str]], signature: str
) -> ReportPart:
    visits = [visit for visit in order.visits if visit.on_site_at is not None]
    last = visits[-1]
    lines = sheets.paid_lines(order)
    station = order.station
    return ReportPart(
        lang=lang,
        heading=_("Service report"),
        number_line=f"{order.number} · {display.date_long(last.finished_at or last.on_site_at)}",
        station=pick(station.names, lang),
        station_line=" · ".join(filter(None, (station.address, phone_text(station.phone) if station.phone else ""))),
        draft="" if last.finished_at else _("Work is not finished yet"),
        facts=_facts(order, visits),
        words_title=_("What you told us"),
        words=_breakable(order.request.description if order.request else ""),
        summary_title=_("What we found and did"),
        summary=_breakable(_summary(order, lang)),
        open_title=_("What is left to do"),
        open_items=_left(order),
        times_title=_("Times"),
        times=_times(order, visits),
        promises_title=_("Our promises"),
        promises_head=(_("Promise"), _("Promised by"), _("Actual"), ""),
        promises=_promises(order),
        checks_title=_("Checks and readings"),
        checks_head=(_("Check"), _("Result"), _("Tolerance"), ""),
        checks=_checks(order),
        findings_title=_("Found not in order"),
        findings=_findings(order),
        parts_title=_("Work and parts"),
        parts_head=(_("Item"), _("Quantity"), _("Covered by"), _("You pay")),
        parts=[_line(paid) for paid in lines],
        parts_note=_("Amounts are list prices; the invoice decides."),
        total_label=_("Total"),
        total=display.money(sum(paid.pays for paid in lines)),
        covered_label=_("Covered for you"),
        covered=display.money(sheets.covered_of(lines)),
        extras_title=_("Extra work"),
        extras=[_extra(asked) for asked in sheets.extras_asked(order)],
        pairs_head=(_("Before the work"), _("After the work")),
        pairs=pairs,
        photos_title=_("Photos"),
        photos=photos,
        signature_label=_("Signature of the customer"),
        signature=signature,
        signed=_signed(last),
        technician_label=_("Technician"),
        technician=pick(last.technician.names, lang),
        thanks=_("Thank you for your trust."),
    )


def _left(order: WorkOrder) -> list[str]:
    """What is still to be done, and the parts that are needed for it."""
    words = [_breakable(item.words) for item in order.items if item.kind != "part" and item.done_at is None]
    short = [line for line in order_parts.part_lines(order) if line.is_short]
    return words + [f"{pick(line.part.names)} ×{display.quantity((line.planned or 0) - line.fitted)}" for line in short]


def _facts(order: WorkOrder, visits: Sequence[Visit]) -> list[tuple[str, str, str]]:
    request, site, asset = caller_of(order), order.site, order.asset
    customer = order.customer or (request.customer if request else None)
    rows = []
    who = request.contact_name if request else ""
    phone = phone_text(request.contact_phone) if request and request.contact_phone else ""
    rows.append((_("Customer"), pick(customer.names) if customer else who, " · ".join(filter(None, (who, phone)))))
    address = (site.address if site else "") or (request.address if request else "")
    rows.append((_("Site"), pick(site.names) if site else address, address if site else ""))
    if asset is not None:
        more = " · ".join(filter(None, (f"{asset.brand} {asset.model}".strip(), asset.serial)))
        rows.append((_("Machine"), pick(asset.names), more))
    kind = catalogue.work_type(order.work_type, order.work_type_version)
    rows.append((_("Work"), pick(kind.names), sheets.coverage_text(order)))
    crew = dict.fromkeys(pick(visit.technician.names) for visit in visits)
    rows.append((_("Technician"), _(", ").join(crew), ""))
    if request is not None:
        rows.append((_("Your report"), request.number, display.date_long(request.received_at)))
    rescue = rescue_of(order)
    if rescue is not None and rescue.waiver:
        rows.append((_("Risk waiver"), rescue.brand, _breakable(rescue.waiver)))
    return rows


def _summary(order: WorkOrder, lang: str) -> str:
    """In the other language too where the words are a pattern's own; words somebody wrote stay as written."""
    if order.pattern is not None:
        try:
            remedy = catalogue.pattern(order.pattern).remedy
        except Invalid:  # the pattern was withdrawn since
            return order.summary
        if order.summary in remedy.values():
            return remedy[lang]
    return order.summary


def _times(order: WorkOrder, visits: Sequence[Visit]) -> list[tuple[str, str]]:
    rows = []
    corrections = times.corrections_of([visit.id for visit in visits])
    if order.request is not None:
        rows.append((_("Reported"), _moment(order.request.received_at)))
    for visit in visits:
        rows.append((_("Arrived"), _moment(visit.on_site_at)))
        if visit.started_at and visit.finished_at:
            rows.append((_("Work"), f"{_moment(visit.started_at)} – {display.clock_time(visit.finished_at)}"))
            worked = visit.finished_at - visit.started_at - timedelta(minutes=visit.paused_min)
            paused = _("paused %(time)s", time=display.minutes(visit.paused_min)) if visit.paused_min else ""
            rows.append(
                (_("Working time"), " · ".join(filter(None, (display.minutes(max(worked, timedelta(0))), paused))))
            )
        rows += [_corrected(one, times.recorded(visit)) for one in corrections if one.visit_id == visit.id]
    if order.restored_at is not None:
        rows.append((_("Machine runs again"), _moment(order.restored_at)))
    return rows


def _corrected(one: TimeCorrection, recorded: Mapping[str, int | None]) -> tuple[str, str]:
    """Both figures, and why."""
    before = recorded[one.kind]
    by_steps = _("recorded %(time)s", time=display.minutes(before)) if before is not None else ""
    label = _("%(kind)s, corrected", kind=word("time_kind", one.kind))
    return label, _breakable(" · ".join(filter(None, (str(display.minutes(one.minutes)), by_steps, one.reason))))


def _promises(order: WorkOrder) -> list[tuple[str, str, str, str, str]]:
    if order.request is None:
        return []
    rows = [one for one in clocks.of(order.request) if one.told and one.kind in PROMISES and one.state != "void"]
    return [
        (
            word("promise", one.kind), _moment(one.due_at), _moment(one.stopped_at) or "–", TONES[one.state],
            word("state", one.state),
        )
        for one in sorted(rows, key=lambda one: PROMISES.index(one.kind))
    ]  # fmt: skip


def _checks(order: WorkOrder) -> list[tuple[str, str, str, str, str, str]]:
    form = catalogue.work_type(order.work_type, order.work_type_version).form
    rows = []
    for line in sheets.check_lines(order, form):
        if line.value:
            wrong = _("out") if line.tolerance else _("Not in order")  # a check has no tolerance
            tone, verdict = ("bad", wrong) if line.out else ("ok", _("OK"))
            rows.append((line.label, _breakable(line.value), line.tolerance, tone, _breakable(line.note), verdict))
    return rows


def _findings(order: WorkOrder) -> list[tuple[str, str, str, str, str]]:
    form = catalogue.work_type(order.work_type, order.work_type_version).form
    return [
        (
            one.label, _breakable(" · ".join(filter(None, (one.value, one.tolerance)))), _breakable(one.finding.note),
            FOUND_TONES[one.finding.state], word("state", one.finding.state),
        )
        for one in sheets.finding_lines(order, form)
    ]  # fmt: skip


def _line(paid: sheets.PaidLine) -> tuple[str, str, str, str, str, str, str]:
    return (
        _breakable(paid.name), paid.marks, paid.quantity, paid.tone, paid.coverage, display.money(paid.pays),
        _breakable(paid.reason),
    )  # fmt: skip


def _extra(asked: sheets.ExtraAsked) -> tuple[str, str, str, str, str]:
    who = " · ".join(filter(None, (asked.name, _moment(asked.at))))
    tone, said = ("ok", _("Approved")) if asked.approved else ("warn", _("Declined"))
    return _breakable(asked.words), who, display.money(asked.total), tone, said


def _signed(visit: Visit) -> str:
    """Who signed and when, as far as it was not erased."""
    events = [event for event in history(visit) if event.kind == "visit.signed"]
    if not events:
        return str(_("Not signed"))
    return " · ".join(filter(None, (notes_of(events).get(events[-1].id, ""), _moment(events[-1].at))))


def _moment(moment: datetime | None) -> str:
    return f"{display.date_short(moment)} {display.clock_time(moment)}" if moment else ""


def _breakable(text: str, every: int = 30) -> str:
    """Lets words longer than a line break: a zero-width space after so many letters without one."""
    return " ".join(
        word
        if len(word) <= every or not word.isascii()
        else "\u200b".join(word[at : at + every] for at in range(0, len(word), every))
        for word in text.split(" ")
    )
