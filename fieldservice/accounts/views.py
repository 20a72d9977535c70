"""Sign in, sign out, and the language a person keeps."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_security.utils import login_user, logout_user, verify_and_update_password
from sqlalchemy import func, select

from config import LANGUAGES
from fieldservice.accounts.models import User
from fieldservice.accounts.passwords import spend_time
from fieldservice.accounts.services import speak
from fieldservice.foundation.access import Person, person, public, signed_in
from fieldservice.foundation.db import session, write
from fieldservice.foundation.web import limiter

blueprint = Blueprint("accounts", __name__)
HOME = (  # the first page of a role; the first that fits wins
    ("technician", "tablet.today"),
    ("dispatcher", "dispatch.day_plan"),
    ("agent", "intake.inbox"),
    ("station_manager", "intake.inbox"),
    ("director", "insight.board"),
)


@blueprint.get("/login")
@public
def sign_in_form() -> Any:
    """The form; somebody already signed in goes home."""
    somebody = person()
    return redirect(_next(somebody)) if somebody else render_template("accounts/login.html", email="", error=None)


@blueprint.post("/login", endpoint="sign_in")
@public
@limiter.limit("10 per minute")
def sign_in() -> Any:
    """Check the password; a wrong address takes as long as a wrong password."""
    email = request.form.get("email", "").strip().lower()[:255]
    password = request.form.get("password", "")[:1024]
    user = session.scalar(select(User).where(func.lower(User.email) == email, User.active))
    if user is None or not user.password:
        spend_time(password)
        right = False
    else:
        identity = user.id
        right = write(lambda: bool(verify_and_update_password(password, session.get_one(User, identity))))
    if not right or user is None:
        error = _("Address or password is not right. Check both and try again.")
        return render_template("accounts/login.html", email=email, error=error), 422
    login_user(user, remember=False)
    return redirect(_next(user.as_person()))


@blueprint.post("/logout")
@signed_in
def sign_out() -> Any:
    """End this browser's session."""
    logout_user()
    return redirect(url_for("accounts.sign_in_form"))


def _next(somebody: Person) -> str:
    wish = request.args.get("next", "")
    parts = urlsplit(wish)
    if wish.startswith("/") and not wish.startswith("//") and not parts.netloc and "\\" not in wish:
        return wish
    for role, endpoint in HOME:
        if somebody.has(role):
            return url_for(endpoint)
    return url_for("portal.home")


@blueprint.after_app_request
def remember_language(response: Response) -> Response:
    """After a request with ?lang=, keep it for the signed-in person, in a write of its own."""
    somebody, wish = person(), request.args.get("lang")
    if somebody is not None and not somebody.via_token and wish in LANGUAGES and somebody.language != wish:
        identity = somebody.user_id
        write(lambda: speak(identity, wish))
    return response
