"""What comes in and goes out of the JSON calls about opportunities."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.api import ListQuery
from fieldservice.sales import queries, services

Length, Range = ma.validate.Length, ma.validate.Range


class OpportunityQuery(ListQuery):
    """Filters of the list; `status` is open, all or a state."""

    status = ma.fields.String(load_default="open", validate=Length(max=24))
    station = ma.fields.String(load_default="", validate=Length(max=12))


class OpportunityMoveSchema(ma.Schema):
    """A wished state with what belongs to it: a value when quoted, a reason when lost."""

    class Meta:
        unknown = ma.RAISE

    to = ma.fields.String(required=True, validate=ma.validate.OneOf(("qualified", "quoted", "won", "lost")))
    value_minor = ma.fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=Range(0, services.LARGEST)
    )  # fmt: skip
    reason = ma.fields.String(load_default="", validate=Length(max=300))


class OpportunitySchema(ma.Schema):
    """An opportunity in lists."""

    number = ma.fields.String()
    state = ma.fields.String()
    origin = ma.fields.String()
    station = ma.fields.String(attribute="station.code")
    work_order = ma.fields.String(attribute="work_order.number")
    customer = ma.fields.Dict(attribute="customer.names", dump_default=None, allow_none=True)
    value_minor = ma.fields.Integer(attribute="value", allow_none=True)
    reason = ma.fields.String()
    opened_at = ma.fields.AwareDateTime()
    decided_at = ma.fields.AwareDateTime(allow_none=True)
    etag = ma.fields.String(attribute="version")


class OpportunityPageSchema(ma.Schema):
    """A page of the list."""

    items = ma.fields.List(ma.fields.Nested(OpportunitySchema))
    next_cursor = ma.fields.String(allow_none=True)
    total = ma.fields.Integer()


ADVANTAGE = {
    "description": "our time against the maker's, in hours, and the standstill saved in minor units (X-02)",
    "type": ["object", "null"],
    "properties": {
        "competitor": {"type": "string"},
        **{name: {"type": ["number", "null"]} for name in ("their_hours", "our_hours", "advantage_hours")},
        "saved_minor": {"type": ["integer", "null"]},
    },
}


class OpportunitySheetSchema(OpportunitySchema):
    """An opportunity by itself, with what our speed was worth and what may come next."""

    advantage = ma.fields.Function(lambda sheet: _advantage(sheet), metadata=ADVANTAGE)
    allowed = ma.fields.List(ma.fields.String(), attribute="moves")

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The opportunity's own fields stand at the top, beside what the sheet gathered about it."""
        own = super().get_attribute(obj.found, attr, default)
        return super().get_attribute(obj, attr, default) if own is ma.missing else own


def dump_sheet(sheet: queries.OpportunitySheet) -> dict[str, Any]:
    """An opportunity as JSON."""
    content: dict[str, Any] = OpportunitySheetSchema().dump(sheet)
    return content


def _advantage(sheet: queries.OpportunitySheet) -> dict[str, Any] | None:
    if sheet.rescue is None:
        return None
    found = sheet.advantage
    return {
        "competitor": sheet.rescue.brand, "their_hours": _hours(sheet.rescue.their_minutes),
        "our_hours": _hours(sheet.our_minutes), "advantage_hours": _hours(found.minutes if found else None),
        "saved_minor": found.saved if found else None,
    }  # fmt: skip


def _hours(minutes: int | None) -> float | None:
    return None if minutes is None else round(minutes / 60, 2)
