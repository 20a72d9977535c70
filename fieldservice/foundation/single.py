"""Being the only one: a lock on the instance folder and, on PostgreSQL, on the database.

The kernel and the database server give the locks back when the process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

DATABASE_LOCK = 360_000_001  # our number among PostgreSQL's advisory locks, which are per database


class AlreadyRunning(RuntimeError):
    """A second process wanted to do this installation's background work; its text says what to do."""


class OnlyOne:
    """Held by the process that does the background work, or whatever else `name` and `number` stand for.

    `refusal` is then the sentence for the second one.
    """

    def __init__(
        self, folder: Path, name: str = "background", number: int = DATABASE_LOCK, refusal: str | None = None
    ) -> None:
        self._path = folder / f"{name}.lock"
        self._number, self._refusal = number, refusal
        self._file: int | None = None
        self._connection: Connection | None = None

    def take(self, engine: Engine) -> None:
        """Raises AlreadyRunning when another process holds either lock."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock_folder(self._file)
            if engine.dialect.name == "postgresql":
                self._lock_database(engine)
        except BaseException:
            self.give_back()
            raise

    def give_back(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._file is not None:
            os.close(self._file)
        self._file = self._connection = None

    def _lock_folder(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, 20, 0).decode().strip() or "?"
            raise AlreadyRunning(
                self._refusal
                or f"Process {holder} already runs the background work of {self._path.parent}. Stop it first, use one "
                "server process (no --workers), or start this one with FIELDSERVICE_BACKGROUND=0."
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)

    def _lock_database(self, engine: Engine) -> None:
        own = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection = own.connect()
        if not self._connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": self._number}):
            raise AlreadyRunning(
                self._refusal
                or f"Another server already runs the background work of database {engine.url.database!r}. "
                "Stop it first, or start this one with FIELDSERVICE_BACKGROUND=0."
            )
