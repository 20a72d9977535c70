"""Reserving parts for orders as JSON (CONTRACT §3)."""

from typing import Any

from flask import Response
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.parts.posting import KEEPERS
from fieldservice.parts.queries import part_by_number, place_by_code
from fieldservice.store import schemas, sourcing

blueprint = ApiBlueprint("store", __name__, "Parts reserved for orders")


@blueprint.post("/parts/<number>/reservations")
@roles(*KEEPERS)
@blueprint.arguments(schemas.ReservationSchema)
@blueprint.alt_response(201, schema=schemas.ReservedSchema)
def reserve(args: dict[str, Any], number: str) -> Response:
    """Reserve it; once per Idempotency-Key. 409 `part_short` tells how much is free and when there is enough,
    `already_reserved` that the order holds it."""

    def work() -> dict[str, Any]:
        part, at = part_by_number(number[:40]), now()
        try:
            order = sourcing.order_at(args["work_order"], current(), *KEEPERS)
        except NotFound:
            raise Invalid(
                {"work_order": [_l("There is no such order in your stations. Check its number.")]}, code="unknown_order"
            ) from None
        try:
            place = place_by_code(args["place"], current(), *KEEPERS)
        except NotFound:
            raise _unknown_place() from None
        if place.station_id != order.station_id:  # nobody would look for it there: it is sent first
            raise _unknown_place()
        made = sourcing.reserve_at(
            order, part, place, args["quantity"], args["need_at"] or at, at, take=args["take"]
        )  # fmt: skip
        return schemas.told(made, order.number)

    return perform(work, schemas.ReservedSchema())


def _unknown_place() -> Invalid:
    message = _l("There is no such place in the order's station. Look at its label, or have it sent there.")
    return Invalid({"place": [message]}, code="unknown_place")
