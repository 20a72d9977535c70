"""Passkeys (WebAuthn): a key of the telephone or computer signs in without a password; the person is verified there."""

import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import request
from flask import session as browser
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from fieldservice.accounts.models import Passkey, User
from fieldservice.foundation import limits
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.web import settings
from fieldservice.mechanisms.events import record

MOST = 10
GOOD_FOR = 300  # seconds a challenge may be answered
CHALLENGE = "passkey_challenge"
NAME = "FieldService 360"


def _site() -> tuple[str, str]:
    """(relying party, origin): the address people came by, which `Origin` was checked against."""
    parts = urlsplit(settings().public_url)
    if request.host != parts.netloc and request.host.split(":")[0] in ("localhost", "127.0.0.1"):
        return request.host.split(":")[0], f"http://{request.host}"
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def _new_challenge() -> bytes:
    challenge = secrets.token_bytes(32)
    browser[CHALLENGE] = bytes_to_base64url(challenge)
    return challenge


def _challenge() -> bytes:
    """The challenge given to this browser; it is answered once, whoever holds a copy of the cookie."""
    text = browser.pop(CHALLENGE, None)
    if not isinstance(text, str) or not limits.once(f"challenge:{text}", GOOD_FOR * 2):
        raise Invalid({"passkey": [_l("This took too long. Please try again.")]})
    return base64url_to_bytes(text)


def options_to_add(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey."""
    held = session.scalars(select(Passkey.credential_id).where(Passkey.user_id == user.id)).all()
    options = generate_registration_options(
        rp_id=_site()[0], rp_name=NAME, user_name=user.email, user_display_name=user.name,
        user_id=user.fs_uniquifier.encode(), challenge=_new_challenge(),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in held],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


def add(user: User, name: str, answer: Any, expected: bytes, *, at: datetime) -> Passkey:
    """Keep a passkey that the browser made. Raises Invalid."""
    if len(session.scalars(select(Passkey.id).where(Passkey.user_id == user.id)).all()) >= MOST:
        raise Invalid({"passkey": [_l("Remove a passkey first: ten are the most.")]})
    rp_id, origin = _site()
    try:
        made = verify_registration_response(
            credential=answer, expected_challenge=expected, expected_rp_id=rp_id, expected_origin=origin,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Invalid({"passkey": [_l("The passkey could not be checked. Please try again.")]}) from error
    key = Passkey(
        user_id=user.id, name=name.strip()[:60] or "Passkey", credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key), sign_count=made.sign_count, created_at=at,
    )  # fmt: skip
    session.add(key)
    session.flush()
    record("user.passkey_added", user, at=at)
    return key


def options_to_sign_in() -> dict[str, Any]:
    """What the browser needs to find one of its passkeys."""
    options = generate_authentication_options(
        rp_id=_site()[0], challenge=_new_challenge(), user_verification=UserVerificationRequirement.REQUIRED
    )
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


def whose(answer: Any, expected: bytes, *, at: datetime) -> User:
    """Who signed the challenge. Raises Invalid for anything that does not fit, without telling what."""
    unknown = Invalid({"passkey": [_l("This passkey is not known here. Sign in with your password.")]})
    identity = answer.get("id") if isinstance(answer, dict) else None
    key = session.scalar(select(Passkey).where(Passkey.credential_id == str(identity)[:700]))
    user = session.get(User, key.user_id) if key is not None else None
    if key is None or user is None or not user.active:
        raise unknown
    rp_id, origin = _site()
    try:
        checked = verify_authentication_response(
            credential=answer, expected_challenge=expected, expected_rp_id=rp_id, expected_origin=origin,
            credential_public_key=base64url_to_bytes(key.public_key), credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise unknown from error
    key.sign_count, key.last_used_at = checked.new_sign_count, at
    return user


def remove(user: User, passkey_id: int, *, at: datetime) -> None:
    """Raises NotFound for anybody else's."""
    key = session.get(Passkey, passkey_id) if 0 < passkey_id < 2**63 else None
    if key is None or key.user_id != user.id:
        raise NotFound()
    session.delete(key)
    record("user.passkey_removed", user, at=at)


def take_challenge() -> bytes:
    """The challenge of this browser, used up; call it outside `write`."""
    return _challenge()
