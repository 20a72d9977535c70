"""The day of work as JSON: somebody falls ill (CONTRACT §3)."""

from typing import Any

import marshmallow as ma
from flask import Response, jsonify

from fieldservice.dispatch.day import absence
from fieldservice.dispatch.plans.schemas import PlanSchema
from fieldservice.dispatch.schemas import Moment, Strict
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.workorders import queries
from fieldservice.workorders.models import AWAY
from fieldservice.workorders.placement import Span

blueprint = ApiBlueprint("day", __name__, "The day of work: late running, absences")


class AbsenceWishSchema(Strict):
    """From when until when somebody cannot work, and why."""

    starts_at = Moment(required=True, data_key="from")
    ends_at = Moment(required=True, data_key="to")
    cause = ma.fields.String(load_default="sick", validate=ma.validate.OneOf(AWAY))


class ConsequencesSchema(ma.Schema):
    """What would come of an absence."""

    work_orders = ma.fields.List(ma.fields.String())
    hindrance = ma.fields.String(metadata={"description": "Why it cannot be planned like this; empty when it can."})


@blueprint.get("/dispatch/technicians/<int:technician_id>/absence")
@roles(*queries.PLANNERS)
@blueprint.arguments(AbsenceWishSchema, location="query")
@blueprint.alt_response(200, schema=ConsequencesSchema)
def consequences(args: dict[str, Any], technician_id: int) -> Response:
    """How many visits an absence would touch, before anybody asks for a plan."""
    somebody = current()
    technician = absence.technician_by_id(technician_id, somebody)
    span = Span(args["starts_at"], args["ends_at"])
    return jsonify(ConsequencesSchema().dump(absence.consequences(technician, span, args["cause"], somebody)))


@blueprint.post("/dispatch/technicians/<int:technician_id>/absence")
@roles(*queries.PLANNERS)
@blueprint.arguments(AbsenceWishSchema)
@blueprint.alt_response(202, schema=PlanSchema)
def fall_ill(args: dict[str, Any], technician_id: int) -> Response:
    """Ask for a plan without this technician; applying it moves the visits and books the absence."""
    somebody = current()
    span = Span(args["starts_at"], args["ends_at"])
    return perform(
        lambda: absence.fall_ill(absence.technician_by_id(technician_id, somebody), span, args["cause"], somebody),
        PlanSchema(),
        202,
    )
