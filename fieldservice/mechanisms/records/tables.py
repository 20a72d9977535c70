"""Tables in and out: CSV and XLSX, row by row, so that memory stays flat whatever their length.

Text that a spreadsheet would take for a formula gets an apostrophe in front on the way out, and loses it on the
way back in.
"""

import codecs
import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

from flask_babel import lazy_gettext as _l
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from fieldservice.foundation.errors import Invalid

MOST_FIELD = 20_000  # characters; a longer field is a quote that never closed
MOST_COLUMNS = 200
MOST_ROWS = 1_000_000
MOST_UNPACKED = 1 << 30  # bytes inside an XLSX: a small file may unpack to anything
SAMPLE = 1 << 16  # bytes decoded at once while the encoding is found
RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
BROKEN = "_broken"


@dataclass(frozen=True)
class Row:
    """One row with the line it stands on; `share` of the file was read by then."""

    line: int
    cells: Sequence[str]
    share: float
    broken: bool = False


@dataclass
class Table:
    """An open table: its header, and its rows in turn."""

    header: list[str]
    rows: Iterator[Row]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a CSV (UTF-8, or GB 18030 as spreadsheets in China write it) or XLSX file. Raises Invalid for neither."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"PK\x03\x04"):
        with _xlsx(path) as table:
            yield table
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid({"file": [_l("This is an old XLS file. Save it as XLSX or CSV and try again.")]})
    else:
        with _csv(path) as table:
            yield table


# CSV ------------------------------------------------------------------------------------------------


@contextmanager
def _csv(path: Path) -> Iterator[Table]:
    csv.field_size_limit(MOST_FIELD)
    encoding, lines = _survey(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, dialect=_dialect(file))
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise Invalid({"file": [_l("This is no table with a header line.")]}) from error
        yield Table([name.strip() for name in header], _csv_rows(reader, lines))


def _csv_rows(reader: Any, lines: int) -> Iterator[Row]:
    """Rows with the line they end on; one that cannot be parsed is handed on as broken, like any other."""
    while True:
        try:
            cells, broken = next(reader), False
        except StopIteration:
            return
        except csv.Error:
            cells, broken = [], True
        if cells or broken:
            texts = [unescape(cell.strip()) for cell in cells]
            yield Row(reader.line_num, texts, reader.line_num / lines, broken or any("\x00" in text for text in texts))


def _survey(path: Path) -> tuple[str, int]:
    """The encoding and the number of lines. The file is read through once for it."""
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


# XLSX -----------------------------------------------------------------------------------------------


@contextmanager
def _xlsx(path: Path) -> Iterator[Table]:
    unreadable = Invalid({"file": [_l("This XLSX file cannot be read. Save it again, or as CSV.")]})
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
        if len(members) > 2000 or sum(member.file_size for member in members) > MOST_UNPACKED:
            raise Invalid({"file": [_l("This file is too large. Split it into several.")]})
        book = load_workbook(path, read_only=True, data_only=True)
    except Invalid:
        raise
    except Exception as error:  # the library raises whatever the XML inside made it stumble over
        raise unreadable from error
    try:
        sheet = book.worksheets[0]
        lines = max(2, sheet.max_row or 2)
        rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
        try:
            header = [_cell(value).strip() for value in next(rows, ())]
        except Exception as error:  # see above
            raise unreadable from error
        while header and not header[-1]:
            header.pop()
        yield Table(header, _xlsx_rows(rows, len(header), lines, unreadable))
    finally:
        book.close()


def _xlsx_rows(rows: Iterator[Any], width: int, lines: int, unreadable: Invalid) -> Iterator[Row]:
    line = 1
    while True:
        try:
            values = next(rows)
        except StopIteration:
            return
        except Exception as error:  # see _xlsx
            raise unreadable from error
        line += 1
        cells = [unescape(_cell(value).strip()) for value in values]
        if any(cells):
            extra = cells[width:]
            yield Row(line, cells[:width] + ["" for _ in range(width - len(cells))], line / lines, any(extra))


def _cell(value: Any) -> str:
    """A cell as somebody would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)[: MOST_FIELD + 1]


# Reading rows by header -----------------------------------------------------------------------------


def read_header(header: Sequence[str], columns: Mapping[str, Iterable[str]], needed: Iterable[str]) -> list[str]:
    """The column behind each header cell, which is written as its name or its label in either language.

    Raises Invalid for unknown, double or missing columns.
    """
    by_label = {label.strip().casefold(): name for name, labels in columns.items() for label in (name, *labels)}
    found = [by_label.get(text.strip().rstrip("*").strip().casefold(), "") for text in header]
    unknown = [
        text or f"#{place + 1}" for place, (text, name) in enumerate(zip(header, found, strict=True))
        if not name or found.count(name) > 1
    ]  # fmt: skip
    missing = [name for name in needed if name not in found]
    if missing:
        raise Invalid({"file": [_l("These columns are missing: %(names)s.", names=", ".join(missing))]})
    if unknown:
        names = ", ".join(unknown)[:200]
        raise Invalid({"file": [_l("These columns are not known, or there twice: %(names)s.", names=names)]})
    return found


# Writing --------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text that no spreadsheet runs as a formula; plain numbers stay numbers."""
    return f"'{text}" if text.startswith(RISKY) and not NUMBER.fullmatch(text) else text


def unescape(text: str) -> str:
    """The text before `escape`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(RISKY) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A CSV file piece by piece; spreadsheets know by its first sign that it is UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([escape(cell) for cell in header])
    for row in rows:
        writer.writerow([escape(cell) for cell in row])
        if buffer.tell() > SAMPLE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_xlsx(
    target: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[Sequence[str]] = ()
) -> None:
    """An XLSX file whose second sheet, where `notes` are given, explains the columns. Rows are streamed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.freeze_panes = "A2"
    for place, text in enumerate(header):
        sheet.column_dimensions[_letters(place)].width = max(12, min(40, 2 + 2 * len(text)))
    sheet.append([_bold(sheet, text) for text in header])
    for row in rows:
        sheet.append([escape(cell) for cell in row])
    if notes:
        second = book.create_sheet("columns")
        for letter, width in zip("ABCDE", (24, 30, 10, 60, 40), strict=True):
            second.column_dimensions[letter].width = width
        for number, row in enumerate(notes):
            second.append([_bold(second, cell) if number == 0 else escape(cell) for cell in row])
    book.save(target)


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=escape(text))
    cell.font = Font(bold=True)
    return cell


def _letters(place: int) -> str:
    return (chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26)


def spooled(fill: Callable[[IO[bytes]], object]) -> Iterator[bytes]:
    """A finished file, read out piece by piece; large ones lie on disk.

    It is made before the answer begins, so that no database connection waits for a slow reader.
    """
    file = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 - closed by the generator below
    fill(file)
    file.seek(0)

    def pieces() -> Iterator[bytes]:
        with file:
            while chunk := file.read(SAMPLE):
                yield chunk

    return pieces()


def csv_file(lines: Iterable[str]) -> Iterator[bytes]:
    """A CSV file, made and then read out."""

    def fill(file: IO[bytes]) -> None:
        for line in lines:
            file.write(line.encode())

    return spooled(fill)
