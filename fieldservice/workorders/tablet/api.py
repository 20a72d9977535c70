"""The tablet's calls for programs and other tablets, by token: the same answers as on the page."""

from typing import Any

import marshmallow as ma
from flask import Response

from fieldservice.foundation.access import roles
from fieldservice.foundation.api import ApiBlueprint
from fieldservice.workorders.tablet import edge
from fieldservice.workorders.tablet.commands import CommandsSchema

blueprint = ApiBlueprint("tablet", __name__, "The technician's tablet: snapshot, commands, uploads")


class SnapshotQuery(ma.Schema):
    """The stamp of the snapshot held, if any."""

    class Meta:
        unknown = ma.EXCLUDE

    since = ma.fields.String(load_default="", validate=ma.validate.Length(max=120))


class CommandResult(ma.Schema):
    """What became of a command; `detail` is a sentence in the caller's language."""

    id = ma.fields.String(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(("accepted", "accepted_with_flag", "rejected")))
    code = ma.fields.String()
    detail = ma.fields.String()
    flags = ma.fields.List(ma.fields.String(), metadata={"description": "Every remark; `code` is the first."})
    errors = ma.fields.Dict()


class DeviceState(ma.Schema):
    """What the office wants of this tablet."""

    state = ma.fields.String(validate=ma.validate.OneOf(("active", "sign_out_asked")))


class ClientVersions(ma.Schema):
    """Versions of the tablet's page: the one this server brings, the oldest that it understands."""

    current = ma.fields.Integer()
    oldest = ma.fields.Integer()


class CommandResults(ma.Schema):
    """Results in the order of the commands, and what concerns the tablet itself."""

    results = ma.fields.List(ma.fields.Nested(CommandResult))
    device = ma.fields.Nested(DeviceState)
    client = ma.fields.Nested(ClientVersions)


@blueprint.get("/tablet/snapshot")
@roles("technician")
@blueprint.arguments(SnapshotQuery, location="query")
def snapshot(_args: dict[str, Any]) -> Response:
    """What the technician needs for the next days."""
    return edge.answer_snapshot()


@blueprint.post("/tablet/commands")
@roles("technician")
@blueprint.arguments(CommandsSchema)
@blueprint.alt_response(200, schema=CommandResults)
def commands(_args: dict[str, Any]) -> Response:
    """Apply commands, each exactly once: a replay gets the stored result."""
    return edge.answer_commands()


@blueprint.post("/tablet/signed-out")
@roles("technician")
@blueprint.arguments(edge.SignedOutSchema)
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
@blueprint.arguments(edge.CompleteSchema)
def upload_complete(_args: dict[str, Any], upload_id: str) -> Response:
    """All parts are here."""
    return edge.answer_complete(upload_id)
