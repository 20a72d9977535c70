"""Password checks that cost the same whether or not the account exists."""

from functools import cache
from threading import BoundedSemaphore

from flask_security.utils import hash_password, verify_password

CHECKS = BoundedSemaphore(4)  # argon2id takes 19 MiB each; more at once would only queue on the processors


@cache
def _decoy() -> str:
    return str(hash_password("no account has this password"))


def spend_time(password: str) -> None:
    """Do the work of a check for an address without account, so that timing tells nothing."""
    with CHECKS:
        verify_password(password, _decoy())
