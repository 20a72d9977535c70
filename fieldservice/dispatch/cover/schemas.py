"""What comes in and goes out of the JSON calls about rosters."""

from typing import Any

import marshmallow as ma

from fieldservice.dispatch.cover.load import TeamLoad
from fieldservice.dispatch.cover.reading import Week
from fieldservice.dispatch.cover.telling import hole_told
from fieldservice.dispatch.filters import FIRST, LAST
from fieldservice.dispatch.schemas import Moment, Strict, TechnicianSchema


class WeekQuery(ma.Schema):
    """Any day of the week; the present one by default."""

    class Meta:
        unknown = ma.EXCLUDE

    week = ma.fields.Date(load_default=None, validate=ma.validate.Range(FIRST, LAST))


class PublishSchema(Strict):
    """Any day of the week to be published."""

    week = ma.fields.Date(required=True, validate=ma.validate.Range(FIRST, LAST))


class RosterShiftSchema(ma.Schema):
    """A shift, or time on call. `state`: draft, published, worked, locked."""

    id = ma.fields.Integer()
    technician = ma.fields.Nested(TechnicianSchema)
    station_id = ma.fields.Integer()
    starts_at = Moment()
    ends_at = Moment()
    on_call = ma.fields.Boolean()
    state = ma.fields.String()


class GapSchema(ma.Schema):
    """A time at which nobody would be there; whether a draft of the week before fills it."""

    day = ma.fields.Date()
    starts_at = ma.fields.DateTime()
    ends_at = ma.fields.DateTime()
    draft_of_week_before = ma.fields.Boolean()


class DayLoadSchema(ma.Schema):
    """Minutes booked and minutes there are; `warns` above the station's threshold."""

    day = ma.fields.Date()
    booked_min = ma.fields.Integer()
    capacity_min = ma.fields.Integer()
    percent = ma.fields.Integer(allow_none=True)
    warns = ma.fields.Boolean()


class RosterSchema(ma.Schema):
    """A station's week."""

    station = ma.fields.String()
    week = ma.fields.Date()
    published = ma.fields.Boolean()
    drafts = ma.fields.Integer()
    shifts = ma.fields.List(ma.fields.Nested(RosterShiftSchema))
    gaps = ma.fields.List(ma.fields.Nested(GapSchema))
    days = ma.fields.List(ma.fields.Nested(DayLoadSchema), data_key="load")


class PublishedSchema(ma.Schema):
    """What was published."""

    station = ma.fields.String()
    week = ma.fields.Date()
    published = ma.fields.Integer(metadata={"description": "How many drafts became shifts."})


def roster_told(week: Week, load: TeamLoad, threshold: float) -> dict[str, Any]:
    """What `RosterSchema` describes."""
    team = {one.id: {"id": one.id, "names": one.names, "station_id": one.station_id} for one in week.team}
    return {
        "station": week.station.code, "week": week.monday.isoformat(), "published": week.published,
        "drafts": len(week.drafts),
        "shifts": [
            {
                "id": one.id, "technician": team[one.technician_id], "station_id": one.station_id,
                "starts_at": one.starts_at, "ends_at": one.ends_at, "on_call": one.on_call, "state": one.state,
            }
            for one in week.turns
        ],
        "gaps": [hole_told(one) for one in week.holes],
        "load": [
            {
                "day": day.isoformat(), "booked_min": round(one.booked), "capacity_min": round(one.capacity),
                "percent": one.percent, "warns": one.above(threshold),
            }
            for day in week.days
            for one in [load.station(week.station.id, day)]
        ],
    }  # fmt: skip
