"""Commands that read across the system: `kpi`, `verify`."""

import json
import sys
from datetime import datetime

import click
from flask import g

from fieldservice.foundation.access import STAFF, Person, all_of
from fieldservice.foundation.commands import show_errors
from fieldservice.insight import api
from fieldservice.insight import verify as checking
from fieldservice.mechanisms.metrics import metric, value_text

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("kpi")
@click.argument("name")
@click.option("--station", default=None, help="Code of a station; without it, all.")
@click.option("--from", "first", type=DAY, default=None, help="First day, YYYY-MM-DD; default: 27 days ago.")
@click.option("--to", "last", type=DAY, default=None, help="Last day, YYYY-MM-DD; default: today.")
@click.option("--by", type=click.Choice(["station", "week"]), default=None)
@click.option("--json", "as_json", is_flag=True)
@show_errors
def kpi(
    name: str, station: str | None, first: datetime | None, last: datetime | None, by: str | None, as_json: bool
) -> None:
    """Print a figure with what it is made of."""
    g.person = Person(0, "command", "", roles=all_of(STAFF))
    days = [moment.date() if moment else None for moment in (first, last)]
    content = api.answer(name, station, days[0], days[1], by)
    if as_json:
        click.echo(json.dumps(content, ensure_ascii=False))
        return
    known = metric(name)
    for name_, part in [(content["title"], content), *((part[by], part) for part in content.get("parts", []))]:
        made_of = f"{part['numerator']} / {part['denominator']}" if known.unit == "percent" else part["denominator"]
        click.echo(f"{name_}: {value_text(known, part['value'])}  ({made_of})")


@click.command("verify")
@click.option("--json", "as_json", is_flag=True)
def verify(as_json: bool) -> None:
    """Check ledger, audit chain, references and bookings; exit status 1 when something is wrong."""
    checks = checking.verify()
    if as_json:
        click.echo(json.dumps([vars(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.sound else 'BAD '} {check.code}: {check.seen}")
            click.echo(f"     {check.compared} ({check.rows})")
    sys.exit(0 if all(check.sound for check in checks) else 1)
