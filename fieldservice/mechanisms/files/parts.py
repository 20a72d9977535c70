"""Pictures that arrive in parts: each part may come twice, in any order, over a bad line.

Parts lie in `files/parts/<upload>` until the whole is joined and looked at like any other picture.
"""

import hashlib
import os
import re
import secrets
import shutil
from datetime import timedelta
from io import BytesIO

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Conflict, Invalid, TooLarge
from fieldservice.mechanisms.files.folder import MOST_BYTES, part_folder, raw_path
from fieldservice.mechanisms.files.models import Received
from fieldservice.mechanisms.files.services import receive

PART = 256 * 1024  # bytes
MOST_PARTS = -(-MOST_BYTES // PART)
KEPT = timedelta(days=30)  # a tablet may be out of reach for long
_NAME = re.compile(r"[0-9a-f]{32}")


def name_of(*facts: object) -> str:
    """The folder name of an upload: told apart by its owner and the tablet's name for it."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]


def keep_part(upload: str, index: int, content: bytes) -> None:
    """Keep one part for good; the same index again replaces it. Raises TooLarge, or Invalid for no such index."""
    if not 0 <= index < MOST_PARTS:
        raise Invalid({"index": [_l("A picture has at most %(most)s parts.", most=MOST_PARTS)]})
    if len(content) > PART:
        raise TooLarge(_l("Send parts of at most 256 KB."))
    folder = part_folder(_checked(upload))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = folder / f"{index}.{secrets.token_hex(4)}.new"
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / str(index))


def join_parts(upload: str, sha256: str, *, name: str = "photo") -> Received:
    """Put the parts together and take the picture in; call it before the transaction.

    Raises Conflict `parts_missing` (fact: missing) or `sha256_mismatch`, and what `receive` raises. The
    parts stay until `drop_parts`.
    """
    folder = part_folder(_checked(upload))
    indexes = sorted(int(path.name) for path in folder.glob("*") if path.name.isdigit()) if folder.is_dir() else []
    missing = sorted(set(range(indexes[-1] + 1 if indexes else 1)) - set(indexes))
    if missing:
        raise Conflict(
            _l("Parts of this picture did not arrive. Send them again."), code="parts_missing", missing=missing
        )
    content = b"".join((folder / str(index)).read_bytes() for index in indexes)  # ten megabytes at most
    if hashlib.sha256(content).hexdigest() != sha256.strip().lower():
        raise Conflict(_l("This picture arrived damaged. Send it again."), code="sha256_mismatch", parts=len(indexes))
    return receive(BytesIO(content), name)


def is_there(received: Received) -> bool:
    """Whether the bytes still lie where they were taken in; unused ones are swept after a day."""
    return raw_path(received.key).exists()


def touch(received: Received) -> bool:
    """Keep the bytes from being swept for another day; whether they are there."""
    try:
        os.utime(raw_path(received.key))
    except FileNotFoundError:
        return False
    return True


def drop_parts(upload: str) -> None:
    """The picture is safe; its parts are not needed any more."""
    shutil.rmtree(part_folder(_checked(upload)), ignore_errors=True)


def sweep_parts() -> int:
    """Delete uploads nobody has continued for a month. Daily."""
    root = part_folder()
    if not root.is_dir():
        return 0
    mark = root / "swept"
    mark.touch()
    oldest = mark.stat().st_mtime - KEPT.total_seconds()  # by the clock of the disk
    old = [path for path in root.iterdir() if path.is_dir() and path.stat().st_mtime < oldest]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def _checked(upload: str) -> str:
    if not _NAME.fullmatch(upload):
        raise ValueError(f"{upload!r} is no name of an upload: use name_of")
    return upload
