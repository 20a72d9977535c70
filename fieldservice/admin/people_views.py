"""Ways in for people, and photos of certificates."""

from typing import Any

import segno
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.accounts import invitations
from fieldservice.accounts.freshness import fresh
from fieldservice.accounts.models import User
from fieldservice.admin.views import blueprint, row_of
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Forbidden, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.mechanisms import files
from fieldservice.mechanisms.records import kind_of
from fieldservice.stations.models import Certificate, Technician


def _user(user_id: int) -> User:
    """Somebody the person may invite: administrators anybody, managers the technicians of their stations."""
    user = session.get(User, user_id) if user_id < 2**63 else None
    if user is None or user.customer_id is not None:
        raise NotFound()
    if current().has("admin"):
        return user
    technician = session.get(Technician, user.technician_id) if user.technician_id else None
    if technician is None or not current().covers(technician.station_id, "station_manager"):
        raise NotFound()
    if {grant.role for grant in user.grants} - {"technician"}:
        raise Forbidden(_l("Only an administrator invites people with other roles."))
    return user


@blueprint.post("/people/<int:user_id>/invite")
@roles("admin", "station_manager")
@fresh
def invite(user_id: int) -> Any:
    """A link for choosing a password, shown with its QR code, and mailed where mail is set up."""
    link = write(lambda: invitations.invite(_user(user_id), at=now()))
    code = segno.make(link, error="m").svg_data_uri(scale=5, border=2)
    user = _user(user_id)
    return render_template("admin/invitation.html", user=user, link=link, code=code, mailed=bool(settings().smtp_url))


def _certificate(certificate_id: int) -> Certificate:
    found = session.get(Certificate, certificate_id) if certificate_id < 2**63 else None
    if found is None:
        raise NotFound()
    row_of(kind_of("technicians"), found.technician_id, edit=request.method == "POST")
    return found


@blueprint.post("/certificates/<int:certificate_id>/photo")
@roles("admin", "station_manager")
def certificate_photo(certificate_id: int) -> Any:
    """Keep a photo of a certificate."""
    found = _certificate(certificate_id)
    technician_id = found.technician_id
    upload = request.files.get("photos")
    if upload is None or not upload.filename:
        raise Invalid({"photos": [_l("Choose a photo.")]})
    received = files.receive(upload.stream, upload.filename)
    write(lambda: files.attach(received, _certificate(certificate_id)))
    flash(_("The photo is being processed."))
    return redirect(url_for("admin.record", kind_code="technicians", record_id=technician_id), 303)


@blueprint.get("/certificates/<int:certificate_id>/files/<int:file_id>")
@roles("admin", "station_manager", "director", "dispatcher", "quality")
def certificate_file(certificate_id: int, file_id: int) -> Any:
    return files.send(files.file_of(_certificate(certificate_id), file_id), thumbnail="small" in request.args)
