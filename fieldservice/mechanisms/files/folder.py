"""Where the bytes lie: `files/raw` as received, `files/kept` as shown, readable by the server alone."""

import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO

from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import TooLarge
from fieldservice.foundation.web import settings
from fieldservice.mechanisms.files.models import StoredFile

MOST_BYTES = 10 * 1024 * 1024
CHUNK = 256 * 1024  # bytes
BATCH = 500
SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}
FORGET_AFTER = timedelta(days=1)  # bytes that no row names by then were given up with their transaction


def raw_path(key: str) -> Path:
    return _folder("raw") / key


def kept_path(key: str, content_type: str, *, small: bool = False) -> Path:
    return _folder("kept", key[:2]) / f"{key}{'.small' if small else ''}{SUFFIXES[content_type]}"


def part_folder(upload: str = "") -> Path:
    """Where the parts of an upload wait to be joined."""
    return _folder("parts") / upload


def _root() -> Path:
    return settings().instance_path / "files"


def _folder(*parts: str) -> Path:
    root = _root()
    folder = root.joinpath(*parts)
    if not folder.is_dir():
        root.mkdir(mode=0o700, exist_ok=True)  # nobody else gets past it
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(stream: IO[bytes], path: Path) -> tuple[str, int]:
    """Write a stream to disk for good; gives its SHA-256 and size. Raises TooLarge above 10 MB."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise TooLarge()
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def sweep() -> int:
    """Delete bytes that no row needs: of refused forms, rolled back transactions, killed tidying. Daily."""
    swept = 0
    old = _old_files()
    while paths := list(islice(old, BATCH)):
        keys = {path.name.split(".", 1)[0] for path in paths}
        rows = dict(session.execute(select(StoredFile.key, StoredFile.state).where(StoredFile.key.in_(keys))).all())
        session.rollback()
        for path in paths:
            state = rows.get(path.name.split(".", 1)[0])
            needed = state == "received" if path.parent.name == "raw" else state is not None
            if not needed or path.name.endswith(".part"):
                path.unlink(missing_ok=True)
                swept += 1
    return swept


def _old_files() -> Iterator[Path]:
    mark = _folder() / "swept"
    mark.touch()
    oldest = mark.stat().st_mtime - FORGET_AFTER.total_seconds()  # by the clock of the disk, not of the demo
    for folder in (_folder("raw"), *sorted(_folder("kept").iterdir())):
        yield from (path for path in folder.iterdir() if path.stat().st_mtime < oldest)
