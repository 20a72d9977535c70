"""What the board asks while somebody works on it, as JSON: lanes, verdicts, consequences, and the moves themselves."""

from collections.abc import Sequence

import marshmallow as ma
from flask import Response, jsonify, request
from flask_babel import gettext as _

from fieldservice.dispatch import page, placing, scope, undo
from fieldservice.dispatch.board import board
from fieldservice.dispatch.filters import read_filters
from fieldservice.dispatch.lanes import lanes_told
from fieldservice.dispatch.placing import Wish
from fieldservice.dispatch.preview import preview
from fieldservice.dispatch.schemas import MovesSchema
from fieldservice.dispatch.verdicts import verdicts
from fieldservice.dispatch.views import blueprint
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import flat_messages
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import day_span, now
from fieldservice.workorders import queries
from fieldservice.workorders.models import Visit
from fieldservice.workorders.placement import Span


@blueprint.get("/dispatch/lanes")
@roles(*queries.READERS)
def lanes() -> Response:
    """Technicians and what stands where, as <resource-timeline> takes it."""
    somebody, filters, at = current(), read_filters(request.args), now()
    stations = scope.chosen_stations(filters.station, queries.stations_for(somebody))
    plan = board(somebody, stations, filters.day, filters.days, at)
    return jsonify(lanes_told(plan, somebody, at, filters.shown))


@blueprint.get("/dispatch/verdicts")
@roles(*queries.PLANNERS)
def whether_it_fits() -> Response:
    """For each technician, whether the order or visit in the hand fits within the days shown."""
    somebody, filters, at = current(), read_filters(request.args), now()
    if filters.visit is not None:
        moving: Visit | None = placing.visit_seen(filters.visit, None, somebody)
        order = queries.order_by_number(moving.work_order.number, somebody) if moving else None
    else:
        moving, order = None, queries.order_by_number(filters.order, somebody)
    assert order is not None
    scope.require_planner(somebody, order.station_id)
    within = Span(*day_span(filters.day, filters.days))
    return jsonify(verdicts(order, moving, within, somebody.stations(*queries.PLANNERS), at))


@blueprint.post("/dispatch/preview")
@roles(*queries.PLANNERS)
def consequences() -> Response:
    """What would come of these moves. Writes nothing."""
    return jsonify(preview(placing.targets_of(_wishes(), current()), now()))


@blueprint.post("/dispatch/moves")
@roles(*queries.PLANNERS)
def move() -> Response:
    """Book and move, all of it or nothing; the answer says what was done and how to undo it."""
    wishes, somebody = _wishes(), current()

    def work() -> tuple[list[undo.Step], str]:
        at = now()
        steps = placing.place(wishes, somebody, at)
        return steps, undo.offer(steps, at)

    steps, token = write(work)
    return jsonify({"text": _done(steps), "undo": token, "seconds": undo.SECONDS})


# Inside -------------------------------------------------------------------------------------------


def _wishes() -> list[Wish]:
    """The moves of the body. Raises Invalid naming what is wrong."""
    body = request.get_json(silent=True)
    try:
        given = MovesSchema().load(body if isinstance(body, dict) else {})
    except ma.ValidationError as error:
        raise Invalid(flat_messages(error.messages_dict)) from None
    return [Wish(**one) for one in given["moves"]]


def _done(steps: Sequence[undo.Step]) -> str:
    if len(steps) > 1:
        return str(_("%(count)s visits moved", count=len(steps)))
    (step,) = steps
    return page.booked_text(step.visit) if step.done == "booked" else page.moved_text(step.visit)
