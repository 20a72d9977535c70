"""Slow areas as JSON: look, draw, end (CONTRACT §3)."""

from typing import Any

from flask import Response, jsonify
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import scope
from fieldservice.dispatch.areas import schemas, services
from fieldservice.dispatch.areas.models import DrawnArea
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.stations.models import Station
from fieldservice.workorders import queries

blueprint = ApiBlueprint("slow_areas", __name__, "Areas where driving is slow for a while")


@blueprint.get("/dispatch/slow-areas")
@roles(*queries.READERS)
@blueprint.alt_response(200, schema=schemas.AreaShownSchema(many=True))
def listed() -> Response:
    """Areas that hold now or will, of every station: what slows one slows all."""
    at = now()
    found = services.in_force(at, at + 2 * services.LONGEST)
    return jsonify(schemas.AreaShownSchema(many=True).dump(found))


@blueprint.post("/dispatch/slow-areas")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.AreaSchema)
@blueprint.alt_response(201, schema=schemas.DrawnSchema)
def draw(args: dict[str, Any]) -> Response:
    """Draw an area; the answer names planned visits of your stations that it makes late."""
    somebody = current()
    station = _station(args["station"])
    return perform(
        lambda: services.draw(
            somebody, station, args["name"], args["corners"], args["factor"], args["until"],
            starts_at=args["starts_at"],
        ),
        schemas.DrawnSchema(),
        201,
    )  # fmt: skip


@blueprint.post("/dispatch/slow-areas/<int:area_id>/end")
@roles(*queries.PLANNERS)
@blueprint.alt_response(200, schema=schemas.AreaShownSchema)
def end(area_id: int) -> Response:
    """The road is free again before its time."""
    somebody = current()

    def work() -> DrawnArea:
        area = services.area_by_id(area_id, somebody)
        services.end(area)
        return area

    return perform(work, schemas.AreaShownSchema(), 200)


def _station(code: str) -> Station:
    somebody = current()
    for station in queries.stations_for(somebody):
        if station.code == code and scope.may_plan(somebody, station.id):
            return station
    raise Invalid({"station": [_l("You plan no station %(codes)s.", codes=code)]})
