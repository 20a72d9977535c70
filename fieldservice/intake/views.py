"""Reporting a fault on the web, taking a report by phone, and the inbox."""

import secrets
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from fieldservice.assets.models import Asset
from fieldservice.assets.queries import asset_by_link, find_by_serial
from fieldservice.contracts import promises
from fieldservice.foundation.access import current, person, public, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import limiter, navigation
from fieldservice.foundation.words import language, word
from fieldservice.intake import queries, report, services
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.files.services import MOST_PHOTOS
from fieldservice.mechanisms.limits import limit_text

blueprint = Blueprint("intake", __name__)
TAKERS = ("agent", "dispatcher", "station_manager")
READERS = (*TAKERS, "director", "quality")
PUBLIC_RATE = "5 per minute; 30 per hour"
navigation("intake.inbox", _l("Inbox"), *READERS)


# The customer's form -------------------------------------------------------------------------------


@blueprint.get("/report", endpoint="report")
@public
def report_form() -> Any:
    """One page, phone first."""
    return _form(None, MultiDict({"serial": request.args.get("serial", "")[:40]}))


@blueprint.get("/a/<token>")
@public
def report_for_asset(token: str) -> Any:
    """The form behind a machine's QR code: machine, site and warranty are known."""
    return _form(_asset(token), MultiDict())


@blueprint.post("/report", endpoint="send_report")
@public
@limiter.limit(PUBLIC_RATE)
def send_report() -> Any:
    return _take(None, "portal")


@blueprint.post("/a/<token>")
@public
@limiter.limit(PUBLIC_RATE)
def send_report_for_asset(token: str) -> Any:
    return _take(_asset(token), "asset_qr")


@blueprint.get("/report/done/<token>")
@public
def received(token: str) -> Any:
    """Number, promises with due and quoted times, and the private link."""
    found = queries.request_by_link(token)
    shown = clocks.views(clocks.of(found), now())
    return render_template("intake/received.html", request_=found, promises=shown, token=token)


def _asset(token: str) -> Asset:
    asset = asset_by_link(token)
    if asset is None:
        raise NotFound(_l("This code is not one of ours. Report the fault with the serial number instead."))
    return asset


def _take(asset: Asset | None, channel: str) -> Any:
    """Read, keep pictures, report in one transaction; a refused form comes back with everything typed."""
    typed = request.form
    errors: dict[str, list[Any]] = {}
    photos = _photos(errors)
    asset_id = asset.id if asset is not None and "other_machine" not in typed else None
    try:
        given = report.read(typed, asset if asset_id is not None else None)
        if errors:
            raise Invalid(errors)
    except Invalid as refused:
        refused.errors = {**errors, **refused.errors}
        return _form(asset, typed, refused, photos), 422
    g.actor = "customer"
    known = given.asset.id if given.asset is not None else None
    key = typed.get("receipt", "")[:64] or secrets.token_hex(16)
    try:
        try:
            number = write(lambda: _report(given, known, channel, key, photos))
        except Conflict:  # the same form arrived twice at once: the other one made the request
            number = write(lambda: _report(given, known, channel, key, photos))
    except DomainError as refused:
        return _form(asset, typed, refused, photos), refused.status
    return redirect(url_for("intake.received", token=link_token("track", number)), 303)


def _report(given: report.Report, asset_id: int | None, channel: str, key: str, photos: list[files.Received]) -> str:
    asset = session.get_one(Asset, asset_id) if asset_id is not None else None
    return services.report_fault(
        channel=channel, contact_name=given.contact_name, contact_phone=given.contact_phone, contact_email=given.contact_email,
        description=given.description, severity=given.severity, serial=given.serial, asset=asset, place=given.place,
        language=language(), photos=photos, receipt_key=key, at=now(),
    ).number  # fmt: skip


def _photos(errors: dict[str, list[Any]]) -> list[files.Received]:
    """Pictures sent now and those that an earlier, refused form already brought."""
    kept = [found for text in request.form.getlist("held")[: MOST_PHOTOS] if (found := files.held(text[:2000])) is not None]
    for upload in request.files.getlist("photos")[: MOST_PHOTOS + 1]:
        if not upload.filename:
            continue
        if len(kept) >= MOST_PHOTOS:
            errors["photos"] = [_l("Send at most ten photos.")]
            break
        try:
            kept.append(files.receive(upload.stream, upload.filename))
        except Invalid as refused:
            errors.update(refused.errors)
    return kept


def _form(asset: Asset | None, typed: Any, refused: Any = None, photos: list[files.Received] | None = None) -> str:
    known = asset
    if known is None and typed.get("serial"):
        known = find_by_serial(typed.get("serial", "")[:40])
    return render_template(
        "intake/report.html", machine=asset, known=known, site=queries.site_of(known), typed=typed, refused=refused,
        errors=getattr(refused, "errors", {}), rivals=getattr(refused, "rivals", ()), held=[files.hold(photo) for photo in photos or []],
        receipt=typed.get("receipt") or secrets.token_hex(16), severities=_severities(),
        unclear=isinstance(refused, report.UnclearPlace),
    )  # fmt: skip


def _severities() -> list[tuple[str, str, str]]:
    """(code, word, what is promised) to choose from."""
    published = promises.limits()
    return [
        (code, word("severity", code), _("On site within %(time)s", time=limit_text(clocks.Limit.parse(published["arrival"][priority]))))
        for code, priority in published["priority"].items()
    ]


# By phone -------------------------------------------------------------------------------------------


@blueprint.get("/requests/new")
@roles(*TAKERS)
def desk() -> Any:
    """Everything an agent needs on one screen: the caller, the machines, the open requests, the form (J-13)."""
    return _desk(MultiDict({name: value[:200] for name, value in request.args.items()}))


@blueprint.post("/requests/new", endpoint="take_call")
@roles(*TAKERS)
def take_call() -> Any:
    """The same report, taken for somebody on the phone; a logged call is the first answer."""
    typed = request.form
    asset = _chosen_asset(typed)
    try:
        given = report.read({**typed.to_dict(), "serial": typed.get("serial", "")}, asset)
    except Invalid as refused:
        return _desk(typed, refused), 422
    known = given.asset.id if given.asset is not None else None
    key = typed.get("receipt", "")[:64] or secrets.token_hex(16)
    remote = "remote" in typed

    def work() -> str:
        number = _report(given, known, "phone", key, [])
        found = session.scalars(queries.by_number(number)).one()
        services.note_first_answer(found, now())
        if remote and found.state == "new":
            services.help_remotely(found, now())
        return number

    try:
        number = write(work)
    except DomainError as refused:
        return _desk(typed, refused), refused.status
    return redirect(url_for("workorders.request_page", number=number), 303)


def _chosen_asset(typed: Any) -> Asset | None:
    text = typed.get("asset_id", "")
    return session.get(Asset, int(text)) if text.isdigit() and len(text) < 19 else None


def _desk(typed: Any, refused: Any = None) -> str:
    caller = queries.caller(typed.get("phone", ""), typed.get("serial", ""))
    return render_template(
        "intake/desk.html", typed=typed, refused=refused, errors=getattr(refused, "errors", {}),
        rivals=getattr(refused, "rivals", ()), caller=caller, severities=_severities(),
        receipt=typed.get("receipt") or secrets.token_hex(16), unclear=isinstance(refused, report.UnclearPlace),
    )  # fmt: skip


# The inbox ------------------------------------------------------------------------------------------


@blueprint.get("/requests")
@roles(*READERS)
def inbox() -> Any:
    """Requests to look at, the most urgent first; live."""
    filters = queries.Filters.read(request.args)
    listed = queries.inbox(current(), filters)
    page = "intake/_inbox.html" if request.headers.get("HX-Request") else "intake/inbox.html"
    return Response(render_template(page, listed=listed, filters=filters, stations=queries.stations_of(current()), somebody=person()))
