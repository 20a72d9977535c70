"""Reporting a fault on the web, taking a report by phone, and the inbox."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from config import LANGUAGES
from fieldservice.assets.models import Asset
from fieldservice.assets.queries import asset_by_id, asset_by_link, find_by_serial
from fieldservice.customers.queries import customer_by_id
from fieldservice.foundation.access import current, person, public, roles
from fieldservice.foundation.db import write
from fieldservice.foundation.errors import DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import limiter, navigation
from fieldservice.foundation.words import language, pick
from fieldservice.intake import callers, forms, inbox, queries, report, services
from fieldservice.mechanisms import clocks, files

blueprint = Blueprint("intake", __name__)
TAKERS = ("agent", "dispatcher", "station_manager")
READERS = (*TAKERS, "director", "quality")
LOOKS = limiter.limit("60 per minute")
# refused forms too: each may carry ten photos. Our own people are known, and telephone agents are quick
TRIES = limiter.limit("30 per minute", exempt_when=lambda: person() is not None)
# what makes a request; the form, the QR form and the JSON call share one count
REPORTS = limiter.shared_limit(
    "5 per minute; 30 per hour", scope="reports", exempt_when=lambda: person() is not None,
    deduct_when=lambda answer: answer.status_code in (201, 303),
)  # fmt: skip
navigation("intake.inbox", _l("Inbox"), *READERS)


# The customer's form -------------------------------------------------------------------------------


@blueprint.get("/report", endpoint="report")
@public
def report_fault() -> Any:
    """One page, phone first."""
    return _form(None, forms.Form(MultiDict({"serial": request.args.get("serial", "")[:40]})))


@blueprint.get("/a/<token>")
@public
def report_asset(token: str) -> Any:
    """The form behind a machine's QR code: machine, site and warranty are known."""
    return _form(_asset(token), forms.Form(MultiDict()))


@blueprint.post("/report")
@public
@TRIES
@REPORTS
def send_report() -> Any:
    return _take(None, "portal")


@blueprint.post("/a/<token>")
@public
@TRIES
@REPORTS
def send_asset_report(token: str) -> Any:
    return _take(_asset(token), "asset_qr")


@blueprint.get("/report/machine")
@public
@LOOKS
def machine() -> Any:
    """The machine of a typed serial, as a part of the form."""
    serial = request.args.get("serial", "")[:40].strip()
    return render_template(
        "intake/_machine.html", known=find_by_serial(serial), serial=serial, warranty=forms.warranty_text
    )


@blueprint.get("/report/place")
@public
@LOOKS
def place() -> Any:
    """How an address is read, or what is asked back, as a part of the form."""
    return render_template("intake/_place.html", place=forms.place_of(request.args), typed=request.args, errors={})


@blueprint.get("/report/done/<token>")
@public
@LOOKS
def received(token: str) -> Any:
    """Number, promises with due and quoted times, and the private link."""
    found = queries.request_by_link(token)
    shown = sorted(clocks.views(clocks.of(found), now()), key=lambda view: view.due_at)
    return render_template("intake/received.html", request_=found, promises=shown, token=token)


def _asset(token: str) -> Asset:
    asset = asset_by_link(token)
    if asset is None:
        raise NotFound(_l("This code is not one of ours. Report the fault with the serial number instead."))
    return asset


def _take(asset: Asset | None, channel: str) -> Any:
    """Read, keep pictures, report in one transaction; a refused form comes back with everything typed."""
    typed = request.form
    photos, errors = files.read_photos()
    if "look" in typed:  # fill in the machine of the serial, without scripts
        return _form(asset, forms.Form(typed, photos=photos))
    try:
        given = report.read(typed, asset)
        if errors:
            raise Invalid({})
    except Invalid as refused:
        refused.errors = {**errors, **refused.errors}
        return _form(asset, forms.Form(typed, refused, photos)), refused.status
    g.actor, spoken, key = "customer", language(), forms.receipt_key(typed)
    try:
        number = write(
            lambda: forms.make_request(given, channel=channel, language=spoken, key=key, photos=photos).number
        )
    except DomainError as refused:
        return _form(asset, forms.Form(typed, refused, photos)), refused.status
    return redirect(url_for("intake.received", token=link_token("track", number)), 303)


def _form(asset: Asset | None, form: forms.Form) -> str:
    known = asset or find_by_serial(form.typed.get("serial", "")[:40])
    owner = customer_by_id(asset.customer_id) if asset is not None else None  # a typed one stays secret
    return render_template(
        "intake/report.html", form=form, typed=form.typed, errors=form.errors, own=asset, known=known,
        site=queries.site_of(asset), severities=forms.severities(owner), place=form.place,
        warranty=forms.warranty_text,
    )  # fmt: skip


# By phone -------------------------------------------------------------------------------------------


@blueprint.get("/requests/new", endpoint="desk")
@roles(*TAKERS)
def take_report() -> Any:
    """Everything an agent needs on one screen: the caller, the machines, the open requests, the form (J-13)."""
    found = callers.find_caller(request.args.get("who", ""), current(), request.args.get("customer", ""))
    return _desk(found, forms.Form(MultiDict()))


@blueprint.post("/requests/new")
@roles(*TAKERS)
def save_report() -> Any:
    """The same report, taken for somebody on the phone; a logged call is the first answer."""
    typed = request.form
    found = callers.find_caller(typed.get("who", ""), current(), typed.get("customer_id", ""))
    if "look" in typed:
        return _desk(found, forms.Form(typed))
    try:
        given = report.read(typed, _chosen_machine(typed))
        saved = write(lambda: _save(given, found, typed))
    except DomainError as refused:
        return _desk(found, forms.Form(typed, refused)), refused.status
    if current().covers(saved["station_id"]):
        return redirect(url_for("workorders.request_page", number=saved["number"]), 303)
    flash(_("%(number)s was handed over to %(station)s.", number=saved["number"], station=pick(saved["station"])))
    return redirect(url_for("intake.desk"), 303)


def _save(given: report.Report, found: callers.Caller, typed: Any) -> dict[str, Any]:
    spoken = typed.get("language") if typed.get("language") in LANGUAGES else found.language
    made = forms.make_request(
        given, channel="phone", language=spoken, key=forms.receipt_key(typed), customer=found.customer
    )
    services.note_first_answer(made, now())
    if "remote" in typed and made.state == "new":
        services.help_remotely(made, now())
    return {"number": made.number, "station_id": made.station_id, "station": made.station.names}


def _chosen_machine(typed: Any) -> Asset | None:
    text = typed.get("asset_id", "")
    return asset_by_id(int(text)) if text.isdecimal() and len(text) < 19 else None


def _desk(found: callers.Caller, form: forms.Form) -> str:
    return render_template(
        "intake/desk.html", caller=found, form=form, typed=form.typed, errors=form.errors, place=form.place,
        severities=forms.severities(found.customer), request_address=request_address,
        warranty=forms.warranty_text,
    )  # fmt: skip


# The inbox ------------------------------------------------------------------------------------------


@blueprint.get("/requests", endpoint="inbox")
@roles(*READERS)
def list_requests() -> Any:
    """Requests to look at, the most urgent first; live."""
    filters = inbox.Filters.read(request.args)
    return render_template(
        "intake/_inbox.html" if request.headers.get("HX-Request") else "intake/inbox.html",
        listed=inbox.list_requests(current(), filters), filters=filters, stations=queries.stations_of(current()),
        may_take=current().has(*TAKERS), request_address=request_address, place_text=inbox.place_text,
    )  # fmt: skip


def request_address(number: str) -> str:
    """Where a request is worked on."""
    return url_for("workorders.request_page", number=number)
