"""Dangerous acts ask who is there once more: a password or a code within the last ten minutes.

A form that is sent too late comes back with one more field; what was filled in goes along, so nothing is lost.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, current_app, g, render_template, request
from flask import session as browser
from flask_babel import lazy_gettext as _l
from flask_security.utils import verify_password

from fieldservice.accounts.attempts import check_delay, failed, succeeded
from fieldservice.accounts.models import User
from fieldservice.accounts.passwords import CHECKS
from fieldservice.accounts.second_factor import check_code
from fieldservice.foundation.access import current
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import TooMany
from fieldservice.foundation.time import now

F = TypeVar("F", bound=Callable[..., Any])
GOOD_FOR = 600  # seconds
MARK = "fresh_at"
PROOF = "_proof"


def now_fresh() -> None:
    """Whoever is there has just proved it."""
    browser[MARK] = int(now().timestamp())


def is_fresh() -> bool:
    if current().via_token:  # a token proves itself with every call and can do no more than it is allowed to
        return True
    return int(now().timestamp()) - int(browser.get(MARK, 0)) <= GOOD_FOR


def fresh(view: F) -> F:
    """A view that asks for proof first; for POST. Put it under the declaration of access."""

    @wraps(view)
    def asked(*args: Any, **kwargs: Any) -> Any:
        asking = ask()
        return asking if asking is not None else view(*args, **kwargs)

    return asked  # type: ignore[return-value]  # the wrapper keeps the view's face


def ask() -> Response | None:
    """None when the person has proved who they are, or just did; else the page that asks, with the form in it."""
    if is_fresh():
        return None
    error = None
    proof = request.form.get(PROOF, "")[:1024]
    if proof:
        try:
            if _proves(current().user_id, proof):
                now_fresh()
                return None
            error = _l("That is not right. Try again.")
        except TooMany as late:
            error = late.message
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in (PROOF, "csrf_token")]
    shown = render_template("accounts/confirm.html", sent=sent, error=error, files=bool(request.files))
    g.asked = True
    return current_app.make_response((shown, 401 if error is None else 422))


def _proves(user_id: int, proof: str) -> bool:
    user = session.get_one(User, user_id)
    key = f"proof:{user_id}"
    check_delay(key)
    with CHECKS:
        right = user.password is not None and verify_password(proof, user.password)
    if not right and user.totp_secret:
        right = write(lambda: check_code(session.get_one(User, user_id), proof, at=now()))
    (succeeded if right else failed)(key)
    return right
