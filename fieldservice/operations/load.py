"""From an archive into a database and an instance folder: all of it or nothing.

One transaction empties the database, migrates it to the archive's head, loads every table, migrates up to
this program's head and checks references: a killed restore leaves the old data. Both engines change their
schema inside transactions. Pictures join those that lie there just before the commit: their names are never used
twice, so whichever data stands finds its own, and `files.sweep` removes later what no row names.
"""

import json
import shutil
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from config import Settings
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.single import OnlyOne
from fieldservice.operations.archive import CHUNK, KEY, Manifest, Reader, TableShape, reading
from fieldservice.operations.dump import BATCH, FOLDER, Progress
from fieldservice.operations.schema import head_of, known, migrate, newest_head

WAITS = 15  # seconds for others to leave a table
OPENED = ".restored"  # the folder of pictures while it is being unpacked
READ: dict[str, Callable[[Any], Any]] = {  # how SQLite keeps what JSON carries; PostgreSQL reads the text itself
    "moment": lambda value: datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    "quantity": lambda value: int(Decimal(value) * 1000),
    "date": lambda value: date.fromisoformat(value).isoformat(),
    "time": lambda value: time.fromisoformat(value).strftime("%H:%M:%S.%f"),
    "bool": int,
    "bytes": b64decode,
    "Decimal": float,
}


class NotEmpty(Conflict):
    """Data would be lost."""

    code = "not_empty"
    default_message = _l("The database holds data. A restore replaces all of it: say --yes if you mean that.")


class InUse(Conflict):
    """Somebody reads or writes."""

    code = "in_use"
    default_message = _l("Others use the database. Stop every server and command, then restore.")


class FromTheFuture(Conflict):
    """The archive was made by a newer program."""

    code = "head_unknown"
    default_message = _l("This backup was made by a newer version. Install that version, then restore.")


def restore(
    engine: Engine, settings: Settings, source: Path, *, replace: bool = False,
    progress: Progress = lambda done, total: None,
) -> Manifest:  # fmt: skip
    """Put an archive in the place of everything. Raises ArchiveUnusable, NotEmpty, FromTheFuture, AlreadyRunning."""
    alone = OnlyOne(settings.instance_path)
    alone.take(engine)  # no server writes meanwhile
    try:
        with reading(source) as archive:
            if not known(archive.manifest.head):
                raise FromTheFuture()
            engine.dispose()
            _unpack(archive, settings.instance_path)
            with _bare(engine).connect() as connection, connection.begin():
                if not replace and _holds_data(connection):
                    raise NotEmpty()
                _fill(connection, archive, progress)
                _join(settings.instance_path)
            if KEY in archive.manifest.members:
                _put_key(archive, settings.instance_path)
            return archive.manifest
    finally:
        shutil.rmtree(settings.instance_path / f"{FOLDER}{OPENED}", ignore_errors=True)
        alone.give_back()


def _bare(engine: Engine) -> Engine:
    """The same database without our transaction rules: tables are dropped and filled in any order."""
    bare = create_engine(engine.url, poolclass=NullPool)
    if bare.dialect.name == "sqlite":
        event.listen(bare, "connect", _prepare_sqlite)
        event.listen(bare, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return bare


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("busy_timeout=15000", "foreign_keys=OFF", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _holds_data(connection: Connection) -> bool:
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    quote = connection.dialect.identifier_preparer.quote
    return any(connection.execute(text(f"SELECT 1 FROM {quote(name)} LIMIT 1")).first() for name in names)  # nosec B608


def _fill(connection: Connection, archive: Reader, progress: Progress) -> None:
    try:
        _empty(connection)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise InUse() from error
        raise
    migrate(connection, archive.manifest.head)
    quote = connection.dialect.identifier_preparer.quote
    for shape in reversed(archive.manifest.tables):  # what migrations themselves put there
        connection.execute(text(f"DELETE FROM {quote(shape.name)}"))  # nosec B608
    put = _copy if connection.dialect.name == "postgresql" else _insert
    total, done = archive.manifest.rows, 0
    for shape in archive.manifest.tables:
        rows = _rows(archive, shape)
        while batch := list(islice(rows, BATCH)):
            put(connection, shape, batch)
            done += len(batch)
            progress(done, total)
    _count(connection, archive.manifest.tables)
    if connection.dialect.name == "postgresql":
        _set_sequences(connection, archive.manifest.tables)
    elif broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
        raise Conflict(_l("Rows of this backup point to nothing: %(rows)s", rows=str(broken[:3])), code="references")
    if head_of(connection) != newest_head():
        migrate(connection, newest_head())


def _count(connection: Connection, tables: list[TableShape]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    for shape in tables:
        rows = connection.execute(text(f"SELECT count(*) FROM {quote(shape.name)}")).scalar()  # nosec B608
        if rows != shape.rows:
            raise Conflict(
                _l("%(table)s should hold %(rows)s rows.", table=shape.name, rows=shape.rows), code="counts_differ"
            )


def _empty(connection: Connection) -> None:
    """Drop every table with what hangs on it, and our own functions."""
    quote = connection.dialect.identifier_preparer.quote
    if connection.dialect.name == "sqlite":
        everything = """SELECT type, name FROM sqlite_master WHERE type IN ('view', 'table')
            AND substr(name, 1, 7) <> 'sqlite_' ORDER BY type = 'table', substr(sql, 1, 14) <> 'CREATE VIRTUAL'"""
        for kind, name in connection.exec_driver_sql(everything).fetchall():
            connection.exec_driver_sql(f"DROP {kind} IF EXISTS {quote(name)}")
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAITS}s'")
    for name in inspect(connection).get_table_names():
        connection.exec_driver_sql(f"DROP TABLE {quote(name)} CASCADE")
    ours = """SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""
    for (signature,) in connection.exec_driver_sql(ours).fetchall():
        connection.exec_driver_sql(f"DROP ROUTINE {signature} CASCADE")


def _rows(archive: Reader, shape: TableShape) -> Iterator[list[Any]]:
    with archive.open(f"tables/{shape.name}.jsonl") as lines:
        for line in lines:
            yield json.loads(line)


def _names(connection: Connection, shape: TableShape) -> tuple[str, str]:
    quote = connection.dialect.identifier_preparer.quote
    return quote(shape.name), ", ".join(map(quote, shape.columns))


def _insert(connection: Connection, shape: TableShape, rows: list[list[Any]]) -> None:
    table, columns = _names(connection, shape)
    readers = [(place, READ[kind]) for place, kind in enumerate(shape.columns.values()) if kind in READ]
    for row in rows:
        for place, read in readers:
            if row[place] is not None:
                row[place] = read(row[place])
    marks = ", ".join("?" * len(shape.columns))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # nosec B608
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def _copy(connection: Connection, shape: TableShape, rows: list[list[Any]]) -> None:
    table, columns = _names(connection, shape)
    binary = [place for place, kind in enumerate(shape.columns.values()) if kind == "bytes"]
    driver: Any = connection.connection.cursor()
    with driver, driver.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            for place in binary:
                row[place] = None if row[place] is None else b64decode(row[place])
            copy.write_row(row)


def _set_sequences(connection: Connection, tables: list[TableShape]) -> None:
    """New rows go on after the highest loaded key."""
    for shape in tables:
        for column, kind in shape.columns.items():
            if kind != "int":
                continue
            quote = connection.dialect.identifier_preparer.quote
            found = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": quote(shape.name), "column": column}
            ).scalar()
            if found:
                highest = f"SELECT coalesce(max({quote(column)}), 0) + 1 FROM {quote(shape.name)}"  # nosec B608
                connection.execute(text(f"SELECT setval(:sequence, ({highest}), false)"), {"sequence": found})


def _unpack(archive: Reader, instance: Path) -> None:
    """Put the pictures beside the folder they will replace."""
    fresh = instance / f"{FOLDER}{OPENED}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    for name in archive.files():
        path = fresh / name.removeprefix(f"{FOLDER}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        path.chmod(0o600)


def _join(instance: Path) -> None:
    """The unpacked pictures take their places."""
    fresh, folder = instance / f"{FOLDER}{OPENED}", instance / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
        place = folder / path.relative_to(fresh)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _put_key(archive: Reader, instance: Path) -> None:
    path = instance / KEY
    with archive.open(KEY) as source:
        path.write_bytes(source.read(1000))
    path.chmod(0o600)
