"""One's own account: password, second factor, passkeys, signed-in browsers and tablets, tokens."""

from typing import Any

import segno
from flask import flash, redirect, render_template, request, url_for
from flask import session as browser
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security.utils import verify_password
from sqlalchemy import select

from config import LANGUAGES
from fieldservice.accounts import passkeys, second_factor, services
from fieldservice.accounts.agents import agent_words
from fieldservice.accounts.attempts import check_delay, failed, succeeded
from fieldservice.accounts.freshness import fresh, now_fresh
from fieldservice.accounts.models import ApiToken, Passkey, SignIn, User
from fieldservice.accounts.passwords import CHECKS
from fieldservice.accounts.signin import owes
from fieldservice.accounts.views import blueprint
from fieldservice.foundation.access import current, signed_in
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Forbidden, Invalid
from fieldservice.foundation.time import now
from fieldservice.foundation.web import limiter

OFFERED = "totp_offer"


def _me() -> User:
    if current().via_token:
        raise Forbidden()
    return session.get_one(User, current().user_id)


@blueprint.get("/account")
@signed_in
def account() -> Any:
    return _page()


def _page(errors: Any = None, **more: Any) -> str:
    user = _me()
    at = now()
    rows = session.scalars(
        select(SignIn).where(SignIn.user_id == user.id, SignIn.revoked_at.is_(None), SignIn.expires_at > at)
        .order_by(SignIn.last_seen_at.desc()).limit(50)
    ).all()  # fmt: skip
    return render_template(
        "accounts/account.html", user=user, owes=owes(user), errors=errors or {}, sign_ins=rows, agent=agent_words,
        here=browser.row_id, left=second_factor.recovery_left(user.id),  # type: ignore[attr-defined]  # our own session class
        keys=session.scalars(select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id)).all(),
        tokens=_tokens(user.id), **{"codes": None, "made": None, "offer": None, **more},
    )  # fmt: skip


def _tokens(user_id: int) -> Any:
    mine = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return session.scalars(mine.order_by(ApiToken.id).limit(50)).all()


def _again(errors: Any, status: int = 422) -> Any:
    session.rollback()
    return _page(errors), status


@blueprint.post("/account")
@signed_in
def save_account() -> Any:
    """Name and language."""
    name, language = request.form.get("name", "").strip(), request.form.get("language", "")
    if not 1 <= len(name) <= 80 or language not in LANGUAGES:
        return _again({"name": [_l("Enter a name of at most 80 characters.")]})

    def work() -> None:
        user = _me()
        user.name, user.language = name, language

    write(work)
    flash(_("Saved."))
    return redirect(url_for("accounts.account", lang=language), 303)


@blueprint.post("/account/password")
@signed_in
@limiter.limit("10 per minute")
def change_password() -> Any:
    """Another password; the other browsers are signed out."""
    old, new = request.form.get("old", "")[:1024], request.form.get("password", "")[:1024]
    user = _me()
    key = f"proof:{user.id}"
    try:
        check_delay(key)
        if new != request.form.get("again", "")[:1024]:
            raise Invalid({"again": [_l("The two passwords differ. Type them once more.")]})
        with CHECKS:
            right = not user.password or verify_password(old, user.password)
        if not right:
            failed(key)
            raise Invalid({"old": [_l("This is not your present password.")]})
        succeeded(key)
        here = browser.row_id  # type: ignore[attr-defined]  # our own session class
        write(lambda: services.change_password(_me(), new, keep=here, at=now()))
    except DomainError as refused:
        return _again(getattr(refused, "errors", {"old": [refused.message]}), refused.status)
    now_fresh()
    flash(_("Your password is changed. Other browsers were signed out."))
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/second-factor/offer")
@signed_in
@fresh
def offer_second_factor() -> Any:
    """A QR code for the authenticator app; nothing is asked at sign-in before its first code was right."""
    browser[OFFERED] = second_factor.new_secret()
    return _page(offer=_offer())


def _offer() -> dict[str, str] | None:
    secret = browser.get(OFFERED)
    if not secret:
        return None
    uri = second_factor.provisioning_uri(secret, _me().email)
    return {"code": segno.make(uri, error="m").svg_data_uri(scale=4, border=2), "secret": secret}


@blueprint.post("/account/second-factor/on")
@signed_in
@fresh
@limiter.limit("10 per minute")
def turn_on_second_factor() -> Any:
    """The first code of the app; recovery codes are shown once."""
    secret, code = browser.get(OFFERED, ""), request.form.get("code", "")[:20]
    try:
        if not secret:
            raise Invalid({"code": [_l("This took too long. Please try again.")]})
        codes = write(lambda: second_factor.turn_on(_me(), secret, code, at=now()))
    except Invalid as refused:
        session.rollback()
        return _page(refused.errors, offer=_offer()), 422
    browser.pop(OFFERED, None)
    return _page(codes=codes)


@blueprint.post("/account/second-factor/off")
@signed_in
@fresh
def turn_off_second_factor() -> Any:
    write(lambda: second_factor.turn_off(_me(), at=now()))
    flash(_("No code is asked at sign-in any more."))
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/recovery-codes")
@signed_in
@fresh
def make_recovery_codes() -> Any:
    """Ten new ones; the old ones are void."""
    return _page(codes=write(lambda: second_factor.new_recovery_codes(_me(), at=now())))


@blueprint.post("/account/passkeys/options")
@signed_in
@fresh
def passkey_to_add() -> Any:
    """A challenge for making a passkey."""
    return passkeys.options_to_add(_me())


@blueprint.post("/account/passkeys")
@signed_in
@fresh
def add_passkey() -> Any:
    """Keep the passkey that the browser made."""
    expected, sent = passkeys.take_challenge(), request.get_json(silent=True) or {}
    write(lambda: passkeys.add(_me(), str(sent.get("name", "")), sent.get("answer"), expected, at=now()))
    return {"next": url_for("accounts.account")}


@blueprint.post("/account/passkeys/<int:passkey_id>/remove")
@signed_in
@fresh
def remove_passkey(passkey_id: int) -> Any:
    write(lambda: passkeys.remove(_me(), passkey_id, at=now()))
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/sessions/<int:sign_in_id>/end")
@signed_in
def end_session(sign_in_id: int) -> Any:
    """Sign one browser or tablet out."""
    write(lambda: services.end_sign_in(_me().id, sign_in_id, at=now()))
    flash(_("Signed out there."))
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/sessions/end-others")
@signed_in
def end_other_sessions() -> Any:
    here = browser.row_id  # type: ignore[attr-defined]  # our own session class
    write(lambda: services.revoke_sign_ins(_me().id, keep=here))
    flash(_("Signed out everywhere else."))
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/tokens")
@signed_in
@fresh
def make_token() -> Any:
    """A bearer token for the API, shown once."""
    name = request.form.get("name", "").strip()[:80]
    if not name:
        return _again({"token_name": [_l("Give the token a name.")]})
    return _page(made=write(lambda: services.create_token(email=_me().email, name=name)))


@blueprint.post("/account/tokens/<int:token_id>/end")
@signed_in
def end_token(token_id: int) -> Any:
    write(lambda: services.end_token(_me().id, token_id, at=now()))
    flash(_("The token is good no longer."))
    return redirect(url_for("accounts.account"), 303)
