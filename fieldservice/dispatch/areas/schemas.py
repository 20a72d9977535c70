"""What comes in and goes out of the JSON calls about slow areas (CONTRACT §3)."""

import marshmallow as ma

from fieldservice.dispatch.areas import services
from fieldservice.dispatch.schemas import Moment, Strict


class AreaSchema(Strict):
    """An outline with how slow it is there and until when."""

    station = ma.fields.String(
        required=True, validate=ma.validate.Length(1, 12), metadata={"description": "Code of a station you plan."}
    )
    name = ma.fields.String(required=True, validate=ma.validate.Length(max=services.MOST_NAME))
    corners = ma.fields.List(
        ma.fields.List(ma.fields.Float(), validate=ma.validate.Length(equal=2)),
        required=True,
        validate=ma.validate.Length(services.CORNERS[0], services.CORNERS[1] + 1),
        metadata={"description": "[latitude, longitude] in WGS-84, in their order."},
    )
    factor = ma.fields.Float(required=True, metadata={"description": "Times as long; more than 1, at most 10."})
    starts_at = Moment(load_default=None, metadata={"description": "Left out: now."})
    until = Moment(required=True)


# Answers ------------------------------------------------------------------------------------------


class AreaShownSchema(ma.Schema):
    """A slow area."""

    id = ma.fields.Integer()
    station_id = ma.fields.Integer()
    name = ma.fields.String()
    corners = ma.fields.List(ma.fields.List(ma.fields.Float()))
    factor = ma.fields.Float()
    starts_at = Moment()
    until = Moment()
    ended_at = Moment()


class TouchedSchema(ma.Schema):
    """A planned visit whose technician comes that much too late."""

    visit = ma.fields.Integer(attribute="visit.id")
    work_order = ma.fields.String(attribute="visit.work_order.number")
    technician_id = ma.fields.Integer(attribute="visit.technician_id")
    station_id = ma.fields.Integer(attribute="visit.station_id")
    starts_at = Moment(attribute="visit.starts_at")
    travel_min = ma.fields.Integer()
    missing_min = ma.fields.Integer()


class AnewSchema(ma.Schema):
    """What to ask `POST /dispatch/plans` for."""

    date = ma.fields.Date(attribute="first_day")
    days = ma.fields.Integer()
    stations = ma.fields.List(ma.fields.String())


class DrawnSchema(ma.Schema):
    """The new area, planned visits of your stations that it makes late, and the plan that would help them."""

    area = ma.fields.Nested(AreaShownSchema)
    touched = ma.fields.List(ma.fields.Nested(TouchedSchema))
    anew = ma.fields.Nested(AnewSchema, allow_none=True)
