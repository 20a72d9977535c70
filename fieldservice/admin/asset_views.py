"""QR labels of machines, to print."""

from typing import Any

from flask import current_app, request
from flask_babel import gettext as _

from fieldservice.admin.views import KEEPERS, blueprint, open_kind, row_of
from fieldservice.assets.labels import MOST, label_of, labels_pdf
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import NotFound


@blueprint.get("/assets/labels.pdf")
@roles(*KEEPERS)
def labels() -> Any:
    """Labels of one machine (`?id=`), or of all that a search finds, at most twenty sheets."""
    kind = open_kind("assets")
    if one := request.args.get("id", ""):
        rows = [row_of(kind, int(one) if one.isascii() and one.isdecimal() and len(one) < 19 else 0)]
    else:
        words = request.args.get("q", "").strip()[:80]
        statement = kind.statement(current())
        if words:
            statement = statement.where(kind.holds(words))
        rows = list(session.scalars(statement.order_by(kind.model.id).limit(MOST)))
    if not rows:
        raise NotFound()
    made = labels_pdf([label_of(row) for row in rows], _("Scan to report a fault on this machine."))
    response = current_app.response_class(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="labels.pdf"'
    return response
