"""What comes in and goes out of the JSON calls about stock at customers."""

from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from fieldservice.foundation.api import ListQuery
from fieldservice.foundation.formats import decimal_text
from fieldservice.parts.consignment.models import NEVER, ConsignmentReading

Length = ma.validate.Length
MOST = 100_000


class StockQuery(ListQuery):
    """Which customer's stock: by the code of the place."""

    place = ma.fields.String(load_default="", validate=Length(max=40))


class StockSchema(ma.Schema):
    """A part at a customer's place, and how long it lasts."""

    place = ma.fields.String()
    part = ma.fields.String()
    unit = ma.fields.String()
    stock = ma.fields.String(metadata={"description": "decimal, as reckoned for today"})
    daily_use = ma.fields.Float()
    days_left = ma.fields.Float(allow_none=True)
    runs_out_on = ma.fields.Date(allow_none=True)
    target_days = ma.fields.Integer()
    read_on = ma.fields.Date(allow_none=True)
    released = ma.fields.Integer(metadata={"description": "minor units"})


class StockPageSchema(ma.Schema):
    """A page of them."""

    items = ma.fields.List(ma.fields.Nested(StockSchema))
    next_cursor = ma.fields.String(allow_none=True)
    total = ma.fields.Integer()


class ReadingSchema(ma.Schema):
    """What lies at a customer's place. `sure` where more is read than should lie there."""

    class Meta:
        unknown = ma.RAISE

    place = ma.fields.String(required=True, validate=Length(min=1, max=40))
    part = ma.fields.String(required=True, validate=Length(min=1, max=40))
    counted = ma.fields.Decimal(
        required=True, places=3, allow_nan=False, validate=ma.validate.Range(min=0, max=MOST),
        metadata={"type": ["number", "string"], "minimum": 0, "maximum": MOST},
    )  # fmt: skip
    on = ma.fields.Date(load_default=None)
    sure = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ReadSchema(ma.Schema):
    """A reading as it was kept; `awaiting` where a manager decides about what was found."""

    place = ma.fields.String()
    part = ma.fields.String()
    on = ma.fields.Date()
    counted = ma.fields.String(metadata={"description": "decimal"})
    used = ma.fields.String(metadata={"description": "decimal, since the reading before"})
    state = ma.fields.String()
    days_left = ma.fields.Float(allow_none=True)


def told_lines(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Lines as their schema describes them."""
    return [
        {
            "place": row.location.code, "part": row.part.number, "unit": row.part.unit,
            "stock": decimal_text(row.stock), "daily_use": round(row.daily_use, 3),
            "days_left": None if row.days_left is None else round(row.days_left, 2),
            "runs_out_on": None if row.runs_out_on == NEVER else row.runs_out_on.isoformat(),
            "target_days": row.target_days, "read_on": row.read_on.isoformat() if row.read_on else None,
            "released": row.released,
        }
        for (row, *_rest) in rows
    ]  # fmt: skip


def told(reading: ConsignmentReading) -> dict[str, Any]:
    """A reading as its schema describes it."""
    line = reading.line
    return {
        "place": line.location.code, "part": line.part.number, "on": reading.on_day,
        "counted": decimal_text(reading.counted), "used": decimal_text(reading.used), "state": reading.state,
        "days_left": None if line.days_left is None else round(line.days_left, 2),
    }  # fmt: skip
