"""The day plan as a page: look, book, move, reassign, send, cancel. Every step is an ordinary form."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import changes, page, scope, undo
from fieldservice.dispatch.filters import Filters, read_back, read_filters
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.foundation.web import navigation
from fieldservice.foundation.words import pick
from fieldservice.workorders import booking, queries
from fieldservice.workorders.models import Visit

blueprint = Blueprint("dispatch", __name__)
navigation("dispatch.day_plan", _l("Dispatch"), *queries.READERS)
PARTS = ("counters", "queue", "lanes", "drawer")
MOST_REASON = 200


@blueprint.get("/dispatch")
@roles(*queries.READERS)
def day_plan() -> Any:
    """The whole page: queue, lanes, drawer of what is selected."""
    return render_template("dispatch/day_plan.html", **page.everything(current(), read_filters(request.args), now()))


@blueprint.get("/dispatch/part/<name>")
@roles(*queries.READERS)
def part(name: str) -> Any:
    """One part of the page, fetched again when something happened."""
    if name not in PARTS:
        raise NotFound()
    context = page.part(name, current(), read_filters(request.args), now())
    return render_template(f"dispatch/_{name}.html", **context)


@blueprint.get("/dispatch/suggestions/<number>")
@roles(*queries.READERS)
def suggestions_panel(number: str) -> Any:
    """Who could go, for the page of a work order."""
    return render_template("dispatch/_panel.html", **page.panel(number, current(), now()))


# Steps --------------------------------------------------------------------------------------------


@blueprint.post("/dispatch/visits")
@roles(*queries.PLANNERS)
def book() -> Any:
    """Book a technician for an order."""
    somebody, number = current(), request.form.get("order", "")
    filters = replace(_back(), order=number[:20], visit=None)

    def work() -> tuple[Visit, str]:
        order = queries.order_by_number(number, somebody)
        scope.require_planner(somebody, order.station_id)
        changes.require_version(order, page.optional_int(request.form, "version"))
        starts_at = page.moment(request.form, "starts_at")
        technician_id = scope.required_id(request.form.get("technician"), "technician")
        technician = scope.technician_for(order, technician_id, starts_at, somebody)
        visit = booking.schedule_visit(
            order, technician, starts_at, duration_min=page.optional_int(request.form, "duration_min")
        )
        return visit, undo.offer(visit, "booked", now())

    return _step(filters, work, lambda visit: _("%(order)s assigned to %(name)s", **_facts(visit)))


@blueprint.post("/dispatch/visits/<int:visit_id>/change")
@roles(*queries.PLANNERS)
def change(visit_id: int) -> Any:
    """Another technician or another time."""

    def work() -> tuple[Visit, str]:
        visit = _visit(visit_id)
        before = undo.Before.of(visit)
        starts_at = page.moment(request.form, "starts_at")
        technician_id = scope.required_id(request.form.get("technician"), "technician")
        technician = scope.technician_for(visit.work_order, technician_id, starts_at, current())
        booking.reschedule_visit(
            visit, technician=technician, starts_at=starts_at,
            duration_min=page.optional_int(request.form, "duration_min"),
        )  # fmt: skip
        session.flush()
        return visit, undo.offer(visit, "changed", now(), before)

    return _step(_back(visit_id), work, lambda visit: _("%(order)s moved to %(name)s, %(time)s", **_facts(visit)))


@blueprint.post("/dispatch/visits/<int:visit_id>/send")
@roles(*queries.PLANNERS)
def send(visit_id: int) -> Any:
    """Hand the visit to the technician."""

    def work() -> tuple[Visit, str]:
        visit = _visit(visit_id)
        booking.send_visit(visit)
        session.flush()
        return visit, undo.offer(visit, "sent", now())

    return _step(_back(visit_id), work, lambda visit: _("%(order)s sent to %(name)s", **_facts(visit)))


@blueprint.post("/dispatch/visits/<int:visit_id>/<any(cancel, miss):end>")
@roles(*queries.PLANNERS)
def fall_through(visit_id: int, end: str) -> Any:
    """The visit does not happen; needs a reason."""
    act = booking.cancel_visit if end == "cancel" else booking.miss_visit

    def work() -> tuple[Visit, str]:
        visit = _visit(visit_id)
        act(visit, page.words(request.form, "reason", MOST_REASON))
        return visit, ""

    return _step(_back(visit_id), work, lambda visit: _("%(order)s is to be planned again", **_facts(visit)))


@blueprint.post("/dispatch/undo")
@roles(*queries.PLANNERS)
def take_back() -> Any:
    """Undo the last step, within ten seconds."""

    def work() -> tuple[Visit, str]:
        return undo.undo(request.form.get("token", ""), current(), now()), ""

    return _step(_back(), work, lambda visit: _("%(order)s: taken back", **_facts(visit)))


# Inside -------------------------------------------------------------------------------------------


def _visit(visit_id: int) -> Visit:
    """The visit of the address, if the person plans it and saw its present version."""
    somebody = current()
    visit = queries.visit_by_id(visit_id, somebody)
    scope.require_planner(somebody, visit.station_id)
    changes.require_version(visit, page.optional_int(request.form, "version"))
    return visit


def _step(filters: Filters, work: Callable[[], tuple[Visit, str]], told: Callable[[Visit], str]) -> Any:
    """Do it and go back to the board; a refusal shows the board as it is now, why, and what was typed."""
    try:
        visit, token = write(work)
    except (Conflict, Invalid, PreconditionFailed) as error:
        return _refused(filters, error)
    done = {"text": told(visit), "undo": token}
    flash(done, "dispatch")  # type: ignore[arg-type]  # kept in the session as JSON, where any plain value may stand
    if request.form.get("back_to") == "order":
        return redirect(f"/work-orders/{visit.work_order.number}", 303)
    chosen = {"order": "", "visit": visit.id} if visit.state in booking.OPEN_STATES else {"visit": None}
    return redirect(filters.url(**{"order": visit.work_order.number, **chosen}), 303)


def _refused(filters: Filters, error: DomainError) -> Any:
    session.rollback()
    context = page.everything(current(), filters, now(), error=error, typed=request.form)
    return render_template("dispatch/day_plan.html", **context), 422


def _back(visit_id: int | None = None) -> Filters:
    """The board the form was on, with its visit selected."""
    filters = read_back(request.form.get("back", ""))
    return filters if visit_id is None else replace(filters, order="", visit=visit_id)


def _facts(visit: Visit) -> dict[str, Any]:
    return {
        "order": visit.work_order.number,
        "name": pick(visit.technician.names),
        "time": page.short_time(visit.starts_at),
    }
