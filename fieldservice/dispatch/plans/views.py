"""Plans as pages: ask for one, follow it, look at what would change, carry it out or not."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from fieldservice.dispatch import scope
from fieldservice.dispatch.filters import Filters, read_back, read_filters
from fieldservice.dispatch.planning.objectives import MOST, NAMES, OBJECTIVES
from fieldservice.dispatch.plans import services, showing, telling
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.dispatch.plans.running import absent_of
from fieldservice.foundation.access import Person, current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid
from fieldservice.foundation.time import today
from fieldservice.stations.models import Station, Technician
from fieldservice.workorders import queries

blueprint = Blueprint("plans_pages", __name__, url_prefix="/dispatch/plans")


@blueprint.get("")
@roles(*queries.PLANNERS)
def listed() -> Any:
    """A form to ask with, and the latest plans beside each other."""
    return _list(read_filters(request.args))


@blueprint.post("")
@roles(*queries.PLANNERS)
def ask() -> Any:
    """Ask for a plan, then follow it."""
    somebody, form = current(), request.form
    filters = Filters(_day(form.get("date", "")), station=form.get("station", "")[:12])
    try:
        plan_id = write(lambda: _asked(somebody, form).id)
    except Invalid as refused:
        return _list(filters, refused, form), refused.status
    return redirect(url_for("plans_pages.one", plan_id=plan_id), 303)


@blueprint.get("/<int:plan_id>")
@roles(*queries.PLANNERS)
def one(plan_id: int) -> Any:
    """How far it is; then what would change."""
    return _page(services.plan_by_id(plan_id, current()))


@blueprint.post("/<int:plan_id>/apply")
@roles(*queries.PLANNERS)
def apply(plan_id: int) -> Any:
    """Carry out all changes or the ticked ones."""
    chosen = None if request.form.get("all") else [_number(text) for text in request.form.getlist("change")]

    def act(plan: DispatchPlan) -> str:
        done = len(services.apply(plan, chosen))
        if absent_of(plan) is not None:
            return str(
                ngettext(
                    "The absence is booked, and one visit is planned anew.",
                    "The absence is booked, and %(num)s visits are planned anew.",
                    done,
                )
            )
        return str(
            ngettext(
                "Carried out: one visit planned. Everybody concerned is told.",
                "Carried out: %(num)s visits planned. Everybody concerned is told.",
                done,
            )
        )

    back = request.form.get("back")
    return _act(plan_id, act, read_back(back).url() if back is not None else None)


@blueprint.post("/<int:plan_id>/discard")
@roles(*queries.PLANNERS)
def discard(plan_id: int) -> Any:
    """Leave everything as it is."""

    def act(plan: DispatchPlan) -> str:
        services.discard(plan)
        return str(_("The plan is discarded; nothing was changed."))

    return _act(plan_id, act)


@blueprint.post("/<int:plan_id>/<any(enough, cancel):how>")
@roles(*queries.PLANNERS)
def stop(plan_id: int, how: str) -> Any:
    """Take what has been found, or call the run off."""

    def act(plan: DispatchPlan) -> str:
        services.stop(plan, how)
        return ""

    return _act(plan_id, act)


@blueprint.post("/<int:plan_id>/again")
@roles(*queries.PLANNERS)
def again(plan_id: int) -> Any:
    """The same wish, or another objective, on the day as it is now."""
    somebody = current()
    objective = request.form.get("objective", "")

    def work() -> int:
        plan = services.plan_by_id(plan_id, somebody)
        return services.ask_again(plan, somebody, objective=objective or None).id

    try:
        return redirect(url_for("plans_pages.one", plan_id=write(work)), 303)
    except Invalid as refused:
        return _page(services.plan_by_id(plan_id, somebody), refused), refused.status


# Inside -------------------------------------------------------------------------------------------


def _asked(somebody: Person, form: Any) -> DispatchPlan:
    mine, codes = _stations(somebody), [code for code in form.getlist("station") if code]
    stations = [one for code in dict.fromkeys(codes) for one in scope.chosen_stations(code[:12], mine)]
    return services.ask(
        somebody,
        stations or mine,
        _wished_day(form.get("date", "")),
        days=_number(form.get("days", "1")),
        objective=form.get("objective", "promises"),
        weights=_weights(form),
        effort=_number(form.get("effort", "0")),
    )


def _stations(somebody: Person) -> Sequence[Station]:
    return [one for one in queries.stations_for(somebody) if scope.may_plan(somebody, one.id)]


def _weights(form: Any) -> dict[str, float]:
    """What was typed over the objective's numbers. Raises Invalid."""
    found: dict[str, float] = {}
    for name in NAMES:
        text = form.get(f"weight_{name}", "").strip()
        if not text:
            continue
        try:
            found[name] = float(text[:12])
        except ValueError:
            raise Invalid({f"weight_{name}": [_("Weights are numbers from 0 to 20, by goal.")]}) from None
    return found


def _day(text: str) -> date:
    return read_filters({"date": text}).day


def _wished_day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise Invalid({"date": [_("Choose today or a day within three months.")]}) from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1


def _list(filters: Filters, error: Invalid | None = None, typed: Any = None) -> Any:
    somebody = current()
    return render_template(
        "dispatch/plans.html",
        plans=services.recent(somebody),
        stations=_stations(somebody),
        filters=filters,
        objectives=list(OBJECTIVES),
        weights=OBJECTIVES,
        names=NAMES,
        most_weight=MOST,
        most_days=services.MOST_DAYS,
        errors=error.errors if error else {},
        typed=typed or {},
        today=today(),
    )


def _page(plan: DispatchPlan, error: DomainError | None = None) -> Any:
    ready, absent = "changes" in plan.outcome, absent_of(plan)
    return render_template(
        "dispatch/plan.html",
        plan=plan,
        filters=Filters(plan.first_day, plan.days if plan.days in (1, 3, 7) else 1),
        busy=plan.state in ("asked", "computing"),
        summary=showing.summary(plan) if ready else None,
        changes=telling.changes(plan) if ready else [],
        unplaced=telling.unplaced(plan) if ready else [],
        stations=telling.station_names(plan),
        drawn=showing.on_map(plan) if ready else None,
        alternatives=showing.alternatives(plan) if ready else [],
        objectives=list(OBJECTIVES),
        error=error,
        absent=absent,
        absentee=session.get(Technician, absent.technician_id) if absent is not None else None,
        changed=telling.changed(plan, error.facts.get("changed", ())) if isinstance(error, Conflict) else [],
    )


def _act(plan_id: int, act: Callable[[DispatchPlan], str], back: str | None = None) -> Any:
    somebody = current()
    try:
        said = write(lambda: act(services.plan_by_id(plan_id, somebody)))
    except (Conflict, Invalid) as refused:
        return _page(services.plan_by_id(plan_id, somebody), refused), refused.status
    if said:
        flash(said)
    return redirect(back or url_for("plans_pages.one", plan_id=plan_id), 303)
