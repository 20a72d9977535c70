"""The customer's pages: home, and the private page of a request behind its link."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import LazyString, refresh
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.feedback import services as feedback
from fieldservice.foundation.access import public
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, NotFound
from fieldservice.foundation.time import now, today
from fieldservice.foundation.web import limiter
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.queries import request_by_link
from fieldservice.mechanisms import files
from fieldservice.mechanisms.metrics import metric, value_text
from fieldservice.portal import queries, services
from fieldservice.workorders.models import Visit
from fieldservice.workorders.service_report.answer import answer_report
from fieldservice.workorders.service_report.report import reportable

blueprint = Blueprint("portal", __name__)
LOOKS = "120 per minute"
DEEDS = "20 per minute"
SEARCHES = "6 per minute; 60 per hour"


@blueprint.get("/")
@public
def home() -> Any:
    """What a customer came for: report, track; and how well promises are kept."""
    kept = queries.kept_lately()
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
        sentence = _("We know no request with this number and phone. Check both, or use the link we sent you.")
        return render_template("portal/find.html", errors={"number": [sentence]}, number=number, tail=tail), 422
    return render_template("portal/status.html", found=queries.tracked(found))


@blueprint.get("/t/<token>")
@public
@limiter.limit(LOOKS)
def track(token: str) -> Any:
    """Live progress, messages, times, sign-off and survey."""
    return _page(token)


@blueprint.get("/t/<token>/files/<int:file_id>")
@public
@limiter.limit(LOOKS)
def photo(token: str, file_id: int) -> Any:
    """A photo of the request."""
    return files.send(files.file_of(_found(token), file_id), thumbnail="small" in request.args)


@blueprint.get("/t/<token>/report.pdf")
@public
@limiter.limit(DEEDS)
def service_report(token: str) -> Response:
    """The service report of the work that was done."""
    order, _visit_at_hand = queries.order_and_visit(_found(token))
    if order is None:
        raise NotFound()
    return answer_report(order)


@blueprint.post("/t/<token>/confirm")
@public
@limiter.limit(DEEDS)
def confirm(token: str) -> Any:
    """The customer will be there."""
    thanks = _l("Thank you. We will be there.")
    return _do(token, lambda found, at: services.confirm_visit(found, _visit(found), at), thanks)


@blueprint.post("/t/<token>/offers")
@public
@limiter.limit(SEARCHES)
def find_times(token: str) -> Any:
    """Free times, held for this customer for some minutes."""
    day, g.actor = request.form.get("day", "").strip()[:10], "customer"
    try:
        choices = services.find_times(_found(token), day, now())
        held = write(lambda: services.hold_times(_locked(token), choices, now()))
    except DomainError as error:
        return _back(token, error)
    return redirect(url_for("portal.track", token=token, times="held" if held else "none", _anchor="times"))


@blueprint.post("/t/<token>/time")
@public
@limiter.limit(DEEDS)
def choose_time(token: str) -> Any:
    """One of the held times is taken."""
    text = request.form.get("offer", "")[:20]
    offer_id = int(text) if text.isascii() and text.isdecimal() else 0
    thanks = _l("Thank you. We will be there.")
    return _do(token, lambda found, at: services.choose_time(found, offer_id, at), thanks)


@blueprint.post("/t/<token>/messages")
@public
@limiter.limit(DEEDS)
def write_message(token: str) -> Any:
    """A line to the station."""
    words = request.form.get("words", "")
    thanks = _l("Your message has arrived.")
    return _do(token, lambda found, at: services.write_message(found, words, at), thanks)


@blueprint.post("/t/<token>/sign-off")
@public
@limiter.limit(DEEDS)
def sign_off(token: str) -> Any:
    """All is well: the request is closed."""
    return _do(token, services.sign_off, _l("Thank you. The request is closed."))


@blueprint.post("/t/<token>/reopen")
@public
@limiter.limit(DEEDS)
def reopen(token: str) -> Any:
    """The fault is back, within 30 days."""
    reason = request.form.get("reason", "")
    thanks = _l("We are on it again. You will hear from us.")
    return _do(token, lambda found, at: services.reopen(found, reason, at), thanks)


@blueprint.post("/t/<token>/survey")
@public
@limiter.limit(DEEDS)
def rate(token: str) -> Any:
    """Five lines of stars and a free sentence."""
    scores = {name: int(text) for name in feedback.dimensions() if (text := request.form.get(name, "")) in set("12345")}
    words, low = request.form.get("comment", ""), request.form.get("low_reason", "")
    thanks = _l("Thank you for rating us.")
    return _do(token, lambda found, at: feedback.answer(found, scores, at, words=words, low_reason=low), thanks)


def _found(token: str) -> ServiceRequest:
    """The request behind the link; its page speaks the customer's language unless she chose another."""
    found = request_by_link(token)
    g.page_language = None if request.args.get("lang") or request.cookies.get("lang") else found.language
    g.pop("language", None)
    refresh()
    return found


def _visit(found: ServiceRequest) -> Visit:
    _order, visit = queries.order_and_visit(found)
    if visit is None:
        raise Conflict(_l("There is no visit at the moment. Look at the page again."), code="no_visit")
    return visit


def _do(token: str, deed: Callable[[ServiceRequest, datetime], Any], thanks: LazyString) -> Any:
    """Do it in one transaction and come back to the page, with thanks or with what to do next."""
    _found(token)
    g.actor = "customer"

    try:
        write(lambda: deed(_locked(token), now()))
    except DomainError as error:
        return _back(token, error)
    flash(str(thanks))
    return redirect(url_for("portal.track", token=token))


def _locked(token: str) -> ServiceRequest:
    """The request, so that a double press finds what the first one did."""
    found = request_by_link(token)
    session.refresh(found, with_for_update={"of": ServiceRequest})
    return found


def _back(token: str, error: DomainError) -> Any:
    """The page again, saying what is wrong and keeping what was typed."""
    session.rollback()
    return _page(token, error=error, status=error.status)


def _page(token: str, *, error: DomainError | None = None, status: int = 200) -> Response:
    found = _found(token)
    shown = queries.tracked(found)
    page = render_template(
        "portal/track.html", shown=shown, token=token, error=error, typed=request.form, times=queries.times(shown),
        asked=request.args.get("times", ""), today=today(),
        photos=files.files_of([found]).get((found.subject_type, found.id), []),
        dimensions=feedback.dimensions(), window_text=queries.window_text,
        has_report=shown.order is not None and reportable(shown.order),
    )  # fmt: skip
    response = Response(page, status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
