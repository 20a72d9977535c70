"""Service requests as JSON."""

from collections.abc import Callable
from typing import Any

from flask import Response, g, jsonify
from flask_babel import lazy_gettext as _l

from fieldservice.assets.queries import asset_by_id
from fieldservice.customers.models import Customer
from fieldservice.customers.queries import customer_by_id
from fieldservice.foundation.access import current, person, public, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.time import now
from fieldservice.intake import listing, queries, report, services
from fieldservice.intake.inbox import Filters, narrowed
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.schemas import (
    MoveSchema,
    ReceivedSchema,
    ReportSchema,
    RequestPageSchema,
    RequestQuery,
    RequestSchema,
    tracking_url,
)
from fieldservice.intake.views import READERS, REPORTS, TAKERS, TRIES

blueprint = ApiBlueprint("service_requests", __name__, "Service requests: reports and their way")
# the reading shared with the form → the fields of the JSON body
FIELDS = {
    "name": "contact.name", "phone": "contact.phone", "email": "contact.email", "serial": "asset_serial",
    "address": "site.address", "division_code": "site.division_code", "latitude": "site.latitude",
}  # fmt: skip


@blueprint.post("/service-requests")
@public
@TRIES
@REPORTS
@blueprint.arguments(ReportSchema)
@blueprint.alt_response(201, schema=ReceivedSchema)
def create(args: dict[str, Any]) -> Response:
    """Report a fault. Without a token it is the public form: strict rate, no customer of choice."""
    given = _read(args)
    if person() is None:
        g.actor = "customer"

    def work() -> ServiceRequest:
        return services.report_fault(
            channel=args["channel"], contact_name=given.contact_name, contact_phone=given.contact_phone,
            contact_email=given.contact_email, description=given.description, severity=given.severity,
            serial=given.serial, asset=asset_by_id(given.asset_id) if given.asset_id else None,
            customer=_customer(args["customer_id"], given), place=given.place, language=args["language"], at=now(),
        )  # fmt: skip

    def refill(kept: dict[str, Any]) -> dict[str, Any]:
        return {**kept, "tracking_url": tracking_url(kept["number"])}

    return perform(work, ReceivedSchema(), secret=("tracking_url",), refill=refill)


def _read(args: dict[str, Any]) -> report.Report:
    contact = args["contact"]
    typed = {
        **contact, **args["site"], "description": args["description"], "severity": args["severity"],
        "serial": args["asset_serial"], "division_asked": report.GIVEN,
    }  # fmt: skip
    try:
        return report.read(typed)
    except Invalid as refused:
        refused.errors = {FIELDS.get(name, name): texts for name, texts in refused.errors.items()}
        raise


def _customer(customer_id: int | None, given: report.Report) -> Customer | None:
    """The customer named, where the caller may name one and the machine is that customer's."""
    if customer_id is None:
        return None
    somebody = person()
    if somebody is None or not (somebody.has(*TAKERS) or somebody.customer_id == customer_id):
        raise Forbidden(code="customer_not_yours")
    customer = customer_by_id(customer_id)
    if customer is None:
        raise Invalid({"customer_id": [_l("There is no such customer.")]})
    asset = asset_by_id(given.asset_id) if given.asset_id else None
    if asset is not None and asset.customer_id != customer.id:
        raise Invalid({"customer_id": [_l("This machine belongs to another customer.")]})
    return customer


@blueprint.get("/service-requests")
@roles(*READERS)
@blueprint.arguments(RequestQuery, location="query")
@blueprint.alt_response(200, schema=RequestPageSchema)
def list_all(args: dict[str, Any]) -> Response:
    """Requests the person may see, newest first."""
    filters = Filters.read({name: args[name] for name in ("status", "station", "priority", "q")})
    statement = listing.columns(narrowed(current(), filters))
    return page(
        statement, ServiceRequest.id, listing.told, limit=args["limit"], cursor=args["cursor"], count=args["count"]
    )


@blueprint.get("/service-requests/<number>")
@roles(*READERS)
@blueprint.alt_response(200, schema=RequestSchema)
def one(number: str) -> Response:
    """A request."""
    return jsonify(RequestSchema().dump(queries.request_by_number(number, current())))


@blueprint.post("/service-requests/<number>/moves")
@roles(*TAKERS)
@blueprint.arguments(MoveSchema)
@blueprint.alt_response(200, schema=RequestSchema)
def move(args: dict[str, Any], number: str) -> Response:
    """A wished move of state; what is not possible is 409 and tells what would be."""
    queries.request_by_number(number, current())  # another station's is not even told whether its key was used
    return perform(lambda: _moved(queries.request_by_number(number, current()), args), RequestSchema(), 200)


def _moved(found: ServiceRequest, args: dict[str, Any]) -> ServiceRequest:
    possible = _possible(found)
    if args["to"] not in possible:
        raise Conflict(
            _l("This step is not possible from the present state."),
            code="move_forbidden", state=found.state, to=args["to"], allowed=possible,
        )  # fmt: skip
    MOVES[args["to"]](found, args)
    return found


def _possible(found: ServiceRequest) -> list[str]:
    """What the table allows by this call; remote help begins by looking at the request."""
    steps = set(found.lifecycle.moves.get(found.state, ()))
    if "triaged" in steps:
        steps.add("remote")
    return sorted(steps & MOVES.keys())


def _duplicate(found: ServiceRequest, args: dict[str, Any]) -> None:
    services.mark_duplicate(found, queries.request_by_number(args["duplicate_of"], current()), now())


# A move to "converted" makes a work order: that is what POST …/triage is for.
MOVES: dict[str, Callable[[ServiceRequest, dict[str, Any]], Any]] = {
    "triaged": lambda found, _args: services.set_triaged(found, now()),
    "remote": lambda found, _args: services.help_remotely(found, now()),
    "restored": lambda found, _args: services.note_restored(found, now()),
    "resolved": lambda found, _args: services.resolve(found, now()),
    "closed": lambda found, _args: services.close(found, now()),
    "reopened": lambda found, args: services.reopen(found, args["reason"], now()),
    "cancelled": lambda found, args: services.cancel(found, args["reason"], now()),
    "duplicate": _duplicate,
}
