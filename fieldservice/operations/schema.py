"""Migration heads, seen from backups: what the program knows, where a database stands, and moving it there."""

import tomllib
from functools import cache
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, inspect, text

from config import ROOT

MIGRATIONS = str(ROOT / "migrations")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@cache
def newest_head() -> str:
    """The head of the migrations that come with this program."""
    head = ScriptDirectory(MIGRATIONS).get_current_head()
    if head is None:
        raise RuntimeError("the migrations have no head")
    return head


def known(head: str) -> bool:
    """Whether this program has the migration a backup stands at."""
    try:
        return ScriptDirectory(MIGRATIONS).get_revision(head) is not None
    except CommandError:
        return False


def head_of(connection: Connection) -> str | None:
    """Where a database stands; None for one without our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    head: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return head


def migrate(connection: Connection, head: str) -> None:
    """Bring the database of this connection up to `head`, inside its transaction."""
    config: Any = current_app.extensions["migrate"].migrate.get_config()
    config.attributes["connection"] = connection
    command.upgrade(config, head)
