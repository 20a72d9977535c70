"""The technician's tablet: one page, which talks to the server by snapshot, commands and uploads alone (DESIGN §8)."""

from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import generate_csrf

from fieldservice.accounts.sessions import WHO, name_person
from fieldservice.foundation.access import current, machine, roles
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.web import navigation, settings
from fieldservice.mechanisms import files
from fieldservice.workorders.tablet import edge, shell, uploads

blueprint = Blueprint("tablet", __name__)
navigation("tablet.today", _l("Tablet"), "technician")


@blueprint.before_request
def answer_the_page() -> None:
    """A page left open by a colleague must not send what he recorded under another name.

    Raises Conflict `other_person`.
    """
    g.page_language = request.headers.get("X-Tablet-Language")  # as the kept page speaks, whatever was chosen elsewhere
    told = request.headers.get("X-Tablet-Person")
    if told and told != str(current().user_id):
        raise Conflict(_l("Somebody else is signed in on this tablet now. Load the page again."), code="other_person")


@blueprint.get("/tablet")
@roles("technician")
def today() -> Any:
    """The page. What it shows comes by the snapshot, so that it also works from what the tablet keeps."""
    page = make_response(render_template("tablet/tablet.html"))
    page.headers["X-Shell"] = shell.version()
    somebody = str(current().user_id)
    if request.cookies.get(WHO) != somebody:
        name_person(page, current().user_id, secure=settings().secure_cookies)
    return page


@blueprint.get("/tablet/session")
@roles("technician")
def session() -> Response:
    """Who is signed in, and the token for what is sent; the page itself knows neither."""
    somebody = current()
    return jsonify(
        {
            "person": {"id": somebody.user_id, "name": somebody.name},
            "csrf": generate_csrf(),
            "after": g.get("live_after", 0),
        }
    )


@blueprint.get("/tablet/worker.js")
@machine
def worker() -> Response:
    """The service worker; its address stays the same, so that browsers find a newer one."""
    script = current_app.response_class(shell.worker_script(), mimetype="text/javascript")
    script.headers["Service-Worker-Allowed"] = "/tablet"
    script.headers["Cache-Control"] = "no-cache"
    return script


@blueprint.get("/tablet/app.webmanifest")
@machine
def manifest() -> Response:
    """What makes the page installable."""
    answer = jsonify(shell.manifest())
    answer.mimetype = "application/manifest+json"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


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


@blueprint.post("/tablet/signed-out")
@roles("technician")
def signed_out() -> Response:
    """Everything is sent, as the office asked: this sign-in ends."""
    return edge.answer_signed_out()


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
