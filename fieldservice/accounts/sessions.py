"""Server-side sessions for people who signed in; anonymous visitors keep a signed cookie.

Only sign-in creates a row. Changes and `last_seen` are saved after the response in a short write
transaction of their own, because Flask-WTF and Flask-Security write to the session on GET.

A second cookie names who signed in last. It is no secret and proves nothing: a tablet reads it without a network to
open that person's own store, and finds it gone after signing out.
"""

import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface
from sqlalchemy import select

from fieldservice.accounts.models import SignIn, User
from fieldservice.foundation.db import session as database
from fieldservice.foundation.db import write
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import digest

LIFETIME = timedelta(days=14)
DEVICE_LIFETIME = timedelta(days=90)  # of a tablet that stays signed in, since it was last used
DEVICE = "device"  # its name, in the session while it signs in
SEEN_EVERY = timedelta(minutes=1)
WHO = "who"  # the cookie that names the person
WHO_LIFETIME = timedelta(days=400)  # the longest browsers keep; a tablet may be out of reach when its session ends
MARK = "s."  # tells a server-side token from a signed cookie


class StoredSession(SecureCookieSession):
    """Session data with the row it came from."""

    row_id: int | None = None
    seen_late = False


class Sessions(SessionInterface):
    """One cookie: either a signed anonymous session or the token of a stored one."""

    session_class = StoredSession
    anonymous = SecureCookieSessionInterface()
    anonymous.session_class = StoredSession

    def open_session(self, app: Flask, request: Request) -> Any:
        value = request.cookies.get(self.get_cookie_name(app), "")
        if not value.startswith(MARK):
            return self.anonymous.open_session(app, request)
        row = database.scalar(select(SignIn).where(SignIn.token_hash == digest(value)))
        if row is None or row.revoked_at or row.expires_at <= now():
            return StoredSession()
        found = StoredSession(row.content)
        found.row_id, found.seen_late = row.id, now() - row.last_seen_at > SEEN_EVERY
        return found

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        response.vary.add("Cookie")
        row_id: int | None = session.row_id
        if "_user_id" not in session:  # anonymous, or just signed out
            if row_id is not None:
                write(lambda: _revoke(row_id))
                response.delete_cookie(WHO, path="/", secure=self.get_cookie_secure(app), samesite="Lax")
            self._save_anonymous(app, session, response)
        elif row_id is None:
            token, life = MARK + secrets.token_urlsafe(32), _life(session)
            person = write(lambda: _create(token, session))
            response.set_cookie(self.get_cookie_name(app), token, max_age=life, **self._cookie_facts(app))
            name_person(response, person, secure=self.get_cookie_secure(app))
        elif session.modified or session.seen_late:
            write(lambda: _update(row_id, dict(session)))

    def _save_anonymous(self, app: Flask, session: Any, response: Response) -> None:
        name = self.get_cookie_name(app)
        if session:
            if session.modified:
                text = self.anonymous.get_signing_serializer(app).dumps(dict(session))  # type: ignore[union-attr]  # a key is always set
                response.set_cookie(name, text, **self._cookie_facts(app))
        elif session.modified or session.row_id is not None:
            response.delete_cookie(name, path="/", secure=self.get_cookie_secure(app), httponly=True, samesite="Lax")

    def _cookie_facts(self, app: Flask) -> dict[str, Any]:
        return {"httponly": True, "secure": self.get_cookie_secure(app), "samesite": "Lax", "path": "/"}


def name_person(response: Response, user_id: int, *, secure: bool) -> None:
    """Let scripts of this browser know whose session it holds."""
    response.set_cookie(WHO, str(user_id), max_age=WHO_LIFETIME, secure=secure, samesite="Lax", path="/")


def _life(content: Any) -> timedelta:
    return DEVICE_LIFETIME if content.get(DEVICE) else LIFETIME


def _create(token: str, content: Any) -> int:
    user_id = database.scalars(select(User.id).where(User.fs_uniquifier == content["_user_id"])).one()
    database.add(
        SignIn(
            token_hash=digest(token),
            user_id=user_id,
            content=dict(content),
            created_at=now(),
            last_seen_at=now(),
            expires_at=now() + _life(content),
            agent=request.headers.get("User-Agent", "")[:200],
            device=str(content.get(DEVICE, ""))[:60],
        )
    )
    return user_id


def _update(row_id: int, content: dict[str, Any]) -> None:
    row = database.get(SignIn, row_id)
    if row is not None:
        row.content, row.last_seen_at = content, now()
        if row.device:
            row.expires_at = now() + DEVICE_LIFETIME


def _revoke(row_id: int) -> None:
    row = database.get(SignIn, row_id)
    if row is not None:
        row.revoked_at = now()
