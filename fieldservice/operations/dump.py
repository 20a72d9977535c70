"""From the database and the instance folder into an archive, while the system runs.

Every table is read in one transaction that sees one moment (SQLite: a read transaction under WAL; PostgreSQL:
repeatable read). Pictures are copied before, and again for what came meanwhile once that moment is fixed:
a row never names a picture that the archive lacks.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Column, Connection, Engine, LargeBinary, String, Table, Text, cast, func, select, text
from sqlalchemy.types import JSON

from config import Settings
from fieldservice.foundation.db import Base, Quantity, UtcDateTime
from fieldservice.foundation.errors import DomainError
from fieldservice.foundation.time import now
from fieldservice.operations.archive import CHUNK, KEY, Manifest, TableShape, Writer, writing
from fieldservice.operations.schema import VERSION, head_of, newest_head

BATCH = 2000  # rows read and written at once
FOLDER = "files"
SKIPPED = (".part",)
Progress = Callable[[int, int], object]
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=lambda value: _plain(value)).encode


class NotMigrated(DomainError):
    """The database stands at another migration than this program."""

    status, code = 409, "not_migrated"
    default_message = _l("The database is older than the program. Run `flask --app wsgi db upgrade` first.")


def back_up(
    engine: Engine, settings: Settings, target: Path, *, with_key: bool = False,
    progress: Progress = lambda done, total: None,
) -> Manifest:  # fmt: skip
    """Write an archive to `target` and give what it holds. Progress is told in rows."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep_unfinished(target.parent)
    with engine.connect() as opened:
        connection = opened
        if engine.dialect.name == "postgresql":
            connection = opened.execution_options(isolation_level="REPEATABLE READ")
        manifest = Manifest(VERSION, newest_head(), engine.dialect.name, now().isoformat())
        with writing(target, manifest) as archive:
            _add_files(archive, settings.instance_path, progress)
            with connection.begin():
                if head_of(connection) != manifest.head:
                    raise NotMigrated()
                _add_files(archive, settings.instance_path, progress)
                _add_tables(archive, connection, progress)
            if with_key:
                archive.add(KEY, [settings.secret_key.encode()])
    return manifest


def sweep_unfinished(folder: Path) -> None:
    """Remove what killed backups left; their process is gone."""
    for path in folder.glob(".*.unfinished"):
        process = path.name.split(".")[-2]
        if process.isdigit() and not _alive(int(process)):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _add_files(archive: Writer, instance: Path, progress: Progress) -> None:
    root = instance / FOLDER
    for folder, _folders, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder, name)
            member = f"{FOLDER}/{path.relative_to(root).as_posix()}"
            if member in archive.manifest.members or name.endswith(SKIPPED):
                continue
            try:
                stream = path.open("rb")
            except FileNotFoundError:
                continue  # tidied since it was listed: no row of the coming moment needs it
            with stream:
                archive.add(member, iter(lambda: stream.read(CHUNK), b""), packed=False)  # noqa: B023 - used up here
            progress(0, 0)  # a sign of life, at which it can be cancelled


def _add_tables(archive: Writer, connection: Connection, progress: Progress) -> None:
    tables = Base.metadata.sorted_tables
    counts = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    total, done = sum(counts.values()), 0
    for table in tables:
        seen = 0

        def chunks(table: Table = table) -> Iterator[bytes]:
            nonlocal seen, done
            for rows in _rows(connection, table):
                seen, done = seen + len(rows), done + len(rows)
                progress(done, total)
                yield "".join(f"{encode(list(row))}\n" for row in rows).encode()

        archive.add(f"tables/{table.name}.jsonl", chunks(), rows=counts[table.name])
        columns = {column.name: kind_of(column) for column in table.columns}
        archive.manifest.tables.append(TableShape(table.name, columns, seen))


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    """Rows in the order of their key, so that the same data gives the same archive."""
    chosen = [cast(column, Text) if kind_of(column) == "json" else column for column in table.columns]
    statement = select(*chosen).order_by(*table.primary_key.columns)
    yield from connection.execution_options(yield_per=BATCH).execute(statement).partitions(BATCH)


def kind_of(column: Column[Any]) -> str:
    """How a column's values are written and read."""
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return "moment"
    if isinstance(kind, Quantity):
        return "quantity"
    if isinstance(kind, JSON):
        return "json"  # as text: NULL and the JSON null stay two things
    if isinstance(kind, LargeBinary):
        return "bytes"
    if isinstance(kind, String):
        return "text"
    name = kind.python_type.__name__
    if name not in ("int", "bool", "float", "date", "time", "Decimal"):
        raise TypeError(f"backup knows no way to write {column} of type {kind!r}")
    return name


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"backup knows no way to write {type(value)}")


def database_bytes(connection: Connection) -> int:
    """Size of the database on its disk."""
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar() or 0)
