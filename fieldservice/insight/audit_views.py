"""Pages of the audit trail and of `verify`."""

from datetime import date
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session
from fieldservice.foundation.time import local
from fieldservice.foundation.web import limiter
from fieldservice.insight import audit
from fieldservice.insight.verify import verify
from fieldservice.insight.views import blueprint
from fieldservice.mechanisms.records.tables import csv_file, csv_lines
from fieldservice.stations.models import Station

ENTITIES = (
    "service_request", "work_order", "visit", "clock", "booking", "message", "file", "survey", "task", "stock", "part",
    "customer", "contact", "site", "asset", "station", "territory", "technician", "shift", "shift_swap", "user",
    "policy", "import_run", "tablet",
)  # fmt: skip


def _filters() -> audit.Filters:
    def day(name: str) -> date | None:
        try:
            return date.fromisoformat(request.args.get(name, ""))
        except ValueError:
            return None

    after, entity = request.args.get("after", ""), request.args.get("entity", "")
    return audit.Filters(
        who=request.args.get("who", "").strip()[:80], entity=entity if entity in ENTITIES else "",
        number=request.args.get("number", "").strip()[:60], station=request.args.get("station", "").strip()[:12],
        first=day("from"), last=day("to"),
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0,
    )  # fmt: skip


@blueprint.get("/admin/audit")
@roles(*audit.READERS)
def audit_trail() -> Any:
    """A page of what happened, under filters."""
    filters = _filters()
    shown = audit.entries(current(), filters)
    kept = {name: value for name, value in request.args.items() if name not in ("after", "lang") and value}
    return render_template(
        "insight/audit.html", entries=shown, filters=filters, entities=ENTITIES, kept=kept,
        stations=session.scalars(select(Station).order_by(Station.code).limit(500)).all(),
        more=shown[-1].event.id if len(shown) == audit.PAGE else None,
    )  # fmt: skip


@blueprint.get("/admin/audit.csv")
@roles(*audit.READERS)
@limiter.limit("10 per minute")
def audit_table() -> Any:
    """All that fits the filters, as a table."""
    header = (_("Number"), _("When"), _("Who"), _("Kind"), _("About"), _("What"), _("Reason"), _("Station"))
    rows = (
        [str(one.event.id), local(one.event.at).isoformat(timespec="seconds"), one.who, one.event.kind, one.about,
         one.text, one.note, one.station]
        for one in audit.every(current(), _filters())
    )  # fmt: skip
    answer = Response(csv_file(csv_lines(header, rows)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


@blueprint.get("/admin/verify")
@roles("admin")
@limiter.limit("6 per minute")
def verify_page() -> Any:
    """Look at everything now, and say what was looked at."""
    ask = request.args.get("run") == "1"
    return render_template("insight/verify.html", checks=verify() if ask else None)
