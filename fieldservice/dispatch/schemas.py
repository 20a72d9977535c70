"""What comes in and goes out of the JSON calls about suggestions, visits and the board (CONTRACT §3)."""

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch.filters import FIRST, LAST
from fieldservice.foundation.time import at_local
from fieldservice.workorders.queries import LARGEST_ID

MOST_DAYS = 14
MOST_MOVES = 20  # dragged together


class Moment(ma.fields.Field[datetime]):
    """RFC 3339 with offset; a bare date means its local midnight."""

    default_error_messages = {"invalid": _l("Give a time with offset, such as 2026-11-25T14:30:00+08:00.")}

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.isoformat() if value is not None else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            if not FIRST <= moment.date() <= LAST or (moment.tzinfo is None and len(value) != 10):
                raise ValueError
            return moment.astimezone(UTC) if moment.tzinfo else at_local(moment.date())
        except (ValueError, TypeError, OverflowError):
            raise self.make_error("invalid") from None


class Strict(ma.Schema):
    """Bodies: an unknown field is a mistake."""

    class Meta:
        unknown = ma.RAISE


class SuggestionQuery(ma.Schema):
    """From when to when, and how many."""

    class Meta:
        unknown = ma.EXCLUDE

    start = Moment(data_key="from", load_default=None)
    end = Moment(data_key="to", load_default=None)
    limit = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 200))


class BoardQuery(ma.Schema):
    """Which days of which station."""

    class Meta:
        unknown = ma.EXCLUDE

    day = ma.fields.Date(data_key="date", load_default=None, validate=ma.validate.Range(FIRST, LAST))
    days = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, MOST_DAYS))
    station = ma.fields.String(load_default="", validate=ma.validate.Length(max=12))


class VisitBookingSchema(Strict):
    """A visit to be booked."""

    work_order = ma.fields.String(required=True, validate=ma.validate.Length(1, 20))
    technician_id = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, LARGEST_ID))
    starts_at = Moment(required=True)
    duration_min = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(5, 1440))


class MoveSchema(Strict):
    """On the board: a visit, or an order that waits, to this technician then."""

    visit_id = ma.fields.Integer(
        data_key="visit", load_default=None, strict=True, validate=ma.validate.Range(1, LARGEST_ID)
    )
    order = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))
    version = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(0, LARGEST_ID))
    technician_id = ma.fields.Integer(
        required=True, data_key="technician", strict=True, validate=ma.validate.Range(1, LARGEST_ID)
    )
    starts_at = Moment(required=True)
    duration_min = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(5, 1440))


class MovesSchema(Strict):
    """What is moved together."""

    moves = ma.fields.List(ma.fields.Nested(MoveSchema), required=True, validate=ma.validate.Length(1, MOST_MOVES))


class VisitChangeSchema(Strict):
    """Another time or technician; what is left out stays."""

    technician_id = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(1, LARGEST_ID))
    starts_at = Moment(load_default=None)
    duration_min = ma.fields.Integer(load_default=None, strict=True, validate=ma.validate.Range(5, 1440))

    @ma.validates_schema
    def _something(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if all(value is None for value in data.values()):
            raise ma.ValidationError(_l("Say what is to change: technician_id, starts_at or duration_min."))


class VisitStepSchema(Strict):
    """A step of a visit, named by its target state."""

    to = ma.fields.String(required=True, validate=ma.validate.Length(1, 24))
    at = Moment(load_default=None)
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=300))
    restored = ma.fields.Boolean(load_default=None)
    open_items = ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 300)), load_default=list)


# Answers ------------------------------------------------------------------------------------------


class TechnicianSchema(ma.Schema):
    """Somebody who can be sent."""

    id = ma.fields.Integer()
    names = ma.fields.Dict()
    station_id = ma.fields.Integer()


class SuggestionSchema(ma.Schema):
    """A technician at a time. `moves` stays empty: nobody else's visit is touched."""

    technician = ma.fields.Nested(TechnicianSchema, attribute="member")
    starts_at = Moment(attribute="slot.starts_at")
    ends_at = Moment(attribute="slot.ends_at")
    travel_min = ma.fields.Integer(attribute="slot.travel_min", allow_none=True)
    travel_about = ma.fields.Boolean(
        attribute="slot.about", metadata={"description": "The place is known to its county only."}
    )
    score = ma.fields.Integer(attribute="slot.score")
    reasons = ma.fields.List(ma.fields.String())
    late_min = ma.fields.Integer(attribute="slot.late_min")
    restore_late_min = ma.fields.Integer(attribute="slot.restore_late_min")
    moves = ma.fields.Function(lambda _one: [])


class RuleSchema(ma.Schema):
    """A rule that says no, in words."""

    rule = ma.fields.String()
    detail = ma.fields.String()


class RefusedSchema(ma.Schema):
    """A technician who cannot: the first rule, its sentence, and every rule."""

    technician = ma.fields.Nested(TechnicianSchema, attribute="member")
    rule = ma.fields.String(attribute="first.rule")
    detail = ma.fields.String()
    rules = ma.fields.List(ma.fields.Nested(RuleSchema))


class SuggestionsSchema(ma.Schema):
    """All answers for one order."""

    suggestions = ma.fields.List(ma.fields.Nested(SuggestionSchema))
    refused = ma.fields.List(ma.fields.Nested(RefusedSchema))


class VisitSchema(ma.Schema):
    """A visit; `etag` is its version for If-Match."""

    id = ma.fields.Integer()
    work_order = ma.fields.String(attribute="work_order.number")
    technician = ma.fields.Nested(TechnicianSchema)
    home_station_id = ma.fields.Integer()
    state = ma.fields.String()
    starts_at = Moment()
    ends_at = Moment()
    window_starts_at = Moment()
    window_ends_at = Moment()
    travel_min = ma.fields.Integer()
    confirmed_at = Moment()
    dispatched_at = Moment()
    accepted_at = Moment()
    en_route_at = Moment()
    eta_at = Moment()
    on_site_at = Moment()
    started_at = Moment()
    finished_at = Moment()
    restored = ma.fields.Boolean(allow_none=True)
    end_reason = ma.fields.String(allow_none=True)
    etag = ma.fields.Function(lambda visit: str(visit.version))


# The board ----------------------------------------------------------------------------------------


class BoardShiftSchema(ma.Schema):
    starts_at = Moment()
    ends_at = Moment()
    station_id = ma.fields.Integer()
    on_call = ma.fields.Boolean()


class BoardBarSchema(ma.Schema):
    """A visit on the board with the travel before it."""

    id = ma.fields.Integer(attribute="visit_id")
    work_order = ma.fields.String(attribute="order")
    title = ma.fields.String()
    customer = ma.fields.Dict()
    priority = ma.fields.String()
    state = ma.fields.String()
    starts_at = Moment()
    ends_at = Moment()
    travel_min = ma.fields.Integer()
    risk = ma.fields.String(
        metadata={
            "description": "promise: begins, as planned or expected, after the promised arrival; window: after the "
            "time that was told; start: should have set off by now"
        }
    )
    expected_starts_at = Moment(
        attribute="expected.span.starts_at",
        allow_none=True,
        metadata={"description": "Where it comes later than planned."},
    )
    expected_ends_at = Moment(attribute="expected.span.ends_at", allow_none=True)
    station_id = ma.fields.Integer()
    etag = ma.fields.Function(lambda bar: str(bar.version))


class BoardTakenSchema(ma.Schema):
    """Time that is taken: an absence, or another station's work (cause visit, without details)."""

    cause = ma.fields.String()
    starts_at = Moment()
    ends_at = Moment()


class BoardLentSchema(ma.Schema):
    """A time in which the technician belongs to another station."""

    station_id = ma.fields.Integer()
    starts_at = Moment()
    ends_at = Moment()


class BoardLaneSchema(ma.Schema):
    """A row; who is lent has one at home and, where both stations are shown, one at the station that borrows."""

    technician = ma.fields.Nested(TechnicianSchema, attribute="member")
    state = ma.fields.String(attribute="member.state")
    shifts = ma.fields.List(ma.fields.Nested(BoardShiftSchema), attribute="duties")
    guest_at = ma.fields.Integer(attribute="guest", allow_none=True)
    lent = ma.fields.List(ma.fields.Nested(BoardLentSchema), attribute="member.lent")
    visits = ma.fields.List(ma.fields.Nested(BoardBarSchema), attribute="bars")
    taken = ma.fields.List(ma.fields.Nested(BoardTakenSchema))


class BoardWaitingSchema(ma.Schema):
    """An order of the queue."""

    work_order = ma.fields.String(attribute="order.number")
    title = ma.fields.String(attribute="order.title")
    priority = ma.fields.String(attribute="order.priority")
    state = ma.fields.String(attribute="order.state")
    skills = ma.fields.Dict(attribute="order.skills")
    due_at = Moment(attribute="clock.due_at")
    promise = ma.fields.String(attribute="clock.kind")
    parts = ma.fields.String(attribute="light.code", metadata={"description": "none, ready, coming or missing"})
    parts_missing = ma.fields.Integer(
        attribute="light.missing", metadata={"description": "Parts that cannot be there."}
    )
    parts_by = ma.fields.Function(
        lambda one: one.light.last.ready_at.isoformat() if one.light.last else None,
        metadata={"type": ["string", "null"], "format": "date-time", "description": "When what is coming is there."},
    )
    hold_reason = ma.fields.String(attribute="hold")
    etag = ma.fields.Function(lambda one: str(one.order.version))


class BoardSchema(ma.Schema):
    """Technicians with shifts, visits and travel, and the queue of work to place."""

    starts_at = Moment(attribute="plan.axis.start")
    ends_at = Moment(attribute="plan.axis.end")
    technicians = ma.fields.List(ma.fields.Nested(BoardLaneSchema), attribute="plan.lanes")
    queue = ma.fields.List(ma.fields.Nested(BoardWaitingSchema), attribute="waiting")
    queue_total = ma.fields.Integer(attribute="waiting_total")
    truncated = ma.fields.Boolean(attribute="plan.truncated")
