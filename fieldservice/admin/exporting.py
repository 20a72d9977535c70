"""Tables of records on their way out, streamed page by page; and the empty table that shows how to fill one."""

from collections.abc import Iterator, Sequence
from typing import IO, Any

from flask_babel import gettext as _

from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.mechanisms.records import Kind, kind_of
from fieldservice.mechanisms.records.fields import Choice, Reference
from fieldservice.mechanisms.records.kinds import references
from fieldservice.mechanisms.records.tables import csv_lines, write_xlsx

PAGE = 500


def csv_of(kind: Kind, person: Person | None, words: str = "") -> Iterator[str]:
    """All records the person may see, as CSV."""
    return csv_lines(kind.columns, rows_of(kind, person, words))


def write_xlsx_to(target: IO[bytes], kind: Kind, person: Person | None, words: str = "") -> None:
    write_xlsx(target, kind.columns, rows_of(kind, person, words))


def rows_of(kind: Kind, person: Person | None, words: str = "") -> Iterator[list[str]]:
    """Cells of each record; a page in memory at a time, references named in one query a page."""
    after = 0
    while True:
        rows = kind.page_of(person, words, after, PAGE)
        if not rows:
            return
        yield from cells_of(kind, rows)
        after = rows[-1].id
        session.expunge_all()


def cells_of(kind: Kind, rows: Sequence[Any]) -> list[list[str]]:
    """What forms and files show of records."""
    values = [kind.export_values(row) for row in rows]
    names = {one.name: kind_of(one.to).labels({held.get(one.name) for held in values}) for one in references(kind)}
    found = []
    for held in values:
        cells: list[str] = []
        for one in kind.fields:
            value = held.get(one.name)
            if isinstance(one, Reference):
                cells.append(names[one.name].get(value, ("", ""))[0] if value is not None else "")
            else:
                texts = one.texts(value)
                cells += [texts[column] for column in one.columns]
        found.append(cells)
    return found


def template_rows(kind: Kind) -> list[list[str]]:
    """One row that shows how each column is filled."""
    filled = {column: text for one in kind.fields for column, text in one.examples().items()}
    return [[filled.get(column, "") for column in kind.columns]]


def column_notes(kind: Kind) -> list[list[str]]:
    """What each column means, for the second sheet of a template."""
    rows = [[_("Column"), _("Meaning"), _("Needed"), _("What to write"), _("Example")]]
    for one in kind.fields:
        for column in one.columns:
            said = str(one.hint)
            if isinstance(one, Choice):
                said = "; ".join(f"{code} = {text}" if text else code for code, text in one.options()[:60])
            needed = one.required and column == one.columns[0]
            rows.append(
                [column, one.column_label(column), _("yes") if needed else "", said, one.examples().get(column, "")]
            )
    return rows
