"""`plan`: plan a day from the command line, look at what would change, and carry it out."""

import json
from datetime import datetime

import click
from flask.cli import with_appcontext
from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.dispatch.planning.objectives import OBJECTIVES
from fieldservice.dispatch.plans import running, schemas, services, telling
from fieldservice.dispatch.plans.models import DispatchPlan
from fieldservice.foundation import display
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import session, write
from fieldservice.foundation.words import pick, word
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES, station_by_code


@click.command("plan")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day, e.g. 2026-11-26.")
@click.option("--days", default=1, show_default=True, help="How many days.")
@click.option("--station", "code", help="Only this station.")
@click.option("--objective", type=click.Choice(list(OBJECTIVES)), default="promises", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Same seed and effort, same plan.")
@click.option("--effort", default=0, help="Neighbourhoods planned anew; by size when left out.")
@click.option("--apply", "carry_out", is_flag=True, help="Carry all changes out.")
@click.option("--json", "as_json", is_flag=True)
@with_appcontext
@show_errors
def plan(
    day: datetime, days: int, code: str | None, objective: str, seed: int, effort: int, carry_out: bool, as_json: bool
) -> None:
    """Plan visits of one or several days: who goes where when, what is left out and why."""
    open_ = select(Station).where(Station.state.in_(SERVES)).order_by(Station.code)
    stations = [station_by_code(code)] if code else list(session.scalars(open_))
    asked = write(
        lambda: services.ask(
            None, stations, day.date(), days=days, objective=objective, seed=seed, effort=effort, run=False
        )
    )
    plan_id = asked.id
    running.run_here(plan_id)
    found = session.get_one(DispatchPlan, plan_id)
    if found.state != "ready":
        raise click.ClickException(_("This is too much to plan at once. Choose fewer stations or days."))
    if carry_out and found.outcome["changes"]:
        write(lambda: services.apply(session.get_one(DispatchPlan, plan_id)))
        found = session.get_one(DispatchPlan, plan_id)
    if as_json:
        click.echo(json.dumps(schemas.PlanInFullSchema().dump(found)))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: DispatchPlan) -> list[str]:
    before, after = found.outcome["before"], found.outcome["after"]
    lines = [
        _(
            "%(placed)s of %(jobs)s jobs placed (%(before)s before), %(late)s promises late (%(late_before)s before), "
            "travel %(travel)s",
            placed=after["placed"], jobs=after["jobs"], before=before["placed"], late=after["late"],
            late_before=before["late"], travel=display.minutes(after["travel_min"]),
        )
    ]  # fmt: skip
    lines += [_line(one) for one in telling.changes(found)]
    for left in telling.unplaced(found):
        helps = left.smallest_change.detail if left.smallest_change else ""
        lines.append(f"{word('plan_change', 'unplaced'):<8} {left.work_order} {left.priority} {helps}")
    lines.append(f"{word('state', found.state)} ({found.id})")
    return lines


def _line(one: telling.Change) -> str:
    head = f"{word('plan_change', one.kind):<8} {one.work_order} {one.priority}"
    where = [
        f"{pick(place.technician.names)} {display.datetime_short(place.starts_at)}" if place else "–"
        for place in (one.before, one.after)
    ]
    return f"{head} {where[0]} → {where[1]}"
