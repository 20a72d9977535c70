"""Figures as JSON."""

from datetime import date
from typing import Any

import marshmallow as ma
from flask import jsonify

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.api import ApiBlueprint
from fieldservice.foundation.words import pick
from fieldservice.insight import queries
from fieldservice.insight.views import READERS
from fieldservice.mechanisms.metrics import MetricResult, Period, measure, measure_stations, measure_weeks, metric

blueprint = ApiBlueprint("kpis", __name__, "Figures with their definitions")


class KpiQuery(ma.Schema):
    """Which stations and days, and how to split."""

    class Meta:
        unknown = ma.EXCLUDE

    station = ma.fields.String(load_default=None, validate=ma.validate.Length(max=12))
    first = ma.fields.Date(data_key="from", load_default=None)
    last = ma.fields.Date(data_key="to", load_default=None)
    by = ma.fields.String(load_default=None, validate=ma.validate.OneOf(("station", "week")))


@blueprint.get("/kpis/<name>")
@roles(*READERS)
@blueprint.arguments(KpiQuery, location="query")
def kpi(args: dict[str, Any], name: str) -> Any:
    """A figure: numerator, denominator, value and meaning."""
    return jsonify(answer(name, args["station"], args["first"], args["last"], args["by"]))


def answer(name: str, station: str | None, first: date | None, last: date | None, by: str | None) -> dict[str, Any]:
    """The figure as the API and the command tell it; the period defaults to the last 28 days.

    Raises NotFound for an unknown figure or a station the reader does not cover, Invalid for impossible days.
    """
    metric(name)  # an unknown figure is said before anything else
    usual = Period.last_days(28)
    period = Period(first or usual.first, last or usual.last)
    stations = queries.stations_of(current())
    scope = queries.scope_of(current(), queries.chosen_of(station, stations))
    content = _meaning(name, period) | _made_of(measure(name, period, scope))
    if by == "station":
        codes = {one.id: one.code for one in stations}
        shares = measure_stations(name, period, scope, codes)
        content["parts"] = [{"station": codes[key]} | _made_of(part) for key, part in shares.items()]
    elif by == "week":
        weeks = measure_weeks(name, period, scope)
        content["parts"] = [{"week": first.isoformat()} | _made_of(part) for first, part in sorted(weeks.items())]
    return content


def _meaning(name: str, period: Period) -> dict[str, Any]:
    known = metric(name)
    return {
        "name": name,
        "title": pick(known.names),
        "definition": pick(known.definition),
        "unit": known.unit,
        "target": known.target,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
    }


def _made_of(result: MetricResult) -> dict[str, Any]:
    return {"numerator": result.numerator, "denominator": result.denominator, "value": result.value}
