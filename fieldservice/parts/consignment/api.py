"""Stock at customers as JSON: for scripts of the station, and for the customer's own systems."""

from typing import Any

from flask import Response
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.parts.consignment import daily, queries, schemas
from fieldservice.parts.consignment.models import ConsignmentLine

blueprint = ApiBlueprint("consignment-api", __name__, "Stock at customers")


@blueprint.get("/consignment")
@roles(*queries.READERS, "customer")
@blueprint.arguments(schemas.StockQuery, location="query")
@blueprint.alt_response(200, schema=schemas.StockPageSchema)
def listed(args: dict[str, Any]) -> Response:
    """What lies at customers and how long it lasts; a customer's account sees its own."""
    statement = queries.narrowed(current(), args["place"]).add_columns(ConsignmentLine.id)
    return page(
        statement, ConsignmentLine.id, schemas.told_lines, limit=args["limit"], cursor=args["cursor"],
        count=args["count"], descending=False,
    )  # fmt: skip


@blueprint.post("/consignment-readings")
@roles(*queries.KEEPERS, "customer")
@blueprint.arguments(schemas.ReadingSchema)
@blueprint.alt_response(201, schema=schemas.ReadSchema)
def read(args: dict[str, Any]) -> Response:
    """Tell what lies there; a second reading of a day replaces the first. 409 `more_than_there` tells how much should
    lie there and asks for `sure`, `read_later` and `moved_since` refuse days that are over."""

    def work() -> dict[str, Any]:
        mine = current()
        line = (
            queries.line_at(args["place"], args["part"], mine, *queries.KEEPERS)
            if mine.has(*queries.KEEPERS)
            else (queries.line_at_customer(args["place"], args["part"], mine.customer_id or 0))
        )
        if line is None:
            raise Invalid({"part": [_l("Nothing is agreed on for this part at this place.")]}, code="unknown_line")
        return schemas.told(daily.read(line, args["counted"], at=now(), on=args["on"], source="api", sure=args["sure"]))

    return perform(work, schemas.ReadSchema())
