"""What can be done with accounts."""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_security.utils import hash_password
from sqlalchemy import func, select

from fieldservice.accounts import strength
from fieldservice.accounts.models import ApiToken, RoleGrant, SignIn, User
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import digest
from fieldservice.foundation.web import settings
from fieldservice.foundation.words import has_word
from fieldservice.mechanisms.events import record


def create_user(
    *,
    email: str,
    name: str,
    password: str | None,
    grants: Iterable[tuple[str, int | None]] = (),
    language: str | None = None,
    phone: str | None = None,
    customer_id: int | None = None,
    technician_id: int | None = None,
) -> User:
    """Open an account. Raises Invalid for a known address, a short password or an unknown role."""
    email = email.strip().lower()
    if session.scalar(select(User.id).where(func.lower(User.email) == email)):
        raise Invalid({"email": [_l("This address already has an account.")]})
    if password is not None:
        check_password(password, known=(name, email))
    user = User(
        email=email,
        name=name.strip(),
        password=hash_password(password) if password else None,
        fs_uniquifier=uuid.uuid4().hex,
        language=language,
        phone=phone,
        customer_id=customer_id,
        technician_id=technician_id,
        created_at=now(),
    )
    session.add(user)
    session.flush()
    for role, station_id in grants:
        grant_role(user, role, station_id)
    record("user.created", user, {"roles": [role.name for role in user.roles]})
    return user


def check_password(password: str, *, known: Iterable[str] = ()) -> None:
    """Raises Invalid for a password that is short, easy to guess or known to be stolen."""
    wrong = strength.weakness(password, known=known, breached=settings().breached_passwords)
    if wrong is not None:
        raise Invalid({"password": [wrong]})


def change_password(user: User, password: str, *, keep: int | None, at: datetime) -> None:
    """Another password; every signed-in browser but `keep` is signed out. Raises Invalid."""
    check_password(password, known=(user.name, user.email))
    user.password = hash_password(password)
    user.must_change_password = False
    revoke_sign_ins(user.id, keep=keep)
    record("user.password_changed", user, at=at)


def end_sign_in(user_id: int, sign_in_id: int, *, at: datetime) -> None:
    """Sign one browser or tablet out. Raises NotFound for anybody else's."""
    row = session.get(SignIn, sign_in_id) if 0 < sign_in_id < 2**63 else None
    if row is None or row.user_id != user_id:
        raise NotFound()
    if row.revoked_at is None:
        row.revoked_at = at
        record("user.signed_out", session.get_one(User, user_id), at=at)


def end_token(user_id: int, token_id: int, *, at: datetime) -> None:
    """A bearer token is good no longer. Raises NotFound for anybody else's."""
    row = session.get(ApiToken, token_id) if 0 < token_id < 2**63 else None
    if row is None or row.user_id != user_id:
        raise NotFound()
    if row.revoked_at is None:
        row.revoked_at = at
        record("user.token_ended", session.get_one(User, user_id), at=at)


def end_way_in(user_id: int, *, sign_in_id: int | None, token_id: int | None, at: datetime) -> None:
    """End a browser's sign-in and a token, whichever of them are there and still good (a lost tablet)."""
    sign_in = session.get(SignIn, sign_in_id) if sign_in_id is not None else None
    if sign_in is not None and sign_in.revoked_at is None:
        end_sign_in(user_id, sign_in.id, at=at)
    token = session.get(ApiToken, token_id) if token_id is not None else None
    if token is not None and token.revoked_at is None:
        end_token(user_id, token.id, at=at)


def grant_role(user: User, role: str, station_id: int | None) -> None:
    """Give a role for one station, or for all with None."""
    if not has_word("role", role):
        raise Invalid({"role": [_l("This role is not known.")]})
    user.grants.append(RoleGrant(role=role, station_id=station_id))
    session.flush()


def create_token(*, email: str, name: str) -> str:
    """Make a bearer token for a person; the text is given once and never stored."""
    user = session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if user is None:
        raise Invalid({"email": [_l("No account has this address.")]})
    text = f"fs360_{secrets.token_urlsafe(32)}"
    token = ApiToken(user_id=user.id, name=name, token_hash=digest(text), created_at=now())
    session.add(token)
    record("user.token_created", user, {"name_length": len(name)})
    return text


def revoke_sign_ins(user_id: int, *, keep: int | None = None) -> None:
    """End every signed-in browser of a person, but for one."""
    for sign_in in session.scalars(select(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None))):
        if sign_in.id != keep:
            sign_in.revoked_at = now()


def speak(user_id: int, language: str) -> None:
    """Remember the language a person chose."""
    session.get_one(User, user_id).language = language
