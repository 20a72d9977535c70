"""Sign in, sign out, and the language a person keeps."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext as _
from flask_security.utils import login_user, logout_user, verify_and_update_password
from sqlalchemy import func, select

from config import LANGUAGES
from fieldservice.accounts import passkeys
from fieldservice.accounts.attempts import check_delay, failed, succeeded
from fieldservice.accounts.freshness import now_fresh
from fieldservice.accounts.models import User
from fieldservice.accounts.passwords import spend_time
from fieldservice.accounts.second_factor import check_code, use_recovery_code
from fieldservice.accounts.services import speak
from fieldservice.accounts.sessions import DEVICE
from fieldservice.foundation.access import Person, person, public, signed_in
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import TooMany
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import digest
from fieldservice.foundation.web import limiter

blueprint = Blueprint("accounts", __name__)
PENDING = "second_step"
CODE_WITHIN = 300  # seconds between password and code
HOME = (  # the first page of a role; the first that fits wins
    ("technician", "tablet.today"),
    ("dispatcher", "dispatch.day_plan"),
    ("agent", "intake.inbox"),
    ("station_manager", "intake.inbox"),
    ("director", "insight.board"),
    ("admin", "admin.start"),
    ("storekeeper", "store.page"),
    ("engineer", "admin.start"),
    ("sales", "sales.list_opportunities"),
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
    """Check the password; a wrong address takes as long as a wrong password, and waits grow for both alike."""
    email = request.form.get("email", "").strip().lower()[:255]
    password = request.form.get("password", "")[:1024]
    key = f"password:{digest(email)[:24]}"
    try:
        check_delay(key)
    except TooMany as late:
        return render_template("accounts/login.html", email=email, error=late.message), late.status
    user = session.scalar(select(User).where(func.lower(User.email) == email, User.active))
    if user is None or not user.password:
        spend_time(password)
        right = False
    else:
        identity = user.id
        right = write(lambda: bool(verify_and_update_password(password, session.get_one(User, identity))))
    if not right or user is None:
        failed(key)
        error = _("Address or password is not right. Check both and try again.")
        return render_template("accounts/login.html", email=email, error=error), 422
    succeeded(key)
    if user.totp_secret:
        browser[PENDING] = [user.id, int(now().timestamp()), request.form.get("device", "").strip()[:60]]
        return redirect(url_for("accounts.second_step", next=request.args.get("next")))
    return enter(user, request.form.get("device", ""))


def enter(user: User, device: str = "") -> Any:
    """Sign the person in, as a device that stays signed in where it has a name, and lead to the first page."""
    login_user(user, remember=False)
    browser.pop(PENDING, None)
    now_fresh()
    if device.strip():
        browser[DEVICE] = device.strip()[:60]
    if user.must_change_password:
        return redirect(url_for("accounts.account"))
    return redirect(_next(user.as_person()))


@blueprint.get("/login/code")
@public
def second_step() -> Any:
    """The code of the authenticator app, after the password."""
    return render_template("accounts/second_step.html", error=None) if _pending() else redirect("/login")


@blueprint.post("/login/code", endpoint="check_second_step")
@public
@limiter.limit("10 per minute")
def check_second_step() -> Any:
    """A code of the app, or a recovery code; each is good once."""
    waiting = _pending()
    if waiting is None:
        return redirect(url_for("accounts.sign_in_form", next=request.args.get("next")))
    user_id, device = waiting
    key, code = f"code:{user_id}", request.form.get("code", "")[:40]
    try:
        check_delay(key)
    except TooMany as late:
        return render_template("accounts/second_step.html", error=late.message), late.status

    def right() -> bool:
        user = session.get_one(User, user_id)
        return check_code(user, code, at=now()) or use_recovery_code(user, code, at=now())

    if not write(right):
        failed(key)
        error = _("This code is not right. Wait for the next one and type it.")
        return render_template("accounts/second_step.html", error=error), 422
    succeeded(key)
    return enter(session.get_one(User, user_id), device)


def _pending() -> tuple[int, str] | None:
    """Whose password was right a moment ago in this browser."""
    mark = browser.get(PENDING)
    if not (isinstance(mark, list) and len(mark) == 3) or now().timestamp() - mark[1] > CODE_WITHIN:
        return None
    user = session.get(User, mark[0])
    return (mark[0], mark[2]) if user is not None and user.active else None


@blueprint.post("/login/passkey/options")
@public
@limiter.limit("30 per minute")
def passkey_options() -> Any:
    """A challenge for signing in with a passkey."""
    return passkeys.options_to_sign_in()


@blueprint.post("/login/passkey")
@public
@limiter.limit("10 per minute")
def passkey_sign_in() -> Any:
    """Sign in with the passkey that answered the challenge."""
    expected, answer = passkeys.take_challenge(), request.get_json(silent=True)
    user_id = write(lambda: passkeys.whose(answer, expected, at=now()).id)
    where = enter(session.get_one(User, user_id))
    return {"next": where.location}


@blueprint.post("/logout")
@signed_in
def sign_out() -> Any:
    """End this browser's session."""
    logout_user()
    return redirect(url_for("accounts.sign_in_form"))


def _next(somebody: Person) -> str:
    """The page that was wished, where it is one of ours: browsers drop tabs and line feeds before they look."""
    wish = request.args.get("next", "")
    if wish.isprintable() and "\\" not in wish and wish.startswith("/") and not wish.startswith("//"):
        parts = urlsplit(wish)
        if not parts.netloc and not parts.scheme:
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
