"""The customer's pages: home, and the private page of a request behind its link."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.feedback import services as feedback
from fieldservice.foundation.access import public
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.web import limiter
from fieldservice.intake import services as intake
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import request_by_link
from fieldservice.mechanisms import files
from fieldservice.mechanisms.metrics import Period, Scope, measure, metric, value_text
from fieldservice.portal import queries, services
from fieldservice.workorders.models import Visit

blueprint = Blueprint("portal", __name__)
LOOKS = "120 per minute"
DEEDS = "20 per minute"


@blueprint.get("/")
@public
def home() -> Any:
    """What a customer came for: report, track; and how well promises are kept."""
    kept = measure("promise_kept", Period.last_days(28), Scope())
    return render_template("portal/home.html", kept=kept, kept_text=value_text(metric("promise_kept"), kept.value))


@blueprint.post("/track")
@public
@limiter.limit("5 per minute; 30 per hour")
def find() -> Any:
    """Status by number and the last digits of the phone, without personal data (I-03)."""
    number, tail = request.form.get("number", "")[:40], request.form.get("tail", "")[:8].strip()
    try:
        found = queries.request_by_number_and_phone(number, tail)
    except NotFound:
        errors = {"number": [_("We know no request with this number and phone. Check both, or use the link we sent you.")]}
        return render_template("portal/find.html", errors=errors, number=number, tail=tail), 422
    return render_template("portal/status.html", found=queries.tracked(found))


@blueprint.get("/t/<token>")
@public
@limiter.limit(LOOKS)
def track(token: str) -> Any:
    """Live progress, messages, times, sign-off and survey."""
    found = _found(token)
    shown = queries.tracked(found)
    times = queries.free_times(shown) if "times" in request.args and shown.may_move else []
    response = Response(render_template(
        "portal/track.html", shown=shown, token=token, times=times, asked_times="times" in request.args,
        photos=files.files_of([found]).get((found.subject_type, found.id), []),
        dimensions=feedback.dimensions(), window_text=queries.window_text,
    ))  # fmt: skip
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/t/<token>/files/<int:file_id>")
@public
@limiter.limit(LOOKS)
def photo(token: str, file_id: int) -> Any:
    """A photo of the request."""
    return files.send(files.file_of(_found(token), file_id), thumbnail="small" in request.args)


@blueprint.post("/t/<token>/confirm")
@public
@limiter.limit(DEEDS)
def confirm(token: str) -> Any:
    return _do(token, lambda found, at: services.confirm_visit(found, _visit(found), at), _("Thank you. We will be there."))


@blueprint.post("/t/<token>/time")
@public
@limiter.limit(DEEDS)
def move(token: str) -> Any:
    """Another time, chosen from the free ones."""
    technician, _sep, text = request.form.get("slot", "")[:60].partition("@")
    try:
        starts_at = datetime.fromisoformat(text)
        technician_id = int(technician)
        if starts_at.tzinfo is None or technician_id > 2**62:
            raise ValueError(text)
    except ValueError:
        return _back(token, Invalid({"slot": [_l("Choose one of the times shown.")]}))
    return _do(token, lambda found, at: services.choose_time(found, _visit(found), technician_id, starts_at, at), _("The visit was moved."))


@blueprint.post("/t/<token>/messages")
@public
@limiter.limit(DEEDS)
def write_message(token: str) -> Any:
    words = request.form.get("words", "")
    return _do(token, lambda found, at: intake.write_message(found, author="customer", words=words, at=at), _("Your message has arrived."))


@blueprint.post("/t/<token>/sign-off")
@public
@limiter.limit(DEEDS)
def sign_off(token: str) -> Any:
    """All is well: the request is closed."""
    return _do(token, lambda found, at: intake.close(found, at, signed_off=True), _("Thank you. The request is closed."))


@blueprint.post("/t/<token>/reopen")
@public
@limiter.limit(DEEDS)
def reopen(token: str) -> Any:
    """The fault is back, within 30 days."""
    reason = request.form.get("reason", "")
    return _do(token, lambda found, at: intake.reopen(found, reason, at), _("We are on it again. You will hear from us."))


@blueprint.post("/t/<token>/survey")
@public
@limiter.limit(DEEDS)
def rate(token: str) -> Any:
    """Five lines of stars and a free sentence."""
    scores = {name: int(text) for name in feedback.dimensions() if (text := request.form.get(name, "")) in set("12345")}
    words, low = request.form.get("words", ""), request.form.get("low_reason", "")
    return _do(token, lambda found, at: feedback.answer(found, scores, at, words=words, low_reason=low), _("Thank you for rating us."))


def _found(token: str) -> ServiceRequest:
    found = request_by_link(token)
    g.page_language = None if request.args.get("lang") or request.cookies.get("lang") else found.language
    g.pop("language", None)
    return found


def _visit(found: ServiceRequest) -> Visit:
    visit = queries.tracked(found).visit
    if visit is None:
        raise NotFound()
    return visit


def _do(token: str, deed: Callable[[ServiceRequest, datetime], Any], thanks: str) -> Any:
    """Do it in one transaction and come back to the page, with thanks or with what to do next."""
    _found(token)
    g.actor = "customer"
    try:
        write(lambda: deed(request_by_link(token), now()))
    except DomainError as error:
        return _back(token, error)
    flash(thanks)
    return redirect(url_for("portal.track", token=token))


def _back(token: str, error: DomainError) -> Any:
    """The page again, saying what is wrong and keeping what was typed."""
    session.rollback()
    found = _found(token)
    shown = queries.tracked(found)
    page = render_template(
        "portal/track.html", shown=shown, token=token, error=error, typed=request.form,
        times=queries.free_times(shown) if "slot" in request.form and shown.may_move else [], asked_times="slot" in request.form,
        photos=[], dimensions=feedback.dimensions(), window_text=queries.window_text,
    )  # fmt: skip
    return page, error.status
