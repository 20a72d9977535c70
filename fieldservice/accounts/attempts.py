"""Wrong passwords and codes: each further one costs a longer wait, for a known account and an unknown one alike.

Nobody is locked out for good: the wait ends, and a right answer clears the count.
"""

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from fieldservice.foundation import limits
from fieldservice.foundation.display import minutes
from fieldservice.foundation.errors import TooMany

FREE = 5  # tries without waiting
WINDOW = 3600  # seconds after which wrong tries are forgotten
LONGEST = 900  # seconds of one wait


def check_delay(key: str) -> None:
    """Raises TooMany while the wait of earlier wrong tries runs."""
    left = limits.seconds_left(f"wait:{key}")
    if left > 0:
        waiting = timedelta(seconds=max(60, left))
        raise TooMany(_l("Too many wrong tries. Wait %(time)s and try again.", time=minutes(waiting)))


def failed(key: str) -> None:
    """One more wrong try."""
    tries = limits.count(f"wrong:{key}", WINDOW)
    if tries >= FREE:
        limits.count(f"wait:{key}", min(LONGEST, 15 * 2 ** (tries - FREE)))


def succeeded(key: str) -> None:
    limits.forget(f"wrong:{key}")
