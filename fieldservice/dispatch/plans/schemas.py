"""What comes in and goes out of the JSON calls about plans (CONTRACT §3)."""

import marshmallow as ma

from fieldservice.dispatch.filters import FIRST, LAST
from fieldservice.dispatch.planning.objectives import MOST, NAMES, OBJECTIVES
from fieldservice.dispatch.plans import services, telling
from fieldservice.dispatch.schemas import Moment, Strict

MOST_CHANGES = 4_000


class PlanWishSchema(Strict):
    """Days, stations and what matters most; what is left out is the usual."""

    date = ma.fields.Date(required=True, validate=ma.validate.Range(FIRST, LAST))
    days = ma.fields.Integer(load_default=1, strict=True, validate=ma.validate.Range(1, services.MOST_DAYS))
    stations = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 12)),
        load_default=list,
        validate=ma.validate.Length(max=services.MOST_STATIONS),
        metadata={"description": "Codes; none: every station whose work you plan."},
    )
    objective = ma.fields.String(load_default="promises", validate=ma.validate.OneOf(list(OBJECTIVES)))
    weights = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.OneOf(NAMES)),
        values=ma.fields.Float(validate=ma.validate.Range(0, MOST)),
        load_default=dict,
        metadata={"description": "Goals that are to weigh something else than the objective says."},
    )
    seed = ma.fields.Integer(load_default=1, strict=True, validate=ma.validate.Range(0, services.MOST_SEED))
    effort = ma.fields.Integer(
        load_default=0,
        strict=True,
        validate=ma.validate.Range(0, services.MOST_EFFORT),
        metadata={"description": "How many neighbourhoods are planned anew; 0: by size."},
    )


class PlanStopSchema(Strict):
    """What is to become of a run."""

    how = ma.fields.String(required=True, validate=ma.validate.OneOf(["enough", "cancel"]))


class PlanApplySchema(Strict):
    """All changes, or these."""

    changes = ma.fields.List(
        ma.fields.Integer(strict=True, validate=ma.validate.Range(1, MOST_CHANGES)),
        load_default=None,
        validate=ma.validate.Length(1, MOST_CHANGES),
    )


# Answers ------------------------------------------------------------------------------------------


class PlanPersonSchema(ma.Schema):
    id = ma.fields.Integer()
    names = ma.fields.Dict()


class PlanPlaceSchema(ma.Schema):
    """Who goes when."""

    technician = ma.fields.Nested(PlanPersonSchema)
    starts_at = Moment()
    ends_at = Moment()
    travel_min = ma.fields.Integer()


class PlanPromiseSchema(ma.Schema):
    """A promise about the order: minutes late as it stood and as planned; null where nobody goes."""

    kind = ma.fields.String()
    due_at = Moment()
    late_before = ma.fields.Integer(allow_none=True)
    late_after = ma.fields.Integer(allow_none=True)


class PlanChangeSchema(ma.Schema):
    """What is to change: placed, moved (to somebody else), retimed or dropped. `number` names it when applying."""

    number = ma.fields.Integer()
    kind = ma.fields.String()
    work_order = ma.fields.String()
    title = ma.fields.String()
    priority = ma.fields.String()
    before = ma.fields.Nested(PlanPlaceSchema, allow_none=True)
    after = ma.fields.Nested(PlanPlaceSchema, allow_none=True)
    told_kept = ma.fields.Boolean(allow_none=True)
    promises = ma.fields.List(ma.fields.Nested(PlanPromiseSchema))


class PlanReasonSchema(ma.Schema):
    """Why one technician does not do it."""

    technician = ma.fields.Nested(PlanPersonSchema)
    rule = ma.fields.String()
    minutes = ma.fields.Integer()
    detail = ma.fields.String()


class PlanHelpSchema(ma.Schema):
    """The smallest change with which the job was really placed."""

    kind = ma.fields.String()
    minutes = ma.fields.Integer()
    technician = ma.fields.Nested(PlanPersonSchema)
    starts_at = Moment()
    detail = ma.fields.String()


class PlanUnplacedSchema(ma.Schema):
    """An order that nobody is planned for."""

    work_order = ma.fields.String()
    title = ma.fields.String()
    priority = ma.fields.String()
    rules = ma.fields.Dict(metadata={"description": "rule → technician-days it refuses"})
    reasons = ma.fields.List(ma.fields.Nested(PlanReasonSchema))
    smallest_change = ma.fields.Nested(PlanHelpSchema, allow_none=True)


class PlanFiguresSchema(ma.Schema):
    """What a plan is worth. `goals` splits `score`, in seconds of travel; the lower, the better."""

    score = ma.fields.Integer()
    goals = ma.fields.Dict()
    jobs = ma.fields.Integer()
    placed = ma.fields.Integer()
    promises = ma.fields.Integer()
    late = ma.fields.Integer()
    travel_min = ma.fields.Integer()
    technicians = ma.fields.Integer()


class PlanSchema(ma.Schema):
    """A plan: how far it is and, once ready, what came out."""

    id = ma.fields.Integer()
    status = ma.fields.String(attribute="state")
    progress = ma.fields.Float(attribute="share")
    date = ma.fields.Date(attribute="first_day")
    days = ma.fields.Integer()
    stations = ma.fields.Function(telling.station_codes)
    objective = ma.fields.String()
    weights = ma.fields.Dict()
    seed = ma.fields.Integer()
    effort = ma.fields.Integer()
    asked_at = Moment()
    finished_at = Moment()
    applied_at = Moment()
    applied = ma.fields.List(ma.fields.Integer())
    score = ma.fields.Float(allow_none=True)
    score_before = ma.fields.Float(attribute="before", allow_none=True)
    jobs = ma.fields.Integer()
    placed = ma.fields.Integer()
    figures_before = ma.fields.Function(lambda plan: plan.figures.get("before"))
    figures = ma.fields.Function(lambda plan: plan.figures.get("after"))
    refused = ma.fields.Function(lambda plan: plan.figures.get("refused"))


class PlanInFullSchema(PlanSchema):
    """With every change and every order that is left out."""

    changes = ma.fields.Function(lambda plan: PlanChangeSchema(many=True).dump(telling.changes(plan)))
    unplaced = ma.fields.Function(lambda plan: PlanUnplacedSchema(many=True).dump(telling.unplaced(plan)))
