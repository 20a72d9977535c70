"""`quotes`: what every queue quotes at present, and how that fares."""

import json
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.contracts import promises
from fieldservice.foundation import display
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import session
from fieldservice.foundation.time import now
from fieldservice.foundation.words import word
from fieldservice.stations.models import Station
from fieldservice.stations.queries import SERVES, station_by_code


@click.command("quotes")
@click.option("--station", "code", help="Only this station.")
@click.option("--json", "as_json", is_flag=True)
@with_appcontext
@show_errors
def quotes(code: str | None, as_json: bool) -> None:
    """What is quoted in each queue (station, promise, priority): minutes, share kept, mean surplus.

    A surplus above 30 % of the quote is flagged: the estimate says too little and must be improved.
    """
    open_ = select(Station).where(Station.state.in_(SERVES)).order_by(Station.code)
    stations = [station_by_code(code)] if code else session.scalars(open_).all()
    rows = [_row(station, queue) for station in stations for queue in promises.queues_of(station.id, now())]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(_line(row))


def _row(station: Station, queue: promises.Queue) -> dict[str, Any]:
    found = queue.quote
    return {
        "station": station.code, "kind": queue.kind, "priority": queue.priority, "calendar": queue.limit.calendar,
        "limit_min": queue.limit.minutes, "quoted_min": round(found.minutes, 1), "cases": found.cases,
        "kept_percent": None if found.kept is None else round(100 * found.kept, 1),
        "surplus_min": None if found.surplus is None else round(found.surplus, 1), "flagged": found.flagged,
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    head = f"{row['station']:<6} {row['priority']} {word('promise', row['kind'])}"
    if row["surplus_min"] is None:
        quoted = _("the limit itself: %(cases)s closed cases", cases=row["cases"])
        return f"{head} {display.minutes(row['limit_min'])} · {quoted}"
    told = _(
        "%(quoted)s of %(limit)s, %(kept)s %% kept, surplus %(surplus)s",
        quoted=display.minutes(row["quoted_min"]), limit=display.minutes(row["limit_min"]), kept=row["kept_percent"],
        surplus=display.minutes(row["surplus_min"]),
    )  # fmt: skip
    return f"{head} {told}{' ⚠' if row['flagged'] else ''}"
