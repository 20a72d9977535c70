"""How a tablet is answered, the same for its page (cookie) and for programs (token)."""

import gzip
import re
from typing import Any

import marshmallow as ma
from flask import Response, jsonify, request
from flask_babel import lazy_gettext as _l

from fieldservice.accounts.signin import way_in
from fieldservice.foundation.access import current
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Invalid, NotFound, TooLarge
from fieldservice.mechanisms.files.parts import PART
from fieldservice.workorders.models import TabletUpload
from fieldservice.workorders.tablet import commands, devices, schemas, uploads
from fieldservice.workorders.tablet.snapshot import snapshot

MOST_BYTES = 1024 * 1024  # of one post of commands
WORTH_PACKING = 1400  # bytes: less goes in one packet anyhow
LEVEL = 5  # of gzip: most of the gain at a third of the work
UPLOAD_ID = re.compile(uploads.UPLOAD_ID)


def answer_snapshot() -> Response:
    """With an ETag over everything but the present time; `since` answers `unchanged` in a few bytes."""
    content = snapshot(current(), request.args.get("since", "")[:120])
    response = jsonify(content)
    packed = _pack(response)
    response.set_etag(f"{content['stamp']}{'-same' if content['unchanged'] else ''}{'-gzip' if packed else ''}")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Server-Time"] = str(content["now"])
    response.make_conditional(request)
    return response


def _pack(response: Response) -> bool:
    """Whether the answer goes packed: a whole snapshot is a third of its size then, and a plant's link is thin.

    It holds no token that its packed length could tell to a stranger, and no other site gets it sent (SameSite).
    """
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or len(response.get_data()) < WORTH_PACKING:
        return False
    response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return True


def answer_commands() -> Response:
    """Results in the order the commands came; and whether the tablet is asked to sign out, or to update its page."""
    given = _loaded(schemas.CommandsSchema())
    commands.require_known_client(given["client"])
    exchange = devices.Exchange(
        given["carried_by"] or given["device_id"], given["client"], way_in(), request.headers.get("User-Agent", ""),
        given["sent_at"], given["report"],
    )  # fmt: skip
    sender = commands.Sender(given["device_id"], exchange.client, exchange.offset_ms())
    results = commands.apply_all(current(), sender, given["commands"])
    state = devices.note_exchange(current(), exchange)
    return jsonify(
        {
            "results": results,
            "device": {"state": state},
            "client": {"current": commands.CURRENT, "oldest": commands.oldest()},
        }
    )


def answer_signed_out() -> Response:
    """The tablet was asked to sign out and has sent everything."""
    given = _loaded(schemas.SignedOutSchema())
    write(lambda: devices.signed_out(current(), given["device_id"]))
    return jsonify({})


def answer_part(upload_id: str, index: int) -> Response:
    """Keeps one part."""
    _known_id(upload_id)
    if (request.content_length or 0) > PART:
        raise TooLarge(_l("Send parts of at most 256 KB."))
    uploads.keep_part(current().user_id, upload_id, index, request.stream.read(PART + 1))
    return jsonify({"upload": upload_id, "index": index})


def answer_complete(upload_id: str) -> Response:
    """Takes the picture in; `file` is set once a command said what it is for."""
    _known_id(upload_id)
    given = _loaded(schemas.CompleteSchema())
    row: TabletUpload = uploads.complete(current().user_id, upload_id, given["sha256"], given["name"])
    return jsonify({"upload": upload_id, "file": row.file_id, "visit": row.visit_id})


def _known_id(upload_id: str) -> None:
    if not UPLOAD_ID.fullmatch(upload_id):
        raise NotFound()


def _loaded(schema: ma.Schema) -> dict[str, Any]:
    """The JSON body in its shape. Raises Invalid with the errors of all fields, TooLarge beyond one megabyte."""
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge(_l("Send fewer entries at once."))
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid({"_body": [_l("Send a JSON object.")]})
    try:
        loaded: dict[str, Any] = schema.load(body)
    except ma.ValidationError as error:
        raise Invalid({str(name): commands.lines(found) for name, found in error.messages_dict.items()}) from error
    return loaded
