"""Who is there: fits Flask-Security and finds the acting person of each request."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, redirect, request, url_for
from flask import session as browser
from flask_babel import lazy_gettext as _l
from flask_security import Security, SQLAlchemyUserDatastore, current_user
from flask_security.mail_util import MailUtil
from sqlalchemy import select

from config import Settings
from fieldservice.accounts.models import ApiToken, Role, RoleGrant, User, stations_by_role
from fieldservice.accounts.second_factor import has_passkey
from fieldservice.accounts.sessions import Sessions
from fieldservice.foundation.access import Person, declared
from fieldservice.foundation.api import bearer_text
from fieldservice.foundation.db import db, session
from fieldservice.foundation.errors import Forbidden, SignInNeeded
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import digest
from fieldservice.foundation.web import wants_json

security = Security()
OWED = {  # what keeps somebody from everything else
    "password": _l("Choose a password of your own on the page of your account."),
    "second_factor": _l("Your role needs a second factor. Set it up on the page of your account."),
}


class OurMail(MailUtil):
    """Addresses are checked by form only: the demo's .test addresses are refused by the default."""

    def validate(self, email: str) -> str:
        return email.strip().lower()

    def normalize(self, email: str) -> str:
        return email.strip().lower()


def install(app: Flask, settings: Settings) -> None:
    """Sign-in by Flask-Security (argon2id: 19 MiB, t=2, p=1) over our own server-side sessions."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-session" if settings.secure_cookies else "session",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SECURITY_PASSWORD_SALT=digest(settings.secret_key),
        SECURITY_PASSWORD_HASH="argon2",  # the name of a way to hash, no secret  # nosec B106
        SECURITY_PASSWORD_SINGLE_HASH=False,
        SECURITY_PASSWORD_HASH_OPTIONS={"argon2__rounds": 2, "argon2__memory_cost": 19456, "argon2__parallelism": 1},
        SECURITY_REGISTER_BLUEPRINT=False,
        SECURITY_REGISTERABLE=False,
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_TRACKABLE=False,
        SECURITY_DATETIME_FACTORY=now,
        SECURITY_ANONYMOUS_USER_DISABLED=False,
        SECURITY_JOIN_USER_ROLES=False,  # roles are derived from grants, which load with the user
    )
    app.session_interface = Sessions()
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role), register_blueprint=False, mail_util_cls=OurMail)
    app.before_request(identify)
    app.before_request(lead_to_debts)


def identify() -> None:
    """Set `g.person` from the bearer token or the signed-in session; one query for the person's roles."""
    g.person = None
    asked = declared(request.endpoint, request.method) if request.endpoint else None
    if asked is not None and asked.machine:
        return
    text = bearer_text()
    if text is not None:
        g.person = bearer(text)
    elif "_user_id" in browser and current_user.is_authenticated:  # Flask-Security has read it already; it is active
        user: User = current_user._get_current_object()
        g.person = user.as_person()
        g.owes = owes(user)


def bearer(text: str) -> Person:
    """Whoever holds a token, with the roles: one statement, since every call of a partner pays for it.

    Raises SignInNeeded for a token that is unknown, revoked, or of an account that was closed.
    """
    who = (User.id, User.name, User.email, User.language, User.technician_id, User.customer_id)
    rows = session.execute(
        select(*who, RoleGrant.role, RoleGrant.station_id)
        .join(ApiToken, ApiToken.user_id == User.id).outerjoin(RoleGrant, RoleGrant.user_id == User.id)
        .where(ApiToken.token_hash == digest(text), ApiToken.revoked_at.is_(None), User.active)
    ).all()  # fmt: skip
    if not rows:
        raise SignInNeeded(code="token_unknown")
    first = rows[0]
    return Person(
        first.id, first.name, first.email, first.language, first.technician_id, first.customer_id,
        stations_by_role((row.role, row.station_id) for row in rows if row.role is not None), via_token=True,
    )  # fmt: skip


@dataclass(frozen=True)
class WayIn:
    """What lets this request in: a signed-in browser or a bearer token, by the id of its row."""

    sign_in_id: int | None = None
    token_id: int | None = None


def way_in() -> WayIn:
    """Of the present request, so that it can be ended later from elsewhere."""
    text = bearer_text()
    if text is not None:
        return WayIn(token_id=session.scalar(select(ApiToken.id).where(ApiToken.token_hash == digest(text))))
    return WayIn(sign_in_id=getattr(browser, "row_id", None))


def owes(user: User) -> str | None:
    """What somebody must do before anything else: 'password' or 'second_factor'."""
    if user.must_change_password:
        return "password"
    wanted = current_app.extensions["fieldservice.settings"].second_factor_roles
    if wanted and wanted & {grant.role for grant in user.grants} and not user.totp_secret and not has_passkey(user.id):
        return "second_factor"
    return None


def lead_to_debts() -> Any:
    """Whoever owes a password or a second factor sees the account page until it is there.

    Programs of a page, such as the tablet's, can follow no redirect: Forbidden `second_factor_owed`, `password_owed`.
    """
    if g.get("owes") is None or request.endpoint is None or request.endpoint.split(".")[0] in ("accounts", "static"):
        return None
    if wants_json():
        raise Forbidden(OWED[g.owes], code=f"{g.owes}_owed")
    return redirect(url_for("accounts.account"))


def act_as(user: User) -> None:
    """Let a command or demo act as a person."""
    g.person = user.as_person()


def signed_in_user() -> Any:
    """The account row behind the acting person."""
    return session.get(User, g.person.user_id) if g.get("person") else None
