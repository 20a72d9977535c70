"""Plans as JSON: ask, look, stop, apply, discard, plan anew (CONTRACT §3)."""

from typing import Any

from flask import Response, jsonify
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch import scope
from fieldservice.dispatch.plans import schemas, services
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint, perform
from fieldservice.foundation.errors import Invalid
from fieldservice.workorders import queries

blueprint = ApiBlueprint("plans", __name__, "Plans of days: what-if, apply, discard")


@blueprint.post("/dispatch/plans")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.PlanWishSchema)
@blueprint.alt_response(202, schema=schemas.PlanSchema)
def ask(args: dict[str, Any]) -> Response:
    """Ask for a plan; it is computed in the background. Nothing is changed by it until it is applied."""
    somebody = current()
    stations = [one for one in queries.stations_for(somebody) if scope.may_plan(somebody, one.id)]
    if args["stations"]:
        known = {station.code: station for station in stations}
        if unknown := [code for code in args["stations"] if code not in known]:
            text = _l("You plan no station %(codes)s.", codes=", ".join(unknown))
            raise Invalid({"stations": [text]})
        stations = [known[code] for code in dict.fromkeys(args["stations"])]
    return perform(
        lambda: services.ask(
            somebody, stations, args["date"], days=args["days"], objective=args["objective"], weights=args["weights"],
            seed=args["seed"], effort=args["effort"],
        ),
        schemas.PlanSchema(),
        202,
    )  # fmt: skip


@blueprint.get("/dispatch/plans")
@roles(*queries.PLANNERS)
@blueprint.alt_response(200, schema=schemas.PlanSchema(many=True))
def listed() -> Response:
    """The latest plans, newest first, to be compared."""
    return jsonify(schemas.PlanSchema(many=True).dump(services.recent(current())))


@blueprint.get("/dispatch/plans/<int:plan_id>")
@roles(*queries.PLANNERS)
@blueprint.alt_response(200, schema=schemas.PlanInFullSchema)
def one(plan_id: int) -> Response:
    """How far a plan is and, once ready, every change, every reason, every figure."""
    return jsonify(schemas.PlanInFullSchema().dump(services.plan_by_id(plan_id, current())))


@blueprint.post("/dispatch/plans/<int:plan_id>/stop")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.PlanStopSchema)
@blueprint.alt_response(200, schema=schemas.PlanSchema)
def stop(args: dict[str, Any], plan_id: int) -> Response:
    """Take what has been found so far (enough), or call it off (cancel)."""
    return _done(plan_id, lambda plan: services.stop(plan, args["how"]))


@blueprint.post("/dispatch/plans/<int:plan_id>/apply")
@roles(*queries.PLANNERS)
@blueprint.arguments(schemas.PlanApplySchema)
@blueprint.alt_response(200, schema=schemas.PlanSchema)
def apply(args: dict[str, Any], plan_id: int) -> Response:
    """Carry out all changes or the chosen ones; 409 with what changed when they no longer fit, and nothing happens."""
    return _done(plan_id, lambda plan: services.apply(plan, args["changes"]))


@blueprint.post("/dispatch/plans/<int:plan_id>/discard")
@roles(*queries.PLANNERS)
@blueprint.alt_response(200, schema=schemas.PlanSchema)
def discard(plan_id: int) -> Response:
    """Nobody wants it; it stays on record."""
    return _done(plan_id, services.discard)


@blueprint.post("/dispatch/plans/<int:plan_id>/again")
@roles(*queries.PLANNERS)
@blueprint.alt_response(202, schema=schemas.PlanSchema)
def again(plan_id: int) -> Response:
    """The same wish on the day as it is now."""
    somebody = current()

    def work() -> DispatchPlan:
        return services.ask_again(services.plan_by_id(plan_id, somebody), somebody)

    return perform(work, schemas.PlanSchema(), 202)


def _done(plan_id: int, act: Any) -> Response:
    somebody = current()

    def work() -> DispatchPlan:
        plan = services.plan_by_id(plan_id, somebody)
        act(plan)
        return plan

    return perform(work, schemas.PlanSchema(), 200)
