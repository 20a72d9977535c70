"""Rosters as JSON: a station's week with its gaps and load, and publishing it (T-03)."""

from typing import Any

from flask import Response, jsonify

from fieldservice.dispatch.cover import publishing, rules, schemas
from fieldservice.dispatch.cover.load import load_of
from fieldservice.dispatch.cover.queries import KEEPERS, READERS
from fieldservice.dispatch.cover.reading import WEEK, monday_of, week_of
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.time import now, today
from fieldservice.stations.models import Station
from fieldservice.stations.queries import station_by_code

blueprint = ApiBlueprint("cover", __name__, "Rosters: who is there when, gaps, publishing")


@blueprint.get("/stations/<code>/roster")
@roles(*READERS)
@blueprint.arguments(schemas.WeekQuery, location="query")
@blueprint.alt_response(200, schema=schemas.RosterSchema)
def roster(args: dict[str, Any], code: str) -> Response:
    """A week with drafts, the times at which nobody would be there, and the load of each day."""
    station = _station(code, *READERS)
    week = week_of(station, monday_of(args["week"] or today()), now())
    load = load_of([station.id], week.monday, WEEK, drafts=True)
    return jsonify(schemas.roster_told(week, load, rules.thresholds([station.id])[station.id]))


@blueprint.post("/stations/<code>/roster/publish")
@roles(*KEEPERS)
@blueprint.arguments(schemas.PublishSchema)
@blueprint.alt_response(200, schema=schemas.PublishedSchema)
def publish(args: dict[str, Any], code: str) -> Response:
    """Publish the week's drafts; 409 `gap` with `gaps` when somebody would be missing, and nothing is published."""

    def work() -> dict[str, Any]:
        station, monday = _station(code, *KEEPERS), monday_of(args["week"])
        made = publishing.publish_week(station, monday, now())
        return {"station": station.code, "week": monday, "published": made}

    return perform(work, schemas.PublishedSchema(), 200)


def _station(code: str, *names: str) -> Station:
    """Raises NotFound for one the person does not see."""
    station = station_by_code(code)
    if not current().covers(station.id, *names):
        raise NotFound()
    return station
