"""Import of service requests from CSV: streaming, in batches, repeatable, with errors in words (CONTRACT 'Import')."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.assets.models import Asset
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.time import now
from fieldservice.intake import report, services
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.schemas import CHANNELS

COLUMNS = (
    "external_id", "received_at", "channel", "contact_name", "contact_phone", "contact_email", "site_address",
    "division_code", "latitude", "longitude", "asset_serial", "description", "severity", "language",
)  # fmt: skip
NEEDED = ("external_id", "contact_name", "description", "severity")
BATCH = 200
MOST_ERRORS = 1000  # kept in memory; all are counted
FIELD_LIMIT = 100_000


@dataclass(frozen=True)
class RowError:
    """What is wrong with one row, in words."""

    line: int
    external_id: str
    texts: tuple[str, ...]


@dataclass
class Imported:
    """How an import went."""

    rows: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0
    errors: list[RowError] = field(default_factory=list)


class _DryRun(Exception):
    """Takes a batch back after it was tried."""


def import_requests(path: Path, *, dry_run: bool = False, progress: Callable[[Imported], object] = lambda _: None) -> Imported:
    """Read the file row by row and report each; a row whose external_id is known changes nothing.

    A wrong row is refused with its reasons and never stops the others. Memory stays flat: batches of 200.
    Raises Invalid for a file that is no such table.
    """
    done = Imported()
    csv.field_size_limit(FIELD_LIMIT)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        _check_header(rows.fieldnames)
        for batch in _batches(_numbered(rows)):
            before = (done.created, done.known, done.refused)
            try:
                write(lambda batch=batch: _take(batch, done, dry_run, before))  # type: ignore[misc]  # lambda default binds the batch
            except _DryRun:
                session.rollback()
            session.expunge_all()
            progress(done)
    return done


def _check_header(names: Iterable[str] | None) -> None:
    given = set(names or ())
    missing = [name for name in NEEDED if name not in given]
    if missing:
        raise Invalid({"file": [_l("These columns are missing: %(names)s.", names=", ".join(missing))]})
    unknown = sorted(name for name in given if name not in COLUMNS)
    if unknown:
        raise Invalid({"file": [_l("These columns are not known: %(names)s.", names=", ".join(map(str, unknown))[:200])]})


def _numbered(rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, Any]]]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield rows.line_num, {"_broken": str(error)}
            continue
        yield rows.line_num, row


def _batches(rows: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _take(batch: list[tuple[int, dict[str, Any]]], done: Imported, dry_run: bool, before: tuple[int, int, int]) -> None:
    """One batch in one transaction; counts start anew when it is retried."""
    done.created, done.known, done.refused = before
    done.errors = [error for error in done.errors if error.line < batch[0][0]]
    ids = {str(row.get("external_id") or "").strip() for _line, row in batch}
    seen = set(session.scalars(select(ServiceRequest.external_id).where(ServiceRequest.external_id.in_(ids))))
    for line, row in batch:
        external_id = str(row.get("external_id") or "").strip()
        if external_id in seen:
            done.known += 1
            continue
        try:
            with session.begin_nested():
                _report(row, external_id)
        except DomainError as error:
            done.refused += 1
            if len(done.errors) < MOST_ERRORS:
                done.errors.append(RowError(line, external_id[:80], _texts(error)))
            continue
        seen.add(external_id)
        done.created += 1
    done.rows = sum((done.created, done.known, done.refused))
    if dry_run:
        raise _DryRun


def _report(row: dict[str, Any], external_id: str) -> None:
    if "_broken" in row or None in row:
        raise Invalid({"row": [_l("This row has other columns than the header.")]})
    text = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    errors: dict[str, list[Any]] = {}
    if not 1 <= len(external_id) <= 80:
        errors["external_id"] = [_l("Give each row an identifier of at most 80 characters.")]
    received_at = _moment(text["received_at"], errors)
    channel, language = text["channel"] or "phone", text["language"] or "zh"
    if channel not in CHANNELS:
        errors["channel"] = [_l("Use one of: %(values)s.", values=", ".join(CHANNELS))]
    if language not in ("zh", "en"):
        errors["language"] = [_l("Use one of: %(values)s.", values="zh, en")]
    given = {
        "name": text["contact_name"], "phone": text["contact_phone"], "email": text["contact_email"], "address": text["site_address"],
        "division_code": text["division_code"], "latitude": text["latitude"], "longitude": text["longitude"],
        "serial": text["asset_serial"], "description": text["description"], "severity": text["severity"],
    }  # fmt: skip
    try:
        read = report.read(given)
    except Invalid as refused:
        errors = {**refused.errors, **errors}
    if errors:
        raise Invalid(errors)
    asset: Asset | None = read.asset
    services.report_fault(
        channel=channel, contact_name=read.contact_name, contact_phone=read.contact_phone, contact_email=read.contact_email,
        description=read.description, severity=read.severity, serial=read.serial, asset=asset, place=read.place, language=language,
        external_id=external_id, received_at=received_at, tell=False, at=now(),
    )  # fmt: skip


def _moment(text: str, errors: dict[str, list[Any]]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        errors["received_at"] = [_l("Write the time with its offset, such as 2026-11-25T10:30:00+08:00.")]
        return None
    if moment > now():
        errors["received_at"] = [_l("This time lies in the future.")]
    return moment


def _texts(error: DomainError) -> tuple[str, ...]:
    if isinstance(error, Invalid):
        return tuple(f"{name}: {text}" for name, texts in error.errors.items() for text in texts)
    return (str(error.message),)
