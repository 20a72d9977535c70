"""Invitations: a private link, good for a week and for one use, by which somebody chooses a password."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask_babel import lazy_gettext as _l
from flask_security.utils import hash_password

from fieldservice.accounts.models import User
from fieldservice.accounts.services import check_password, revoke_sign_ins
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import link_token, read_link_token
from fieldservice.foundation.web import settings
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.events import record

GOOD_FOR = timedelta(days=7)
PURPOSE = "invite"
messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")


def invite(user: User, *, at: datetime) -> str:
    """The link; sent by e-mail too, where mail is set up. Older links of the person stay good until one is used."""
    until = at + GOOD_FOR
    number = f"{user.id}-{int(until.timestamp())}-{_mark(user)}"
    record("user.invited", user, {"until": until.isoformat()}, at=at)
    if settings().smtp_url:
        messages.queue(
            "invitation", to=user.email, channel="email", language=user.language or settings().default_language,
            facts={"name": user.name, "number": number, "until": until.isoformat()}, subject=user,
            key=f"invite:{int(until.timestamp())}", at=at,
        )  # fmt: skip
    return f"{settings().public_url}/invite/{link_token(PURPOSE, number)}"


def invited(token: str) -> User:
    """Whoever the link was made for. Raises NotFound for a false, old or used one."""
    number = read_link_token(PURPOSE, token[:200]) or ""
    parts = number.split("-")
    user = session.get(User, int(parts[0])) if len(parts) == 3 and parts[0].isdecimal() else None
    if user is None or not user.active or parts[2] != _mark(user) or _moment(parts[1]) < now():
        raise NotFound(_l("This invitation is used or too old. Ask your administrator for a new one."))
    return user


def accept(token: str, password: str, again: str, *, at: datetime) -> User:
    """Choose a password; the link and every signed-in browser end with it. Raises Invalid, NotFound."""
    user = invited(token)
    check_password(password, known=(user.name, user.email))
    if password != again:
        raise Invalid({"again": [_l("The two passwords differ. Type them once more.")]})
    user.password = hash_password(password)
    user.fs_uniquifier, user.must_change_password = uuid.uuid4().hex, False
    revoke_sign_ins(user.id)
    record("user.password_chosen", user, at=at)
    return user


def _mark(user: User) -> str:
    """Changes with every password, so that a link works once."""
    return hashlib.sha256(f"{user.fs_uniquifier}{user.password or ''}".encode()).hexdigest()[:12]


def _moment(text: str) -> datetime:
    return (
        datetime.fromtimestamp(int(text), UTC)
        if text.isdecimal() and len(text) < 12
        else datetime.min.replace(tzinfo=UTC)
    )
