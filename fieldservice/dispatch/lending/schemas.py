"""What comes in and goes out of the JSON calls about lendings (CONTRACT §3)."""

from typing import Any

import marshmallow as ma

from fieldservice.dispatch.lending import services
from fieldservice.dispatch.lending.queries import SHOWN
from fieldservice.dispatch.schemas import Moment, Strict, TechnicianSchema
from fieldservice.foundation.api import ListQuery
from fieldservice.workorders.queries import LARGEST_ID

MOVES = ("agreed", "refused", "withdrawn", "ended")


class LendingQuery(ListQuery):
    """Which lendings."""

    show = ma.fields.String(load_default="", validate=ma.validate.OneOf(["", *SHOWN]))


class LendingWishSchema(Strict):
    """Whom a station asks another one for, and from when until when."""

    to_station = ma.fields.String(
        required=True, validate=ma.validate.Length(1, 12), metadata={"description": "Code of a station you plan."}
    )
    from_station = ma.fields.String(required=True, validate=ma.validate.Length(1, 12))
    technician_id = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(1, LARGEST_ID))
    skills = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(1, 32)),
        values=ma.fields.Integer(strict=True, validate=ma.validate.Range(1, 3)),
        load_default=dict,
        validate=ma.validate.Length(max=services.MOST_SKILLS),
        metadata={"description": "Skill → least level; instead of a technician, or of whom he must be."},
    )
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    words = ma.fields.String(load_default="", validate=ma.validate.Length(max=services.MOST_WORDS))


class LendingMoveSchema(Strict):
    """A step, named by its target state."""

    to = ma.fields.String(required=True, validate=ma.validate.OneOf(MOVES))
    technician_id = ma.fields.Integer(
        load_default=None, strict=True, validate=ma.validate.Range(1, LARGEST_ID),
        metadata={"description": "agreed: whom to lend, where skills were asked for."},
    )  # fmt: skip
    keep = ma.fields.Boolean(
        load_default=False, metadata={"description": "agreed: visits for other stations stay with the technician."}
    )
    lodges = ma.fields.Boolean(
        load_default=None, metadata={"description": "agreed: sleeps near the borrowing station; left out: by distance."}
    )
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=services.MOST_WORDS))


# Answers ------------------------------------------------------------------------------------------


class LendingSchema(ma.Schema):
    """A lending. Money in minor units (CNY)."""

    id = ma.fields.Integer()
    state = ma.fields.String()
    from_station = ma.fields.String(attribute="station.code")
    to_station = ma.fields.String(attribute="to_station.code")
    technician = ma.fields.Nested(TechnicianSchema, allow_none=True)
    skills = ma.fields.Dict()
    starts_at = Moment()
    ends_at = Moment()
    words = ma.fields.String()
    lodges = ma.fields.Boolean()
    planned_cost = ma.fields.Integer(allow_none=True)
    actual_cost = ma.fields.Integer(allow_none=True)
    asked_at = Moment()
    agreed_at = Moment(allow_none=True)


class LendingListSchema(ma.Schema):
    """A page of lendings."""

    items = ma.fields.List(ma.fields.Nested(LendingSchema))
    next_cursor = ma.fields.String(allow_none=True)
    total = ma.fields.Integer()


class CostSchema(ma.Schema):
    """What hours, further ways and nights come to."""

    minutes = ma.fields.Integer()
    km = ma.fields.Integer()
    nights = ma.fields.Integer()
    work = ma.fields.Integer()
    travel = ma.fields.Integer()
    lodging = ma.fields.Integer()
    total = ma.fields.Integer()


class InTheWaySchema(ma.Schema):
    """A visit that would have to go to somebody else first, or be kept."""

    visit = ma.fields.Integer(attribute="visit_id")
    work_order = ma.fields.String(attribute="number")
    state = ma.fields.String()
    starts_at = Moment()
    ends_at = Moment()


class CoverSchema(ma.Schema):
    """A skill he takes along; how many others on duty have it at that level."""

    skill = ma.fields.String()
    level = ma.fields.Integer()
    others = ma.fields.Integer()


class ProspectSchema(ma.Schema):
    """What would come of lending this technician."""

    technician = ma.fields.Nested(TechnicianSchema, attribute="member")
    minutes = ma.fields.Integer()
    visits = ma.fields.List(ma.fields.Nested(InTheWaySchema))
    cover = ma.fields.List(ma.fields.Nested(CoverSchema))
    further_minutes = ma.fields.Integer(attribute="way.further_minutes")
    lodges = ma.fields.Boolean()
    cost = ma.fields.Nested(CostSchema)


class LendingInFullSchema(LendingSchema):
    """With what would come of it (`prospects`, while it is asked and you may answer), or what was worked so far."""

    prospects = ma.fields.List(ma.fields.Nested(ProspectSchema))
    worked = ma.fields.Nested(CostSchema, allow_none=True)


def told(lendings: Any) -> list[dict[str, Any]]:
    """Rows of a list as they are answered."""
    answered: list[dict[str, Any]] = LendingSchema(many=True).dump(lendings)
    return answered
