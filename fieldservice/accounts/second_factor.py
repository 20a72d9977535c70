"""The second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

The secret is kept encrypted by a key derived from the installation's own; a code counts once.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update

from fieldservice.accounts.models import Passkey, RecoveryCode, User
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.mechanisms.events import record

STEP = 30  # seconds
DRIFT = 1  # steps a telephone's clock may be off either way
SECRET_BYTES = 20
RECOVERY_CODES = 10
ISSUER = "FieldService 360"


def new_secret() -> str:
    """A secret as authenticator apps take it (base32)."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def provisioning_uri(secret: str, email: str) -> str:
    """What the QR code says."""
    label = quote(f"{ISSUER}:{email}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(ISSUER)}&algorithm=SHA1&digits=6&period={STEP}"


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is, near the present one; None for a wrong code."""
    plain = "".join(sign for sign in code if sign.isascii() and sign.isdecimal())
    if len(plain) != 6:
        return None
    # SHA-1 is what authenticator apps reckon with (RFC 6238); as an HMAC it is sound
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), STEP)  # nosec B303
    present = int(at.timestamp()) // STEP
    right = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(totp.generate(step * STEP), plain.encode()):
            right = step
    return right


def turn_on(user: User, secret: str, code: str, *, at: datetime) -> list[str]:
    """Keep the secret once a first code was right, and give fresh recovery codes. Raises Invalid."""
    step = step_of(secret, code, at)
    if step is None:
        raise Invalid({"code": [_l("This code is not right. Wait for the next one and type it.")]})
    user.totp_secret, user.totp_step = _cipher().encrypt(secret.encode()).decode(), step
    record("user.second_factor_on", user, at=at)
    return new_recovery_codes(user, at=at)


def turn_off(user: User, *, at: datetime) -> None:
    """No code is asked any more; recovery codes go with it where no passkey is left."""
    user.totp_secret = None
    if not has_passkey(user.id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    record("user.second_factor_off", user, at=at)


def check_code(user: User, code: str, *, at: datetime) -> bool:
    """Whether this code is right and was not used before; it counts as used then. Inside `write`."""
    if user.totp_secret is None:
        return False
    try:
        secret = _cipher().decrypt(user.totp_secret.encode()).decode()
    except InvalidToken as error:
        raise Conflict(
            _l("The installation's key was changed: second factors must be set up anew. Use a recovery code."),
            code="key_changed",
        ) from error
    step = step_of(secret, code, at)
    if step is None:
        return False
    taken = session.execute(
        update(User).where(User.id == user.id, User.totp_step < step).values(totp_step=step)
        .returning(User.id).execution_options(synchronize_session=False)
    )  # fmt: skip
    return taken.first() is not None


def new_recovery_codes(user: User, *, at: datetime) -> list[str]:
    """Ten codes, told once; older ones are void."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [f"{text[:5]}-{text[5:]}" for text in (secrets.token_hex(5) for _number in range(RECOVERY_CODES))]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user, code)) for code in codes)
    record("user.recovery_codes_made", user, at=at)
    return codes


def use_recovery_code(user: User, code: str, *, at: datetime) -> bool:
    """Whether this code was still good; it is used then. Inside `write`."""
    used = session.execute(
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user, code))
        .where(RecoveryCode.used_at.is_(None))
        .values(used_at=at).returning(RecoveryCode.id).execution_options(synchronize_session=False)
    ).first()  # fmt: skip
    if used is None:
        return False
    record("user.recovery_code_used", user, at=at)
    return True


def recovery_left(user_id: int) -> int:
    """How many recovery codes are still good."""
    left = select(func.count(RecoveryCode.id)).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


def has_passkey(user_id: int) -> bool:
    return session.scalar(select(Passkey.id).where(Passkey.user_id == user_id).limit(1)) is not None


def _hash(user: User, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign in "0123456789abcdef")[:10]
    return hashlib.sha256(f"{user.id}:{plain}".encode()).hexdigest()


def _cipher() -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=b"fieldservice second factor").derive(str(current_app.secret_key).encode())
    return Fernet(base64.urlsafe_b64encode(key))
