"""Figures as pages: the board, one figure with its cases, and a station's page."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import lazy_gettext as _l

from fieldservice.dispatch.lending.queries import READERS as LENDING_READERS
from fieldservice.dispatch.lending.queries import balance_of
from fieldservice.foundation.access import current, require_station, roles
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import month_span, today
from fieldservice.foundation.web import navigation
from fieldservice.insight import queries
from fieldservice.insight import station as panels
from fieldservice.mechanisms.metrics import Period, all_metrics, metric
from fieldservice.mechanisms.tasks import title_text
from fieldservice.sales.queries import READERS as SELL

blueprint = Blueprint("insight", __name__)
READERS = (
    "director", "station_manager", "dispatcher", "agent", "quality", "finance", "sales", "engineer", "storekeeper",
)  # fmt: skip
PERIODS = (7, 28, 90)
navigation("insight.board", _l("Figures"), *READERS)


@blueprint.get("/board")
@roles(*READERS)
def board() -> Any:
    """Promises kept first, then the others; by station and week."""
    period, days = _period()
    stations = queries.stations_of(current())
    chosen = queries.chosen_of(request.args.get("station"), stations)
    scope = queries.scope_of(current(), chosen)
    tiles = [queries.tile(figure, period, scope) for figure in all_metrics()]
    first = all_metrics()[0]
    return render_template(
        "insight/board.html", tiles=tiles, days=days, periods=PERIODS, stations=stations, chosen=chosen, period=period,
        by_station=queries.station_chart(first, period, scope, stations),
        by_week=queries.week_chart(tiles[0]), first=first,
    )  # fmt: skip


@blueprint.get("/board/<code>")
@roles(*READERS)
def figure(code: str) -> Any:
    """One figure: what it means, what it is made of, and the cases behind it (S-14)."""
    known = metric(code)
    period, days = _period()
    stations = queries.stations_of(current())
    chosen = queries.chosen_of(request.args.get("station"), stations)
    scope = queries.scope_of(current(), chosen)
    cases, more = queries.cases_of(code, period, scope, after=request.args.get("after", "")[:60])
    tile = queries.tile(known, period, scope)
    return render_template(
        "insight/figure.html", tile=tile, days=days, periods=PERIODS, stations=stations,
        chosen=chosen, period=period, cases=cases, more=more, names={station.id: station.names for station in stations},
        by_station=queries.station_chart(known, period, scope, stations),
        by_week=queries.week_chart(tile),
    )  # fmt: skip


@blueprint.get("/stations/<code>")
@roles(*READERS)
def station_page(code: str) -> Any:
    """A 4S station: its promises first, then what needs somebody now."""
    station = queries.station_by_code(code)
    require_station(station.id)
    period, days = _period()
    scope = queries.scope_of(current(), station)
    tiles = {figure.code: queries.tile(figure, period, scope) for figure in all_metrics()}
    rescues = tiles.pop("rescue_conversion")  # stands in the panel of sale
    return render_template(
        "insight/station.html", station=station, tiles=list(tiles.values()), rescues=rescues, days=days,
        periods=PERIODS, period=period,
        service=panels.service_of(station.id), sale=panels.sale_of(station.id),
        sparepart=panels.sparepart_of(station.id), voices=panels.voices_of(station.id),
        tasks=queries.tasks_at(current(), station.id), task_title=title_text,
        task_way=queries.way_to, may_sell=current().has(*SELL),
        lending=balance_of(station.id, *month_span(today())), reads_lendings=current().has(*LENDING_READERS),
    )  # fmt: skip


def _period() -> tuple[Period, int]:
    text = request.args.get("days", "28")
    if text not in {str(days) for days in PERIODS}:
        raise Invalid({"days": [_l("Choose 7, 28 or 90 days.")]})
    return Period.last_days(int(text)), int(text)
