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
from fieldservice.mechanisms.metrics import Period, measure, measure_by, metric

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
    """The figure as the API and the command tell it; the period defaults to the last 28 days."""
    known = metric(name)
    usual = Period.last_days(28)
    period = Period(first or usual.first, last or usual.last)
    stations = queries.stations_of(current())
    chosen = next((one for one in stations if one.code == station), None) if station else None
    if station and chosen is None:
        queries.station_by_code("")
    scope = queries.scope_of(current(), chosen)
    result = measure(name, period, scope)
    content: dict[str, Any] = {
        "name": name,
        "title": pick(known.names),
        "definition": pick(known.definition),
        "unit": known.unit,
        "target": known.target,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "numerator": result.numerator,
        "denominator": result.denominator,
        "value": result.value,
    }
    if by:
        parts = measure_by(name, period, scope, "station" if by == "station" else "week", [one.id for one in stations])
        codes = {one.id: one.code for one in stations}
        content["parts"] = [
            {
                by: codes.get(key) if by == "station" else key.isoformat(),
                "numerator": part.numerator,
                "denominator": part.denominator,
                "value": part.value,
            }
            for key, part in sorted(parts.items())
        ]
    return content
