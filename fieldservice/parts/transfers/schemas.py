"""What comes in and goes out of the JSON calls about transfers."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.formats import decimal_text
from fieldservice.parts.availability.schemas import quantity_field
from fieldservice.parts.transfers import services
from fieldservice.parts.transfers.models import Transfer

Length = ma.validate.Length


class LineSchema(ma.Schema):
    """So much of a part."""

    class Meta:
        unknown = ma.RAISE

    part = ma.fields.String(required=True, validate=Length(min=1, max=40))
    quantity = quantity_field(required=True)


class TransferSchema(ma.Schema):
    """What is to be sent from one place to another; `approve` where the caller keeps the place it leaves."""

    class Meta:
        unknown = ma.RAISE

    source = ma.fields.String(data_key="from", required=True, validate=Length(min=1, max=40))
    target = ma.fields.String(data_key="to", required=True, validate=Length(min=1, max=40))
    lines = ma.fields.List(
        ma.fields.Nested(LineSchema), required=True, validate=Length(min=1, max=services.MOST_LINES)
    )  # fmt: skip
    expected_at = ma.fields.AwareDateTime(required=True)
    carrier = ma.fields.String(load_default="", validate=Length(max=60))
    tracking = ma.fields.String(load_default="", validate=Length(max=60))
    approve = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class OpenedSchema(ma.Schema):
    """A transfer as it was opened."""

    number = ma.fields.String()
    state = ma.fields.String()
    source = ma.fields.String(data_key="from")
    target = ma.fields.String(data_key="to")
    expected_at = ma.fields.AwareDateTime()
    lines = ma.fields.List(ma.fields.Dict(keys=ma.fields.String()))


def told(opened: Transfer, source: str, target: str) -> dict[str, Any]:
    """A transfer as its schema describes it."""
    lines = [{"part": line.part.number, "quantity": decimal_text(line.quantity)} for line in opened.lines]
    return {
        "number": opened.number, "state": opened.state, "source": source, "target": target,
        "expected_at": opened.expected_at, "lines": lines,
    }  # fmt: skip
