"""The archive of a backup: a ZIP whose last member is a manifest with the SHA-256 of every other one.

`tables/<name>.jsonl` hold rows, `files/…` the stored pictures and documents, `secret_key` only when asked for.
Written under another name, synced and renamed, so that a killed backup leaves nothing that looks like one.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import DomainError

FORMAT = 1
MANIFEST = "manifest.json"
KEY = "secret_key"
CHUNK = 1024 * 1024  # bytes
LARGEST_MANIFEST = 64 * 1024 * 1024  # bytes; a million pictures
UNFINISHED = ".unfinished"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # members carry no times of their own: same data, same bytes


class ArchiveUnusable(DomainError):
    """The file is no backup, or no longer the one that was written."""

    code = "archive_unusable"
    default_message = _l("This file is not a whole backup. Take another one.")


@dataclass(frozen=True)
class Member:
    """What stands in the archive under a name."""

    sha256: str
    size: int  # bytes, unpacked
    rows: int | None = None


@dataclass(frozen=True)
class TableShape:
    """A table as it was written: its columns in order with the kind of their values."""

    name: str
    columns: dict[str, str]
    rows: int = 0


@dataclass
class Manifest:
    """What the archive is and what it holds."""

    app: str
    head: str
    engine: str
    made_at: str  # ISO, UTC
    format: int = FORMAT
    tables: list[TableShape] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(shape.rows for shape in self.tables)


class Writer:
    """Puts members into an archive and notes what was put."""

    def __init__(self, pack: zipfile.ZipFile, manifest: Manifest) -> None:
        self._pack, self.manifest = pack, manifest

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = True, rows: int | None = None) -> None:
        """One member; `packed` is no for what is compressed already."""
        facts = zipfile.ZipInfo(name, EARLIEST)
        facts.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        facts.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._pack.open(facts, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self.manifest.members[name] = Member(digest.hexdigest(), size, rows)

    def close(self) -> None:
        content = json.dumps(asdict(self.manifest), ensure_ascii=False, indent=1)
        self._pack.writestr(zipfile.ZipInfo(MANIFEST, EARLIEST), content, zipfile.ZIP_DEFLATED)


@contextmanager
def writing(target: Path, manifest: Manifest) -> Iterator[Writer]:
    """An archive that appears at `target` when the block ends well, whole and on the disk, or not at all."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    try:
        with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
                writer = Writer(pack, manifest)
                yield writer
                writer.close()
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        _sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Reader:
    """An archive that was checked by `reading`."""

    def __init__(self, pack: zipfile.ZipFile, manifest: Manifest) -> None:
        self._pack, self.manifest = pack, manifest

    def open(self, name: str) -> IO[bytes]:
        return self._pack.open(name)

    def files(self) -> list[str]:
        return [name for name in self.manifest.members if name.startswith("files/")]


@contextmanager
def reading(path: Path, progress: Callable[[int, int], object] = lambda done, total: None) -> Iterator[Reader]:
    """Open an archive and check every member's hash first. Raises ArchiveUnusable."""
    try:
        pack = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise ArchiveUnusable(_l("There is no file %(path)s.", path=str(path)), code="no_file") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise ArchiveUnusable() from error
    with pack:
        try:
            manifest = _manifest_of(pack)
            _check(pack, manifest, progress)
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError, NotImplementedError) as error:
            raise ArchiveUnusable() from error
        except Exception as error:
            if type(error).__module__ == "zlib":
                raise ArchiveUnusable() from error
            raise
        yield Reader(pack, manifest)


def _manifest_of(pack: zipfile.ZipFile) -> Manifest:
    facts = pack.getinfo(MANIFEST)
    if facts.file_size > LARGEST_MANIFEST:
        raise ValueError("the manifest is too large")
    content = json.loads(pack.read(facts))
    if content["format"] != FORMAT:
        raise ArchiveUnusable(
            _l(
                "This backup has format %(format)s, which this version cannot read.", format=str(content["format"])[:20]
            ),
            code="format_unknown",
        )
    tables = [TableShape(**shape) for shape in content.pop("tables")]
    members = {name: Member(**member) for name, member in content.pop("members").items()}
    return Manifest(**content, tables=tables, members=members)


def _check(pack: zipfile.ZipFile, manifest: Manifest, progress: Callable[[int, int], object]) -> None:
    """Every member is there, unchanged, and stays inside the folder it is put into; nothing else is there."""
    if sorted(pack.namelist()) != sorted([*manifest.members, MANIFEST]):
        raise ValueError("members and manifest differ")
    total, done = sum(member.size for member in manifest.members.values()), 0
    for name, member in manifest.members.items():
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name:
            raise ValueError(f"member {name} leaves its folder")
        digest = hashlib.sha256()
        with pack.open(name) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                done += len(chunk)
                if done > total:
                    raise ValueError("larger than the manifest says")
                progress(done, total)
        if digest.hexdigest() != member.sha256:
            raise ArchiveUnusable(
                _l("%(name)s in this backup was changed or damaged. Take another backup.", name=name), code="damaged"
            )


def fingerprint(path: Path) -> str:
    """SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
