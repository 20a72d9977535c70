"""Templates: versioned definitions held as data files, and rows that an administrator puts over them.

A version never changes, since answers, orders and steps point at it: editing saves the next version.
Files come with the package; a row of the same version wins over the file, an inactive one hides it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, Integer, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.data_files import read_yaml
from fieldservice.foundation.db import Base, Id, session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.mechanisms.remembered import forget, remembered

Check = Callable[[Mapping[str, Any]], object]  # raises ValueError for a content that cannot be used


class Template(Base):
    """A definition made or changed by an administrator."""

    __tablename__ = "template"
    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(Integer)
    content: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("kind", "code", "version"), Index("ix_template_kind", "kind", "active"))


@dataclass(frozen=True)
class Definition:
    """One version of a definition. Read its content, never change it."""

    kind: str
    code: str
    version: int
    content: Mapping[str, Any] = field(hash=False)
    active: bool = True


@dataclass(frozen=True)
class _Source:
    path: Path
    check: Check | None


Versions = dict[tuple[str, int], Definition]  # (code, version), in file order
_sources: dict[str, list[_Source]] = {}


def load_all(kind: str, path: Path, check: Check | None = None) -> None:
    """Make the YAML lists under `path` (a file or a folder) known as definitions of `kind`.

    Called where a module is imported; the files are read when first asked for. `check` raises
    ValueError for a content that cannot be used.
    """
    known = _sources.setdefault(kind, [])
    if path not in [source.path for source in known]:
        known.append(_Source(path, check))
        _from_files.cache_clear()


def kinds() -> list[str]:
    """Every kind with files."""
    return list(_sources)


def get(kind: str, code: str, version: int | None = None) -> Definition:
    """That version, or the latest active one. Raises NotFound."""
    found = find(kind, code, version)
    if found is None:
        raise NotFound(_l("There is no such template (%(code)s).", code=str(code)[:60]), code="unknown_template")
    return found


def find(kind: str, code: str, version: int | None = None) -> Definition | None:
    """Like `get`, giving None."""
    if version is not None:
        return _known(kind).get((code, version))
    return _latest(kind).get(code)


def latest(kind: str) -> list[Definition]:
    """The latest active version of every code, in file order, added ones last."""
    return list(_latest(kind).values())


def save(kind: str, code: str, content: Mapping[str, Any], *, at: datetime) -> Definition:
    """Save a content as the next version. Raises Invalid when the kind's check refuses it."""
    for source in _sources.get(kind, ()):
        _check(source.check, content)
    version = 1 + max((known.version for known in _known(kind).values() if known.code == code), default=0)
    kept = {**content, "code": code, "version": version}
    session.add(Template(kind=kind, code=code, version=version, content=kept, changed_at=at))
    session.flush()
    forget("templates")
    return Definition(kind, code, version, kept)


def withdraw(kind: str, code: str, *, at: datetime) -> None:
    """Offer no version of this code any more; what points at one still finds it. Raises NotFound."""
    get(kind, code)
    for known in [known for known in _known(kind).values() if known.code == code and known.active]:
        row = session.scalar(select(Template).filter_by(kind=kind, code=code, version=known.version))
        if row is None:
            row = Template(kind=kind, code=code, version=known.version, content=dict(known.content))
            session.add(row)
        row.active, row.changed_at = False, at
    session.flush()
    forget("templates")


def _check(check: Check | None, content: Mapping[str, Any]) -> None:
    try:
        if check is not None:
            check(content)
    except ValueError as error:
        raise Invalid({"content": [str(error)]}, code="template_invalid") from error


@cache
def _from_files(kind: str) -> Versions:
    found: Versions = {}
    for source in _sources.get(kind, ()):
        files = [source.path] if source.path.is_file() else sorted(source.path.glob("*.yaml"))
        for file in files:
            for content in read_yaml(file) or ():
                definition = _read(kind, content, file.name, source.check)
                if (definition.code, definition.version) in found:
                    raise ValueError(f"{file.name}: {definition.code} version {definition.version} is there twice")
                found[definition.code, definition.version] = definition
    return found


def _read(kind: str, content: Any, file: str, check: Check | None) -> Definition:
    try:
        definition = Definition(kind, str(content["code"]), int(content.get("version", 1)), content)
        if check is not None:
            check(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{file}: {error}") from error
    return definition


def _known(kind: str) -> Versions:
    """Files and rows together; read once in a transaction."""
    return remembered("templates", kind, lambda: _with_rows(kind))


def _with_rows(kind: str) -> Versions:
    rows = session.scalars(select(Template).where(Template.kind == kind).order_by(Template.id))
    added = {(row.code, row.version): Definition(kind, row.code, row.version, row.content, row.active) for row in rows}
    return {**_from_files(kind), **added} if added else _from_files(kind)


def _latest(kind: str) -> dict[str, Definition]:
    def choose() -> dict[str, Definition]:
        chosen: dict[str, Definition] = {}
        for known in _known(kind).values():
            if known.active and (known.code not in chosen or known.version > chosen[known.code].version):
                chosen[known.code] = known
        return chosen

    return remembered("templates", (kind, "latest"), choose)
