"""Times for the customer of an order as JSON: hold some, look at them, have one chosen (CONTRACT §3)."""

from typing import Any

from flask import Response, jsonify

from fieldservice.dispatch import scope
from fieldservice.dispatch.offers import finding, schemas, services
from fieldservice.dispatch.schemas import VisitSchema
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.time import now, today
from fieldservice.workorders import queries
from fieldservice.workorders.models import Visit

blueprint = ApiBlueprint("offers", __name__, "Times that a customer may choose from")


@blueprint.get("/work-orders/<number>/offers")
@roles(*queries.READERS)
@blueprint.alt_response(200, schema=schemas.OffersSchema)
def listed(number: str) -> Response:
    """What is held for the customer at present."""
    order = queries.order_by_number(number, current())
    return jsonify(schemas.OffersSchema().dump({"offers": services.held(order, now())}))


@blueprint.post("/work-orders/<number>/offers")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.OfferWishSchema)
@blueprint.alt_response(201, schema=schemas.OffersSchema)
def hold(args: dict[str, Any], number: str) -> Response:
    """Find free times and hold them for some minutes; what was held for this customer before is given back."""
    at = now()
    order = scope.order_to_plan(number, current())
    visit = services.open_visit(order)
    services.require_choice(order, visit, at, by_customer=False)
    first = services.require_day(args["day"] or today(), at)
    found = finding.find(order, visit, first, at)

    def work() -> dict[str, Any]:
        again = scope.order_to_plan(number, current())
        return {"offers": services.hold(again, services.open_visit(again), found, now())}

    return perform(work, schemas.OffersSchema(), 201)


@blueprint.post("/work-orders/<number>/offers/<int:offer_id>/choice")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.ChoiceSchema)
@blueprint.alt_response(201, schema=VisitSchema)
def choose(args: dict[str, Any], number: str, offer_id: int) -> Response:
    """The customer takes one: the visit is planned, or moved, and confirmed; 409 `offer_gone` when the time is over."""

    def work() -> Visit:
        order = scope.order_to_plan(number, current())
        return services.choose(
            order, services.open_visit(order), offer_id, now(), agrees=args["customer_agrees"], by_customer=False
        )

    return perform(work, VisitSchema(), 201)
