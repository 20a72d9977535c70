"""The technician's tablet: one page, which talks to the server by snapshot, commands and uploads alone (DESIGN §8)."""

from typing import Any

from flask import Blueprint, Response, render_template
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.access import current, roles
from fieldservice.foundation.web import navigation
from fieldservice.mechanisms import files
from fieldservice.workorders.tablet import edge, uploads

blueprint = Blueprint("tablet", __name__)
navigation("tablet.today", _l("Tablet"), "technician")


@blueprint.get("/tablet")
@roles("technician")
def today() -> Any:
    """The page. What it shows comes by the snapshot, so that it also works from what the tablet keeps."""
    return render_template("tablet/tablet.html")


@blueprint.get("/tablet/snapshot")
@roles("technician")
def snapshot() -> Response:
    """What the technician needs for the next days; `since` is the stamp of the snapshot held."""
    return edge.answer_snapshot()


@blueprint.post("/tablet/commands")
@roles("technician")
def commands() -> Response:
    """Apply commands, each exactly once; results in the order they came."""
    return edge.answer_commands()


@blueprint.put("/tablet/uploads/<upload_id>/<int:index>")
@roles("technician")
def upload_part(upload_id: str, index: int) -> Response:
    """One part of a picture, at most 256 KB; again is the same."""
    return edge.answer_part(upload_id, index)


@blueprint.post("/tablet/uploads/<upload_id>/complete")
@roles("technician")
def upload_complete(upload_id: str) -> Response:
    """All parts are here: check the SHA-256 and take the picture in."""
    return edge.answer_complete(upload_id)


@blueprint.get("/tablet/files/<int:file_id>")
@roles("technician")
def file(file_id: int) -> Response:
    """A picture of an own visit, or of the request behind it."""
    return files.send(uploads.file_of_tour(file_id, current()), thumbnail=True)
