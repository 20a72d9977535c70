"""`conduct require`, `conduct waive`: the policy of a station. `hints train`, `hints show`: hints learned from work."""

import json

import click
from flask.cli import AppGroup
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.stations.models import Station
from fieldservice.workorders import catalogue, hint_learning
from fieldservice.workorders.onsite import leaving

conduct = AppGroup("conduct", help="Whether technicians check their appearance before they leave (S-09).")


@conduct.command("require")
@click.argument("station")
@show_errors
def require(station: str) -> None:
    """Ask the technicians of a station (by its code) for uniform and badge before they leave."""
    _set_conduct(station, True)


@conduct.command("waive")
@click.argument("station")
@show_errors
def waive(station: str) -> None:
    """Ask them no more."""
    _set_conduct(station, False)


def _set_conduct(code: str, wanted: bool) -> None:
    def work() -> str:
        station = session.scalar(select(Station).where(Station.code == code))
        if station is None:
            raise NotFound(_l("There is no station of this code."))
        leaving.require_conduct(station, wanted, now())
        return station.code

    click.echo(f"{write(work)}: conduct is {'asked for' if wanted else 'not asked for'}")


hints = AppGroup("hints", help="Hints at triage, learned from closed work.")


@hints.command("train")
@click.option("--json", "as_json", is_flag=True)
@show_errors
def train(as_json: bool) -> None:
    """Learn from closed work; done every night anyway."""
    lesson = hint_learning.learn_closed()
    found = write(lambda: hint_learning.keep(lesson, now()))
    if as_json:
        click.echo(json.dumps(vars(found)))
    elif found.id is None:
        click.echo("No closed work yet: hints come from the fault patterns alone.")
    else:
        kept = "" if found.new else " (nothing new)"
        click.echo(f"Model {found.id}: {found.jobs} jobs, {found.texts} texts, {found.work_types} work types{kept}")


@hints.command("show")
@click.argument("text")
@show_errors
def show(text: str) -> None:
    """The work types that a report with this text would be given, with the reasons."""
    for hint in catalogue.hints(text[:4000]):
        reads = f"reads like “{pick(hint.pattern.symptom)}”" if hint.pattern else ""
        jobs = f"like {hint.jobs} closed jobs" if hint.jobs else ""
        click.echo(f"{hint.work_type.code}: {'; '.join(part for part in (reads, jobs) if part)}")
