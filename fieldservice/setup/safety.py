"""What makes settings unsafe for real work, each with the sentence that mends it. Pure but for `look`."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from flask_babel import lazy_gettext as _l
from sqlalchemy import inspect, select, text

from config import ROOT, Settings
from fieldservice.foundation.db import db, session
from fieldservice.mechanisms.events import Event

SHORTEST_KEY = 32
FEWEST_SIGNS = 10  # different characters of a key that somebody drew by chance
WELL_KNOWN = re.compile(r"change.?me|secret|password|example|default|development|test.?key|fieldservice|12345678", re.I)
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "glusterfs", "fuse.glusterfs"})
FLEETING = frozenset({"tmpfs", "ramfs"})
DEMO_LOADED = "demo.loaded"


@dataclass(frozen=True)
class Facts:
    """What is asked about an installation. `file_system` is that of the SQLite file, empty for PostgreSQL."""

    secret_key: str
    public_url: str
    clock_set: bool = False
    demo: bool = False  # demo data is there, or asked for
    migrated: bool = True
    instance_mode: int = 0o700
    file_system: str = ""


@dataclass(frozen=True)
class Unsafe:
    """One reason not to go on: a code for programs, a sentence for people."""

    code: str
    sentence: Any


def unsafe(facts: Facts) -> list[Unsafe]:
    """Everything that has to be mended before people rely on this installation; empty when all is well."""
    found = [
        (
            "secret_key_short", len(facts.secret_key) < SHORTEST_KEY,
            _l(
                "FIELDSERVICE_SECRET_KEY has fewer than 32 characters. Leave it out (one is made and "
                "kept), or write a longer random one."
            ),
        ),
        (
            "secret_key_known", len(facts.secret_key) >= SHORTEST_KEY and _guessable(facts.secret_key),
            _l(
                "FIELDSERVICE_SECRET_KEY can be guessed. Leave it out (one is made and kept), or take the "
                "output of: openssl rand -hex 32"
            ),
        ),
        (
            "public_url_open", _open_line(facts.public_url),
            _l(
                "FIELDSERVICE_PUBLIC_URL begins with http:// for other machines, so passwords would "
                "travel readable. Start with TLS=1, or put a proxy with a certificate in front and write "
                "its https:// address."
            ),
        ),
        (
            "clock_set", facts.clock_set,
            _l("FIELDSERVICE_NOW sets the clock; promises would be counted from a wrong time. Leave it out."),
        ),
        (
            "demo_data", facts.demo,
            _l(
                "This database holds the demo company, whose passwords are printed. Use an empty database "
                "(FIELDSERVICE_DATABASE_URL), or run: flask --app wsgi demo clear"
            ),
        ),
        (
            "not_migrated", not facts.migrated,
            _l("The database is not prepared. Run: flask --app wsgi db upgrade"),
        ),
        (
            "instance_open", bool(facts.instance_mode & 0o007),
            _l(
                "Other users of this machine can read the instance folder with its keys and photos. Run: "
                "chmod 700 on it (FIELDSERVICE_INSTANCE_PATH)."
            ),
        ),
        (
            "sqlite_network", facts.file_system in NETWORK,
            _l(
                "The SQLite file lies on a network drive, where locks do not hold and data breaks. Put it "
                "on a local disk, or use PostgreSQL (FIELDSERVICE_DATABASE_URL)."
            ),
        ),
        (
            "sqlite_fleeting", facts.file_system in FLEETING,
            _l(
                "The SQLite file lies in memory and is gone when the machine restarts. Set "
                "FIELDSERVICE_INSTANCE_PATH to a folder on a disk."
            ),
        ),
    ]  # fmt: skip
    return [Unsafe(code, sentence) for code, wrong, sentence in found if wrong]


def _guessable(key: str) -> bool:
    return len(set(key)) < FEWEST_SIGNS or bool(WELL_KNOWN.search(key))


def _open_line(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "https" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def look(settings: Settings) -> Facts:
    """The facts of this installation. Reads the database and the folder, writes nothing."""
    migrated = is_migrated()
    return Facts(
        secret_key=settings.secret_key,
        public_url=settings.public_url,
        clock_set=settings.started_clock_at is not None,
        demo=settings.demo or (migrated and _holds_demo()),
        migrated=migrated,
        instance_mode=os.stat(settings.instance_path).st_mode & 0o777,
        file_system=_file_system(settings.database_url),
    )


def newest_migration() -> str:
    """The number of the newest migration of this version."""
    return max(path.stem.split("_")[0] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))


def is_migrated() -> bool:
    """Whether the database is as this version needs it."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == newest_migration())


def _holds_demo() -> bool:
    return session.scalar(select(Event.kind).order_by(Event.id).limit(1)) == DEMO_LOADED


def _file_system(database_url: str) -> str:
    """The kind of file system a SQLite file lies on; the longest mount point above it is its own."""
    if not database_url.startswith("sqlite:///"):
        return ""
    folder = Path(database_url.removeprefix("sqlite:///")).resolve().parent
    mounts = [(Path(one.mountpoint), one.fstype) for one in psutil.disk_partitions(all=True)]
    above = [(len(point.parts), kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(above)[1] if above else ""
