"""`hints train`: learn work types from closed work now; `hints show`: what a text would be given."""

import json

import click
from flask.cli import AppGroup

from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import write
from fieldservice.foundation.time import now
from fieldservice.foundation.words import pick
from fieldservice.workorders import catalogue, hint_learning

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
