"""What comes in and goes out of the JSON calls about triage and work orders (CONTRACT §3)."""

from typing import Any

import marshmallow as ma

from fieldservice.foundation.api import ListQuery
from fieldservice.mechanisms.clocks import ClockView
from fieldservice.workorders import orders, queries
from fieldservice.workorders.opening import MOST_PARTS, MOST_QUANTITY, MOST_SKILLS
from fieldservice.workorders.rescue.services import COVERAGES, LARGEST, MOST_WAIVER
from fieldservice.workorders.sheets import OrderSheet

Length, Range = ma.validate.Length, ma.validate.Range


class Strict(ma.Schema):
    """Bodies: an unknown field is a mistake."""

    class Meta:
        unknown = ma.RAISE


# In -------------------------------------------------------------------------------------------------


class NeededPartSchema(Strict):
    """A part to take along; a required one must be at hand before a visit is booked."""

    number = ma.fields.String(required=True, validate=Length(1, 60))
    quantity = ma.fields.Decimal(
        required=True, allow_nan=False, validate=Range(min=0, max=MOST_QUANTITY, min_inclusive=False),
        metadata={"minimum": 0.001, "maximum": int(MOST_QUANTITY)},  # as numbers, which a Decimal is not in JSON
    )  # fmt: skip
    required = ma.fields.Boolean(load_default=False)


class TriageSchema(Strict):
    """What a request becomes; `required_skills` and `parts` replace what the work type brings."""

    priority = ma.fields.String(required=True, validate=Length(1, 2))
    work_type = ma.fields.String(required=True, validate=Length(1, 40))
    reason = ma.fields.String(load_default="", validate=Length(max=300))
    required_skills = ma.fields.Dict(
        keys=ma.fields.String(validate=Length(1, 40)), values=ma.fields.Integer(strict=True, validate=Range(1, 3)),
        load_default=None, allow_none=True, validate=Length(max=MOST_SKILLS),
    )  # fmt: skip
    parts = ma.fields.List(
        ma.fields.Nested(NeededPartSchema), load_default=None, allow_none=True, validate=Length(max=MOST_PARTS)
    )
    planned_for = ma.fields.Date(load_default=None, allow_none=True, metadata={"description": "P4 only"})
    brand = ma.fields.String(
        load_default="", validate=Length(max=80), metadata={"description": "of another maker's machine we do not know"}
    )
    their_hours = ma.fields.Float(
        load_default=None, allow_none=True, validate=Range(min=0.1, max=8784),
        metadata={"description": "until its maker would come, as the customer was told"},
    )  # fmt: skip


class OrderMoveSchema(Strict):
    """A wished state: on_hold, ready, cannot_complete, cancelled, closed. The others follow from the visits."""

    to = ma.fields.String(required=True, validate=Length(1, 24))
    reason = ma.fields.String(load_default="", validate=Length(max=300))


class ApprovalSchema(Strict):
    """The manager's word about a rescue. No waiver means the usual text; an estimate belongs to paid work."""

    decision = ma.fields.String(required=True, validate=ma.validate.OneOf(("approved", "refused")))
    coverage = ma.fields.String(load_default="", validate=ma.validate.OneOf(("", *COVERAGES)))
    estimate_minor = ma.fields.Integer(strict=True, load_default=None, allow_none=True, validate=Range(1, LARGEST))
    waiver = ma.fields.String(load_default=None, allow_none=True, validate=Length(max=MOST_WAIVER))
    reason = ma.fields.String(load_default="", validate=Length(max=300))


class OrderQuery(ListQuery):
    """Filters of the list; `status` is open, all or a state."""

    status = ma.fields.String(load_default="open", validate=Length(max=24))
    station = ma.fields.String(load_default="", validate=Length(max=12))
    priority = ma.fields.String(load_default="", validate=Length(max=2))
    technician = ma.fields.Integer(load_default=None, validate=Range(1, queries.LARGEST_ID - 1))
    due_before = ma.fields.String(load_default="", validate=Length(max=40))
    q = ma.fields.String(load_default="", validate=Length(max=80))


# Out ------------------------------------------------------------------------------------------------


class OrderClockSchema(ma.Schema):
    """A promise as it stands."""

    kind = ma.fields.String()
    state = ma.fields.String()
    due_at = ma.fields.AwareDateTime()
    quoted_at = ma.fields.AwareDateTime(allow_none=True)
    remaining_min = ma.fields.Function(lambda view: _minutes(view))


class OrderTechnicianSchema(ma.Schema):
    """Who goes."""

    id = ma.fields.Integer()
    names = ma.fields.Dict()
    station_id = ma.fields.Integer()


class OrderVisitSchema(ma.Schema):
    """A visit inside its order; `etag` is its version for If-Match."""

    id = ma.fields.Integer()
    state = ma.fields.String()
    technician = ma.fields.Nested(OrderTechnicianSchema)
    starts_at = ma.fields.AwareDateTime()
    ends_at = ma.fields.AwareDateTime()
    window_starts_at = ma.fields.AwareDateTime()
    window_ends_at = ma.fields.AwareDateTime()
    eta_at = ma.fields.AwareDateTime(allow_none=True)
    on_site_at = ma.fields.AwareDateTime(allow_none=True)
    finished_at = ma.fields.AwareDateTime(allow_none=True)
    restored = ma.fields.Boolean(allow_none=True)
    end_reason = ma.fields.String(allow_none=True)
    etag = ma.fields.String(attribute="version")


class OrderFactsSchema(ma.Schema):
    """What every answer tells of a work order."""

    number = ma.fields.String()
    request = ma.fields.String(attribute="request.number", dump_default=None, allow_none=True)
    station = ma.fields.String(attribute="station.code")
    title = ma.fields.String()
    state = ma.fields.String()
    priority = ma.fields.String()
    kind = ma.fields.String()
    work_type = ma.fields.String()
    duration_min = ma.fields.Integer()
    skills = ma.fields.Dict()
    certificates = ma.fields.List(ma.fields.String())
    customer = ma.fields.Dict(attribute="customer.names", dump_default=None, allow_none=True)
    customer_id = ma.fields.Integer(allow_none=True)
    asset_serial = ma.fields.String(attribute="asset.serial", dump_default=None, allow_none=True)
    created_at = ma.fields.AwareDateTime()
    completed_at = ma.fields.AwareDateTime(allow_none=True)
    closed_at = ma.fields.AwareDateTime(allow_none=True)
    etag = ma.fields.String(attribute="version")


class OrderSchema(OrderFactsSchema):
    """A work order in lists, with its next promise and its visit, as `listing.told` makes it."""

    due_at = ma.fields.AwareDateTime(allow_none=True)
    visit = ma.fields.Nested(OrderVisitSchema, allow_none=True)


class OrderPageSchema(ma.Schema):
    """A page of the list."""

    items = ma.fields.List(ma.fields.Nested(OrderSchema))
    next_cursor = ma.fields.String(allow_none=True)
    total = ma.fields.Integer()


class OrderPartSchema(ma.Schema):
    """A part of the order: planned, fitted, and where it came from."""

    number = ma.fields.String(attribute="part.number")
    names = ma.fields.Dict(attribute="part.names")
    planned = ma.fields.Function(lambda line: None if line.planned is None else float(line.planned))
    fitted = ma.fields.Function(lambda line: float(line.fitted))
    source = ma.fields.String()
    required = ma.fields.Boolean()


class OrderItemSchema(ma.Schema):
    """Something left to do."""

    words = ma.fields.String()
    required = ma.fields.Boolean()
    done_at = ma.fields.AwareDateTime(allow_none=True)


class OrderAnswerSchema(ma.Schema):
    """A checklist field with its answer, in words."""

    label = ma.fields.String()
    value = ma.fields.String()
    tolerance = ma.fields.String()
    out_of_tolerance = ma.fields.Boolean(attribute="out")
    required = ma.fields.Boolean()


class OrderHistorySchema(ma.Schema):
    """Something that happened, as a sentence."""

    at = ma.fields.AwareDateTime()
    kind = ma.fields.String()
    text = ma.fields.String()
    who = ma.fields.String()
    note = ma.fields.String()


class RescueSchema(ma.Schema):
    """Whether another maker's machine may be worked on, and what is known of its maker."""

    state = ma.fields.String()
    brand = ma.fields.String()
    their_minutes = ma.fields.Integer(allow_none=True)
    asked_at = ma.fields.AwareDateTime()
    decided_at = ma.fields.AwareDateTime(allow_none=True)
    estimate_minor = ma.fields.Integer(attribute="estimate", allow_none=True)
    waiver = ma.fields.String()
    reason = ma.fields.String()


class PaidLineSchema(ma.Schema):
    """A line of an order: what was done, who pays it and why."""

    line = ma.fields.String(attribute="line.key")
    kind = ma.fields.String(attribute="line.kind")
    name = ma.fields.String()
    marks = ma.fields.String()
    quantity = ma.fields.String()
    coverage = ma.fields.String(attribute="line.decision.coverage")
    reason = ma.fields.String()
    worth_minor = ma.fields.Integer(attribute="line.worth")
    pays_minor = ma.fields.Integer(attribute="pays")


class OrderSheetSchema(OrderFactsSchema):
    """A work order by itself, with visits, clocks, parts, coverage and history."""

    summary = ma.fields.String()
    technical_note = ma.fields.String()
    description = ma.fields.String(attribute="request.description", dump_default=None)
    failure = ma.fields.Function(lambda sheet: {namespace: code for namespace, code, _word in sheet.codes})
    visits = ma.fields.List(ma.fields.Nested(OrderVisitSchema))
    clocks = ma.fields.List(ma.fields.Nested(OrderClockSchema), attribute="promises")
    parts = ma.fields.List(ma.fields.Nested(OrderPartSchema))
    open_items = ma.fields.List(ma.fields.Nested(OrderItemSchema), attribute="follow_ups")
    checklist = ma.fields.List(ma.fields.Nested(OrderAnswerSchema))
    coverage = ma.fields.Function(lambda sheet: {"code": sheet.order.coverage, "reason": sheet.coverage})
    lines = ma.fields.List(ma.fields.Nested(PaidLineSchema))
    to_pay_minor = ma.fields.Integer(attribute="to_pay")
    approval = ma.fields.Nested(RescueSchema, attribute="rescue.rescue", dump_default=None, allow_none=True)
    history = ma.fields.List(ma.fields.Nested(OrderHistorySchema))
    allowed = ma.fields.Function(lambda sheet: orders.allowed(sheet.order))

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The order's own fields stand at the top, beside what the sheet gathered about it."""
        own = super().get_attribute(obj.order, attr, default)
        return super().get_attribute(obj, attr, default) if own is ma.missing else own


def _minutes(view: ClockView) -> int:
    return round(view.remaining.total_seconds() / 60)


def dump_sheet(sheet: OrderSheet) -> dict[str, Any]:
    """A work order as JSON."""
    content: dict[str, Any] = OrderSheetSchema().dump(sheet)
    return content
