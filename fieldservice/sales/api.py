"""Opportunities as JSON."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from sqlalchemy import select

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform, with_etag
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Forbidden
from fieldservice.foundation.time import now
from fieldservice.sales import queries, schemas, services
from fieldservice.sales.models import Opportunity

blueprint = ApiBlueprint("opportunities", __name__, "Opportunities")


@blueprint.get("/opportunities")
@roles(*queries.READERS)
@blueprint.arguments(schemas.OpportunityQuery, location="query")
@blueprint.alt_response(200, schema=schemas.OpportunityPageSchema)
def listed(args: dict[str, Any]) -> Response:
    """Opportunities the person may see, newest first."""
    statement = queries.narrowed(current(), queries.Filters.read(args)).with_only_columns(Opportunity.id)
    return page(statement, Opportunity.id, _told, limit=args["limit"], cursor=args["cursor"], count=args["count"])


@blueprint.get("/opportunities/<number>")
@roles(*queries.READERS)
@blueprint.alt_response(200, schema=schemas.OpportunitySheetSchema)
def one(number: str) -> Response:
    """An opportunity with our advantage over the maker's own service."""
    found = queries.opportunity_by_number(number, current())
    return with_etag(schemas.dump_sheet(queries.sheet_of(found, current())), found.version)


@blueprint.post("/opportunities/<number>/moves")
@roles(*queries.FOLLOWERS)
@blueprint.arguments(schemas.OpportunityMoveSchema)
@blueprint.alt_response(200, schema=schemas.OpportunitySheetSchema)
def move(args: dict[str, Any], number: str) -> Response:
    """Qualified, quoted, won, lost; 409 with what is allowed for anything else."""

    def work() -> queries.OpportunitySheet:
        found = queries.opportunity_by_number(number, current())
        if not current().covers(found.station_id, *queries.FOLLOWERS):
            raise Forbidden()
        services.advance(found, args["to"], now(), value=args["value_minor"], reason=args["reason"])
        session.flush()
        return queries.sheet_of(found, current())

    return perform(work, schemas.OpportunitySheetSchema(), 200)


def _told(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A page of ids as the schema describes them, in one query."""
    ids = [row.id for row in rows]
    found = session.scalars(select(Opportunity).where(Opportunity.id.in_(ids)).options(*queries.related())).unique()
    known = {one.id: one for one in found}
    dumped: list[dict[str, Any]] = schemas.OpportunitySchema(many=True).dump([known[one] for one in ids])
    return dumped
