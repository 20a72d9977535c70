"""Availability of a part as JSON (CONTRACT §3)."""

from typing import Any

from flask import Response, jsonify

from fieldservice.foundation.access import require_station, roles
from fieldservice.foundation.api import ApiBlueprint
from fieldservice.foundation.time import now
from fieldservice.parts.availability import asking, schemas
from fieldservice.parts.availability.asking import ASKING
from fieldservice.parts.queries import part_by_number
from fieldservice.stations.queries import station_by_code

blueprint = ApiBlueprint("availability", __name__, "What can be promised of a part")


@blueprint.get("/parts/<number>/availability")
@roles(*ASKING)
@blueprint.arguments(schemas.AvailabilityQuery, location="query")
@blueprint.alt_response(200, schema=schemas.AvailabilitySchema)
def availability(args: dict[str, Any], number: str) -> Response:
    """The four quantities in every place within reach, a dated promise, and the sources in order with their reasons."""
    station = station_by_code(args["station"])
    require_station(station.id, *ASKING)
    at = now()
    answer = asking.ask(
        part_by_number(number), station, args["quantity"], args["needed_at"] or at, at,
        technician_id=args["technician"], model=args["model"],
    )  # fmt: skip
    return jsonify(schemas.AvailabilitySchema().dump(schemas.told(answer)))
