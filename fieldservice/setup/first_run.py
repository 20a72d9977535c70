"""How far the set-up is, and its one-time code.

Whoever reads the server's console has the code; with it the first administrator is made, once. It is kept hashed
(100 random bits need no salt) and is void after ten wrong tries.
"""

import hmac
import secrets
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.models import User
from fieldservice.foundation.company import ONLY, Installation
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import digest

STEPS = ("account", "company", "language", "messages", "backup", "station", "finish")
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike
GROUPS, GROUP = 4, 5
MOST_TRIES = 10


@dataclass(frozen=True)
class State:
    """Where the set-up stands."""

    needed: bool  # nobody works here yet, or the set-up was left in the middle
    has_account: bool
    done: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """Where to go on."""
        if not self.has_account:
            return STEPS[0]
        return next((step for step in STEPS[1:] if step not in self.done), STEPS[-1])


def state() -> State:
    """People without an installation row are those of an installation that is older than the set-up."""
    row = session.get(Installation, ONLY)
    if row is not None and row.finished_at is not None:
        return State(needed=False, has_account=True, done=tuple(row.steps))
    people = session.scalar(select(User.id).limit(1)) is not None
    if row is None:
        return State(needed=not people, has_account=people)
    return State(needed=True, has_account=people, done=tuple(row.steps))


def row_for_update() -> Installation:
    """The only row, locked until the transaction ends; made when it is missing. Inside `write`."""
    row = session.scalar(
        select(Installation).where(Installation.id == ONLY).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        row = Installation(
            id=ONLY, created_at=now(), names={}, short_names={}, hotline="", default_language="", timezone="",
            steps=[], results={}, code_tries=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return row


def make_code() -> str:
    """A new code; an older one is void. Raises Conflict when there is an administrator already."""
    if state().has_account:
        raise Conflict(_l("There is an administrator already. Sign in to go on."), code="set_up")
    row, text = row_for_update(), "-".join(_group() for _ in range(GROUPS))
    row.code_hash, row.code_tries = digest(_plain(text)), 0
    return text


def use_code(text: str) -> bool:
    """Whether this is the code. A wrong try counts, so the caller's transaction must be kept. Inside `write`."""
    row = row_for_update()
    if row.code_hash is None:
        return False
    if hmac.compare_digest(row.code_hash, digest(_plain(text))):
        return True
    row.code_tries += 1
    if row.code_tries >= MOST_TRIES:
        row.code_hash = None
    return False


def code_is_void() -> bool:
    """Whether no code may be used at present: none was made, or it was tried too often."""
    row = session.get(Installation, ONLY)
    return row is None or row.code_hash is None


def _group() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(GROUP))


def _plain(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())[:40]
