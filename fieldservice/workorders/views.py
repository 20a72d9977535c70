"""Requests and work orders as pages: triage, remote help, the conversation; then hold, release and cancel."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.time import now, today
from fieldservice.foundation.web import navigation
from fieldservice.intake import queries as intake_queries
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import files
from fieldservice.parts.queries import parts_by_number
from fieldservice.workorders import catalogue, orders, queries, triage, triage_form
from fieldservice.workorders.acting import decided_order, planned_order, triaged_request
from fieldservice.workorders.models import WorkOrder
from fieldservice.workorders.onsite import follow_ups, raised
from fieldservice.workorders.onsite.callers import caller_of
from fieldservice.workorders.request_sheet import request_sheet
from fieldservice.workorders.rescue import form as rescue_form
from fieldservice.workorders.rescue import services as rescues
from fieldservice.workorders.rescue.queries import DECIDERS
from fieldservice.workorders.service_report.answer import answer_report
from fieldservice.workorders.service_report.report import reportable
from fieldservice.workorders.sheets import order_sheet, subjects_of
from fieldservice.workorders.skills import certificate_word, skill_codes, skill_word

blueprint = Blueprint("workorders", __name__)
navigation("workorders.list_orders", _l("Work orders"), *queries.READERS)
REFUSALS = (Conflict, Invalid, PreconditionFailed)
STATES = (*WorkOrder.lifecycle.moves, "closed", "cancelled")  # as an order passes them


# A request ------------------------------------------------------------------------------------------


@blueprint.get("/requests/<number>")
@roles(*queries.READERS)
def request_page(number: str) -> Any:
    """The customer's words, promises, hints, conversation, and the triage form."""
    return _request_page(intake_queries.request_by_number(number, current()))


@blueprint.get("/requests/<number>/files/<int:file_id>")
@roles(*queries.READERS)
def request_file(number: str, file_id: int) -> Response:
    """A picture or document that came with the report."""
    found = intake_queries.request_by_number(number, current())
    return files.send(files.file_of(found, file_id), thumbnail="small" in request.args)


@blueprint.get("/requests/<number>/brings")
@roles(*queries.READERS)
def brings(number: str) -> Any:
    """What the chosen work type brings, fetched when the choice changes."""
    found = intake_queries.request_by_number(number, current())
    kind = catalogue.work_type(request.args.get("work_type", "")[:40])
    return render_template("workorders/_brings.html", typed={}, own={}, one=found, **_brings(kind, found))


@blueprint.post("/requests/<number>/triage", endpoint="triage")
@roles(*queries.TRIAGERS)
def make_order(number: str) -> Any:
    """The request becomes a work order."""
    typed = request.form

    def work() -> str:
        request_, wishes = triaged_request(number), triage_form.read(typed)
        order = triage.triage_request(
            request_, priority=typed.get("priority", ""), work_type=typed.get("work_type", "")[:40],
            reason=typed.get("reason", "")[:1000], skills=wishes.skills, parts=wishes.parts,
            planned_for=wishes.planned_for, told=wishes.told, at=now(),
        )  # fmt: skip
        return order.number

    def done(order_number: str) -> Any:
        flash(_("%(number)s is ready to be planned.", number=order_number))
        return redirect(url_for("workorders.order_page", number=order_number), 303)

    return _step(number, work, done, "triage")


@blueprint.post("/requests/<number>/<any(remote, fixed, duplicate, cancel):act>")
@roles(*queries.TRIAGERS)
def act_on_request(number: str, act: str) -> Any:
    """Help remotely, note that it helped, mark as duplicate, cancel."""
    return _step(
        number, lambda: REQUEST_ACTS[act](triaged_request(number), request.form), _back_to_request(number), act
    )


@blueprint.post("/requests/<number>/messages")
@roles(*queries.TRIAGERS)
def reply(number: str) -> Any:
    """Write to the customer, who is told that a message waits."""
    somebody = current()

    def work() -> None:
        intake.write_message(
            triaged_request(number),
            author="staff",
            words=request.form.get("words", ""),
            user_id=somebody.user_id,
            at=now(),
        )

    return _step(number, work, _back_to_request(number), "reply")


def _duplicate(found: ServiceRequest, typed: Mapping[str, str]) -> None:
    try:
        first = intake_queries.request_by_number(typed.get("duplicate_of", "").strip().upper(), current())
    except NotFound as error:
        raise Invalid({"duplicate_of": [_l("There is no request of this number.")]}) from error
    intake.mark_duplicate(found, first, now())


REQUEST_ACTS: dict[str, Callable[[ServiceRequest, Mapping[str, str]], None]] = {
    "remote": lambda found, _typed: intake.help_remotely(found, now()),
    "fixed": lambda found, _typed: intake.fix_remotely(found, now()),  # nobody needs to drive (J-13)
    "duplicate": _duplicate,
    "cancel": lambda found, typed: intake.cancel(found, typed.get("reason", ""), now()),
}


def _back_to_request(number: str) -> Callable[[Any], Any]:
    return lambda _result: redirect(url_for("workorders.request_page", number=number), 303)


def _step(number: str, work: Callable[[], Any], done: Callable[[Any], Any], form: str) -> Any:
    """Do it and go on; a refusal shows the request as it is now, why, and what was typed."""
    try:
        result = write(work)
    except REFUSALS as error:
        found = intake_queries.request_by_number(number, current())
        return _request_page(found, error, form), error.status
    return done(result)


def _request_page(found: ServiceRequest, error: DomainError | None = None, form: str = "") -> str:
    sheet = request_sheet(found, current())
    typed = request.form
    chosen = _chosen_type(typed.get("work_type", ""), sheet.hints[0].work_type.code if sheet.hints else "")
    return render_template(
        "workorders/request.html", sheet=sheet, typed=typed, refused=error, refused_form=form,
        errors=getattr(error, "errors", {}), chosen=chosen, phone_text=phone_text, state_text=files.state_text,
        today=today(), **(_brings(chosen, found) if chosen else {}),
    )  # fmt: skip


def _chosen_type(typed: str, suggested: str) -> catalogue.WorkType | None:
    for code in (typed[:40], suggested):
        try:
            return catalogue.work_type(code)
        except Invalid:
            continue
    return None


def _brings(kind: catalogue.WorkType, found: ServiceRequest) -> dict[str, Any]:
    kind = kind.at(triage.industry_of(found))
    known = parts_by_number(number for number, _quantity in kind.parts)
    return {
        "kind": kind, "skill_word": skill_word, "certificate_word": certificate_word,
        "skills": sorted(((code, skill_word(code)) for code in skill_codes()), key=lambda one: one[1]),
        "usual_parts": [(number, known.get(number), quantity) for number, quantity in kind.parts],
    }  # fmt: skip


# A work order ---------------------------------------------------------------------------------------


@blueprint.get("/work-orders")
@roles(*queries.READERS)
def list_orders() -> Any:
    """Orders of the person's stations, newest first."""
    filters = queries.Filters.read(request.args)
    stations = queries.stations_for(current())
    chosen = [one for one in stations if one.code == filters.station] or stations
    page = "workorders/_list.html" if request.headers.get("HX-Request") else "workorders/list.html"
    return render_template(
        page, listed=queries.listed(current(), filters), filters=filters, stations=stations,
        technicians=queries.technicians_of(chosen), states=STATES,
    )  # fmt: skip


@blueprint.get("/work-orders/<number>")
@roles(*queries.READERS)
def order_page(number: str) -> Any:
    """Everything about one piece of work, promises first."""
    return _order_page(queries.order_by_number(number, current()))


@blueprint.get("/work-orders/<number>/files/<int:file_id>")
@roles(*queries.READERS)
def order_file(number: str, file_id: int) -> Response:
    """A picture or document of the report, the order or one of its visits."""
    found = queries.order_by_number(number, current())
    return files.send(files.file_of(subjects_of(found), file_id), thumbnail="small" in request.args)


@blueprint.get("/work-orders/<number>/report.pdf")
@roles(*queries.READERS, "technician")
def service_report(number: str) -> Response:
    """The service report as PDF."""
    return answer_report(queries.order_by_number(number, current()))


@blueprint.post("/work-orders/<number>/moves")
@roles(*queries.PLANNERS)
def move_order(number: str) -> Any:
    """Hold, release, give up, cancel, close."""
    to, reason = request.form.get("to", "")[:24], request.form.get("reason", "")

    def work() -> None:
        orders.decide(planned_order(number), to, now(), reason)

    try:
        write(work)
    except REFUSALS as error:
        return _order_page(queries.order_by_number(number, current()), error, to), error.status
    return redirect(url_for("workorders.order_page", number=number), 303)


@blueprint.post("/work-orders/<number>/findings/<int:finding_id>/follow-up")
@roles(*queries.PLANNERS)
def follow_finding(number: str, finding_id: int) -> Any:
    """A finding becomes work of its own, in one press."""

    def work() -> str:
        order = planned_order(number)
        return follow_ups.follow_finding(raised.finding_of(order, finding_id), now()).work_order.number

    try:
        made = write(work)
    except REFUSALS as error:
        return _order_page(queries.order_by_number(number, current()), error, "follow_up"), error.status
    flash(_("%(number)s is ready to be planned.", number=made))
    return redirect(url_for("workorders.order_page", number=number), 303)


@blueprint.post("/work-orders/<number>/approval")
@roles(*DECIDERS)
def decide(number: str) -> Any:
    """The manager approves a rescue, or refuses it."""

    def work() -> str:
        return rescues.decide(decided_order(number), rescue_form.read(request.form), now()).state

    try:
        state = write(work)
    except REFUSALS as error:
        return _order_page(queries.order_by_number(number, current()), error, "approval"), error.status
    said = {"approved": _("Approved. The visit can be sent now."), "refused": _("Refused. The customer is told.")}
    flash(said[state])
    return redirect(url_for("workorders.order_page", number=number), 303)


def _order_page(found: WorkOrder, error: DomainError | None = None, to: str = "") -> str:
    return render_template(
        "workorders/order.html", sheet=order_sheet(found, current()), refused=error, refused_to=to,
        errors=getattr(error, "errors", {}), typed=request.form, offered=current_app.view_functions,
        reportable=reportable, phone_text=phone_text, state_text=files.state_text, today=today(),
        usual_waiver=rescues.usual_waiver, caller=caller_of(found),
    )  # fmt: skip
