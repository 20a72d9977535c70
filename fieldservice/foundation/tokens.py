"""Secrets of links and tokens. Random ones are stored hashed; private links are derived, never stored."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from flask import current_app


def digest(token: str) -> str:
    """SHA-256 of a random token; it has enough entropy to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_token(purpose: str, number: str) -> str:
    """The private part of a link such as /t/<token>: '<number>.<160-bit signature>', derived from the key."""
    key = str(current_app.secret_key).encode()
    signature = hmac.new(key, f"{purpose}:{number}".encode(), hashlib.sha256).digest()[:20]
    return f"{number}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def read_link_token(purpose: str, token: str) -> str | None:
    """The number behind a link token, or None when it was not made by us."""
    number, _, _signature = token.rpartition(".")
    if number and hmac.compare_digest(link_token(purpose, number).encode(), token.encode()):
        return number
    return None
