"""What comes in and goes out of the JSON call that reserves a part for an order."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.formats import decimal_text
from fieldservice.parts.availability.models import Reservation
from fieldservice.parts.availability.schemas import quantity_field

Length = ma.validate.Length


class ReservationSchema(ma.Schema):
    """So much for an order, in a place of its station; `take` from less urgent orders, as the policy allows."""

    class Meta:
        unknown = ma.RAISE

    work_order = ma.fields.String(required=True, validate=Length(min=1, max=20))
    place = ma.fields.String(required=True, validate=Length(min=1, max=40), metadata={"description": "its code"})
    quantity = quantity_field(required=True)
    need_at = ma.fields.AwareDateTime(load_default=None, metadata={"description": "now, where it is not told"})
    take = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ReservedSchema(ma.Schema):
    """A reservation."""

    id = ma.fields.Integer()
    part = ma.fields.String()
    work_order = ma.fields.String()
    place = ma.fields.String()
    quantity = ma.fields.String(metadata={"description": "decimal"})
    need_at = ma.fields.AwareDateTime()
    state = ma.fields.String()


def told(made: Reservation, order: str) -> dict[str, Any]:
    """A reservation as its schema describes it."""
    return {
        "id": made.id, "part": made.part.number, "work_order": order, "place": made.location.code,
        "quantity": decimal_text(made.quantity), "need_at": made.need_at, "state": made.state,
    }  # fmt: skip
