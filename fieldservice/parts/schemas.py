"""What comes in and goes out of the JSON calls about parts."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.formats import decimal_text
from fieldservice.parts import pieces
from fieldservice.parts.posting import CAUSES

Length = ma.validate.Length


class StockMoveSchema(ma.Schema):
    """A move of so much of a part; `from` and `to` are codes of places, as their cause asks for."""

    class Meta:
        unknown = ma.RAISE

    part = ma.fields.String(required=True, validate=Length(min=1, max=40))
    quantity = ma.fields.Decimal(
        required=True, places=3, allow_nan=False,
        validate=ma.validate.Range(min=0, min_inclusive=False, max=100_000),
        metadata={"type": ["number", "string"], "minimum": 0, "maximum": 100_000},
    )  # fmt: skip
    cause = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(CAUSES)))
    source = ma.fields.String(data_key="from", load_default="", validate=Length(max=40))
    target = ma.fields.String(data_key="to", load_default="", validate=Length(max=40))
    batch = ma.fields.String(load_default="", validate=Length(max=60))
    serials = ma.fields.List(
        ma.fields.String(validate=Length(min=1, max=60)), load_default=list, validate=Length(max=pieces.MOST_SERIALS)
    )  # fmt: skip


class PostedMoveSchema(ma.Schema):
    """A posted move."""

    id = ma.fields.Integer()
    part = ma.fields.String()
    quantity = ma.fields.String(metadata={"description": "decimal"})
    cause = ma.fields.String()
    source = ma.fields.String(data_key="from", allow_none=True)
    target = ma.fields.String(data_key="to", allow_none=True)
    at = ma.fields.AwareDateTime()


def told(posted: Any, part: str, source: str | None, target: str | None) -> dict[str, Any]:
    """A move as its schema describes it."""
    return {
        "id": posted.id, "part": part, "quantity": decimal_text(posted.quantity), "cause": posted.cause,
        "source": source or None, "target": target or None, "at": posted.at,
    }  # fmt: skip
