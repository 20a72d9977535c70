"""Suggestions, visits and the board as JSON (CONTRACT §3)."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import queue, schemas, scope
from fieldservice.dispatch.board import board
from fieldservice.dispatch.told import board_told, suggestions_told
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.api import ApiBlueprint, perform, require_match, with_etag
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Forbidden, Invalid
from fieldservice.foundation.time import now, today
from fieldservice.stations.models import Technician
from fieldservice.workorders import booking, queries, visits
from fieldservice.workorders.models import Visit
from fieldservice.workorders.suggestions import suggest

blueprint = ApiBlueprint("dispatch", __name__, "Dispatch: who could go, visits, the board")
AHEAD = timedelta(days=3)
OF_PLANNERS = {"dispatched", "scheduled", "cancelled", "missed"}  # other steps are the technician's


@blueprint.get("/work-orders/<number>/suggestions")
@roles(*queries.READERS)
@blueprint.arguments(schemas.SuggestionQuery, location="query")
@blueprint.alt_response(200, schema=schemas.SuggestionsSchema)
def suggestions(args: dict[str, Any], number: str) -> Response:
    """Technician × time, best first, with reasons; and every refused technician with the rule."""
    somebody = current()
    order = queries.order_by_number(number, somebody)
    start = args["start"] or now()
    end = args["end"] or start + AHEAD
    if not timedelta(0) < end - start <= timedelta(days=schemas.MOST_DAYS):
        raise Invalid({"to": [_l("Ask for at most 14 days, the end after the start.")]})
    answers = suggest(order, start=start, end=end, limit=args["limit"], stations=somebody.stations(*queries.READERS))
    return jsonify(suggestions_told(answers))


@blueprint.post("/visits")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.VisitBookingSchema)
@blueprint.alt_response(201, schema=schemas.VisitSchema)
def book(args: dict[str, Any]) -> Response:
    """Book a technician for an order; 409 with the rule that refuses."""
    somebody = current()

    def work() -> Visit:
        order = queries.order_by_number(args["work_order"], somebody)
        scope.require_planner(somebody, order.station_id)
        technician = scope.technician_for(order, args["technician_id"], args["starts_at"], somebody)
        visit = booking.schedule_visit(order, technician, args["starts_at"], duration_min=args["duration_min"])
        session.flush()
        return visit

    return perform(work, schemas.VisitSchema(), 201)


@blueprint.get("/visits/<int:visit_id>")
@roles(*queries.READERS, "technician")
@blueprint.alt_response(200, schema=schemas.VisitSchema)
def one(visit_id: int) -> Response:
    """A visit of the own stations, of a lent technician, or one's own."""
    return _shown(queries.visit_by_id(visit_id, current()))


@blueprint.patch("/visits/<int:visit_id>")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.VisitChangeSchema)
@blueprint.alt_response(200, schema=schemas.VisitSchema)
def change(args: dict[str, Any], visit_id: int) -> Response:
    """Another time or technician, with If-Match; 409 with the rule that refuses."""
    somebody = current()

    def work() -> Visit:
        visit = queries.visit_by_id(visit_id, somebody)
        scope.require_planner(somebody, visit.station_id)
        require_match(visit.version)
        booking.reschedule_visit(
            visit,
            starts_at=args["starts_at"],
            technician=_technician(visit, args["technician_id"], somebody),
            duration_min=args["duration_min"],
        )
        session.flush()
        return visit

    return _shown(write(work))


@blueprint.post("/visits/<int:visit_id>/moves")
@roles(*queries.PLANNERS, "technician")
@blueprint.arguments(schemas.VisitStepSchema)
@blueprint.alt_response(200, schema=schemas.VisitSchema)
def step(args: dict[str, Any], visit_id: int) -> Response:
    """The next step of a visit: by its planner, or (from accepting on) by its technician."""
    somebody = current()

    def work() -> Visit:
        visit = queries.visit_by_id(visit_id, somebody)
        _may_step(somebody, visit, args["to"])
        _step(visit, args, args["at"] or now())
        session.flush()
        return visit

    return perform(work, schemas.VisitSchema(), 200)


@blueprint.get("/dispatch/board")
@roles(*queries.READERS)
@blueprint.arguments(schemas.BoardQuery, location="query")
@blueprint.alt_response(200, schema=schemas.BoardSchema)
def shown_board(args: dict[str, Any]) -> Response:
    """Technicians with shifts, visits and travel over some days, and the queue."""
    somebody = current()
    stations = scope.chosen_stations(args["station"], queries.stations_for(somebody))
    at = now()
    plan = board(somebody, stations, args["day"] or today(), args["days"], at)
    waiting, total = queue.waiting([station.id for station in stations], at)
    return jsonify(board_told(plan, waiting, total))


# Inside -------------------------------------------------------------------------------------------


def _technician(visit: Visit, technician_id: int | None, somebody: Person) -> Technician | None:
    if technician_id is None or technician_id == visit.technician_id:
        return None
    return scope.technician_for(visit.work_order, technician_id, visit.starts_at, somebody)


def _may_step(somebody: Person, visit: Visit, to: str) -> None:
    """A technician makes the steps of own visits; planners those of their stations."""
    own = somebody.has("technician") and somebody.technician_id == visit.technician_id
    if not scope.may_plan(somebody, visit.station_id) and not (own and to not in OF_PLANNERS):
        raise Forbidden()


def _step(visit: Visit, args: dict[str, Any], at: datetime) -> None:
    if at > now():
        raise Invalid({"at": [_l("This time lies in the future. Check the clock of your device.")]})
    match args["to"]:
        case "dispatched":
            booking.send_visit(visit, at)
        case "scheduled":
            booking.recall_visit(visit, at)
        case "cancelled":
            booking.cancel_visit(visit, args["reason"], at)
        case "missed":
            booking.miss_visit(visit, args["reason"], at)
        case to:
            visits.step(visit, to, at, reason=args["reason"], restored=args["restored"], open_items=args["open_items"])


def _shown(visit: Visit) -> Response:
    return with_etag(schemas.VisitSchema().dump(visit), visit.version)
