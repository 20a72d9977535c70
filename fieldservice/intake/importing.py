"""Import of service requests from CSV: streaming, in batches, repeatable, with errors in words (CONTRACT 'Import')."""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from config import LANGUAGES
from fieldservice.assets.queries import asset_by_id
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import DomainError, Invalid
from fieldservice.foundation.time import clock, now
from fieldservice.foundation.words import all_words
from fieldservice.intake import report, services
from fieldservice.intake.models import ServiceRequest

COLUMNS = (
    "external_id", "received_at", "channel", "contact_name", "contact_phone", "contact_email", "site_address",
    "division_code", "latitude", "longitude", "asset_serial", "description", "severity", "language",
)  # fmt: skip
NEEDED = ("external_id", "contact_name", "description", "severity")
FORM = {  # the names under which report.read knows the columns
    "contact_name": "name", "contact_phone": "phone", "contact_email": "email", "site_address": "address",
    "asset_serial": "serial",
}  # fmt: skip
COLUMN_OF = {form: column for column, form in FORM.items()}
BATCH = 200  # rows a transaction: others wait no longer than that for the write lock
MOST_ERRORS = 1000  # told one by one; all are counted
MOST_FIELD = 20_000  # characters; a longer field is a quote that never closed
SAMPLE = 1 << 16  # bytes decoded at once while the encoding is found
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
DRIFT = timedelta(minutes=5)  # clocks of other systems may run a little ahead
Numbered = tuple[int, dict[Any, Any]]


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

    def add(self, batch: "Imported") -> None:
        """Count a batch that is kept; of its errors only as many as are told."""
        self.rows += batch.rows
        self.created += batch.created
        self.known += batch.known
        self.refused += batch.refused
        self.errors += batch.errors[: max(0, MOST_ERRORS - len(self.errors))]


class _DryRun(Exception):
    """Takes a batch back after it was tried."""

    def __init__(self, batch: Imported) -> None:
        self.batch = batch


def import_requests(
    path: Path, *, dry_run: bool = False, progress: Callable[[Imported, float], object] = lambda _done, _share: None
) -> Imported:
    """Read the file row by row and report each; a row whose external_id is known changes nothing.

    A wrong row is refused with its reasons and never stops the others. Each batch commits by itself, so an
    import that was broken off goes on where it stopped when it is repeated; no messages are sent. Memory stays
    flat. `progress` gets the counts and the share of the file that was read. Raises Invalid for a file that is no
    such table.
    """
    done, ids = Imported(), set[str]()
    csv.field_size_limit(MOST_FIELD)
    encoding, lines = _survey(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = csv.DictReader(file, dialect=_dialect(file))
        _check_header(rows.fieldnames)
        for batch in _batches(_numbered(rows)):
            done.add(_take(batch, ids, dry_run))
            session.expunge_all()
            progress(done, min(1.0, batch[-1][0] / lines))
    return done


def _take(batch: list[Numbered], tried: set[str], dry_run: bool) -> Imported:
    """One batch in one transaction; none where every row is known. A dry run does the same and takes it back.

    `tried` are the identifiers that a dry run would have made.
    """
    ids = {_id(row) for _line, row in batch}
    stored = select(ServiceRequest.external_id).where(
        ServiceRequest.external_id.in_({one for one in ids if _usable(one)})
    )
    known = {*session.scalars(stored), *(ids & tried)}
    if ids <= known:
        return Imported(rows=len(batch), known=len(batch))

    def work() -> Imported:
        counted = _report_all(batch, set(known))
        if dry_run:
            raise _DryRun(counted)
        return counted

    try:
        return write(work)
    except _DryRun as taken_back:
        tried |= ids
        return taken_back.batch


def _report_all(batch: list[Numbered], known: set[str]) -> Imported:
    counted, at = Imported(rows=len(batch)), now()  # one moment, so that what is read for one row serves the next
    for line, row in batch:
        external_id = _id(row)
        if external_id in known:
            counted.known += 1
            continue
        try:
            _report(row, external_id, at)
        except DomainError as error:
            counted.refused += 1
            counted.errors.append(RowError(line, external_id[:80], _texts(error)))
            continue
        known.add(external_id)
        counted.created += 1
    return counted


def _id(row: Mapping[Any, Any]) -> str:
    return str(row.get("external_id") or "").strip()


def _usable(external_id: str) -> bool:
    return 1 <= len(external_id) <= 80 and external_id.isprintable()


def _report(row: Mapping[Any, Any], external_id: str, at: datetime) -> None:
    """One row; everything is checked before the first write, so a refused one leaves nothing behind."""
    if "_broken" in row or None in row or None in row.values():
        raise Invalid({"row": [_l("This row has other columns than the header.")]})
    errors: dict[str, list[Any]] = {}
    if not _usable(external_id):
        errors["external_id"] = [_l("Give each row an identifier of at most 80 characters.")]
    text = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    received_at = _moment(text["received_at"], errors)
    channel = _code("channel", text["channel"] or "phone", errors)
    text["severity"] = _code("severity", text["severity"], errors) if text["severity"] else ""
    language = text["language"] or LANGUAGES[0]
    if language not in LANGUAGES:
        errors["language"] = [_l("Use one of: %(values)s.", values=", ".join(LANGUAGES))]
    try:
        given = report.read(
            {**{FORM.get(name, name): value for name, value in text.items()}, "division_asked": report.GIVEN}
        )
    except Invalid as refused:
        errors = {**_with_choices(refused), **errors}
    if errors:
        raise Invalid(errors)
    services.report_fault(
        channel=channel, contact_name=given.contact_name, contact_phone=given.contact_phone,
        contact_email=given.contact_email, description=given.description, severity=given.severity, serial=given.serial,
        asset=asset_by_id(given.asset_id) if given.asset_id else None, place=given.place, language=language,
        external_id=external_id, received_at=received_at, tell=False, at=at,
    )  # fmt: skip


def _with_choices(refused: Invalid) -> dict[str, list[Any]]:
    """The reasons by column; an unclear place names the codes that would settle it."""
    errors = {COLUMN_OF.get(name, name): list(texts) for name, texts in refused.errors.items()}
    if isinstance(refused, report.UnclearPlace):
        errors["division_code"].append("; ".join(f"{code} {label}" for code, label in refused.choices[:5]))
    return errors


def _code(namespace: str, text: str, errors: dict[str, list[Any]]) -> str:
    """A code, or the word people use for it in either language."""
    code = _codes(namespace).get(text.lower())
    if code is None:
        values = ", ".join(all_words()[namespace])
        errors[namespace] = [_l("Use one of: %(values)s.", values=values)]
    return code or ""


@cache
def _codes(namespace: str) -> dict[str, str]:
    known = all_words()[namespace]
    return {text.lower(): code for code, texts in known.items() for text in (code, *texts.values())}


def _moment(text: str, errors: dict[str, list[Any]]) -> datetime | None:
    """A time with its offset, or on the wall clock of this installation; empty means now."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
        if EARLIEST <= moment <= now() + DRIFT:
            return min(moment, now())
        errors["received_at"] = [_l("This time lies in the future or before the year 2000.")]
    except (ValueError, OverflowError):
        errors["received_at"] = [_l("Write the time such as 2026-11-25T10:30:00+08:00.")]
    return None


def _texts(error: DomainError) -> tuple[str, ...]:
    if isinstance(error, Invalid):
        return tuple(f"{name}: {' '.join(map(str, texts))}" for name, texts in error.errors.items())
    return (str(error.message),)


# The file -------------------------------------------------------------------------------------------


def _survey(path: Path) -> tuple[str, int]:
    """UTF-8, or what spreadsheets in China write; and the number of lines. The file is read through once for it."""
    decoder, encoding, lines = codecs.getincrementaldecoder("utf-8")(), "utf-8-sig", 1
    with path.open("rb") as file:
        while chunk := file.read(SAMPLE):
            lines += chunk.count(b"\n")
            if encoding != "gb18030":
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "gb18030"
    return encoding, lines


def _dialect(file: Any) -> type[csv.Dialect]:
    """Commas, semicolons or tabs, as the header has them."""

    class Ours(csv.excel):
        delimiter = ","

    header = file.readline(MOST_FIELD)
    file.seek(0)
    Ours.delimiter = max(",;\t", key=header.count)
    return Ours


def _check_header(names: Iterable[str] | None) -> None:
    given = [str(name) for name in names or ()]
    missing = [name for name in NEEDED if name not in given]
    if missing:
        raise Invalid({"file": [_l("These columns are missing: %(names)s.", names=", ".join(missing))]})
    unknown = [name for name in given if name not in COLUMNS or given.count(name) > 1]
    if unknown:
        names_ = ", ".join(unknown)[:200]
        raise Invalid({"file": [_l("These columns are not known, or there twice: %(names)s.", names=names_)]})


def _numbered(rows: "csv.DictReader[str]") -> Iterator[Numbered]:
    """Rows with the line they end on; a row that cannot be parsed is refused like any other."""
    while True:
        try:
            row: dict[Any, Any] = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            row = {"_broken": str(error)}
        yield rows.reader.line_num, row


def _batches(rows: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
