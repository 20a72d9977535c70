"""The day plan as a page: look, book, move, reassign, send, cancel. Every step is an ordinary form."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import page, placing, scope, undo
from fieldservice.dispatch.filters import Filters, read_back, read_filters
from fieldservice.dispatch.offers import finding
from fieldservice.dispatch.offers import services as offers
from fieldservice.dispatch.offers.services import Offered
from fieldservice.dispatch.placing import Wish
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.compute import ComputeTimeout
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound, PreconditionFailed
from fieldservice.foundation.time import now
from fieldservice.foundation.web import navigation, wants_json
from fieldservice.workorders import booking, queries
from fieldservice.workorders.models import Visit

blueprint = Blueprint("dispatch", __name__)
navigation("dispatch.day_plan", _l("Dispatch"), *queries.READERS)
PARTS = ("counters", "urgent", "queue", "drawer")
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


@blueprint.get("/dispatch/table")
@roles(*queries.READERS)
def table() -> Any:
    """Who is where when, to be read: without scripts, and for whoever would rather hear it."""
    return render_template("dispatch/table.html", **page.table(current(), read_filters(request.args), now()))


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
    number = request.form.get("order", "")[:20]
    return _placed(replace(_back(), order=number, visit=None), lambda: _wish(order=number), page.booked_text)


@blueprint.post("/dispatch/visits/<int:visit_id>/change")
@roles(*queries.PLANNERS)
def change(visit_id: int) -> Any:
    """Another technician or another time."""
    return _placed(_back(visit_id), lambda: _wish(visit_id=visit_id), page.moved_text)


@blueprint.post("/dispatch/visits/<int:visit_id>/send")
@roles(*queries.PLANNERS)
def send(visit_id: int) -> Any:
    """Hand the visit to the technician."""

    def work() -> tuple[Visit, str]:
        visit = _visit(visit_id)
        booking.send_visit(visit)
        session.flush()
        return visit, undo.offer([undo.Step(visit, "sent")], now())

    return _step(_back(visit_id), work, page.sent_text)


@blueprint.post("/dispatch/visits/<int:visit_id>/<any(cancel, miss):end>")
@roles(*queries.PLANNERS)
def fall_through(visit_id: int, end: str) -> Any:
    """The visit does not happen; needs a reason."""
    act = booking.cancel_visit if end == "cancel" else booking.miss_visit

    def work() -> tuple[Visit, str]:
        visit = _visit(visit_id)
        act(visit, page.words(request.form, "reason", MOST_REASON))
        return visit, ""

    return _step(_back(visit_id), work, page.waits_text)


@blueprint.post("/dispatch/orders/<number>/times")
@roles(*queries.PLANNERS)
def find_times(number: str) -> Any:
    """Free times, held for the order's customer while somebody asks her."""
    filters = replace(_back(), order=number[:20], visit=None)
    try:
        order = scope.order_to_plan(number, current())
        visit, at = offers.open_visit(order), now()
        offers.require_choice(order, visit, at, by_customer=False)
        found = finding.find(order, visit, offers.require_day(request.form.get("day", "").strip()[:10], at), at)

        def work() -> list[Offered]:
            again = scope.order_to_plan(number, current())
            return offers.hold(again, offers.open_visit(again), found, now())

        held = write(work)
    except (Conflict, Invalid, ComputeTimeout) as error:
        return _refused(filters, error)
    flash({"text": page.held_text(held), "undo": ""}, "dispatch")  # type: ignore[arg-type]  # as in `_step`
    return redirect(_after(filters, number), 303)


@blueprint.post("/dispatch/orders/<number>/times/choice")
@roles(*queries.PLANNERS)
def choose_time(number: str) -> Any:
    """The customer takes one of the held times."""
    agrees = request.form.get("customer_agrees") == "1"

    def work() -> tuple[Visit, str]:
        offer_id = page.optional_int(request.form, "offer") or 0
        order = scope.order_to_plan(number, current())
        visit = offers.open_visit(order)
        return offers.choose(order, visit, offer_id, now(), agrees=agrees, by_customer=False), ""

    return _step(replace(_back(), order=number[:20], visit=None), work, page.agreed_text)


@blueprint.post("/dispatch/undo")
@roles(*queries.PLANNERS)
def take_back() -> Any:
    """Undo the last step, within ten seconds; the board asks with JSON."""
    if wants_json():
        body = request.get_json(silent=True)
        token = str(body.get("token", "")) if isinstance(body, dict) else ""
        return jsonify({"text": page.taken_back_text(write(lambda: undo.undo(token, current(), now())))})

    def work() -> tuple[Visit, str]:
        return undo.undo(request.form.get("token", ""), current(), now())[0], ""

    return _step(_back(), work, lambda visit: page.taken_back_text([visit]))


# Inside -------------------------------------------------------------------------------------------


def _placed(filters: Filters, wish: Callable[[], Wish], told: Callable[[Visit], str]) -> Any:
    def work() -> tuple[Visit, str]:
        at = now()
        steps = placing.place([wish()], current(), at)
        return steps[0].visit, undo.offer(steps, at)

    return _step(filters, work, told)


def _wish(*, order: str = "", visit_id: int | None = None) -> Wish:
    """What the form asks for. Raises Invalid."""
    return Wish(
        technician_id=scope.required_id(request.form.get("technician"), "technician"),
        starts_at=page.moment(request.form, "starts_at"),
        duration_min=page.optional_int(request.form, "duration_min"),
        version=page.optional_int(request.form, "version"),
        visit_id=visit_id,
        order=order,
    )


def _visit(visit_id: int) -> Visit:
    """The visit of the address, if the person plans it and saw its present version."""
    return placing.visit_seen(visit_id, page.optional_int(request.form, "version"), current())


def _step(filters: Filters, work: Callable[[], tuple[Visit, str]], told: Callable[[Visit], str]) -> Any:
    """Do it and go back to the board; a refusal shows the board as it is now, why, and what was typed."""
    try:
        visit, token = write(work)
    except (Conflict, Invalid, PreconditionFailed) as error:
        return _refused(filters, error)
    done = {"text": told(visit), "undo": token}
    flash(done, "dispatch")  # type: ignore[arg-type]  # kept in the session as JSON, where any plain value may stand
    number = visit.work_order.number
    stays = visit.state in booking.OPEN_STATES
    filters = replace(filters, order="" if stays else number, visit=visit.id if stays else None)
    return redirect(_after(filters, number), 303)


def _after(filters: Filters, number: str) -> str:
    """Where a form leads: to the board, or back to the page of the order that it stood on."""
    return f"/work-orders/{number}" if request.form.get("back_to") == "order" else filters.url()


def _refused(filters: Filters, error: DomainError) -> Any:
    session.rollback()
    context = page.everything(current(), filters, now(), error=error, typed=request.form)
    return render_template("dispatch/day_plan.html", **context), 422


def _back(visit_id: int | None = None) -> Filters:
    """The board the form was on, with its visit selected."""
    filters = read_back(request.form.get("back", ""))
    return filters if visit_id is None else replace(filters, order="", visit=visit_id)
