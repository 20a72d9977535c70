"""The page behind an invitation: choose a password."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from fieldservice.accounts import invitations
from fieldservice.accounts.views import blueprint
from fieldservice.foundation.access import public
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.web import limiter


@blueprint.get("/invite/<token>")
@public
@limiter.limit("30 per minute")
def invitation(token: str) -> Any:
    return render_template("accounts/invitation.html", user=invitations.invited(token), errors={})


@blueprint.post("/invite/<token>")
@public
@limiter.limit("10 per minute")
def accept_invitation(token: str) -> Any:
    """Keep the password and lead to signing in."""
    password, again = request.form.get("password", "")[:1024], request.form.get("again", "")[:1024]
    try:
        write(lambda: invitations.accept(token, password, again, at=now()))
    except Invalid as refused:
        session.rollback()
        shown = render_template("accounts/invitation.html", user=invitations.invited(token), errors=refused.errors)
        return shown, refused.status
    flash(_("Your password is set. Sign in with it."))
    return redirect(url_for("accounts.sign_in_form"), 303)
