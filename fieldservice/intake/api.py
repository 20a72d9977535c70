"""Service requests as JSON."""

import secrets
from typing import Any

from flask import Response, g, jsonify
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from fieldservice.assets.models import Asset
from fieldservice.customers.models import Customer
from fieldservice.foundation.access import current, person, public, roles
from fieldservice.foundation.api import ApiBlueprint, page, perform
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.web import limiter
from fieldservice.intake import queries, report, services
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.schemas import (
    MoveSchema,
    ReceivedSchema,
    ReportSchema,
    RequestQuery,
    RequestSchema,
    tracking_url,
)
from fieldservice.intake.views import PUBLIC_RATE, READERS, TAKERS
from fieldservice.mechanisms import clocks

blueprint = ApiBlueprint("service_requests", __name__, "Service requests: reports and their way")


@blueprint.post("/service-requests")
@public
@limiter.limit(PUBLIC_RATE, exempt_when=lambda: person() is not None)
@blueprint.arguments(ReportSchema)
@blueprint.alt_response(201, schema=ReceivedSchema)
def create(args: dict[str, Any]) -> Response:
    """Report a fault. Without a token it is the public form: strict rate, no customer of choice."""
    staff = (somebody := person()) is not None and somebody.has(*TAKERS)
    if args["customer_id"] is not None and not staff:
        raise Forbidden(code="customer_not_yours")
    contact, site = args["contact"], args["site"]
    given = report.read(
        {
            "name": contact["name"], "phone": contact["phone"], "email": contact["email"], "description": args["description"],
            "severity": args["severity"], "serial": args["asset_serial"], **site,
        }
    )  # fmt: skip
    asset_id = given.asset.id if given.asset is not None else None
    if person() is None:
        g.actor = "customer"
    key = secrets.token_hex(16)

    def work() -> ServiceRequest:
        customer = session.get(Customer, args["customer_id"]) if args["customer_id"] is not None else None
        if args["customer_id"] is not None and customer is None:
            raise Invalid({"customer_id": [_l("There is no such customer.")]})
        return services.report_fault(
            channel=args["channel"], contact_name=given.contact_name, contact_phone=given.contact_phone,
            contact_email=given.contact_email, description=given.description, severity=given.severity, serial=given.serial,
            asset=session.get(Asset, asset_id) if asset_id is not None else None, customer=customer, place=given.place,
            language=args["language"], receipt_key=key, at=now(),
        )  # fmt: skip

    return perform(
        work, ReceivedSchema(), secret=("tracking_url",), refill=lambda kept: {**kept, "tracking_url": tracking_url(kept["number"])}
    )


@blueprint.get("/service-requests")
@roles(*READERS)
@blueprint.arguments(RequestQuery, location="query")
def listed(args: dict[str, Any]) -> Response:
    """Requests the person may see, newest first."""
    filters = queries.Filters.read({name: args[name] for name in ("status", "station", "priority", "q")})
    statement = queries.narrowed(current(), filters).options(joinedload(ServiceRequest.station), joinedload(ServiceRequest.asset))
    schema = RequestSchema()
    return page(
        statement, ServiceRequest.id, schema, limit=args["limit"], cursor=args["cursor"], count=args["count"],
        prepare=lambda rows: setattr(schema, "clocks", clocks.of_many(ServiceRequest.subject_type, [row.id for row in rows])),
    )  # fmt: skip


@blueprint.get("/service-requests/<number>")
@roles(*READERS)
def one(number: str) -> Response:
    """A request."""
    return jsonify(RequestSchema().dump(queries.request_by_number(number, current())))


@blueprint.post("/service-requests/<number>/moves")
@roles(*TAKERS)
@blueprint.arguments(MoveSchema)
def move(args: dict[str, Any], number: str) -> Response:
    """A wished move of state; what the table does not allow is 409 with what it would."""
    return perform(lambda: _moved(queries.request_by_number(number, current()), args), RequestSchema(), 200)


def _moved(found: ServiceRequest, args: dict[str, Any]) -> ServiceRequest:
    at, to = now(), args["to"]
    match to:
        case "remote":
            services.help_remotely(found, at)
        case "restored":
            services.note_restored(found, at)
        case "resolved":
            services.resolve(found, at)
        case "closed":
            services.close(found, at)
        case "reopened":
            services.reopen(found, args["reason"], at)
        case "cancelled":
            services.cancel(found, args["reason"], at)
        case "duplicate":
            of = queries.request_by_number(args["duplicate_of"], current())
            services.mark_duplicate(found, of, at)
        case _:
            _refuse(found, to)
    if found.state != to:
        _refuse(found, to)
    return found


def _refuse(found: ServiceRequest, to: str) -> None:
    allowed = sorted(found.lifecycle.moves.get(found.state, ()))
    raise Conflict(
        _l("This step is not possible from the present state."), code="move_forbidden", state=found.state, to=to, allowed=allowed
    )

