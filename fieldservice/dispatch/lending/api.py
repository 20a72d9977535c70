"""Lendings as JSON: look, ask, and the steps that follow (CONTRACT §3)."""

from typing import Any

from flask import Response, jsonify

from fieldservice.dispatch.lending import queries, schemas, services
from fieldservice.dispatch.lending.prospects import prospects_at
from fieldservice.dispatch.lending.worked import worked_for
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform
from fieldservice.foundation.time import now
from fieldservice.stations.lendings import HOLDS, Lending
from fieldservice.workorders.placement import Span
from fieldservice.workorders.queries import PLANNERS

blueprint = ApiBlueprint("lendings", __name__, "Technicians lent to other stations")


@blueprint.get("/dispatch/lendings")
@roles(*queries.READERS)
@blueprint.arguments(schemas.LendingQuery, location="query")
@blueprint.alt_response(200, schema=schemas.LendingListSchema)
def listed(args: dict[str, Any]) -> Response:
    """Lendings of your stations, lent or borrowed, newest first."""
    rows = queries.narrowed(current(), args["show"]).add_columns(Lending.id)
    return page(
        rows, Lending.id, lambda found: schemas.told([row[0] for row in found]),
        limit=args["limit"], cursor=args["cursor"], count=args["count"],
    )  # fmt: skip


@blueprint.post("/dispatch/lendings")
@roles(*PLANNERS)
@blueprint.arguments(schemas.LendingWishSchema)
@blueprint.alt_response(201, schema=schemas.LendingSchema)
def ask(args: dict[str, Any]) -> Response:
    """Ask another station for a technician, or for somebody with these skills; its manager answers."""
    somebody = current()
    to, home = queries.own_station(args["to_station"], somebody), queries.other_station(args["from_station"])
    technician = queries.colleague(args["technician_id"])

    def work() -> Lending:
        return services.ask(
            somebody, to, home, Span(args["starts_at"], args["ends_at"]), technician=technician,
            skills=args["skills"], words=args["words"],
        )  # fmt: skip

    return perform(work, schemas.LendingSchema(), 201)


@blueprint.get("/dispatch/lendings/<int:lending_id>")
@roles(*queries.READERS)
@blueprint.alt_response(200, schema=schemas.LendingInFullSchema)
def one(lending_id: int) -> Response:
    """A lending, with what would come of agreeing, or what was worked so far."""
    somebody = current()
    lending = queries.lending_by_id(lending_id, somebody)
    content = schemas.LendingInFullSchema().dump(lending)
    content["prospects"], content["worked"] = [], None
    if lending.state == "asked" and services.may_answer(somebody, lending):
        span = Span(lending.starts_at, lending.ends_at)
        found = prospects_at(
            lending.station, lending.to_station, span, technician_id=lending.technician_id, skills=lending.skills
        )
        content["prospects"] = schemas.ProspectSchema(many=True).dump(found)
    elif lending.state in HOLDS:
        content["worked"] = schemas.CostSchema().dump(worked_for(lending, now()).cost)
    return jsonify(content)


@blueprint.post("/dispatch/lendings/<int:lending_id>/moves")
@roles(*PLANNERS)
@blueprint.arguments(schemas.LendingMoveSchema)
@blueprint.alt_response(200, schema=schemas.LendingSchema)
def step(args: dict[str, Any], lending_id: int) -> Response:
    """Agree, refuse (the lending manager), withdraw (the borrower), end early (either); 409 names visits in the way."""
    somebody = current()

    def work() -> Lending:
        lending = queries.lending_by_id(lending_id, somebody)
        match args["to"]:
            case "agreed":
                services.agree(
                    lending, somebody, technician_id=args["technician_id"], keep=args["keep"], lodges=args["lodges"]
                )
            case "refused":
                services.refuse(lending, somebody, args["reason"])
            case "withdrawn":
                services.withdraw(lending, somebody)
            case _:
                services.end(lending, somebody)
        return lending

    return perform(work, schemas.LendingSchema(), 200)
