"""The tablet's calls for programs and other tablets, by token: the same answers as on the page."""

from typing import Any

from flask import Response

from fieldservice.foundation.access import roles
from fieldservice.foundation.api import ApiBlueprint
from fieldservice.workorders.tablet import edge, schemas

blueprint = ApiBlueprint("tablet", __name__, "The technician's tablet: snapshot, commands, uploads")


@blueprint.get("/tablet/snapshot")
@roles("technician")
@blueprint.arguments(schemas.SnapshotQuery, location="query")
def snapshot(_args: dict[str, Any]) -> Response:
    """What the technician needs for the next days."""
    return edge.answer_snapshot()


@blueprint.post("/tablet/commands")
@roles("technician")
@blueprint.arguments(schemas.CommandsSchema)
@blueprint.alt_response(200, schema=schemas.CommandResults)
def commands(_args: dict[str, Any]) -> Response:
    """Apply commands, each exactly once: a replay gets the stored result."""
    return edge.answer_commands()


@blueprint.post("/tablet/signed-out")
@roles("technician")
@blueprint.arguments(schemas.SignedOutSchema)
def signed_out(_args: dict[str, Any]) -> Response:
    """Everything is sent, as the office asked: this token ends."""
    return edge.answer_signed_out()


@blueprint.put("/tablet/uploads/<upload_id>/<int:index>")
@roles("technician")
def upload_part(upload_id: str, index: int) -> Response:
    """One part of a picture, at most 256 KB, as the raw body."""
    return edge.answer_part(upload_id, index)


@blueprint.post("/tablet/uploads/<upload_id>/complete")
@roles("technician")
@blueprint.arguments(schemas.CompleteSchema)
def upload_complete(_args: dict[str, Any], upload_id: str) -> Response:
    """All parts are here."""
    return edge.answer_complete(upload_id)
